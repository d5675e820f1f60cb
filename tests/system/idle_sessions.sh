#!/usr/bin/env bash
# A thousand sessions, logged in and idle: what they cost, and that nothing of them stays.
. "$(dirname "$0")/../support/target.sh"
battery=$bin/test_hostile
[ -x "$battery" ] || fail "$battery is not built"

start_target --lun 0=memory:1M --target iqn.2026-11.io.copymgr:victim --lun 0=memory:1M --lun 1=memory:1M
COPYMGR_PORTAL=$portal COPYMGR_PID=$target_pid "$battery" "[.idle]" || fail "see above"
stop_target
