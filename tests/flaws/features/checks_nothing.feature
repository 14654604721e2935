# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: A drill that breaks something and asks nothing
  The promise is that the nurses are content, and the sentence that says so cannot find that they are not.

  Background:
    Given the estate is healthy
    And 25 writes per second go through service "registration" at every site

  Scenario: The witness is isolated and nobody looks
    When site "witness" is isolated
    And the fault is held for 5 s
    And site "witness" is reconnected
    Then the nurses are content
