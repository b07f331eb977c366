#!/bin/sh
# SPDX-License-Identifier: MIT
# JavaScript's clients on the sandbox: GramJS and mtcute. TGREST_BINARY says which tgrest (build/tgrest).
set -eu
cd "$(dirname "$0")"

folder=$(../toolchain.sh node) || exec ../skip.sh "no Node for GramJS and mtcute"
PATH=$folder:$PATH
npm=$folder/../lib/node_modules/npm/bin/npm-cli.js # PyPI's npm does not know where it is
[ -f "$npm" ] || npm=$(command -v npm)
if ! cmp -s package-lock.json node_modules/.installed; then
    node "$npm" ci --silent
    cp package-lock.json node_modules/.installed
fi
# The libraries keep timers after their clients are closed.
exec node --test --test-concurrency=2 --test-force-exit "$@"
