# SPDX-License-Identifier: MIT
"""GET /chats and GET /me."""
import pytest

from accounts import new_channel, new_group, unique
from client import RFC3339_UTC

LISTED = {"name", "id", "ref", "type", "members_count", "is_private", "username", "unread_count", "last_message_date"}


@pytest.fixture(scope="module")
def owner(gateway, numbers, bob):
    """An account with a chat of each kind, made in this order."""
    from accounts import sign_up
    from client import Api

    with Api(gateway) as client:
        sign_up(client, numbers.new(), "Owner")
        client.made = {
            "group": new_group(client, "@" + bob.username, title="A basic group"),
            "supergroup": new_channel(client, "A supergroup", megagroup=True),
            "channel": new_channel(client, "A public channel", "What it is about", username="chats_test_channel"),
        }
        client.send("@" + bob.username, unique("to bob"))
        client.made["private"] = bob.user_id
        yield client


def by_id(chats):
    return {chat["id"]: chat for chat in chats}


def test_every_kind_of_chat_is_listed(owner):
    answer = owner.get("/chats")
    chats = by_id(answer["chats"])
    assert answer["total_count"] == len(chats) and answer["next_offset"] is None
    for kind, chat_id in owner.made.items():
        chat = chats[chat_id]
        assert chat["type"] == kind
        assert LISTED <= chat.keys()
        assert chat["ref"] and RFC3339_UTC.match(chat["last_message_date"])
        assert chat["unread_count"] == 0
    assert chats[owner.made["group"]]["name"] == "A basic group"
    assert chats[owner.made["group"]]["members_count"] == 2


def test_marked_ids_say_what_kind_it_is(owner):
    ids = owner.made
    assert ids["private"] > 0
    assert -(10**12) < ids["group"] < 0
    assert str(ids["supergroup"]).startswith("-100") and str(ids["channel"]).startswith("-100")


def test_private_is_what_has_no_public_username(owner, bob):
    chats = by_id(owner.get("/chats")["chats"])
    made = owner.made
    assert chats[made["channel"]]["username"] == "chats_test_channel"
    assert {kind: chats[made[kind]]["is_private"] for kind in made} == {
        "group": True, "supergroup": True, "channel": False, "private": False,
    }
    assert chats[made["private"]]["username"] == bob.username


def test_the_latest_comes_first(new_account):
    client = new_account()
    first, second = new_channel(client, "First"), new_channel(client, "Second")
    third = new_group(client, title="Third")
    client.send(first, unique())
    order = [c["id"] for c in client.get("/chats")["chats"] if c["id"] in (first, second, third)]
    dates = [c["last_message_date"] for c in client.get("/chats")["chats"]]
    assert dates == sorted(dates, reverse=True)
    assert set(order) == {first, second, third}


def test_unread_messages_are_counted(new_account, alice):
    client = new_account()
    for _ in range(3):
        client.send("@" + alice.username, unique())
    chat = by_id(alice.get("/chats")["chats"])[client.user_id]
    assert chat["unread_count"] == 3


def test_pages_have_every_chat_once(new_account):
    client = new_account()
    made = {new_group(client, title=f"Chat {i}") for i in range(7)}
    for limit in (1, 2, 3, 7, 8):
        seen, offset, pages = [], None, 0
        while True:
            answer = client.get("/chats", limit=limit, **({"offset": offset} if offset else {}))
            assert len(answer["chats"]) <= limit and answer["total_count"] == len(made)
            seen += [c["id"] for c in answer["chats"]]
            offset = answer["next_offset"]
            pages += 1
            assert pages < 20
            if offset is None:
                break
        assert len(seen) == len(made) and set(seen) == made, limit


def test_pinned_chats_lead_and_are_not_repeated(new_account):
    client = new_account()
    made = [new_group(client, title=f"Chat {i}") for i in range(6)]
    for chat in made[:2]:
        peer = {"_": "inputDialogPeer", "peer": chat}
        assert client.call("messages.toggleDialogPin", pinned=True, peer=peer) is True
    for limit in (1, 2, 4, 100):
        seen, offset = [], None
        while True:
            answer = client.get("/chats", limit=limit, **({"offset": offset} if offset else {}))
            seen += [c["id"] for c in answer["chats"]]
            offset = answer["next_offset"]
            if offset is None:
                break
        assert set(seen[:2]) == set(made[:2]) and sorted(seen) == sorted(made), limit


def test_limit_0_is_all(new_account):
    client = new_account()
    made = {new_group(client, title=f"Chat {i}") for i in range(110)}
    answer = client.get("/chats", limit=0)
    assert {c["id"] for c in answer["chats"]} == made and answer["next_offset"] is None
    default = client.get("/chats")
    assert len(default["chats"]) == 100 and default["next_offset"] and default["total_count"] == 110


def test_the_archive_is_a_list_of_its_own(new_account):
    client = new_account()
    kept, put_away = new_group(client, title="Kept"), new_group(client, title="Put away")
    client.call("folders.editPeerFolders",
                folder_peers=[{"_": "inputFolderPeer", "peer": put_away, "folder_id": 1}])
    assert [c["id"] for c in client.get("/chats")["chats"]] == [kept]
    assert [c["id"] for c in client.get("/chats", archived="true")["chats"]] == [put_away]


def test_an_account_without_chats(new_account):
    assert new_account().get("/chats") == {"chats": [], "total_count": 0, "next_offset": None}


@pytest.mark.parametrize("params, field", [
    ({"limit": -1}, "limit"), ({"limit": "many"}, "limit"), ({"limit": 10001}, "limit"),
    ({"offset": "forged"}, "offset"), ({"archived": "perhaps"}, "archived"),
])
def test_bad_parameters_are_named(alice, params, field):
    assert alice.error("GET", "/chats", 400, "INVALID_PARAMETER", params=params)["field"] == field


def test_an_offset_is_of_the_gateway_that_sealed_it(new_account, start_gateway):
    """It is opened by any replica with the key, and by nobody when it was changed."""
    client = new_account()
    made = {new_group(client, title=f"Chat {i}") for i in range(3)}
    page = client.get("/chats", limit=2)
    other = client.at(start_gateway())
    rest = other.get("/chats", limit=2, offset=page["next_offset"])
    assert {c["id"] for c in page["chats"] + rest["chats"]} == made
    other.close()
    spoilt = page["next_offset"][:-4] + "AAAA"
    assert client.error("GET", "/chats", 400, "INVALID_PARAMETER", params={"offset": spoilt})["field"] == "offset"


def test_me(bob):
    me = bob.get("/me")
    assert me["id"] == bob.user_id and me["username"] == bob.username and me["name"] == "Bob"


def test_head_is_get_without_a_body(bob):
    answer = bob.request("HEAD", "/chats")
    assert answer.content == b"" and int(answer.headers["content-length"]) > 2
