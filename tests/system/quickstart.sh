#!/usr/bin/env bash
# The commands of docs/quickstart.md, as they stand there, but for the port, which may be taken here.
. "$(dirname "$0")/../support/target.sh"
page=$(dirname "$0")/../../docs/quickstart.md
export HOME=$work PATH=$bin:$PATH
port=$((20000 + RANDOM % 10000))
mkdir "$work/copymgr"

sed -n '/^```sh$/,/^```$/p' "$page" | sed '1d;$d' >"$work/commands"
[ "$(wc -l <"$work/commands")" -le 8 ] || fail "more than eight commands"
# A daemon that is told nothing listens on port 3260; here it is told by its settings alone.
printf '[[portal]]\naddress = "127.0.0.1:%s"\n' "$port" >"$work/portal.toml"
sed -i "s|:3260|:$port|; s|^copymgrd --state-dir \(.*\) &$|copymgrd --config $work/portal.toml --ready-file $work/ready --state-dir \1 \&|" "$work/commands"
{
  echo 'set -e'
  while IFS= read -r command; do
    printf '%s\n' "$command"
    case $command in copymgrd*) echo "echo \$! >$work/pid; until [ -s $work/ready ]; do sleep 0.05; done" ;; esac
  done <"$work/commands"
} >"$work/script"
status=0
timeout 120 bash "$work/script" >"$work/out" 2>"$work/copymgrd.log" || status=$?
[ -s "$work/pid" ] && { trap 'kill "$(cat "$work/pid")" 2>/dev/null; rm -rf "$work"' EXIT; }
[ $status -eq 0 ] || fail "status $status: $(cat "$work/out")"
export COPYMGR_SOCKET=$work/copymgr/state/admin.socket
copymgr stats --json >"$work/stats" || fail "no daemon"
grep -q '"write_using_token":[1-9]' "$work/stats" || fail "no offloaded copy: $(cat "$work/stats")"
copymgr copy "iscsi://127.0.0.1:$port/iqn.2026-11.io.copymgr:demo/0" "iscsi://127.0.0.1:$port/iqn.2026-11.io.copymgr:demo/1" \
  2>/dev/null && fail "no password, and in"
echo "the page is true"
