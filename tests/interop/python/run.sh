#!/bin/sh
# SPDX-License-Identifier: MIT
# Python's clients and tools against us: Kurigram on the sandbox; generated and plain HTTP clients, a fuzzer of
# the contract and proxies on the gateway. Installs what they need into build/venv-interop.
set -eu
cd "$(dirname "$0")/../../.."

tools/install_packages.sh build test interop
[ -x build/tgrest ] || make --no-print-directory all

venv=build/venv-interop
requirements=tests/interop/python/requirements.txt
wanted=$(cat tests/requirements.txt "$requirements")
if [ "$wanted" != "$(cat "$venv/installed" 2>/dev/null)" ]; then
    [ -d "$venv" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    echo "$wanted" >"$venv/installed"
fi
for tool in go node; do
    folder=$(tests/interop/toolchain.sh $tool) || exec tests/interop/skip.sh "no $tool for the plain HTTP clients"
    PATH=$folder:$PATH
done
export PATH GOTOOLCHAIN=local
exec "$venv/bin/pytest" -q -p no:cacheprovider tests/interop/python "$@"
