# SPDX-License-Identifier: MIT
"""POST /groups/join in every form, and what may stand against it."""
import time

import pytest

from accounts import invite_link, new_channel, new_group, sign_up, unique
from client import Api


@pytest.fixture(scope="module")
def host(gateway, numbers):
    with Api(gateway) as client:
        sign_up(client, numbers.new(), "Host")
        client.public_channel = new_channel(client, "Open house", "All are welcome", username="open_house_channel")
        client.public_group = new_channel(client, "Open table", "Sit down", megagroup=True, username="open_table_group")
        client.private_group = new_channel(client, "Back room", "Knock twice", megagroup=True)
        client.basic_group = new_group(client, title="Basic group")
        yield client


def join(client, identifier, expect=200):
    return client.post("/groups/join", expect, group_identifier=identifier)


@pytest.mark.parametrize("identifier", [
    "@open_house_channel", "open_house_channel", "t.me/open_house_channel", "https://t.me/open_house_channel",
    "http://t.me/open_house_channel", "https://telegram.me/open_house_channel", "OPEN_HOUSE_CHANNEL",
])
def test_by_name(host, new_account, identifier):
    guest = new_account()
    answer = join(guest, identifier)
    assert answer["success"] is True and answer["message"] == "Successfully joined"
    assert answer["id"] == host.public_channel and answer["title"] == "Open house"
    assert answer["username"] == "open_house_channel" and answer["description"] == "All are welcome"
    assert answer["photo_url"] is None
    assert host.public_channel in [c["id"] for c in guest.get("/chats")["chats"]]


def spellings(link):
    secret = link.rsplit("+", 1)[1]
    return [f"https://t.me/+{secret}", f"t.me/+{secret}", f"https://t.me/joinchat/{secret}", f"t.me/joinchat/{secret}",
            f"+{secret}", f"tg://join?invite={secret}"]


@pytest.mark.parametrize("index", range(6))
def test_by_invite_link(host, new_account, index):
    guest = new_account()
    answer = join(guest, spellings(invite_link(host, host.private_group))[index])
    assert answer["message"] == "Successfully joined" and answer["id"] == host.private_group
    assert answer["title"] == "Back room" and answer["username"] is None and answer["description"] == "Knock twice"
    text = unique("I am in")
    guest.send(answer["id"], text)
    assert host.messages(host.private_group, limit=1)[0]["text"] == text


def test_a_basic_group(host, new_account):
    guest = new_account()
    answer = join(guest, invite_link(host, host.basic_group))
    assert answer["id"] == host.basic_group and answer["title"] == "Basic group"
    guest.send(host.basic_group, unique("basic hello"))


@pytest.mark.parametrize("how", ["name", "link", "basic"])
def test_twice_is_success_too(host, new_account, how):
    guest = new_account()
    identifier = {"name": "@open_table_group", "link": None, "basic": None}[how] or invite_link(
        host, host.private_group if how == "link" else host.basic_group)
    first, second = join(guest, identifier), join(guest, identifier)
    assert first["message"] == "Successfully joined" and second["message"] == "Already a member"
    assert second["success"] is True
    for field in ("id", "title", "username", "description"):
        assert first[field] == second[field]


def test_what_was_left_can_be_joined_again(host, new_account):
    guest = new_account()
    join(guest, "@open_table_group")
    guest.call("channels.leaveChannel", channel="@open_table_group")
    assert join(guest, "@open_table_group")["message"] == "Successfully joined"


def test_a_link_with_approval_is_a_request(host, new_account):
    guest = new_account()
    link = invite_link(host, host.private_group, request_needed=True)
    answer = join(guest, link, 202)
    assert answer["success"] is True and "request" in answer["message"].lower()
    assert guest.get("/chats")["total_count"] == 0
    # Asked for once; it does not get worse by asking again.
    join(guest, link, 202)
    host.call("messages.hideChatJoinRequest", peer=host.private_group, user_id=_introduce(host, guest), approved=True)
    assert join(guest, link)["message"] == "Already a member"


def _introduce(host, guest):
    """The host learns the guest's access hash by name."""
    name = f"guest_{guest.phone}"
    guest.set_username(name)
    return "@" + name


def test_an_expired_link(start_sandbox, start_gateway, numbers, connect):
    sandbox = start_sandbox()
    gateway = start_gateway(at=sandbox)
    host, guest = sign_up(connect(gateway), numbers.new()), sign_up(connect(gateway), numbers.new())
    group = new_channel(host, "Soon closed", megagroup=True)
    link = invite_link(host, group, expire_date=sandbox.control.now() + 60)
    sandbox.control.run("clock_advance 61")
    body = {"group_identifier": link}
    guest.error("POST", "/groups/join", 400, "INVITE_HASH_EXPIRED", json=body)


def test_a_used_up_link(host, new_account):
    link = invite_link(host, host.private_group, usage_limit=1)
    join(new_account(), link)
    late = new_account().request("POST", "/groups/join", 400, json={"group_identifier": link}).json()
    assert late["error"] in ("USERS_TOO_MUCH", "INVITE_HASH_EXPIRED")


def test_a_revoked_link(host, new_account):
    link = invite_link(host, host.private_group)
    host.call("messages.editExportedChatInvite", peer=host.private_group, link=link, revoked=True)
    guest = new_account()
    guest.error("POST", "/groups/join", 400, "INVITE_HASH_EXPIRED", json={"group_identifier": link})


@pytest.mark.parametrize("identifier, status, error", [
    ("+AAAAAAAAAAAAAAAA", 400, None),
    ("@nobody_has_this_name", 404, "USERNAME_NOT_OCCUPIED"),
    ("!", 400, "INVALID_PARAMETER"),
    ("https://example.org/+AAAAAAAAAAAAAAAA", 400, "INVALID_PARAMETER"),
    ("", 400, "INVALID_PARAMETER"),
])
def test_what_leads_nowhere(alice, identifier, status, error):
    answer = alice.request("POST", "/groups/join", status, json={"group_identifier": identifier}).json()
    assert answer["error"] == error if error else answer["error"].startswith("INVITE_HASH_")


def test_a_user_is_no_group(alice, bob):
    body = {"group_identifier": "@" + bob.username}
    assert alice.error("POST", "/groups/join", 400, "INVALID_PARAMETER", json=body)["field"] == "group_identifier"


def test_a_banned_account_stays_out(host, new_account):
    guest = new_account()
    join(guest, "@open_table_group")
    who = _introduce(host, guest)
    rights = {"_": "chatBannedRights", "view_messages": True, "until_date": int(time.time()) + 86400}
    host.call("channels.editBanned", channel=host.public_group, participant=who, banned_rights=rights)
    answer = guest.http.post("/groups/join", json={"group_identifier": "@open_table_group"},
                             headers={"X-Session-String": guest.session})
    assert answer.status_code in (400, 403) and answer.json()["error"] in ("USER_BANNED_IN_CHANNEL", "CHANNEL_PRIVATE",
                                                                          "USER_KICKED", "INVITE_HASH_EXPIRED")
