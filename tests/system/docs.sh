#!/usr/bin/env bash
# The target's own commands of docs/windows.md, linux.md, odx.md and operating.md, as they stand there in blocks of
# shell, but for addresses, ports, sizes and places. What no test here can run stands in them as indented text.
. "$(dirname "$0")/../support/target.sh"
for tool in iscsi-ls curl openssl jq; do command -v $tool >/dev/null || skip "needs $tool"; done
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd)
export PATH=$bin:$PATH HOME=$work/home
export COPYMGR_SOCKET=$HOME/copymgr/state/admin.socket
mkdir -p "$HOME/copymgr/state"
admin_port=$((20000 + RANDOM % 5000)) web_port=$((25000 + RANDOM % 5000))
portal=127.0.0.1:0

# block LANGUAGE PAGE: what stands in its blocks of that.
block() { awk -v open="\`\`\`$1" '$0 == open {inside = 1; next} /^```$/ {inside = 0} inside' "$docs/$2"; }
# here: as it can be here.
here() {
  sed "s/192.0.2.1:3260/$portal/g; s/192.0.2.2:3260/127.0.0.1:1/g; s/127.0.0.1:3260/$portal/g; s/=\(64\|1\)G/=64M/g
    s|/var/lib/copymgr|$HOME/copymgr/state|g; s|/etc/copymgr|$HOME/copymgr|g; s|/srv/|$HOME/copymgr/|g
    s/\<8260\>/$admin_port/g; s/\<8080\>/$web_port/g"
}
# start LINE: the daemon of this command, in place of the one before.
start() {
  stop_target
  rm -f "$work/ready"
  bash -c "exec ${1%%#*} --ready-file $work/ready" 2>>"$work/copymgrd.log" &
  target_pid=$!
  for _ in $(seq 100); do [ -s "$work/ready" ] && break; sleep 0.05; done
  [ -s "$work/ready" ] || fail "no daemon: $1"
}
# page PAGE LEAST: runs its commands, one a line; they are so many at the least.
page() {
  local line count=0
  while read -r -u 3 line; do
    portal=127.0.0.1:0
    case $line in
      'copymgrd --check-config '*) ;;
      copymgrd\ *) start "$(here <<<"$line")"; count=$((count + 1)); continue ;;
    esac
    portal=$(head -1 "$work/ready")
    line=$(here <<<"$line")
    timeout 60 bash -c "$line" >"$work/out" 2>&1 </dev/null || fail "$1: $line: $(tail -3 "$work/out")"
    count=$((count + 1))
  done 3< <(block sh "$1" | sed -e ':a' -e '/\\$/N; s/\\\n *//; ta')
  [ $count -ge "$2" ] || fail "$1 has $count commands: where have they gone"
}

page windows.md 5
page linux.md 5
page odx.md 9

# The file of operating.md, and the secrets that it names.
portal=127.0.0.1:0
block toml operating.md | here >"$HOME/copymgr/array.toml"
grep -q '^\[\[target\]\]$' "$HOME/copymgr/array.toml" || fail "operating.md has no file"
sed -n 's/^secret-file = "\(.*\)"$/\1/p' "$HOME/copymgr/array.toml" | while read -r file; do
  (umask 077; openssl rand -hex 8 >"$file")
done
page operating.md 10

# Its synopsis: `copymgr A B|C|D WORDS, E F|G   about them`, every one of which has help.
verbs=0
while read -r verb; do
  # shellcheck disable=SC2086  # two words
  copymgr $verb --help >"$work/out" || fail "operating.md: there is no copymgr $verb"
  verbs=$((verbs + 1))
done < <(sed -n '/^## The verbs$/,/^## /p' "$docs/operating.md" | sed -n 's/^    copymgr //p' | sed 's/   .*//; s/, /\n/g' | awk '
  { split($1, first, "|"); n = split($2, second, "|")
    for (f in first) if (n && $2 !~ /[A-Z]/) for (i = 1; i <= n; ++i) print first[f], second[i]; else print first[f] }')
[ $verbs -ge 25 ] || fail "operating.md has a synopsis of $verbs verbs"
stop_target
