# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: The campus that follows is lost
  The promise is that the campus that writes goes on alone within its RTO, and that every write is there once.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: The campus that follows loses its power
    When site "south" loses power
    Then service "registration" is available again at site "east" within its RTO
    When site "south" gets its power back
    Then every member of database "clinical" is back in step within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    And no acknowledged write is lost
