# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What makes freshly installed packages into the root of the lab's hosts: units that cannot work there, and files of ours.

What is the same for every host and holds no secret is here; what makes one host of it is in `host_files`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from drdrill.lab.network import data_template

FILES: Final = Path(__file__).with_name("files") / "root"
"""Laid over the root as they are. Those for /usr/local/bin become programs."""
ENGINEER: Final = "engineer"
"""The account of every host that is not root and may become it by sudo, without a password."""
_MASKED: Final = (
    # No devices of its own, no clock, no modules, no consoles.
    *("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-udevd-kernel.socket"),
    *("systemd-udevd-control.socket", "systemd-modules-load.service", "kmod-static-nodes.service"),
    *("systemd-tmpfiles-setup-dev.service", "systemd-random-seed.service", "systemd-hwdb-update.service"),
    *("getty.target", "console-getty.service", "systemd-logind.service", "systemd-initctl.socket"),
    *("systemd-ask-password-wall.path", "systemd-ask-password-console.path", "systemd-pstore.service"),
    *("systemd-repart.service", "systemd-sysext.service", "systemd-binfmt.service", "modprobe@loop.service"),
    *("modprobe@dm_mod.service", "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service"),
    # Set by whoever starts the host.
    *("systemd-sysctl.service", "systemd-remount-fs.service", "network-online.target"),
    *("dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
    *("sys-kernel-config.mount", "sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount"),
    # Done once, in the root.
    *("systemd-firstboot.service", "systemd-sysusers.service", "systemd-machine-id-commit.service"),
    *("systemd-journal-catalog-update.service", "ldconfig.service"),
    # Housekeeping that would fall into a drill.
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "fstrim.timer", "logrotate.timer", "systemd-tmpfiles-clean.timer"),
    *("systemd-update-utmp.service", "systemd-update-utmp-runlevel.service"),
)


def settle(root: Path) -> None:
    """Do all of it. Raises LabError when the database's template cannot be made, OSError, CalledProcessError."""
    _units(root)
    for path in (root / "etc/ssh").glob("ssh_host_*"):
        path.unlink()
    for path in sorted(FILES.rglob("*")):
        if path.is_file():
            _lay(path, root / path.relative_to(FILES))
    for name in (".bashrc", ".profile"):
        (root / "root" / name).write_text(
            ""
        )  # Who logs in here is a program, and each of its commands would wait for them.
    (root / "var/log/journal").mkdir(exist_ok=True)
    subprocess.run(
        ["chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", ENGINEER],  # noqa: S607
        check=True,
        capture_output=True,
    )
    data_template.make(root)
    for folder in ("var/lib/apt/lists", "var/cache/apt", "var/log/apt"):
        shutil.rmtree(root / folder, ignore_errors=True)


def _units(root: Path) -> None:
    folder = root / "etc/systemd/system"
    for wants in folder.glob("*.wants"):
        shutil.rmtree(wants)  # Nothing starts but what `host_files` says.
    for unit in _MASKED:
        (folder / unit).unlink(missing_ok=True)
        (folder / unit).symlink_to("/dev/null")
    (folder / "default.target").unlink(missing_ok=True)
    (folder / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    # Each would run at every start of every host, to find that there is nothing to do.
    masks = root / "etc/systemd/system-generators"
    masks.mkdir(exist_ok=True)
    for generator in (root / "usr/lib/systemd/system-generators").iterdir():
        (masks / generator.name).symlink_to("/dev/null")
    # By its socket, once somebody asks.
    (root / "usr/lib/systemd/system/multi-user.target.wants/dbus.service").unlink()


def _lay(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.write_bytes(source.read_bytes())
    sudoers = (
        "sudoers.d" in target.parts
    )  # sudo refuses one that others may write, and warns of one that they may read.
    target.chmod(0o755 if "bin" in target.parts else 0o440 if sudoers else 0o644)
