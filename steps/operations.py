# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator does on purpose, and what the database must be like afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then, when

from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.operations import Operations
    from drdrill.estate.durations import Deadline


@when(Sentence('service "{service}" is switched over to site "{site}"'))
@when(Sentence('服务"{service}"切换到数据中心"{site}"'))
def a_service_is_switched_over(operations: Operations, service: str, site: str) -> None:
    """The service is moved in a planned way: a single writer by its engine, otherwise by draining its entry."""
    operations.switch_over(service, site)


@then(Sentence('every member of database "{database}" is back in step within {deadline:recovery}'))
@then(Sentence('数据库"{database}"的所有成员在 {deadline:recovery} 内恢复同步'))
def every_member_is_back_in_step(operations: Operations, database: str, deadline: Deadline) -> None:
    """One member writes, every other follows it and has everything: the next failure would be survived as well."""
    operations.await_in_step(database, deadline)
