#!/usr/bin/env bash
# The admin API on a loopback port: for whoever has the token, and nobody else.
. "$(dirname "$0")/../support/target.sh"
command -v curl >/dev/null || skip "needs curl"
cm() { timeout 30 "$bin/copymgr" "$@"; }

wrong() { # TEXT OPTION...
  local status=0
  timeout 5 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M "${@:2}" 2>"$work/err" || status=$?
  [ $status -eq 2 ] && grep -q -- "$1" "$work/err" || fail "status $status, no '$1': $(cat "$work/err")"
}
umask 077
echo "0123456789abcdef0123456789abcdef" >"$work/token"
echo "another0token0of0another0daemon0" >"$work/other"
echo "short" >"$work/short"
cp "$work/token" "$work/open" && chmod 644 "$work/open"
for address in 0.0.0.0:0 192.0.2.1:8260 '[::]:8260' 127.0.0.1 host:8260 128.0.0.1:1 ''; do
  wrong "not on the loopback" --admin-port "$address" --admin-token-file "$work/token"
done
wrong "need each other" --admin-port 0
wrong "need each other" --admin-token-file "$work/token"
wrong "cannot read" --admin-port 0 --admin-token-file "$work/nothing"
wrong "at least 16" --admin-port 0 --admin-token-file "$work/short"
wrong "chmod 600" --admin-port 0 --admin-token-file "$work/open"
! grep -q 0123456789abcdef "$work/err" || fail "tells the token"

# expect STATUS CURL-OPTION...: of the port.
expect() {
  local status
  status=$(curl -sS -m 10 -o "$work/body" -D "$work/head" -w '%{http_code}' "${@:2}") || fail "no answer to ${*:2}"
  [ "$status" = "$1" ] || fail "$status, not $1, to ${*:2}: $(cat "$work/body")"
}
# open_port: sets $at; the log tells the port that was taken.
open_port() {
  at=
  for _ in $(seq 100); do
    at=$(sed -n 's,.*the admin API is at \(http://[^ ]*\).*,\1,p' "$work/copymgrd.log" | tail -1)
    [ -n "$at" ] && return
    sleep 0.05
  done
  fail "no port in the log"
}
right="Authorization: Bearer $(cat "$work/token")"

cd "$work"
start_target --lun 0=memory:1M --admin-port 0 --admin-token-file token
cd /
open_port
port=${at##*:}
expect 401 "$at/v1/sessions"
grep -qi '^www-authenticate: Bearer' "$work/head" || fail "$(cat "$work/head")"
expect 401 -H "Authorization: Bearer $(cat "$work/other")" "$at/v1/sessions"
expect 401 -H "Authorization: Bearer " "$at/v1/sessions"
expect 401 -H "Authorization: Bearer 0123456789abcdef" "$at/v1/sessions"
expect 401 -H "Authorization: Basic $(cat "$work/token")" "$at/v1/sessions"
expect 401 -H "$right" -H "$right" "$at/v1/sessions"
expect 401 -X POST -d '{"name":"iqn.2026-11.io.copymgr:x"}' "$at/v1/targets"
head -c 8M /dev/zero >"$work/much"
expect 401 -H 'Expect:' --data-binary "@$work/much" "$at/v1/configuration" 2>/dev/null || true
expect 200 -H "$right" "$at/v1/sessions"
expect 200 -H "authorization: bearer $(cat "$work/token")" "$at/v1/sessions"
expect 404 -H "$right" "$at/v1/nothing"
# Another name that resolves to here.
expect 421 -H "$right" -H "Host: evil.example" "$at/v1/sessions"
expect 421 -H "$right" -H "Host: 127.0.0.1.evil.example:$port" "$at/v1/sessions"
expect 200 -H "$right" -H "Host: localhost:1234" "$at/v1/sessions"
expect 200 -H "$right" -H "Host: [::1]" "$at/v1/sessions"
ss -tln | awk '{ print $4 }' >"$work/listening"
grep -q "^127.0.0.1:$port$" "$work/listening" || fail "does not listen"
! grep -q "\(0\.0\.0\.0\|\*\|\[::\]\):$port$" "$work/listening" || fail "others reach the port"
grep -q 'is refused with 401' "$work/copymgrd.log" || fail "no refusal in the log"
! grep -q 0123456789abcdef "$work/copymgrd.log" || fail "the token is in the log"
! grep -q 0123456789abcdef "/proc/$target_pid/cmdline" || fail "the token is in the process list"

# The verbs go there as well; so they do by the environment.
cm target list --admin "$at" --admin-token-file "$work/token" >"$work/out" && grep -q "$iqn" "$work/out" || fail "no target"
COPYMGR_ADMIN=$at COPYMGR_ADMIN_TOKEN_FILE=$work/token cm lun create "$iqn/4" memory:1M >/dev/null || fail "no LUN"
COPYMGR_ADMIN=$at COPYMGR_ADMIN_TOKEN_FILE=$work/token cm lun list >"$work/out" && grep -q memory:1M "$work/out" || fail "no LUN"
refused() { local status=0; cm target list "${@:3}" >"$work/out" 2>"$work/why" || status=$?
  [ $status -eq "$1" ] && grep -q -- "$2" "$work/why" || fail "$status, no '$2': $(cat "$work/why")"; }
refused 1 "bearer token is needed" --admin "$at" --admin-token-file "$work/other"
refused 2 "needs --admin-token-file" --admin "$at"
refused 2 "cannot read the token" --admin "$at" --admin-token-file "$work/nothing"
refused 2 "not both" --admin "$at" --admin-token-file "$work/token" --socket "$work/state/admin.socket"
for other in http://192.0.2.1:80 https://127.0.0.1:80 http://127.0.0.1 http://evil.example:80; do
  refused 2 "is no admin port" --admin "$other" --admin-token-file "$work/token"
done
stop_target

# It goes on with what it was; from a file too, with a path of the file's directory; over IPv6.
: >"$work/copymgrd.log"
"$bin/copymgrd" --state-dir "$work/state" --ready-file "$work/ready" 2>>"$work/copymgrd.log" &
target_pid=$!
open_port
expect 200 -H "$right" "$at/v1/targets"
stop_target
: >"$work/copymgrd.log"
cat >"$work/array.toml" <<TOML
[array]
admin-port = "[::1]:0"
admin-token-file = "token"
[[target]]
name = "$iqn"
TOML
"$bin/copymgrd" --check-config "$work/array.toml" || fail "a right file is wrong"
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
  sed -i '1i [[portal]]\naddress = "127.0.0.1:0"' "$work/array.toml"
  "$bin/copymgrd" --config "$work/array.toml" --state-dir "$work/state6" 2>>"$work/copymgrd.log" &
  target_pid=$!
  open_port
  expect 200 -H "$right" "$at/v1/targets"
  expect 401 "$at/v1/targets"
  stop_target
fi
echo "the admin port: as told"
