# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drdrill.connect.odbc_string import ConnectionString
from drdrill.errors import BadInput

DRIVERS = ("SQLite3", "MariaDB", "MariaDB Unicode")
SECRET = "s3cr3t;of}the=lab"


def test_the_driver_is_found_and_the_address_can_be_another() -> None:
    string = ConnectionString("server=10.79.1.11; Port = 3307;UID=drdrill;PWD=x;DATABASE=clinical", "east-db1")
    assert string.address == ("10.79.1.11", 3307)
    assert string.text(DRIVERS, ("10.71.0.11", 3306)) == (
        "SERVER=10.71.0.11;PORT=3306;UID=drdrill;PWD=x;DATABASE=clinical;DRIVER={MariaDB Unicode};"
    )
    assert "SERVER=10.79.1.11;PORT=3307;" in string.text(DRIVERS)


def test_a_value_in_braces_may_have_anything_in_it() -> None:
    braced = "{" + SECRET.replace("}", "}}") + "}"
    string = ConnectionString(f"SERVER=a;PWD={braced};UID=b", "east-db1")
    assert string.secret == SECRET
    assert string.clean(f"denied\nwith {SECRET}") == "denied with ***"
    assert f"PWD={braced};" in string.text(DRIVERS)


def test_what_the_lab_has_not_filled_in_yet_can_be_read() -> None:
    assert ConnectionString("SERVER=a;PWD=${lab.drdrill_password};DATABASE=b", "x").secret == "${lab.drdrill_password}"


def test_the_port_of_mariadb_need_not_be_said() -> None:
    assert ConnectionString("SERVER=a", "x").address == ("a", 3306)


@pytest.mark.parametrize(
    "dsn", ["", f"host=x password={SECRET}", f"{SECRET}", "SERVER=a;{b", "PORT=3306", "SERVER=a;PORT=b"]
)
def test_a_dsn_that_is_none_says_so_without_showing_it(dsn: str) -> None:
    with pytest.raises(BadInput, match="east-db1: ") as caught:
        ConnectionString(dsn, "east-db1")
    assert SECRET not in str(caught.value)


def test_without_a_driver_the_line_is_told_that_installs_one() -> None:
    with pytest.raises(BadInput, match=r"odbcinst knows SQLite3\); as root: apt-get install .*odbc-mariadb"):
        ConnectionString("SERVER=a", "x").text(("SQLite3",))


def test_a_driver_that_is_named_is_taken_when_it_is_there() -> None:
    assert "DRIVER={SQLite3};" in ConnectionString("DRIVER={SQLite3};SERVER=a", "x").text(DRIVERS)
    assert "DRIVER={/opt/odbc.so};" in ConnectionString("DRIVER=/opt/odbc.so;SERVER=a", "x").text(())
    with pytest.raises(BadInput, match="the ODBC driver Mine, and odbcinst knows no such driver; it knows MariaDB"):
        ConnectionString("DRIVER=Mine;SERVER=a", "x").text(("MariaDB",))
