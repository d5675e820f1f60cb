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
[ "$(stat -c %a "$work/state/group.json")" = 600 ] || fail "group.json can be read by others"
for answer in "$(verb group list --json)" "$(verb stats --json)" "$(cat "$work/copymgrd.log")" "$(tr '\0' ' ' </proc/$target_pid/cmdline)"; do
  case $answer in *"correct horse"*) fail "the secret is shown" ;; esac
done

designator=$(verb group list --json | jq -r .designator)
stop_target KILL
start_target --lun 0=memory:1M
[ "$(verb group list --json | jq -c '[.group, .designator, .members[0].name]')" = "[\"west\",\"$designator\",\"c\"]" ] || fail "the group is not kept"
stop_target
printf 'no group' >"$work/state/group.json"
refused "does not hold a copy manager group" 1 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --state-dir "$work/state" --log-level error
start_target --lun 0=memory:1M --group east --group-secret-file "$secret" --group-member "$designator=127.0.0.1:2"
[ "$(verb group list --json | jq -c '[.group, .members[0].designator]')" = "[\"east\",\"$designator\"]" ] || fail "options do not count"
verb group leave >/dev/null
[ ! -e "$work/state/group.json" ] || fail "group.json is left behind"
stop_target
