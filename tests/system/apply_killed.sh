#!/usr/bin/env bash
# kill -9 in the middle of applies: after a restart the array is the old one or the new one, never a mixture.
. "$(dirname "$0")/../support/target.sh"
export COPYMGR_SOCKET=$work/state/admin.socket
cm() { timeout 30 "$bin/copymgr" "$@"; }

# write NAME LUNS SIZE: a file with that many LUNs.
write() {
  printf '[[portal]]\naddress = "127.0.0.1:0"\n[[target]]\nname = "%s"\nalias = "%s"\n' $iqn "$1" >"$work/$1.toml"
  for i in $(seq 0 "$2"); do
    printf '[[target.lun]]\nnumber = %d\nbacking = "file:%s/%s%d.img"\nsize = "1M"\n' $((i + $3)) "$work" "$1" "$i" >>"$work/$1.toml"
  done
}
write old 4 0
write new 7 10
printf '[[portal]]\naddress = "127.0.0.1:0"\n' >"$work/start.toml"
start() {
  rm -f "$work/ready"
  "$bin/copymgrd" --config "$work/start.toml" --state-dir "$work/state" --ready-file "$work/ready" \
    --log-level error 2>>"$work/copymgrd.log" &
  target_pid=$!
  for _ in $(seq 200); do
    [ -s "$work/ready" ] && return
    kill -0 $target_pid 2>/dev/null || fail "copymgrd did not start"
    sleep 0.05
  done
}

start
cm apply "$work/old.toml" >/dev/null || fail "apply"
old=0 new=0
for round in $(seq "${ROUNDS:-100}"); do
  [ $((round % 2)) -eq 0 ] && next=old || next=new
  cm apply "$work/$next.toml" >/dev/null 2>&1 &
  asking=$!
  sleep "0.$(printf %03d $((round * 37 % 400)))"
  stop_target KILL 2>/dev/null
  wait $asking || true
  start
  if cm diff "$work/old.toml" | grep -q "nothing changes"; then
    old=$((old + 1))
  elif cm diff "$work/new.toml" | grep -q "nothing changes"; then
    new=$((new + 1))
  else
    fail "neither: $(cm export)"
  fi
done
stop_target
echo "$old times the old array, $new times the new one"
