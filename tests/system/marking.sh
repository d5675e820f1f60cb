#!/usr/bin/env bash
# DSCP and socket priority of a portal are on the connections that it accepts, as the kernel tells them.
. "$(dirname "$0")/../support/target.sh"
command -v ss >/dev/null || skip "iproute2 is not installed"

start_target --portal 127.0.0.1:0,dscp=26,priority=4 --portal '[::1]:0,dscp=10,priority=5' --lun 0=memory:1M
readarray -t portals <"$work/ready"
# has_marks PORTAL PATTERN: of the target's end of an open connection, once the target has accepted it.
has_marks() {
  local host=${1%:*} port=${1##*:} fd marks
  host=${host#[}
  exec {fd}<>"/dev/tcp/${host%]}/$port"
  for _ in $(seq 100); do
    marks=$(ss -Htn --tos state established "sport = :$port")
    [[ $marks == $2 ]] && break
    sleep 0.05
  done
  exec {fd}>&-
  [[ $marks == $2 ]] || fail "$1: not $2: $marks"
}
has_marks "${portals[0]}" '*tos:0 *class_id:0*'
has_marks "${portals[1]}" '*tos:0x68 *class_id:0x4*'
has_marks "${portals[2]}" '*tclass:0x28 *class_id:0x5*'
stop_target
