# What many sessions, tokens and units cost: one point for each size. Sourced, not run.
# growth.tsv: plot, series, x, y.

point() { printf '%s\t%s\t%s\t%s\n' "$@" >>"$growth"; }

sessions_growth() {
  local n
  say "  sessions"
  start_copymgrd copymgrd --lun "0=memory:${image_mib}M" --max-sessions 2000 --max-connections 2000
  $on_load "$bin/copymgr" bench "${url_of[copymgrd]}/0" --read 0 --order sequential --block 262144 --operations $((image_mib * 4)) >/dev/null
  for n in 1 2 5 10 20 50 100 200 500 1000; do
    measure copymgrd 0 --sessions "$n" --depth 1 >"$work/point"
    point sessions "CPU seconds a million reads" "$n" "$(cut -f3 "$work/point")"
    point rate "operations/s" "$n" "$(cut -f1 "$work/point")"
    point latency "p50, microseconds for each session" "$n" "$(awk -v n="$n" '{ print $4 / n }' "$work/point")"
  done
  end copymgrd
}

tokens_growth() {
  local n
  say "  tokens"
  for n in 1 10 100 1000 3000 10000; do
    rm -rf "$work/tokens.state" "$work/tokens.img"*
    start_copymgrd tokens --lun "0=file:$work/tokens.img,size=64M" --max-tokens 12000 --copy maximum-tokens=12000
    $on_load "$bin/token_latency" "${url_of[tokens]}/0" "$n" 1000 >"$work/tokens.json" || die "no tokens were made"
    point tokens "p50, microseconds" "$n" "$(jq .p50_microseconds "$work/tokens.json")"
    measure tokens 0 --depth 32 >"$work/point"
    point tokens-read "CPU seconds a million reads" "$n" "$(cut -f3 "$work/point")"
    end tokens
  done
}

units_growth() {
  local n luns i before
  say "  units"
  for n in 1 10 100 300 1000; do
    luns=()
    for ((i = 0; i < n; ++i)); do luns+=(--lun "$i=memory:1M"); done
    before=$(date +%s%N)
    rm -rf "$work/units.state"
    start_copymgrd units "${luns[@]}"
    point units-start "start, milliseconds a unit" "$n" "$(awk -v ns=$(($(date +%s%N) - before)) -v n="$n" 'BEGIN { print ns / 1e6 / n }')"
    point units-memory "resident, KiB a unit" "$n" "$(awk -v n="$n" '/VmRSS/ { print $2 / n }' "/proc/${pid_of[units]}/status")"
    measure units $((n - 1)) --depth 32 >"$work/point"
    point units "CPU seconds a million reads" "$n" "$(cut -f3 "$work/point")"
    end units
  done
}

# seconds_since NANOSECONDS
seconds_since() { awk -v ns=$(($(date +%s%N) - $1)) 'BEGIN { printf "%.3f", ns / 1e9 }'; }

# many_luns_file: an array of 1,000 LUNs in 100 targets, on standard output.
many_luns_file() {
  local target lun
  printf '[[portal]]\naddress = "127.0.0.1:0"\n'
  for ((target = 0; target < 100; ++target)); do
    printf '[[target]]\nname = "%s.%s"\n' "$iqn" "$target"
    for ((lun = 0; lun < 10; ++lun)); do
      printf '[[target.lun]]\nnumber = %s\nbacking = "file:luns/%s-%s.img"\nsize = "1M"\n' "$lun" "$target" "$lun"
    done
  done
}

# Of files that are there, with token persistence, as after a restart of the machine's services.
many_luns() {
  local round before start="start, 1,000 LUNs in 100 targets; s" list="lun list of 1,000 LUNs; s"
  say "  1,000 LUNs in 100 targets"
  mkdir "$work/luns"
  many_luns_file >"$work/many.toml"
  start_array many --config "$work/many.toml" # makes the files
  end many
  for ((round = 1; round <= rounds; ++round)); do
    before=$(date +%s%N)
    start_array many --config "$work/many.toml"
    printf '%s\tcopymgrd\t%s\t%s\n' "$start" "$round" "$(seconds_since "$before")" >>"$results"
    before=$(date +%s%N)
    $on_load "$bin/copymgr" lun list --socket "$work/many.state/admin.socket" >"$work/many.list"
    printf '%s\tcopymgrd\t%s\t%s\n' "$list" "$round" "$(seconds_since "$before")" >>"$results"
    [ "$(wc -l <"$work/many.list")" -gt 1000 ] || die "lun list does not tell all"
    end many
  done
  demand_figure "$start" most 2 copymgrd
  demand_figure "$list" most 0.2 copymgrd
}

grow() {
  : >"$growth"
  sessions_growth
  tokens_growth
  units_growth
  many_luns
}

print_growth() {
  awk -F '\t' '{ printf "%-16s%-40s%8s%14.2f\n", $1, $2, $3, $4 }' "$growth"
  print_demands
}
