# SPDX-License-Identifier: MIT
"""A client that openapi-python-client generates from /openapi.json walks through the whole API: what it
cannot parse into its models, or what the description calls wrong, fails; and so does an operation that is left out."""
import base64
import datetime
import importlib
import io
import os
import pkgutil
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
        self.api = importlib.import_module(f"{self.package}.api.default")
        self.succeeded = set()

    def left_out(self):
        return {module.name for module in pkgutil.iter_modules(self.api.__path__)} - self.succeeded

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
        if expect == 200:
            self.succeeded.add(operation)
        self.session = answer.headers.get("x-session-string", self.session)
        return answer.parsed


def test_walks_through_the_whole_api(generated, gateway, sandbox):
    with Api(gateway) as other:
        sign_up(other, numbers.new(), "Other")
        channel = new_channel(other, "Interop", username="interop_news")
        link = invite_link(other, new_channel(other, "By link", megagroup=True))
        phone = numbers.new()
        with Api(gateway) as owner:
            set_password(sign_up(owner, phone, "Owner"), "correct horse", hint="battery")
        other.set_username("other_of_interop")
        call = Caller(generated, gateway.url)
        log_in(call, phone)
        write(call)
        carry_files(call)
        join(call, channel, link)
        look_into_sessions(call, phone)
        ask_for_methods(call)
        call("delete_auth_logout")
        assert call("get_me", expect=401).error
        change_passwords(call, sandbox.control, numbers.new())
        log_in_otherwise(call, sandbox.control, other)
        assert call.left_out() == set()


def sign_up_here(call, phone, name):
    step = call("post_auth_send_code", body={"phone": phone, "api_id": API_ID, "api_hash": API_HASH})
    assert step.next_step.value == "verify_code"
    step = call("post_auth_verify_code", body={"code": code_of(phone), "first_name": name})
    assert step.next_step.value == "completed"


def log_in(call, phone):
    step = call("post_auth_send_code", body={"phone": phone, "api_id": API_ID, "api_hash": API_HASH})
    assert step.next_step.value == "verify_code" and call.session == step.session_string
    wrong = call("post_auth_verify_code", body={"code": "00000"}, expect=400)
    assert isinstance(wrong, call.models.Error) and wrong.error == "PHONE_CODE_INVALID"
    step = call("post_auth_verify_code", body={"code": code_of(phone)})
    assert (step.next_step.value, step.hint) == ("verify_password", "battery")
    step = call("post_auth_verify_password", body={"password": "correct horse"})
    assert step.next_step.value == "completed"
    assert call("get_me").name == "Owner"


def write(call):
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


def carry_files(call):
    texts = [b"one file", b"and another"]
    files = [call.file(payload=io.BytesIO(data), file_name=f"{i}.txt", mime_type="text/plain") for i, data in enumerate(texts)]
    form = call.models.PostMessagesSendWithFileBody(chat_id="me", file=files, text="both", force_document=True)
    album = call("post_messages_send_with_file", body=form)
    back = [call("get_messages_media_message_id", i, chat_id="me").payload.read() for i in album.message_ids]
    assert back == texts
    news = call("post_groups_join", body={"group_identifier": "sandbox_news"})
    photo = call("get_photos_ref", news.photo_url.rsplit("/", 1)[1]).payload.read()
    assert photo.startswith(b"\xff\xd8") or photo.startswith(b"\x89PNG")


def join(call, channel, link):
    joined = call("post_groups_join", body={"group_identifier": "interop_news"})
    assert (joined.id, joined.title) == (channel, "Interop")
    assert call("post_groups_join", body={"group_identifier": link}).title == "By link"

def look_into_sessions(call, phone):
    mine = call.session
    told = call("post_auth_export", body={"format": "telethon"})
    taken = call("post_auth_import", body={"string": told.string, "api_id": API_ID, "api_hash": API_HASH})
    assert taken.format_.value == "telethon" and taken.session_string == call.session
    assert call("post_auth_restrict", body={"read_only": True}).session_string
    call.session = mine
    second = call("post_auth_send_code", body={"phone": phone, "api_id": API_ID, "api_hash": API_HASH})
    assert call("post_auth_resend_code").code_type != second.code_type
    call("post_auth_verify_code", body={"code": code_of(phone)})
    call("post_auth_verify_password", body={"password": "correct horse"})
    call.session = mine
    assert sorted(s.current for s in call("get_auth_sessions").sessions) == [False, False, True]
    call("delete_auth_sessions", body={})
    assert [s.current for s in call("get_auth_sessions").sessions] == [True]


def ask_for_methods(call):
    assert "users.getUsers" in call("get_methods", search="getUsers").methods
    assert call("get_methods_name", "users.getUsers").name == "users.getUsers"
    call("post_methods_name", "help.getNearestDc", body={})
    missing = call("post_methods_name", "no.suchMethod", body={}, expect=404)
    assert isinstance(missing, call.models.Error)
    assert call("get_healthz") is not None and call("get_readyz") is not None
    call("get_metrics")
    assert "/me" in call("get_openapi_json").additional_properties["paths"]


def change_passwords(call, control, phone):
    """Of an account that is logged out at the end."""
    def mailed():
        return control.run(f"email_codes {phone}")[-1].split()[-1]

    sign_up_here(call, phone, "Forgetful")
    password = {"new_password": "correct horse", "recovery_email": "somebody@example.org"}
    assert call("put_auth_password", body=password).email_confirmation_needed
    call("post_auth_password_resend_email")
    call("post_auth_password_confirm_email", body={"code": mailed()})
    again = {"current_password": "correct horse", "recovery_email": "other@example.org"}
    assert call("put_auth_password", body=again).email_confirmation_needed
    call("post_auth_password_cancel_email")
    assert call("get_auth_password").has_recovery_email
    call("delete_auth_logout")
    call.session = ""
    call("post_auth_send_code", body={"phone": phone, "api_id": API_ID, "api_hash": API_HASH})
    assert call("post_auth_verify_code", body={"code": code_of(phone)}).next_step.value == "verify_password"
    assert call("post_auth_password_recover", body={}).next_step.value == "recover_password"
    done = call("post_auth_password_recover", body={"code": mailed(), "new_password": "staple"})
    assert done.next_step.value == "completed"
    call("delete_auth_password", body={"current_password": "staple"})
    assert not call("get_auth_password").has_password
    call("delete_auth_logout")


def log_in_otherwise(call, control, other):
    """By a bot's token, and by a code that somebody scans; a login that is given up."""
    call.session = ""
    application = {"api_id": API_ID, "api_hash": API_HASH}
    token = control.run("bot generated_bot")[0].split()[-1]
    assert call("post_auth_bot", body={"bot_token": token, **application}).next_step.value == "completed"
    call.session = ""
    shown = call("post_auth_qr", body=application)
    token = shown.url.removeprefix("tg://login?token=")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    other.call("auth.acceptLoginToken", token=base64.b64encode(raw).decode())
    assert call("get_auth_qr_wait", timeout=5).next_step.value == "completed"
    assert call("get_me").name == "Other"
    call.session = ""
    call("post_auth_send_code", body={"phone": numbers.new(), **application})
    assert call("post_auth_cancel_code").message == "Login cancelled"
