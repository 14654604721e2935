# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What breaks, how long it stays broken, and how it is undone. Whatever a scenario leaves broken is healed at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from drdrill.faults.campus_isolated import CampusIsolated
from drdrill.faults.campus_lost import CampusLost
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.drill_noun import DrillNoun
    from drdrill.estate.durations import Deadline


@given(Sentence('the drill is aborted if service "{service}" is away for more than {seconds:duration}'))
@given(Sentence('如果服务"{service}"中断超过 {seconds:duration} 则中止演练'))
def the_drill_is_aborted_if(drill: DrillNoun, service: str, seconds: float) -> None:
    """From here on the drill stops and heals at once when clients are without the service for longer, or when nobody can tell."""
    drill.abort_if_away(service, seconds)


@when(Sentence('site "{site}" is isolated{quorum_loss:expected}'))
@when(Sentence('数据中心"{site}"被隔离{quorum_loss:预期}'))
def a_site_is_isolated(drill: DrillNoun, site: str, *, quorum_loss: bool) -> None:
    """Every link between the site and every other place, clients included, is cut in both directions, and proven to be."""
    drill.strike(SiteIsolated(site), quorum_loss=quorum_loss)


@when(Sentence('site "{site}" loses power{quorum_loss:expected}'))
@when(Sentence('数据中心"{site}"断电{quorum_loss:预期}'))
def a_site_loses_power(drill: DrillNoun, site: str, *, quorum_loss: bool) -> None:
    """Every host of the site goes off at once, without a goodbye, and is proven to be off."""
    drill.strike(SiteLost(site), quorum_loss=quorum_loss)


@when(Sentence('campus "{campus}" is isolated{quorum_loss:expected}'))
@when(Sentence('院区"{campus}"被隔离{quorum_loss:预期}'))
def a_campus_is_isolated(drill: DrillNoun, campus: str, *, quorum_loss: bool) -> None:
    """Every link between the campus and every other place is cut in both directions; its own sites still reach each other."""
    drill.strike(CampusIsolated(campus), quorum_loss=quorum_loss)


@when(Sentence('campus "{campus}" loses power{quorum_loss:expected}'))
@when(Sentence('院区"{campus}"断电{quorum_loss:预期}'))
def a_campus_loses_power(drill: DrillNoun, campus: str, *, quorum_loss: bool) -> None:
    """Every host of all sites of the campus goes off at once, without a goodbye, and is proven to be off."""
    drill.strike(CampusLost(campus), quorum_loss=quorum_loss)


@when(Sentence('the {role:role} host of service "{service}" at site "{site}" loses power{quorum_loss:expected}'))
@when(Sentence('数据中心"{site}"中服务"{service}"的{role:角色}主机断电{quorum_loss:预期}'))
def a_host_loses_power(drill: DrillNoun, role: str, service: str, site: str, *, quorum_loss: bool) -> None:
    """The host that has this role at the moment of the strike goes off, without a goodbye, and is proven to be off."""
    drill.strike(HostLosesPower(role, service, site), quorum_loss=quorum_loss)


@when(Sentence('the {role:role} host of service "{service}" at site "{site}" freezes{quorum_loss:expected}'))
@when(Sentence('数据中心"{site}"中服务"{service}"的{role:角色}主机冻结{quorum_loss:预期}'))
def a_host_freezes(drill: DrillNoun, role: str, service: str, site: str, *, quorum_loss: bool) -> None:
    """The host that has this role at the moment of the strike stands still, answers nothing, and is proven to."""
    drill.strike(HostFrozen(role, service, site), quorum_loss=quorum_loss)


@when(Sentence("the fault is held for {seconds:duration}"))
@when(Sentence("故障保持 {seconds:duration}"))
def the_fault_is_held(drill: DrillNoun, seconds: float) -> None:
    """Everything that is broken stays broken for this long, and is looked at all the while."""
    drill.hold_for(seconds)


@when(Sentence('the fault is held past the fencing time of database "{database}"'))
@when(Sentence('故障保持到数据库"{database}"的围栏时间之后'))
def the_fault_is_held_past_fencing(drill: DrillNoun, database: str) -> None:
    """What is broken stays so for twice the fencing time: old writers must have stopped by then, and are seen after it."""
    drill.hold_past_fencing(database)


@when(Sentence('site "{site}" is reconnected'))
@when(Sentence('数据中心"{site}"恢复连接'))
def a_site_is_reconnected(drill: DrillNoun, site: str) -> None:
    """The links of the site carry traffic again, and nothing of the cut is left."""
    drill.heal(SiteIsolated, site)


@when(Sentence('site "{site}" gets its power back'))
@when(Sentence('数据中心"{site}"恢复供电'))
def a_site_gets_its_power_back(drill: DrillNoun, site: str) -> None:
    """Every host of the site is powered on again."""
    drill.heal(SiteLost, site)


@when(Sentence('campus "{campus}" is reconnected'))
@when(Sentence('院区"{campus}"恢复连接'))
def a_campus_is_reconnected(drill: DrillNoun, campus: str) -> None:
    """The links of the campus carry traffic again, and nothing of the cut is left."""
    drill.heal(CampusIsolated, campus=campus)


@when(Sentence('campus "{campus}" gets its power back'))
@when(Sentence('院区"{campus}"恢复供电'))
def a_campus_gets_its_power_back(drill: DrillNoun, campus: str) -> None:
    """Every host of all sites of the campus is powered on again."""
    drill.heal(CampusLost, campus=campus)


@when(Sentence("that host gets its power back"))
@when(Sentence("该主机恢复供电"))
def that_host_gets_its_power_back(drill: DrillNoun) -> None:
    """The host that this scenario powered off is on again."""
    drill.heal(HostLosesPower)


@when(Sentence("that host thaws"))
@when(Sentence("该主机解冻"))
def that_host_thaws(drill: DrillNoun) -> None:
    """The host that this scenario froze goes on from where it stood, as if no time had passed."""
    drill.heal(HostFrozen)


@then(Sentence("the estate is as it was before within {deadline:recovery}"))
@then(Sentence("环境在 {deadline:recovery} 内恢复到演练前的状态"))
def the_estate_is_as_it_was(drill: DrillNoun, deadline: Deadline) -> None:
    """Links, processes, members in step and holders of addresses are what they were before the first strike."""
    drill.await_baseline(deadline)
