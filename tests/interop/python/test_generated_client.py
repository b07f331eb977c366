# SPDX-License-Identifier: MIT
"""A client that openapi-python-client generates from /openapi.json walks through the whole API: what it
cannot parse into its models, or what the description calls wrong, fails."""
import datetime
import importlib
import io
import os
import subprocess
import sys

import pytest
from accounts import code_of, invite_link, new_channel, set_password, sign_up, unique
from accounts import Numbers
from client import API_HASH, API_ID, Api

numbers = Numbers()


@pytest.fixture(scope="module")
def generated(gateway, tmp_path_factory):
    """The package that the generator writes; it must be made without a warning."""
    folder = tmp_path_factory.mktemp("generated")
    tools = os.path.dirname(sys.executable)
    done = subprocess.run(
        [os.path.join(tools, "openapi-python-client"), "generate", "--url", f"{gateway.url}/openapi.json",
         "--output-path", folder / "tgrest_client", "--meta", "none", "--fail-on-warning"],
        env={**os.environ, "PATH": tools + os.pathsep + os.environ["PATH"]},
        capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("tgrest_client")
    sys.path.remove(str(folder))


class Caller:
    """Calls operations of the generated client and follows the session."""

    def __init__(self, generated, url):
        self.package, self.url = generated.__name__, url
        self.models = importlib.import_module(f"{self.package}.models")
        self.file = importlib.import_module(f"{self.package}.types").File
        self.client_class = generated.AuthenticatedClient
        self.session = ""

    def __call__(self, operation, *args, expect=200, body=None, **params):
        module = importlib.import_module(f"{self.package}.api.default.{operation}")
        client = self.client_class(base_url=self.url, token=self.session, prefix="",
                                   auth_header_name="X-Session-String", raise_on_unexpected_status=True)
        if isinstance(body, dict):
            name = "".join(word.capitalize() for word in operation.split("_")) + "Body"
            body = getattr(self.models, name).from_dict(body)
        if body is not None:
            params["body"] = body
        with client:
            answer = module.sync_detailed(*args, client=client, **params)
        assert answer.status_code == expect, (operation, answer.content)
        self.session = answer.headers.get("x-session-string", self.session)
        return answer.parsed


def test_walks_through_the_whole_api(generated, gateway):
    with Api(gateway) as other:
        sign_up(other, numbers.new(), "Other")
        channel = new_channel(other, "Interop", username="interop_news")
        link = invite_link(other, new_channel(other, "By link", megagroup=True))
        phone = numbers.new()
        with Api(gateway) as owner:
            set_password(sign_up(owner, phone, "Owner"), "correct horse", hint="battery")
        other.set_username("other_of_interop")
        walk(Caller(generated, gateway.url), phone, channel, link)


def walk(call, phone, channel, link):
    step = call("post_auth_send_code", body={"phone": phone, "api_id": API_ID, "api_hash": API_HASH})
    assert step.next_step.value == "verify_code" and call.session == step.session_string
    wrong = call("post_auth_verify_code", body={"code": "00000"}, expect=400)
    assert isinstance(wrong, call.models.Error) and wrong.error == "PHONE_CODE_INVALID"
    step = call("post_auth_verify_code", body={"code": code_of(phone)})
    assert (step.next_step.value, step.hint) == ("verify_password", "battery")
    step = call("post_auth_verify_password", body={"password": "correct horse"})
    assert step.next_step.value == "completed"
    assert call("get_me").name == "Owner"

    text = unique("hello")
    sent = call("post_messages_send", body={"chat_id": "@other_of_interop", "text": f"**{text}**"})
    assert sent.success and isinstance(sent.date, datetime.datetime)
    chat = next(c for c in call("get_chats", limit=10).chats if c.username == "other_of_interop")
    message = call("get_messages", chat_id=chat.ref, limit=1).messages[0]
    assert (message.id, message.text) == (sent.message_id, f"**{text}**")
    call("post_messages_edit", body={"chat_id": chat.id, "message_id": sent.message_id, "new_text": "edited"})
    copy = call("post_messages_forward",
                body={"from_chat_id": chat.id, "to_chat_id": "me", "message_id": sent.message_id})
    found = call("get_messages", chat_id="me", search="edited").messages
    assert [m.id for m in found] == [copy.message_id] and found[0].forward_from is not None
    gone = call("delete_messages_delete", body={"chat_id": chat.id, "message_ids": [sent.message_id]})
    assert gone.deleted_messages == [sent.message_id]

    texts = [b"one file", b"and another"]
    files = [call.file(payload=io.BytesIO(data), file_name=f"{i}.txt", mime_type="text/plain") for i, data in enumerate(texts)]
    form = call.models.PostMessagesSendWithFileBody(chat_id="me", file=files, text="both", force_document=True)
    album = call("post_messages_send_with_file", body=form)
    back = [call("get_messages_media_message_id", i, chat_id="me").payload.read() for i in album.message_ids]
    assert back == texts

    joined = call("post_groups_join", body={"group_identifier": "interop_news"})
    assert (joined.id, joined.title) == (channel, "Interop")
    assert call("post_groups_join", body={"group_identifier": link}).title == "By link"

    assert "users.getUsers" in call("get_methods", search="getUsers").methods
    assert call("get_methods_name", "users.getUsers").name == "users.getUsers"
    call("post_methods_name", "help.getNearestDc", body={})
    missing = call("post_methods_name", "no.suchMethod", body={}, expect=404)
    assert isinstance(missing, call.models.Error)
    assert call("get_healthz") is not None and call("get_readyz") is not None

    assert call("delete_auth_logout").message == "Successfully logged out"
    assert call("get_me", expect=401).error
