# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What runs on a host for a cut: one POSIX shell program, given as text, that leaves nothing installed.

A hold is a table of nftables, a timer of systemd that deletes it at the hard end, and a folder below /run/drdrill/links that says
what became of it: without that nobody could tell a lease that ran out from a hold that never was. Times in it are hundredths of a
second since the host's boot, so no clocks are compared.
"""

from __future__ import annotations

import shlex
from typing import Final

SPLIT: Final = "=== renew"
"""The line between the two texts that `arm` is given."""
_FORGET_CS: Final = 360_000

PROGRAM: Final = r"""set -u
PATH=$PATH:/usr/sbin:/sbin
base=/run/drdrill/links
verb=$1 hold=${2-}
mine=$base/$hold
unit=drdrill-links-$hold
table=drdrill_$hold
read -r up _ < /proc/uptime
now=${up%.*}${up#*.}
now=${now#"${now%%[!0]*}"}
ends() { # of the hold in folder $1: when it ends or ended, by its lease or its hard end
  read -r end < "$1/hard"
  if [ -e "$1/until" ]; then read -r until < "$1/until"; [ "$until" -lt "$end" ] && end=$until; fi
}
there() { nft list table inet "$table" >/dev/null 2>&1; }
apply() { sed "s/@LEASE@/$(($2 * 10))ms/g" "$mine/$1.nft" | nft -f -; }
case $verb in
arm) # HOLD DRILL HARD_CS
  umask 077
  mkdir -p $base || exit
  for old in $base/*/hard; do
    [ -e "$old" ] && read -r end < "$old" && [ $((end + FORGET)) -lt "$now" ] && rm -rf "${old%/hard}"
  done
  if ! mkdir "$mine" 2>/dev/null; then echo used; exit 0; fi
  printf '%s\n' "$3" > "$mine/drill"
  echo $((now + $4)) > "$mine/hard"
  cat > "$mine/both"
  sed '/^SPLIT$/,$d' "$mine/both" > "$mine/cut.nft"
  sed '1,/^SPLIT$/d' "$mine/both" > "$mine/renew.nft"
  rm "$mine/both"
  if ! systemd-run --quiet --collect --unit="$unit" --on-active="$(($4 * 10))ms" --timer-property=AccuracySec=100ms \
    --description="drdrill: the latest end of $hold" "$(command -v nft)" delete table inet "$table"; then
    rm -rf "$mine"; exit 1
  fi
  echo armed ;;
cut) # HOLD LEASE_CS
  [ -d "$mine" ] || { echo "hold $hold was not armed" >&2; exit 1; }
  if there; then echo cut; exit 0; fi
  [ ! -e "$mine/until" ] && [ ! -e "$mine/healed" ] || { echo "hold $hold was used already" >&2; exit 1; }
  read -r end < "$mine/hard"
  left=$3; [ "$left" -gt $((end - now)) ] && left=$((end - now))
  [ "$left" -gt 0 ] || { echo "its hard end is over" >&2; exit 1; }
  echo $((now + left)) > "$mine/until"
  apply cut "$left" && echo cut ;;
renew) # HOLD LEASE_CS
  [ -d "$mine" ] || { echo unknown; exit 0; }
  if [ -e "$mine/healed" ]; then read -r at < "$mine/healed"; echo "healed $((now - at))"; exit 0; fi
  [ -e "$mine/revoked" ] && { echo revoked; exit 0; }
  ends "$mine"
  [ "$now" -ge "$end" ] && { echo "lapsed $((now - end))"; exit 0; }
  read -r hard < "$mine/hard"
  want=$((now + $3)); [ "$want" -lt "$end" ] && want=$end; [ "$want" -gt "$hard" ] && want=$hard
  if apply renew $((want - now)) 2> "$mine/err"; then echo "$want" > "$mine/until"; echo "held $((want - now))"
  else echo "lapsed 0"; fi ;;
restore) # HOLD
  # Its timer may take it away at the same moment.
  if there && ! said=$(nft delete table inet "$table" 2>&1) && there; then echo "$said" >&2; exit 1; fi
  systemctl stop "$unit.timer" 2>/dev/null
  if [ -d "$mine" ] && [ ! -e "$mine/healed" ]; then
    ends "$mine"
    [ "$now" -lt "$end" ] && echo "$now" > "$mine/healed"
  fi
  if there; then echo "the table $table does not go" >&2; exit 1; fi
  echo restored ;;
look) # HOLD
  if there; then nft -j list table inet "$table"; else echo none; fi ;;
holds)
  for one in $base/*/drill; do
    [ -e "$one" ] || continue
    one=${one%/drill}
    [ -e "$one/healed" ] && continue
    ends "$one"
    [ "$now" -lt "$end" ] && echo "hold ${one##*/} $(cat "$one/drill")"
  done
  nft list tables inet 2>/dev/null | while read -r _ _ name; do
    case $name in drdrill_*) [ -d "$base/${name#drdrill_}" ] || echo "hold ${name#drdrill_}" ;; esac
  done ;;
revoke) # DRILL
  for one in $base/*/drill; do
    [ -e "$one" ] && [ "$(cat "$one")" = "$2" ] && : > "${one%/drill}/revoked"
  done
  echo revoked ;;
ready)
  printf '%s\n' "$READY" | nft -f - || exit
  [ "$(systemctl show --property=Version --value 2>/dev/null)" ] || { echo "systemd does not answer" >&2; exit 1; }
  command -v systemd-run >/dev/null || { echo "there is no systemd-run" >&2; exit 1; }
  ip -o address show ;;
esac
""".replace("SPLIT", SPLIT).replace("FORGET", str(_FORGET_CS))
READY: Final = (
    "table inet drdrill_ready {\n"
    "\tset from4 { type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 1s }; }\n"
    "\tchain input { type filter hook input priority -300; policy accept; ip saddr @from4 counter drop; }\n"
    "}\n"
    "delete table inet drdrill_ready\n"
)
"""Everything that a cut needs of the kernel, made and taken away in one transaction: nobody ever sees it. 192.0.2.1 is nobody's
(RFC 5737)."""


def command(verb: str, *arguments: str | int) -> str:
    """The command line that does one of the program's verbs."""
    words = " ".join(shlex.quote(str(word)) for word in (verb, *arguments))
    ready = f"READY={shlex.quote(READY)} " if verb == "ready" else ""
    return f"{ready}sh -c {shlex.quote(PROGRAM)} drdrill {words}"
