Feature: The campus with the majority is cut off
  One campus holds two of the three data centers, and with them most of the votes. When it loses its links, nobody whom a
  nurse can reach may decide alone: registration is away until the campus is back, and that is the price of two campuses.
  The promise is that nothing is bought with data. The site that is left confirms nothing which the majority does not know,
  the two sides never both write, nothing that was confirmed is lost, and once the links are back registration is there
  within its RTO.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site
    And 10 writes per second go to database "clinical" at every site

  @nist-800-53:CP-4.5
  Scenario: The campus that holds two of three sites is isolated
    When campus "South" is isolated with expected loss of quorum
    And the fault is held past the fencing time of database "clinical"
    Then site "east" acknowledges no write while campus "South" is isolated
    When campus "South" is reconnected
    Then service "registration" is available again within its RTO
    And every member of database "clinical" is back in step within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    And database "clinical" is never written on both sides of a cut
    And no acknowledged write is lost
    When service "registration" is switched over to site "east"
    Then service "registration" is available again within its RTO
    And no acknowledged write is lost
