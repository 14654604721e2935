Feature: The database host is lost
  A single server fails far more often than a whole campus. The promise is that one server is never a reason to stop:
  when the host that the database is written on loses its power, registration goes on within its RTO, nothing that was
  confirmed to a nurse is lost, and the host comes back as a full member.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  @first @nist-800-53:CP-4.5
  Scenario: The host that is written to loses its power
    When the database host of service "registration" at site "east" loses power
    Then service "registration" is available again within its RTO
    And no acknowledged write is lost
    When that host gets its power back
    Then every member of database "clinical" is back in step within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    When service "registration" is switched over to site "east"
    Then service "registration" is available again within its RTO
    And no acknowledged write is lost
