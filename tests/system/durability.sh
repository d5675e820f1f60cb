#!/usr/bin/env bash
# What was acknowledged is there after kill -9: a copy ends with SYNCHRONIZE CACHE, then the target dies.
. "$(dirname "$0")/../support/target.sh"

head -c 67108864 /dev/urandom >"$work/source.img"
for mode in host offload; do
  rm -f "$work/copy.img"
  start_target --lun "0=file:$work/source.img" --lun "1=file:$work/copy.img,size=64M"
  "$bin/copymgr" copy --mode $mode "$url/0" "$url/1" >"$work/out" 2>&1 || { cat "$work/out"; fail "copy --mode $mode"; }
  stop_target KILL
  cmp "$work/source.img" "$work/copy.img" || fail "the $mode copy is not what was acknowledged"
done
