#!/usr/bin/env bash
# docs/openapi.yaml says what a daemon that runs does: its routes, what they take, what they answer.
. "$(dirname "$0")/../support/target.sh"
python3 -c 'import yaml, jsonschema; jsonschema.Draft202012Validator' 2>/dev/null || skip "needs python3-yaml and python3-jsonschema"
command -v iscsi-perf >/dev/null || skip "libiscsi-bin is not installed"
here=$(cd "$(dirname "$0")" && pwd)

head -c 4M /dev/urandom >"$work/a.img"
start_target --lun "0=file:$work/a.img" --lun "1=file:$work/b.img,size=4M" --lun 2=memory:4M --lun 3=memory:256M --lun 4=memory:256M
timeout 300 python3 -W ignore::DeprecationWarning "$here/openapi.py" "$here/../../docs/openapi.yaml" "$work/state/admin.socket" \
  "$bin/copymgr" "$url" "$work" || fail "the file and the daemon differ"
