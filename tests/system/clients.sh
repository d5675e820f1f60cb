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
# says TEXT COMMAND...: not through a pipe, whose reader would end the writer when it has seen enough.
says() {
  timeout 20 "${@:2}" >"$work/out" 2>&1 || { cat "$work/out"; fail "${*:2}"; }
  grep -q "$1" "$work/out" || { cat "$work/out"; fail "no '$1': ${*:2}"; }
}
says '^3PC:1' iscsi-inq "$url/0"
says 'LENGTH IN BYTES:4096' iscsi-readcapacity16 "$url/1"
says 'iops average [1-9]' iscsi-perf -t 1 -m 32 -b 8 "$url/0"
stop_target
