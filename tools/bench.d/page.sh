# docs/benchmarks.md and the plots beside it. Sourced, not run.

# plot FILE KIND TITLE: from series, x, y on standard input.
plot() { awk -v kind="$2" -v title="$3" -f "$top/tools/bench.d/plot.awk" >"$plots/$1.svg"; }

system_names='{ sub(/^copymgrd:[0-9]+$/, "copymgrd", $2); sub(/^tgt:.*/, "tgt", $2); sub(/^probe:.*/, "limit probe", $2); sub(/^iperf:.*/, "iperf3", $2) }'

# medians COLUMN: row, system, median of all rounds; in the order of the results.
medians() {
  cut -f1,2 "$results" | awk '!seen[$0]++' | while IFS=$'\t' read -r name system; do
    printf '%s\t%s\t%s\n' "$name" "$system" "$(median "$name" "$system" "$1")"
  done
}

where_images_are() { if [ "$images" = "$work/disk" ]; then printf 'in memory'; else df --output=source "$images" | tail -1; fi; }
machine() {
  printf '%s, %s cores, %s GiB, Linux %s, files on %s (%s)' "$(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" "$(nproc)" \
    "$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(uname -r)" "$(df --output=fstype "$images" | tail -1)" "$(where_images_are)"
}

# One line for each row and system: medians, and the spread of operations/s over the rounds.
loads_table() {
  printf '| load | system | operations/s | spread | MiB/s | target CPU s a million | p50 us | p99 us | p99.9 us |\n|---|---|--:|---|--:|--:|--:|--:|--:|\n'
  cut -f1,2 "$results" | awk '!seen[$0]++' | while IFS=$'\t' read -r name system; do
    case $name in *KiB* | *MiB\ seq*) ;; *) continue ;; esac
    awk -F '\t' -v OFS='\t' -v row="$name" -v who="$system" '$1 == row && $2 == who' "$results" | sort -g -k4,4 -t "$(printf '\t')" |
      awk -F '\t' -v m="$(for c in 4 5 6 7 8 9; do median "$name" "$system" $c; done | tr '\n' ' ')" '
        '"$system_names"'
        NR == 1 { least = $4 } { most = $4 }
        END { split(m, v, " "); printf "| %s | %s | %.0f | %.0f to %.0f | %.0f | %.2f | %.1f | %.1f | %.1f |\n", $1, $2, v[1], least, most, v[2], v[3], v[4], v[5], v[6] }'
  done
}

copies_table() {
  printf '| what | who | median | least | most |\n|---|---|--:|--:|--:|\n'
  awk -F '\t' '$1 ~ /GiB|bytes on|CPU seconds of/ { print $1 "\t" $2 }' "$results" | awk '!seen[$0]++' |
    while IFS=$'\t' read -r name system; do
      awk -F '\t' -v row="$name" -v who="$system" '$1 == row && $2 == who { print $4 }' "$results" | sort -g |
        awk -v row="$name" -v who="$system" '{ v[NR] = $1 } END { printf "| %s | %s | %.6g | %.6g | %.6g |\n", row, who, v[int((NR + 1) / 2)], v[1], v[NR] }'
    done
  awk -F '\t' '$1 ~ /^a token/ { printf "| %s: p50, p99, us (round %s) | %s | %.1f | | %.1f |\n", $1, $3, $2, $7, $8 }' "$results"
}

draw_loads() {
  medians 4 | awk -F '\t' -v OFS='\t' '/4 KiB/ && $3 > 0 { '"$system_names"' print $2, $1, $3 }' | plot operations bars "operations/s (median)"
  medians 5 | awk -F '\t' -v OFS='\t' '/MiB seq|64 KiB/ && $3 > 0 { '"$system_names"' print $2, $1, $3 }' | plot throughput bars "MiB/s (median)"
  medians 6 | awk -F '\t' -v OFS='\t' '/4 KiB/ && $3 > 0 { '"$system_names"' print $2, $1, $3 }' | plot cpu bars "CPU seconds of the target for a million operations (median)"
}

declare -A growth_title=([sessions]="sessions, one command under way in each" [rate]="operations/s over sessions, one command under way in each"
  [latency]="latency divided by the number of sessions" [tokens]="POPULATE TOKEN and RECEIVE ROD TOKEN INFORMATION over live tokens"
  [tokens-read]="4 KiB reads beside live tokens" [units-start]="start of the daemon over units" [units-memory]="memory over units"
  [units]="4 KiB reads of the last unit over units")
draw_growth() {
  local each
  for each in $(cut -f1 "$growth" | awk '!seen[$0]++'); do
    awk -F '\t' -v OFS='\t' -v plot="$each" '$1 == plot { print $2, $3, $4 }' "$growth" | plot "growth-$each" lines "${growth_title[$each]}"
  done
}

# The parts that were measured in this run replace those of the page; others stay.
# part NAME: standard input becomes the part between <!-- NAME --> and <!-- end NAME -->.
part() {
  local file=$page
  grep -q "^<!-- $1 -->" "$file" || printf '\n<!-- %s -->\n<!-- end %s -->\n' "$1" "$1" >>"$file"
  cat >"$work/part"
  awk -v name="$1" -v from="$work/part" '
    $0 == "<!-- end " name " -->" { skip = 0 }
    !skip { print }
    $0 == "<!-- " name " -->" { skip = 1; while ((getline line < from) > 0) print line }' "$file" >"$work/page"
  cp "$work/page" "$file"
}
stamp() { printf '%s, %s, `%s`, commit %s.\n\n' "$(date -u +%Y-%m-%d)" "$machine" "$command_line" "$(git -C "$top" rev-parse --short HEAD 2>/dev/null || printf 'unknown')"; }

# One line for each plot and series, a column for each size.
growth_table() {
  awk -F '\t' '
    { key = $1 "\t" $2 }
    !(key in seen) { seen[key] = ++rows; name[rows] = $2; plot[rows] = $1 }
    { line[seen[key]] = line[seen[key]] sprintf(" %s: %.4g;", $3, $4) }
    END { print "| what | of | size: value |"; print "|---|---|---|"; for (i = 1; i <= rows; ++i) printf "| %s | %s |%s |\n", name[i], plot[i], line[i]; print "" }' "$growth"
}

page_of_loads() {
  draw_loads
  { stamp; demands_page; } | part demands
  { loads_table; printf '\n![operations](benchmarks/operations.svg)\n\n![throughput](benchmarks/throughput.svg)\n\n![CPU](benchmarks/cpu.svg)\n'; } | part loads
  copies_table | part copies
}
page_of_growth() {
  local each
  draw_growth
  { stamp
    demands_page
    printf '\n'
    growth_table
    for each in $(cut -f1 "$growth" | awk '!seen[$0]++'); do printf '![%s](benchmarks/growth-%s.svg)\n\n' "${growth_title[$each]}" "$each"; done; } | part growth
}
