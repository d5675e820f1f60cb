#!/usr/bin/env bash
# copymgr group and --group: what they do, refuse and show, and that the secret is nowhere to be seen.
. "$(dirname "$0")/../support/target.sh"
command -v jq >/dev/null || skip "no jq"

socket=$work/state/admin.socket
secret=$work/secret
printf 'correct horse battery staple\nnot this line\n' >"$secret"
verb() { "$bin/copymgr" "$@" --socket "$socket"; }
# refused PATTERN STATUS COMMAND...: one line on stderr that has it.
refused() {
  local pattern=$1 wanted=$2 status=0
  shift 2
  "$@" >/dev/null 2>"$work/stderr" || status=$?
  [ $status -eq "$wanted" ] || fail "$*: status $status"
  [ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "$*: not one line"
  grep -q -- "$pattern" "$work/stderr" || fail "$*: $(cat "$work/stderr")"
}
daemon_refuses() {
  refused "$1" 2 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M "${@:2}"
}

printf 'short\n' >"$work/short"
: >"$work/empty"
daemon_refuses "needs --group-secret-file" --group west
daemon_refuses "need --group" --group-secret-file "$secret"
daemon_refuses "need --group" --group-member b=127.0.0.1:3260
daemon_refuses "at least 16 bytes" --group west --group-secret-file "$work/short"
daemon_refuses "cannot read the secret" --group west --group-secret-file "$work/empty"
daemon_refuses "cannot read the secret" --group west --group-secret-file "$work/none"
daemon_refuses "no name for a group" --group "a b" --group-secret-file "$secret"
daemon_refuses "is not a member" --group west --group-secret-file "$secret" --group-member b
daemon_refuses "given twice" --group west --group-secret-file "$secret" --group-member b=127.0.0.1:1 --group-member b=127.0.0.1:2

start_target --lun 0=memory:1M
[ "$(verb group list --json | jq -r .group)" = "" ] || fail "in a group from the start"
[ "$("$bin/copymgr" info "$url/0" --json | jq .odx.cross_array)" = false ] || fail "cross-array without a group"
refused "in no group" 1 verb group leave
refused "no --secret-file" 2 verb group create west
refused "at least 16 bytes" 1 verb group create west --secret-file "$work/short"
refused "not a portal" 1 verb group join west --secret-file "$secret" --member b=nowhere
refused "is not a member" 1 verb group join west --secret-file "$secret" --member b
verb group create west --secret-file "$secret" >/dev/null
refused "leave first" 1 verb group create west --secret-file "$secret"
refused "leave first" 1 verb group join east --secret-file "$secret"
refused "another secret" 1 verb group join west --secret-file <(echo "something else altogether")
verb group join west --member c=127.0.0.1:1 --member d=127.0.0.1:1 >/dev/null
refused "no member x" 1 verb group leave --member x
verb group leave --member d >/dev/null
[ "$(verb group list --json | jq -r '.members[].name')" = c ] || fail "members are wrong"
verb group list | grep -q "not asked yet" || fail "list does not tell the state"
! verb group probe >"$work/probe" || fail "a member that is not there answered"
grep -q unreachable "$work/probe" || fail "probe does not tell"
[ "$("$bin/copymgr" info "$url/0" --json --socket "$socket" | jq -c '[.odx.cross_array, .group.name, .group.members]')" = \
  '[true,"west",["c: unreachable"]]' ] || fail "info does not tell the group"

# Told to nobody, though it is there.
if command -v iscsi-ls >/dev/null; then
  iscsi-ls "iscsi://$portal" >"$work/targets" 2>&1 || fail "discovery failed"
  grep -q "$iqn" "$work/targets" || fail "discovery tells nothing"
  ! grep -q token-data "$work/targets" || fail "discovery tells the hidden target"
fi

# The daemon's own memory of it is for its user only; the secret is in no answer, no log, no command line.
kept=$(verb export | sed -n 's/^secret-file = "\(.*\)"$/\1/p')
[ "$(head -1 "$kept")" = "correct horse battery staple" ] || fail "the secret is not in the file that an export names"
[ "$(stat -c %a "$kept")" = 600 ] || fail "the secret can be read by others"
for answer in "$(verb group list --json)" "$(verb export)" "$(cat "$work/state/array.toml")" "$(verb stats --json)" \
  "$(cat "$work/copymgrd.log")" "$(tr '\0' ' ' </proc/$target_pid/cmdline)"; do
  case $answer in *"correct horse"*) fail "the secret is shown" ;; esac
done

designator=$(verb group list --json | jq -r .designator)
stop_target KILL
start_target --lun 0=memory:1M
[ "$(verb group list --json | jq -c '[.group, .designator, .members[0].name]')" = "[\"west\",\"$designator\",\"c\"]" ] || fail "the group is not kept"
stop_target
start_target --lun 0=memory:1M --group east --group-secret-file "$secret" --group-member "$designator=127.0.0.1:2"
[ "$(verb group list --json | jq -c '[.group, .members[0].designator]')" = "[\"east\",\"$designator\"]" ] || fail "options do not count"
verb group leave >/dev/null
[ -z "$(ls "$work/state/secrets" 2>/dev/null)" ] || fail "a secret of no group is left behind"
[ -e "$secret" ] || fail "the secret of a person is removed"
stop_target

# What a version before kept becomes part of the document.
printf 'no group' >"$work/state/group.json"
refused "does not hold a copy manager group" 1 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --state-dir "$work/state" --log-level error
printf '%s' '{"name":"old","secret":"correct horse battery staple","members":[{"name":"b","portals":["127.0.0.1:1"]}],
  "pulls_at_once":4,"bytes_per_second":0}' >"$work/state/group.json"
start_target --lun 0=memory:1M
[ "$(verb group list --json | jq -c '[.group, .members[0].name]')" = '["old","b"]' ] || fail "an old group is not taken over"
[ ! -e "$work/state/group.json" ] || fail "group.json is left behind"
stop_target KILL
start_target --lun 0=memory:1M
[ "$(verb group list --json | jq -r .group)" = old ] || fail "an old group is not kept"
stop_target

# In a file: faults with their lines, live changes, SIGHUP, a restart.
rm -rf "$work/state"
file() { # NAME MEMBERS...
  printf '[[portal]]\naddress = "127.0.0.1:0"\n[[target]]\nname = "%s"\n' $iqn
  [ $# -eq 0 ] || printf '[group]\nname = "%s"\nsecret-file = "secret"\n[group.members]\n' "$1"
  [ $# -le 1 ] || printf '%s\n' "${@:2}"
}
serve_file() {
  rm -f "$work/ready"
  "$bin/copymgrd" --state-dir "$work/state" --ready-file "$work/ready" --config "$work/array.toml" 2>>"$work/copymgrd.log" &
  target_pid=$!
  for _ in $(seq 800); do
    [ -s "$work/ready" ] && return
    sleep 0.05
  done
  fail "copymgrd did not start"
}
members() { verb group list --json | jq -c '[.group, (.members | map(.name))]'; }
is() { # WANTED: soon.
  for _ in $(seq 100); do
    [ "$(members)" = "$1" ] && return
    sleep 0.05
  done
  fail "not $1 but $(members)"
}
file west 'b = "nowhere"' >"$work/array.toml"
refused "array.toml:9: .*not a portal" 1 "$bin/copymgrd" --check-config "$work/array.toml"
sed 's/^name = "west"/colour = 1/' "$work/array.toml" >"$work/fault.toml"
! "$bin/copymgrd" --check-config "$work/fault.toml" 2>"$work/out" || fail "colour is allowed"
grep -q "fault.toml:6: there is no colour in \[group\]; allowed: name, pulls, bandwidth, secret-file, members" "$work/out" ||
  fail "$(cat "$work/out")"
file west 'b = "127.0.0.1:1"' >"$work/array.toml"
"$bin/copymgrd" --check-config "$work/array.toml" || fail "check-config of a group"
serve_file
is '["west",["b"]]'
verb export >"$work/export.toml"
verb diff "$work/export.toml" | grep -q "nothing changes" || fail "an export differs"
file west 'b = "127.0.0.1:1"' 'c = ["127.0.0.1:2", "127.0.0.2:2"]' >"$work/next.toml"
verb diff "$work/next.toml" | grep -q "change member of the copy manager group west" || fail "diff does not tell"
is '["west",["b"]]'
verb apply "$work/next.toml" >/dev/null
is '["west",["b","c"]]'
sed 's/127.0.0.2:2/nowhere/' "$work/next.toml" >"$work/fault.toml"
! verb apply "$work/fault.toml" 2>"$work/out" || fail "a fault is applied"
grep -q "fault.toml:10: .*not a portal" "$work/out" || fail "no line: $(cat "$work/out")"
is '["west",["b","c"]]'
verb group join west --member d=127.0.0.1:4 >/dev/null
stop_target KILL
serve_file
is '["west",["b","c","d"]]'
file east 'e = "127.0.0.1:5"' >"$work/array.toml"
kill -HUP $target_pid
is '["east",["e"]]'
printf 'another secret of the group\n' >"$secret"
before=$(grep -c "in the copy manager group east" "$work/copymgrd.log")
kill -HUP $target_pid
for _ in $(seq 100); do
  [ "$(grep -c "in the copy manager group east" "$work/copymgrd.log")" -gt "$before" ] && break
  sleep 0.05
done
[ "$(grep -c "in the copy manager group east" "$work/copymgrd.log")" -gt "$before" ] || fail "a new secret is not read at SIGHUP"
file >"$work/array.toml"
verb diff "$work/array.toml" | grep -q "leave the copy manager group east" || fail "diff does not tell"
kill -HUP $target_pid
is '["",[]]'
stop_target
