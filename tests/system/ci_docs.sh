#!/usr/bin/env bash
# The examples of docs/ci.md as they stand there.
. "$(dirname "$0")/../support/target.sh"
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../tools" && pwd)
page=$tools/../docs/ci.md
export PATH=$bin:$tools:$PATH
# block LANGUAGE: the first code of the page in it.
block() { awk -v open="\`\`\`$1" '$0 == open {inside = 1; next} /^```$/ {if (inside) exit} inside' "$page"; }
cd "$work"
printf '#!/bin/sh\ncopymgr info "$COPYMGR_URL/1" | grep -q 4096\n' >my-tests
chmod +x my-tests
block sh >line.sh
[ -s line.sh ] || fail "the page has no first example"
timeout 60 bash line.sh || fail "the first example"

mkdir project
cat >project/offload.sh <<'END'
#!/bin/sh
exec copymgr copy "$COPYMGR_URL/0" "$COPYMGR_URL/1" --verify
END
chmod +x project/offload.sh
{ printf 'cmake_minimum_required(VERSION 3.25)\nproject(a NONE)\nenable_testing()\n'; block cmake; } >project/CMakeLists.txt
cmake -S project -B project/build >cmake.log && (cd project/build && timeout 60 ctest >ctest.log) || fail "the CTest line: $(cat ctest.log)"

for python in python3 /usr/bin/python3 none; do
  [ $python != none ] || { printf 'pytest is not here: the fixture was not run\n'; exit 0; }
  $python -c 'import pytest' 2>/dev/null && break
done
block python >test_page.py
timeout 120 $python -m pytest -q test_page.py >pytest.log 2>&1 || fail "the fixture: $(tail -5 pytest.log)"
grep -q "1 passed" pytest.log || fail "the fixture: $(cat pytest.log)"
