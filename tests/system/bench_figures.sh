#!/usr/bin/env bash
# What tools/bench makes of its results: medians, ratios round by round, verdicts, the tables of the page, plots.
. "$(dirname "$0")/../support/target.sh"
parts=$(cd "$(dirname "$0")/../../tools/bench.d" && pwd)
top=$(cd "$parts/../.." && pwd)
. "$parts/rounds.sh"
. "$parts/page.sh"
results=$work/results.tsv growth=$work/growth.tsv page=$work/page.md plots=$work images=$work
is() { [ "$1" = "$2" ] || fail "'$1' instead of '$2'"; }

result() { printf '%s\t%s\t%s\t%s\t%s\t%s\t10\t20\t30\n' "$@" >>"$results"; }
result "4 KiB read" copymgrd:0 1 100 1 4
result "4 KiB read" tgt:1 1 50 1 16
result "4 KiB read" copymgrd:0 2 300 3 8
result "4 KiB read" tgt:1 2 60 1 16
result "4 KiB read" copymgrd:0 3 210 2 2
result "4 KiB read" tgt:1 3 70 1 16
result "4 KiB read, digests" copymgrd:0 1 90 1 4
result "4 KiB read, digests" copymgrd:0 2 150 1 4

is "$(median "4 KiB read" copymgrd:0 4)" 210
is "$(median "4 KiB read, digests" copymgrd:0 4)" 120 # of an even number
is "$(median "4 KiB read" probe:0 4)" ""
# 2, 5 and 3 times; not the median of one by the median of the other, which would be 3.5.
is "$(ratio "4 KiB read" copymgrd:0 "4 KiB read" tgt:1 4)" $'3.00\t2.00\t5.00'
# Rounds that only one has are not compared: 0.9 and 0.5.
is "$(ratio "4 KiB read, digests" copymgrd:0 "4 KiB read" copymgrd:0 4)" $'0.70\t0.50\t0.90'
is "$(ratio "4 KiB read" copymgrd:0 "4 KiB read" probe:0 4)" ""

demand_ratio "enough" least 3 "4 KiB read" copymgrd:0 "4 KiB read" tgt:1 4
demand_ratio "not enough" least 3.1 "4 KiB read" copymgrd:0 "4 KiB read" tgt:1 4
demand_ratio "little enough" most 0.25 "4 KiB read" copymgrd:0 "4 KiB read" tgt:1 6
demand_ratio "nobody there" least 1 "4 KiB read" copymgrd:0 "4 KiB read" probe:0 4
demand "a number" most 10 10.5
result "start; s" copymgrd 1 0.5 0 0
result "start; s" copymgrd 2 2.5 0 0
demand_figure "start; s" most 2 copymgrd
demand_figure "start; s" most 1 tgt
print_demands >"$work/table"
verdict() { awk -v text="$1" 'index($0, text " ") == 1 { print $NF }' "$work/table"; }
is "$(verdict enough)" reached
is "$(verdict "not enough")" missed
is "$(verdict "little enough")" reached
is "$(verdict "nobody there")" measured
is "$(verdict "a number")" missed
demands_page >"$work/out"
grep -q '^| start; s | at most 2 | 1.5 | 0.5 to 2.5 | reached |$' "$work/out" || fail "no figure: $(demands_page)"
grep -q '^| start; s | at most 1 | - | - | not measured |$' "$work/out" || fail "a figure of nobody: $(demands_page)"
grep -q '^| enough | at least 3 | 3.00 | 2.00 to 5.00 | reached |$' "$work/out" || fail "the page's table: $(demands_page)"
loads_table >"$work/out"
grep -q '^| 4 KiB read | copymgrd | 210 | 100 to 300 | 2 | 4.00 | 10.0 | 20.0 | 30.0 |$' "$work/out" || fail "$(loads_table)"

# A part of the page replaces what was there, and nothing else.
printf 'before\n<!-- a -->\nold\n<!-- end a -->\nafter\n' >"$page"
printf 'new\nlines\n' | part a
printf 'further\n' | part b
is "$(tr '\n' '|' <"$page")" 'before|<!-- a -->|new|lines|<!-- end a -->|after||<!-- b -->|further|<!-- end b -->|'

# Plots: a point and a bar where the numbers say.
printf 'us\t1\t5\nus\t10\t10\nus\t100\t0\n' | plot lines lines "a < b & c"
grep -q '<text [^>]*>a &lt; b &amp; c</text>' "$work/lines.svg" || fail "the title: $(grep -m1 text "$work/lines.svg")"
is "$(grep -o 'points="[^"]*"' "$work/lines.svg")" 'points="90.0,188.0 380.0,68.0 670.0,308.0 "'
printf 'x\tread\t10\ny\tread\t5\n' | plot bars bars "title"
is "$(grep -c 'width="420.0"' "$work/bars.svg") $(grep -c 'width="210.0"' "$work/bars.svg")" "1 1"
! command -v xmllint >/dev/null || xmllint --noout "$work"/*.svg || fail "a plot is no XML"

# What a person can get wrong.
wrong() {
  local got=0
  "$top/tools/bench" "${@:2}" >"$work/out" 2>"$work/err" || got=$?
  [ $got -eq 2 ] && grep -q -- "$1" "$work/err" || fail "status $got: bench ${*:2}: $(cat "$work/err")"
}
wrong "unknown option --fast" --fast
wrong "expected a number from 1" --rounds 0
wrong "expected a number" --nice high
wrong "no such folder" --folder "$work/nowhere"
# Not into a pipe: a reader that has seen enough would end the writer.
"$top/tools/bench" --help >"$work/out" && grep -q -- --quick "$work/out" || fail "no help"
