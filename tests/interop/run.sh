#!/bin/sh
# SPDX-License-Identifier: MIT
# Software of others against us: runs the suites, or those that are named (go, js, python), two at a time; each
# installs what it needs. Says what each wrote, ends with the last lines of each, and fails if one of them did.
set -u
cd "$(dirname "$0")/../.."

OUTPUTS=$(mktemp -d)
export OUTPUTS
trap 'rm -rf "$OUTPUTS"' EXIT
tools/install_packages.sh interop || exit
[ $# -gt 0 ] || set -- go js python

# shellcheck disable=SC2016
printf '%s\n' "$@" | xargs -P 2 -I SUITE sh -c '
    echo "== SUITE begins"
    tests/interop/SUITE/run.sh >"$OUTPUTS/SUITE" 2>&1
    echo $? >"$OUTPUTS/SUITE.status"
    echo "== SUITE ends"'

for suite in "$@"; do
    echo "== $suite"
    cat "$OUTPUTS/$suite"
done
echo
status=0
for suite in "$@"; do
    ended=$(cat "$OUTPUTS/$suite.status")
    [ "$ended" = 0 ] || status=1
    echo "== $suite: status $ended"
    tail -n 8 "$OUTPUTS/$suite"
done
exit $status
