#!/usr/bin/env bash
# Thick and bounded LUNs from the command line, and what `copymgr lun provisioning` tells and changes.
. "$(dirname "$0")/../support/target.sh"
admin=$work/state/admin.socket
lun() { "$bin/copymgr" lun provisioning "$@" --socket "$admin"; }
field() { lun $iqn "$1" | grep -o "\"$2\":[^,}]*" | cut -d: -f2- | tr -d '"'; }
is() { [ "$(field "$1" "$2")" = "$3" ] || fail "LUN $1: $2 is $(field "$1" "$2"), not $3"; }

start_target --lun "0=file:$work/thick.img,size=16M,thin=off" --lun "1=file:$work/b.img,size=64M,provisioned=8M,threshold=70" \
  --lun 2=memory:1M --lun 3=memory:8M,exhausted=wait
[ "$(stat -c %b "$work/thick.img")" -ge $((16 << 11)) ] || fail "the room of a thick file is not reserved"
[ "$(stat -c %b "$work/b.img")" -le 1024 ] || fail "a thin file takes room"
is 0 thin false
is 0 used_bytes $((16 << 20))
is 0 available_bytes 0
is 1 provisioned_bytes $((8 << 20))
is 1 used_bytes 0
is 1 exhausted fail
is 2 thin true
is 3 provisioned_bytes $((8 << 20))
is 3 exhausted wait

lun $iqn 1 --provisioned 16M --exhausted wait >"$work/out" || fail "no change"
grep -q '"provisioned_bytes":16777216' "$work/out" || fail "not told: $(cat "$work/out")"
is 1 exhausted wait
lun $iqn 1 --provisioned 1T >/dev/null || fail "no change"
is 1 provisioned_bytes $((64 << 20)) # never more than its size
for wrong in "$iqn 1 --provisioned much" "$iqn 1 --exhausted later" "$iqn 2 --provisioned 1M" "$iqn 0 --exhausted wait" \
  "$iqn 9" "iqn.x 0"; do
  # shellcheck disable=SC2086  # several arguments
  lun $wrong >/dev/null 2>"$work/why" && fail "accepted: $wrong"
  [ -s "$work/why" ] || fail "no reason: $wrong"
done
is 1 exhausted wait

# A full LUN, at will: copies into it fail, and go on once there is room.
lun $iqn 1 --provisioned 0 --exhausted fail >/dev/null
head -c 1M /dev/urandom >"$work/source.img"
stop_target
start_target --lun "0=file:$work/source.img" --lun "1=file:$work/b.img,provisioned=8M"
lun $iqn 1 --provisioned 0 >/dev/null
"$bin/copymgr" copy "$url/0" "$url/1" >"$work/out" 2>&1 && fail "copied into a full LUN"
grep -qi '07/27/07\|space' "$work/out" || fail "the copy does not tell that the LUN is full: $(cat "$work/out")"
is 1 used_bytes 0
grep -q 'LUN 1: no room left' "$work/copymgrd.log" || fail "nothing in the log"
lun $iqn 1 --provisioned 8M >/dev/null
"$bin/copymgr" copy "$url/0" "$url/1" --verify >"$work/out" 2>&1 || fail "no copy: $(cat "$work/out")"
is 1 used_bytes $((1 << 20))
stop_target
start_target --lun "1=file:$work/b.img,provisioned=8M"
is 1 used_bytes $((1 << 20)) # counted again
stop_target

# refused WORD... WHAT: copymgrd does not start with this --lun and says why.
refused() {
  timeout 10 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --state-dir "$work/state" --lun "$1" 2>"$work/why" && fail "accepted: $1"
  grep -q -- "$2" "$work/why" || fail "$1: $(cat "$work/why")"
}
refused "0=memory:1M,thin=maybe" "use on or off"
refused "0=memory:1M,provisioned=x" "is not a size"
refused "0=memory:1M,threshold=100" "from 1 to 99"
refused "0=memory:1M,available-threshold=-1" "from 1 to 99"
refused "0=memory:1M,exhausted=never" "fail or wait"
refused "0=memory:1M,thin=off,provisioned=1M" "for thin"
refused "0=null:1M,provisioned=1M" "cannot be counted"
refused "0=file:$work/large.img,size=4096T,thin=off" "large.img"
[ ! -e "$work/large.img" ] || fail "a file that was refused is left"
echo "provisioning: as told"
