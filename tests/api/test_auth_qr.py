# SPDX-License-Identifier: MIT
"""QR logins: shown, scanned by another session, followed to the account's data centre, on to 2FA."""
import base64
import re
import struct
import threading
import time
import zlib

import pytest

from accounts import set_password, unique
from client import API_HASH, API_ID
from processes import DEADLINE_S, SECRETS


def show(api):
    answer = api.request("POST", "/auth/qr", session=False, json={"api_id": API_ID, "api_hash": API_HASH}).json()
    assert answer["next_step"] == "qr_wait"
    return answer


def wait(api, timeout=0):
    return api.get("/auth/qr/wait", timeout=timeout)


def token_of(answer):
    url = answer["url"]
    assert url.startswith("tg://login?token=")
    token = url.removeprefix("tg://login?token=")
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    SECRETS.text(token)
    return token


def scan(client, answer):
    """What an official app does with the code."""
    token = token_of(answer)
    return client.call("auth.acceptLoginToken", token=base64.b64encode(
        base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))).decode())


# ---- the pictures ----


def svg_modules(svg):
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg).group(1))
    dark = [[False] * size for _ in range(size)]
    path = re.search(r'<path d="([^"]*)"/></svg>$', svg).group(1)
    for x, y, n, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path):
        assert n == back
        for i in range(int(n)):
            dark[int(y)][int(x) + i] = True
    return dark


def png_modules(uri):
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(png):
        n, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + n]
        assert struct.unpack(">I", png[at + 8 + n : at + 12 + n])[0] == zlib.crc32(kind + data)
        chunks.append((kind, data))
        at += 12 + n
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert width == height and depth == 1 and colour == 0 and rest == [0, 0, 0]
    rows, row = zlib.decompress(chunks[1][1]), 1 + (width + 7) // 8
    assert len(rows) == row * height and all(rows[y * row] == 0 for y in range(height))
    pixels = [[not rows[y * row + 1 + x // 8] >> (7 - x % 8) & 1 for x in range(width)] for y in range(height)]
    return [line[4::8] for line in pixels[4::8]]


def test_both_pictures_show_the_same_code(api):
    answer = show(api)
    svg, png = svg_modules(answer["svg"]), png_modules(answer["png"])
    assert svg == png
    assert not any(svg[0]) and not any(svg[3]) and not any(line[0] for line in svg), "the quiet zone"
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    assert [[int(d) for d in line[4:11]] for line in svg[4:11]] == [[int(d) for d in row] for row in finder]


# ---- the login ----


def test_a_scanned_code_logs_in(api, new_account, control):
    owner = new_account()
    shown = show(api)
    scan(owner, shown)
    done = wait(api)
    assert done["next_step"] == "completed" and done["session_string"] == api.session
    assert api.get("/me")["id"] == owner.user_id
    api.error("GET", "/auth/qr/wait", 400, "WRONG_LOGIN_STEP")


def test_the_wait_ends_when_it_is_scanned(api, new_account):
    owner = new_account()
    shown = show(api)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(wait(api, 60)))
    begun = time.monotonic()
    waiting.start()
    scan(owner, shown)
    waiting.join(DEADLINE_S)
    assert answers[0]["next_step"] == "completed" and time.monotonic() - begun < 45


def test_a_wait_that_is_over_shows_the_same_code(api):
    shown = show(api)
    again = wait(api)
    assert again["next_step"] == "qr_wait"
    assert [again[k] for k in ("url", "svg", "png", "expires_at")] == [shown[k] for k in ("url", "svg", "png", "expires_at")]


def test_a_new_code_is_shown_when_the_old_one_has_expired(start_sandbox, start_gateway, connect):
    sandbox = start_sandbox()
    client = connect(start_gateway(at=sandbox))
    shown = show(client)
    # Not past the 30 s that clients allow a server's clock to jump.
    sandbox.control.run("clock_advance 26")
    begun = time.monotonic()
    fresh = wait(client, 60)
    assert time.monotonic() - begun < 45, "it ends when there is something new to show"
    assert fresh["next_step"] == "qr_wait" and fresh["url"] != shown["url"] and fresh["expires_at"] > shown["expires_at"]


@pytest.mark.parametrize("dc", [1, 3])
def test_the_login_follows_to_the_accounts_data_centre(api, new_account, dc):
    owner = new_account(dc=dc)
    scan(owner, show(api))
    assert wait(api)["next_step"] == "completed"
    text = unique("from afar")
    api.send("me", text)
    assert owner.messages("me", limit=1)[0]["text"] == text


@pytest.mark.parametrize("dc", [2, 3])
def test_a_protected_account_is_asked_for_its_password(api, new_account, dc):
    owner, password = new_account(dc=dc), unique("qr password")
    set_password(owner, password, hint="the usual")
    scan(owner, show(api))
    asked = wait(api)
    assert asked["next_step"] == "verify_password" and asked["hint"] == "the usual"
    assert api.verify_password(password)["next_step"] == "completed"
    assert api.get("/me")["id"] == owner.user_id


def test_it_goes_on_at_another_replica_after_a_restart(api, new_account, start_gateway, connect):
    owner = new_account()
    first = start_gateway()
    client = connect(first)
    shown = show(client)
    assert wait(client)["url"] == shown["url"]
    first.stop()
    other = client.at(start_gateway())
    assert wait(other)["url"] == shown["url"]
    scan(owner, shown)
    assert wait(other)["next_step"] == "completed"
    other.close()


def test_a_lost_answer_can_be_asked_for_again(api, new_account):
    owner = new_account()
    scan(owner, show(api))
    before = api.session
    assert wait(api)["next_step"] == "completed"
    api.session = before
    assert wait(api)["next_step"] == "completed"
    assert api.get("/me")["id"] == owner.user_id


def test_a_code_is_scanned_once(api, new_account):
    owner = new_account()
    shown = show(api)
    scan(owner, shown)
    token = token_of(shown)
    raw = base64.b64encode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))).decode()
    owner.error("POST", "/methods/auth.acceptLoginToken", 400, "AUTH_TOKEN_ALREADY_ACCEPTED", json={"token": raw})


@pytest.mark.parametrize("body, field", [
    ({"api_id": API_ID}, "api_hash"), ({"api_hash": API_HASH}, "api_id"), ({"api_id": -1, "api_hash": API_HASH}, "api_id"),
])
def test_bad_parameters(api, body, field):
    assert api.error("POST", "/auth/qr", 400, "INVALID_PARAMETER", json=body)["field"] == field


@pytest.mark.parametrize("timeout", ["-1", "61", "x", "1.5"])
def test_a_bad_timeout(api, timeout):
    show(api)
    assert api.error("GET", "/auth/qr/wait", 400, "INVALID_PARAMETER", params={"timeout": timeout})["field"] == "timeout"


def test_bad_credentials(api):
    SECRETS.text("f" * 31)
    api.error("POST", "/auth/qr", 400, "API_ID_INVALID", json={"api_id": API_ID, "api_hash": "f" * 31})


def test_no_wait_without_a_code(api, new_account):
    api.error("GET", "/auth/qr/wait", 401, "NO_SESSION")
    new_account().error("GET", "/auth/qr/wait", 400, "WRONG_LOGIN_STEP")


def test_half_a_login_can_be_given_up(api, control):
    show(api)
    keys = control.stats()["keys"]
    api.delete("/auth/logout")
    assert control.stats()["keys"] == keys - 1
