# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: The campus that writes is cut off while nobody watches over the writer
  The promise is that at no time both sides of a cut are written to.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: The campus that writes is isolated
    When site "east" is isolated
    And the fault is held for 15 s
    Then database "clinical" is never written on both sides of a cut
