# The programs that tools/bench measures: copymgrd, tgt, the limit probe and iperf3, all on one core; what drives
# them is on another. Sourced, not run. Needs $bin, $work, $target_core, $load_core, $niceness.

iqn=iqn.2026-11.io.copymgr:bench
declare -A pid_of url_of
pids=()
mounted=()
loops=()

# end_process PID: asks, then insists: tgtd does not listen to SIGTERM while it has targets.
end_process() {
  local tries
  kill "$1" 2>/dev/null || true
  for ((tries = 0; tries < 100; ++tries)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.05
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
end_processes() {
  local each
  for each in "${pids[@]}"; do end_process "$each"; done
  pids=()
  pid_of=() url_of=()
}
end_all() {
  local each
  end_processes
  for each in "${loops[@]}"; do losetup -d "$each" || true; done
  loops=()
  for each in "${mounted[@]}"; do umount "$each" || true; done
  mounted=()
}
end() {
  local each kept=()
  end_process "${pid_of[$1]}"
  for each in "${pids[@]}"; do [ "$each" = "${pid_of[$1]}" ] || kept+=("$each"); done
  pids=("${kept[@]}")
  unset "pid_of[$1]" "url_of[$1]"
}

# In front of a command. Not as functions: those that go to the background would be a shell's processes.
on_target="nice -n $niceness taskset -c $target_core"
on_load="nice -n $niceness taskset -c $load_core"

# make_disk NAME SIZE OPTION...: an XFS in memory, so that no disk is measured and nobody else is on it, made with these
# options of mkfs.xfs: sets $disk to its folder. Where that cannot be (not root, no XFS, too little memory) or --folder was
# given, files go there or where everything is.
make_disk() {
  local name=$1 size=$2 image
  shift 2
  disk=${folder_given:-$work}
  [ -z "$folder_given" ] && [ "$(id -u)" -eq 0 ] || return 0
  [ "$(df --output=avail -B1 /dev/shm 2>/dev/null | tail -1)" -gt $((size + (2 << 30))) ] 2>/dev/null || return 0
  image=$(mktemp /dev/shm/copymgr-bench-XXXXXX)
  folders+=("$image")
  mkdir -p "$work/$name"
  truncate -s "$size" "$image"
  mkfs.xfs -q -f "$@" "$image" 2>/dev/null && mount -o loop "$image" "$work/$name" 2>/dev/null || return 0
  mounted+=("$work/$name")
  disk=$work/$name
}

# await NAME FILE: until a program has written its address.
await() {
  local tries
  for ((tries = 0; tries < 1200; ++tries)); do
    [ -s "$2" ] && return
    kill -0 "${pid_of[$1]}" 2>/dev/null || break
    sleep 0.05
  done
  tail -5 "$work/$1.log" >&2
  die "$1 did not start"
}

# start_copymgrd NAME OPTION...: its LUNs are of the options.
start_copymgrd() {
  local name=$1
  shift
  start_array "$name" --portal 127.0.0.1:0 --target $iqn "$@" # before its LUNs
}

# start_array NAME OPTION...: what is in it is of the options.
start_array() {
  local name=$1
  shift
  rm -f "$work/$name.ready"
  $on_target "$bin/copymgrd" --state-dir "$work/$name.state" --workers 1 --log-level error \
    --ready-file "$work/$name.ready" "$@" 2>"$work/$name.log" &
  pid_of[$name]=$!
  pids+=($!)
  await "$name" "$work/$name.ready"
  url_of[$name]=iscsi://$(head -1 "$work/$name.ready")/$iqn
}

# start_probe NAME FILE
start_probe() {
  rm -f "$work/$1.ready"
  $on_target "$bin/limit_probe" "$2" "$work/$1.ready" 2>"$work/$1.log" &
  pid_of[$1]=$!
  pids+=($!)
  await "$1" "$work/$1.ready"
  url_of[$1]=iscsi://$(head -1 "$work/$1.ready")/$iqn
}

free_port() {
  local port
  for port in $(shuf -i 20000-32000 -n 50); do
    ss -Hltn "sport = :$port" | grep -q . || { printf '%s' "$port"; return; }
  done
  die "no free port found"
}

# start_tgt NAME FILE [DIRECT_FILE]: LUN 1 of tgt, which calls its controller LUN 0, and LUN 2 with O_DIRECT. Says why
# and fails where tgt cannot run.
start_tgt() {
  local name=$1 file=$2 port control=$((RANDOM % 20000 + 100)) tries
  [ "$(id -u)" -eq 0 ] || { say "tgt left out: it needs root"; return 1; }
  command -v tgtd >/dev/null || { say "tgt left out: not installed"; return 1; }
  port=$(free_port)
  $on_target tgtd -f -C $control --iscsi portal=127.0.0.1:"$port" >"$work/$name.log" 2>&1 &
  pid_of[$name]=$!
  pids+=($!)
  for ((tries = 0; tries < 100; ++tries)); do
    tgtadm -C $control --op show --mode sys >/dev/null 2>&1 && break
    sleep 0.05
  done
  if ! { tgtadm -C $control --lld iscsi --op new --mode target --tid 1 -T $iqn &&
    tgtadm -C $control --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "$file" &&
    { [ ! -e "${3:-}" ] || tgtadm -C $control --lld iscsi --op new --mode logicalunit --tid 1 --lun 2 -b "$3" --bsoflags direct; } &&
    tgtadm -C $control --lld iscsi --op update --mode target --tid 1 -n HeaderDigest -v CRC32C,None &&
    tgtadm -C $control --lld iscsi --op update --mode target --tid 1 -n DataDigest -v CRC32C,None &&
    tgtadm -C $control --lld iscsi --op bind --mode target --tid 1 -I ALL; } >>"$work/$name.log" 2>&1; then
    say "tgt left out: $(tail -1 "$work/$name.log")"
    end "$name"
    return 1
  fi
  url_of[$name]=iscsi://127.0.0.1:$port/$iqn
}

start_iperf() {
  local port
  port=$(free_port)
  $on_target iperf3 -s -B 127.0.0.1 -p "$port" >"$work/$1.log" 2>&1 &
  pid_of[$1]=$!
  pids+=($!)
  url_of[$1]=$port
  sleep 0.5
}

# measure SYSTEM LUN OPTION...: runs `copymgr bench`; prints operations/s, MiB/s, CPU seconds of the target for a
# million operations, and p50, p99, p99.9 in microseconds, with tabs between.
measure() {
  local system=$1 lun=$2
  shift 2
  $on_load "$bin/copymgr" bench "${url_of[$system]}/$lun" --json --pid "${pid_of[$system]}" \
    --duration "$seconds" --warm-up 1 "$@" >"$work/measured.json" 2>"$work/measured.log" ||
    die "$system: $(cat "$work/measured.log")"
  jq -r '[.operations_per_second, .bytes_per_second / 1048576, .cpu_seconds.target_per_million_operations,
    .latency.p50_microseconds, .latency.p99_microseconds, .latency.p99_9_microseconds] | map(. // 0) | @tsv' "$work/measured.json"
}

# measure_iperf SYSTEM read|write: the same columns of one TCP stream in that direction; most are 0.
measure_iperf() {
  local reverse=()
  [ "$2" = write ] || reverse=(-R)
  $on_load iperf3 -c 127.0.0.1 -p "${url_of[$1]}" -t "$seconds" -J "${reverse[@]}" >"$work/measured.json" ||
    die "iperf3: $(jq -r .error "$work/measured.json")"
  jq -r '[0, .end.sum_received.bits_per_second / 8388608, 0, 0, 0, 0] | @tsv' "$work/measured.json"
}
