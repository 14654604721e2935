Feature: A data center is lost
  Patients are registered at both campuses, into one database that one of them writes. The promise of two campuses is
  that one is enough: when the campus that writes loses its power, registration goes on at the other one within its RTO,
  nothing that was confirmed to a nurse is lost, and the lost campus comes back as a full member.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  @first @nist-800-53:CP-4.2 @nist-800-53:CP-4.5
  Scenario: The campus that writes loses its power
    When site "east" loses power
    Then service "registration" is available again at site "south" within its RTO
    When site "east" gets its power back
    Then every member of database "clinical" is back in step within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    When service "registration" is switched over to site "east"
    Then service "registration" is available again within its RTO
    And no acknowledged write is lost
