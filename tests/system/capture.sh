#!/usr/bin/env bash
# tshark, a dissector that we did not write, finds nothing malformed and no expert error in what a copy sends.
. "$(dirname "$0")/../support/target.sh"
command -v tshark >/dev/null || skip "tshark is not installed"
[ "$(id -u)" -eq 0 ] || skip "capturing needs root"

head -c 16777216 /dev/urandom >"$work/source.img"
start_target --lun "0=file:$work/source.img" --lun "1=file:$work/copy.img,size=16M" --lun 2=memory:16M --header-digest crc32c
port=${portal##*:}
tshark -q -i lo -f "tcp port $port" -w "$work/demo.pcapng" 2>"$work/tshark.log" &
capture=$!
trap 'kill $capture 2>/dev/null || true; stop_target; rm -rf "$work"' EXIT
for _ in $(seq 100); do
  grep -q 'Capturing on' "$work/tshark.log" && [ -s "$work/demo.pcapng" ] && break
  kill -0 $capture 2>/dev/null || { cat "$work/tshark.log"; skip "cannot capture on lo"; }
  sleep 0.1
done
sleep 0.5
iscsi-ls -s "iscsi://$portal" >/dev/null
"$bin/copymgr" info "$url/0" >/dev/null
"$bin/copymgr" copy --mode offload "$url/0" "$url/1" >/dev/null
"$bin/copymgr" copy --mode host "$url/0" "$url/2" >/dev/null
# A refused command with sense data belongs to it: there is no LUN 9.
if "$bin/copymgr" info "$url/9" >/dev/null 2>&1; then fail "LUN 9 answered"; fi
sleep 0.5
kill -INT $capture
wait $capture || true
stop_target

dissect() { tshark -r "$work/demo.pcapng" -d "tcp.port==$port,iscsi" "$@" 2>/dev/null; }
pdus=$(dissect -Y iscsi -T fields -e frame.number | wc -l)
[ "$pdus" -gt 50 ] || fail "only $pdus frames with iSCSI were captured"
[ "$(dissect -Y 'scsi_sbc.opcode == 0x83' -T fields -e frame.number | wc -l)" -gt 0 ] ||
  [ "$(dissect -V -Y 'iscsi.opcode == 0x01' | grep -ciE 'extended copy|third|0x83')" -gt 0 ] || fail "no token command in the capture"
[ "$(dissect -Y iscsi | grep -c 'Check Condition')" -gt 1 ] || fail "no refused command in the capture"
[ "$(dissect -V -Y iscsi | grep -c 'HeaderDigest: .*Good CRC32')" -gt 50 ] || fail "no header digests were seen"
[ "$(dissect -V -Y iscsi | grep -c 'Digest: .*Bad CRC32')" -eq 0 ] || fail "a header digest is wrong"
bad=$(dissect -Y '_ws.malformed || (_ws.expert.severity == "Error" && (iscsi || scsi))' | head -5)
[ -z "$bad" ] || fail "tshark complains: $bad"
echo "$pdus frames with iSCSI, nothing malformed, no expert error"
