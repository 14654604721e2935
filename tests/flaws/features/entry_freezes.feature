# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: The entry host hangs
  The promise is that one host answers for the address of registration, and no second one, also when the first one hangs.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: The host that answers for the address hangs
    When the entry host of service "registration" at site "east" freezes
    Then service "registration" is available again at site "east" within its RTO
    And exactly one host answers for service "registration" at site "east" within 5 s
    When that host thaws
    Then exactly one host answers for service "registration" at site "east" within 5 s
    And no acknowledged write is lost
