#!/usr/bin/env bash
# The trace of PDUs as tshark reads it: nothing malformed, every PDU in its place, comments on what copies.
. "$(dirname "$0")/../support/target.sh"
command -v tshark >/dev/null || skip "tshark is not installed"
command -v jq >/dev/null || skip "needs jq"
export COPYMGR_SOCKET=$work/state/admin.socket
cm() { timeout 60 "$bin/copymgr" "$@"; }
refused() { if cm "${@:2}" >"$work/out" 2>"$work/why"; then fail "accepted: ${*:2}"; fi; grep -q -- "$1" "$work/why" || fail "no '$1': $(cat "$work/why")"; }

dissect() { tshark -r "$file" -d "tcp.port==$port,iscsi" "$@" 2>/dev/null; }
count() { dissect -Y "$1" -T fields -e frame.number | wc -l; }
# check_capture FRAMES: at least that many PDUs, one a frame, none of them bad, no byte of the streams missing.
check_capture() {
  local frames bad
  frames=$(dissect -T fields -e frame.number | wc -l)
  [ "$frames" -ge "$1" ] || fail "only $frames frames in $file"
  [ "$(count iscsi)" -eq "$frames" ] || fail "of $frames frames $(count iscsi) are iSCSI"
  bad=$(dissect -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -Y \
    '_ws.malformed || (_ws.expert.severity == "Error") || tcp.analysis.flags || ip.checksum.status == "Bad" || tcp.checksum.status == "Bad"' | head -5)
  [ -z "$bad" ] || fail "tshark complains: $bad"
}

head -c 4M /dev/urandom >"$work/a.img"
echo "initiator-secret" >"$work/secret"
start_target --lun "0=file:$work/a.img" --lun "1=file:$work/b.img,size=4M" --lun 2=memory:4M --header-digest crc32c \
  --target iqn.2026-11.io.copymgr:chap --lun 0=memory:1M --chap "host1:$work/secret"
port=${portal##*:}
[ "$(cm trace status --json | jq -r .recording)" = false ] || fail "on without being asked"
refused "trace is off" trace stop "$work/nothing.pcapng"
[ ! -e "$work/nothing.pcapng" ] || fail "a file of nothing"
refused "1M to 256M" trace start --memory 1G
cm trace start
refused "on already" trace start
file=$work/copy.pcapng
cm copy --mode offload "$url/0" "$url/1" >"$work/out" || fail "no copy: $(cat "$work/out")"
cm copy --mode host "$url/0" "$url/2" >"$work/out" || fail "no copy: $(cat "$work/out")"
cm info "iscsi://host1%initiator-secret@$portal/iqn.2026-11.io.copymgr:chap/0" >/dev/null || fail "no CHAP login"
[ "$(cm trace status --json | jq -r '.recording and .pdus > 20 and .lost == 0')" = true ] || fail "$(cm trace status --json)"
hash=$(cm token list --dead --json | jq -r '.tokens[0].hash // empty')
hash=${hash:-$(cm token list --json | jq -r '.tokens[0].hash')}
cm events --json >"$work/events"
refused "$work/no/such" trace stop "$work/no/such/file"
[ "$(cm trace status --json | jq -r .recording)" = true ] || fail "the trace is gone"
cm trace stop "$file" | grep -q "$file: [0-9]* PDUs" || fail "does not tell"
[ "$(stat -c %a "$file")" = 600 ] || fail "others can read it"
[ "$(cm trace status --json | jq -r .recording)" = false ] || fail "still on"
check_capture 50

# Both ends, both directions, both sides of the conversation.
[ "$(count "tcp.srcport == $port && ip.src == 127.0.0.1")" -gt 20 ] || fail "nothing from the array"
[ "$(count "tcp.dstport == $port && ip.dst == 127.0.0.1")" -gt 20 ] || fail "nothing to the array"
dissect -V >"$work/dissected"
[ "$(grep -c 'HeaderDigest: .*Good CRC32' "$work/dissected")" -gt 20 ] || fail "no header digests"
! grep -q 'Digest: .*Bad CRC32' "$work/dissected" || fail "a wrong digest"
grep -q 'KeyValue: CHAP_R=' "$work/dissected" || fail "no login keys"
# Data is cut, tokens are not; it may be longer than an IP packet.
[ "$(count 'frame.len > 65600 && iscsi.opcode == 0x25')" -gt 0 ] || fail "no long data segment"
[ "$(count 'iscsi.opcode == 0x25 && frame.cap_len < frame.len')" -gt 0 ] || fail "no data is cut"
[ "$(dissect -Y 'frame.comment' -T fields -e frame.cap_len -e frame.len | awk '$1 != $2' | wc -l)" -eq 0 ] || fail "a copy command is cut"

# The comments: list identifiers as the copy manager tells them in its events, and as they stand in the CDBs.
dissect -Y frame.comment -T fields -e frame.comment >"$work/comments"
jq -r 'select(.event == "copy.ended") | "\(.command), list identifier \(.list_identifier)"' "$work/events" | sort -u >"$work/ledger"
[ -s "$work/ledger" ] || fail "no copy operation: $(cat "$work/events")"
while read -r operation; do grep -qF "$operation" "$work/comments" || fail "no comment on $operation: $(cat "$work/comments")"; done <"$work/ledger"
grep -q "^WRITE USING TOKEN, list identifier 0x[0-9a-f]*, token $hash: GOOD" "$work/comments" || fail "no $hash: $(cat "$work/comments")"
grep -q "^RECEIVE ROD TOKEN INFORMATION, list identifier 0x[0-9a-f]*, token $hash: GOOD, POPULATE TOKEN completed" "$work/comments" ||
  fail "$(cat "$work/comments")"
# POPULATE TOKEN is 83h/10h with its identifier at bytes 6 to 9 of the CDB, which is at byte 32 of the PDU.
dissect -Y 'frame.comment contains "POPULATE TOKEN, list" && iscsi.opcode == 0x01' -T fields -e tcp.payload -e frame.comment |
  while read -r payload comment; do
    cdb=${payload:64:32}
    [ "${cdb:0:4}" = 8310 ] || fail "$cdb is no POPULATE TOKEN"
    [[ $comment == *"identifier 0x${cdb:12:8}:"* ]] || fail "$comment is not of $cdb"
  done

# A small ring has the last PDUs only; a command that was refused says why; data as asked for.
cm trace start --memory 1M --data 0
timeout -s KILL 60 iscsi-perf -t 2 -b 8 -m 8 "$url/2" >/dev/null 2>&1 || cm copy --mode host "$url/0" "$url/2" >/dev/null
cm token revoke "$hash" 2>/dev/null || true
file=$work/small.pcapng
[ "$(cm trace status --json | jq -r '.pdus > .lost')" = true ] || fail "$(cm trace status --json)"
cm trace stop "$file" >"$work/out"
check_capture 10
[ "$(stat -c %s "$file")" -lt 2000000 ] || fail "more than it may keep"
stop_target

# IPv6, and data segments that no IP packet holds.
"$bin/copymgrd" --portal '[::1]:0' --target $iqn --lun 0=memory:4M --lun 1=memory:4M --state-dir "$work/state6" \
  --ready-file "$work/ready6" 2>>"$work/copymgrd.log" &
target_pid=$!
for _ in $(seq 100); do
  [ -s "$work/ready6" ] && break
  kill -0 $target_pid 2>/dev/null || break
  sleep 0.05
done
if [ ! -s "$work/ready6" ]; then
  target_pid=
  grep -q ' lo$' /proc/net/if_inet6 2>/dev/null && fail "no daemon over IPv6"
  skip "no IPv6 here; all else is as told"
fi
export COPYMGR_SOCKET=$work/state6/admin.socket
portal=$(head -1 "$work/ready6") port=${portal##*:} file=$work/v6.pcapng
cm trace start
cm copy --mode host "iscsi://$portal/$iqn/0" "iscsi://$portal/$iqn/1" >/dev/null || fail "no copy over IPv6"
cm trace stop "$file" >/dev/null
check_capture 10
[ "$(count 'ipv6.src == ::1')" -gt 10 ] || fail "no IPv6"
[ "$(count 'frame.len > 65600 && iscsi.opcode == 0x25')" -gt 0 ] || fail "no long data segment over IPv6"
echo "the trace: as told"
