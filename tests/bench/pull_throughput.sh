#!/usr/bin/env bash
# How fast one array pulls a token's data from another on loopback, beside iperf3 in the same minute. A measurement,
# not a test. usage: tests/bench/pull_throughput.sh [GIB [MIB_OF_A_WRITE_USING_TOKEN [null|memory|file]]]; the last is what is
# written to. COPYMGR_BIN_DIR as in tests/support/target.sh.
set -euo pipefail
bin=${COPYMGR_BIN_DIR:-$(dirname "$0")/../../build/release/bin}
gib=${1:-2}
write_mib=${2:-64}
into=${3:-null}
command -v iperf3 >/dev/null || { printf 'needs iperf3\n' >&2; exit 2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/copymgr-bench-XXXXXX")
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" || true; done; rm -rf "$work"' EXIT

head -c 32 /dev/urandom | base64 >"$work/secret"
head -c "${gib}G" /dev/urandom >"$work/a.img"
start() {
  local name=$1 lun=$2
  "$bin/copymgrd" --portal 127.0.0.1:0 --target "iqn.2026-11.io.copymgr:$name" --lun "0=$lun" --state-dir "$work/$name" \
    --copy maximum-token-transfer-size=1G,optimal-transfer-count=${write_mib}M --ready-file "$work/ready-$name" --log-level error &
  pids+=($!)
  for _ in $(seq 200); do [ -s "$work/ready-$name" ] && return; sleep 0.05; done
  exit 1
}
start a "file:$work/a.img"
case $into in
  null | memory) start b "$into:${gib}G" ;;
  file) head -c "${gib}G" /dev/zero >"$work/b.img"; start b "file:$work/b.img" ;;
esac
for name in a b; do
  other=$([ $name = a ] && echo b || echo a)
  "$bin/copymgr" group join bench --secret-file "$work/secret" --member "$other=$(cat "$work/ready-$other")" \
    --socket "$work/$name/admin.socket" >/dev/null
done
pull() {
  "$bin/copymgr" copy --mode offload --json "iscsi://$(cat "$work/ready-a")/iqn.2026-11.io.copymgr:a/0" \
    "iscsi://$(cat "$work/ready-b")/iqn.2026-11.io.copymgr:b/0" | jq '.bytes_per_second / 1048576 | round'
}
iperf() {
  iperf3 -s -1 -p 5998 >/dev/null &
  sleep 0.3
  iperf3 -c 127.0.0.1 -p 5998 -t 3 -J | jq '.end.sum_received.bits_per_second / 8388608 | round'
  wait $!
}
printf '%-8s%16s%16s%8s\n' run "pull, MiB/s" "iperf3, MiB/s" ratio
for run in 1 2 3; do
  a=$(pull) b=$(iperf)
  printf '%-8s%16s%16s%8s\n' "$run" "$a" "$b" "$(jq -n "$a / $b * 100 | round / 100")"
done
