#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian/Ubuntu packages of a group that are missing: build, run, test, fuzz, bench, interop, …
# Does nothing, quickly, when all are there.
set -eu

build="pkg-config libuv1-dev libhttp-parser-dev libjson-c-dev libsodium-dev libssl-dev zlib1g-dev libqrencode-dev"
run="curl"
test="python3 python3-venv curl libcmocka-dev"
fuzz="clang libclang-rt-14-dev"
bench="nginx-light wrk"
interop="nginx-light haproxy curl python3-venv"
format="clang-format"
coverage="lcov"

wanted=
for group in "$@"; do
    eval "wanted=\"\$wanted \$$group\""
done

missing=
for package in $wanted; do
    state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install what your system calls these Debian packages:$missing" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Run as root, or install:$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
