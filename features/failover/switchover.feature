Feature: A planned switchover
  Before a campus is taken down for maintenance its database is handed over to the other one. The promise is that
  patients do not notice: registration is away for no longer than its RTO, on the way there and on the way back, and
  nothing that was confirmed to a nurse is lost.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  @nist-800-53:CP-4.2
  Scenario: Registration is moved to the other campus and back
    When service "registration" is switched over to site "south"
    Then service "registration" is available again within its RTO
    And every member of database "clinical" is back in step within its recovery time
    And no acknowledged write is lost
    When service "registration" is switched over to site "east"
    Then service "registration" is available again within its RTO
    And every member of database "clinical" is back in step within its recovery time
    And service "registration" is never away for more than its RTO
    And every replica of database "clinical" holds the same data within its recovery time
    And no acknowledged write is lost
