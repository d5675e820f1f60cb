#!/usr/bin/env bash
# CHAP with a client that we did not write: right and wrong secrets, mutual, discovery; secrets stay secret.
. "$(dirname "$0")/../support/target.sh"
command -v iscsi-inq >/dev/null || skip "libiscsi-bin is not installed"

echo "initiator-secret" >"$work/initiator"
echo "target-secret-01" >"$work/target"
echo "discovery-secre" >"$work/discovery"
start_target --lun 0=memory:16M --chap "host1:$work/initiator" --mutual-chap "array:$work/target" \
  --discovery-chap "finder:$work/discovery" --log-level debug

accepted() { timeout 10 "$@" >"$work/out" 2>&1 || { cat "$work/out"; fail "refused: $*"; }; }
refused() { if timeout 10 "$@" >"$work/out" 2>&1; then fail "accepted: $*"; fi; }
at=$portal/$iqn/0
accepted iscsi-inq "iscsi://host1%initiator-secret@$at"
refused iscsi-inq "iscsi://host1%initiator-secreT@$at"
refused iscsi-inq "iscsi://host2%initiator-secret@$at"
refused iscsi-inq "iscsi://$at"
accepted iscsi-inq "iscsi://host1%initiator-secret@$at?target_user=array&target_password=target-secret-01"
refused iscsi-inq "iscsi://host1%initiator-secret@$at?target_user=array&target_password=target-secret-02"
accepted iscsi-ls "iscsi://finder%discovery-secre@$portal"
refused iscsi-ls "iscsi://finder%wrong-secret-00@$portal"
accepted "$bin/copymgr" info "iscsi://host1%initiator-secret@$at"
refused "$bin/copymgr" info "iscsi://host1%wrong-secret-00@$at"
! grep -q -e initiator-secret -e target-secret -e discovery-secre "$work/copymgrd.log" || fail "a secret in the log"
! tr '\0' ' ' <"/proc/$target_pid/cmdline" | grep -q -e initiator-secret -e target-secret || fail "a secret in the process list"
stop_target

# An account of certain initiators, and names that look like numbers, which are names all the same.
start_target --lun 0=memory:16M --chap "host1:$work/initiator,initiator=iqn.good:*" --chap "0x686f7374:$work/target" \
  --chap "0bAAAA:$work/discovery"
at=$portal/$iqn/0
accepted iscsi-inq -i iqn.good:1 "iscsi://host1%initiator-secret@$at"
refused iscsi-inq -i iqn.bad:1 "iscsi://host1%initiator-secret@$at"
accepted iscsi-inq -i iqn.bad:1 "iscsi://0x686f7374%target-secret-01@$at"
refused iscsi-inq -i iqn.bad:1 "iscsi://host%target-secret-01@$at"
accepted iscsi-inq -i iqn.bad:1 "iscsi://0bAAAA%discovery-secre@$at"
stop_target

# What a person can get wrong.
wrong() {
  local status=0
  timeout 5 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M "${@:2}" 2>"$work/err" || status=$?
  [ $status -eq 2 ] && grep -q -- "$1" "$work/err" || { cat "$work/err"; fail "status $status, no '$1'"; }
}
echo "short" >"$work/short"
wrong "at least 12" --chap "host1:$work/short"
wrong "cannot read" --chap "host1:$work/nothing"
wrong "NAME:FILE" --chap host1
wrong "same CHAP secret" --chap "host1:$work/target" --mutual-chap "array:$work/target"
wrong "give --chap" --mutual-chap "array:$work/target"
