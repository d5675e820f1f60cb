#!/usr/bin/env bash
# Clients that we did not write see what is there: several LUNs, several portals, IPv4 and IPv6.
. "$(dirname "$0")/../support/target.sh"
command -v iscsi-ls >/dev/null || skip "libiscsi-bin is not installed"

portals=()
[ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 && portals=(--portal '[::1]:0')
start_target --lun "0=file:$work/a.img,size=1G" --lun 1=memory:256M,blocksize=4096 --lun 200=null:1T \
  "${portals[@]}" --target iqn.2026-11.io.copymgr:second --lun 0=memory:64M
mapfile -t bound <"$work/ready"
for each in "${bound[@]}"; do
  list=$(timeout 20 iscsi-ls -s "iscsi://$each")
  [ "$(grep -c '^Target:' <<<"$list")" -ge 2 ] || fail "targets through $each: $list"
  grep -q "^Lun:0 .*1023M\|^Lun:0 .*1024M\|^Lun:0 .*1G" <<<"$list" || fail "LUN 0 through $each: $list"
  grep -q '^Lun:200' <<<"$list" || fail "LUN 200 through $each: $list"
done
timeout 10 iscsi-inq "$url/0" | grep -q '^3PC:1' || fail "INQUIRY does not tell of third-party copy"
timeout 10 iscsi-readcapacity16 "$url/1" | grep -q 'LENGTH IN BYTES:4096' || fail "READ CAPACITY(16)"
timeout 20 iscsi-perf -t 1 -m 32 -b 8 "$url/0" | tr '\r' '\n' | grep -q 'iops average [1-9]' || fail "iscsi-perf"
stop_target
