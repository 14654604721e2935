# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What must be so before anything is broken. Not so means refused: nothing was touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given

from drdrill.steps.words import Sentence

if TYPE_CHECKING:
    from drdrill.drill.estate_noun import EstateNoun


@given(Sentence("the estate is healthy"))
@given(Sentence("环境处于健康状态"))
def the_estate_is_healthy(estate: EstateNoun) -> None:
    """Every host is up, every member of every database is in step, every service answers well."""
    estate.require_healthy()


@given(Sentence('service "{service}" is served by site "{site}"'))
@given(Sentence('服务"{service}"由数据中心"{site}"提供'))
def the_service_is_served_by(estate: EstateNoun, service: str, site: str) -> None:
    """Clients of the service are answered by this site now, so that the drill strikes what it means to strike."""
    estate.require_served_by(service, site)
