# SPDX-License-Identifier: MIT
"""Telegram misbehaves, on order: the gateway mends what can be mended and tells the rest."""
import concurrent.futures
import time

import pytest

import metrics
from accounts import code_of, log_in, sign_up, unique
from processes import wait_until


@pytest.fixture
def aside():
    """Runs calls beside the test."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool.submit


def rule(client, method, do, count=1):
    return f"user={client.user_id},method={method},do={do}" + (f",count={count}" if count else "")


# ---- time ----

HASTY_S = 4  # a call's time: what is not held up is answered within it, busy as the machine may be


def test_no_answer_within_the_deadline(new_account, start_gateway, control):
    client = new_account()
    with client.at(start_gateway(options=["--timeout", HASTY_S])) as hasty:
        with control.fault(rule(client, "messages.getDialogs", "delay:30000", None)):
            began = time.monotonic()
            hasty.error("GET", "/chats", 504, "TIMEOUT")
            assert time.monotonic() - began > HASTY_S - 0.1
        assert hasty.get("/me")["id"] == client.user_id


def test_a_write_past_the_deadline_has_an_unknown_outcome(new_account, start_gateway, control):
    client = new_account()
    sent = client.send("me", unique("before"))
    with client.at(start_gateway(options=["--timeout", HASTY_S])) as hasty:
        with control.fault(rule(client, "messages.editMessage", f"delay:{HASTY_S + 2}000")):
            body = {"chat_id": "me", "message_id": sent["message_id"], "new_text": unique("after")}
            hasty.error("POST", "/messages/edit", 504, "OUTCOME_UNKNOWN", json=body)
            # It was on its way, and arrives.
            wait_until(lambda: hasty.message("me", sent["message_id"])["text"] == body["new_text"], "the edit")


def test_a_delay_within_the_deadline_is_only_slow(new_account, control):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", "delay:400")):
        began = time.monotonic()
        client.get("/chats")
        assert time.monotonic() - began >= 0.4


def test_slow_calls_do_not_hold_up_others_of_the_session(new_account, control, aside):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", "delay:6000")) as hits:
        with client.at(client.gateway) as other:
            slow = aside(other.get, "/chats")
            wait_until(lambda: hits() == 1, "the slow call")
            client.get("/me")
            assert not slow.done()
            slow.result()


@pytest.mark.parametrize("seconds", [600, -600, 7 * 86400])
def test_a_data_centre_with_another_clock(start_sandbox, start_gateway, numbers, connect, seconds):
    sandbox = start_sandbox(options=["--fault", f"do=clock_skew:{seconds}"])
    client = sign_up(connect(start_gateway(at=sandbox)), numbers.new())
    text = unique("out of time")
    client.send("me", text)
    assert client.messages("me", limit=1)[0]["text"] == text
    with client.at(start_gateway(at=sandbox)) as fresh:
        assert fresh.get("/me")["id"] == client.user_id


@pytest.mark.parametrize("warm", ["300", "off"])
def test_a_clock_that_jumps_ahead(start_sandbox, start_gateway, numbers, connect, warm):
    sandbox = start_sandbox()
    client = sign_up(connect(start_gateway(at=sandbox, warm=warm)), numbers.new())
    client.send("me", unique("before the jump"))
    with sandbox.control.fault("do=clock_skew:600"):
        for _ in range(2):
            text = unique("after the jump")
            client.send("me", text)
            assert client.messages("me", limit=1)[0]["text"] == text
            sandbox.control.run("drop_all")


@pytest.mark.parametrize("seconds", [900, -900])
def test_a_clock_that_jumps_and_jumps_back_under_a_session(start_sandbox, start_gateway, numbers, connect, seconds):
    sandbox = start_sandbox()
    client = sign_up(connect(start_gateway(at=sandbox)), numbers.new())
    texts = [unique(f"{when} the jump of {seconds}") for when in ("before", "after", "back from")]
    client.send("me", texts[0])
    with sandbox.control.fault(f"do=clock_skew:{seconds}"):
        client.send("me", texts[1])
        assert client.messages("me", limit=1)[0]["text"] == texts[1]
    client.send("me", texts[2])
    assert [m["text"] for m in client.messages("me", limit=3)] == texts[::-1]


def test_a_clock_that_jumps_back(start_sandbox, start_gateway, numbers, connect):
    sandbox = start_sandbox()
    client = sign_up(connect(start_gateway(at=sandbox, warm="off")), numbers.new())
    client.send("me", unique("before the jump"))
    for seconds in (-600, 600, -600):
        with sandbox.control.fault(f"do=clock_skew:{seconds}"):
            text = unique("after the jump")
            client.send("me", text)
            assert client.messages("me", limit=1)[0]["text"] == text
    assert client.get("/me")["id"] == client.user_id


# ---- salts, transport ----


@pytest.mark.one_process
def test_a_bad_salt_costs_a_round_trip_and_no_more(new_account, gateway, control):
    client = new_account()
    client.get("/chats")
    with control.fault(rule(client, "messages.getDialogs", "bad_salt")):
        client.get("/chats")
        before = metrics.read(gateway)["tgrest_upstream_round_trips_total"]
        client.get("/chats")
        assert metrics.read(gateway)["tgrest_upstream_round_trips_total"] == before + 2


def test_one_transport_error_404_is_forgiven(new_account, control):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", "transport_error:404", 1)) as hits:
        client.get("/chats")
        assert hits() == 1


def test_a_key_that_telegram_does_not_know_any_more(new_account, control):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", "transport_error:404", None)):
        client.error("GET", "/chats", 401, "AUTH_KEY_UNREGISTERED")


def test_a_transport_flood(new_account, control):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", "transport_error:429", None)):
        client.error("GET", "/chats", 429, "TRANSPORT_FLOOD")
    client.get("/chats")


def test_frames_of_noise_are_ignored(new_account, control):
    client = new_account()
    with control.fault(rule(client, "messages.*", "garbage", None)):
        for _ in range(3):
            text = unique("through the noise")
            client.send("me", text)
            assert client.messages("me", limit=1)[0]["text"] == text


# ---- connections ----


def test_a_connection_dropped_between_two_calls(new_account, control):
    client = new_account()
    for _ in range(3):
        control.run(f"drop {client.phone}")
        assert client.get("/me")["id"] == client.user_id


def test_a_connection_dropped_under_calls(new_account, control, aside):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", "delay:300", 4)) as hits:
        others = [client.at(client.gateway) for _ in range(4)]
        calls = [aside(other.get, "/chats") for other in others]
        wait_until(lambda: hits() == 4, "all calls under way")
        control.run(f"drop {client.phone}")
        for call in calls:
            assert call.result()["total_count"] == 0
        for other in others:
            other.close()


@pytest.mark.parametrize("do", ["drop_before", "reset"])
def test_a_connection_that_always_breaks(new_account, control, do):
    client = new_account()
    with control.fault(rule(client, "messages.getDialogs", do, None)):
        answer = client.request("GET", "/chats", 502).json()
        assert answer["error"] == "UPSTREAM_UNREACHABLE"
    client.get("/chats")


def test_a_data_centre_that_is_gone(start_sandbox, start_gateway, numbers, connect):
    sandbox = start_sandbox()
    gateway = start_gateway(at=sandbox)
    client = sign_up(connect(gateway), numbers.new())
    sandbox.control.close()
    sandbox.kill()
    client.error("GET", "/chats", 502, "UPSTREAM_UNREACHABLE")
    client.error("POST", "/auth/send_code", 502, "UPSTREAM_UNREACHABLE",
                 json={"phone": numbers.new(), "api_id": 1, "api_hash": "0" * 32})
    assert client.get("/healthz")["status"] == "ok"


# ---- logins ----


@pytest.mark.parametrize("method, do", [
    ("auth.sendCode", "drop_after"), ("auth.sendCode", "delay:300"), ("auth.signIn", "drop_after"),
    ("auth.signIn", "bad_salt"), ("auth.signUp", "drop_before"), ("auth.signUp", "garbage"),
])
def test_a_login_survives(api, numbers, control, method, do):
    phone = numbers.new()
    with control.fault(f"phone={phone},method={method},do={do},count=1") as hits:
        sign_up(api, phone)
        assert hits() == 1


def test_a_flood_wait_at_login(api, numbers, control):
    phone = numbers.new()
    with control.fault(f"phone={phone},method=auth.sendCode,do=flood_wait:77"):
        body = {"phone": phone, "api_id": 1, "api_hash": "0" * 32}
        assert api.error("POST", "/auth/send_code", 429, "FLOOD_WAIT_77", json=body)["wait_seconds"] == 77


def test_migrations_in_circles_end(api, numbers, control):
    phone = numbers.new()
    with control.fault(f"phone={phone},method=auth.sendCode,do=migrate:3"):
        body = {"phone": phone, "api_id": 1, "api_hash": "0" * 32}
        assert api.request("POST", "/auth/send_code", 502, json=body).json()["error"].endswith("_MIGRATE_3")


def test_a_migration_to_nowhere(api, numbers, control):
    phone = numbers.new()
    with control.fault(f"phone={phone},method=auth.sendCode,do=migrate:5"):
        body = {"phone": phone, "api_id": 1, "api_hash": "0" * 32}
        assert api.request("POST", "/auth/send_code", 502, json=body).json()["error"] in (
            "UNKNOWN_DATA_CENTRE", "UPSTREAM_UNREACHABLE")


def test_a_password_proof_that_went_stale(new_account, api, control):
    from accounts import set_password

    client = new_account()
    password = unique("stale password")
    set_password(client, password)
    api.send_code(client.phone)
    api.verify_code(code_of(client.phone))
    with control.fault("method=auth.checkPassword,do=error:400:SRP_ID_INVALID,count=1") as hits:
        assert api.verify_password(password)["next_step"] == "completed"
        assert hits() == 1


# ---- keys used twice ----


def test_a_key_used_in_parallel_dies(new_account, start_gateway, control, aside):
    """Two replicas with one session at the same moment: Telegram kills the key, and both are told."""
    client = new_account()
    with client.at(start_gateway()) as other, control.fault(rule(client, "messages.getDialogs", "delay:10000")) as hits:
        slow = aside(client.http.get, "/chats", headers={"X-Session-String": client.session})
        wait_until(lambda: hits() == 1, "the first call under way")
        other.error("GET", "/me", 401, "AUTH_KEY_DUPLICATED")
        assert slow.result().status_code in (200, 401)
        other.error("GET", "/me", 401, "AUTH_KEY_DUPLICATED")
        client.error("GET", "/chats", 401, "AUTH_KEY_DUPLICATED")


def test_logins_of_one_account_do_not_kill_each_other(new_account, connect, gateway, control, aside):
    first = new_account()
    second = log_in(connect(gateway), first.phone)
    before = control.stats()["duplicated"]
    calls = [aside(client.get, "/me") for client in (first, second) * 20]
    assert {call.result()["id"] for call in calls} == {first.user_id}
    assert control.stats()["duplicated"] == before


def test_an_error_in_the_middle_of_paging(new_account, control):
    """Half an answer is no answer."""
    from accounts import new_group

    client = new_account()
    for i in range(110):
        new_group(client, title=f"Chat {i}")
    with control.fault(f"user={client.user_id},method=messages.getDialogs,after=1,do=flood_wait:5"):
        body = client.error("GET", "/chats", 429, "FLOOD_WAIT_5", params={"limit": 0})
        assert "chats" not in body
