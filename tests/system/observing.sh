#!/usr/bin/env bash
# Watching a running daemon: metrics, live rates, events, from the command line.
. "$(dirname "$0")/../support/target.sh"
command -v jq >/dev/null || skip "needs jq"
export COPYMGR_SOCKET=$work/state/admin.socket
cm() { timeout 30 "$bin/copymgr" "$@"; }

head -c 4M /dev/urandom >"$work/a.img"
start_target --lun "0=file:$work/a.img" --lun "1=file:$work/b.img,size=4M"
cm copy "$url/0" "$url/1" >"$work/out" || fail "no copy: $(cat "$work/out")"

# Metrics: the numbers of `stats`.
cm metrics >"$work/metrics" || fail "no metrics"
cm stats --json >"$work/stats" || fail "no stats"
metric() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }' "$work/metrics" || fail "no $1"; }
is_stat() { local want; want=$(jq -r "$2" "$work/stats"); [ "$(metric "$1")" = "$want" ] || fail "$1 is $(metric "$1"), $2 is $want"; }
is_stat copymgr_copy_requested_bytes_total .copies.bytes_requested
is_stat copymgr_tokens_created_total .tokens.created
is_stat copymgr_tokens .tokens.live
is_stat "copymgr_lun_size_bytes{target=\"$iqn\",lun=\"1\"}" '.luns[1].size_bytes'
[ "$(metric "copymgr_copies_total{command=\"write_using_token\"}")" -ge 1 ] || fail "no copy counted"
if command -v curl >/dev/null; then
  curl -sS --unix-socket "$COPYMGR_SOCKET" -D "$work/head" -o "$work/body" http://localhost/metrics
  grep -qi '^content-type: text/plain; version=0.0.4; charset=utf-8' "$work/head" || fail "$(cat "$work/head")"
  grep -q '^copymgr_tokens ' "$work/body" || fail "no metrics over HTTP"
fi

# Rates: a block an interval until a signal, then 0.
watched() { # SIGNAL OPTION...
  "$bin/copymgr" stats --watch=0.2 "${@:2}" >"$work/watched" 2>"$work/why" &
  local pid=$! status=0
  for _ in $(seq 100); do
    [ "$(grep -c -e 'tokens alive' -e '"tokens"' "$work/watched")" -ge 2 ] && break
    sleep 0.1
  done
  kill "-$1" $pid
  wait $pid || status=$?
  [ $status -eq 0 ] || fail "stats --watch ended with $status: $(cat "$work/why")"
}
watched INT
[ "$(grep -c 'tokens alive' "$work/watched")" -ge 2 ] || fail "no two blocks: $(cat "$work/watched")"
grep -q "^LUN  *READS" "$work/watched" || fail "no LUNs: $(cat "$work/watched")"
grep -q $'\x1b' "$work/watched" && fail "terminal codes in a file"
watched TERM --json
jq -es 'length >= 2 and all(.seconds > 0 and (.luns | length) == 2)' "$work/watched" >/dev/null || fail "$(cat "$work/watched")"
if command -v script >/dev/null; then
  timeout 30 script -qec "timeout --foreground -s INT 1 $bin/copymgr stats --watch 0.2" "$work/typed" >/dev/null </dev/null || true
  grep -q $'\x1b\[H' "$work/typed" || fail "not drawn anew in a terminal"
fi
for wrong in 0 -1 x nan 1e9; do
  status=0
  cm stats "--watch=$wrong" >/dev/null 2>"$work/why" || status=$?
  [ $status -eq 2 ] || fail "--watch=$wrong ended with $status"
done

# Events: what happened above, by name, each number once.
cm events --json >"$work/events" || fail "no events"
for name in session.opened session.closed token.created copy.ended; do
  jq -es --arg name $name 'any(.event == $name)' "$work/events" >/dev/null || fail "no $name: $(cat "$work/events")"
done
jq -es '[.[].number] == [range(1; length + 1)]' "$work/events" >/dev/null || fail "not numbered: $(cat "$work/events")"
hash=$(cm token list --json | jq -r '.tokens[0].hash')
jq -es --arg hash "$hash" 'any(.event == "token.created" and .token == $hash)' "$work/events" >/dev/null || fail "no $hash"
last=$(jq -s 'last.number' "$work/events")
cm events --after "$last" --json >"$work/out" && [ ! -s "$work/out" ] || fail "the same again: $(cat "$work/out")"
"$bin/copymgr" events --follow --after "$last" >"$work/followed" 2>"$work/why" &
follower=$!
cm token revoke "$hash" || fail "not revoked"
for _ in $(seq 100); do grep -q token.ended "$work/followed" && break; sleep 0.1; done
kill -INT $follower
wait $follower || fail "events --follow: $(cat "$work/why")"
grep -q "token.ended  *token $hash is revoked" "$work/followed" || fail "not followed: $(cat "$work/followed")"
cm copy "iscsi://$portal/iqn.2026-11.io.copymgr:nothing/0" "$url/1" >"$work/out" 2>&1 && fail "logs in to nothing"
cm events --after "$last" --json >"$work/events" || fail "no events"
jq -es 'any(.event == "login.refused" and .level == "warning" and .status == "0203h" and (.target | endswith(":nothing")) and (.peer | startswith("127.0.0.1:")))' \
  "$work/events" >/dev/null || fail "no refusal: $(cat "$work/events")"
stop_target
cm stats --watch >/dev/null 2>"$work/why" && fail "watches nobody"
[ -s "$work/why" ] || fail "no reason"

# The log as JSON: every line an object; who logs in wrongly over and over cannot fill it.
rm "$work/copymgrd.log"
start_target --lun 0=memory:1M --log-format json --log-level debug
cm doctor "$url/0" >/dev/null 2>&1 || true
jq -es 'length > 3 and all(.time and .level and .message)' "$work/copymgrd.log" >/dev/null || fail "$(cat "$work/copymgrd.log")"
jq -es 'any(.event == "session.opened" and .session > 0 and (.peer | startswith("127.0.0.1:")))' "$work/copymgrd.log" >/dev/null ||
  fail "no session: $(cat "$work/copymgrd.log")"
for _ in $(seq 80); do cm info "iscsi://$portal/iqn.2026-11.io.copymgr:nothing/0" >/dev/null 2>&1 && fail "logs in to nothing"; done
refused=$(jq -s 'map(select(.event == "login.refused")) | length' "$work/copymgrd.log")
[ "$refused" -ge 50 ] && [ "$refused" -lt 80 ] || fail "$refused refused logins are in the log"
[ "$(cm events --json | jq -s 'map(select(.event == "login.refused")) | length')" -eq 80 ] || fail "not all refused logins are events"
stop_target
"$bin/copymgrd" --target $iqn --lun 0=memory:1M --log-format xml 2>"$work/why" && fail "takes xml"
grep -q "use text or json" "$work/why" || fail "$(cat "$work/why")"

# Who read the log has gone: the daemon has not.
mkfifo "$work/log.pipe"
head -1 "$work/log.pipe" >/dev/null &
reader=$!
rm -f "$work/ready"
"$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --state-dir "$work/state" --ready-file "$work/ready" \
  --log-level debug 2>"$work/log.pipe" &
target_pid=$!
for _ in $(seq 800); do [ -s "$work/ready" ] && break; sleep 0.05; done
wait $reader
url=iscsi://$(head -1 "$work/ready")/$iqn
for _ in 1 2; do cm info "$url/0" >"$work/out" 2>&1 || fail "gone with its log's reader: $(cat "$work/out")"; done
stop_target
echo "metrics, rates, events and the log: as told"
