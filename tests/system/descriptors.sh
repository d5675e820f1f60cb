#!/usr/bin/env bash
# More connections than there are descriptors: the daemon waits, quietly, and serves again when some are free.
. "$(dirname "$0")/../support/target.sh"
ulimit -n 64  # of the daemon too, hard
start_target --lun 0=memory:1M

# Three peers with 30 connections each, held until the file goes away.
touch "$work/hold" "$work/connected"
for _ in 1 2 3; do
  ( for _ in $(seq 30); do exec {fd}<>"/dev/tcp/${portal%:*}/${portal##*:}"; done
    echo connected >>"$work/connected"
    while [ -e "$work/hold" ]; do sleep 0.1; done ) &
done
until [ "$(wc -l <"$work/connected")" -eq 3 ] && grep -q 'cannot accept' "$work/copymgrd.log"; do sleep 0.1; done
before=$(wc -l <"$work/copymgrd.log")
sleep 2
rm "$work/hold"
written=$(($(wc -l <"$work/copymgrd.log") - before))
[ "$written" -lt 100 ] || fail "$written lines of log in two seconds without a descriptor"
timeout 30 "$bin/copymgr" info "$url/0" >/dev/null || fail "no service once descriptors are free again"
wait -n  # the peers are gone
stop_target
