# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A machine where it cannot run says so in one line, before pip fails in two hundred and before a lab is half there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import ROOT

from drdrill.lab.pocket import start

if TYPE_CHECKING:
    from bad_input_helpers import Folder

pytest_plugins = ["pytester"]

# --- scripts/install -------------------------------------------------------------------------------------------------

OTHER = """\
#!/bin/sh
# A Python that says of itself what the real one here does not.
for last; do :; done
if [ "$1" = -c ]; then exec {python} -c "
import platform, sys
{lies}
exec(sys.argv.pop(1))" "$last"; fi
if [ "$1" = -V ]; then echo Python {version}; exit; fi
echo "this Python was asked for more than it should be: $*" >&2; exit 99
"""


def install(tmp_path: Path, lies: str, version: str = "3.12.1") -> subprocess.CompletedProcess[str]:
    """`scripts/install` of a checkout, where every Python on the path is another one."""
    (tmp_path / "checkout" / "scripts").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "scripts" / "install", tmp_path / "checkout" / "scripts")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "checkout")
    for tool in ("bash", "sh", "env", "dirname", "tr", "cksum", "cat", "uname", "id"):
        found = shutil.which(tool)
        assert found, f"this test needs {tool}"
        (tmp_path / "bin" / tool).symlink_to(found)
    python = tmp_path / "bin" / "python3"
    python.write_text(OTHER.format(python=sys.executable, lies=lies, version=version))
    python.chmod(0o755)
    script = str(tmp_path / "checkout" / "scripts" / "install")
    return subprocess.run(
        [script, "lab"], env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("lies", "version", "words"),
    [
        ("sys.version_info = (3, 10, 12)", "3.10.12", "drdrill needs Python 3.11 or newer; python3 here is Python 3.10.12."),
        ("platform.libc_ver = lambda *_: ('', '')", "3.12.1", "this system has another C library (musl, as on Alpine?)"),
        ("platform.libc_ver = lambda *_: ('glibc', '2.17')", "3.12.1", "this system has glibc 2.17"),
        ("sys.platform = 'darwin'", "3.12.1", "the embedded lab needs Linux, and this is darwin"),
    ],
)  # fmt: skip
def test_install_says_in_one_line_what_is_missing_before_it_begins(tmp_path: Path, lies: str, version: str, words: str):
    ran = install(tmp_path, lies, version)
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout == ""
    assert not (tmp_path / "checkout" / ".venv").exists()


# --- the lab ---------------------------------------------------------------------------------------------------------

WITHOUT_PORTS = """
import fcntl, socket, struct, sys
from drdrill.cli.main import main
if sys.argv[1] == "taken":
    with socket.socket() as s:  # ip link set lo up
        fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x1))
    kept = []
    # Every block of ports that a lab could take begins at a multiple of 64.
    for port in range(10240, 65536, 64):
        kept.append(socket.socket())
        kept[-1].bind(("127.0.0.1", port))
        kept[-1].listen()
main(["lab", "up"])
"""


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        ("taken", "free ports in a row between 10240 and"),
        ("no loopback", "127.0.0.1 carries nothing here, and the lab lives on it: ip link set lo up"),
    ],
)
def test_a_machine_without_free_ports_says_so_and_leaves_nothing(folder: Folder, ports: str, words: str):
    # A network of its own, so that no other lab on this machine misses its ports.
    unshare = shutil.which("unshare")
    own = [unshare or "unshare", "--net", *(["--map-root-user"] if os.geteuid() else [])]
    if unshare is None or subprocess.run([*own, "true"], capture_output=True, check=False).returncode:
        pytest.skip(
            "no network of its own can be made here: allow `unshare --net` (util-linux; root or user namespaces)"
        )
    try:
        ran = subprocess.run(
            [*own, sys.executable, "-c", WITHOUT_PORTS, ports], cwd=folder.path, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
    finally:
        assert not start.down(), "a lab came up where none can work"
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    lab = Path(os.environ["DRDRILL_STATE"]) / "pocket" / "lab"
    assert {path.name for path in lab.iterdir()} == {"lock"}


def test_a_lab_that_can_have_no_folder_says_so(folder: Folder):
    folder.write("afile", "")
    ran = folder.drdrill("lab", "up", DRDRILL_STATE="afile")
    assert ran.returncode == 4
    assert (
        "afile/pocket/lab: the lab cannot live there (Not a directory); set DRDRILL_STATE to a folder of yours"
        in ran.stderr
    )
