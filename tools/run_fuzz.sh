#!/bin/sh
# SPDX-License-Identifier: MIT
# run_fuzz.sh SECONDS TARGET...: each libFuzzer target for that long, from its committed corpus and
# its regressions; new inputs go to a corpus under build/. Stops at the first finding.
set -eu
seconds=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for target in "$@"; do
    name=$(basename "$target")
    grown="build/fuzz/corpus/$name"
    mkdir -p "$grown" "fuzz/corpus/$name" "fuzz/regressions/$name"
    echo "fuzz: $name for $seconds s"
    status=0
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="build/fuzz/found-$name-" \
        "$grown" "fuzz/corpus/$name" "fuzz/regressions/$name" >"$log" 2>&1 || status=$?
    grep -E 'ERROR|SUMMARY|number_of_executed_units|Test unit written' "$log" || true
    # Not every end leaves an input behind: a target may fail to start, or leak.
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$log" >&2
        echo "fuzz: $name ended with status $status; inputs, if any: build/fuzz/found-$name-*" >&2
        exit 1
    fi
done
echo "fuzz: $# passed, 0 failed"
