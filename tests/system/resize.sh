#!/usr/bin/env bash
# A file that was resized is served again with the --lun of old, whenever the daemon died; what cannot be is refused in
# one line; read-only units share a file that this user may only read.
. "$(dirname "$0")/../support/target.sh"

admin() { timeout 20 "$bin/copymgr" "$@" --socket "$work/state/admin.socket"; }
resize() { admin lun resize $iqn "$@"; }
size() { stat -c %s "$work/a.img"; }
refused() { # TEXT ARGUMENT...
  resize "${@:2}" 2>"$work/why" && fail "accepted: ${*:2}"
  [ "$(wc -l <"$work/why")" -eq 1 ] && grep -q -- "$1" "$work/why" || fail "no '$1' for ${*:2}: $(cat "$work/why")"
}

lun=(--lun "0=file:$work/a.img,size=16M" --lun "1=memory:16M,blocksize=4096" --lun "2=file:$work/r.img,readonly=on")
truncate -s 4M "$work/r.img"
start_target "${lun[@]}"
refused "whole number" 0 1000
refused "whole number" 1 512
refused "not a size" 0 12Q
refused "not a size" 0 '1"M'
refused "--shrink" 0 8M
refused "read-only" 2 8M
refused "no LUN 7" 7 8M
refused "cannot make memory" 1 1048576T --shrink
[ "$(size)" -eq 16777216 ] || fail "the file was resized"
resize 0 32M || fail "grow"
[ "$(size)" -eq 33554432 ] || fail "the file has $(size) bytes"
resize 1 32M && resize 1 8M --shrink || fail "memory"
stop_target
start_target "${lun[@]}"
if command -v iscsi-readcapacity16 >/dev/null; then
  iscsi-readcapacity16 "$url/0" | grep -q 'ADDRESS:65535$' || fail "not 32M after a restart with size=16M"
fi
resize 0 8M --shrink || fail "shrink"
stop_target
[ "$(size)" -eq 8388608 ] || fail "the file has $(size) bytes"
# Not any size: it was never this one.
truncate -s 9M "$work/a.img"
timeout 10 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --state-dir "$work/state" "${lun[@]}" 2>"$work/why" &&
  fail "9M is no size that it was given"
grep -q 9437184 "$work/why" || fail "no reason: $(cat "$work/why")"
truncate -s 8M "$work/a.img"

# kill -9 at any moment leaves the old size or the new one, and a daemon that starts.
for round in $(seq 12); do
  start_target "${lun[@]}"
  [ $((round % 2)) -eq 0 ] && next=24M || next=8M
  resize 0 $next --shrink >/dev/null 2>&1 &
  asking=$!
  sleep "0.0$(printf %02d $((round * 2)))"
  stop_target KILL
  wait $asking || true
  case $(size) in 8388608 | 25165824) ;; *) fail "the file has $(size) bytes" ;; esac
done
start_target "${lun[@]}"
stop_target

# Shared, as nobody writes; not with one who does.
start_target --lun "0=file:$work/r.img,readonly=on" --lun "1=file:$work/r.img,readonly=on"
timeout 10 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun "0=file:$work/r.img" 2>"$work/why" &&
  fail "written while it is served read-only"
grep -q "in use" "$work/why" || fail "no reason: $(cat "$work/why")"
stop_target
if [ "$(id -u)" -ne 0 ]; then
  chmod 400 "$work/r.img"
  start_target --lun "0=file:$work/r.img,readonly=on"
  stop_target
fi
echo "resized, restarted, killed: as told"
