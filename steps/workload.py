# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What clients do all the while: their writes are the witnesses of a drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given

from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.workload import Workload


@given(Sentence('{rate:number} writes per second go through service "{service}" at every site'))
@given(Sentence('每个数据中心每秒通过服务"{service}"写入 {rate:number} 笔'))
def writes_go_through(workload: Workload, service: str, rate: int) -> None:
    """Numbered writes flow through the service at every site and are acknowledged; each is written down before it is sent."""
    workload.write_through(service, rate)


@given(Sentence('{rate:number} writes per second go to database "{database}" at every site'))
@given(Sentence('每个数据中心每秒向数据库"{database}"写入 {rate:number} 笔'))
def writes_go_to(workload: Workload, database: str, rate: int) -> None:
    """Numbered writes go from every site directly into the database, into a table of the drill, past every application."""
    workload.write_to(database, rate)
