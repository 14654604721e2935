# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a member of a PostgreSQL cluster is asked, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CLAIM: Final = "select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'"
STATE: Final = """
select pg_is_in_recovery(),
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end - '0/0'::pg_lsn,
       case when pg_is_in_recovery() then (select received_tli from pg_stat_wal_receiver where status = 'streaming')
            else ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int end
"""
TOLD: Final = """
select case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end, current_setting('recovery_min_apply_delay')
"""
STANDBYS: Final = "select application_name, sync_state from pg_stat_replication where state = 'streaming'"


def told_to_lag(rows: Sequence[tuple[Any, ...]]) -> str:
    """Why a member that lacks something does not hurry, from the answer to `TOLD`: somebody told it not to. Else nothing."""
    ((paused, delay),) = rows
    if paused:
        return ": its replay is paused (pg_wal_replay_resume() lets it go on)"
    return "" if delay == "0" else f": it is told to apply everything {delay} late (recovery_min_apply_delay)"
