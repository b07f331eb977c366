#!/bin/sh
# SPDX-License-Identifier: MIT
# gotd, a client and a server written in Go, against ours. TGREST_BINARY says which tgrest (build/tgrest).
set -eu
cd "$(dirname "$0")"

folder=$(../toolchain.sh go) || exec ../skip.sh "no Go for gotd"
PATH=$folder:$PATH
export PATH GOTOOLCHAIN=local GOFLAGS=-mod=readonly
exec go test -count=1 -timeout 10m "$@" ./...
