# SPDX-License-Identifier: MIT
"""Logging in and out: https://core.telegram.org/api/auth over the four /auth endpoints."""
import pytest

from accounts import code_of, log_in, set_password, sign_up, unique
from client import API_HASH, API_ID
from commands import inspect
from processes import SECRETS


# ---- by code ----


def test_a_known_number_logs_in_with_its_code(new_account, api):
    first = new_account()
    sent = api.send_code(first.phone)
    assert sent["message"] == "Verification code sent"
    assert sent["next_step"] == "verify_code"
    assert sent["code_type"] and sent["code_length"] == 5 and sent["timeout"] > 0
    assert sent["session_string"] == api.session
    done = api.verify_code(code_of(first.phone))
    assert done == {
        "message": "Successfully authenticated",
        "next_step": "completed",
        "session_string": api.session,
    }
    assert api.get("/me")["id"] == first.user_id


def test_each_step_gives_the_string_in_body_and_header(new_account, api):
    phone = new_account().phone
    sent = api.send_code(phone)
    assert api.last.headers["x-session-string"] == sent["session_string"]
    done = api.verify_code(code_of(phone))
    assert api.last.headers["x-session-string"] == done["session_string"]
    assert done["session_string"] != sent["session_string"]


def test_an_unchanged_session_is_not_echoed(new_account):
    client = new_account()
    client.get("/chats")
    client.get("/chats")
    assert "x-session-string" not in client.last.headers


def test_a_phone_number_may_be_written_as_people_do(new_account, api):
    phone = new_account().phone
    api.send_code(f"+{phone[:5]} {phone[5:]}")
    assert api.verify_code(code_of(phone))["next_step"] == "completed"


def test_any_other_number_gets_a_random_code(api, sandbox):
    phone = "4915112345678"
    since = sandbox.mark()
    api.send_code(phone)
    code = sandbox.login_code(phone, since)
    assert len(code) == 5
    assert api.verify_code(code, first_name="Random")["next_step"] == "completed"


def test_the_code_also_comes_as_a_message_to_the_other_sessions(new_account, api, sandbox):
    first = new_account()
    sent = api.send_code(first.phone)
    assert sent["code_type"] == "app"
    service = first.messages(777000, limit=1)[0]
    assert code_of(first.phone) in service["text"]
    assert service["sender_id"] == 777000


@pytest.mark.parametrize("wrong", ["00000", "1", "no code at all"])
def test_a_wrong_code_is_refused_and_may_be_corrected(new_account, api, wrong):
    phone = new_account().phone
    api.send_code(phone)
    api.error("POST", "/auth/verify_code", 400, "PHONE_CODE_INVALID", json={"code": wrong})
    assert api.verify_code(code_of(phone))["next_step"] == "completed"


def test_too_many_wrong_codes_end_the_attempt(new_account, api):
    phone = new_account().phone
    api.send_code(phone)
    names = [api.post("/auth/verify_code", 400, code="00000")["error"] for _ in range(6)]
    assert names[0] == "PHONE_CODE_INVALID" and names[-1] == "PHONE_CODE_EXPIRED"
    api.error("POST", "/auth/verify_code", 400, "PHONE_CODE_EXPIRED", json={"code": code_of(phone)})


def test_an_expired_code_is_refused(start_sandbox, start_gateway, numbers, connect):
    sandbox = start_sandbox()
    client = connect(start_gateway(at=sandbox))
    phone = numbers.new()
    client.send_code(phone)
    sandbox.control.run("clock_advance 301")
    client.error("POST", "/auth/verify_code", 400, "PHONE_CODE_EXPIRED", json={"code": code_of(phone)})
    # And a new one is to be had.
    sign_up(client, phone)


# ---- signing up ----


def test_a_new_number_signs_up_at_once_with_a_name(api, numbers):
    phone = numbers.new()
    api.send_code(phone)
    done = api.verify_code(code_of(phone), first_name="Ada", last_name="Lovelace")
    assert done["message"] == "Successfully authenticated" and done["next_step"] == "completed"
    me = api.get("/me")
    user = api.call("users.getUsers", id=["me"])[0]
    assert (user["first_name"], user["last_name"], user["phone"]) == ("Ada", "Lovelace", phone)
    assert me["id"] == int(user["id"]) and me["username"] is None


def test_a_new_number_without_a_name_is_asked_for_one(api, numbers):
    phone = numbers.new()
    api.send_code(phone)
    asked = api.verify_code(code_of(phone))
    assert asked["message"] == "Sign-up required" and asked["next_step"] == "sign_up"
    assert asked["session_string"] == api.session
    done = api.verify_code(code_of(phone), first_name="Grace")
    assert done["next_step"] == "completed"
    assert api.call("users.getUsers", id=["me"])[0]["first_name"] == "Grace"


def test_the_second_half_of_a_sign_up_insists_on_the_name(api, numbers):
    phone = numbers.new()
    api.send_code(phone)
    api.verify_code(code_of(phone))
    refused = api.error("POST", "/auth/verify_code", 400, "INVALID_PARAMETER", json={"code": code_of(phone)})
    assert refused["field"] == "first_name"


def test_names_are_bounded(api, numbers):
    phone = numbers.new()
    api.send_code(phone)
    body = {"code": code_of(phone), "first_name": "x" * 65}
    assert api.error("POST", "/auth/verify_code", 400, "INVALID_PARAMETER", json=body)["field"] == "first_name"


# ---- with a password ----


@pytest.fixture(scope="module")
def protected(gateway, numbers):
    """An account with a password: its number, password and hint."""
    from client import Api

    with Api(gateway) as client:
        sign_up(client, numbers.new(2), "Careful")
        password = unique("correct horse")
        set_password(client, password, hint="four words")
        yield client.phone, password, "four words"


def test_a_protected_account_logs_in_with_code_and_password(protected, api):
    phone, password, hint = protected
    api.send_code(phone)
    asked = api.verify_code(code_of(phone))
    assert asked["message"] == "2FA password required" and asked["next_step"] == "verify_password"
    assert asked["hint"] == hint and asked["session_string"] == api.session
    done = api.verify_password(password)
    assert done == {
        "message": "Successfully authenticated with 2FA",
        "next_step": "completed",
        "session_string": api.session,
    }
    assert api.call("users.getUsers", id=["me"])[0]["phone"] == phone


def test_a_wrong_password_is_refused_and_may_be_corrected(protected, api):
    phone, password, _ = protected
    api.send_code(phone)
    api.verify_code(code_of(phone))
    for wrong in ("wrong horse battery", password + " ", password.upper()):
        refused = api.error("POST", "/auth/verify_password", 400, "PASSWORD_HASH_INVALID", json={"password": wrong})
        assert refused["field"] == "password"
    assert api.verify_password(password)["next_step"] == "completed"


def test_the_password_step_cannot_be_skipped(protected, api):
    phone, _, _ = protected
    api.send_code(phone)
    api.verify_code(code_of(phone))
    api.error("GET", "/chats", 401, "LOGIN_NOT_FINISHED")
    api.error("POST", "/auth/verify_code", 400, "WRONG_LOGIN_STEP", json={"code": code_of(phone)})


def test_a_password_without_a_hint(new_account, connect, gateway):
    first = new_account()
    set_password(first, unique("another password"))
    second = connect(gateway)
    second.send_code(first.phone)
    assert second.verify_code(code_of(first.phone))["hint"] is None


def test_a_password_in_other_scripts(new_account, connect, gateway):
    first = new_account()
    password = unique("пароль 密码 🔑")
    set_password(first, password)
    assert log_in(connect(gateway), first.phone, password).user_id == first.user_id


# ---- what cannot be begun, and in what order ----


@pytest.mark.parametrize("phone", ["12a456789", "+++", "123", "999662500x", "1234567890123456"])
def test_a_bad_phone_number(api, phone):
    body = {"phone": phone, "api_id": API_ID, "api_hash": API_HASH}
    api.error("POST", "/auth/send_code", 400, "PHONE_NUMBER_INVALID", json=body)


@pytest.mark.parametrize("api_hash", ["short", "g" * 32, "0" * 31])
def test_bad_api_credentials(api, numbers, api_hash):
    SECRETS.text(api_hash)
    body = {"phone": numbers.new(), "api_id": API_ID, "api_hash": api_hash}
    api.error("POST", "/auth/send_code", 400, "API_ID_INVALID", json=body)


@pytest.mark.parametrize("path, body", [
    ("/auth/verify_code", {"code": "22222"}),
    ("/auth/verify_password", {"password": "swordfish and more"}),
])
def test_a_step_needs_the_session_of_the_one_before(api, path, body):
    api.error("POST", path, 401, "NO_SESSION", json=body)


def test_steps_in_the_wrong_order(api, new_account):
    phone = new_account().phone
    api.send_code(phone)
    api.error("POST", "/auth/verify_password", 400, "WRONG_LOGIN_STEP", json={"password": "not yet asked"})
    api.error("GET", "/me", 401, "LOGIN_NOT_FINISHED")
    api.verify_code(code_of(phone))
    api.error("POST", "/auth/verify_code", 400, "WRONG_LOGIN_STEP", json={"code": code_of(phone)})
    api.error("POST", "/auth/verify_password", 400, "WRONG_LOGIN_STEP", json={"password": "not asked any more"})
    assert api.get("/chats")["total_count"] >= 0


def test_a_new_code_may_be_asked_for_at_any_step(api, new_account):
    phone = new_account().phone
    api.send_code(phone)
    api.send_code(phone)
    assert api.verify_code(code_of(phone))["next_step"] == "completed"


# ---- the data centre where the account is ----


@pytest.mark.parametrize("dc", [1, 2, 3])
def test_a_login_moves_to_the_accounts_data_centre(binary, gateway, key_file, api, numbers, dc):
    """The gateway begins at data centre 2; Telegram sends it on with PHONE_MIGRATE."""
    phone = numbers.new(dc)
    sign_up(api, phone)
    assert inspect(binary, key_file, api.session)["dc"] == dc
    text = unique("at home")
    api.send("me", text)
    assert api.messages("me", limit=1)[0]["text"] == text


def test_data_centres_see_each_other(new_account):
    far, near = new_account(dc=3), new_account(dc=1)
    far.set_username("far_away_account")
    text = unique("across")
    near.send("@far_away_account", text)
    assert far.messages(near.user_id, limit=1)[0]["text"] == text


# ---- logging out ----


def test_logging_out_kills_the_key(new_account, control):
    client = new_account()
    keys = control.stats()["keys"]
    answer = client.delete("/auth/logout")
    assert answer["message"] == "Successfully logged out"
    assert control.stats()["keys"] == keys - 1
    client.error("GET", "/chats", 401, "AUTH_KEY_UNREGISTERED")
    client.error("DELETE", "/auth/logout", 401, "AUTH_KEY_UNREGISTERED")


def test_logging_out_leaves_the_other_logins_alone(new_account, connect, gateway):
    first = new_account()
    second = log_in(connect(gateway), first.phone)
    first.delete("/auth/logout")
    assert second.get("/me")["id"] == first.user_id


def test_the_logout_token_spares_the_code(new_account, api):
    client = new_account()
    token = client.delete("/auth/logout")["logout_token"]
    done = api.send_code(client.phone, logout_token=token)
    assert done["message"] == "Successfully authenticated" and done["next_step"] == "completed"
    assert api.get("/me")["id"] == client.user_id
    # Once.
    again = api.send_code(client.phone, logout_token=token)
    assert again["next_step"] == "verify_code"


def test_a_token_that_is_none_is_refused(api, numbers):
    body = {"phone": numbers.new(), "api_id": API_ID, "api_hash": API_HASH, "logout_token": "?? no base64 ??"}
    assert api.error("POST", "/auth/send_code", 400, "INVALID_PARAMETER", json=body)["field"] == "logout_token"


def test_half_a_login_can_be_given_up(api, new_account, control):
    phone = new_account().phone
    api.send_code(phone)
    keys = control.stats()["keys"]
    assert api.delete("/auth/logout")["message"] == "Successfully logged out"
    assert control.stats()["keys"] == keys - 1


def test_a_session_that_was_ended_elsewhere(new_account, control):
    client = new_account()
    control.run(f"revoke {client.phone}")
    client.error("GET", "/chats", 401, "SESSION_REVOKED")


@pytest.mark.parametrize("path, body, status, error", [
    ("/auth/send_code", {"phone": "not a number"}, 400, "PHONE_NUMBER_INVALID"),
    ("/auth/send_code", {"phone": "9996620001", "api_hash": "none"}, 400, "API_ID_INVALID"),
    ("/auth/bot", {"bot_token": "1:none"}, 400, "ACCESS_TOKEN_INVALID"),
    ("/auth/qr", {"api_hash": "none"}, 400, "API_ID_INVALID"),
])
def test_a_login_that_does_not_begin_leaves_the_clients_session_alone(new_account, path, body, status, error):
    """Whoever takes over each string that comes back would lose a good one for a key without an account."""
    client = new_account()
    before = client.session
    client.error("POST", path, status, error, json={"api_id": API_ID, "api_hash": API_HASH, **body})
    assert "x-session-string" not in client.last.headers and client.session == before
    assert client.get("/me")["id"] == client.user_id


def test_an_import_that_fails_leaves_the_clients_session_alone(new_account, connect, gateway):
    client, dead = new_account(), new_account()
    string = dead.post("/auth/export", format="telethon")["string"]
    dead.delete("/auth/logout")
    before = client.session
    client.error("POST", "/auth/import", 401, "AUTH_KEY_UNREGISTERED",
                 json={"string": string, "api_id": API_ID, "api_hash": API_HASH})
    assert "x-session-string" not in client.last.headers and client.session == before
