#!/usr/bin/env bash
# tools/copymgr-run: what a command finds, how statuses come through, and that nothing is left.
. "$(dirname "$0")/../support/target.sh"
PATH=$bin:$PATH
mkdir "$work/tmp"
export TMPDIR=$work/tmp
run() { timeout 60 "$(dirname "${BASH_SOURCE[0]}")/../../tools/copymgr-run" "$@"; }
left() { [ -z "$(ls "$work/tmp")" ] || fail "left: $(ls "$work/tmp")"; }
status_of() { local status=0; run "$@" >"$work/out" 2>"$work/err" || status=$?; echo $status; }

# shellcheck disable=SC2016  # for the command's own shell
run -- sh -c 'copymgr copy "$COPYMGR_URL/0" "$COPYMGR_URL/1" --verify && copymgr session list --json' >"$work/out" ||
  fail "no copy: $(cat "$work/out")"
left
# shellcheck disable=SC2016
run --target iqn.2026-11.io.copymgr:mine --lun 5=memory:1M -- sh -c 'echo "$COPYMGR_TARGET" && copymgr info "$COPYMGR_URL/5"' >"$work/out" ||
  fail "no target of that name: $(cat "$work/out")"
[ "$(head -1 "$work/out")" = iqn.2026-11.io.copymgr:mine ] || fail "another target: $(cat "$work/out")"
left
[ "$(status_of -- sh -c 'exit 7')" -eq 7 ] || fail "the command's status is lost"
left
[ "$(status_of --lun 0=tape:1M -- true)" -eq 2 ] || fail "a wrong option passes"
grep -q tape "$work/err" || fail "no reason: $(cat "$work/err")"
left
[ "$(status_of --lun 0=memory:1M)" -eq 2 ] || fail "no command passes"
# shellcheck disable=SC2016
COPYMGR_LOG=$work/log run -- true || fail "no log"
[ -f "$work/log" ] || fail "the log is nowhere"
# A target that ends is told, also by the status.
# shellcheck disable=SC2016
[ "$(status_of -- sh -c 'kill -9 $(pgrep -P $PPID copymgrd); sleep 1')" -eq 1 ] || fail "a dead target passes"
grep -q "the target ended" "$work/err" || fail "not told: $(cat "$work/err")"
left
