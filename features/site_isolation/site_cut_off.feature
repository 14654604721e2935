Feature: A data center is cut off
  Patients are registered at both campuses. When one campus loses its links, neither side can know whether the other one
  is dead or only out of reach. The promise is that the other campus carries on within its RTO, that the one that is cut
  off confirms nothing which nobody else knows of, and that nothing that was confirmed to a nurse is lost.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site
    And 10 writes per second go to database "clinical" at every site

  @first @nist-800-53:CP-4.5
  Scenario: The campus that writes is isolated
    When site "east" is isolated
    Then service "registration" is available again at site "south" within its RTO
    And site "east" acknowledges no write while it is isolated
    When site "east" is reconnected
    Then every member of database "clinical" is back in step within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    And database "clinical" is never written on both sides of a cut
    And no acknowledged write is lost
    When service "registration" is switched over to site "east"
    Then service "registration" is available again within its RTO
    And no acknowledged write is lost
