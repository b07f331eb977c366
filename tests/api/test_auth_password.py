# SPDX-License-Identifier: MIT
"""The 2FA password: set, changed, removed, its recovery e-mail, and recovered at login. Telethon's own arithmetic checks
what the gateway computed."""
import base64

import pytest
from telethon import password as telethon_password
from telethon.tl import types

from accounts import code_of, log_in, password_hash, unique
from processes import SECRETS


def secret(words="correct horse"):
    text = unique(words)
    SECRETS.text(text)
    return text


def put(client, expect=200, **body):
    return client.request("PUT", "/auth/password", expect, json=body).json()


def state(client):
    return client.get("/auth/password")


def email_code(control, phone):
    code = control.run(f"email_codes {phone}")[-1].split()[-1]
    SECRETS.code(code)
    return code


def begin(api, phone):
    api.send_code(phone)
    asked = api.verify_code(code_of(phone))
    assert asked["next_step"] == "verify_password"
    return asked


# ---- set, change, remove ----


def test_an_account_without_one(new_account):
    assert state(new_account()) == {
        "has_password": False, "hint": None, "has_recovery_email": False, "unconfirmed_email": None, "reset_date": None}


def test_set_and_log_in_with_it(new_account, connect, gateway):
    owner, password = new_account(), secret()
    told = put(owner, new_password=password, hint="four words")
    assert told["has_password"] and not told["email_confirmation_needed"] and told["code_length"] is None
    assert state(owner)["has_password"] and state(owner)["hint"] == "four words"
    assert log_in(connect(gateway), owner.phone, password).user_id == owner.user_id


def test_change(new_account, connect, gateway):
    owner, first, second = new_account(), secret("first"), secret("пароль второй 🔑")
    put(owner, new_password=first, hint="one")
    put(owner, current_password=first, new_password=second)
    assert state(owner)["hint"] == "one", "what is not given stays"
    api = connect(gateway)
    begin(api, owner.phone)
    api.error("POST", "/auth/verify_password", 400, "PASSWORD_HASH_INVALID", json={"password": first})
    assert api.verify_password(second)["next_step"] == "completed"


def test_only_the_hint(new_account, connect, gateway):
    owner, password = new_account(), secret()
    put(owner, new_password=password, hint="old hint")
    put(owner, current_password=password, hint="new hint")
    assert state(owner)["hint"] == "new hint"
    put(owner, current_password=password, hint="")
    assert state(owner)["hint"] is None
    assert put(owner, 400, current_password=password, hint=password)["field"] == "hint", "everybody would see it"
    assert state(owner)["hint"] is None
    assert log_in(connect(gateway), owner.phone, password).user_id == owner.user_id


def test_remove(new_account, connect, gateway):
    owner, password = new_account(), secret()
    put(owner, new_password=password, hint="soon gone")
    assert owner.delete("/auth/password", current_password=password)["has_password"] is False
    assert state(owner) == {**state(owner), "has_password": False, "hint": None}
    assert log_in(connect(gateway), owner.phone).user_id == owner.user_id
    owner.error("DELETE", "/auth/password", 400, "PASSWORD_NOT_SET", json={"current_password": password})


def test_telethon_computes_the_same(new_account):
    """The proof that Telethon makes of the password passes for what the gateway set."""
    owner, password = new_account(), secret()
    put(owner, new_password=password)
    told = owner.call("account.getPassword")
    algo = told["current_algo"]
    raw = {name: base64.b64decode(algo[name]) for name in ("salt1", "salt2", "p")}
    assert len(raw["salt1"]) >= 32
    mine = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(g=algo["g"], **raw)
    assert telethon_password.compute_hash(mine, password) == password_hash(password, raw["salt1"], raw["salt2"])
    request = types.account.Password(
        new_algo=mine, new_secure_algo=types.SecurePasswordKdfAlgoUnknown(), secure_random=b"", has_password=True,
        current_algo=mine, srp_B=base64.b64decode(told["srp_B"]), srp_id=int(told["srp_id"]))
    proof = telethon_password.compute_check(request, password)
    settings = owner.call("account.getPasswordSettings", password={
        "_": "inputCheckPasswordSRP", "srp_id": str(proof.srp_id), "A": base64.b64encode(proof.A).decode(),
        "M1": base64.b64encode(proof.M1).decode()})
    assert settings["_"] == "account.passwordSettings"


# ---- what is refused ----


@pytest.mark.parametrize("body, field", [
    ({}, "new_password"), ({"current_password": "x y z 1"}, "new_password"), ({"new_password": ""}, "new_password"),
    ({"new_password": 5}, "new_password"), ({"new_password": "same thing", "hint": "same thing"}, "hint"),
    ({"hint": "hint alone 1"}, "new_password"), ({"recovery_email": "user@example.org"}, "new_password"),
    ({"current_password": "was never set", "hint": "a hint 12"}, "new_password"),
    ({"new_password": "x" * 1025}, "new_password"), ({"new_password": "good enough", "hint": "h" * 256}, "hint"),
])
def test_bad_settings(new_account, body, field):
    owner = new_account()
    for name in ("current_password", "new_password", "hint"):
        if isinstance(body.get(name), str) and body[name]:
            SECRETS.text(body[name])
    told = put(owner, 400, **body)
    assert told["error"] == "INVALID_PARAMETER" and told["field"] == field
    assert not state(owner)["has_password"]


def test_the_old_password_is_asked_for(new_account):
    owner, password = new_account(), secret()
    put(owner, new_password=password)
    assert put(owner, 400, new_password=secret("other"))["field"] == "current_password"
    for wrong in (secret("wrong"), password + " "):
        for method, body in (("PUT", {"new_password": secret("other")}), ("DELETE", {})):
            told = owner.error(method, "/auth/password", 400, "PASSWORD_HASH_INVALID", json={"current_password": wrong, **body})
            assert told["field"] == "current_password"
    assert owner.error("DELETE", "/auth/password", 400, "INVALID_PARAMETER")["field"] == "current_password"
    assert state(owner)["has_password"]


def test_narrowed_strings_do_not_touch_it(new_account, connect, gateway):
    owner = new_account()
    narrowed = connect(gateway, owner.post("/auth/restrict", expires_in=600)["session_string"])
    for method, path, body in [
        ("GET", "/auth/password", None), ("PUT", "/auth/password", {"new_password": secret()}),
        ("DELETE", "/auth/password", {"current_password": "none is set"}), ("POST", "/auth/password/recover", {}),
        ("POST", "/auth/password/confirm_email", {"code": "123456"}), ("GET", "/auth/sessions", None),
        ("DELETE", "/auth/sessions", None),
    ]:
        narrowed.error(method, path, 403, "SCOPE_ACCOUNT", json=body)


def test_only_logged_in(api, numbers):
    api.error("GET", "/auth/password", 401, "NO_SESSION")
    api.send_code(numbers.new())
    api.error("GET", "/auth/password", 401, "LOGIN_NOT_FINISHED")
    api.error("POST", "/auth/password/recover", 400, "WRONG_LOGIN_STEP", json={})


# ---- the recovery e-mail ----


@pytest.fixture
def protected(new_account, control):
    """An account with a password and a confirmed recovery e-mail."""
    owner, password = new_account(), secret()
    told = put(owner, new_password=password, hint="the usual", recovery_email="somebody@example.org")
    assert told["email_confirmation_needed"] and told["code_length"] == len(email_code(control, owner.phone))
    pending = state(owner)
    assert "example.org" in pending["unconfirmed_email"] and "somebody" not in pending["unconfirmed_email"]
    owner.error("POST", "/auth/password/confirm_email", 400, "CODE_INVALID", json={"code": "000000x"})
    assert owner.last.json()["field"] == "code"
    owner.post("/auth/password/confirm_email", code=email_code(control, owner.phone))
    owner.password = password
    return owner


def test_a_recovery_email_is_confirmed(protected):
    told = state(protected)
    assert told["has_password"] and told["has_recovery_email"] and told["unconfirmed_email"] is None


def test_a_recovery_email_may_be_added_later(new_account, control):
    owner, password = new_account(), secret()
    put(owner, new_password=password)
    told = put(owner, current_password=password, recovery_email="later@example.org")
    assert told["email_confirmation_needed"]
    first = email_code(control, owner.phone)
    owner.post("/auth/password/resend_email")
    second = email_code(control, owner.phone)
    assert owner.post("/auth/password/confirm_email", code=second)["message"]
    assert state(owner)["has_recovery_email"] and len(first) == len(second)


def test_a_recovery_email_may_be_given_up(new_account, control):
    owner, password = new_account(), secret()
    put(owner, new_password=password)
    put(owner, current_password=password, recovery_email="never@example.org")
    owner.post("/auth/password/cancel_email")
    assert state(owner)["unconfirmed_email"] is None and not state(owner)["has_recovery_email"]


@pytest.mark.parametrize("email", ["nobody", "@x", "a b@example.org"])
def test_a_bad_recovery_email(new_account, email):
    told = put(new_account(), 400, new_password=secret(), recovery_email=email)
    assert told["field"] == "recovery_email"


# ---- recovered at login ----


@pytest.mark.parametrize("with_new_password", [True, False])
def test_a_forgotten_password(protected, control, connect, gateway, with_new_password):
    api = connect(gateway)
    begin(api, protected.phone)
    asked = api.post("/auth/password/recover")
    assert asked["next_step"] == "recover_password" and "example.org" in asked["email_pattern"]
    refused = api.error("POST", "/auth/password/recover", 400, "CODE_INVALID", json={"code": "99999y"})
    assert refused["field"] == "code"
    fresh = secret("fresh")
    body = {"new_password": fresh, "hint": "fresh one"} if with_new_password else {}
    done = api.post("/auth/password/recover", code=email_code(control, protected.phone), **body)
    assert done["next_step"] == "completed" and api.get("/me")["id"] == protected.user_id
    assert state(api)["has_password"] is with_new_password
    assert state(api)["hint"] == ("fresh one" if with_new_password else None)
    assert log_in(connect(gateway), protected.phone, fresh if with_new_password else None).user_id == protected.user_id


def test_a_password_that_cannot_be_recovered(new_account, connect, gateway):
    owner = new_account()
    put(owner, new_password=secret())
    api = connect(gateway)
    begin(api, owner.phone)
    told = api.error("POST", "/auth/password/recover", 400, "PASSWORD_RECOVERY_NA", json={})
    assert "official app" in told["detail"]


def test_recovery_goes_on_at_another_replica(protected, control, connect, gateway, start_gateway):
    api = connect(gateway)
    begin(api, protected.phone)
    api.post("/auth/password/recover")
    other = connect(start_gateway(warm="off"), api.session)
    control.run(f"drop {protected.phone}")
    done = other.post("/auth/password/recover", code=email_code(control, protected.phone))
    assert done["next_step"] == "completed"
