Feature: The entry host is lost
  Every patient's registration goes through one address, and at any moment one host answers for it. The promise is that the
  loss of that host is not felt for longer than the RTO, that another one answers in its place, and that exactly one does,
  also when the lost one comes back: with two of them each client reaches whichever was heard last.

  Background:
    Given the estate is healthy
    And service "registration" is served by site "east"
    And 25 writes per second go through service "registration" at every site

  @nist-800-53:CP-4.5
  Scenario: The host that answers for the address loses its power
    When the entry host of service "registration" at site "east" loses power
    Then service "registration" is available again at site "east" within its RTO
    And exactly one host answers for service "registration" at site "east" within its RTO
    And no acknowledged write is lost
    When that host gets its power back
    Then exactly one host answers for service "registration" at site "east" within its RTO
    And the estate is as it was before within its recovery time
    And every replica of database "clinical" holds the same data within its recovery time
    And service "registration" is never away for more than its RTO
    And no acknowledged write is lost
