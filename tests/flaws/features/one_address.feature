# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
Feature: An application host is lost, and the entry in front of it goes on
  The promise is that one host answers for the address of registration, and no second one.

  Background:
    Given service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  Scenario: The application of one campus is lost
    When the application host of service "registration" at site "east" loses power
    Then exactly one host answers for service "registration" at site "east" within 5 s
    When that host gets its power back
    Then no acknowledged write is lost
