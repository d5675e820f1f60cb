# For test scripts: an ephemeral copymgrd on a free loopback port. Sourced, not run.
set -euo pipefail

bin=${COPYMGR_BIN_DIR:?the folder of copymgrd and copymgr}
work=$(mktemp -d "${TMPDIR:-/tmp}/copymgr-test-XXXXXX")
iqn=iqn.2026-11.io.copymgr:test
target_pid=
trap 'stop_target; rm -rf "$work"' EXIT

# A size that no machine has is refused by the daemon, not by its sanitizer.
export ASAN_OPTIONS=allocator_may_return_null=1 TSAN_OPTIONS=allocator_may_return_null=1

fail() { printf 'FAILED: %s\n' "$*" >&2; [ -f "$work/copymgrd.log" ] && tail -5 "$work/copymgrd.log" >&2; exit 1; }
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }

# start_target OPTION...: sets $portal (ADDRESS:PORT) and $target_pid.
start_target() {
  rm -f "$work/ready"
  "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --state-dir "$work/state" \
    --ready-file "$work/ready" "$@" 2>>"$work/copymgrd.log" &
  target_pid=$!
  for _ in $(seq 800); do # the medium may be busy with what another test writes
    [ -s "$work/ready" ] && break
    kill -0 $target_pid 2>/dev/null || fail "copymgrd did not start"
    sleep 0.05
  done
  portal=$(head -1 "$work/ready")
  url=iscsi://$portal/$iqn
}

# stop_target [SIGNAL]: ends the target that start_target started; fails if it does not end cleanly.
stop_target() {
  [ -n "$target_pid" ] || return 0
  local pid=$target_pid status=0
  target_pid=
  kill "-${1:-TERM}" "$pid" 2>/dev/null || true
  wait "$pid" || status=$?
  [ "${1:-TERM}" = KILL ] || [ $status -eq 0 ] || fail "copymgrd ended with status $status"
}
