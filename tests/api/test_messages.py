# SPDX-License-Identifier: MIT
"""Sending, editing, deleting, forwarding and reading messages."""
import datetime

import pytest

from accounts import new_channel, new_group, sign_up, unique
from client import RFC3339_UTC, Api

LISTED = {"id", "text", "date", "sender_id", "sender_username", "sender_name", "reply_to_msg_id", "forward_from",
          "media_type", "is_pinned"}


# ---- sending ----


def test_a_sent_message_is_there_for_both(alice, bob):
    text = unique("good morning")
    sent = alice.send("@" + bob.username, text)
    assert sent["success"] is True and sent["message_id"] > 0 and RFC3339_UTC.match(sent["date"])
    here = alice.message(bob.user_id, sent["message_id"])
    there = bob.messages(alice.user_id, limit=1)[0]
    for message in (here, there):
        assert LISTED <= message.keys()
        assert message["text"] == text and message["date"] == sent["date"]
        assert message["sender_id"] == alice.user_id and message["sender_username"] == alice.username
        assert message["sender_name"] == "Alice"
        assert message["reply_to_msg_id"] is None and message["forward_from"] is None
        assert message["media_type"] is None and message["is_pinned"] is False


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
def test_sending_to_every_kind_of_chat(new_account, kind):
    client = new_account()
    chat = new_group(client) if kind == "group" else new_channel(client, megagroup=kind == "supergroup")
    text = unique(kind)
    sent = client.send(chat, text)
    assert client.message(chat, sent["message_id"])["text"] == text


def test_a_reply_names_what_it_answers(alice):
    first = alice.send("me", unique("question"))["message_id"]
    second = alice.send("me", unique("answer"), reply_to_message_id=first)["message_id"]
    assert alice.message("me", second)["reply_to_msg_id"] == first


def test_a_reply_to_nothing_is_refused(alice):
    body = {"chat_id": "me", "text": unique("answer"), "reply_to_message_id": 2_000_000_000}
    alice.error("POST", "/messages/send", 404, "REPLY_MESSAGE_ID_INVALID", json=body)


@pytest.mark.parametrize("length, fits", [(1, True), (4096, True), (4097, False)])
def test_the_length_is_telegrams(alice, length, fits):
    text = ("ab" * length)[:length]
    if fits:
        sent = alice.send("me", text)
        assert alice.message("me", sent["message_id"])["text"] == text
    else:
        alice.error("POST", "/messages/send", 400, "MESSAGE_TOO_LONG", json={"chat_id": "me", "text": text})


def test_length_counts_utf16_units(alice):
    assert alice.send("me", "😀" * 2048)["success"]
    body = {"chat_id": "me", "text": "😀" * 2049}
    alice.error("POST", "/messages/send", 400, "MESSAGE_TOO_LONG", json=body)


def test_a_message_of_spaces_is_empty(alice):
    alice.error("POST", "/messages/send", 400, "MESSAGE_EMPTY", json={"chat_id": "me", "text": " \n "})


def test_a_session_of_another_device_sees_it(alice, gateway, connect):
    from accounts import log_in

    other = log_in(connect(gateway), alice.phone)
    text = unique("both devices")
    sent = alice.send("me", text)
    assert other.message("me", sent["message_id"])["text"] == text


# ---- editing ----


@pytest.mark.parametrize("as_text", [False, True])
def test_an_edit_changes_the_message_for_both(alice, bob, as_text):
    """The older project's clients write message_id as text."""
    sent = alice.send(bob.user_id, unique("before"))
    text = unique("after")
    message_id = str(sent["message_id"]) if as_text else sent["message_id"]
    edited = alice.post("/messages/edit", chat_id=bob.user_id, message_id=message_id, new_text=text)
    assert edited["success"] is True and edited["message_id"] == sent["message_id"]
    assert RFC3339_UTC.match(edited["date"])
    assert alice.message(bob.user_id, sent["message_id"])["text"] == text
    assert bob.messages(alice.user_id, limit=1)[0]["text"] == text


def test_an_edit_that_changes_nothing(alice):
    text = unique("same")
    sent = alice.send("me", text)
    body = {"chat_id": "me", "message_id": sent["message_id"], "new_text": text}
    alice.error("POST", "/messages/edit", 400, "MESSAGE_NOT_MODIFIED", json=body)


def test_an_edit_of_nothing(alice):
    body = {"chat_id": "me", "message_id": 2_000_000_000, "new_text": unique()}
    alice.error("POST", "/messages/edit", 404, "MESSAGE_ID_INVALID", json=body)


def test_only_the_author_edits(alice, bob):
    alice.send(bob.user_id, unique("mine"))
    theirs = bob.messages(alice.user_id, limit=1)[0]["id"]
    body = {"chat_id": alice.user_id, "message_id": theirs, "new_text": unique("not yours")}
    bob.error("POST", "/messages/edit", 403, "MESSAGE_AUTHOR_REQUIRED", json=body)


# ---- deleting ----


def test_deleting_takes_it_from_both(alice, bob):
    text = unique("short-lived")
    sent = alice.send(bob.user_id, text)
    answer = alice.delete("/messages/delete", chat_id=bob.user_id, message_ids=[sent["message_id"]])
    assert answer == {"success": True, "deleted_messages": [sent["message_id"]]}
    assert text not in [m["text"] for m in alice.messages(bob.user_id, limit=5)]
    assert text not in [m["text"] for m in bob.messages(alice.user_id, limit=5)]


def test_deleting_for_oneself_only(alice, bob):
    text = unique("they keep it")
    sent = alice.send(bob.user_id, text)
    alice.delete("/messages/delete", chat_id=bob.user_id, message_ids=[sent["message_id"]], revoke=False)
    assert text not in [m["text"] for m in alice.messages(bob.user_id, limit=5)]
    assert bob.messages(alice.user_id, limit=1)[0]["text"] == text


def test_deleting_tells_what_is_really_gone(alice):
    ids = [alice.send("me", unique())["message_id"] for _ in range(3)]
    wanted = [ids[0], 2_000_000_000, ids[2], ids[0]]
    answer = alice.delete("/messages/delete", chat_id="me", message_ids=wanted)
    assert sorted(answer["deleted_messages"]) == [ids[0], ids[2]]
    assert alice.message("me", ids[1])


def test_deleting_nothing_is_an_error(alice):
    body = {"chat_id": "me", "message_ids": [2_000_000_000]}
    alice.error("DELETE", "/messages/delete", 400, "MESSAGE_ID_INVALID", json=body)


def test_the_wrong_chat_deletes_nothing(alice, bob):
    """Outside of channels ids are account-wide: Telegram would delete it wherever it is."""
    sent = alice.send(bob.user_id, unique("stays"))
    body = {"chat_id": "me", "message_ids": [sent["message_id"]]}
    alice.error("DELETE", "/messages/delete", 400, "MESSAGE_ID_INVALID", json=body)
    assert alice.message(bob.user_id, sent["message_id"])


def test_deleting_many_in_a_channel(new_account):
    client = new_account()
    chat = new_channel(client, megagroup=True)
    ids = [client.send(chat, unique())["message_id"] for _ in range(130)]
    answer = client.delete("/messages/delete", chat_id=chat, message_ids=ids)
    assert sorted(answer["deleted_messages"]) == ids
    assert not [m for m in client.messages(chat) if m["id"] in ids]


def test_a_delete_without_a_body_may_use_the_query(alice):
    """Some proxies and clients drop the body of a DELETE."""
    sent = alice.send("me", unique("by query"))
    answer = alice.request("DELETE", "/messages/delete",
                           params={"chat_id": "me", "message_ids": str(sent["message_id"])}).json()
    assert answer["deleted_messages"] == [sent["message_id"]]


# ---- forwarding ----


def test_a_forward_says_where_it_is_from(alice, bob, new_account):
    text = unique("pass it on")
    sent = alice.send(bob.user_id, text)
    target = new_group(alice, title="Target")
    answer = alice.post("/messages/forward", from_chat_id=bob.user_id, to_chat_id=target, message_id=sent["message_id"])
    assert answer["success"] is True and RFC3339_UTC.match(answer["date"])
    forwarded = alice.message(target, answer["message_id"])
    assert forwarded["text"] == text and "Alice" in str(forwarded["forward_from"])


def test_a_forward_of_nothing(alice):
    body = {"from_chat_id": "me", "to_chat_id": "me", "message_id": 2_000_000_000}
    answer = alice.request("POST", "/messages/forward", 404, json=body).json()
    assert answer["error"] == "MESSAGE_ID_INVALID"


# ---- pins ----


def test_a_pinned_message_says_so(alice):
    chat = new_group(alice, title="Pins")
    sent = alice.send(chat, unique("pin me"))
    alice.call("messages.updatePinnedMessage", peer=chat, id=sent["message_id"])
    assert alice.message(chat, sent["message_id"])["is_pinned"] is True


# ---- history ----


HISTORY = 1050


@pytest.fixture(scope="module")
def history(gateway, numbers):
    """A supergroup with many messages: (client, chat, ids, newest first)."""
    with Api(gateway) as client:
        sign_up(client, numbers.new(), "Historian")
        chat = new_channel(client, "History", megagroup=True)
        for i in range(HISTORY):
            client.send(chat, f"entry number {i}" + (" with a needle" if i % 100 == 7 else ""))
        first = client.messages(chat, limit=1000)
        rest = client.messages(chat, limit=1000, offset_id=first[-1]["id"])
        yield client, chat, [m["id"] for m in first + rest]


@pytest.mark.parametrize("limit", [1, 2, 99, 100, 101, 250, 1000])
def test_a_limit_is_what_one_gets(history, limit):
    client, chat, ids = history
    answer = client.get("/messages", chat_id=chat, limit=limit)
    assert [m["id"] for m in answer["messages"]] == ids[:limit]
    assert answer["total_count"] == len(ids)
    assert answer["has_more"] is True and answer["next_offset"] == ids[limit - 1]


def test_a_hundred_is_the_default(history):
    client, chat, ids = history
    assert [m["id"] for m in client.messages(chat)] == ids[:100]


@pytest.mark.parametrize("limit", [37, 100, 333])
def test_pages_have_every_message_once(history, limit):
    client, chat, ids = history
    seen, offset = [], 0
    while True:
        answer = client.get("/messages", chat_id=chat, limit=limit, offset_id=offset)
        seen += [m["id"] for m in answer["messages"]]
        if not answer["has_more"]:
            assert answer["next_offset"] is None
            break
        assert answer["next_offset"] == seen[-1]
        offset = answer["next_offset"]
    assert seen == ids == sorted(ids, reverse=True)


def test_the_end_is_known(history):
    client, chat, ids = history
    answer = client.get("/messages", chat_id=chat, limit=10, offset_id=ids[-10])
    assert [m["id"] for m in answer["messages"]] == ids[-9:]
    assert answer["has_more"] is False and answer["next_offset"] is None


def test_both_spellings_of_the_path(history):
    client, chat, ids = history
    for path in ("/messages", "/messages/"):
        answer = client.get(path, chat_id=chat, limit=2)
        assert [m["id"] for m in answer["messages"]] == ids[:2]


@pytest.mark.parametrize("params, field", [
    ({"limit": 0}, "limit"), ({"limit": 1001}, "limit"), ({"limit": "x"}, "limit"),
    ({"offset_id": -1}, "offset_id"), ({"from_date": "yesterday"}, "from_date"),
    ({"to_date": "2024-13-01T00:00:00Z"}, "to_date"), ({"parse_mode": "bbcode"}, "parse_mode"),
])
def test_bad_parameters_are_named(history, params, field):
    client, chat, _ = history
    answer = client.error("GET", "/messages", 400, "INVALID_PARAMETER", params={"chat_id": chat, **params})
    assert answer["field"] == field


def test_a_chat_must_be_named(alice):
    assert alice.error("GET", "/messages", 400, "INVALID_PARAMETER")["field"] == "chat_id"


# ---- searching ----


def test_search_finds_what_has_the_word(history):
    client, chat, _ = history
    answer = client.get("/messages", chat_id=chat, search="needle")
    texts = [m["text"] for m in answer["messages"]]
    assert len(texts) == 11 == answer["total_count"] and all("needle" in t for t in texts)
    assert answer["has_more"] is False


def test_search_pages(history):
    client, chat, _ = history
    seen, offset = [], 0
    while True:
        answer = client.get("/messages", chat_id=chat, search="needle", limit=4, offset_id=offset)
        seen += [m["id"] for m in answer["messages"]]
        if not answer["has_more"]:
            break
        offset = answer["next_offset"]
    assert len(seen) == 11 and seen == sorted(set(seen), reverse=True)


def test_search_for_what_nobody_said(history):
    client, chat, _ = history
    answer = client.get("/messages", chat_id=chat, search="haystacks")
    assert answer == {"messages": [], "total_count": 0, "has_more": False, "next_offset": None}


# ---- dates ----


@pytest.fixture(scope="module")
def diary(binary, directory, numbers):
    """One entry an hour in a data centre whose clock is moved: (client, chat, [(id, unix)…] oldest first)."""
    from processes import Gateway, Sandbox

    with Sandbox(binary, directory / "diary.pem") as sandbox, Gateway(binary, sandbox, directory / "diary.key") as gate:
        with Api(gate) as client:
            sign_up(client, numbers.new(), "Diarist")
            chat = new_channel(client, "Diary", megagroup=True)
            entries = []
            for i in range(30):
                sandbox.control.run("clock_advance 3600")
                sent = client.send(chat, f"hour {i} of the diary")
                at = datetime.datetime.fromisoformat(sent["date"].replace("Z", "+00:00"))
                entries.append((sent["message_id"], int(at.timestamp())))
            yield client, chat, entries


def iso(unix, hours=0):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    return datetime.datetime.fromtimestamp(unix, zone).isoformat()


def ids_between(entries, low, high):
    return [i for i, at in reversed(entries) if low <= at <= high]


@pytest.mark.parametrize("search", [None, "diary"])
@pytest.mark.parametrize("first, last", [(5, 10), (0, 0), (29, 29), (0, 29), (12, 13)])
def test_both_dates_filter_and_include_their_ends(diary, first, last, search):
    client, chat, entries = diary
    low, high = entries[first][1], entries[last][1]
    params = {"search": search} if search else {}
    answer = client.get("/messages", chat_id=chat, from_date=iso(low), to_date=iso(high), **params)
    assert [m["id"] for m in answer["messages"]] == ids_between(entries, low, high)
    assert answer["has_more"] is False


@pytest.mark.parametrize("search", [None, "diary"])
def test_one_end_alone(diary, search):
    client, chat, entries = diary
    params = {"search": search} if search else {}
    at = entries[20][1]
    older = client.messages(chat, to_date=iso(at), **params)
    newer = client.messages(chat, from_date=iso(at), **params)
    assert [m["id"] for m in older if "diary" in (m["text"] or "")] == ids_between(entries, 0, at)
    assert [m["id"] for m in newer] == ids_between(entries, at, 2**40)
    one_second = client.messages(chat, from_date=iso(at + 1), **params)
    assert [m["id"] for m in one_second] == ids_between(entries, at + 1, 2**40)


def test_dates_with_any_offset(diary):
    client, chat, entries = diary
    low, high = entries[3][1], entries[6][1]
    expected = ids_between(entries, low, high)
    for hours in (-11, 0, 2, 14):
        answer = client.messages(chat, from_date=iso(low, hours), to_date=iso(high, hours))
        assert [m["id"] for m in answer] == expected


@pytest.mark.parametrize("search", [None, "diary"])
def test_dates_and_pages_together(diary, search):
    client, chat, entries = diary
    low, high = entries[4][1], entries[24][1]
    params = {"search": search} if search else {}
    seen, offset = [], 0
    for _ in range(30):
        answer = client.get("/messages", chat_id=chat, from_date=iso(low), to_date=iso(high), limit=4,
                            offset_id=offset, **params)
        seen += [m["id"] for m in answer["messages"]]
        if not answer["has_more"]:
            break
        offset = answer["next_offset"]
    assert seen == ids_between(entries, low, high)


def test_an_empty_span(diary):
    client, chat, entries = diary
    answer = client.get("/messages", chat_id=chat, from_date=iso(entries[3][1] + 1), to_date=iso(entries[4][1] - 1))
    assert answer["messages"] == [] and answer["has_more"] is False and answer["next_offset"] is None
