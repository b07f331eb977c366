# SPDX-License-Identifier: MIT
"""Idempotency-Key without state: Telegram itself answers the duplicate. And what happens to calls whose
answer is lost on the way."""
import uuid

import pytest

from accounts import new_channel, new_group, unique


def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def count(client, chat, text):
    return [m["text"] for m in client.messages(chat, limit=100)].count(text)


# ---- the key ----


@pytest.mark.parametrize("kind", ["me", "private", "group", "supergroup", "channel"])
def test_a_repeated_key_is_the_same_message(new_account, bob, kind):
    client = new_account()
    chat = {
        "me": lambda: "me",
        "private": lambda: "@" + bob.username,
        "group": lambda: new_group(client),
        "supergroup": lambda: new_channel(client, megagroup=True),
        "channel": lambda: new_channel(client),
    }[kind]()
    text, headers = unique("once"), key()
    first = client.send(chat, text, headers=headers)
    second = client.send(chat, text, headers=headers)
    assert first == second and count(client, chat, text) == 1


def test_another_key_is_another_message(alice):
    text = unique("twice")
    assert alice.send("me", text, headers=key()) != alice.send("me", text, headers=key())
    assert count(alice, "me", text) == 2


def test_without_a_key_every_send_is_new(alice):
    text = unique("twice")
    alice.send("me", text)
    alice.send("me", text)
    assert count(alice, "me", text) == 2


def test_a_key_belongs_to_its_chat(new_account):
    client = new_account()
    chats = [new_group(client, title="One"), new_group(client, title="Two")]
    text, headers = unique("in both"), key()
    for chat in chats:
        client.send(chat, text, headers=headers)
    assert [count(client, chat, text) for chat in chats] == [1, 1]


def test_a_key_holds_for_methods_too(alice):
    text, headers = unique("by method"), key()
    for body in ({"peer": "me", "message": text}, {"message": text, "peer": "me"}):
        alice.request("POST", "/methods/messages.sendMessage", json=body, headers=dict(headers))
    assert count(alice, "me", text) == 1


def test_a_key_belongs_to_its_account(alice, bob):
    text, headers = unique("of both"), key()
    alice.send("me", text, headers=headers)
    bob.send("me", text, headers=headers)
    assert count(alice, "me", text) == count(bob, "me", text) == 1


def test_the_chat_may_be_named_otherwise(alice, bob):
    """The same peer by name, id and ref is the same."""
    text, headers = unique("same chat"), key()
    first = alice.send("@" + bob.username, text, headers=headers)
    chat = next(c for c in alice.get("/chats", limit=0)["chats"] if c["id"] == bob.user_id)
    for form in (bob.user_id, str(bob.user_id), chat["ref"], "https://t.me/" + bob.username):
        assert alice.send(form, text, headers=headers) == first
    assert alice.send("me", text, headers=headers) == alice.send(alice.user_id, text, headers=headers)


def test_a_key_works_at_every_replica(alice, start_gateway):
    text, headers = unique("anywhere"), key()
    first = alice.send("me", text, headers=headers)
    with alice.at(start_gateway()) as other:
        assert other.send("me", text, headers=headers) == first


def test_a_forward_with_a_key(alice):
    sent = alice.send("me", unique("forward once"))
    chat = new_group(alice, title="Forwards")
    headers = key()
    body = {"from_chat_id": "me", "to_chat_id": chat, "message_id": sent["message_id"]}
    first = alice.post("/messages/forward", headers=headers, **body)
    assert alice.post("/messages/forward", headers=headers, **body) == first
    forwarded = [m for m in alice.messages(chat) if m["forward_from"]]
    assert len(forwarded) == 1


def test_a_method_with_a_key(alice):
    text, headers = unique("method once"), key()
    for _ in range(2):
        alice.call("messages.sendMessage", headers=headers, peer="me", message=text)
    assert count(alice, "me", text) == 1


@pytest.mark.parametrize("loss", ["drop_after", "lose_session", "reset"])
def test_a_forward_whose_answer_is_lost(new_account, control, loss):
    client = new_account()
    sent = client.send("me", unique("forward me"))
    chat = new_group(client, title="Lost forwards")
    headers = key()
    body = {"from_chat_id": "me", "to_chat_id": chat, "message_id": sent["message_id"]}
    with control.fault(f"user={client.user_id},method=messages.forwardMessages,do={loss},count=40"):
        answer = client.http.post("/messages/forward", json=body, headers={"X-Session-String": client.session, **headers})
        assert answer.status_code in (200, 502, 504), answer.text
    first = client.post("/messages/forward", headers=headers, **body)
    assert client.post("/messages/forward", headers=headers, **body) == first
    assert len([m for m in client.messages(chat) if m["forward_from"]]) == 1


def told_ids(updates):
    """The ids of the messages that Telegram's answer tells of."""
    if updates["_"] == "updateShortSentMessage":
        return [updates["id"]]
    return [u["id"] for u in updates["updates"] if u["_"] == "updateMessageID"]


DICE = {"_": "inputMediaDice", "emoticon": "🎲"}


@pytest.mark.parametrize("method, body, n", [
    ("messages.sendMessage", {"peer": "me", "message": "by method"}, 1),
    ("messages.sendMedia", {"peer": "me", "message": "", "media": DICE}, 1),
    ("messages.forwardMessages", {"from_peer": "me", "to_peer": "me"}, 2),
])
@pytest.mark.parametrize("loss", ["drop_after", "lose_session"])
def test_a_method_whose_answer_is_lost(new_account, control, loss, method, body, n):
    client = new_account()
    if method == "messages.forwardMessages":
        body = {**body, "id": [client.send("me", unique("one of two"))["message_id"] for _ in range(2)]}
    before = client.get("/messages", chat_id="me")["total_count"]
    headers = key()
    with control.fault(f"user={client.user_id},method={method},do={loss},count=40"):
        answer = client.http.post(f"/methods/{method}", json=body, headers={"X-Session-String": client.session, **headers})
        assert answer.status_code in (200, 502, 504), answer.text
    first, second = (told_ids(client.call(method, headers=headers, **body)) for _ in range(2))
    assert first == second and len(first) == n
    assert client.get("/messages", chat_id="me")["total_count"] == before + n


def test_an_album_by_method(new_account, control):
    """Each item of an album gets its random_id from the key, too."""
    client = new_account()
    headers = key()

    def item():
        stored = client.call("messages.uploadMedia", peer="me", media={
            "_": "inputMediaUploadedDocument", "file": upload(client), "mime_type": "text/plain", "attributes": []})
        document = stored["document"]
        return {"_": "inputSingleMedia", "message": "", "media": {"_": "inputMediaDocument", "id": {
            "_": "inputDocument", **{k: document[k] for k in ("id", "access_hash", "file_reference")}}}}

    items = [item(), item()]
    for _ in range(2):
        client.call("messages.sendMultiMedia", headers=headers, peer="me", multi_media=items)
    assert client.get("/messages", chat_id="me")["total_count"] == 2


def upload(client):
    file_id = str(uuid.uuid4().int >> 66)
    client.call("upload.saveFilePart", file_id=file_id, file_part=0, bytes="aGVsbG8=")
    return {"_": "inputFile", "id": file_id, "parts": 1, "name": "a.txt", "md5_checksum": ""}


def test_a_message_that_is_gone_cannot_be_repeated(alice):
    text, headers = unique("deleted"), key()
    sent = alice.send("me", text, headers=headers)
    alice.delete("/messages/delete", chat_id="me", message_ids=[sent["message_id"]])
    alice.error("POST", "/messages/send", 409, "RANDOM_ID_DUPLICATE", headers=headers,
                json={"chat_id": "me", "text": text})


# ---- answers that are lost ----


LOSSES = ["drop_after", "drop_before", "reset", "lose_session", "bad_salt"]


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_send_is_executed_once_whatever_is_lost(new_account, control, loss, with_key):
    client = new_account()
    text, headers = unique(loss), key() if with_key else {}
    with control.fault(f"user={client.user_id},method=messages.sendMessage,do={loss},count=1") as hits:
        first = client.send("me", text, headers=headers)
        assert hits() == 1
    assert count(client, "me", text) == 1
    assert client.message("me", first["message_id"])["text"] == text
    if with_key:
        assert client.send("me", text, headers=headers) == first


@pytest.mark.parametrize("loss", ["drop_after", "lose_session"])
def test_a_send_whose_answer_is_lost_again_and_again(new_account, control, loss):
    """The client that gives up and asks again, with its key, gets the one message."""
    client = new_account()
    text, headers = unique(loss), key()
    with control.fault(f"user={client.user_id},method=messages.sendMessage,do={loss},count=40"):
        answer = client.http.post("/messages/send", json={"chat_id": "me", "text": text},
                                  headers={"X-Session-String": client.session, **headers})
        assert answer.status_code in (200, 502, 504), answer.text
    first = client.send("me", text, headers=headers)
    assert client.send("me", text, headers=headers) == first
    assert count(client, "me", text) == 1


@pytest.fixture
def lost_and_then(control):
    """The first time it is executed and the answer lost with the session; from then on that happens."""
    def faults(client, method, do):
        control.run(f"fault_add user={client.user_id},method={method},do=lose_session,count=1")
        control.run(f"fault_add user={client.user_id},method={method},do={do}")

    return faults


@pytest.mark.parametrize("do", ["flood_wait:7", "error:400:PEER_ID_INVALID", "drop_before", "transport_error:429"])
def test_a_refusal_after_a_lost_answer_is_no_refusal(new_account, lost_and_then, do):
    client = new_account()
    text = unique("sent before it was refused")
    lost_and_then(client, "messages.sendMessage", do)
    client.error("POST", "/messages/send", 504, "OUTCOME_UNKNOWN", json={"chat_id": "me", "text": text})
    assert count(client, "me", text) == 1


def test_a_refusal_after_a_lost_answer_with_a_key(new_account, lost_and_then, control):
    """The key will find the message: the wait is told as it is."""
    client = new_account()
    text, headers = unique("sent before it was refused"), key()
    lost_and_then(client, "messages.sendMessage", "flood_wait:7")
    client.error("POST", "/messages/send", 429, "FLOOD_WAIT_7", json={"chat_id": "me", "text": text}, headers=headers)
    control.run("fault_clear")
    sent = client.send("me", text, headers=headers)
    assert client.message("me", sent["message_id"])["text"] == text and count(client, "me", text) == 1


def test_a_refused_read_after_a_lost_answer_is_refused(new_account, lost_and_then):
    client = new_account()
    lost_and_then(client, "messages.getHistory", "flood_wait:7")
    client.error("GET", "/messages", 429, "FLOOD_WAIT_7", params={"chat_id": "me"})


@pytest.mark.parametrize("loss", ["drop_after", "drop_before", "reset", "bad_salt"])
def test_an_edit_within_one_session_is_executed_once(new_account, control, loss):
    """The session remembers its answers: what was executed is not executed again."""
    client = new_account()
    sent = client.send("me", unique("before"))
    text = unique("after")
    done = control.executed("messages.editMessage")
    with control.fault(f"user={client.user_id},method=messages.editMessage,do={loss},count=1") as hits:
        client.post("/messages/edit", chat_id="me", message_id=sent["message_id"], new_text=text)
        assert hits() == 1
    assert client.message("me", sent["message_id"])["text"] == text
    assert control.executed("messages.editMessage") == done + 1


def test_an_edit_in_a_lost_session_has_an_unknown_outcome(new_account, control):
    client = new_account()
    sent = client.send("me", unique("before"))
    text = unique("after")
    done = control.executed("messages.editMessage")
    with control.fault(f"user={client.user_id},method=messages.editMessage,do=lose_session,count=1"):
        client.error("POST", "/messages/edit", 504, "OUTCOME_UNKNOWN", headers=key(),
                     json={"chat_id": "me", "message_id": sent["message_id"], "new_text": text})
    assert control.executed("messages.editMessage") == done + 1
    assert client.message("me", sent["message_id"])["text"] == text


def test_a_deletion_in_a_lost_session_has_an_unknown_outcome(new_account, control):
    client = new_account()
    chat = new_channel(client, megagroup=True)
    sent = client.send(chat, unique("gone, perhaps"))
    body = {"chat_id": chat, "message_ids": [sent["message_id"]]}
    with control.fault(f"user={client.user_id},method=channels.deleteMessages,do=lose_session,count=1"):
        client.error("DELETE", "/messages/delete", 504, "OUTCOME_UNKNOWN", json=body)
    client.error("DELETE", "/messages/delete", 400, "MESSAGE_ID_INVALID", json=body)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_read_is_simply_repeated(new_account, control, loss):
    client = new_account()
    text = unique("read me")
    client.send("me", text)
    with control.fault(f"user={client.user_id},method=messages.getHistory,do={loss},count=1") as hits:
        assert client.messages("me", limit=1)[0]["text"] == text
        assert hits() == 1


def test_a_join_in_a_lost_session(new_account, control):
    """Joining twice is known to be harmless only to people: the gateway says that it does not know."""
    host, guest = new_account(), new_account()
    new_channel(host, "Lost", username="lost_session_channel")
    with control.fault(f"user={guest.user_id},method=channels.joinChannel,do=lose_session,count=1"):
        guest.error("POST", "/groups/join", 504, "OUTCOME_UNKNOWN", json={"group_identifier": "@lost_session_channel"})
    answer = guest.post("/groups/join", group_identifier="@lost_session_channel")
    assert answer["message"] == "Already a member"
