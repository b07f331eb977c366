# SPDX-License-Identifier: MIT
"""Every status of the contract's table, each with its name, its sentence and its field."""
import json
import socket
import time

import pytest

from accounts import invite_link, new_channel, unique
from processes import DEADLINE_S


def raw(gateway, request, half_close=False):
    """What the gateway answers to these bytes: (status, headers, body)."""
    with socket.create_connection(("127.0.0.1", gateway.port), DEADLINE_S) as connection:
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may refuse before it has read all
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while b"\r\n\r\n" not in answer:
            chunk = connection.recv(65536)
            if not chunk:
                break
            answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            chunk = connection.recv(65536)
            assert chunk, answer
            body += chunk
        return int(lines[0].split()[1]), headers, body


def check_refusal(answer, status, error):
    got, headers, body = answer
    assert got == status, (got, body)
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    assert told["error"] == error and told["detail"] and told["request_id"]
    assert headers["x-request-id"] == told["request_id"]
    return told


# ---- 400: the request ----


@pytest.mark.parametrize("body", [
    b"{", b"", b"[]", b'"text"', b"null", b"{'chat_id': 1}", b"{'chat_id': 'me', 'text': 'x'}", b'{"chat_id": 1,}', b'{"a": 1} trailing', b"\xff\xfe",
    b'{"chat_id": "me", "text": "bare\ttab"}', b'{"chat_id": "me", "text": "bare\nline"}', b'{"chat_id": "me", "text": "bare\x1f"}',
    b'{"chat_id": "me", "text": "half \\ud83d"}', b'{"chat_id": "me", "text": "half \\udE00 of it"}', b'7', b'true',
    b'{"chat_id": "me", "text": "half \\ud83d\\u0041"}', b'{"chat_id": "me", "text": "half \\ud83d\\ud83d\\ude00"}',
    b'{"chat_id": NaN}', b"{" * 1000, b'{"chat_id": 1 "text": 2}', b'// comment\n{"chat_id": 1}',
])
def test_malformed_json(alice, body):
    answer = alice.http.post("/messages/send", content=body, headers={
        "X-Session-String": alice.session, "Content-Type": "application/json"})
    assert answer.status_code == 400
    # No body at all is well-formed: then a parameter is missing.
    assert answer.json()["error"] == ("MALFORMED_JSON" if body else "INVALID_PARAMETER")


@pytest.mark.parametrize("method, path, body, field", [
    ("POST", "/messages/send", {"text": "no chat in here"}, "chat_id"),
    ("POST", "/messages/send", {"chat_id": "me"}, "text"),
    ("POST", "/messages/send", {"chat_id": "me", "text": ""}, "text"),
    ("POST", "/messages/send", {"chat_id": "me", "text": 5}, "text"),
    ("POST", "/messages/send", {"chat_id": "me", "text": None}, "text"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "x" * 32769}, "text"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "reply me", "reply_to_message_id": 0}, "reply_to_message_id"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "reply me", "reply_to_message_id": 2**31}, "reply_to_message_id"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "reply me", "reply_to_message_id": "x"}, "reply_to_message_id"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "loud one", "silent": "true"}, "silent"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "mode one", "parse_mode": "bbcode"}, "parse_mode"),
    ("POST", "/messages/edit", {"chat_id": "me", "new_text": "edited text"}, "message_id"),
    ("POST", "/messages/edit", {"chat_id": "me", "message_id": 1.5, "new_text": "edited text"}, "message_id"),
    ("POST", "/messages/edit", {"chat_id": "me", "message_id": "1x", "new_text": "edited text"}, "message_id"),
    ("DELETE", "/messages/delete", {"chat_id": "me"}, "message_ids"),
    ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": []}, "message_ids"),
    ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": 5}, "message_ids"),
    ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": ["x"]}, "message_ids"),
    ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": [0]}, "message_ids"),
    ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": [2**63]}, "message_ids"),
    ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": list(range(1, 1002))}, "message_ids"),
    ("POST", "/messages/forward", {"from_chat_id": "me", "message_id": 1}, "to_chat_id"),
    ("POST", "/groups/join", {}, "group_identifier"),
    ("POST", "/auth/send_code", {"phone": "9996629999", "api_id": "x", "api_hash": "0" * 32}, "api_id"),
    ("POST", "/auth/send_code", {"phone": "9996629999", "api_id": 0, "api_hash": "0" * 32}, "api_id"),
    ("POST", "/auth/send_code", {"phone": "9996629999", "api_id": 1}, "api_hash"),
    ("POST", "/auth/send_code", {"phone": "", "api_id": 1, "api_hash": "0" * 32}, "phone"),
])
def test_parameters_are_checked_before_telegram_is_asked(alice, control, method, path, body, field):
    before = control.stats()["requests"]
    assert alice.error(method, path, 400, "INVALID_PARAMETER", json=body)["field"] == field
    assert control.stats()["requests"] == before


def test_parameters_that_nobody_knows_are_left_alone(alice):
    """Clients may be newer than the gateway."""
    assert alice.send("me", unique("with extras"), some_future_option=True)["success"]


def test_escapes_in_json_are_what_they_say(alice):
    sent = alice.http.post("/messages/send", headers={"X-Session-String": alice.session, "Content-Type": "application/json"},
                           content=rb'{"chat_id": "me", "text": "\ud83d\ude00 \u00e4 \\ud83d \"\t|", "parse_mode": "none"}')
    assert sent.status_code == 200, sent.text
    assert alice.message("me", sent.json()["message_id"])["text"] == "\U0001f600 \u00e4 \\ud83d \"\t|"


def test_bodies_that_are_no_object_are_told_so(alice):
    for body in (b"null", b"7", b"true", b"[]", b'"text"', b"-0.5"):
        answer = alice.http.post("/messages/send", content=body, headers={
            "X-Session-String": alice.session, "Content-Type": "application/json"})
        assert answer.status_code == 400 and "object" in answer.json()["detail"], answer.text


def test_names_in_the_query_may_be_escaped(alice):
    assert len(alice.request("GET", "/messages?%63hat%5Fid=me&l%69mit=1").json()["messages"]) <= 1
    assert alice.error("GET", "/messages?chat_id=me&lim%69t=0", 400, "INVALID_PARAMETER")["field"] == "limit"
    alice.request("GET", "/messages?chat_id=me&%zz=1&%=2&%ff%00=3")


def test_a_list_in_the_query_may_repeat_its_name(new_account):
    """As most HTTP clients write a list: no id of it may be lost."""
    client = new_account()
    ids = [client.send("me", unique())["message_id"] for _ in range(4)]
    query = f"chat_id=me&message_ids={ids[0]}&message_ids={ids[1]},{ids[2]}&message_ids={ids[3]}"
    assert client.request("DELETE", f"/messages/delete?{query}").json()["deleted_messages"] == ids
    many = [client.send("me", unique())["message_id"] for _ in range(3)] + list(range(900_000, 900_400))
    query = "&".join(f"message_ids={i}" for i in many)
    assert client.request("DELETE", f"/messages/delete?chat_id=me&{query}").json()["deleted_messages"] == many[:3]
    told = client.error("DELETE", "/messages/delete?chat_id=me&message_ids=1&message_ids=x", 400, "INVALID_PARAMETER")
    assert told["field"] == "message_ids"


@pytest.mark.parametrize("method, path, body, status, error, field", [
    ("POST", "/messages/send", {"chat_id": "me", "text": "x" * 5000}, 400, "MESSAGE_TOO_LONG", "text"),
    ("POST", "/messages/send", {"chat_id": "me", "text": "re: nothing", "reply_to_message_id": 2**31 - 9}, 404,
     "REPLY_MESSAGE_ID_INVALID", "reply_to_message_id"),
    ("POST", "/messages/edit", {"chat_id": "me", "message_id": 2**31 - 9, "new_text": "nowhere"}, 404, "MESSAGE_ID_INVALID", "message_id"),
    ("POST", "/messages/forward", {"from_chat_id": "me", "to_chat_id": "me", "message_id": 2**31 - 9}, 404, "MESSAGE_ID_INVALID", "message_id"),
    ("POST", "/messages/send", {"chat_id": -999, "text": "to nobody"}, 404, "PEER_ID_INVALID", "chat_id"),
    ("POST", "/groups/join", {"group_identifier": "t.me/+NoSuchInvite"}, 400, "INVITE_HASH_INVALID", "group_identifier"),
    ("POST", "/auth/send_code", {"phone": "not a number", "api_id": 1, "api_hash": "0" * 32}, 400, "PHONE_NUMBER_INVALID", "phone"),
    ("POST", "/auth/qr", {"api_id": 1, "api_hash": "x"}, 400, "API_ID_INVALID", "api_id"),
])
def test_telegrams_errors_about_one_parameter_name_it(alice, method, path, body, status, error, field):
    assert alice.error(method, path, status, error, json=body)["field"] == field


def test_a_bad_escape_in_the_query(alice):
    answer = alice.http.get("/messages?chat_id=%zz", headers={"X-Session-String": alice.session})
    assert answer.status_code == 400 and answer.json()["field"] == "chat_id"


def test_a_long_idempotency_key(alice):
    alice.error("POST", "/messages/send", 400, "INVALID_PARAMETER", headers={"Idempotency-Key": "k" * 256},
                json={"chat_id": "me", "text": unique()})


# ---- 401, 403, 404: the account ----


@pytest.mark.parametrize("method, path", [
    ("GET", "/me"), ("GET", "/chats"), ("GET", "/messages?chat_id=me"), ("POST", "/messages/send"),
    ("POST", "/messages/edit"), ("DELETE", "/messages/delete"), ("POST", "/messages/forward"), ("POST", "/groups/join"),
    ("POST", "/methods/help.getConfig"), ("DELETE", "/auth/logout"), ("POST", "/auth/verify_code"),
    ("POST", "/auth/verify_password"),
])
def test_no_session(api, method, path):
    api.error(method, path, 401, "NO_SESSION")


def test_writing_where_one_may_not(new_account):
    host, guest = new_account(), new_account()
    group = new_channel(host, "Quiet please", megagroup=True)
    link = invite_link(host, group)
    guest.post("/groups/join", group_identifier=link)
    guest.send(group, unique("while one may"))
    host.call("messages.editChatDefaultBannedRights", peer=group,
              banned_rights={"_": "chatBannedRights", "send_messages": True, "until_date": 0})
    guest.error("POST", "/messages/send", 403, "CHAT_WRITE_FORBIDDEN", json={"chat_id": group, "text": unique()})


def test_writing_without_being_a_member(new_account):
    host, guest = new_account(), new_account()
    new_channel(host, "Public talk", megagroup=True, username="errors_public_group")
    body = {"chat_id": "@errors_public_group", "text": unique()}
    answer = guest.request("POST", "/messages/send", 403, json=body).json()
    assert answer["error"] in ("CHAT_WRITE_FORBIDDEN", "CHAT_GUEST_SEND_FORBIDDEN")


def test_posting_in_somebody_elses_channel(new_account):
    host, guest = new_account(), new_account()
    channel = new_channel(host, "News")
    guest.post("/groups/join", group_identifier=invite_link(host, channel))
    guest.error("POST", "/messages/send", 403, "CHAT_ADMIN_REQUIRED", json={"chat_id": channel, "text": unique()})


def test_a_channel_that_one_was_removed_from(new_account):
    host, guest = new_account(), new_account()
    channel = new_channel(host, "Club", megagroup=True)
    joined = guest.post("/groups/join", group_identifier=invite_link(host, channel))
    guest.set_username(f"removed_{guest.phone}")
    rights = {"_": "chatBannedRights", "view_messages": True, "until_date": 0}
    host.call("channels.editBanned", channel=channel, participant=f"@removed_{guest.phone}", banned_rights=rights)
    guest.error("GET", "/messages", 403, "CHANNEL_PRIVATE", params={"chat_id": joined["ref"]})


# Telegram's errors, made on order by the data centre.
MAPPED = [
    (400, "PHONE_CODE_INVALID", 400), (400, "MESSAGE_EMPTY", 400), (400, "MESSAGE_TOO_LONG", 400),
    (400, "MESSAGE_NOT_MODIFIED", 400), (400, "SOMETHING_NEW_INVALID", 400), (406, "INVITE_HASH_EXPIRED", 400),
    (401, "SESSION_EXPIRED", 401), (401, "USER_DEACTIVATED", 401), (401, "USER_DEACTIVATED_BAN", 401),
    (403, "CHAT_WRITE_FORBIDDEN", 403), (403, "MESSAGE_AUTHOR_REQUIRED", 403), (400, "CHAT_ADMIN_REQUIRED", 403),
    (406, "CHANNEL_PRIVATE", 403), (400, "CHANNEL_PRIVATE", 403), (403, "USER_PRIVACY_RESTRICTED", 403),
    (400, "PEER_ID_INVALID", 404), (400, "MSG_ID_INVALID", 404), (400, "USERNAME_NOT_OCCUPIED", 404),
    (420, "FLOOD_WAIT_33", 429), (420, "SLOWMODE_WAIT_7", 429), (420, "FLOOD_PREMIUM_WAIT_3", 429),
    (400, "TAKEOUT_INIT_DELAY_60", 429), (420, "PEER_FLOOD", 429), (420, "FROZEN_METHOD_INVALID", 403),
    (500, "RPC_CALL_FAIL", 502), (500, "RANDOM_ID_DUPLICATE", 409), (500, "SOMETHING_BROKE", 502),
    (-503, "TIMEOUT", 504), (303, "STATS_MIGRATE_4", 502),
]


# Those that one parameter is to blame for name it.
BLAMED = [
    ("messages.sendMessage", "/messages/send", {"text": "x"}, "MESSAGE_TOO_LONG", 400, "text"),
    ("messages.sendMessage", "/messages/send", {"text": "x"}, "REPLY_MESSAGE_ID_INVALID", 404, "reply_to_message_id"),
    ("messages.sendMessage", "/messages/send", {"text": "x"}, "CHAT_WRITE_FORBIDDEN", 403, None),
    ("messages.editMessage", "/messages/edit", {"message_id": 1, "new_text": "x"}, "MESSAGE_TOO_LONG", 400, "new_text"),
    ("messages.editMessage", "/messages/edit", {"message_id": 1, "new_text": "x"}, "MESSAGE_ID_INVALID", 404, "message_id"),
]


@pytest.mark.parametrize("method, path, body, name, status, field", BLAMED)
def test_parameters_that_telegram_refuses_are_named(new_account, control, method, path, body, name, status, field):
    client = new_account()
    with control.fault(f"user={client.user_id},method={method},do=error:400:{name}"):
        told = client.error("POST", path, status, name, json={"chat_id": "me", **body})
    assert told.get("field") == field


@pytest.mark.parametrize("code, name, status", MAPPED)
def test_telegrams_errors_by_name(new_account, control, code, name, status):
    client = new_account()
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=error:{code}:{name}"):
        answer = client.error("GET", "/chats", status, name)
    assert "field" not in answer
    if status == 429 and name[-1].isdigit():
        seconds = int(name.rsplit("_", 1)[1])
        assert answer["wait_seconds"] == seconds and client.last.headers["retry-after"] == str(seconds)
    else:
        assert "wait_seconds" not in answer


# ---- 404, 405: the route ----


@pytest.mark.parametrize("path", ["/nothing", "/messages/send/more", "/auth", "//chats", "/Chats", "/chats%00"])
def test_unknown_routes(alice, path):
    alice.error("GET", path, 404, "NOT_FOUND")


@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "/chats", {"GET", "HEAD"}), ("GET", "/messages/send", {"POST"}), ("POST", "/messages", {"GET", "HEAD"}),
    ("GET", "/auth/logout", {"DELETE"}), ("PATCH", "/methods/help.getConfig", {"GET", "HEAD", "POST"}),
    ("OPTIONS", "/healthz", {"GET", "HEAD"}),
])
def test_other_methods(alice, method, path, allow):
    alice.error(method, path, 405, "METHOD_NOT_ALLOWED")
    assert set(alice.last.headers["allow"].split(", ")) == allow


# ---- 411 to 431: HTTP ----


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json2"])
def test_bodies_that_are_no_json(alice, kind):
    answer = alice.http.post("/messages/send", content=b'{"chat_id": "me"}', headers={
        "X-Session-String": alice.session, "Content-Type": kind})
    assert answer.status_code == 415 and answer.json()["error"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"])
def test_bodies_that_are_json(alice, kind):
    answer = alice.http.post("/methods/help.getNearestDc", content=b"{}", headers={
        "X-Session-String": alice.session, "Content-Type": kind})
    assert answer.status_code == 200


def test_a_body_too_large_is_refused_with_the_limit(alice):
    answer = alice.http.post("/messages/send", content=b" " * (1024 * 1024 + 1), headers={
        "X-Session-String": alice.session, "Content-Type": "application/json"})
    assert answer.status_code == 413 and "1048576" in answer.json()["detail"]


def test_a_chunked_body_too_large(gateway):
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    request = b"POST /messages/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20 + b"0\r\n\r\n"
    check_refusal(raw(gateway, request), 413, "BODY_TOO_LARGE")


def test_the_body_limit_is_an_option(start_gateway, connect):
    client = connect(start_gateway(options=["--max-body", 2048]))
    assert client.http.post("/messages/send", content=b" " * 2049).status_code == 413
    assert client.http.post("/messages/send", content=b" " * 2048).status_code == 401


def test_a_target_too_long(alice):
    answer = alice.http.get("/messages?chat_id=" + "x" * 9000)
    assert answer.status_code == 414 and answer.json()["error"] == "TARGET_TOO_LONG"


def test_headers_too_large(alice):
    answer = alice.http.get("/chats", headers={"X-Filler": "x" * 17000})
    assert answer.status_code == 431 and answer.json()["error"] == "HEADERS_TOO_LARGE"


def test_too_many_headers(alice):
    answer = alice.http.get("/chats", headers={f"X-Filler-{i}": "x" for i in range(120)})
    assert answer.status_code == 431


@pytest.mark.parametrize("request_bytes", [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST /messages/send HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
])
def test_what_is_no_http(gateway, request_bytes):
    status, headers, body = raw(gateway, request_bytes)
    assert status == 400 and json.loads(body)["error"] == "BAD_REQUEST"
    assert headers["connection"] == "close" and headers["x-request-id"] == json.loads(body)["request_id"]


def test_a_verb_that_does_not_exist(gateway):
    check_refusal(raw(gateway, b"NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n"), 501, "METHOD_NOT_IMPLEMENTED")


def test_a_head_that_never_ends(gateway):
    """Ten seconds are a slow phone; more is a slow client that holds a connection."""
    began = time.monotonic()
    check_refusal(raw(gateway, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "), 408, "REQUEST_TIMEOUT")
    assert time.monotonic() - began > 5


# ---- 429: waiting ----


def test_a_flood_wait(new_account, control):
    client = new_account()
    with control.fault(f"user={client.user_id},method=messages.sendMessage,do=flood_wait:31,count=1"):
        body = client.error("POST", "/messages/send", 429, "FLOOD_WAIT_31", json={"chat_id": "me", "text": unique()})
        assert body["wait_seconds"] == 31 and client.last.headers["retry-after"] == "31"
        assert client.send("me", unique("after the wait"))["success"]


def test_slow_mode(new_account):
    host, guest = new_account(), new_account()
    group = new_channel(host, "Slowly", megagroup=True)
    host.call("channels.toggleSlowMode", channel=group, seconds=3600)
    guest.post("/groups/join", group_identifier=invite_link(host, group))
    guest.send(group, unique("first"))
    body = guest.request("POST", "/messages/send", 429, json={"chat_id": group, "text": unique("second")}).json()
    assert body["error"].startswith("SLOWMODE_WAIT_") and 1 <= body["wait_seconds"] <= 3600


@pytest.mark.parametrize("prefer", ["wait=3", "respond-async, wait=3", "wait=300", 'wait="3"', "wait=3; strict"])
def test_the_gateway_may_wait_itself(new_account, control, prefer):
    client = new_account()
    with control.fault(f"user={client.user_id},method=messages.sendMessage,do=flood_wait:1,count=1") as hits:
        began = time.monotonic()
        assert client.send("me", unique("patience"), headers={"Prefer": prefer})["success"]
        assert time.monotonic() - began >= 1 and hits() == 1


def test_a_wait_longer_than_preferred_is_told(new_account, control):
    client = new_account()
    with control.fault(f"user={client.user_id},method=messages.sendMessage,do=flood_wait:999"):
        client.error("POST", "/messages/send", 429, "FLOOD_WAIT_999", headers={"Prefer": "wait=2"},
                     json={"chat_id": "me", "text": unique()})


# ---- request ids ----


def test_the_clients_request_id_comes_back(alice):
    alice.request("GET", "/me", headers={"X-Request-Id": "trace-1.2_3"})
    assert alice.last.headers["x-request-id"] == "trace-1.2_3"
    body = alice.error("GET", "/nothing", 404, "NOT_FOUND", headers={"X-Request-Id": "trace-4"})
    assert body["request_id"] == "trace-4"


@pytest.mark.parametrize("insane", ["with space", "x" * 65, "<script>", "a;b", "\"q\""])
def test_an_insane_request_id_is_replaced(alice, insane):
    alice.request("GET", "/healthz", headers={"X-Request-Id": insane})
    assert alice.last.headers["x-request-id"] != insane


def test_request_ids_differ(alice):
    ids = {alice.request("GET", "/healthz").headers["x-request-id"] for _ in range(50)}
    assert len(ids) == 50
