#!/bin/sh
# SPDX-License-Identifier: MIT
# curl: a form of unknown length with $FILE, the file back, a range of it, and one transfer each way that is cut off.
set -eu
back=$(mktemp)
trap 'rm -f "$back"' EXIT

call() {
    curl -sS --fail-with-body -H "X-Session-String: $SESSION" "$@"
}
send() {
    caption=$1
    shift
    call -H 'Transfer-Encoding: chunked' -F chat_id=me -F "text=$caption" -F 'file=@-;filename=noise.bin' "$@" \
        "$GATEWAY/messages/send_with_file"
}

id=$(send "file by curl" <"$FILE" | sed -n 's/.*"message_id": *\([0-9]*\).*/\1/p')
media="$GATEWAY/messages/media/$id?chat_id=me"
call "$media" -o "$back"
cmp "$FILE" "$back"
call -r 1000005-1001004 "$media" -o "$back" -w '%{http_code}\n' | grep -qx 206
tail -c +1000006 "$FILE" | head -c 1000 | cmp - "$back"

status=0
send "never" --limit-rate 1M --max-time 1 <"$FILE" || status=$?
[ $status -eq 28 ] || { echo "cut off: curl ended with $status" >&2; exit 1; }
call "$media" | head -c 1000 >"$back"
head -c 1000 "$FILE" | cmp - "$back"
