#!/usr/bin/env bash
# DSCP and socket priority of a portal are on the connections that it accepts, as the kernel tells them.
. "$(dirname "$0")/../support/target.sh"
command -v ss >/dev/null || skip "iproute2 is not installed"

start_target --portal 127.0.0.1:0,dscp=26,priority=4 --portal '[::1]:0,dscp=10,priority=5' --lun 0=memory:1M
readarray -t portals <"$work/ready"
# marks PORTAL: what ss tells of the target's end of a connection that is open now.
marks() {
  local host=${1%:*} port=${1##*:} fd
  host=${host#[}
  exec {fd}<>"/dev/tcp/${host%]}/$port"
  ss -Htn --tos state established "sport = :$port"
  exec {fd}>&-
}
plain=$(marks "${portals[0]}") v4=$(marks "${portals[1]}") v6=$(marks "${portals[2]}")
[[ $plain == *tos:0\ * || $plain != *tos:0x* ]] || fail "marked without being told: $plain"
[[ $v4 == *tos:0x68* && $v4 == *class_id:0x4* ]] || fail "not DSCP 26 and priority 4: $v4"
[[ $v6 == *tclass:0x28* && $v6 == *class_id:0x5* ]] || fail "not DSCP 10 and priority 5: $v6"
stop_target
