#!/usr/bin/env bash
# 1 GiB offloaded needs less than 1 MiB on the wire, and arrives whole. On XFS the blocks are shared.
. "$(dirname "$0")/../support/target.sh"
command -v jq >/dev/null || skip "jq is not installed"

# copy_in FOLDER EXPECTED_COUNTER
copy_in() {
  local folder=$1 counter=$2
  truncate -s 1G "$folder/a.img"
  for at in 0 100 511 512 1000; do
    head -c 1048576 /dev/urandom | dd of="$folder/a.img" bs=1M seek=$at conv=notrunc status=none
  done
  start_target --lun "0=file:$folder/a.img" --lun "1=file:$folder/b.img,size=1G"
  "$bin/copymgr" copy --json --mode offload --socket "$work/state/admin.socket" "$url/0" "$url/1" >"$work/report.json"
  stop_target
  cmp "$folder/a.img" "$folder/b.img" || fail "the copy differs"
  local wire
  wire=$(jq '.wire.bytes' "$work/report.json")
  [ "$wire" -lt 1048576 ] || fail "$wire bytes on the wire"
  [ "$(jq "$counter" "$work/report.json")" -gt 0 ] || { cat "$work/report.json"; fail "$counter is 0"; }
  echo "1 GiB in $folder: $wire bytes on the wire, $(jq .elapsed_seconds "$work/report.json") s"
}

mkdir "$work/plain"
copy_in "$work/plain" '.moved.bytes_cloned + .moved.bytes_copied_in_kernel + .moved.bytes_copied'

[ "$(id -u)" -eq 0 ] || { echo "no root: XFS part left out"; exit 0; }
truncate -s 3G "$work/xfs.img"
mkfs.xfs -q "$work/xfs.img" && mkdir "$work/xfs" && mount -o loop "$work/xfs.img" "$work/xfs" ||
  { echo "cannot mount XFS here: that part left out"; exit 0; }
trap 'stop_target; umount "$work/xfs"; rm -rf "$work"' EXIT
copy_in "$work/xfs" .moved.bytes_cloned
