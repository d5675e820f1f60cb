#!/usr/bin/env bash
# Looking at the tokens and the copy operations of a running daemon, and ending them, from the command line.
. "$(dirname "$0")/../support/target.sh"
command -v jq >/dev/null || skip "needs jq"
admin=$work/state/admin.socket
export COPYMGR_SOCKET=$admin
cm() { timeout 30 "$bin/copymgr" "$@"; }
# json EXPRESSION VERB...: what jq makes of the verb's JSON.
json() { cm "${@:2}" --json >"$work/json" || fail "no: ${*:2}"; jq -er "$1" "$work/json" || fail "no $1: ${*:2}: $(cat "$work/json")"; }
is() { local got; got=$(json "$2" "${@:3}"); [ "$got" = "$1" ] || fail "$2 is $got, not $1: ${*:3}"; }

head -c 16M /dev/urandom >"$work/a.img"
for _ in $(seq 16); do cat "$work/a.img"; done >"$work/c.img"
start_target --lun "0=file:$work/a.img" --lun "1=file:$work/b.img,size=16M" --lun "2=file:$work/c.img" \
  --lun 3=memory:256M
is 0 '.tokens|length' token list
is 0 '.copy_operations|length' copy-operation list
is 0 .copies.bytes_requested stats

# One copy: a token, and where its bytes went.
cm copy "$url/0" "$url/1" --verify >"$work/out" || fail "no copy: $(cat "$work/out")"
is 1 .total token list
is 0 '.tokens[0].lun' token list --lun 0
is 0 .total token list --lun 1
hash=$(json '.tokens[0].hash' token list)
[ ${#hash} -eq 12 ] || fail "no hash: $hash"
is 16777216 .bytes token show "$hash"
is live .state token show "${hash:0:6}"
is "$hash" .hash token show "$(json .identifier token show "$hash")"
is iqn.2026-11.io.copymgr:host .initiator token show "$hash"
is 16777216 '.copies|.bytes_requested' stats
is true '.copies|.bytes_cloned+.bytes_copied_in_kernel+.bytes_copied+.bytes_zeroed==.bytes_requested' stats
is true '.copies|([.bytes_not_cloned_because[]]|add)==.bytes_copied_in_kernel+.bytes_copied' stats
is true '.tokens|.created+.restored==.live+.expired+.cancelled+.revoked+.deleted+.evicted' stats
# Of each copy the same, and together they are the sums; told when it ended, as its record went with the session.
cm stats --json >"$work/stats"
cm events --json >"$work/events"
sums=.bytes_cloned+.bytes_copied_in_kernel+.bytes_copied+.bytes_zeroed
jq -es "map(select(.event == \"copy.ended\" and .command == \"WRITE USING TOKEN\")) | length > 0 and all($sums == .bytes_asked) and
  (map($sums) | add) == $(jq ".copies|$sums" "$work/stats") and
  all((.not_cloned_because == \"\") == (.bytes_copied_in_kernel + .bytes_copied == 0))" "$work/events" >/dev/null || fail "not so: $(cat "$work/events")"
cm token list >"$work/out" && grep -q "$hash  live" "$work/out" || fail "no table: $(cat "$work/out")"
cm token show "$hash" >"$work/out" && grep -q "16 MiB" "$work/out" || fail "no table: $(cat "$work/out")"
cm copy-operation list >"$work/out" && grep -q NUMBER "$work/out" || fail "no table: $(cat "$work/out")"
cm stats >"$work/out" && grep -q "bytes requested .*16 MiB" "$work/out" || fail "no table: $(cat "$work/out")"

# Ended by hand: once, with one line in the log.
cm token revoke "$hash" || fail "not revoked"
is 0 .total token list
is revoked '.tokens[0].state' token list --dead
is 1 .tokens.revoked stats
[ "$(grep -c "token $hash .*revoked by the administrator" "$work/copymgrd.log")" -eq 1 ] || fail "the log does not tell it once"
for verb in expire delete; do
  cm copy "$url/0" "$url/1" >/dev/null || fail "no copy"
  hash=$(json '.tokens[0].hash' token list)
  is "${verb/expire/expired}" '.state|sub("deleted";"delete")' token $verb "$hash"
  [ "$(grep -c "token $hash .* by the administrator" "$work/copymgrd.log")" -eq 1 ] || fail "the log does not tell $verb once"
done

# A copy that runs is seen and aborted: one of many, as each takes a moment only.
touch "$work/go on"
(while [ -e "$work/go on" ]; do timeout 60 "$bin/copymgr" copy "$url/2" "$url/3" || true; done) >"$work/copy.out" 2>&1 &
copies=$!
aborted=
for _ in $(seq 1000); do
  number=$(cm copy-operation list --running --lun 3 --json | jq -r '.copy_operations[0].number // empty')
  [ -n "$number" ] || continue
  if cm copy-operation abort "$number" --json >"$work/abort" 2>/dev/null; then aborted=$number && break; fi
done
# And how its bytes move: one that has moved some, looked at while its session is there.
shown=
for _ in $(seq 1000); do
  number=$(cm copy-operation list --lun 3 --json | jq -r "[.copy_operations[]|select(.moved|$sums>0)][0].number // empty")
  [ -n "$number" ] && cm copy-operation show "$number" >"$work/shown" 2>/dev/null || continue
  cm copy-operation show "$number" --json >"$work/shown.json" 2>/dev/null && shown=$number && break
done
rm "$work/go on"
wait $copies
[ -n "$shown" ] || fail "no copy was caught that had moved something"
jq -e ".bytes_asked as \$asked|.moved|($sums)>0 and $sums<=\$asked and ([.bytes_not_cloned_because[]]|add)==.bytes_copied_in_kernel+.bytes_copied" \
  "$work/shown.json" >/dev/null || fail "not so: $(cat "$work/shown.json")"
[ "$(grep -cE '^  (shared \(reflink\)|copied in the kernel|copied by hand|zeroed) ' "$work/shown")" -eq 4 ] || fail "the table does not tell how: $(cat "$work/shown")"
grep -q "^  not shared: a store is no file  *[1-9]" "$work/shown" || fail "the table does not tell why: $(cat "$work/shown")"
[ -n "$aborted" ] || fail "no copy was caught while it ran: $(tail -3 "$work/copy.out")"
[ "$(jq .stopped "$work/abort")" = true ] || fail "not stopped: $(cat "$work/abort")"
grep -q "copy operation $aborted (WRITE USING TOKEN by .*aborted by the administrator" "$work/copymgrd.log" || fail "the log does not tell of the abort"

# Any 512 bytes are explained, without a daemon too.
printf '\xff\xff\x00\x01\x00\x00\x01\xf8' >"$work/zero"
head -c 504 /dev/zero >>"$work/zero"
head -c 512 /dev/urandom >"$work/random"
is "block device zero" .rod_type token decode "$work/zero"
is true .zero_token token decode "$work/zero"
[ "$(xxd -p "$work/zero" | cm token decode --json | jq .zero_token)" = true ] || fail "no hexadecimal text"
[ "$(cm token decode - --json <"$work/random" | jq '.flaws|length>0')" = true ] || fail "random bytes without a flaw"
is live .daemon.state token decode "$work/zero" --socket "$admin"
cm token decode "$work/random" --json --socket "$admin" | jq -e '.daemon.sense|startswith("05/23/")' >/dev/null || fail "random bytes are no token"
cm token decode "$work/random" >"$work/out" && grep -q "not as it should be" "$work/out" || fail "no table"

# wrong STATUS VERB...: one line, this exit status.
wrong() {
  local status=$1 got=0
  shift
  cm "$@" >/dev/null 2>"$work/why" </dev/null || got=$?
  [ $got -eq "$status" ] || fail "status $got, not $status: $*: $(cat "$work/why")"
  [ "$(wc -l <"$work/why")" -eq 1 ] || fail "not one line: $*: $(cat "$work/why")"
}
wrong 1 token show 000000000000
wrong 1 token revoke 0x1
wrong 1 token revoke "$hash" # dead already
wrong 1 token show abc
wrong 2 token show 'a b'
wrong 2 token show
wrong 2 token destroy 1
wrong 2 token list --limit x
wrong 1 token list --sort colour
wrong 1 token decode "$work/none"
wrong 1 token decode
wrong 1 token decode "$work/a.img"
wrong 1 copy-operation show 999999
wrong 1 copy-operation abort 999999
wrong 2 copy-operation abort x
wrong 2 copy-operation
wrong 2 stats --colour
wrong 1 stats --socket "$work/none"
for verb in "token list" "token show" "token decode" "token expire" "token revoke" "token delete" "copy-operation list" \
  "copy-operation show" "copy-operation abort" stats; do
  # shellcheck disable=SC2086  # two words
  cm $verb --help >"$work/out" || fail "no help: $verb"
  grep -q "^examples:" "$work/out" && grep -q "^  .*copymgr $verb" "$work/out" || fail "no examples: $verb"
done
stop_target
echo "inspection: as told"
