# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Ask a network who has some addresses, as the text that a host runs with `python3 -c`. Python 3.7 and its standard library only.

    python3 -c TEXT OWN_ADDRESS SECONDS ADDRESS...   -> {ADDRESS: [MAC, ...]}

Every answer to a broadcast is heard, not only the first, which is all that the kernel's own table keeps: two holders of one address
are two answers. Format: RFC 826. Each question is asked three times, since a frame may be lost.
"""

from __future__ import annotations

import fcntl
import json
import select
import socket
import struct
import sys
import time

ARP = 0x0806
TIMES = 3
SIOCGIFADDR = 0x8915


def interface(own: str) -> str:
    """The network card with this address. Raises LookupError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            try:
                found = fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))[20:24]
            except OSError:
                continue  # It has no address.
            if socket.inet_ntoa(found) == own:
                return name
    raise LookupError(own)


def question(mac: bytes, own: str, target: str) -> bytes:
    """Who has `target`? To everybody."""
    head = b"\xff" * 6 + mac + struct.pack("!HHHBBH", ARP, 1, 0x0800, 6, 4, 1)
    return head + mac + socket.inet_aton(own) + bytes(6) + socket.inet_aton(target)


def main(own: str, seconds: float, targets: list[str]) -> dict[str, list[str]]:
    """Ask, and hear everybody for so long."""
    heard: dict[str, set[str]] = {target: set() for target in targets}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP)) as sock:
        sock.bind((interface(own), 0))
        mac = sock.getsockname()[4]
        began, asked = time.monotonic(), 0
        passed = 0.0
        while passed < seconds:
            if asked < TIMES and passed >= asked * seconds / (TIMES + 1):
                for target in targets:
                    sock.send(question(mac, own, target))
                asked += 1
            if select.select([sock], [], [], min(seconds - passed, seconds / (TIMES + 1) / 2))[0]:
                frame = sock.recv(128)
                sender = socket.inet_ntoa(frame[28:32])
                if frame[20:22] == b"\0\2" and sender in heard:
                    heard[sender].add(frame[22:28].hex())
            passed = time.monotonic() - began
    return {target: sorted(macs) for target, macs in heard.items()}


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])))  # noqa: T201 - the answer
    except LookupError as error:
        sys.exit(f"no network card has the address {error}")
    except PermissionError:
        sys.exit("who has an address can be asked by root only")
