#!/usr/bin/env bash
# Who may log in to what and sees which units, with a client that we did not write: access lists, LUN maps,
# portal groups, redirection, offline targets, sessions asked to leave.
. "$(dirname "$0")/../support/target.sh"
command -v iscsi-inq >/dev/null || skip "libiscsi-bin is not installed"
accepted() { timeout 10 "$@" >"$work/out" 2>&1 || { cat "$work/out"; fail "refused: $*"; }; }
# refused TEXT COMMAND...
refused() {
  if timeout 10 "${@:2}" >"$work/out" 2>&1; then fail "accepted: ${*:2}"; fi
  grep -q -- "$1" "$work/out" || { cat "$work/out"; fail "no '$1': ${*:2}"; }
}

other=iqn.2026-11.io.copymgr
start_target --lun 0=memory:1M --lun 1=memory:2M --allow 'iqn.good:*' --map 'iqn.good:b=0:1' --map 'iqn.good:a=0:0,7:1' \
  --portal 127.0.0.1:0,group=9 \
  --target $other:here --lun 0=memory:1M --allow-from 127.0.0.0/8 --alias "the box under the desk" \
  --target $other:elsewhere --lun 0=memory:1M --allow-from 192.0.2.0/24 \
  --target $other:closed --lun 0=memory:1M --offline \
  --target $other:nine --lun 0=memory:1M --portal-group 9
nine=$(sed -n 2p "$work/ready")

# Names.
accepted iscsi-inq -i iqn.good:b "$url/0"
refused "Authorization failure\|514" iscsi-inq -i iqn.bad:b "$url/0"
# Units under their own numbers.
capacity() { timeout 10 iscsi-readcapacity16 -i "$1" "$url/$2" 2>&1 | sed -n 's/^RETURNED LOGICAL BLOCK ADDRESS://p'; }
[ "$(capacity iqn.good:b 0)" = 4095 ] || fail "iqn.good:b sees $(capacity iqn.good:b 0) behind LUN 0"
[ "$(capacity iqn.good:a 0)" = 2047 ] || fail "iqn.good:a sees another LUN 0"
[ "$(capacity iqn.good:a 7)" = 4095 ] || fail "iqn.good:a sees another LUN 7"
refused "" iscsi-readcapacity16 -i iqn.good:b "$url/7"
refused "" iscsi-readcapacity16 -i iqn.good:c "$url/0"
# Discovery shows what may be logged in to, and the units that are seen there.
accepted iscsi-ls -s -i iqn.good:a "iscsi://$portal"
grep -q "$iqn" "$work/out" || fail "not discovered"
grep -q 'Lun:7' "$work/out" || { cat "$work/out"; fail "LUN 7 is not reported"; }
iscsi-ls -i iqn.bad:b "iscsi://$portal" >"$work/out"
for hidden in $iqn $other:elsewhere $other:closed; do
  ! grep -q "Target:$hidden " "$work/out" || fail "$hidden is shown to a stranger"
done
grep -q "Target:$other:here Portal:$portal,1" "$work/out" || { cat "$work/out"; fail "the portal of group 1 is not told"; }
grep -q "Target:$other:here Portal:$nine,9" "$work/out" || { cat "$work/out"; fail "the portal of group 9 is not told"; }
! grep -q "Target:$other:nine Portal:$portal" "$work/out" || fail "a portal of another group is told"
# Addresses, redirection, offline, portal groups.
accepted iscsi-inq "iscsi://$portal/$other:here/0"
refused "Authorization failure\|514" iscsi-inq "iscsi://$portal/$other:elsewhere/0"
refused "Service unavailable\|769" iscsi-inq "iscsi://$portal/$other:closed/0"
refused "not found\|515" iscsi-inq "iscsi://$portal/$other:nine/0"
accepted iscsi-inq "iscsi://$nine/$other:nine/0"
accepted iscsi-inq "iscsi://$nine/$other:here/0"

# Further connections than the daemon was told to hold are closed as they come, and those that are there go on.
few=$work/few
"$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --max-connections 2 --ready-file "$few" 2>/dev/null &
few_pid=$!
trap 'kill $few_pid 2>/dev/null || true; stop_target; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s "$few" ] && break; sleep 0.1; done
exec {first}<>"/dev/tcp/${portal%:*}/$(sed 's/.*://' "$few")" {second}<>"/dev/tcp/${portal%:*}/$(sed 's/.*://' "$few")"
refused "" iscsi-inq "iscsi://$(cat "$few")/$iqn/0"
exec {first}>&- {second}>&-
for _ in $(seq 50); do timeout 10 iscsi-inq "iscsi://$(cat "$few")/$iqn/0" >"$work/out" 2>&1 && break; sleep 0.1; done
accepted iscsi-inq "iscsi://$(cat "$few")/$iqn/0"
kill $few_pid
wait $few_pid || fail "the daemon with two connections did not end cleanly"
trap 'stop_target; rm -rf "$work"' EXIT

# A target goes offline and comes back, without a restart; its session is asked to leave.
admin=$work/state/admin.socket
timeout -s KILL 60 iscsi-perf -t 40 -m 1 -b 8 "iscsi://$portal/$other:here/0" >"$work/perf" 2>&1 &
busy=$!
for _ in $(seq 50); do
  "$bin/copymgr" session list --socket "$admin" >"$work/sessions"
  grep -q "$other:here" "$work/sessions" && break
  sleep 0.1
done
grep -q "$other:here.*127.0.0.1:" "$work/sessions" || { cat "$work/sessions"; fail "the session is not listed"; }
accepted "$bin/copymgr" target offline $other:here --grace 1 --socket "$admin"
refused "Service unavailable\|769" iscsi-inq "iscsi://$portal/$other:here/0"
for _ in $(seq 50); do
  "$bin/copymgr" session list --socket "$admin" >"$work/sessions"
  grep -q "$other:here" "$work/sessions" || break
  sleep 0.1
done
! grep -q "$other:here" "$work/sessions" || fail "the session stays"
kill $busy 2>/dev/null || true
accepted "$bin/copymgr" target online $other:here --socket "$admin"
accepted iscsi-inq "iscsi://$portal/$other:here/0"
refused "there is no session 4711" "$bin/copymgr" session logout 4711 --socket "$admin"
refused "there is no target iqn.x" "$bin/copymgr" target offline iqn.x --socket "$admin"
refused "no-such" "$bin/copymgr" session list --socket "$work/no-such"
stop_target

# Redirection: the client goes where it is told.
start_target --lun 0=memory:3M
there=$portal
there_pid=$target_pid
target_pid=
"$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --redirect "$there" --ready-file "$work/ready2" 2>>"$work/copymgrd.log" &
target_pid=$!
for _ in $(seq 100); do [ -s "$work/ready2" ] && break; sleep 0.05; done
url=iscsi://$(head -1 "$work/ready2")/$iqn
[ "$(capacity iqn.a:1 0)" = 6143 ] || fail "the redirection leads nowhere: '$(capacity iqn.a:1 0)'"
stop_target
target_pid=$there_pid
stop_target
