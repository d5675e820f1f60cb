#!/usr/bin/env bash
# How many instructions of the daemon's own code a command takes from the bytes that came to the bytes that go, by
# callgrind: a count that does not depend on how busy the machine is. Fails above the ceilings in instructions.txt.
# --write: measures anew and writes them, 10 % above what was found.
. "$(dirname "$0")/../../tools/shell/common.sh"

ceilings=$(dirname "$0")/instructions.txt
program=${COPYMGR_BIN_DIR:?names the folder of the programs}/test_hot_path
commands=640 # of "traffic to be counted by callgrind"
command -v valgrind >/dev/null || { say "SKIPPED: valgrind is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# instructions LOAD: of one command.
instructions() {
  HOT_PATH_LOAD=$1 valgrind --tool=callgrind --callgrind-out-file="$work/out" --toggle-collect=hot_path_serve \
    "$program" "[.callgrind]" >"$work/log" 2>&1 || { cat "$work/log" >&2; die "$1: the run failed"; }
  awk -v commands=$commands '/^(summary|totals):/ { total = $2 } END { printf "%d\n", total / commands }' "$work/out"
}

if [ "${1:-}" = --write ]; then
  while IFS=$'\t' read -r name _; do
    found=$(instructions "$name")
    printf '%s\t%d\n' "$name" $((found * 11 / 10)) >>"$work/new"
  done <"$ceilings"
  cp "$work/new" "$ceilings"
  exit
fi

failed=0
while IFS=$'\t' read -r name ceiling; do
  found=$(instructions "$name")
  printf '%-28s%6d instructions, at most %d\n' "$name" "$found" "$ceiling"
  # Nothing counted is no good sign either.
  [ "$found" -gt 100 ] && [ "$found" -le "$ceiling" ] || { say "  $name: outside of what is allowed; see tests/hot_path/instructions.sh"; failed=1; }
done <"$ceilings"
exit $failed
