# SPDX-License-Identifier: MIT
"""POST /auth/restrict: narrower strings, and every way past their limits that we could think of."""
import re
import time

import pytest

from accounts import code_of, invite_link, new_channel, new_group, unique
from processes import DEADLINE_S, SECRETS

SERVICE_USER = 777000


@pytest.fixture
def narrow(connect):
    """narrow(client, …) is a client with a narrower string of the same account."""

    def make(client, at=None, **limits):
        before = client.session
        answer = client.post("/auth/restrict", **limits)
        assert client.session == before, "the string that was sent stays as it is"
        SECRETS.text(answer["session_string"])
        narrower = connect(at or client.gateway, answer["session_string"])
        narrower.user_id, narrower.phone, narrower.limits = client.user_id, client.phone, answer
        return narrower

    return make


def chat_of(client, chat_id):
    return next(c for c in client.get("/chats", limit=0)["chats"] if c["id"] == chat_id)


# ---- what is asked for ----


@pytest.mark.parametrize("body, field", [
    ({}, None), ({"read_only": False}, None), ({"chats": []}, "chats"), ({"chats": "me"}, "chats"),
    ({"chats": [1.5]}, "chats"), ({"chats": [None]}, "chats"), ({"chats": [["me"]]}, "chats"), ({"chats": ["me"] * 51}, "chats"),
    ({"routes": []}, "routes"), ({"routes": ["GET /nothing"]}, "routes"), ({"routes": ["/chats"]}, "routes"),
    ({"routes": [5]}, "routes"), ({"expires_in": 0}, "expires_in"), ({"expires_in": "soon"}, "expires_in"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"), ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_in": 60, "expires_at": "2100-01-01T00:00:00Z"}, "expires_at"), ({"read_only": "yes"}, "read_only"),
])
def test_bad_limits(alice, body, field):
    assert alice.error("POST", "/auth/restrict", 400, "INVALID_PARAMETER", json=body).get("field") == field


def test_a_chat_that_does_not_exist(alice):
    assert alice.error("POST", "/auth/restrict", 404, "USERNAME_NOT_OCCUPIED",
                       json={"chats": ["@nobody_is_called_this"]})["field"] == "chats"


def test_without_a_session(api):
    api.error("POST", "/auth/restrict", 401, "NO_SESSION", json={"read_only": True})


def test_what_it_says(new_account, narrow):
    client = new_account()
    group = new_group(client)
    told = narrow(client, chats=["me", group, str(group)], read_only=True, expires_in=60, routes=["GET /messages"]).limits
    assert told["chats"] == [client.user_id, group] and told["read_only"] and told["routes"] == ["GET /messages"]
    assert re.match(r"\d{4}-", told["expires_at"]) and told["session_string"].startswith("tgr1.")


# ---- read-only ----


def test_read_only_reads(new_account, narrow):
    client = new_account()
    sent = client.send("me", unique("readable"))
    reader = narrow(client, read_only=True)
    assert reader.get("/me")["id"] == client.user_id
    assert reader.messages("me", limit=1)[0]["id"] == sent["message_id"]
    assert reader.get("/chats")["chats"]
    assert reader.call("users.getUsers", id=["me"])[0]["id"] == str(client.user_id)


def test_read_only_does_not_write(new_account, narrow, control):
    client = new_account()
    sent = client.send("me", unique("kept"))
    host = new_account()
    link = invite_link(host, new_group(host))
    reader = narrow(client, read_only=True)
    requests = control.stats()["requests"]
    for method, path, body in [
        ("POST", "/messages/send", {"chat_id": "me", "text": unique()}),
        ("POST", "/messages/edit", {"chat_id": "me", "message_id": sent["message_id"], "new_text": unique()}),
        ("DELETE", "/messages/delete", {"chat_id": "me", "message_ids": [sent["message_id"]]}),
        ("POST", "/messages/forward", {"from_chat_id": "me", "to_chat_id": "me", "message_id": sent["message_id"]}),
        ("POST", "/groups/join", {"group_identifier": link}),
        ("POST", "/methods/messages.sendMessage", {"peer": "me", "message": unique()}),
        ("POST", "/methods/messages.deleteHistory", {"peer": "me", "max_id": 0}),
        ("POST", "/methods/messages.readHistory", {"peer": "me", "max_id": 0}),
        ("POST", "/methods/messages.getBotCallbackAnswer", {"peer": "me", "msg_id": 1}),
        ("POST", "/methods/messages.getMessagesViews", {"peer": "me", "id": [1], "increment": True}),
        ("POST", "/methods/payments.getStarsRevenueAdsAccountUrl", {"peer": "me"}),
        ("POST", "/methods/phone.getGroupCallStreamRtmpUrl", {"peer": "me", "revoke": True}),
        ("POST", "/methods/upload.saveFilePart", {"file_id": "1", "file_part": 0, "bytes": ""}),
    ]:
        reader.error(method, path, 403, "SCOPE_READ_ONLY", json=body)
    assert control.stats()["requests"] == requests


# ---- the account itself ----


@pytest.mark.parametrize("limits", [{"read_only": True}, {"expires_in": 1000}, {"chats": ["me"]},
                                    {"routes": ["POST /methods/{name}", "DELETE /auth/logout"]}])
def test_no_narrowed_string_touches_the_account(new_account, narrow, limits):
    client = narrow(new_account(), **limits)
    client.error("DELETE", "/auth/logout", 403, "SCOPE_ACCOUNT")
    if "chats" in limits:
        return
    for method, body in [
        ("account.getPassword", {}), ("account.getAuthorizations", {}), ("auth.logOut", {}), ("auth.resetAuthorizations", {}), ("auth.exportAuthorization", {"dc_id": 1}),
        ("auth.acceptLoginToken", {"token": ""}), ("account.deleteAccount", {"reason": "none"}),
        ("account.updateUsername", {"username": "taken_over"}), ("account.resetAuthorization", {"hash": "1"}),
    ]:
        client.error("POST", f"/methods/{method}", 403, "SCOPE_ACCOUNT", json=body)
    # Methods that write are left to the other routes, which know what they reach.
    for method in ("messages.acceptUrlAuth", "messages.forwardMessages", "messages.translateText", "messages.deleteHistory"):
        client.error("POST", f"/methods/{method}", 403, "SCOPE_READ_ONLY", json={})
    assert client.call("users.getUsers", id=["me"])


def test_login_codes_cannot_be_read(new_account, narrow, api):
    """Whoever reads the code that Telegram sends can log in anew, without any limit."""
    client = new_account()
    api.send_code(client.phone)
    code = code_of(client.phone)
    full = client.call("messages.getDialogs", offset_date=0, offset_id=0, offset_peer={"_": "inputPeerEmpty"}, limit=20, hash="0")
    service = next(u for u in full["users"] if u["id"] == str(SERVICE_USER))
    told = [m["message"] for m in full["messages"] if m["peer_id"].get("user_id") == str(SERVICE_USER)]
    assert any(code in text for text in told), "the test needs a code to be there"

    reader = narrow(client, read_only=True)
    for form in (SERVICE_USER, str(SERVICE_USER), chat_of(reader, SERVICE_USER)["ref"]):
        refused = reader.error("GET", "/messages", 403, "SCOPE_ACCOUNT", params={"chat_id": form})
        assert refused["field"] == "chat_id"
        reader.error("POST", "/methods/messages.getHistory", 403, "SCOPE_ACCOUNT", json={
            "peer": form, "offset_id": 0, "offset_date": 0, "add_offset": 0, "limit": 10, "max_id": 0, "min_id": 0, "hash": "0"})
    raw = {"_": "inputPeerUser", "user_id": str(SERVICE_USER), "access_hash": service["access_hash"]}
    reader.error("POST", "/methods/messages.search", 403, "SCOPE_ACCOUNT", json={
        "peer": raw, "q": "", "filter": {"_": "inputMessagesFilterEmpty"}, "min_date": 0, "max_date": 0, "offset_id": 0,
        "add_offset": 0, "limit": 10, "max_id": 0, "min_id": 0, "hash": "0"})
    seen = reader.call("messages.getDialogs", offset_date=0, offset_id=0, offset_peer={"_": "inputPeerEmpty"}, limit=20, hash="0")
    ids = [m["id"] for m in seen["messages"] if m["peer_id"].get("user_id") == str(SERVICE_USER)]
    assert ids and code not in reader.last.text
    reader.call("messages.getMessages", id=[{"_": "inputMessageID", "id": i} for i in ids])
    assert code not in reader.last.text
    through = {"_": "inputPeerUserFromMessage", "peer": {"_": "inputPeerSelf"}, "msg_id": 1, "user_id": str(SERVICE_USER)}
    reader.error("POST", "/methods/messages.getPeerDialogs", 403, "SCOPE_ACCOUNT",
                 json={"peers": [{"_": "inputDialogPeer", "peer": through}]})
    # A search that finds the message tells the code, blanked or not.
    everywhere = {"q": code, "filter": {"_": "inputMessagesFilterEmpty"}, "min_date": 0, "max_date": 0, "offset_id": 0, "limit": 10}
    for method, body in [
        ("messages.searchGlobal", {**everywhere, "offset_rate": 0, "offset_peer": {"_": "inputPeerEmpty"}}),
        ("messages.search", {**everywhere, "peer": {"_": "inputPeerEmpty"}, "add_offset": 0, "max_id": 0, "min_id": 0, "hash": "0"}),
    ]:
        reader.error("POST", f"/methods/{method}", 403, "SCOPE_ACCOUNT", json=body)
    assert code not in reader.request("GET", "/chats").text
    forwarder = narrow(client, expires_in=600)
    forwarder.error("POST", "/messages/forward", 403, "SCOPE_ACCOUNT",
                    json={"from_chat_id": SERVICE_USER, "to_chat_id": "me", "message_id": ids[0]})
    # Message ids are account-wide.
    forwarder.error("POST", "/messages/forward", 404, "MESSAGE_ID_INVALID",
                    json={"from_chat_id": "me", "to_chat_id": "me", "message_id": ids[0]})
    forwarder.error("GET", f"/messages/media/{ids[0]}", 404, "MESSAGE_ID_INVALID", params={"chat_id": "me"})
    # An owner who names that chat means it.
    assert narrow(client, chats=[SERVICE_USER], read_only=True).messages(SERVICE_USER)


# ---- chats ----


@pytest.fixture
def confined(new_account, narrow):
    """A string for one group, and the account around it."""
    owner = new_account()
    owner.inside, owner.outside = new_group(owner, title="Inside"), new_group(owner, title="Outside")
    owner.channel = new_channel(owner, "Public one", username=f"outside_{owner.user_id}")
    owner.in_sent = owner.send(owner.inside, unique("in here"))["message_id"]
    owner.out_sent = owner.send(owner.outside, unique("out there"))["message_id"]
    owner.out_ref = chat_of(owner, owner.outside)["ref"]
    return owner, narrow(owner, chats=[owner.inside])


def test_the_chat_can_be_used(confined):
    owner, client = confined
    sent = client.send(owner.inside, unique("hello"), reply_to_message_id=owner.in_sent)
    client.post("/messages/edit", chat_id=owner.inside, message_id=sent["message_id"], new_text=unique("changed"))
    client.post("/messages/forward", from_chat_id=owner.inside, to_chat_id=owner.inside, message_id=owner.in_sent)
    assert len(client.messages(owner.inside)) >= 3
    ref = client.get("/chats")["chats"][0]["ref"]
    assert client.send(ref, unique("by ref"))["success"]
    client.delete("/messages/delete", chat_id=owner.inside, message_ids=[sent["message_id"]])


def test_only_that_chat_is_listed(confined):
    owner, client = confined
    for params in ({}, {"limit": 0}, {"limit": 1}):
        answer = client.get("/chats", **params)
        if params.get("limit") != 1:
            assert [c["id"] for c in answer["chats"]] == [owner.inside]
        assert {c["id"] for c in answer["chats"]} <= {owner.inside} and answer["total_count"] == 1


def test_no_other_chat_by_any_name(confined):
    owner, client = confined
    others = [owner.outside, str(owner.outside), owner.out_ref, owner.channel, f"@outside_{owner.user_id}",
              f"https://t.me/outside_{owner.user_id}", "me", owner.user_id, SERVICE_USER]
    for chat in others:
        for method, path, body in [
            ("POST", "/messages/send", {"chat_id": chat, "text": unique()}),
            ("POST", "/messages/edit", {"chat_id": chat, "message_id": owner.out_sent, "new_text": unique()}),
            ("DELETE", "/messages/delete", {"chat_id": chat, "message_ids": [owner.out_sent]}),
            ("POST", "/messages/forward", {"from_chat_id": chat, "to_chat_id": owner.inside, "message_id": owner.out_sent}),
            ("POST", "/messages/forward", {"from_chat_id": owner.inside, "to_chat_id": chat, "message_id": owner.in_sent}),
        ]:
            client.error(method, path, 403, "SCOPE_CHATS", json=body)
        client.error("GET", "/messages", 403, "SCOPE_CHATS", params={"chat_id": chat})
    assert owner.message(owner.outside, owner.out_sent)["text"]


def test_no_message_of_another_chat_by_its_id(confined):
    """Outside of channels message ids are account-wide."""
    owner, client = confined
    for method, path, body in [
        ("POST", "/messages/forward", {"from_chat_id": owner.inside, "to_chat_id": owner.inside, "message_id": owner.out_sent}),
        ("POST", "/messages/edit", {"chat_id": owner.inside, "message_id": owner.out_sent, "new_text": unique()}),
        ("POST", "/messages/send", {"chat_id": owner.inside, "text": unique(), "reply_to_message_id": owner.out_sent}),
    ]:
        client.error(method, path, 404, "MESSAGE_ID_INVALID", json=body)
    client.error("DELETE", "/messages/delete", 400, "MESSAGE_ID_INVALID",
                 json={"chat_id": owner.inside, "message_ids": [owner.out_sent]})
    assert owner.message(owner.outside, owner.out_sent)["text"]


def test_files_stay_inside(confined, connect, gateway):
    owner, client = confined
    for where in (owner.inside, owner.outside):
        answer = owner.http.post("/messages/send_with_file", headers={"X-Session-String": owner.session},
                                 data={"chat_id": str(where)}, files={"file": ("secret.txt", b"hidden words", "text/plain")})
        assert answer.status_code == 200, answer.text
    mine, other = [owner.messages(chat, limit=1)[0]["id"] for chat in (owner.inside, owner.outside)]
    session = {"X-Session-String": client.session}
    assert client.http.get(f"/messages/media/{mine}", params={"chat_id": owner.inside}, headers=session).content == b"hidden words"
    client.error("GET", f"/messages/media/{other}", 403, "SCOPE_CHATS", params={"chat_id": owner.outside})
    client.error("GET", f"/messages/media/{other}", 404, "MESSAGE_ID_INVALID", params={"chat_id": owner.inside})
    for fields in ({"chat_id": str(owner.outside)}, {"chat_id": "me"}):
        client.error("POST", "/messages/send_with_file", 403, "SCOPE_CHATS", data=fields,
                     files={"file": ("a.txt", b"not here", "text/plain")})
    reader = connect(gateway, owner.post("/auth/restrict", read_only=True)["session_string"])
    reader.error("POST", "/messages/send_with_file", 403, "SCOPE_READ_ONLY", data={"chat_id": str(owner.inside)},
                 files={"file": ("a.txt", b"not here", "text/plain")})


def test_the_limits_move_with_the_account(confined, control):
    """A data centre move changes the key, and so the string; it says the same."""
    owner, client = confined
    before = client.session
    control.run(f"move {owner.phone} 3")
    client.messages(owner.inside)
    assert client.session != before
    client.error("GET", "/messages", 403, "SCOPE_CHATS", params={"chat_id": owner.outside})
    client.error("GET", "/me", 403, "SCOPE_CHATS")


def test_nothing_beyond_chats(confined, new_account):
    owner, client = confined
    host = new_account()
    link = invite_link(host, new_group(host))
    client.error("GET", "/me", 403, "SCOPE_CHATS")
    client.error("POST", "/groups/join", 403, "SCOPE_CHATS", json={"group_identifier": link})
    for name in ("messages.getHistory", "messages.sendMessage", "users.getUsers", "contacts.resolveUsername"):
        client.error("POST", f"/methods/{name}", 403, "SCOPE_CHATS", json={"peer": owner.inside})


def test_an_invite_link_of_another_chat(confined):
    owner, client = confined
    link = invite_link(owner, owner.outside)
    client.error("POST", "/messages/send", 403, "SCOPE_CHATS", json={"chat_id": link, "text": unique()})
    inside = invite_link(owner, owner.inside)
    assert client.send(inside, unique("by its link"))["success"]


# ---- routes and time ----


def test_some_routes_only(new_account, narrow):
    client = narrow(new_account(), routes=["POST /messages/send", "GET /methods/{name}"])
    assert client.send("me", unique("allowed"))["success"]
    client.error("GET", "/me", 403, "SCOPE_ROUTES")
    client.error("GET", "/messages", 403, "SCOPE_ROUTES", params={"chat_id": "me"})
    client.error("POST", "/methods/users.getUsers", 403, "SCOPE_ROUTES", json={"id": ["me"]})


def test_it_ends(new_account, narrow):
    owner = new_account()
    client = narrow(owner, expires_in=1)
    deadline = time.monotonic() + DEADLINE_S
    while (answer := client.http.get("/me", headers={"X-Session-String": client.session})).status_code == 200:
        assert time.monotonic() < deadline
    assert answer.status_code == 401 and answer.json()["error"] == "SESSION_STRING_EXPIRED"
    client.error("POST", "/auth/restrict", 401, "SESSION_STRING_EXPIRED", json={"expires_in": 1000})
    client.error("DELETE", "/auth/logout", 401, "SESSION_STRING_EXPIRED")
    assert owner.get("/me")["id"] == owner.user_id


# ---- narrower still, never wider ----


def test_it_can_be_narrowed_further(confined, narrow):
    owner, client = confined
    reader = narrow(client, read_only=True)
    assert reader.limits["chats"] == [owner.inside] and reader.messages(owner.inside)
    reader.error("POST", "/messages/send", 403, "SCOPE_READ_ONLY", json={"chat_id": owner.inside, "text": unique()})
    narrower = narrow(reader, routes=["GET /messages"], expires_in=600)
    assert narrower.limits["read_only"] and narrower.limits["chats"] == [owner.inside]
    narrower.error("GET", "/chats", 403, "SCOPE_ROUTES")
    assert narrow(narrower, expires_in=60).limits["routes"] == ["GET /messages"]


def test_it_cannot_be_widened(confined, narrow):
    owner, client = confined
    client.error("POST", "/auth/restrict", 403, "SCOPE_CHATS", json={"chats": [owner.inside, owner.outside]})
    client.error("POST", "/auth/restrict", 403, "SCOPE_CHATS", json={"chats": ["me"]})
    assert narrow(client, chats=None, read_only=True).limits["chats"] == [owner.inside]
    assert narrow(narrow(owner, read_only=True), read_only=False).limits["read_only"] is True
    soon = narrow(owner, expires_in=100)
    assert narrow(soon, expires_in=100000).limits["expires_at"] == soon.limits["expires_at"]
    few = narrow(owner, routes=["GET /me"])
    few.error("POST", "/auth/restrict", 403, "SCOPE_ROUTES", json={"routes": ["GET /me", "GET /chats"]})


def test_the_limits_hold_at_every_replica_and_after_new_salts(new_account, narrow, start_gateway):
    owner = new_account()
    client = narrow(owner, at=start_gateway(), read_only=True)
    client.error("POST", "/messages/send", 403, "SCOPE_READ_ONLY", json={"chat_id": "me", "text": unique()})
    assert client.get("/me")["id"] == owner.user_id


def test_a_rotated_key_keeps_the_limits(new_account, narrow, start_gateway, key_file, tmp_path, binary):
    import subprocess
    rotated = tmp_path / "rotated.key"
    fresh = subprocess.run([binary, "keygen"], capture_output=True, text=True, timeout=DEADLINE_S, check=True).stdout
    rotated.write_text(fresh + key_file.read_text())
    rotated.chmod(0o600)
    client = narrow(new_account(), at=start_gateway(key_file=rotated), read_only=True)
    before = client.session
    client.get("/me")
    assert client.session != before, "sealed anew with the first key"
    client.error("POST", "/messages/send", 403, "SCOPE_READ_ONLY", json={"chat_id": "me", "text": unique()})


@pytest.mark.parametrize("slip", [{"chat": ["me"]}, {"readonly": True}, {"expires": 5}])
def test_a_slip_of_the_pen_gives_no_wider_string(new_account, slip):
    client = new_account()
    body = client.error("POST", "/auth/restrict", 400, "INVALID_PARAMETER", json={"read_only": True, **slip})
    assert body["field"] == next(iter(slip))
