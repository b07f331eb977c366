# SPDX-License-Identifier: MIT
"""Codes asked for again and given up, bots, and where an account is logged in."""
import pytest

from accounts import code_of, log_in, unique
from client import API_HASH, API_ID
from processes import SECRETS

# ---- resend_code, cancel_code ----


def test_a_code_is_sent_another_way(api, new_account, control):
    phone = new_account().phone
    ways = [api.send_code(phone)["code_type"]]
    while True:
        answer = api.http.post("/auth/resend_code", headers={"X-Session-String": api.session})
        if answer.status_code != 200:
            break
        told = answer.json()
        assert told["next_step"] == "verify_code"
        api.session = told["session_string"]
        SECRETS.text(api.session)
        ways.append(told["code_type"])
        assert len(ways) < 10
    assert answer.json()["error"] == "SEND_CODE_UNAVAILABLE" and answer.status_code == 429
    assert len(set(ways)) == len(ways) > 1
    assert api.verify_code(code_of(phone))["next_step"] == "completed"


def test_the_code_of_a_resent_one_counts(api, new_account, numbers):
    phone = numbers.new()
    api.send_code(phone)
    api.post("/auth/resend_code")
    answer = api.verify_code(code_of(phone), first_name="Later")
    assert answer["next_step"] == "completed"


def test_a_cancelled_code_is_void(api, new_account, control):
    phone = new_account().phone
    api.send_code(phone)
    session, keys = api.session, control.stats()["keys"]
    assert api.post("/auth/cancel_code") == {"message": "Login cancelled"}
    assert control.stats()["keys"] == keys - 1, "its key is of no more use"
    api.session = session
    answer = api.http.post("/auth/verify_code", json={"code": code_of(phone)}, headers={"X-Session-String": session})
    assert answer.status_code in (400, 401), answer.text


@pytest.mark.parametrize("path", ["/auth/resend_code", "/auth/cancel_code"])
def test_only_where_a_code_is_on_its_way(api, new_account, path):
    api.error("POST", path, 401, "NO_SESSION")
    client = new_account()
    client.error("POST", path, 400, "WRONG_LOGIN_STEP")


# ---- bots ----


@pytest.fixture
def bot_token(control):
    token = control.run("bot gateway_test_bot")[0].split()[-1]
    SECRETS.text(token)
    return token


def bot_login(api, token, expect=200):
    return api.request("POST", "/auth/bot", expect, session=False,
                       json={"bot_token": token, "api_id": API_ID, "api_hash": API_HASH}).json()


def test_a_bot_logs_in(api, bot_token):
    answer = bot_login(api, bot_token)
    assert answer["next_step"] == "completed" and answer["session_string"] == api.session
    me = api.get("/me")
    assert me["is_bot"] and me["username"] == "gateway_test_bot"
    told = api.error("GET", "/chats", 403, "BOT_METHOD_INVALID")
    assert "log in as a user" in told["detail"]


def test_a_bot_writes_to_who_wrote_to_it(api, bot_token, new_account):
    bot_login(api, bot_token)
    user = new_account()
    user.set_username(f"friend_of_bot_{user.user_id}")
    user.send("@gateway_test_bot", unique("hello bot"))
    text = unique("hello user")
    api.send(f"@friend_of_bot_{user.user_id}", text)
    assert user.messages("@gateway_test_bot", limit=1)[0]["text"] == text


@pytest.mark.parametrize("token", ["nonsense", "1:AAAA", "123456789:" + "A" * 35])
def test_a_bad_bot_token(api, token):
    SECRETS.text(token)
    assert bot_login(api, token, 400)["field"] == "bot_token"
    assert api.last.json()["error"] == "ACCESS_TOKEN_INVALID"


def test_a_revoked_bot_token(api, control):
    control.run("bot revoked_test_bot")
    token = control.run("bot revoked_test_bot")[0].split()[-1]
    SECRETS.text(token)
    control.run("bot_revoke revoked_test_bot")
    assert bot_login(api, token, 400)["error"] == "ACCESS_TOKEN_EXPIRED"


# ---- where the account is logged in ----


def sessions(client):
    return client.get("/auth/sessions")["sessions"]


def test_the_sessions_of_an_account(new_account, connect, gateway):
    first = new_account()
    second = log_in(connect(gateway), first.phone)
    told = sessions(first)
    assert len(told) == 2 and [s["current"] for s in told].count(True) == 1
    current = next(s for s in told if s["current"])
    assert current["api_id"] == API_ID and current["ip"] and current["created"] and current["active"]
    mine = next(s for s in sessions(second) if s["current"])
    other = next(s for s in sessions(second) if not s["current"])
    assert other["hash"] != "0" and mine["hash"] != other["hash"]


def test_one_other_session_is_ended(new_account, connect, gateway):
    first = new_account()
    others = [log_in(connect(gateway), first.phone) for _ in range(2)]
    gone = next(s for s in sessions(others[0]) if s["current"])
    by_others = {s["hash"] for s in sessions(first) if not s["current"]}
    assert len(by_others) == 2 and gone["current"]
    ended = next(iter(by_others))
    assert first.delete(f"/auth/sessions?hash={ended}") == {"message": "Session ended"}
    left = sessions(first)
    assert len(left) == 2 and ended not in {s["hash"] for s in left}
    states = [c.http.get("/me", headers={"X-Session-String": c.session}) for c in others]
    assert sorted(s.status_code for s in states) == [200, 401]
    refused = next(s for s in states if s.status_code == 401).json()
    assert refused["error"] in ("SESSION_REVOKED", "AUTH_KEY_UNREGISTERED")


def test_all_other_sessions_are_ended(new_account, connect, gateway):
    first = new_account()
    others = [log_in(connect(gateway), first.phone) for _ in range(2)]
    first.delete("/auth/sessions")
    assert len(sessions(first)) == 1
    for other in others:
        other.request("GET", "/me", 401)


@pytest.mark.parametrize("bad, status", [("x", 400), ("0", 400), ("1.5", 400), ("123456789", 404), ("9" * 20, 400)])
def test_a_session_that_is_none(alice, bad, status):
    told = alice.request("DELETE", f"/auth/sessions?hash={bad}", status).json()
    assert told["field"] == "hash" and told["error"] == ("HASH_INVALID" if status == 404 else "INVALID_PARAMETER")
