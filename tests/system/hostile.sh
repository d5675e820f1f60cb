#!/usr/bin/env bash
# A live daemon under hostile input; tests/hostile/case.hpp tells how to add a case.
. "$(dirname "$0")/../support/target.sh"
battery=$bin/test_hostile
[ -x "$battery" ] || fail "$battery is not built"

iqn=iqn.2026-11.io.copymgr:canary
start_target --lun 0=memory:64M --target iqn.2026-11.io.copymgr:victim --lun 0=memory:64M \
  --target iqn.2026-11.io.copymgr:reset-victim --lun 0=memory:16M \
  --max-sessions 200 --max-connections-per-session 2 --login-timeout 4 --nop-interval 2 --nop-timeout 4
COPYMGR_PORTAL=$portal COPYMGR_PID=$target_pid "$battery" || fail "see above"
stop_target
