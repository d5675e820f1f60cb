#!/usr/bin/env bash
# `copymgr doctor` on LUNs of a live target: who would let it copy, the exit status for scripts, and that nothing is written.
. "$(dirname "$0")/../support/target.sh"
command -v jq >/dev/null || skip "needs jq"
doctor() { timeout 30 "$bin/copymgr" doctor "$@"; }
is() { local got; got=$(doctor "$url/$2" --json | jq -c "[.windows,.vmware,.linux|.offloads]"); [ "$got" = "$1" ] || fail "LUN $2: $got, not $1"; }

head -c 1M /dev/urandom >"$work/a.img"
cp "$work/a.img" "$work/before.img"
start_target --lun "0=file:$work/a.img" --lun 1=memory:1M,copy-profile=xcopy-only \
  --lun 2=memory:1M,without=83/00+83/01+84/00+84/01+84/03+84/04 --lun 3=memory:1M,blocksize=4096
is '[true,true,true]' 0
is '[false,true,true]' 1
is '[true,false,false]' 2
is '[true,true,true]' 3

doctor "$url/0" --try --require windows --require vmware --require linux >"$work/out" || fail "not all: $(cat "$work/out")"
grep -q "a token can be made of the first blocks" "$work/out" || fail "no trial: $(cat "$work/out")"
cmp "$work/a.img" "$work/before.img" || fail "the doctor wrote"
grep -q FAILED "$work/out" && fail "a fault on a unit in order: $(cat "$work/out")"
doctor "$url/1" --require windows >"$work/out" && fail "LUN 1 is said to have ODX"
grep -q "fix: *put descriptor 0000h at byte 4" "$work/out" || fail "no fix: $(cat "$work/out")"
doctor "$url/1" --require vmware >/dev/null || fail "LUN 1 has EXTENDED COPY"

status=0
doctor "$url/0" --require solaris 2>"$work/err" || status=$?
[ $status -eq 2 ] && grep -q "expected windows, vmware or linux" "$work/err" || fail "status $status: $(cat "$work/err")"
status=0
doctor "$url/9" 2>"$work/err" || status=$?
[ $status -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] || fail "status $status: $(cat "$work/err")"
stop_target
