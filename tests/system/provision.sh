#!/usr/bin/env bash
# A live array is changed by verbs and by files: at once, durably, all of it or nothing.
. "$(dirname "$0")/../support/target.sh"
export COPYMGR_SOCKET=$work/state/admin.socket

cm() { timeout 30 "$bin/copymgr" "$@"; }
has() { # TEXT COMMAND...
  cm "${@:2}" >"$work/out" 2>&1 || fail "$* : $(cat "$work/out")"
  grep -q -- "$1" "$work/out" || fail "no '$1' from ${*:2}: $(cat "$work/out")"
}
refused() { # TEXT COMMAND...
  cm "${@:2}" >"$work/out" 2>&1 && fail "accepted: ${*:2}"
  grep -q -- "$1" "$work/out" || fail "no '$1' from ${*:2}: $(cat "$work/out")"
}
accepted_at() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>"$work/err"; } # ADDRESS:PORT
# start [OPTION...]: a daemon that is told nothing else.
start() {
  rm -f "$work/ready"
  "$bin/copymgrd" --state-dir "$work/state" --ready-file "$work/ready" "$@" 2>>"$work/copymgrd.log" &
  target_pid=$!
  for _ in $(seq 200); do
    [ -s "$work/ready" ] && break
    kill -0 $target_pid 2>/dev/null || fail "copymgrd did not start"
    sleep 0.05
  done
  portal=$(head -1 "$work/ready")
}

cat >"$work/array.toml" <<END
[[portal]]
address = "127.0.0.1:0"
END
start --config "$work/array.toml"
refused "no target yet" lun create memory:1M
has "create target $iqn" target create $iqn --alias first
refused "is there already" target create $iqn
refused "not an iSCSI name" target create iqn.UPPER
cd "$work"
has "create LUN 0 of $iqn: file:$work/a.img, size=10M" lun create file:a.img --size 10M
cd /
[ "$(stat -c %s "$work/a.img")" -eq 10485760 ] || fail "no file of 10M"
has "create LUN 1" lun create memory:1M --blocksize 4096 maximum-tokens=7
has "create LUN 9" lun create $iqn/9 "file:$work/c.img" size=1M
refused "is there already" lun create $iqn/9 memory:1M
refused "is the backing of another" lun create "file:$work/a.img"
refused "not a size" lun create memory:1Q
refused "/nowhere/" lun create file:/nowhere/x.img --size 1M
has "10.*MiB" lun list
has '"lun":9' lun list --json
has "serial" lun show 9
has "change maximum-tokens of LUN 1" lun set 1 maximum-tokens=8
refused "blocksize of LUN 1" lun set 1 blocksize=512
has "Windows reads maximum-token-transfer-size only when it starts a disk" lun set 1 maximum-token-transfer-size=64M
cm lun set 1 maximum-tokens=9 2>&1 | grep -q Windows && fail "a warning of what Windows does not read"
cm export | sed 's/"64M"/"32M"/' >"$work/smaller.toml"
has "Windows reads maximum-token-transfer-size" apply --dry-run "$work/smaller.toml"
has "change maximum-token-transfer-size of LUN 1" apply --dry-run "$work/smaller.toml"
has "Windows uses it: 16 tokens" doctor "iscsi://$portal/$iqn/1"  # for a GiB: 64M each, at once
has "delete LUN 9" lun delete $iqn/9
refused "no LUN 9" lun show 9
has "grow-lun" lun resize 0 16M --json
refused "shrink" lun resize 0 8M

# A clone is a point in time; a snapshot is read-only.
has "create LUN 2" lun clone 0 "$work/clone.img"
cmp "$work/a.img" "$work/clone.img" || fail "the clone differs"
refused "is there already" lun clone 0 "$work/clone.img"
has "readonly=on" lun snapshot 0 "$work/snap.img" --lun 30

# Who may do what.
has "change allow of" acl allow 'iqn.host:*'
has "change allow-from of" acl allow 127.0.0.0/8
refused "last of its list" acl deny 'iqn.host:*'
has "iqn.host:\*" acl list
has "change map of" map 'iqn.host:*' 0:1 5:0
refused "names logical unit 77" map 'iqn.host:*' 0:77
printf 'secret-of-twelve\n' | cm chap set win1 >"$work/out" || fail "chap set"
[ "$(stat -c %a "$work"/state/secrets/*)" = 600 ] || fail "the secret can be read"
grep -rq "secret-of-twelve" "$work/state/array.toml" && fail "the secret is in the document"
has "win1" target show
printf 'another-of-twelve\n' | cm chap set win1 >"$work/out" || fail "chap set again"
[ "$(ls "$work/state/secrets" | wc -l)" -eq 1 ] || fail "an old secret stays"
echo short >"$work/short"
refused "at least 12 are needed" chap set win2 --secret-file "$work/short"
has "change chap of" chap clear win1
has "change map of" unmap 'iqn.host:*' --everybody
has "listen on 127.0.0.2:0" portal add 127.0.0.2:0
second=$(cm portal list | awk '/127.0.0.2/ { print $1 }')
has "stop listening" portal remove "$second"
refused "last portal" portal remove "$portal"
# Several with the same words: each goes by where it listens.
has "listen on 127.0.0.1:0" portal add 127.0.0.1:0
has "listen on 127.0.0.1:0" portal add 127.0.0.1:0
mapfile -t ports < <(cm portal list | awk '/^127.0.0.1/ { print $1 }')
[ ${#ports[@]} -eq 3 ] || fail "not three portals: ${ports[*]}"
refused "127.0.0.1:0 is what several portals were given; name one: ${ports[0]}, ${ports[1]}, ${ports[2]}" portal remove 127.0.0.1:0
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "more than one line: $(cat "$work/out")"
has "stop listening on ${ports[1]}" portal remove "${ports[1]}"
[ "$(cm portal list | awk '/^127.0.0.1/ { print $1 }' | xargs)" = "${ports[0]} ${ports[2]}" ] || fail "others have gone: $(cm portal list)"
for at in 0 2; do accepted_at "${ports[$at]}" || fail "nobody listens on ${ports[$at]}"; done
accepted_at "${ports[1]}" && fail "somebody listens on ${ports[1]}"
refused "there is no portal ${ports[1]}" portal remove "${ports[1]}"
has "stop listening on ${ports[2]}" portal remove "${ports[2]}"
accepted_at "$portal" || fail "the first portal has gone"
has "REGISTERED" reservation list
cm reservation clear 0 || fail "reservation clear"
has "change offline of" target offline --grace 0
has "change offline of" target online

# As a file: the same again changes nothing, whoever writes it.
cm export >"$work/export.toml" || fail "export"
has "nothing changes" apply "$work/export.toml"
has "nothing changes" diff "$work/export.toml"
"$bin/copymgrd" --check-config "$work/export.toml" || fail "check-config of an export"
revision=$(cm export --json | sed 's/.*"revision":\([0-9]*\).*/\1/')
refused "has changed meanwhile" apply "$work/export.toml" --revision $((revision - 1))

# One fault among fifty: nothing changes, and its line is told.
cp "$work/export.toml" "$work/fifty.toml"
for i in $(seq 100 149); do
  printf '\n[[target.lun]]\nnumber = %d\nbacking = "file:%s/n%d.img"\nsize = "1M"\n' $i "$work" $i >>"$work/fifty.toml"
done
has "create LUN 149" diff "$work/fifty.toml"
[ ! -e "$work/n100.img" ] || fail "diff made a file"
sed "s|$work/n130.img|/nowhere/n130.img|" "$work/fifty.toml" >"$work/fault.toml"
line=$(grep -n '/nowhere/' "$work/fault.toml" | cut -d: -f1)
refused "fault.toml:$((line - 2)): .*nowhere" apply "$work/fault.toml"
[ ! -e "$work/n100.img" ] || fail "a file of what was not applied"
has "nothing changes" diff "$work/export.toml"
sed '0,/size = "1M"/s//size = "1Q"/' "$work/fifty.toml" >"$work/fault.toml"
line=$(grep -n '"1Q"' "$work/fault.toml" | cut -d: -f1)
refused "fault.toml:$line: .*1Q" apply "$work/fault.toml"
"$bin/copymgrd" --check-config "$work/fault.toml" 2>"$work/out" && fail "check-config of a fault"
grep -q "fault.toml:$line: .*1Q" "$work/out" || fail "no line: $(cat "$work/out")"
has "create LUN 149" apply "$work/fifty.toml"
has "nothing changes" apply "$work/fifty.toml"
has "delete LUN 149" apply "$work/export.toml"

# What verbs made survives a restart with the same file; a file that has changed since counts more.
stop_target KILL
start --config "$work/array.toml"
has "nothing changes" diff "$work/export.toml"
stop_target
start
has "nothing changes" diff "$work/export.toml"
stop_target
printf '[[portal]]\naddress = "127.0.0.1:0"\n[[target]]\nname = "iqn.2026-11.io.copymgr:other"\n' >"$work/array.toml"
start --config "$work/array.toml"
has "iqn.2026-11.io.copymgr:other" target list
printf '[[target.lun]]\nnumber = 4\nbacking = "memory:2M"\n' >>"$work/array.toml"
kill -HUP $target_pid
for _ in $(seq 100); do
  cm lun list --json | grep -q '"lun":4' && break
  sleep 0.05
done
has '"lun":4' lun list --json
stop_target
echo "changed, kept, refused: as told"
