# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Management that is cut with the data: the first lease of the cut is short, and nobody extends what he cannot heal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from harness import FEATURES

if TYPE_CHECKING:
    from harness import Labs

pytestmark = pytest.mark.network

IN_BAND = """while :; do
  if nft list ruleset | grep -q "timeout .* expires"; then
    nft "add table inet in_band; add chain inet in_band in { type filter hook input priority -200; }"
    nft "flush chain inet in_band in; add rule inet in_band in iifname mgmt0 drop"
  else
    nft delete table inet in_band 2>/dev/null
  fi
  sleep 0.02
done"""
"""On a host: while anything of a drill is cut there, management is as well, as where both share one cable."""
HOSTS = ("east-app1", "east-db1")


def test_a_cut_that_takes_its_own_way_back_with_it_ends_by_itself(labs: Labs):
    lab = labs.get(name="network")
    for host in HOSTS:
        command = ("systemd-run", "--quiet", "--collect", "--unit=in-band", "sh", "-c", IN_BAND)
        assert lab.drdrill("lab", "exec", "--lab", "network", host, "--", *command).returncode == 0
    try:
        ran = lab.run("in-band", FEATURES / "site_isolation" / "site_cut_off.feature")
    finally:
        for host in HOSTS:
            healing = "systemctl stop in-band; nft delete table inet in_band"
            lab.drdrill("lab", "exec", "--lab", "network", host, "--", "sh", "-c", healing)
    assert (ran.status, ran.result, ran.restoration) == (6, "aborted", "restored"), ran.output
    assert "way back" in " ".join(ran.output.split())
    (armed,) = ran.recording.journal.of("fault.armed")
    assert armed.data["lease_s"] == 3.0
    assert not list(ran.recording.journal.of("fault.renewed")), "nobody may extend what he cannot heal"
