# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What the network lab needs and does not find: one sentence, exit status 4, and nothing is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import COMMAND, ROOT

from drdrill.errors import LabError
from drdrill.lab.network import preflight, start


def drdrill(state: Path, *prefix: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [*prefix, *COMMAND, "lab", "up", "network"]
    whole = {**os.environ, "DRDRILL_STATE": str(state), **env}
    return subprocess.run(argv, cwd=ROOT, env=whole, capture_output=True, text=True, timeout=60, check=False)


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 4, ended.stderr
    assert "Traceback" not in ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


def test_an_ordinary_user_is_told_that_it_needs_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root, for namespaces, mounts and cables: sudo drdrill lab up network"):
        preflight.check()


@pytest.mark.root
@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_the_lab_of_another_user_is_left_alone_in_one_sentence(tmp_path: Path, verb: str):
    folder = tmp_path / "network" / "lab"
    folder.mkdir(parents=True)
    (folder / "layout.json").touch()
    os.chown(folder, 65534, 65534)
    env = {**os.environ, "DRDRILL_STATE": str(tmp_path)}
    argv = [*COMMAND, "lab", verb, "network"]
    ended = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == (1 if verb == "status" else 4), ended.stderr
    assert "the lab there is of user 65534, and this is user 0" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (folder / "layout.json").exists()


@pytest.mark.root
def test_an_ordinary_user_who_ends_the_lab_of_root_is_told_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "network" / "lab"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    monkeypatch.setenv("DRDRILL_STATE", str(tmp_path))
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    told, tell = os.pipe()
    if os.fork() == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            start.down()
        except LabError as error:
            os.write(tell, str(error).encode())
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(told) as words:
        assert "the lab there is another user's (Permission denied)" in words.read()
    os.wait()


@pytest.mark.root
def test_root_without_the_right_to_make_namespaces_is_told_so(tmp_path: Path):
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing: apt-get install util-linux")
    words = sentence(drdrill(tmp_path, "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"))
    assert "the network lab needs namespaces, which this machine does not give it (unshare(" in words
    assert "--privileged" in words
    assert not (tmp_path / "network").exists()


@pytest.mark.root
@pytest.mark.parametrize(
    ("missing", "package"), [("ip", "iproute2"), ("mmdebstrap", "mmdebstrap"), ("ssh", "openssh-client")]
)
def test_a_program_that_is_missing_is_named_with_its_package(tmp_path: Path, missing: str, package: str):
    there = tmp_path / "bin"
    there.mkdir()
    for program in {"ip", "nsenter", "mmdebstrap", "ssh"} - {missing}:
        (there / program).symlink_to("/bin/true")
    words = sentence(drdrill(tmp_path / "state", PATH=str(there)))
    assert f"the network lab needs {package}, not installed here" in words
    assert "./scripts/install-network" in words
    assert not (tmp_path / "state").exists()


@pytest.mark.root
def test_inotify_that_is_used_up_is_said_with_its_setting():
    """What the kernel can give is tried out: here by a child that takes most of it first."""
    most = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    if most > 4096:
        pytest.skip("this machine gives more instances of inotify than a test should take")
    code = (
        "import ctypes, sys\n"
        "from drdrill.errors import LabError\n"
        "from drdrill.lab.network import preflight\n"
        "libc = ctypes.CDLL(None)\nwhile libc.inotify_init() >= 0: pass\n"
        "try: preflight.check_kernel()\n"
        "except LabError as error: print(error)\n"
    )
    ended = subprocess.run([COMMAND[0], "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "needs 80 more instances of inotify" in ended.stdout, ended.stdout + ended.stderr
    assert "sysctl fs.inotify.max_user_instances" in ended.stdout


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda: None, None),
        (lambda: (_ for _ in ()).throw(OSError(1, "Operation not permitted")), "Operation not permitted"),
    ],
)
def test_what_is_tried_out_is_tried_in_a_child(attempt, words: str | None):
    if words is None:
        preflight._try("something", attempt, "do this")
    else:
        with pytest.raises(LabError, match=f"needs something, which .*{words}.*: do this"):
            preflight._try("something", attempt, "do this")


@pytest.mark.root
def test_a_kernel_without_nftables_is_said(tmp_path: Path):
    """A root whose nft fails as it does there; the overlay itself can be mounted."""
    (tmp_path / "usr" / "sbin").mkdir(parents=True)
    shutil.copy("/bin/false", tmp_path / "usr" / "sbin" / "nft")
    with pytest.raises(
        LabError, match="needs nftables with timeouts in the kernel, .*: load the kernel module: modprobe nf_tables"
    ):
        preflight.check_root(tmp_path)
