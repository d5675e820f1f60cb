#!/usr/bin/env bash
# What a person can get wrong: one line that says what, the right exit status, no trace.
. "$(dirname "$0")/../support/target.sh"

# expect STATUS TEXT COMMAND...
expect() {
  local status=$1 text=$2 got=0
  shift 2
  timeout 10 "$@" >"$work/out" 2>"$work/err" || got=$?
  [ $got -eq "$status" ] || fail "status $got instead of $status: $*"
  # The log of what was opened before the fault is not part of the message.
  grep -v '^20..-..-..T' "$work/err" >"$work/message" || true
  [ "$(wc -l <"$work/message")" -eq 1 ] || fail "not one line: $* : $(cat "$work/err")"
  grep -q -- "$text" "$work/message" || fail "no '$text' in: $(cat "$work/message")"
}

daemon=("$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --state-dir "$work/other")
expect 1 "/nowhere/a.img" "${daemon[@]}" --lun 0=file:/nowhere/a.img,size=1M
expect 1 "$work" "${daemon[@]}" --lun "0=file:$work"
expect 2 "no-such-option" "${daemon[@]}" --lun 0=memory:1M --no-such-option
expect 2 "tape" "${daemon[@]}" --lun 0=tape:1M
expect 2 "12Q" "${daemon[@]}" --lun 0=memory:12Q
expect 2 "not a LUN" "${daemon[@]}" --lun memory:1M
expect 2 "given twice" "${daemon[@]}" --lun 0=memory:1M --lun 0=memory:1M
expect 2 "not a portal" "${daemon[@]}" --lun 0=memory:1M --portal localhost
expect 2 "not an iSCSI name" "$bin/copymgrd" --target Demo --lun 0=memory:1M
expect 2 "nothing to serve" "$bin/copymgrd"
expect 2 "needs a --target" "$bin/copymgrd" --lun 0=memory:1M
expect 2 "no portal is in portal group 7" "${daemon[@]}" --lun 0=memory:1M --portal-group 7
expect 2 "names logical unit 3" "${daemon[@]}" --lun 0=memory:1M --map 'iqn.a:*=0:3'
expect 2 "is not a map" "${daemon[@]}" --lun 0=memory:1M --map 'iqn.a:*=0'
expect 2 "is not a network" "${daemon[@]}" --lun 0=memory:1M --allow-from 192.0.2.0/33
expect 2 "dscp=64" "${daemon[@]}" --lun 0=memory:1M --portal 127.0.0.1:0,dscp=64
expect 2 "only ,permanent" "${daemon[@]}" --lun 0=memory:1M --redirect 192.0.2.1,soon
expect 2 "token-persistence maybe: use on or off" "${daemon[@]}" --lun 0=memory:1M --token-persistence maybe
expect 2 "needs a --state-dir" "$bin/copymgrd" --target $iqn --lun 0=memory:1M --token-persistence on
expect 2 "any, none or crc32c" "${daemon[@]}" --lun 0=memory:1M --data-digest md5
expect 2 "max-connections-per-session" "${daemon[@]}" --lun 0=memory:1M --max-connections-per-session 0
expect 2 "physical=1024 is not possible" "${daemon[@]}" --lun 0=memory:1M,physical=1024
expect 2 "given twice" "${daemon[@]}" --lun 0=memory:1M,physical=512,physical=512
expect 2 "less than blocksize=4096" "${daemon[@]}" --lun 0=memory:1M,physical=512,blocksize=4096
expect 2 "readonly=yes is not possible" "${daemon[@]}" --lun 0=memory:1M,readonly=yes
expect 2 "removable=1 is not possible" "${daemon[@]}" --lun 0=memory:1M,removable=1
expect 1 "a read-only unit needs one that is there" "${daemon[@]}" --lun "0=file:$work/none.img,size=1M,readonly=on"
expect 2 "readonly=on|off, removable=on|off" "${daemon[@]}" --lun 0=memory:1M,colour=red
expect 2 "blocksize=512|4096, physical=512|4096" "${daemon[@]}" --lun 0=memory:1M,colour=red
expect 2 "no setting colour=" "${daemon[@]}" --lun 0=memory:1M --copy colour=red
expect 2 "a number from 1 to 4062" "${daemon[@]}" --lun 0=memory:1M,maximum-range-descriptors=0
expect 2 "LUN 0: copy-profile=mine is not possible; use windows-default, many-writes" "${daemon[@]}" --lun 0=memory:1M,copy-profile=mine
expect 2 "LUN 0: without=84/07 is not possible: POPULATE TOKEN (83/10) needs" "${daemon[@]}" --lun 0=memory:1M,without=84/07
expect 2 "background-copies must be at least 1" "${daemon[@]}" --lun 0=memory:1M --background-copies 0
expect 2 "more than --max-copies 4" "${daemon[@]}" --lun 0=memory:1M,total-concurrent-copies=5 --max-copies 4
expect 2 "whole blocks of 4096" "${daemon[@]}" --lun 0=memory:1M,blocksize=4096 --copy maximum-token-transfer-size=1536
expect 2 "at least 1" "${daemon[@]}" --lun 0=memory:1M --max-tokens 0
truncate -s 3M "$work/small.img"
expect 1 "3145728" "${daemon[@]}" --lun "0=file:$work/small.img,size=4M"
[ "$(stat -c %s "$work/small.img")" -eq 3145728 ] || fail "the file was resized"

mkdir "$work/cut" && printf short >"$work/cut/token-key"
expect 1 "token-key does not hold 32 bytes" "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --state-dir "$work/cut"

start_target --lun "0=file:$work/a.img,size=1M"
expect 1 "cannot listen on $portal" "$bin/copymgrd" --portal "$portal" --target $iqn --lun 0=memory:1M
expect 1 "in use by another copymgrd" "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --state-dir "$work/state"
expect 1 "$work/a.img" "${daemon[@]}" --lun "0=file:$work/a.img"

expect 2 "no-such-verb" "$bin/copymgr" no-such-verb
expect 2 "iscsi://" "$bin/copymgr" info http://x
expect 1 "$portal" "$bin/copymgr" info "iscsi://$portal/iqn.2026-11.io.copymgr:other/0"
expect 1 "127.0.0.1:1" "$bin/copymgr" info "iscsi://127.0.0.1:1/$iqn/0"
stop_target
# Not into a pipe: a reader that has seen enough would end the writer.
"$bin/copymgrd" --help >"$work/out" && grep -q Stores "$work/out" || fail "no help"
"$bin/copymgrd" --version >"$work/out" && grep -q '^copymgrd [0-9]' "$work/out" || fail "no version"
bench=("$bin/copymgr" bench iscsi://127.0.0.1:1/iqn.a:b/0)
expect 2 "from 0 to 100" "${bench[@]}" --read 101
expect 2 "--depth 0: expected a number" "${bench[@]}" --depth 0
expect 2 "random or sequential" "${bench[@]}" --order up
expect 2 "none, header, data or all" "${bench[@]}" --digests md5
expect 2 "not with --operations" "${bench[@]}" --operations 5 --warm-up 1
expect 2 "without CHAP" "$bin/copymgr" bench iscsi://user@127.0.0.1:1/iqn.a:b/0
expect 1 "cannot connect to 127.0.0.1:1" "${bench[@]}"
expect 1 "there is no process 999999999" "${bench[@]}" --pid 999999999
# Half an export is not to be taken for all of it.
status=0
"$bin/copymgr" --help >/dev/full 2>"$work/why" || status=$?
[ $status -eq 1 ] && grep -q "could not be written in full" "$work/why" || fail "a full disk: $status, $(cat "$work/why")"
