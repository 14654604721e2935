# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Each host's files, read by the very programs of the root that will read them; and those programs do notice a mistake."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from drdrill.lab.network import host_files, image, keys
from drdrill.lab.network.flaws import FLAWS
from drdrill.lab.network.layout import Layout, new_passwords
from drdrill.lab.network.topology import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network

STARTED = """set -e
root=$1 prepared=$2 disk=$3; shift 3
mount -t tmpfs tmpfs "$disk"; mkdir "$disk/up" "$disk/work" "$disk/merged"
cp -a "$prepared/." "$disk/up"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$disk/up,workdir=$disk/work" "$disk/merged"
mount -t proc proc "$disk/merged/proc"; mount -t tmpfs tmpfs "$disk/merged/run"; mount -t tmpfs tmpfs "$disk/merged/dev"
for name in null urandom; do touch "$disk/merged/dev/$name"; mount --bind "/dev/$name" "$disk/merged/dev/$name"; done
mkdir "$disk/merged/run/sshd"; ip link add data0 type veth peer name far0
exec chroot "$disk/merged" "$@"
"""
MARIADBD = ("mariadbd", "--verbose", "--help", "--user=mysql", "--wsrep-on=OFF", "--log-warnings=0")
CHECKS = {
    "ssh": ("ssh.service", "client", ("/usr/sbin/sshd", "-t"), "/etc/ssh/sshd_config"),
    "sudo": ("sudo", "client", ("visudo", "-c"), "/etc/sudoers.d/engineer"),
    "haproxy": (
        "haproxy",
        "south-lb1",
        ("haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"),
        "/etc/haproxy/haproxy.cfg",
    ),
    "keepalived": ("keepalived", "east-lb2", ("keepalived", "-t"), "/etc/keepalived/keepalived.conf"),
    "mariadb": ("mariadb", "south-db1", MARIADBD, "/etc/mysql/mariadb.conf.d/99-lab.cnf"),
}


@pytest.fixture(scope="module")
def root() -> Path:
    return image.ensure(lambda _words: None)


def prepared(root: Path, folder: Path, host: str, *flaws: str) -> Path:
    """A host's files in a folder of their own."""
    (folder / "lab").mkdir()
    layout = Layout(folder / "lab", new_passwords(), flaws)
    keys.make(layout)
    (folder / "files" / "etc").mkdir(parents=True)
    (folder / "disk").mkdir()
    shutil.copy(root / "etc/passwd", folder / "files" / "etc")
    host_files.write(folder / "files", host_files.files(layout, HOSTS[host]))
    return folder


def run(root: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    arguments = ["sh", "-c", STARTED, "sh", str(root), str(folder / "files"), str(folder / "disk"), *command]
    apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    return subprocess.run([*apart, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("flaws", [(), tuple(FLAWS)], ids=["no-flaw", "every-flaw"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_configuration_is_what_its_program_reads(root: Path, tmp_path: Path, name: str, flaws: tuple[str, ...]):
    _, host, command, _ = CHECKS[name]
    done = run(root, prepared(root, tmp_path, host, *flaws), *command)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "unknown" not in done.stderr.lower()


@pytest.mark.parametrize("name", CHECKS)
def test_a_mistake_in_it_is_noticed(root: Path, tmp_path: Path, name: str):
    """Else the test above would say nothing."""
    _, host, command, path = CHECKS[name]
    folder = prepared(root, tmp_path, host)
    broken = folder / "files" / path.lstrip("/")
    broken.parent.mkdir(parents=True, exist_ok=True)
    text = broken.read_text() if broken.exists() else (root / path.lstrip("/")).read_text()
    broken.write_text(f"{text}\nno-such-word here\n")
    done = run(root, folder, *command)
    assert done.returncode != 0 or "unknown" in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize("host", ["east-db1", "witness-arb1", "south-app1", "east-lb1"])
def test_units_are_what_systemd_reads(root: Path, tmp_path: Path, host: str):
    folder = prepared(root, tmp_path, host)
    units = sorted(path.name for path in (folder / "files/etc/systemd/system/multi-user.target.wants").iterdir())
    done = run(root, folder, "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units)
    assert done.returncode == 0, done.stderr
    ours = [line for line in done.stderr.splitlines() if "/etc/systemd/system" in line]
    assert ours == []


def test_the_application_starts_with_the_roots_own_python(root: Path, tmp_path: Path):
    folder = prepared(root, tmp_path, "south-app1")
    program = (
        "import json, drdrill.lab.registration as r; c = json.load(open('/etc/registration.json')); "
        "s = r._sessions(c); print(type(s).__name__, list(s.claims), len(r.Registration(c['site'], s).app().router.routes()))"
    )
    done = run(root, folder, "env", "PYTHONPATH=/opt/registration", "python3", "-P", "-c", program)
    assert done.stdout == "MariadbSessions ['south-db1', 'east-db1'] 5\n", done.stderr
