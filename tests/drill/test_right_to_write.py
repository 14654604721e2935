# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A forced failover behind a cut that heals by itself is refused, unless the old side was fenced for good."""

from __future__ import annotations

import pytest

from drdrill.drill.right_to_write import kept_from
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost

ACT = 'a forced failover of database "clinical"'
CUT = (SiteIsolated("east"), 'site "east" is isolated')
FROZEN = (HostFrozen("database", "registration", "east"), "the database host freezes")
OFF = (SiteLost("east"), 'site "east" loses power')


@pytest.mark.parametrize("fault", [CUT, FROZEN])
def test_what_heals_by_itself_keeps_the_right_where_it_is(fault: tuple[SiteIsolated, str]):
    words = kept_from(ACT, [fault], [], ["east-db1"])
    assert words is not None
    assert words.startswith(f"{ACT} while {fault[1]} is in force")
    assert "east-db1 would write beside the new writer" in words


def test_a_fence_that_does_not_expire_lets_it_move():
    assert kept_from(ACT, [CUT], ["east-db1"], ["east-db1"]) is None
    assert kept_from(ACT, [CUT], ["east-db2"], ["east-db1"]) is not None


def test_a_host_without_power_asks_before_it_writes():
    assert kept_from(ACT, [OFF], [], ["east-db1"]) is None
    assert kept_from(ACT, [OFF, CUT], [], ["east-db1"]) is not None


def test_nothing_in_force_keeps_nothing():
    assert kept_from(ACT, [], [], ["east-db1"]) is None
