#!/bin/sh
# SPDX-License-Identifier: MIT
# run_fuzz.sh SECONDS TARGET...: each libFuzzer target for that long, from its committed corpus and
# its regressions; new inputs go to a corpus under build/. Stops at the first finding.
set -eu
seconds=$1
shift
for target in "$@"; do
    name=$(basename "$target")
    grown="build/fuzz/corpus/$name"
    mkdir -p "$grown" "fuzz/corpus/$name" "fuzz/regressions/$name"
    echo "fuzz: $name for $seconds s"
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="build/fuzz/found-$name-" \
        "$grown" "fuzz/corpus/$name" "fuzz/regressions/$name" 2>&1 |
        grep -E 'ERROR|SUMMARY|number_of_executed_units|Test unit written' || true
    if ls build/fuzz/found-"$name"-* >/dev/null 2>&1; then
        echo "fuzz: $name found something: build/fuzz/found-$name-*" >&2
        exit 1
    fi
done
echo "fuzz: $# passed, 0 failed"
