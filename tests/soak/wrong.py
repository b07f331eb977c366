# SPDX-License-Identifier: MIT
"""Requests with a mistake in them, and the status that each deserves."""
from dataclasses import dataclass, field

BODY_OVER = 2 * 1024 * 1024  # the gateway's default bound is 1 MiB

# Where a request gets as far as Telegram, its faults answer first.
OF_TELEGRAM = {400, 401, 403, 404, 409, 429, 502, 504}


@dataclass
class Case:
    method: str
    path: str
    status: int
    content: dict = field(default_factory=dict)
    session: str = "own"
    asks: bool = False  # Telegram is asked


JSON = {"Content-Type": "application/json"}
CASES = [
    Case("GET", "/nothing/here", 404),
    Case("PUT", "/messages/send", 405, {"json": {}}),
    Case("POST", "/messages/send", 400, {"content": b"{", "headers": JSON}),
    Case("POST", "/messages/send", 400, {"content": b'{"chat_id":"me","text":"\xff\xfe"}', "headers": JSON}),
    Case("POST", "/messages/send", 400, {"json": {"chat_id": "me"}}),
    Case("POST", "/messages/send", 400, {"json": {"chat_id": "me", "text": 7}}),
    Case("POST", "/messages/send", 400, {"json": {"chat_id": [], "text": "x"}}),
    Case("POST", "/messages/send", 400, {"json": {"chat_id": "me", "text": "x" * 5000}}, asks=True),
    Case("POST", "/messages/send", 413, {"content": b" " * BODY_OVER, "headers": JSON}),
    Case("POST", "/messages/send", 415, {"content": b"chat_id=me", "headers": {"Content-Type": "text/plain"}}),
    Case("POST", "/messages/send", 404, {"json": {"chat_id": -1009999999999, "text": "x"}}, asks=True),
    Case("POST", "/messages/send", 401, {"json": {"chat_id": "me", "text": "x"}}, session="none"),
    Case("POST", "/messages/edit", 404, {"json": {"chat_id": "me", "message_id": 2000000000, "new_text": "x"}},
         asks=True),
    Case("DELETE", "/messages/delete", 400, {"json": {"chat_id": "me", "message_ids": []}}),
    Case("DELETE", "/messages/delete", 400, {"json": {"chat_id": "me", "message_ids": [2000000000]}}, asks=True),
    Case("GET", "/messages", 400, {"params": {"chat_id": "me", "limit": "0"}}),
    Case("GET", "/messages", 400, {"params": {"limit": "5"}}),
    Case("GET", "/messages", 400, {"params": {"chat_id": "me", "from_date": "yesterday"}}),
    Case("GET", "/chats", 401, session="forged"),
    Case("GET", "/chats", 401, session="cut"),
    Case("GET", "/me", 401, session="none"),
    Case("POST", "/methods/no.suchMethod", 404, {"json": {}}),
    Case("POST", "/methods/users.getUsers", 400, {"json": {"id": 5}}),
    Case("POST", "/groups/join", 404, {"json": {"group_identifier": "@nobody_has_this_name"}}, asks=True),
    Case("POST", "/auth/verify_code", 400, {"json": {"code": "12345"}}),
    Case("POST", "/auth/send_code", 400, {"json": {"phone": "1", "api_id": 1, "api_hash": "0" * 32}}, session="none"),
]


def session_of(case, account, rng):
    if case.session == "none":
        return ""
    if case.session == "cut":
        return account.session[: rng.randrange(5, len(account.session) - 1)]
    if case.session == "forged":
        at = rng.randrange(5, len(account.session))
        other = "A" if account.session[at] != "A" else "Q"
        return account.session[:at] + other + account.session[at + 1:]
    return account.session
