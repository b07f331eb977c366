# SPDX-License-Identifier: MIT
"""/methods: every method of the schema, JSON in and out."""
import base64

import pytest

from accounts import new_channel, unique


# ---- what there is ----


def test_the_list(api):
    listed = api.get("/methods")
    names = listed["methods"]
    assert listed["layer"] == 228 and len(names) > 750 and len(set(names)) == len(names)
    assert {"messages.sendMessage", "users.getUsers", "help.getConfig", "upload.getFile"} <= set(names)
    # Those that wrap another query are the gateway's own business.
    assert not {"invokeWithLayer", "initConnection", "invokeWithoutUpdates", "invokeAfterMsg"} & set(names)


def test_the_list_can_be_searched(api):
    names = api.get("/methods", search="stories.")["methods"]
    assert names and all("stories." in n for n in names)
    assert api.get("/methods", search="no such thing")["methods"] == []


def test_one_method(api):
    told = api.get("/methods/messages.sendMessage")
    assert told["name"] == "messages.sendMessage" and told["layer"] == 228 and told["returns"] == "Updates"
    params = {p["name"]: p for p in told["params"]}
    assert params["peer"] == {"name": "peer", "type": "InputPeer", "required": True}
    assert params["silent"]["required"] is False and params["random_id"]["required"] is True
    assert "flags" not in params


def test_every_listed_method_is_told(api):
    for name in api.get("/methods")["methods"][::25]:
        assert api.get(f"/methods/{name}")["name"] == name


@pytest.mark.parametrize("name", ["messages.noSuchMethod", "inputPeerSelf", "message", "invokeWithLayer", "x" * 128])
def test_what_is_no_method(alice, name):
    for method, body in (("GET", None), ("POST", {})):
        assert alice.error(method, f"/methods/{name}", 404, "METHOD_NOT_FOUND", json=body)["field"] == "name"


# ---- calling ----


def test_a_call_without_parameters(alice):
    config = alice.call("help.getConfig")
    assert config["_"] == "config" and config["dc_options"] and isinstance(config["this_dc"], int)


def test_a_call_without_a_body(alice):
    answer = alice.request("POST", "/methods/help.getNearestDc")
    assert answer.json()["_"] == "nearestDc"


def test_peers_are_chat_ids(alice, bob):
    users = alice.call("users.getUsers", id=["me", "@" + bob.username])
    assert [int(u["id"]) for u in users] == [alice.user_id, bob.user_id]
    history = alice.call("messages.getHistory", peer="@" + bob.username, offset_id=0, offset_date=0, add_offset=0,
                         limit=1, max_id=0, min_id=0, hash=0)
    assert history["_"].startswith("messages.")


@pytest.mark.parametrize("form", ["id", "text", "object", "ref"])
def test_channels_in_every_form(new_account, form):
    client = new_account()
    marked = new_channel(client, "By any name")
    chat = next(c for c in client.get("/chats")["chats"] if c["id"] == marked)
    full = client.call("channels.getFullChannel", channel=marked)
    channel = full["chats"][0]
    named = {
        "id": marked, "text": str(marked), "ref": chat["ref"],
        "object": {"_": "inputChannel", "channel_id": channel["id"], "access_hash": channel["access_hash"]},
    }[form]
    assert client.call("channels.getFullChannel", channel=named)["full_chat"]["id"] == channel["id"]


def test_64_bits_are_texts(alice, bob):
    user = alice.call("users.getUsers", id=["@" + bob.username])[0]
    assert isinstance(user["access_hash"], str) and isinstance(user["id"], str)
    number = int(user["access_hash"])
    assert -(2**63) <= number < 2**63
    for access_hash in (user["access_hash"], number):
        named = {"_": "inputUser", "user_id": user["id"], "access_hash": access_hash}
        assert alice.call("users.getUsers", id=[named])[0]["id"] == user["id"]


def test_bytes_are_base64(alice):
    password = alice.call("account.getPassword")
    assert len(base64.b64decode(password["secure_random"], validate=True)) >= 1
    assert len(base64.b64decode(password["new_algo"]["p"], validate=True)) == 256


def test_true_flags_are_booleans(alice):
    me = alice.call("users.getUsers", id=["me"])[0]
    assert me["self"] is True
    assert me.get("bot", False) is False


def test_a_bool_as_the_whole_answer(alice):
    assert alice.call("account.updateStatus", offline=False) is True


def test_a_random_id_is_made_where_it_is_left_out(alice):
    text = unique("by method")
    answer = alice.call("messages.sendMessage", peer="me", message=text)
    assert answer["_"] in ("updates", "updateShortSentMessage")
    assert alice.messages("me", limit=1)[0]["text"] == text


def test_random_ids_for_each_forwarded_message(alice):
    ids = [alice.send("me", unique("forward me"))["message_id"] for _ in range(3)]
    answer = alice.call("messages.forwardMessages", from_peer="me", to_peer="me", id=ids)
    assert len([u for u in answer["updates"] if u["_"] == "updateMessageID"]) == 3


def test_a_random_id_of_ones_own_is_kept(alice):
    text = unique("mine")
    for _ in range(2):
        alice.call("messages.sendMessage", peer="me", message=text, random_id="1234567890123456789")
    assert [m["text"] for m in alice.messages("me", limit=2)].count(text) == 1


@pytest.mark.one_process
def test_peers_are_remembered_from_answers(new_account, bob):
    """What a method has told can be named by its id afterwards."""
    client = new_account()
    client.call("contacts.resolveUsername", username=bob.username)
    assert client.send(bob.user_id, unique("known by now"))["success"]


def test_telegrams_errors_come_through(alice):
    body = alice.error("POST", "/methods/messages.createChat", 400, "CHAT_TITLE_EMPTY", json={"users": [], "title": ""})
    assert "field" not in body


# ---- refusing ----


@pytest.mark.parametrize("method, params, field", [
    ("messages.sendMessage", {"message": "without a peer at all"}, "peer"),
    ("messages.sendMessage", {"peer": "me"}, "message"),
    ("messages.sendMessage", {"peer": "me", "message": 7}, "message"),
    ("messages.sendMessage", {"peer": "me", "message": "fine, but", "extra": 1}, "extra"),
    ("messages.sendMessage", {"peer": "me", "message": "fine, but", "silent": "yes"}, "silent"),
    ("messages.sendMessage", {"peer": "me", "message": "fine, but", "entities": {}}, "entities"),
    ("messages.sendMessage", {"peer": "me", "message": "fine, but", "entities": [{"_": "inputPeerSelf"}]}, "entities"),
    ("messages.sendMessage", {"peer": "me", "message": "fine, but", "entities": [{"_": "messageEntityBold"}]}, "entities"),
    ("messages.getHistory", {"peer": "me", "limit": 2**40}, None),
    ("users.getUsers", {"id": "me"}, "id"),
    ("users.getUsers", {"id": [{"_": "noSuchConstructor"}]}, "id"),
    ("users.getUsers", {"id": [["me"]]}, "id"),
    ("account.updateStatus", {}, "offline"),
    ("contacts.addContact", {"id": {"_": "inputUser", "user_id": "x", "access_hash": 1}}, None),
    ("auth.importAuthorization", {"id": 1, "bytes": "no base64!"}, "bytes"),
])
def test_wrong_parameters_are_named(alice, method, params, field):
    answer = alice.error("POST", f"/methods/{method}", 400, "INVALID_PARAMETER", json=params)
    assert answer["field"].startswith(field or "")


def test_a_peer_that_is_nobody_is_named(alice):
    body = {"id": ["me", "@nobody_has_this_name"]}
    answer = alice.error("POST", "/methods/users.getUsers", 404, "USERNAME_NOT_OCCUPIED", json=body)
    assert answer["field"].startswith("id")


def test_deep_nesting_is_refused(alice):
    body = "{" + '"a":{' * 200 + "}" * 201
    answer = alice.http.post("/methods/users.getUsers", content=body, headers={
        "X-Session-String": alice.session, "Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["error"] in ("MALFORMED_JSON", "INVALID_PARAMETER")


def test_a_session_is_needed_for_calls_alone(api):
    api.error("POST", "/methods/help.getConfig", 401, "NO_SESSION", json={})
    assert api.get("/methods/help.getConfig")["returns"] == "Config"


# ---- an older layer ----


def test_another_schema(start_gateway, binary, tmp_path):
    """A route whose names a layer lacks is off, and says so; all others work."""
    from client import Api
    from commands import run

    text = run(binary, "schema").stdout
    older = tmp_path / "older.tl"
    older.write_text("\n".join(line for line in text.splitlines() if not line.startswith("messages.editMessage#")))
    gateway = start_gateway(options=["--schema", older])
    gateway.wait_for(r"route is off.*messages.editMessage")
    with Api(gateway) as client:
        assert "messages.editMessage" not in client.get("/methods")["methods"]
        client.error("POST", "/messages/edit", 501, "METHOD_UNAVAILABLE",
                     json={"chat_id": "me", "message_id": 1, "new_text": unique()})
