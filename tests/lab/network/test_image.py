# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The root of the hosts: from the machine's own sources, whole or not there at all, and told in a sentence when it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from drdrill.errors import LabError
from drdrill.lab.network import image, packages, settle

if TYPE_CHECKING:
    from pathlib import Path

BUILDS = '#!/bin/sh\nfor last; do case $last in */network-*) mkdir -p "$last/etc";; esac; done\n'
FAILS = '#!/bin/sh\nmkdir -p "$CACHE/drdrill/half"\necho "E: Unable to locate package galera-4" >&2\nexit 100\n'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for a root that builds with whatever `tool` puts into the place of mmdebstrap."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(packages, "release", lambda: "bookworm")
    monkeypatch.setattr(packages, "sources", lambda _name: [])
    monkeypatch.setattr(settle, "settle", lambda root: (root / "settled").touch())
    return tmp_path / "cache" / "drdrill"


def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mmdebstrap").write_text(program)
    (tmp_path / "bin" / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CACHE", str(tmp_path / "cache"))


def test_the_release_is_the_machines_own(tmp_path: Path):
    (tmp_path / "os-release").write_text('NAME="Debian"\nVERSION_CODENAME=bookworm\n')
    assert packages.release(tmp_path / "os-release") == "bookworm"


@pytest.mark.parametrize("text", [None, "", "NAME=Alpine\n", "VERSION_CODENAME=\n"])
def test_a_machine_without_a_release_is_told(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "os-release").write_text(text)
    with pytest.raises(LabError, match="names no VERSION_CODENAME"):
        packages.release(tmp_path / "os-release")


def test_only_sources_that_name_the_release_are_taken(tmp_path: Path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://example.org bookworm main\n")
    (tmp_path / "sources.list.d" / "new.sources").write_text("Suites: trixie\n")
    (tmp_path / "sources.list.d" / "ours.sources").write_text("Suites: bookworm\n")
    (tmp_path / "sources.list.d" / "ours.sources.bak").write_text("Suites: bookworm\n")
    found = packages.sources("bookworm", tmp_path)
    assert [path.name for path in found] == ["sources.list", "ours.sources"]
    with pytest.raises(LabError, match="names 'forky'"):
        packages.sources("forky", tmp_path)


def test_a_root_is_built_once_and_said_once(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tool(tmp_path, monkeypatch, BUILDS)
    assert image.cached() is None
    said: list[str] = []
    root = image.ensure(said.append)
    assert root.parent == cache
    assert (root / "settled").exists()
    assert image.ensure(said.append) == root == image.cached()
    assert len(said) == 1


def test_two_that_build_at_the_same_time_build_once(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tool(tmp_path, monkeypatch, BUILDS)
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        roots = list(pool.map(image.ensure, [said.append] * 4))
    assert set(roots) == {cache / f"network-{image._name()}"}
    assert len(said) == 1


def test_what_a_build_left_half_is_no_root_and_goes(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tool(tmp_path, monkeypatch, BUILDS)
    half = cache / f"network-{image._name()}.new"
    (half / "etc").mkdir(parents=True)
    old = cache / "network-0123456789abcdef"
    old.mkdir()
    assert image.cached() is None
    root = image.ensure(lambda _: None)
    assert {path.name for path in cache.glob("network-*")} == {root.name}


def test_a_root_that_a_lab_stands_on_stays(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tool(tmp_path, monkeypatch, BUILDS)
    old = cache / "network-0123456789abcdef"
    old.mkdir(parents=True)
    monkeypatch.setattr(image, "_in_use", lambda root: root == old)
    image.ensure(lambda _: None)
    assert old.exists()


def test_a_build_that_fails_is_one_sentence_and_leaves_no_root(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tool(tmp_path, monkeypatch, FAILS)
    with pytest.raises(LabError, match=r"E: Unable to locate package galera-4.*network\.log") as told:
        image.ensure(lambda _: None)
    assert "\n" not in str(told.value)
    assert image.cached() is None
    assert not list(cache.glob("network-*"))


def test_an_interrupted_build_leaves_nothing(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tool(tmp_path, monkeypatch, BUILDS)

    def interrupted(_root: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(settle, "settle", interrupted)
    with pytest.raises(KeyboardInterrupt):
        image.ensure(lambda _: None)
    assert not list(cache.glob("network-*"))


def test_without_mmdebstrap_the_line_that_installs_it_is_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="apt-get install .* mmdebstrap"):
        image.ensure(lambda _: None)
    assert not cache.exists()


def test_only_root_builds(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        image.ensure(lambda _: None)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path):
    tool(tmp_path, monkeypatch, BUILDS)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(LabError, match="set XDG_CACHE_HOME"):
        image.ensure(lambda _: None)
    assert not cache.exists()


@pytest.mark.parametrize("sign", [" ", ",", ":", "\\"])
def test_a_path_that_no_overlay_can_name_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str
):
    tool(tmp_path, monkeypatch, BUILDS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"a{sign}b"))
    with pytest.raises(LabError, match="set XDG_CACHE_HOME"):
        image.ensure(lambda _: None)
    assert not cache.exists()
    assert not (tmp_path / f"a{sign}b").exists()


def test_another_file_packages_or_release_is_another_root(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    del cache
    first = image._name()
    assert first == image._name()
    (tmp_path / "files").mkdir()
    monkeypatch.setattr(settle, "FILES", tmp_path / "files")
    none = image._name()
    (tmp_path / "files" / "sshd_config").write_text("UseDNS no\n")
    some = image._name()
    monkeypatch.setattr(packages, "release", lambda: "trixie")
    assert len({first, none, some, image._name()}) == 4


@pytest.mark.root
def test_a_root_under_somebodys_overlay_is_in_use(tmp_path: Path):
    for name in ("root", "disk", "merged"):
        (tmp_path / name).mkdir()
    disk = tmp_path / "disk"  # A file system of its own: an overlay cannot write to another overlay.
    options = f"lowerdir={tmp_path}/root,upperdir={disk}/up,workdir={disk}/work"
    mount = f"mount -t tmpfs tmpfs {disk} && mkdir {disk}/up {disk}/work && "
    mount += f"mount -t overlay overlay -o {options} {tmp_path}/merged && echo mounted && cat"
    assert not image._in_use(tmp_path / "root")
    command = ["unshare", "--mount", "sh", "-c", mount]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "mounted\n"
        assert image._in_use(tmp_path / "root")
        assert not image._in_use(tmp_path / "roo")
        held.communicate()
    assert not image._in_use(tmp_path / "root")


@pytest.mark.network
def test_the_real_root_is_small_has_no_secret_and_a_database_to_begin_with():
    root = image.ensure(lambda words: sys.stdout.write(f"{words}\n"))
    used = sum(path.lstat().st_blocks * 512 for path in root.rglob("*") if not path.is_symlink())
    sys.stdout.write(f"{root}: {used / 1e6:.0f} MB\n")
    assert used < 350e6
    assert not list((root / "etc/ssh").glob("ssh_host_*"))
    assert not list((root / "etc/ssh").glob("authorized_keys*"))
    shadow = (root / "etc/shadow").read_text().splitlines()
    assert {line.split(":")[1] for line in shadow} <= {"*", "!", "!*"}
    state = dict(
        line.split(":", 1) for line in (root / "var/lib/mysql/grastate.dat").read_text().splitlines() if ":" in line
    )
    assert int(state["seqno"]) > 0
    assert (root / "var/lib/mysql/clinical/registrations.ibd").exists()
    assert not list((root / "etc/systemd/system").glob("*.wants"))
    for program in ("sbin/mariadbd", "bin/garbd", "sbin/haproxy", "sbin/keepalived", "bin/mariadb-backup", "bin/socat"):
        assert (root / "usr" / program).exists()
