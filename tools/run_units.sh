#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs unit test programs one after the other: quiet where all is well, whole where not, and one
# closing line with the sums.
set -u
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    # The bound is for a program that hangs: none takes a tenth of it.
    if timeout 600 "$program" >"$log" 2>&1; then
        status=ok
    else
        status=FAILED
    fi
    n=$(grep -c '^\[       OK \]' "$log")
    bad=$(grep -c '^\[  FAILED  \] [a-z_0-9]*$' "$log")
    # A program that died without saying which test failed counts as one.
    [ $status = ok ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + n))
    failed=$((failed + bad))
    printf '%-6s %4d  %s\n' "$status" "$n" "${program#build/}"
    [ $status = ok ] || cat "$log"
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
