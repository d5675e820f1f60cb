#!/usr/bin/env bash
# tshark, a dissector that we did not write, finds nothing malformed, no expert error and no wrong digest in what
# copies, a conformance suite, CHAP, digests, several connections and asynchronous messages put on the wire.
. "$(dirname "$0")/../support/target.sh"
command -v tshark >/dev/null || skip "tshark is not installed"
[ "$(id -u)" -eq 0 ] || skip "capturing needs root"

capture=
trap '[ -z "$capture" ] || kill $capture 2>/dev/null || true; stop_target; rm -rf "$work"' EXIT

# start_capture FILE: of everything from and to $portal.
start_capture() {
  port=${portal##*:}
  file=$work/$1
  tshark -q -i lo -B 256 -f "tcp port $port" -w "$file" 2>"$work/tshark.log" &
  capture=$!
  for _ in $(seq 100); do
    grep -q 'Capturing on' "$work/tshark.log" && [ -s "$file" ] && break
    kill -0 $capture 2>/dev/null || { cat "$work/tshark.log"; skip "cannot capture on lo"; }
    sleep 0.1
  done
  sleep 0.5
}

dissect() { tshark -r "$file" -d "tcp.port==$port,iscsi" "$@" 2>/dev/null; }
# count FILTER [TEXT]: frames, or lines of their dissection with TEXT.
count() { if [ -n "${2:-}" ]; then dissect -V -Y "$1" | grep -c "$2"; else dissect -Y "$1" -T fields -e frame.number | wc -l; fi || true; }

# end_capture FRAMES: at least that many with iSCSI, none of them bad.
end_capture() {
  sleep 0.5
  kill -INT $capture
  wait $capture || true
  capture=
  local frames bad
  frames=$(count iscsi)
  [ "$frames" -ge "$1" ] || fail "only $frames frames with iSCSI in $file"
  bad=$(dissect -Y '_ws.malformed || (_ws.expert.severity == "Error" && (iscsi || scsi))' | head -5)
  [ -z "$bad" ] || fail "tshark complains: $bad"
  # What the capture has lost on a busy machine says nothing: PDUs would begin in the wrong places.
  if [ "$(count tcp.analysis.lost_segment)" -ne 0 ]; then
    echo "${file##*/}: the capture has holes"
  else
    [ "$(count iscsi 'Digest: .*Bad CRC32')" -eq 0 ] || fail "a digest is wrong"
  fi
  echo "${file##*/}: $frames frames with iSCSI, nothing malformed, no expert error"
}

# Copies, with header digests.
head -c 16777216 /dev/urandom >"$work/source.img"
start_target --lun "0=file:$work/source.img" --lun "1=file:$work/copy.img,size=16M" --lun 2=memory:16M --header-digest crc32c
start_capture copies.pcapng
iscsi-ls -s "iscsi://$portal" >/dev/null
"$bin/copymgr" info "$url/0" >/dev/null
"$bin/copymgr" copy --mode offload "$url/0" "$url/1" >/dev/null
"$bin/copymgr" copy --mode host "$url/0" "$url/2" >/dev/null
# A refused command with sense data belongs to it: there is no LUN 9.
if "$bin/copymgr" info "$url/9" >/dev/null 2>&1; then fail "LUN 9 answered"; fi
end_capture 50
stop_target
[ "$(count 'scsi_sbc.opcode == 0x83')" -gt 0 ] ||
  [ "$(count 'iscsi.opcode == 0x01' 'extended copy\|third\|0x83')" -gt 0 ] || fail "no token command in the capture"
[ "$(dissect -Y iscsi | grep -c 'Check Condition')" -gt 1 ] || fail "no refused command in the capture"
[ "$(count iscsi 'HeaderDigest: .*Good CRC32')" -gt 50 ] || fail "no header digests were seen"

# The protocol: a tour of our own, a suite that we did not write, mutual CHAP, a session asked to leave.
echo "initiator-secret" >"$work/initiator"
echo "target-secret-01" >"$work/target"
start_target --lun 0=memory:64M --target iqn.2026-11.io.copymgr:victim --lun 0=memory:64M --lun 1=memory:1M \
  --target iqn.2026-11.io.copymgr:chap --lun 0=memory:1M --chap "host1:$work/initiator" --mutual-chap "array:$work/target" \
  --max-connections-per-session 2
start_capture protocol.pcapng
COPYMGR_PORTAL=$portal COPYMGR_PID=$target_pid "$bin/test_hostile" "[.tour]" >"$work/tour" 2>&1 || { cat "$work/tour"; fail "the tour"; }
for family in iSCSIResiduals iSCSIdatasn iSCSIcmdsn iSCSITMF; do
  timeout 60 iscsi-test-cu -d -t "iSCSI.$family" "$url/0" >"$work/$family" 2>&1 || { tail -20 "$work/$family"; fail "$family"; }
done
iscsi-inq "iscsi://host1%initiator-secret@$portal/iqn.2026-11.io.copymgr:chap/0?target_user=array&target_password=target-secret-01" >/dev/null
COPYMGR_PORTAL=$portal COPYMGR_PID=$target_pid "$bin/test_hostile" "[.guests]" >"$work/guests" 2>&1 &
guests=$!
for _ in $(seq 100); do
  tsihs=$("$bin/copymgr" session list --socket "$work/state/admin.socket" | awk '/hostile:/ { print $1 }')
  [ "$(wc -w <<<"$tsihs")" -eq 2 ] && break
  sleep 0.1
done
for tsih in $tsihs; do "$bin/copymgr" session logout "$tsih" --grace 1 --socket "$work/state/admin.socket"; done
wait $guests || { cat "$work/guests"; fail "the guests"; }
COPYMGR_PORTAL=$portal COPYMGR_PID=$target_pid "$bin/test_hostile" "[.removal]" >"$work/removal" 2>&1 &
guest=$!
for _ in $(seq 100); do
  "$bin/copymgr" session list --socket "$work/state/admin.socket" >"$work/sessions"
  grep -q 'hostile:removal' "$work/sessions" && break
  sleep 0.1
done
sleep 0.3
"$bin/copymgr" lun delete iqn.2026-11.io.copymgr:victim 1 --socket "$work/state/admin.socket"
wait $guest || { cat "$work/removal"; fail "the guest whose unit goes"; }
end_capture 200
stop_target
[ "$(count iscsi 'DataDigest: .*Good CRC32')" -gt 5 ] || fail "no data digests were seen"
[ "$(count 'iscsi.opcode == 0x32')" -ge 4 ] || fail "no asynchronous messages were seen"
[ "$(count 'iscsi.opcode == 0x22')" -ge 3 ] || fail "no task management was seen"
[ "$(count iscsi 'KeyValue: CHAP_R=')" -ge 2 ] || fail "no mutual CHAP was seen"
