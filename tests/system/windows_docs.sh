#!/usr/bin/env bash
# The target's own commands of docs/windows.md and docs/linux.md, as they stand there but for address, port and place.
. "$(dirname "$0")/../support/target.sh"
command -v iscsi-ls >/dev/null || skip "needs libiscsi-bin"
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd)
export PATH=$bin:$PATH HOME=$work/home
mkdir -p "$HOME/copymgr/state"
# commands PAGE: what stands in its blocks of shell, one command a line.
commands() { awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$docs/$1" | sed -e ':a' -e '/\\$/N; s/\\\n *//; ta'; }

commands windows.md | sed -n 1p | sed 's/192.0.2.1:3260/127.0.0.1:0/; s/=64G/=64M/g' >"$work/daemon"
grep -q '^copymgrd ' "$work/daemon" || fail "the first command of windows.md starts no daemon"
sed -i "s|\$| --ready-file $work/ready|; s|^|exec |" "$work/daemon"
bash "$work/daemon" 2>"$work/copymgrd.log" &
target_pid=$!
for _ in $(seq 100); do [ -s "$work/ready" ] && break; sleep 0.05; done
portal=$(head -1 "$work/ready")
export COPYMGR_SOCKET=$HOME/copymgr/state/admin.socket
{ commands windows.md | sed 1d; commands linux.md; } | sed "s/192.0.2.1:3260/$portal/g; s/127.0.0.1:3260/$portal/g" >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 9 ] || fail "where have the commands gone: $(cat "$work/commands")"
while read -r line; do
  timeout 60 bash -c "$line" >"$work/out" 2>&1 </dev/null || fail "$line: $(tail -3 "$work/out")"
done <"$work/commands"
stop_target
