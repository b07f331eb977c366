#!/bin/sh
# SPDX-License-Identifier: MIT
# Software of others against us: runs the run.sh of each subfolder, or of those that are named, each of which
# installs what it needs. Ends with the last lines of each runner, and fails if one of them did.
set -u
cd "$(dirname "$0")/../.."

summaries=$(mktemp)
trap 'rm -f "$summaries" "$summaries.out" "$summaries.status"' EXIT
[ $# -gt 0 ] || set -- tests/interop/*/run.sh

status=0
for suite in "$@"; do
    case $suite in */run.sh) ;; *) suite=tests/interop/$suite/run.sh ;; esac
    echo "== $suite"
    # A pipe would hide the suite's own status.
    { "$suite" 2>&1; echo $? >"$summaries.status"; } | tee "$summaries.out"
    read -r ended <"$summaries.status"
    [ "$ended" -eq 0 ] || status=1
    {
        echo "== $suite: status $ended"
        tail -n 8 "$summaries.out"
    } >>"$summaries"
done
echo
cat "$summaries"
exit $status
