#!/usr/bin/env bash
# What clients that we did not write read of a unit's identity: the same after a restart, different for every unit;
# and a portal group that its administrator takes out of service.
. "$(dirname "$0")/../support/target.sh"
for tool in iscsi-inq iscsi-readcapacity16; do
  command -v $tool >/dev/null || skip "$tool is not installed (libiscsi-bin)"
done

two_portals() {
  start_target --portal 127.0.0.1:0,group=2 --lun 0=memory:16M --lun 1=memory:16M
  second=iscsi://$(sed -n 2p "$work/ready")/$iqn
}
# identity URL FILE: the pages that this client can read.
identity() {
  for page in 0 128 131 176 177 178; do iscsi-inq -e 1 -c $page "$1" || fail "page $page"; done >"$2"
}

two_portals
identity "$url/0" "$work/before.0"
identity "$url/1" "$work/before.1"
cmp -s "$work/before.0" "$work/before.1" && fail "two units are the same"
grep -q "naa.6" "$work/before.0" || fail "no NAA name in page 83h"
iscsi-inq "$url/0" >"$work/out" && grep -q '^TPGS:3' "$work/out" || fail "no TPGS in INQUIRY"
stop_target
two_portals
identity "$url/0" "$work/after.0"
identity "$url/1" "$work/after.1"
cmp "$work/before.0" "$work/after.0" && cmp "$work/before.1" "$work/after.1" || fail "another identity after a restart"

admin=$work/state/admin.socket
reads() { iscsi-readcapacity16 "$1" >/dev/null 2>&1; }
reads "$url/0" && reads "$second/0" || fail "two portals, both active"
"$bin/copymgr" target access $iqn 2 standby --socket "$admin" || fail "target access"
reads "$url/0" || fail "the other portal group went too"
reads "$second/0" && fail "a standby portal group reads"
# The client asks TEST UNIT READY first.
iscsi-inq "$second/0" >"$work/out" 2>&1 && fail "ready in standby"
grep -q '0x040b' "$work/out" || fail "not 02h/04h/0Bh in standby"
"$bin/copymgr" target access $iqn 2 active/optimized --socket "$admin" || fail "target access"
reads "$second/0" || fail "not active again"
for wrong in "$iqn 2 asleep" "$iqn 3 standby" "$iqn x standby" "iqn.x 1 standby"; do
  # shellcheck disable=SC2086  # three arguments
  "$bin/copymgr" target access $wrong --socket "$admin" 2>"$work/why" && fail "accepted: $wrong"
  [ -s "$work/why" ] || fail "no reason: $wrong"
done
stop_target
echo "identity and access states: as told"
