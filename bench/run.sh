#!/bin/sh
# SPDX-License-Identifier: MIT
# Throughput, latency, CPU and memory of the gateway, side by side with nginx and a Python wrapper.
# The report is on standard output and in build/bench/report.md.
#   BENCH_SECONDS   of each measurement (3)
#   BENCH_SESSIONS  warm sessions at most, for the memory table (10000)
set -eu
cd "$(dirname "$0")/.."
venv=build/bench/venv
# Every warm session is a descriptor in the gateway and one in the sandbox.
ulimit -n "$(ulimit -Hn)"
mkdir -p build/bench
if ! cmp -s bench/requirements.txt "$venv/requirements.txt"; then
    echo "installing the Python wrapper's packages into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r bench/requirements.txt
    cp bench/requirements.txt "$venv/requirements.txt"
fi
exec "$venv/bin/python" bench/bench.py
