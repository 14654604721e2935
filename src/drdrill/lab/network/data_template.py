# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The data directory that every database host begins with: tables without rows, and a place in the cluster's history.

All members have the same one, so at their first start they join incrementally, and no full transfer is needed. It holds no
account but those that log in by the Unix socket: accounts come with each lab's own passwords.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from drdrill.errors import LabError
from drdrill.lab.network.layout import DATABASE

if TYPE_CHECKING:
    from pathlib import Path

REDO_MB: Final = 16
"""Size of the redo log, here and in the hosts' configuration: another size makes the server write a new one at its start."""
_SQL: Final = f"""
CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
USE {DATABASE};
CREATE TABLE registrations (
  `key` varchar(200) PRIMARY KEY,
  site varchar(64) NOT NULL,
  at timestamp(6) NOT NULL DEFAULT current_timestamp(6)
) ENGINE=InnoDB;
CREATE TABLE heartbeat (site varchar(64) PRIMARY KEY, at timestamp(6) NOT NULL) ENGINE=InnoDB;
"""
_IN_NAMESPACES: Final = """set -e
root=$1
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
exec chroot "$root" /bin/bash -c "$2"
"""
_IN_ROOT: Final = rf"""set -e
export HOME=/root D=/var/lib/mysql S=/run/mysqld/template.sock
mount -t proc proc /proc; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp
mkdir -p /run/mysqld; chown mysql /run/mysqld; rm -rf $D; ip link set lo up
mariadb-install-db --no-defaults --datadir=$D --user=mysql --auth-root-authentication-method=socket --skip-test-db --force \
  --innodb-log-file-size={REDO_MB}M >/tmp/install.log 2>&1 || {{ tail -n 5 /tmp/install.log >&2; exit 1; }}
mariadbd --no-defaults --datadir=$D --user=mysql --innodb-log-file-size={REDO_MB}M --innodb-buffer-pool-size=32M --socket=$S \
  --skip-networking --skip-log-bin --pid-file=/run/mysqld/template.pid --binlog-format=ROW --innodb-autoinc-lock-mode=2 \
  --wsrep-on=ON --wsrep-provider=/usr/lib/galera/libgalera_smm.so --wsrep-new-cluster --wsrep-cluster-address=gcomm:// \
  --wsrep-cluster-name={DATABASE} --wsrep-node-address=127.0.0.1 \
  --wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:14567;gcache.size=1M" >/tmp/server.log 2>&1 &
server=$!
until mariadb -uroot -S $S -e 'select 1' >/dev/null 2>&1; do
  kill -0 $server 2>/dev/null || {{ tail -n 5 /tmp/server.log >&2; exit 1; }}
  sleep 0.05
done
mariadb -uroot -S $S -e "$TEMPLATE_SQL"
mariadb-admin -uroot -S $S shutdown
wait $server
rm -f $D/galera.cache $D/gvwstate.dat $D/*.err
grep -q '^seqno: *[0-9]' $D/grastate.dat || {{ echo "no place in the history: $(cat $D/grastate.dat)" >&2; exit 1; }}
"""
_LONGEST_S: Final = 120


def make(root: Path) -> None:
    """Write `var/lib/mysql` of a root, by its own programs in namespaces of their own. Raises LabError."""
    program = ["sh", "-c", _IN_NAMESPACES, "sh", str(root), _IN_ROOT]
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TEMPLATE_SQL": _SQL}
    try:
        done = subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", *program],  # noqa: S607 - as root has it
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"the database of the network lab's root was not ready within {_LONGEST_S} s") from error
    if done.returncode:
        said = " | ".join((done.stderr or done.stdout).strip().splitlines()[-5:]) or "it said nothing"
        raise LabError(f"the database of the network lab's root cannot be made: {said}")
