# The loads: READ and WRITE on files, memory, a loop device, O_DIRECT. Sourced, not run.

image_mib=256

# make_images N...: files that are all there and in the page cache: 0 for copymgrd, 1 for tgt, 2 for the loop device, 3
# (copymgrd) and 4 (tgt) for O_DIRECT.
make_images() {
  local each
  head -c ${image_mib}M /dev/urandom >"$images/0.img"
  for each in "$@"; do cp "$images/0.img" "$images/$each.img"; done
  sync -f "$images/0.img"
}

loop_device=
make_loop() {
  [ -e "$images/2.img" ] || return 0
  [ "$(id -u)" -eq 0 ] || { say "loop device left out: it needs root"; return 0; }
  loop_device=$(losetup -f --show "$images/2.img" 2>/dev/null) || { loop_device=; say "loop device left out: losetup cannot"; return 0; }
  loops+=("$loop_device")
}

start_for_loads() {
  local luns=(--lun "0=file:$images/0.img" --lun "1=memory:${image_mib}M")
  [ -z "$loop_device" ] || luns+=(--lun "2=block:$loop_device")
  [ ! -e "$images/3.img" ] || luns+=(--lun "3=file:$images/3.img,direct=on,blocksize=4096")
  start_copymgrd copymgrd "${luns[@]}"
  $on_load "$bin/copymgr" bench "${url_of[copymgrd]}/1" --read 0 --order sequential --block 262144 \
    --operations $((image_mib * 4)) >/dev/null # memory that is there
  start_probe probe "$images/0.img"
  start_tgt tgt "$images/1.img" "$images/4.img" || true
  start_iperf iperf
}

# What the table of the issue needs.
rows_of_demands() {
  row "4 KiB random read, depth 32" "copymgrd:0 tgt:1 probe:0" --depth 32
  row "4 KiB random read, depth 1" "copymgrd:0 tgt:1 probe:0" --depth 1
  row "4 KiB random write, depth 32" "copymgrd:0 tgt:1" --depth 32 --read 0
  row "4 KiB mixed, 8 sessions, depth 16" "copymgrd:0 tgt:1" --sessions 8 --depth 16 --read 50
  row "1 MiB sequential read, depth 8" "copymgrd:0 tgt:1 probe:0 iperf:read" --order sequential --block 1048576 --depth 8
  row "1 MiB sequential write, depth 8" "copymgrd:0 tgt:1 iperf:write" --order sequential --block 1048576 --depth 8 --read 0
  row "4 KiB random read, depth 32, digests" "copymgrd:0 tgt:1" --depth 32 --digests all
}

demands_of_loads() {
  local read="4 KiB random read, depth 32" ops=4 rate=5 cpu=6
  demand_ratio "$read, x tgt" least 5 "$read" copymgrd:0 "$read" tgt:1 $ops
  demand_ratio "$read, x limit probe" least 0.55 "$read" copymgrd:0 "$read" probe:0 $ops
  local one="4 KiB random read, depth 1" write="4 KiB random write, depth 32" mixed="4 KiB mixed, 8 sessions, depth 16"
  demand_ratio "$one, x tgt" least 3.5 "$one" copymgrd:0 "$one" tgt:1 $ops
  demand_ratio "$write, x tgt" least 4 "$write" copymgrd:0 "$write" tgt:1 $ops
  demand_ratio "$mixed, x tgt" least 5 "$mixed" copymgrd:0 "$mixed" tgt:1 $ops
  local in="1 MiB sequential read, depth 8" out="1 MiB sequential write, depth 8"
  demand_ratio "1 MiB sequential read, x iperf3" least 0.9 "$in" copymgrd:0 "$in" iperf:read $rate
  demand_ratio "1 MiB sequential write, x iperf3" least 0.8 "$out" copymgrd:0 "$out" iperf:write $rate
  demand_ratio "CPU seconds a million 4 KiB reads, depth 32, x tgt" most 0.25 "$read" copymgrd:0 "$read" tgt:1 $cpu
  demand_ratio "$read, digests, x without" least 0.8 "$read, digests" copymgrd:0 "$read" copymgrd:0 $ops
}

more_rows() {
  local depth
  row "4 KiB random read, depth 128" "copymgrd:0 tgt:1 probe:0" --depth 128
  for depth in 1 128; do
    row "4 KiB random write, depth $depth" "copymgrd:0 tgt:1" --depth $depth --read 0
  done
  row "4 KiB random read, 8 sessions, depth 16" "copymgrd:0 tgt:1 probe:0" --sessions 8 --depth 16
  row "64 KiB sequential read, depth 8" "copymgrd:0 tgt:1 probe:0" --order sequential --block 65536 --depth 8
  row "64 KiB sequential write, depth 8" "copymgrd:0 tgt:1" --order sequential --block 65536 --depth 8 --read 0
  row "1 MiB sequential read, depth 8, digests" "copymgrd:0 tgt:1" --order sequential --block 1048576 --depth 8 --digests all
  row "1 MiB sequential write, depth 8, digests" "copymgrd:0 tgt:1" --order sequential --block 1048576 --depth 8 --digests all --read 0
  row "4 KiB random write, depth 32, digests" "copymgrd:0 tgt:1" --depth 32 --digests all --read 0
  row "4 KiB random write, depth 32, FUA" "copymgrd:0 tgt:1" --depth 32 --read 0 --fua
  row "4 KiB random write, depth 32, flush every 16" "copymgrd:0 tgt:1" --depth 32 --read 0 --flush-every 16
  row "4 KiB random read, depth 32, memory" "copymgrd:1" --depth 32
  row "4 KiB random write, depth 32, memory" "copymgrd:1" --depth 32 --read 0
  row "1 MiB sequential read, depth 8, memory" "copymgrd:1" --order sequential --block 1048576 --depth 8
  [ -z "$loop_device" ] || row "4 KiB random read, depth 32, loop device" "copymgrd:2" --depth 32
  [ -z "$loop_device" ] || row "4 KiB random write, depth 32, loop device" "copymgrd:2" --depth 32 --read 0
  row "4 KiB random read, depth 32, cold (O_DIRECT)" "copymgrd:3 tgt:2" --depth 32
  row "4 KiB random write, depth 32, cold (O_DIRECT)" "copymgrd:3 tgt:2" --depth 32 --read 0
}
