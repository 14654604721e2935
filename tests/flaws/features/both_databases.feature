# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: All members of the database are lost at once
  The promise is that what was confirmed to a nurse is on a disk, and not only in the memory of two servers.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: Everything that knows the database loses its power
    When site "witness" loses power
    And the database host of service "registration" at site "east" loses power with expected loss of quorum
    And the database host of service "registration" at site "south" loses power with expected loss of quorum
    And the fault is held for 2 s
    Then database "clinical" is never written on both sides of a cut
