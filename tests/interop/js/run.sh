#!/bin/sh
# SPDX-License-Identifier: MIT
# JavaScript's clients on the sandbox: GramJS and mtcute, on Node 20 or newer.
set -eu
cd "$(dirname "$0")"

major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -lt 20 ]; then
    echo "skipped: Node 20 or newer is needed to run GramJS and mtcute, and there is none"
    exit 0
fi
cmp -s package-lock.json node_modules/.installed || npm ci --silent
cp package-lock.json node_modules/.installed
# The libraries keep timers after their clients are closed.
exec node --test --test-concurrency=1 --test-force-exit "$@"
