# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: The witness is cut off
  The promise is that nobody notices: two campuses that see each other need no witness.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: The witness is isolated
    When site "witness" is isolated
    And the fault is held for 5 s
    Then service "registration" is never away for more than its RTO
    When site "witness" is reconnected
    Then every replica of database "clinical" holds the same data within 10 s
    And no acknowledged write is lost
