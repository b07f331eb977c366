#!/bin/sh
# SPDX-License-Identifier: MIT
# Software of others against us: runs the suites, or those that are named (go, js, python), two at a time; each
# installs what it needs. Says what each wrote (build/interop has it as it comes), ends with the last lines of each,
# and fails if one of them did.
set -u
cd "$(dirname "$0")/../.."

# Go keeps what it fetches and builds there, and does nothing where there is none.
[ -n "${HOME:-}" ] || HOME=$PWD/build/home
mkdir -p "$HOME"
export HOME

outputs=build/interop
mkdir -p "$outputs"
rm -f "$outputs"/*
[ $# -gt 0 ] || set -- python js go # the longest first

printf '%s\n' "$@" | xargs -P 2 -I SUITE sh -c '
    echo "== SUITE begins"
    tests/interop/SUITE/run.sh >build/interop/SUITE 2>&1
    echo $? >build/interop/SUITE.status
    echo "== SUITE ends"'

for suite in "$@"; do
    echo "== $suite"
    cat "$outputs/$suite"
done
echo
status=0
for suite in "$@"; do
    ended=$(cat "$outputs/$suite.status")
    [ "$ended" = 0 ] || status=1
    echo "== $suite: status $ended"
    tail -n 8 "$outputs/$suite"
done
exit $status
