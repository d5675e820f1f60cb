# Rounds of loads, turn by turn over the systems, and what they come to. Sourced, not run.
# results.tsv: row, system, round, operations/s, MiB/s, CPU seconds a million, p50, p99, p99.9.

# row NAME SYSTEMS OPTION...: one load on each of the systems "copymgrd:0 tgt:1" (a LUN each; iperf:read), in turn, for
# all rounds. Systems that do not run are passed over.
row() {
  local name=$1 systems=$2 round each system where found
  shift 2
  say "  $name"
  for ((round = 1; round <= rounds; ++round)); do
    for each in $systems; do
      system=${each%%:*} where=${each#*:}
      [ -n "${url_of[$system]:-}" ] || continue
      if [ "$system" = iperf ]; then
        found=$(measure_iperf "$system" "$where")
      elif ! found=$(measure "$system" "$where" "$@"); then
        say "    $system left out: it cannot"
        continue
      fi
      printf '%s\t%s\t%s\t%s\n' "$name" "$each" "$round" "$found" >>"$results"
    done
  done
}

# median ROW SYSTEM COLUMN: of all rounds; empty where it did not run.
median() {
  awk -F '\t' -v row="$1" -v who="$2" -v column="$3" '$1 == row && $2 == who { print $column }' "$results" |
    sort -g | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'
}

# ratio ROW SYSTEM OTHER_ROW OTHER_SYSTEM COLUMN: round by round, so that what else the machine does meets both: the
# median, least and most, with tabs between; empty where one did not run.
ratio() {
  awk -F '\t' -v row="$1" -v who="$2" -v other_row="$3" -v other="$4" -v column="$5" '
    $1 == row && $2 == who { a[$3] = $column }
    $1 == other_row && $2 == other { b[$3] = $column }
    END { for (i in a) if (i in b && b[i] > 0) printf "%.4f\n", a[i] / b[i] }' "$results" | sort -g |
    awk '{ v[NR] = $1 } END { if (NR) printf "%.2f\t%.2f\t%.2f\n", (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2), v[1], v[NR] }'
}

# demand TEXT LEAST|MOST NUMBER REACHED SPREAD: one line of the table "it must show"; REACHED empty: not measured.
demands=
demand() {
  local verdict=missed
  if [ -z "$4" ]; then
    verdict="not measured"
  elif awk -v kind="$2" -v wanted="$3" -v reached="$4" 'BEGIN { exit !(kind == "least" ? reached >= wanted : reached <= wanted) }'; then
    verdict=reached
  fi
  demands+="$1"$'\t'"at $2 $3"$'\t'"${4:--}"$'\t'"${5:--}"$'\t'"$verdict"$'\n'
}
# demand_ratio TEXT LEAST|MOST NUMBER ROW SYSTEM OTHER_ROW OTHER_SYSTEM COLUMN
demand_ratio() {
  local found
  found=$(ratio "$4" "$5" "$6" "$7" "$8")
  demand "$1" "$2" "$3" "$(cut -f1 <<<"$found")" "$(awk -F '\t' 'NF { print $2 " to " $3 }' <<<"$found")"
}
# demand_figure ROW LEAST|MOST NUMBER SYSTEM: of the first figure of its rounds.
demand_figure() {
  demand "$1" "$2" "$3" "$(median "$1" "$4" 4)" "$(awk -F '\t' -v row="$1" -v who="$4" '$1 == row && $2 == who { print $4 }' "$results" |
    sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[1] " to " v[NR] }')"
}
print_demands() {
  printf '%-66s%-16s%10s  %-16s%s\n' "it must show" wanted reached "spread" ""
  awk -F '\t' 'NF { printf "%-66s%-16s%10s  %-16s%s\n", $1, $2, $3, $4, $5 }' <<<"$demands"
}
# As a table of Markdown.
demands_page() {
  printf '| it must show | wanted | reached | spread | |\n|---|---|---|---|---|\n'
  awk -F '\t' 'NF { printf "| %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5 }' <<<"$demands"
}
