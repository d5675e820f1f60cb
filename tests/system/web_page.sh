#!/usr/bin/env bash
# The page that --web serves: what its port refuses, and what a browser makes of it while a copy runs, a token's time
# runs down and an initiator's name holds markup. Its screenshots stay in the build folder (pictures/).
. "$(dirname "$0")/../support/target.sh"
for tool in jq curl chromium iscsi-perf; do command -v $tool >/dev/null || skip "needs $tool"; done
pictures=${WEB_PAGE_PICTURES:-$bin/../pictures}
mkdir -p "$pictures"
helpers=()
# KILL: iscsi-perf goes on for ever after a TERM when its target has gone.
trap 'kill -KILL "${helpers[@]}" 2>/dev/null || true; [ -z "${browser:-}" ] || kill "$browser" 2>/dev/null || true; stop_target; rm -rf "$work"' EXIT
export COPYMGR_SOCKET=$work/state/admin.socket
cm() { timeout 30 "$bin/copymgr" "$@"; }

for wrong in 0.0.0.0:0 192.0.2.1:8080 localhost:80 70000; do
  status=0
  timeout 10 "$bin/copymgrd" --portal 127.0.0.1:0 --target $iqn --lun 0=memory:1M --web "$wrong" 2>"$work/why" || status=$?
  [ $status -eq 2 ] && grep -q loopback "$work/why" || fail "--web $wrong: $status, $(cat "$work/why")"
done

backing="$work/<b>a&amp;.img"
head -c 4M /dev/urandom >"$backing"
long=optimal-transfer-count=64G,maximum-token-transfer-size=64G
start_target --lun "0=file:$backing" --lun 1=memory:4M --lun 2=null:64T,$long --lun 3=null:64T,$long --web 0 --log-level debug
page=$(sed -n 's|.*the page is at \(http://127.0.0.1:[0-9]*\)/$|\1|p' "$work/copymgrd.log" | tail -1)
[ -n "$page" ] || fail "the log does not tell where the page is"

# What the port answers, and what it does not.
ask() { curl -sS -m 10 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@"; }
is() { local status; status=$(ask "${@:2}"); [ "$status" = "$1" ] || fail "${*:2}: $status, not $1: $(cat "$work/body")"; }
is 200 "$page/"
for header in "content-security-policy: default-src 'none'; script-src 'sha256-" "content-security-policy: .*frame-ancestors 'none'" \
  'x-content-type-options: nosniff' 'x-frame-options: DENY' 'cross-origin-resource-policy: same-origin' 'content-type: text/html; charset=utf-8'; do
  grep -qi "^$header" "$work/head" || fail "no $header: $(cat "$work/head")"
done
for path in stats luns sessions tokens copy-operations events history; do
  is 200 "$page/v1/$path"
  jq -e type "$work/body" >/dev/null || fail "$path is no JSON"
  is 405 -X POST -d '{}' "$page/v1/$path"
  is 421 -H 'Host: evil.example' "$page/v1/$path"
done
is 404 -X POST -d '{"online":false}' "$page/v1/targets/$iqn"
is 404 "$page/v1/configuration"
is 404 -X DELETE "$page/v1/targets/$iqn/luns/0"
is 200 -H "Host: localhost:1" "$page/"
# raw FORMAT: the status line that these bytes are answered with.
raw() {
  exec 7<>"/dev/tcp/127.0.0.1/${page##*:}"
  # shellcheck disable=SC2059  # a format it is
  printf "$1" >&7 2>/dev/null || true
  timeout 10 head -1 <&7 2>/dev/null || true
  exec 7>&-
}
raw 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n' | grep -q ' 400 ' || fail "two hosts are taken"
raw 'GET / HTTP/1.1\r\n\r\n' | grep -q ' 400 ' || fail "no host is taken"
raw "GET / HTTP/1.1\r\nHost: localhost\r\nX: $(printf '%0100000d' 0)\r\n\r\n" | grep -q ' 200 ' && fail "a header of 100000 bytes is taken"
is 200 "$page/"

# An array at work: a token that nobody uses any more, a copy that runs, an initiator with markup and no UTF-8 in its name.
cm copy "$url/0" "$url/1" >"$work/out" || fail "no copy: $(cat "$work/out")"
hash=$(cm token list --json | jq -r '.tokens[0].hash')
# A copy that lasts: of nothing, but of 64 GiB of it by each command.
"$bin/copymgr" copy "$url/2" "$url/3" --timeout 600 >"$work/copy.out" 2>&1 &
helpers+=($!)
name=$'iqn.2026-11.x:<img src=x onerror="document.title=1"><script>alert(1)</script>\xff'
# Not by way of timeout(1): a KILL would end that one only.
iscsi-perf -i "$name" -m 1 "$url/1" >"$work/perf.out" 2>&1 &
helpers+=($!)
for _ in $(seq 100); do
  [ "$(cm copy-operation list --running --json | jq .total)" -ge 1 ] && [ "$(cm session list --json | jq '.sessions|length')" -ge 2 ] && break
  sleep 0.1
done

# browse NAME OPTION...: what the page has become after three of its seconds, as $work/NAME.html. (On busy processors a
# browser whose time is virtual waits for ever for a picture, unless it finishes each before the next.)
browse() {
  timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/chromium" --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --disable-extensions --log-net-log="$work/$1.net" \
    --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' --enable-logging=stderr \
    --virtual-time-budget=3000 --run-all-compositor-stages-before-draw "${@:2}" "$page/" >"$work/$1.html" 2>"$work/$1.err" ||
    fail "chromium: $(tail -3 "$work/$1.err")"
  ! grep CONSOLE "$work/$1.err" || fail "the browser complains"
  # All that the page asked for, it asked of its own origin. (What the browser asks for has another initiator.)
  jq -r --arg page "$page" '(.constants.logEventTypes.URL_REQUEST_START_JOB) as $start | .events[] |
    select(.type == $start and .params.initiator == $page) | .params.url' "$work/$1.net" >"$work/$1.urls" || fail "no log of requests"
  grep -q "^$page/v1/" "$work/$1.urls" || fail "nothing was asked: $(cat "$work/$1.urls")"
  grep -v -e "^$page/" -e '^data:' "$work/$1.urls" && fail "asked elsewhere"
  return 0
}
# in_page TEXT: stands in a page that was dumped.
in_page() { grep -qF "$2" "$work/$1.html" || fail "no $2 in the page: $(tr '>' '>\n' <"$work/$1.html" | tail -200)"; }
# left NAME: the seconds of the token that nobody uses.
left() { grep -o "$hash</td>.\{0,200\}" "$work/$1.html" | sed -n 's#.*<span>\([0-9]*\) s<.*#\1#p' | head -1; }

browse first --dump-dom
in_page first '<title>copymgr</title>'
in_page first '&lt;img src=x onerror="document.title=1"&gt;&lt;script&gt;alert(1)&lt;/script&gt;'
in_page first '&lt;b&gt;a&amp;amp;.img'
in_page first "$hash"
in_page first 'WRITE USING TOKEN'
in_page first 'token.created'
in_page first 'data-state="good"'
grep -q '<img\|<script>alert' "$work/first.html" && fail "markup of a name became the page's"
[ "$(grep -o 'data-label="LUN"' "$work/first.html" | wc -l)" -eq 4 ] || fail "not four LUNs"
first=$(left first)
sleep 2
browse second --dump-dom
second=$(left second)
[ -n "$first" ] && [ -n "$second" ] && [ "$second" -lt "$first" ] || fail "the token's time does not run down: '$first', then '$second'"
for _ in $(seq 10); do
  grep -q '<progress max="1" class="" aria-label="[0-9]* %" value="0\.[0-9]*">' "$work/second.html" && running=1 && break
  browse second --dump-dom
done
[ -n "${running:-}" ] || fail "no running copy with its progress in ten pages"
for width in 400 1400; do
  browse "picture$width" --window-size=$width,1800 --screenshot="$pictures/web_page_$width.png"
  file -b "$pictures/web_page_$width.png" | grep -q "PNG image data, $width x" || fail "no picture $width wide"
done

# The daemon ends while a browser is there.
timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" --remote-debugging-port=0 "$page/" >"$work/last.err" 2>&1 &
browser=$!
sleep 1
kill -KILL "${helpers[@]}" 2>/dev/null || true
stop_target
kill $browser 2>/dev/null || true
wait $browser 2>/dev/null || true
