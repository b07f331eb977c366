#!/bin/sh
# SPDX-License-Identifier: MIT
# curl: two requests one after the other, a chunked body, a request that is aborted amid its body.
set -eu
chunked() {
    curl -sS --fail-with-body -H "X-Session-String: $SESSION" -H 'Content-Type: application/json' \
        -H 'Transfer-Encoding: chunked' -X POST -T - "$@"
}

curl -sS --fail-with-body -H "X-Session-String: $SESSION" "$GATEWAY/me" -o /dev/null --next \
    -sS --fail-with-body -H "X-Session-String: $SESSION" "$GATEWAY/me" -o /dev/null -w '%{num_connects}\n' |
    grep -qx 0 || { echo "the connection was not kept" >&2; exit 1; }
printf '{"chat_id":"me","text":"chunked by curl"}' | chunked "$GATEWAY/messages/send" -o /dev/null
status=0
{ printf '{"chat_id":"me","text":"never'; sleep 1; } | chunked --max-time 0.2 "$GATEWAY/messages/send" || status=$?
[ $status -eq 28 ] || { echo "aborted: curl ended with $status" >&2; exit 1; }
