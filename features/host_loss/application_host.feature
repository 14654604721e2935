Feature: The application host is lost
  The server that runs the application is the one that is patched, restarted and replaced most often. The promise is that a
  campus does not stop for it: when its application host loses its power, its own entry goes on serving patients within the
  RTO through the application of the other campus, nothing that was confirmed to a nurse is lost, and the host comes back.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  @nist-800-53:CP-4.5
  Scenario: The host that runs the application loses its power
    When the application host of service "registration" at site "east" loses power
    Then service "registration" is available again at site "east" within its RTO
    And no acknowledged write is lost
    When that host gets its power back
    Then the estate is as it was before within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    And service "registration" is never away for more than its RTO
    And no acknowledged write is lost
