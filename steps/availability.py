# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""How long clients were without a service, with the bounds of what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then

from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.availability import Availability
    from drdrill.estate.durations import Deadline


@then(Sentence('service "{service}" is available again within {deadline:rto}'))
@then(Sentence('服务"{service}"在 {deadline:rto} 内恢复可用'))
def a_service_is_available_again(availability: Availability, service: str, deadline: Deadline) -> None:
    """At one endpoint at least, clients get good answers and acknowledged writes again, and it stays so."""
    availability.await_again(service, deadline)


@then(Sentence('service "{service}" is available again at site "{site}" within {deadline:rto}'))
@then(Sentence('服务"{service}"在数据中心"{site}"于 {deadline:rto} 内恢复可用'))
def a_service_is_available_again_at(availability: Availability, service: str, site: str, deadline: Deadline) -> None:
    """At the endpoint of this site, clients get good answers and acknowledged writes again, and it stays so."""
    availability.await_again(service, deadline, site)


@then(Sentence('exactly one host answers for service "{service}" at site "{site}" within {deadline:rto}'))
@then(Sentence('数据中心"{site}"中服务"{service}"的地址在 {deadline:rto} 内只由一台主机应答'))
def one_host_answers(availability: Availability, service: str, site: str, deadline: Deadline) -> None:
    """One host and no other answers for the service's address at this site, as its neighbours hear it, whatever is configured."""
    availability.await_one_holder(service, site, deadline)


@then(Sentence('service "{service}" is never away for more than {deadline:rto}'))
@then(Sentence('服务"{service}"的中断始终不超过 {deadline:rto}'))
def a_service_is_never_away_longer(availability: Availability, service: str, deadline: Deadline) -> None:
    """No outage that clients saw was longer; judged here, and once more over the whole drill at its end."""
    availability.never_longer(service, deadline)
