# SPDX-License-Identifier: MIT
"""Every error that Telegram is known to answer, raised by the sandbox and read over HTTP: its status by the
contract's table, a sentence, and the wait where there is one. The reading of the contract below is this test's own."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUMBER = 17

UNAUTHORIZED = {
    "ACTIVE_USER_REQUIRED", "AUTH_KEY_DUPLICATED", "AUTH_KEY_INVALID", "AUTH_KEY_PERM_EMPTY", "AUTH_KEY_UNREGISTERED",
    "SESSION_EXPIRED", "SESSION_PASSWORD_NEEDED", "SESSION_REVOKED", "USER_DEACTIVATED", "USER_DEACTIVATED_BAN",
}
ABSENT = {
    "CHANNEL_ID_INVALID", "CHANNEL_INVALID", "CHAT_ID_INVALID", "COLLECTIBLE_NOT_FOUND", "INPUT_METHOD_INVALID",
    "MESSAGE_ID_INVALID", "METHOD_INVALID", "MSG_ID_INVALID", "PEER_ID_INVALID", "PHONE_NOT_OCCUPIED",
    "REPLY_MESSAGE_ID_INVALID", "STARGIFT_NOT_FOUND", "UNKNOWN_METHOD", "USERNAME_NOT_OCCUPIED", "USER_DELETED",
    "USER_ID_INVALID", "WALLPAPER_NOT_FOUND", "WEBPAGE_NOT_FOUND",
}
# Said with 400 or 406, and yet about what the account may do.
NOT_ALLOWED = {
    "ALLOW_PAYMENT_REQUIRED", "BOT_METHOD_INVALID", "CHANNEL_BANNED", "CHANNEL_PRIVATE", "FROZEN_METHOD_INVALID",
    "FROZEN_PARTICIPANT_MISSING", "PARTICIPANT_JOIN_MISSING", "PHONE_NUMBER_BANNED", "PREMIUM_ACCOUNT_REQUIRED",
    "UPDATE_APP_TO_LOGIN", "USERPIC_PRIVACY_REQUIRED", "USER_BANNED_IN_CHANNEL", "USER_BLOCKED", "USER_BOT_REQUIRED",
    "USER_IS_BLOCKED", "USER_KICKED", "USER_NOT_PARTICIPANT", "YOU_BLOCKED_USER",
}
LIMITED = {"API_ID_PUBLISHED_FLOOD", "PEER_FLOOD", "PHONE_NUMBER_FLOOD", "PHONE_PASSWORD_FLOOD", "SEND_CODE_UNAVAILABLE"}
REPEATED = {"INVITE_REQUEST_SENT", "RANDOM_ID_DUPLICATE"}
OURS = {"CONNECTION_LAYER_INVALID", "CONNECTION_NOT_INITED", "MSG_WAIT_FAILED"}
WAIT = re.compile(r"(WAIT|INIT_DELAY|TOO_FRESH|TOO_EARLY|SEND_FLOOD_(MONTHLY|WEEKLY))_%d(MIN)?$")


def table():
    for line in (ROOT / "schema" / "errors.tsv").read_text().splitlines():
        name, code = line.split("\t")
        yield name, int(code)


def expected(name, code):
    """The statuses that fit, and the seconds to wait."""
    if wait := WAIT.search(name):
        return {429}, NUMBER * (60 if wait.group(3) else 1)
    base = name.replace("_%d", "")
    for names, status in ((UNAUTHORIZED, 401), (ABSENT, 404), (NOT_ALLOWED, 403), (LIMITED, 429), (REPEATED, 409),
                          (OURS, 502)):
        if base in names:
            return {status}, None
    if base.upper().endswith(("TIMEOUT", "TIMEDOUT")):
        return {504}, None
    if code == 303 or "MIGRATE" in name:
        return {502}, None
    if code == 403 or base.endswith(("_FORBIDDEN", "_RESTRICTED", "_ADMIN_REQUIRED", "_PREMIUM_REQUIRED")):
        return {403}, None
    return ({502, 503} if code >= 500 else {400}), None


def test_the_whole_table(new_account, control):
    client = new_account()
    wrong, seen, sentences = [], 0, {}
    for name, code in table():
        text = name.replace("%d", str(NUMBER))
        statuses, wait = expected(name, code)
        with control.fault(f"user={client.user_id},method=help.getNearestDc,do=error:{code}:{text}"):
            answer = client.http.post("/methods/help.getNearestDc", json={}, headers={"X-Session-String": client.session})
        body = answer.json()
        seen += 1
        if answer.status_code == 503:
            wait = 1  # what the gateway asks for wherever it says 503
        if answer.status_code not in statuses or body.get("wait_seconds") != wait:
            wrong.append((name, code, answer.status_code, body))
        if answer.headers.get("retry-after") != (str(body["wait_seconds"]) if "wait_seconds" in body else None):
            wrong.append((name, code, "Retry-After", answer.headers.get("retry-after")))
        if "MIGRATE" not in name and body["error"] != text:
            wrong.append((name, code, "error", body["error"]))
        if not re.fullmatch(r"[A-Z].{8,}[.]", body["detail"]):
            wrong.append((name, code, "detail", body["detail"]))
        sentences[name] = body["detail"]
    assert not wrong, "\n".join(map(str, wrong))
    assert seen > 800
    for name in UNAUTHORIZED - {"ACTIVE_USER_REQUIRED", "SESSION_PASSWORD_NEEDED", "USER_DEACTIVATED",
                                "USER_DEACTIVATED_BAN"}:
        assert "Log in again" in sentences[name], name
    assert client.get("/me")["id"] == client.user_id


@pytest.mark.parametrize("error, status, advice", [
    ("420:FROZEN_METHOD_INVALID", 403, "Appeal"),
    ("401:USER_DEACTIVATED", 401, "sign up"),
    ("401:USER_DEACTIVATED_BAN", 401, "Appeal"),
    ("401:SESSION_REVOKED", 401, "Log in again"),
    ("406:AUTH_KEY_DUPLICATED", 401, "session of its own"),
    ("401:AUTH_KEY_UNREGISTERED", 401, "Log in again"),
])
def test_what_an_account_in_trouble_is_told(new_account, control, error, status, advice):
    client = new_account()
    name = error.split(":")[1]
    with control.fault(f"user={client.user_id},method=messages.sendMessage,do=error:{error}"):
        told = client.error("POST", "/messages/send", status, name, json={"chat_id": "me", "text": "in trouble"})
    assert advice in told["detail"]


# ---- accounts and keys in trouble, as the sandbox's own state ----


def test_a_frozen_account_reads_but_does_not_write(new_account, control):
    client = new_account()
    sent = client.send("me", "before the frost")
    control.run(f"account {client.phone} frozen")
    assert client.messages("me", limit=1)[0]["id"] == sent["message_id"]
    for method, path, body in [
        ("POST", "/messages/send", {"chat_id": "me", "text": "cold"}),
        ("POST", "/messages/edit", {"chat_id": "me", "message_id": sent["message_id"], "new_text": "colder"}),
        ("POST", "/messages/forward", {"from_chat_id": "me", "to_chat_id": "me", "message_id": sent["message_id"]}),
    ]:
        told = client.error(method, path, 403, "FROZEN_METHOD_INVALID", json=body)
        assert "Appeal" in told["detail"]
    control.run(f"account {client.phone} good")
    assert client.send("me", "thawed")["success"]


@pytest.mark.parametrize("state, error", [
    ("banned", "USER_DEACTIVATED_BAN"), ("deactivated", "USER_DEACTIVATED"), ("revoked", "SESSION_REVOKED"),
    ("expired", "SESSION_EXPIRED"), ("unregistered", "AUTH_KEY_UNREGISTERED"), ("duplicated", "AUTH_KEY_DUPLICATED"),
])
def test_a_session_that_is_over_says_why(new_account, control, state, error):
    client = new_account()
    control.run(f"account {client.phone} {state}")
    for method, path in (("GET", "/me"), ("GET", "/chats"), ("GET", "/auth/sessions")):
        told = client.error(method, path, 401, error)
        assert len(told["detail"]) > 20


@pytest.mark.parametrize("state, status, error", [
    ("phone_flood", 429, "PHONE_NUMBER_FLOOD"), ("banned", 403, "PHONE_NUMBER_BANNED"),
])
def test_a_number_in_trouble(new_account, api, control, state, status, error):
    client = new_account()
    control.run(f"account {client.phone} {state}")
    api.error("POST", "/auth/send_code", status, error,
              json={"phone": client.phone, "api_id": 1, "api_hash": "0123456789abcdef0123456789abcdef"}, session=False)


def test_a_wait_is_slept_out_where_the_client_prefers_that(new_account, control):
    client = new_account()
    for kind in ("FLOOD_WAIT_1", "SLOWMODE_WAIT_1", "FLOOD_PREMIUM_WAIT_1"):
        rule = f"user={client.user_id},method=messages.sendMessage,do=error:420:{kind},count=1"
        with control.fault(rule):
            told = client.error("POST", "/messages/send", 429, kind, json={"chat_id": "me", "text": "too soon"})
            assert told["wait_seconds"] == 1
        with control.fault(rule) as hits:
            assert client.send("me", "worth waiting for", headers={"Prefer": "wait=2"})["success"]
            assert hits() == 1
