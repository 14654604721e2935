# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What became of the writes that were confirmed: none lost, none on both sides of a cut, the same on every replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then

from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.consistency import Consistency
    from drdrill.estate.durations import Deadline


@then(Sentence('site "{site}" acknowledges no write while it is isolated'))
@then(Sentence('数据中心"{site}"在隔离期间不确认任何写入'))
def a_site_acknowledges_no_write(consistency: Consistency, site: str) -> None:
    """Behind the cut nothing is confirmed that the other side cannot know of; judged once more at the end of the drill."""
    consistency.no_ack_while_cut(site)


@then(Sentence('site "{site}" acknowledges no write while campus "{campus}" is isolated'))
@then(Sentence('数据中心"{site}"在院区"{campus}"隔离期间不确认任何写入'))
def a_site_acknowledges_no_write_beside_a_campus(consistency: Consistency, site: str, campus: str) -> None:
    """A site that is left without the majority confirms nothing which that majority cannot know of; judged again at the end."""
    consistency.no_ack_while_cut(site, campus)


@then(Sentence('database "{database}" is never written on both sides of a cut'))
@then(Sentence('数据库"{database}"从未在断开的两侧同时写入'))
def a_database_is_never_written_on_both_sides(consistency: Consistency, database: str) -> None:
    """At no time did both sides confirm writes, nor two members claim to be the writer; judged once more at the end."""
    consistency.no_split_brain(database)


@then(Sentence("no acknowledged write is lost"))
@then(Sentence("没有丢失任何已确认的写入"))
def no_acknowledged_write_is_lost(consistency: Consistency) -> None:
    """Every write that was acknowledged up to now is on a replica that can be read; judged once more at the end."""
    consistency.none_lost()


@then(Sentence('every replica of database "{database}" holds the same data within {deadline:recovery}'))
@then(Sentence('数据库"{database}"的所有副本在 {deadline:recovery} 内数据一致'))
def every_replica_holds_the_same(consistency: Consistency, database: str, deadline: Deadline) -> None:
    """Every replica was read, and each has the same rows of this drill."""
    consistency.await_same(database, deadline)
