# SPDX-License-Identifier: MIT
"""Every form of chat_id that the contract lists, also at a replica that has never seen the account."""
import pytest

from accounts import invite_link, new_channel, new_group, sign_up, unique
from client import Api


@pytest.fixture(scope="module")
def world(gateway, numbers, bob):
    """An account with chats of every kind, and all that names them."""
    with Api(gateway) as client:
        sign_up(client, numbers.new(), "Cartographer")
        client.call("contacts.importContacts", contacts=[
            {"_": "inputPhoneContact", "client_id": "1", "phone": "+" + bob.phone, "first_name": "Bob", "last_name": ""},
        ])
        client.send(bob.user_id, unique("hello"))
        group = new_group(client, bob.user_id, title="Peers group")
        supergroup = new_channel(client, "Peers supergroup", megagroup=True)
        channel = new_channel(client, "Peers channel", username="peers_test_channel")
        for chat in (bob.user_id, group, supergroup, channel):
            client.send(chat, unique("the last word"))
        client.forms = {
            "user id": bob.user_id,
            "user id as text": str(bob.user_id),
            "group id": group,
            "group id as text": str(group),
            "supergroup id": supergroup,
            "channel id": channel,
            "channel id as text": str(channel),
            "@username": "@" + bob.username,
            "username": bob.username,
            "USERNAME": bob.username.upper(),
            "@channel": "@peers_test_channel",
            "link": "https://t.me/peers_test_channel",
            "link without scheme": "t.me/peers_test_channel",
            "phone": "+" + bob.phone,
            "phone with spaces": f"+{bob.phone[:5]} {bob.phone[5:]}",
            "invite of supergroup": invite_link(client, supergroup),
            "invite of group": invite_link(client, group),
            "me": "me",
        }
        client.expected = {
            "me": client.user_id, "invite of supergroup": supergroup, "invite of group": group, "link": channel,
            "link without scheme": channel, "@channel": channel, "channel id": channel, "channel id as text": channel,
            "supergroup id": supergroup, "group id": group, "group id as text": group,
        }
        yield client


FORMS = ["user id", "user id as text", "group id", "group id as text", "supergroup id", "channel id",
         "channel id as text", "@username", "username", "USERNAME", "@channel", "link", "link without scheme", "phone",
         "phone with spaces", "invite of supergroup", "invite of group", "me"]


def check(client, world, bob, form):
    """Sends there and finds the message in the chat that is meant."""
    text = unique(form)
    sent = client.send(world.forms[form], text)
    read = client.message(world.forms[form], sent["message_id"])
    assert read["text"] == text and read["chat_id"] == world.expected.get(form, bob.user_id)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_where_the_account_is_known(world, bob, form):
    check(world, world, bob, form)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_at_a_fresh_process(world, bob, start_gateway, form):
    with world.at(start_gateway()) as fresh:
        check(fresh, world, bob, form)


def test_a_ref_needs_no_look_up(world, start_gateway, control):
    """It seals the access hash: a fresh replica asks Telegram nothing but the call itself."""
    chats = world.get("/chats")["chats"]
    assert len(chats) >= 4
    for chat in chats:
        with world.at(start_gateway()) as fresh:
            before = control.stats()["requests"]
            sent = fresh.send(chat["ref"], unique("by ref"))
            assert control.stats()["requests"] == before + 1
            assert fresh.message(chat["ref"], sent["message_id"])["chat_id"] == chat["id"]


def test_refs_of_messages_and_senders_work_too(world, bob):
    bob.send(world.user_id, unique("from bob"))
    message = world.messages(bob.user_id, limit=1)[0]
    text = unique("answer")
    world.send(message["sender_ref"], text)
    assert bob.messages(world.user_id, limit=1)[0]["text"] == text


def test_every_id_of_an_answer_can_be_sent_back(world, start_gateway):
    chats = world.get("/chats")["chats"]
    with world.at(start_gateway()) as fresh:
        for chat in chats:
            for form in (chat["id"], str(chat["id"]), chat["ref"]):
                assert fresh.get("/messages", chat_id=form, limit=1)["messages"]


def test_another_accounts_ref_is_of_no_use(world, new_account):
    """An access hash belongs to the account that was given it."""
    private = next(c for c in world.get("/chats")["chats"] if c["type"] == "supergroup")
    stranger = new_account()
    answer = stranger.request("GET", "/messages", 404, params={"chat_id": private["ref"]}).json()
    assert answer["error"] in ("CHANNEL_INVALID", "CHANNEL_PRIVATE")


@pytest.mark.parametrize("chat_id, status, error", [
    ("@nobody_has_this_name", 404, "USERNAME_NOT_OCCUPIED"),
    ("https://t.me/nobody_has_this_name", 404, "USERNAME_NOT_OCCUPIED"),
    (987654321, 404, "CHAT_NOT_FOUND"),
    (-1009876543210, 404, "CHAT_NOT_FOUND"),
    ("+19995550000", 404, "CHAT_NOT_FOUND"),
    ("", 400, "INVALID_PARAMETER"),
    ("no such name!", 400, "INVALID_PARAMETER"),
    ("https://example.org/x", 400, "INVALID_PARAMETER"),
    (0, 400, "INVALID_PARAMETER"),
    ("ref.forged", 400, "INVALID_PARAMETER"),
    ("12345678901234567890", 400, "INVALID_PARAMETER"),
])
def test_names_of_nobody(alice, chat_id, status, error):
    body = {"chat_id": chat_id, "text": unique("to nobody")}
    assert alice.error("POST", "/messages/send", status, error, json=body)["field"] == "chat_id"


def test_a_group_that_one_is_not_in(alice):
    answer = alice.request("POST", "/messages/send", 404, json={"chat_id": -987654, "text": unique("to nobody")})
    assert answer.json()["error"] in ("PEER_ID_INVALID", "CHAT_ID_INVALID")


def test_an_invite_of_a_chat_that_one_is_not_in(world, new_account):
    stranger = new_account()
    body = {"chat_id": world.forms["invite of supergroup"], "text": unique("to nobody")}
    assert stranger.error("POST", "/messages/send", 404, "CHAT_NOT_FOUND", json=body)["field"] == "chat_id"


@pytest.mark.parametrize("value", [True, 1.5, [], {}, None])
def test_wrong_types(alice, value):
    body = {"chat_id": value, "text": unique("typed")}
    assert alice.error("POST", "/messages/send", 400, "INVALID_PARAMETER", json=body)["field"] == "chat_id"


def test_a_bare_id_in_the_archive(new_account, start_gateway):
    client = new_account()
    chat = new_channel(client, "Archived", megagroup=True)
    client.call("folders.editPeerFolders", folder_peers=[{"_": "inputFolderPeer", "peer": chat, "folder_id": 1}])
    with client.at(start_gateway()) as fresh:
        assert fresh.send(chat, unique("found in the archive"))["success"]


def test_a_bare_id_beyond_the_first_page_of_dialogs(new_account, start_gateway):
    client = new_account()
    chat = new_channel(client, "Deep down", megagroup=True)
    for i in range(130):
        new_group(client, title=f"Above {i}")
    with client.at(start_gateway()) as fresh:
        assert fresh.send(chat, unique("found deep down"))["success"]
