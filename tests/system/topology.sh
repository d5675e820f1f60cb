#!/usr/bin/env bash
# The four configurations of Microsoft's ODX guide: one or two servers with one or two arrays.
set -euo pipefail
command -v jq >/dev/null || { printf 'SKIPPED: no jq\n'; exit 77; }
"$(dirname "$0")/../../tools/topology" all 64
