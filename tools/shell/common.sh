# Shared by tools/demo, tools/check, tools/topology and tools/bench: where things are, what must be installed. Sourced, not run.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# What building, testing and demonstrating need on a Debian 12 that has nothing.
build_packages=(g++ cmake ninja-build pkg-config libboost-dev libboost-program-options-dev libfmt-dev
                libspdlog-dev libexpected-dev libiscsi-dev libisal-dev liburing-dev libssl-dev libsqlite3-dev nlohmann-json3-dev libtomlplusplus-dev catch2)
demo_packages=(e2fsprogs xfsprogs util-linux jq)
bench_packages=(tgt libiscsi-bin iperf3 iproute2)
check_packages=(libiscsi-bin tshark iproute2 mount clang clang-format libclang-rt-14-dev dpkg-dev file procps man-db systemd python3-pytest
                python3-yaml python3-jsonschema curl chromium valgrind)

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

install_packages() {
  local missing=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "needs root or sudo to install: ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [TARGET...]; a new tree with COPYMGR_JOINED as the environment has it
build() {
  local preset=$1 joined=()
  shift
  [ -z "${COPYMGR_JOINED:-}" ] || [ -d "$top/build/$preset" ] || joined=(-DCOPYMGR_JOINED=ON)
  local log=$top/build/$preset.log
  mkdir -p "$top/build"
  if ! (cd "$top" && cmake --preset "$preset" "${joined[@]}" && cmake --build --preset "$preset" ${1:+--target "$@"}) >"$log" 2>&1; then
    grep -E 'error|FAILED|CMake Error' "$log" | head -40 >&2
    die "the $preset build failed; all of it is in $log"
  fi
}
