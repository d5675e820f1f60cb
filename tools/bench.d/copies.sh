# Copies inside the array: by reflink, without it, beside the host's own copy; and what a token costs. Sourced, not run.

gib=1073741824
reflink_rounds=7 # they are short
plain_rounds=5

# copy_once NAME MODE: LUN 0 to LUN 1 of a copymgrd; the report goes to NAME-MODE.json.
copy_once() {
  $on_load "$bin/copymgr" copy --mode "$2" --json --socket "$work/$1.state/admin.socket" "${url_of[$1]}/0" "${url_of[$1]}/1" \
    >"$work/$1-$2.json" 2>"$work/$1.log" || die "the $2 copy on $1 failed: $(cat "$work/$1.log")"
}
# note ROW SYSTEM ROUND VALUE: a result of one number, seconds or bytes, where operations/s stand otherwise.
note() { printf '%s\t%s\t%s\t%s\t0\t0\t0\t0\t0\n' "$1" "$2" "$3" "$4" >>"$results"; }

start_for_copies() {
  local name=$1 folder=$2
  start_copymgrd "$name" --lun "0=file:$folder/a.img" --lun "1=file:$folder/b.img" \
    --copy maximum-token-transfer-size=1G,optimal-transfer-count=1G
}

# Where blocks can be shared.
reflink_rows() {
  local round
  head -c $gib /dev/urandom >"$images/a.img"
  if ! cp --reflink=always "$images/a.img" "$images/b.img" 2>/dev/null; then
    say "  reflink left out: $images cannot"
    return 0
  fi
  say "  1 GiB by reflink"
  sync -f "$images/a.img"
  start_for_copies reflink "$images"
  for ((round = 1; round <= reflink_rounds; ++round)); do
    copy_once reflink offload
    [ "$(jq .moved.bytes_cloned "$work/reflink-offload.json")" -eq $gib ] || die "not all of it was cloned"
    note "1 GiB by reflink" copymgrd "$round" "$(jq .elapsed_seconds "$work/reflink-offload.json")"
  done
  end reflink
  rm -f "$images"/[ab].img*
}

# Without: beside a loop of copy_file_range(2), and with what the host's own copy costs the host.
plain_rows() {
  local disk folder round each
  make_disk plain $((3 * gib)) -m reflink=0
  folder=$disk
  say "  1 GiB without reflink"
  head -c $gib /dev/urandom >"$folder/a.img"
  cp "$folder/a.img" "$folder/b.img"
  # What comes first would wait for the medium otherwise: 1.4 to 6.5 s of 0.8.
  sync -f "$folder/a.img"
  start_for_copies plain "$folder"
  for ((round = 1; round <= plain_rounds; ++round)); do
    copy_once plain offload
    note "1 GiB without reflink" copymgrd "$round" "$(jq .elapsed_seconds "$work/plain-offload.json")"
    note "1 GiB without reflink" loop "$round" "$($on_target "$bin/copy_file_range_loop" "$folder/a.img" "$folder/b.img")"
    copy_once plain host
    note "1 GiB without reflink" host "$round" "$(jq .elapsed_seconds "$work/plain-host.json")"
    for each in offload host; do
      note "bytes on the wire" $each "$round" "$(jq .wire.bytes "$work/plain-$each.json")"
      note "CPU seconds of the host" $each "$round" "$(jq .cpu_seconds.host "$work/plain-$each.json")"
    done
  done
  end plain
  rm -f "$folder"/[ab].img*
}

# token_row NAME LIVE OPTION...: POPULATE TOKEN and RECEIVE ROD TOKEN INFORMATION beside LIVE tokens: p50 and p99.
token_row() {
  local name=$1 live=$2 round
  shift 2
  for ((round = 1; round <= rounds; ++round)); do
    rm -rf "$work/tokens.state" "$work/tokens.img"*
    start_copymgrd tokens --lun "0=file:$work/tokens.img,size=64M" --max-tokens $((live + 2000)) --copy maximum-tokens=$((live + 2000)) "$@"
    $on_load "$bin/token_latency" "${url_of[tokens]}/0" "$live" 1000 >"$work/tokens.json" || die "no tokens were made"
    printf '%s\tcopymgrd\t%s\t0\t0\t0\t%s\t0\n' "$name" "$round" \
      "$(jq -r '[.p50_microseconds, .p99_microseconds] | @tsv' "$work/tokens.json")" >>"$results"
    end tokens
  done
}

copy_rows() {
  reflink_rows
  plain_rows
  say "  tokens"
  token_row "a token, 10,000 live" 10000
  token_row "a token, 10,000 live, not persistent" 10000 --token-persistence off
}

# seconds_to_ms, as the demands have them.
milliseconds() { awk -v seconds="$1" 'BEGIN { if (seconds != "") printf "%.2f", seconds * 1000 }'; }
percent_of() { awk 'NF { printf "%.4f", $1 * 100 }' <<<"$1"; }
raw_ratio() { # like ratio, of medians and with all digits: these are very small
  awk -v a="$(median "$1" "$2" 4)" -v b="$(median "$1" "$3" 4)" 'BEGIN { if (a != "" && b > 0) printf "%.8f", a / b }'
}

demands_of_copies() {
  demand "1 GiB by reflink: token, WRITE USING TOKEN, flush; ms" most 10 "$(milliseconds "$(median "1 GiB by reflink" copymgrd 4)")"
  local found
  found=$(ratio "1 GiB without reflink" loop "1 GiB without reflink" copymgrd 4)
  demand "1 GiB without reflink, x a copy_file_range loop" least 0.95 "$(cut -f1 <<<"$found")" "$(awk -F '\t' 'NF { print $2 " to " $3 }' <<<"$found")"
  demand "POPULATE TOKEN + RRTI, 10,000 live: p50, us" most 300 "$(median "a token, 10,000 live" copymgrd 7)"
  demand "  the same, tokens that a restart ends: p50, us" most 300 "$(median "a token, 10,000 live, not persistent" copymgrd 7)"
  demand "bytes on the wire, offloaded, % of the host's copy" most 0.1 "$(percent_of "$(raw_ratio "bytes on the wire" offload host)")"
  demand "CPU seconds of the host, offloaded, % of the host's copy" most 1 "$(percent_of "$(raw_ratio "CPU seconds of the host" offload host)")"
}
