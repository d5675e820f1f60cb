#!/usr/bin/env bash
# `copymgr bench` against a daemon: it measures, its writes arrive, and --verify finds what was changed behind the
# daemon's back and names it.
. "$(dirname "$0")/../support/target.sh"
command -v jq >/dev/null || skip "jq is not installed"

# bench STATUS OPTION...: on LUN 0, or the one that $lun says.
bench() {
  local status=$1 got=0
  shift
  timeout 120 "$bin/copymgr" bench "$url/${lun:-0}" "$@" >"$work/out" 2>"$work/err" || got=$?
  [ $got -eq "$status" ] || fail "status $got instead of $status: bench $* : $(cat "$work/err")"
}
# holds FILTER: of the JSON document.
holds() { jq -e "$1" "$work/out" >/dev/null || { cat "$work/out"; fail "not so: $1"; }; }

start_target --lun "0=file:$work/a.img,size=16M" --lun 1=memory:16M,blocksize=4096
bench 0 --fill --verify --read 50 --sessions 4 --depth 8 --duration 1 --pid $target_pid --json
holds '.operations > 0 and .reads > 0 and .writes > 0 and .operations == .reads + .writes'
holds '.latency.p50_microseconds > 0 and .latency.p50_microseconds <= .latency.max_microseconds'
holds '.cpu_seconds.target > 0 and .operations_per_second > 0'

# Any size, digests, FUA and flushes; data that does not fit into a command's immediate data too.
for lun in 0 1; do
  bench 0 --fill --verify --read 30 --digests all --block 4096 --operations 3000 --fua --flush-every 10 --json
  holds '.operations + .flushes == 3000 and .flushes > 100'
  bench 0 --verify --read 50 --digests data --block 524288 --order sequential --depth 4 --operations 100
  bench 0 --verify --operations 2000 --block 8192 --poll
  # One session alone: its batches are worked on in halves, which end in the middle of PDUs.
  bench 0 --verify --read 50 --block 12288 --depth 31 --operations 5000
done

# Without --verify everything goes, and exactly as much as asked for.
lun=1 bench 0 --read 0 --operations 777 --json
holds '.operations == 777 and .writes == 777 and .load.verified == false'

# One wrong byte, one missing block.
lun=0
stop_target
printf X | dd of="$work/a.img" bs=1 seek=$((3000 * 512 + 77)) conv=notrunc status=none
start_target --lun "0=file:$work/a.img"
bench 1 --verify --order sequential --operations 4096
grep -q 'LBA 3000: byte 77 is not what was written$' "$work/err" || fail "the wrong byte is not told: $(cat "$work/err")"
bench 0 --fill --verify --order sequential --operations 4096
stop_target
dd if=/dev/zero of="$work/a.img" bs=512 seek=5000 count=1 conv=notrunc status=none
start_target --lun "0=file:$work/a.img"
bench 1 --verify --order sequential --operations 4096
grep -q 'LBA 5000: byte [0-9]* is not what was written$' "$work/err" || fail "the lost block is not told: $(cat "$work/err")"
# A block of elsewhere is whole, but not of its LBA.
bench 0 --fill --verify --order sequential --operations 4096
stop_target
dd if="$work/a.img" of="$work/a.img" bs=512 skip=6000 seek=7000 count=1 conv=notrunc status=none
start_target --lun "0=file:$work/a.img"
bench 1 --verify --order sequential --operations 4096
grep -q 'LBA 7000: byte 6 is not what was written$' "$work/err" || fail "the misplaced block is not told: $(cat "$work/err")"

# What ends with a message and 1.
lun=9 bench 1 --operations 1
grep -q 'TEST UNIT READY: status 02h, sense 05/25/00' "$work/err" || fail "$(cat "$work/err")"
stop_target
bench 1 --operations 1
grep -q 'cannot connect' "$work/err" || fail "$(cat "$work/err")"

# A target that goes away in the middle.
start_target --lun 0=memory:16M
timeout 60 "$bin/copymgr" bench "$url/0" --duration 30 >"$work/out" 2>"$work/err" &
load=$!
sleep 1
stop_target KILL
status=0
wait $load || status=$?
[ $status -eq 1 ] && grep -q 'lost\|closed' "$work/err" || fail "the lost target: status $status, $(cat "$work/err")"
