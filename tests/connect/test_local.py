# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from estates import fake_estate

from drdrill.connect.registry import Ways
from drdrill.errors import BadInput
from drdrill.estate.model import Vantage


@pytest.fixture
def vantages(tmp_path):
    places = {"client": Vantage("client", "local"), "east": Vantage("east", "local", "east")}
    return Ways(replace(fake_estate(tmp_path), vantage=places)).vantages()


def test_a_client_beside_the_runner_reaches_the_endpoint_by_its_url(vantages):
    assert vantages.address("client", "https://registration.example") == "https://registration.example"
    assert list(vantages.command("client", ["true"])) == ["true"]


def test_a_place_at_a_site_is_not_measured_from_somewhere_else(vantages):
    with pytest.raises(BadInput, match='stands at site "east"'):
        vantages.address("east", "https://registration.example")
