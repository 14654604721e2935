# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: An application host is lost
  The promise is that whoever comes in at a campus is served there, also when its own application is gone.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: The application of one campus is lost
    When the application host of service "registration" at site "east" loses power
    Then service "registration" is available again at site "east" within its RTO
    When that host gets its power back
    Then no acknowledged write is lost
