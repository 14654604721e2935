Feature: The database host hangs
  A dead server claims nothing; a hung one wakes up and believes what it believed before. The promise is that registration
  goes on at the other campus within its RTO while the server stands still, and that nothing that was confirmed to a nurse is
  lost when it wakes up: it may take itself for the writer for a moment, but no longer than the fencing time allows, and then
  it follows the new one.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  @nist-800-53:CP-4.5
  Scenario: The host that is written to hangs and wakes up again
    When the database host of service "registration" at site "east" freezes
    Then service "registration" is available again at site "south" within its RTO
    And no acknowledged write is lost
    When that host thaws
    Then every member of database "clinical" is back in step within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    And database "clinical" is never written on both sides of a cut
    And no acknowledged write is lost
    When service "registration" is switched over to site "east"
    Then service "registration" is available again within its RTO
    And no acknowledged write is lost
