# SPDX-License-Identifier: MIT
"""Telethon, a client that nobody here wrote, on the sandbox: `tgrest sandbox --schema` of its layer."""
import asyncio
import contextlib
import datetime
import functools
import itertools
import os
from pathlib import Path

import pytest
from telethon import TelegramClient, errors, events, functions, types
from telethon.crypto import rsa
from telethon.network import connection as transports
from telethon.sessions import StringSession

from accounts import sign_up as sign_up_over_http, unique
from client import Api
from processes import DEADLINE_S, SECRETS, Gateway, Sandbox
from proxies import Link

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "schema" / "layers" / "api-216.tl"  # of Telethon 1.42
NEWEST_SCHEMA = ROOT / "schema" / "api.tl"  # of the gateway
BINARY = os.environ.get("TGREST_BINARY", ROOT / "build" / "tgrest")
API_ID = 1
API_HASH = "0123456789abcdef0123456789abcdef"
EVENT_SECONDS_MAX = DEADLINE_S  # for what another client is to hear of

TRANSPORTS = [transports.ConnectionTcpFull, transports.ConnectionTcpAbridged, transports.ConnectionTcpIntermediate,
              transports.ConnectionTcpObfuscated]

phones = itertools.count(79990001000)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    key = tmp_path_factory.mktemp("telethon") / "public.pem"
    with Sandbox(BINARY, key, dcs=1, options=["--schema", SCHEMA, "--seed", "1"]) as one:
        yield one


@pytest.fixture(scope="module")
def two_centres(tmp_path_factory):
    key = tmp_path_factory.mktemp("telethon") / "public.pem"
    with Sandbox(BINARY, key, dcs=2, options=["--schema", SCHEMA, "--seed", "1"]) as one:
        yield one


def asynchronous(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 3 * DEADLINE_S))

    return run


def trust(sandbox):
    TelegramClient._config = None  # the addresses of the sandbox before, which Telethon keeps for all clients
    rsa._server_keys.clear()
    rsa.add_key(Path(sandbox.public_key).read_text(), old=False)


@contextlib.asynccontextmanager
async def connected(sandbox, session="", dc=None, port=None, transport=transports.ConnectionTcpFull):
    trust(sandbox)
    dc = dc or next(iter(sandbox.dcs))
    client = TelegramClient(StringSession(session), API_ID, API_HASH, connection_retries=3, retry_delay=0,
                            request_retries=2, flood_sleep_threshold=0, connection=transport)
    if not session:
        client.session.set_dc(dc, "127.0.0.1", port or sandbox.dcs[dc])
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


def code_for(sandbox, phone):
    code = sandbox.control.run(f"codes {phone}")[-1].split()[1]
    SECRETS.code(code)
    return code


async def sign_up(client, sandbox, first="Ann", phone=None):
    """A new account on a number that nobody had; the client is logged in afterwards."""
    phone = phone or str(next(phones))
    sent = await client.send_code_request(phone)
    with pytest.raises(errors.PhoneNumberUnoccupiedError):
        await client.sign_in(phone, code_for(sandbox, phone))
    answer = await client(functions.auth.SignUpRequest(phone, sent.phone_code_hash, first, "Telethon"))
    await client._on_login(answer.user)
    return phone


async def sign_in(client, sandbox, phone, password=None):
    await client.send_code_request(phone)
    try:
        return await client.sign_in(phone, code_for(sandbox, phone))
    except errors.SessionPasswordNeededError:
        assert password is not None
        return await client.sign_in(password=password)


class Heard:
    """The new messages that a client hears of."""

    def __init__(self, client):
        self.queue = asyncio.Queue()
        client.add_event_handler(lambda event: self.queue.put(event.message), events.NewMessage())

    async def next(self, text):
        while True:
            message = await asyncio.wait_for(self.queue.get(), EVENT_SECONDS_MAX)
            if message.raw_text == text:
                return message


# ---- logging in ----


@asynchronous
async def test_signs_up_and_signs_in_again_by_code(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox, "Ann")
        me = await client.get_me()
        assert (me.first_name, me.phone, me.is_self) == ("Ann", phone, True)
    async with connected(sandbox) as client:
        again = await sign_in(client, sandbox, phone)
        assert again.id == me.id


@asynchronous
async def test_wrong_and_expired_codes_are_told_apart(sandbox):
    async with connected(sandbox) as client:
        phone = str(next(phones))
        await client.send_code_request(phone)
        code = code_for(sandbox, phone)
        wrong = f"{(int(code) + 1) % 100000:05d}"
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(phone, wrong)
        sandbox.control.run("clock_advance 301")
        with pytest.raises(errors.PhoneCodeExpiredError):
            await client.sign_in(phone, code)


@asynchronous
async def test_refuses_bad_numbers_and_bad_applications(sandbox):
    async with connected(sandbox) as client:
        with pytest.raises(errors.PhoneNumberInvalidError):
            await client(functions.auth.SendCodeRequest("12", API_ID, API_HASH, types.CodeSettings()))
        with pytest.raises(errors.ApiIdInvalidError):
            await client(functions.auth.SendCodeRequest("79990000001", API_ID, "nonsense", types.CodeSettings()))


@asynchronous
async def test_a_code_comes_as_a_message_to_the_other_session(sandbox):
    async with connected(sandbox) as first, connected(sandbox) as second:
        phone = await sign_up(first, sandbox)
        heard = asyncio.Queue()
        first.add_event_handler(lambda event: heard.put(event.message), events.NewMessage(from_users=777000))
        await first.get_me()
        sent = await second.send_code_request(phone)
        assert isinstance(sent.type, types.auth.SentCodeTypeApp)
        message = await asyncio.wait_for(heard.get(), EVENT_SECONDS_MAX)
        assert code_for(sandbox, phone) in message.raw_text
        await second.sign_in(phone, code_for(sandbox, phone))


@asynchronous
async def test_password_is_set_asked_for_changed_and_removed(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox)
        await client.edit_2fa(new_password="correct horse", hint="battery")
        async with connected(sandbox) as other:
            await other.send_code_request(phone)
            with pytest.raises(errors.SessionPasswordNeededError):
                await other.sign_in(phone, code_for(sandbox, phone))
            assert (await other(functions.account.GetPasswordRequest())).hint == "battery"
            with pytest.raises(errors.PasswordHashInvalidError):
                await other.sign_in(password="wrong")
            assert (await other.sign_in(password="correct horse")).phone == phone
        with pytest.raises(errors.PasswordHashInvalidError):
            await client.edit_2fa(current_password="wrong", new_password="x")
        await client.edit_2fa(current_password="correct horse", new_password="staple")
        async with connected(sandbox) as other:
            assert (await sign_in(other, sandbox, phone, "staple")).phone == phone
        await client.edit_2fa(current_password="staple", new_password=None)
        async with connected(sandbox) as other:
            assert (await sign_in(other, sandbox, phone)).phone == phone


@asynchronous
async def test_a_password_proof_is_good_once(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        await client.edit_2fa(new_password="once")
        from telethon.password import compute_check

        proof = compute_check(await client(functions.account.GetPasswordRequest()), "once")
        await client(functions.account.GetPasswordSettingsRequest(proof))
        with pytest.raises(errors.SrpIdInvalidError):
            await client(functions.account.GetPasswordSettingsRequest(proof))


@asynchronous
async def test_logged_out_and_revoked_sessions_are_refused(sandbox):
    async with connected(sandbox) as client, connected(sandbox) as other:
        phone = await sign_up(client, sandbox)
        await sign_in(other, sandbox, phone)
        listed = await client(functions.account.GetAuthorizationsRequest())
        assert [a.current for a in listed.authorizations].count(True) == 1
        victim = next(a for a in listed.authorizations if not a.current)
        await client(functions.account.ResetAuthorizationRequest(victim.hash))
        with pytest.raises(errors.SessionRevokedError):
            await other(functions.updates.GetStateRequest())
        session = StringSession.save(client.session)
        await client(functions.auth.LogOutRequest())
        async with connected(sandbox, session) as gone:
            with pytest.raises(errors.AuthKeyUnregisteredError):
                await gone(functions.updates.GetStateRequest())


# ---- data centres ----


@asynchronous
async def test_follows_a_migration_to_the_home_data_centre(two_centres):
    async with connected(two_centres, dc=1) as client:
        phone = "9996620777"
        sent = await client.send_code_request(phone)
        assert client.session.dc_id == 2 and client.session.port == two_centres.dcs[2]
        with pytest.raises(errors.PhoneNumberUnoccupiedError):
            await client.sign_in(phone, "22222")
        answer = await client(functions.auth.SignUpRequest(phone, sent.phone_code_hash, "Two", ""))
        await client._on_login(answer.user)
        config = await client(functions.help.GetConfigRequest())
        assert config.this_dc == 2
        assert {o.id: o.port for o in config.dc_options} == two_centres.dcs
        exported = await client._borrow_exported_sender(1)
        me = await client._call(exported, functions.help.GetNearestDcRequest())
        assert me.this_dc == 1
        await client._return_exported_sender(exported)


# ---- messages ----


@pytest.mark.parametrize("transport", TRANSPORTS)
@asynchronous
async def test_two_accounts_write_to_each_other_and_hear_it(sandbox, transport):
    async with connected(sandbox, transport=transport) as ann, connected(sandbox, transport=transport) as bob:
        ann_phone = await sign_up(ann, sandbox, "Ann")
        bob_phone = await sign_up(bob, sandbox, "Bob")
        to_ann, to_bob = Heard(ann), Heard(bob)
        await ann(functions.contacts.ImportContactsRequest([types.InputPhoneContact(1, bob_phone, "Bob", "")]))
        await bob(functions.contacts.ImportContactsRequest([types.InputPhoneContact(1, ann_phone, "Ann", "")]))
        sent = await ann.send_message(bob_phone, "hello **Bob** 😀")
        got = await to_bob.next("hello Bob 😀")
        assert [type(e) for e in got.entities] == [types.MessageEntityBold]
        assert got.sender_id == (await ann.get_me()).id and not got.out and sent.out
        await got.reply("hello Ann")
        back = await to_ann.next("hello Ann")
        assert back.reply_to_msg_id == sent.id
        history = await ann.get_messages(bob_phone, limit=10)
        assert [m.raw_text for m in history[:2]] == ["hello Ann", "hello Bob 😀"]
        dialogs = await bob.get_dialogs()
        assert any(d.name == "Ann Telethon" or d.entity.phone == ann_phone for d in dialogs)


@asynchronous
async def test_another_device_of_the_account_hears_what_is_sent(sandbox):
    async with connected(sandbox) as phone_app, connected(sandbox) as desktop:
        phone = await sign_up(phone_app, sandbox)
        await sign_in(desktop, sandbox, phone)
        heard = Heard(desktop)
        await desktop.get_me()
        await phone_app.send_message("me", "note to self")
        assert (await heard.next("note to self")).out


@asynchronous
async def test_edits_deletes_and_pages(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        ids = [(await client.send_message("me", f"n {i}")).id for i in range(25)]
        edited = await client.edit_message("me", ids[3], "edited")
        assert edited.raw_text == "edited" and edited.edit_date
        await client.delete_messages("me", ids[4])
        texts = [m.raw_text async for m in client.iter_messages("me", limit=None, wait_time=0)]
        assert texts == [f"n {i}" if i != 3 else "edited" for i in reversed(range(25)) if i != 4]
        found = await client.get_messages("me", search="edited")
        assert [m.id for m in found] == [ids[3]]


@asynchronous
async def test_joins_a_group_by_link_and_hears_it(sandbox):
    async with connected(sandbox) as ann, connected(sandbox) as bob:
        await sign_up(ann, sandbox, "Ann")
        await sign_up(bob, sandbox, "Bob")
        created = await ann(functions.channels.CreateChannelRequest("A group", "about it", megagroup=True))
        group = created.chats[0]
        link = (await ann(functions.messages.ExportChatInviteRequest(group))).link
        joined = await bob(functions.messages.ImportChatInviteRequest(link.rsplit("/", 1)[1].lstrip("+")))
        assert joined.chats[0].id == group.id
        with pytest.raises(errors.UserAlreadyParticipantError):
            await bob(functions.messages.ImportChatInviteRequest(link.rsplit("/", 1)[1].lstrip("+")))
        with pytest.raises(errors.InviteHashInvalidError):
            await bob(functions.messages.ImportChatInviteRequest("nonsensenonsense"))
        heard = Heard(bob)
        await bob.get_dialogs()
        await ann.send_message(group, "welcome")
        message = await heard.next("welcome")
        assert message.chat_id == types_peer_id(group)
        assert {u.first_name for u in await ann.get_participants(group)} == {"Ann", "Bob"}


def types_peer_id(chat):
    from telethon.utils import get_peer_id

    return get_peer_id(chat)


# ---- layers ----


@asynchronous
async def test_clients_of_two_layers_talk(tmp_path):
    """Telethon and our gateway, each served its own layer of one sandbox."""
    layers = ["--schema", NEWEST_SCHEMA, "--schema", SCHEMA]
    with Sandbox(BINARY, tmp_path / "public.pem", dcs=1, options=layers) as sandbox, \
            Gateway(BINARY, sandbox, tmp_path / "key") as gateway, Api(gateway) as ours:
        async with connected(sandbox) as theirs:
            their_phone = await sign_up(theirs, sandbox, "Ann")
            await asyncio.to_thread(sign_up_over_http, ours, "9996620123", "Bob")
            heard = Heard(theirs)
            edited = asyncio.Queue()
            theirs.add_event_handler(lambda event: edited.put(event.message.raw_text), events.MessageEdited())
            them = (await theirs.get_me()).id
            contact = {"_": "inputPhoneContact", "client_id": 1, "phone": their_phone, "first_name": "Ann",
                       "last_name": ""}
            await asyncio.to_thread(ours.call, "contacts.importContacts", contacts=[contact])
            for round_number in range(2):
                text = unique("from layer 228")
                sent = await asyncio.to_thread(ours.send, them, text)
                got = await heard.next(text)
                answer = unique("from layer 216")
                await got.reply(answer)
                page = await asyncio.to_thread(ours.messages, them, limit=1)
                assert page[0]["text"] == answer
                body = {"chat_id": them, "message_id": sent["message_id"], "new_text": unique("edited")}
                await asyncio.to_thread(ours.request, "POST", "/messages/edit", json=body)
                assert await asyncio.wait_for(edited.get(), EVENT_SECONDS_MAX) == body["new_text"]
                sandbox.control.run("drop_all")  # the key's layer is remembered
                await theirs(functions.updates.GetStateRequest())  # its new session hears from here on
            assert "other_layer" not in sandbox.output


@asynchronous
async def test_a_layer_that_is_not_there_is_told(tmp_path):
    with Sandbox(BINARY, tmp_path / "public.pem", dcs=1, options=["--schema", NEWEST_SCHEMA]) as sandbox:
        async with connected(sandbox) as client:
            with contextlib.suppress(errors.RPCError, TypeError):
                await client(functions.help.GetNearestDcRequest())
        sandbox.wait_for(r"other_layer\b.*\bclient=216 schema=228")


# ---- faults ----


@asynchronous
async def test_flood_waits_are_told_with_their_seconds(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox)
        with sandbox.control.fault(f"method=messages.sendMessage,phone={phone},do=flood_wait:33,count=1"):
            with pytest.raises(errors.FloodWaitError) as caught:
                await client.send_message("me", "too fast")
            assert caught.value.seconds == 33
            client._flood_waited_requests.clear()  # else it would refuse by itself for so long
            assert (await client.send_message("me", "slower")).id


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "reset", "lose_session"])
def test_reconnects_and_executes_once(sandbox, action):
    @asynchronous
    async def go():
        async with connected(sandbox) as client:
            phone = await sign_up(client, sandbox)
            with sandbox.control.fault(f"method=messages.sendMessage,phone={phone},do={action},count=1") as hits:
                await client.send_message("me", f"once, {action}")
                assert hits() == 1
            texts = [m.raw_text for m in await client.get_messages("me", limit=10)]
            assert texts.count(f"once, {action}") == 1

    go()


@asynchronous
async def test_goes_on_after_a_bad_salt_and_garbage(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox)
        for action in ("bad_salt", "garbage"):
            with sandbox.control.fault(f"phone={phone},do={action},count=1") as hits:
                await client.send_message("me", action)
                await client.send_message("me", f"after {action}")
                assert hits() == 1
        texts = [m.raw_text for m in await client.get_messages("me", limit=4)]
        assert texts == ["after garbage", "garbage", "after bad_salt", "bad_salt"]


@pytest.mark.parametrize("seconds", [900, -900])
def test_goes_on_when_the_clock_jumps_and_jumps_back(sandbox, seconds):
    """In the middle of a connection, both ways, with updates."""
    @asynchronous
    async def go():
        async with connected(sandbox) as ann, connected(sandbox) as bob:
            await sign_up(ann, sandbox, "Ann")
            bob_phone = await sign_up(bob, sandbox, "Bob")
            await ann(functions.contacts.ImportContactsRequest([types.InputPhoneContact(1, bob_phone, "Bob", "")]))
            heard = Heard(bob)

            async def talk(text):
                await bob(functions.updates.GetStateRequest())
                await ann.send_message(bob_phone, text)
                await heard.next(text)

            await talk("before")
            with sandbox.control.fault(f"do=clock_skew:{seconds}"):
                await talk("in another time")
            await talk("and back")

    go()


@asynchronous
async def test_messages_missed_while_away_come_with_the_difference(sandbox):
    async with connected(sandbox) as ann, connected(sandbox) as bob:
        await sign_up(ann, sandbox, "Ann")
        bob_phone = await sign_up(bob, sandbox, "Bob")
        await ann(functions.contacts.ImportContactsRequest([types.InputPhoneContact(1, bob_phone, "Bob", "")]))
        state = await bob(functions.updates.GetStateRequest())
        await bob.disconnect()
        for i in range(3):
            await ann.send_message(bob_phone, f"missed {i}")
        await bob.connect()
        missed = await bob(functions.updates.GetDifferenceRequest(state.pts, state.date, state.qts))
        assert [m.message for m in missed.new_messages] == [f"missed {i}" for i in range(3)]
        assert missed.state.pts == state.pts + 3


@asynchronous
async def test_nothing_is_lost_over_a_cut_link(sandbox):
    """Telethon looks for a gap when the next update comes."""
    async with Link(next(iter(sandbox.dcs.values()))) as link:
        async with connected(sandbox) as ann, connected(sandbox, port=link.port) as bob:
            await sign_up(ann, sandbox, "Ann")
            bob_phone = await sign_up(bob, sandbox, "Bob")
            await ann(functions.contacts.ImportContactsRequest([types.InputPhoneContact(1, bob_phone, "Bob", "")]))
            heard = asyncio.Queue()
            bob.add_event_handler(lambda event: heard.put(event.raw_text), events.NewMessage())
            await bob.catch_up()
            await ann.send_message(bob_phone, "before")
            assert await asyncio.wait_for(heard.get(), EVENT_SECONDS_MAX) == "before"
            link.cut()
            for i in range(3):
                await ann.send_message(bob_phone, f"missed {i}")
            link.mend()
            await bob(functions.updates.GetStateRequest())
            await ann.send_message(bob_phone, "after")
            got = [await asyncio.wait_for(heard.get(), EVENT_SECONDS_MAX) for _ in range(4)]
            assert got == ["missed 0", "missed 1", "missed 2", "after"] and heard.empty()


@asynchronous
async def test_catches_up_with_channels_too(sandbox, tmp_path):
    """By itself: it keeps its state in a file, is told which channels moved, and asks for each."""
    texts = [f"missed {where} {i}" for i in range(3) for where in ("in the group", "in private")]
    async with connected(sandbox) as ann:
        await sign_up(ann, sandbox, "Ann")
        trust(sandbox)
        bob = TelegramClient(str(tmp_path / "bob"), API_ID, API_HASH, connection_retries=3, retry_delay=0)
        bob.session.set_dc(2, "127.0.0.1", sandbox.dcs[2])
        await bob.connect()
        bob_phone = await sign_up(bob, sandbox, "Bob")
        await ann(functions.contacts.ImportContactsRequest([types.InputPhoneContact(1, bob_phone, "Bob", "")]))
        group = (await ann(functions.channels.CreateChannelRequest("A group", "", megagroup=True))).chats[0]
        link = (await ann(functions.messages.ExportChatInviteRequest(group))).link
        await bob(functions.messages.ImportChatInviteRequest(link.rsplit("/", 1)[1].lstrip("+")))
        heard = Heard(bob)
        await bob.get_dialogs()
        for target in (group, bob_phone):
            await ann.send_message(target, "at home")
            await heard.next("at home")
        await bob.disconnect()
        for text in texts:
            await ann.send_message(group if "group" in text else bob_phone, text)
        back = TelegramClient(str(tmp_path / "bob"), API_ID, API_HASH, catch_up=True)
        heard = asyncio.Queue()
        back.add_event_handler(lambda event: heard.put(event.message.raw_text), events.NewMessage())
        await back.connect()
        try:
            got = [await asyncio.wait_for(heard.get(), EVENT_SECONDS_MAX) for _ in texts]
        finally:
            await back.disconnect()
        assert sorted(got) == sorted(texts)


@asynchronous
async def test_a_key_used_on_two_connections_at_once_dies(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox)
        session = StringSession.save(client.session)
        async with connected(sandbox, session) as twin:
            with sandbox.control.fault(f"phone={phone},do=delay:2000"):
                answers = await asyncio.gather(client(functions.updates.GetStateRequest()),
                                               twin(functions.updates.GetStateRequest()), return_exceptions=True)
            assert any(isinstance(a, errors.AuthKeyDuplicatedError) for a in answers)
            with pytest.raises(errors.AuthKeyDuplicatedError):
                await client(functions.updates.GetStateRequest())


@asynchronous
async def test_a_scheduled_message_arrives_when_the_clock_says_so(sandbox):
    async with connected(sandbox) as ann, connected(sandbox) as bob:
        await sign_up(ann, sandbox, "Ann")
        bob_phone = await sign_up(bob, sandbox, "Bob")
        await ann(functions.contacts.ImportContactsRequest([types.InputPhoneContact(0, bob_phone, "Bob", "")]))
        heard = Heard(bob)
        now = int(sandbox.control.run("clock_advance 0")[0])
        due = datetime.datetime.fromtimestamp(now + 25, datetime.timezone.utc)
        await ann.send_message(bob_phone, "later", schedule=due)
        waiting = await ann.get_messages(bob_phone, scheduled=True)
        assert [m.raw_text for m in waiting] == ["later"] and waiting[0].from_scheduled
        sandbox.control.run("clock_advance 26")  # Telethon takes no message from further ahead than 30 s
        message = await heard.next("later")
        assert not message.out
        assert len(await ann.get_messages(bob_phone, scheduled=True)) == 0
