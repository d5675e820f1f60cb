#!/usr/bin/env bash
# Protection information of file LUNs: whatever kill -9 cut off, every block can be read afterwards; a byte that
# changed on the medium is told, also after kill -9, and never copied; iscsi-test-cu finds nothing wrong with such LUNs.
. "$(dirname "$0")/../support/target.sh"

head -c 33554432 /dev/urandom >"$work/source.img"
size=32M
luns() {
  for type in 1 2 3; do printf -- '--lun %d=file:%s/p%d.img,size=%s,protection=%d ' $type "$work" $type $size $type; done
}
start() {
  # shellcheck disable=SC2046  # options
  start_target --lun "0=file:$work/source.img" $(luns) --lun 4=memory:$size
}
copy() { timeout 60 "$bin/copymgr" copy --mode "$1" "$url/$2" "$url/$3" >"$work/out" 2>&1; }

# Killed in the middle of host writes and of copies inside the array, again and again.
for round in 1 2 3 4 5 6; do
  start
  mode=host
  [ $((round % 2)) -eq 0 ] && mode=offload
  copiers=
  for type in 1 2 3; do
    copy $mode 0 $type & copiers="$copiers $!"
  done
  sleep "0.0$((round * 13 % 9 + 1))"
  stop_target KILL
  for pid in $copiers; do wait "$pid" || true; done
  start
  for type in 1 2 3; do
    copy host $type 4 || { cat "$work/out"; fail "after kill -9 in $mode copies, type $type cannot be read"; }
  done
  stop_target
done

# What SYNCHRONIZE CACHE acknowledged is there, and still protected after kill -9.
for mode in host offload; do
  rm -f "$work"/p?.img "$work"/p?.img.pi
  start
  for type in 1 2 3; do copy $mode 0 $type || { cat "$work/out"; fail "$mode copy onto type $type"; }; done
  stop_target KILL
  for type in 1 2 3; do cmp "$work/source.img" "$work/p$type.img" || fail "not what was acknowledged"; done
  # One bit of one block, behind the target's back. Type 2 checks nothing of what came without tags.
  for type in 1 3; do printf '\377' | dd of="$work/p$type.img" bs=1 seek=1234567 conv=notrunc status=none; done
  if [ "$(od -An -tx1 -j1234567 -N1 "$work/source.img")" = " ff" ]; then
    for type in 1 3; do printf '\000' | dd of="$work/p$type.img" bs=1 seek=1234567 conv=notrunc status=none; done
  fi
  start
  for type in 1 3; do
    copy host $type 4 && fail "type $type: damage was read ($mode)"
    grep -qi "10/01" "$work/out" || { cat "$work/out"; fail "type $type: not 0Bh/10h/01h"; }
    copy offload $type 4 && fail "type $type: damage was copied ($mode)"
  done
  copy host 2 4 || fail "type 2"
  # Written anew, all is well again.
  copy host 0 1 && copy host 1 4 || fail "type 1 stays damaged"
  stop_target
done

# Without its protection information, or as another type, the file is not opened.
for wrong in "file:$work/p1.img" "file:$work/p1.img,protection=2" "file:$work/p1.img,protection=1,blocksize=4096"; do
  timeout 10 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --state-dir "$work/state" --lun "0=$wrong" \
    2>"$work/why" && fail "opened: $wrong"
  grep -q "p1.img.pi" "$work/why" || { cat "$work/why"; fail "no reason: $wrong"; }
done
echo "kill -9, damage and mistaken options: as told"

command -v iscsi-test-cu >/dev/null || exit 0
rm -f "$work"/p?.img "$work"/p?.img.pi
start
for family in SCSI.Read10 SCSI.Read12 SCSI.Read16 SCSI.Write10 SCSI.Write12 SCSI.Write16 SCSI.Verify10 SCSI.Verify12 \
  SCSI.Verify16 SCSI.WriteVerify10 SCSI.WriteVerify12 SCSI.WriteVerify16 SCSI.WriteSame10 SCSI.WriteSame16 \
  SCSI.CompareAndWrite SCSI.OrWrite SCSI.WriteAtomic16 SCSI.ReadCapacity16 SCSI.ReportSupportedOpcodes; do
  for lun in 1 2; do
    # The suite's library keeps 16 bytes of usage data: none of a 32-byte CDB's.
    [ $family.$lun = SCSI.ReportSupportedOpcodes.2 ] && continue
    out=$work/$family.$lun
    timeout 120 iscsi-test-cu -d -t $family "$url/$lun" >"$out" 2>&1 || { tail -20 "$out"; fail "$family on LUN $lun"; }
    awk '/^ *asserts/ { ran = $3; failed = $5; seen = 1 } END { exit !(seen && ran > 0 && failed == 0) }' "$out" ||
      { grep -E '^ +[0-9]+\. ' "$out"; fail "$family on LUN $lun"; }
  done
done
echo "iscsi-test-cu: 19 families on types 1 and 2"
