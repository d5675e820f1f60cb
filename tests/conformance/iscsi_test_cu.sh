#!/usr/bin/env bash
# iscsi-test-cu, a conformance suite that we did not write, family by family, on 512- and 4096-byte blocks.
. "$(dirname "$0")/../support/target.sh"
command -v iscsi-test-cu >/dev/null || skip "iscsi-test-cu is not installed (libiscsi-bin)"

families="SCSI.Inquiry SCSI.Mandatory SCSI.TestUnitReady SCSI.ReadCapacity10 SCSI.ReadCapacity16
  SCSI.Read6 SCSI.Read10 SCSI.Read12 SCSI.Read16 SCSI.Write10 SCSI.Write12 SCSI.Write16 SCSI.ModeSense6
  SCSI.Verify10 SCSI.Verify12 SCSI.Verify16 SCSI.WriteVerify10 SCSI.WriteVerify12 SCSI.WriteVerify16
  SCSI.CompareAndWrite SCSI.OrWrite SCSI.WriteAtomic16 SCSI.WriteSame10 SCSI.WriteSame16 SCSI.Unmap
  SCSI.GetLBAStatus.Simple SCSI.GetLBAStatus.BeyondEol SCSI.Prefetch10 SCSI.Prefetch16 SCSI.ReadDefectData10 SCSI.ReadDefectData12
  SCSI.ReportSupportedOpcodes iSCSI.iSCSIResiduals iSCSI.iSCSIdatasn iSCSI.iSCSIcmdsn"

# UnmapSingle asks for the status of LBA n+1 and wants that of n+8 where a physical block has 8 logical ones, as on
# LUN 0: the suite's own mistake, right where both are the same.
only_0=""
only_1="SCSI.GetLBAStatus.UnmapSingle"

start_target --lun "0=file:$work/a.img,size=256M" --lun 1=memory:256M,blocksize=4096
for lun in 0 1; do
  only=only_$lun
  for family in $families ${!only}; do
    out=$work/$family.$lun
    timeout 120 iscsi-test-cu -d -t "$family" "$url/$lun" >"$out" 2>&1 || { tail -20 "$out"; fail "$family on LUN $lun"; }
    # "asserts  total  ran  passed  failed": at least one ran, none failed.
    awk '/^ *asserts/ { ran = $3; failed = $5; seen = 1 } END { exit !(seen && ran > 0 && failed == 0) }' "$out" ||
      { grep -E '^ +[0-9]+\. ' "$out"; fail "$family on LUN $lun"; }
    printf '%-30s LUN %s  %s asserts passed\n' "$family" $lun "$(awk '/^ *asserts/ { print $4 }' "$out")"
  done
done
stop_target
