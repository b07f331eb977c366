# SPDX-License-Identifier: MIT
"""Kurigram, the living fork of Pyrogram, on the sandbox at its own layer, through its public interface."""
import asyncio
import functools
import re

import pytest
from conftest import BINARY, ROOT
from kurigram import World, phones
from processes import Sandbox
from proxies import Link
from pyrogram import errors, raw, types
from pyrogram.connection.transport import (
    TCPAbridged, TCPAbridgedO, TCPFull, TCPIntermediate, TCPIntermediateO, TCPIntermediatePadded,
)

SCHEMA = ROOT / "schema" / "layers" / f"api-{raw.all.layer}.tl"
TRANSPORTS = [TCPAbridged, TCPAbridgedO, TCPFull, TCPIntermediate, TCPIntermediateO, TCPIntermediatePadded]


@pytest.fixture(scope="module")
def world(directory):
    options = ["--schema", SCHEMA, "--seed", "1"]
    with Sandbox(BINARY, directory / "kurigram.pem", dcs=1, options=options) as one:
        yield World(one, directory)


@pytest.fixture(scope="module")
def two_centres(directory):
    folder = directory / "two_centres"
    folder.mkdir()
    options = ["--schema", SCHEMA, "--seed", "1"]
    with Sandbox(BINARY, folder / "kurigram.pem", dcs=2, options=options) as one:
        yield World(one, folder)


def asynchronous(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 110))

    return run


async def know(client, phone):
    """Puts a number into the contacts: how a client gets to write to a stranger. The user's id."""
    imported = await client.import_contacts([types.InputPhoneContact(phone, "Contact")])
    return imported.users[0].id


def executed(world, method):
    """How often the sandbox did, for all its clients."""
    told = re.search(r"executed=(\d+)", "".join(world.sandbox.control.run(f"stats {method}")))
    return int(told.group(1)) if told else 0


# ---- logging in ----


@pytest.mark.parametrize("transport", TRANSPORTS)
@asynchronous
async def test_makes_a_key_signs_up_and_writes(world, transport):
    account = await world.sign_up("Ann", transport=transport)
    async with account.running(transport=transport) as client:
        assert (client.me.first_name, client.me.phone_number) == ("Ann", account.phone)
        big = "x" * 4000  # beyond the short form of a length, in abridged
        assert (await client.send_message("me", big)).text == big
        assert [m.text async for m in client.get_chat_history("me", limit=1)] == [big]


@asynchronous
async def test_signs_in_again_by_code(world):
    account = await world.sign_up("Bea")
    async with world.connected() as client:
        sent = await client.send_phone_number_code(account.phone)
        user = await client.sign_in(account.phone, sent.phone_code_hash, world.code(account.phone))
        assert (user.id, user.is_self) == (account.id, True)


@asynchronous
async def test_refuses_wrong_codes_and_bad_numbers(world):
    async with world.connected() as client:
        phone = str(next(phones))
        sent = await client.send_phone_number_code(phone)
        code = world.code(phone)
        wrong = f"{(int(code) + 1) % 100000:05d}"
        with pytest.raises(errors.PhoneCodeInvalid):
            await client.sign_in(phone, sent.phone_code_hash, wrong)
        with pytest.raises(errors.PhoneNumberInvalid):
            await client.send_phone_number_code("12")


@asynchronous
async def test_password_is_set_asked_for_and_removed(world):
    account = await world.sign_up()
    async with account.running() as client:
        assert await client.enable_cloud_password("correct horse", hint="battery")
    async with world.connected() as other:
        sent = await other.send_phone_number_code(account.phone)
        with pytest.raises(errors.SessionPasswordNeeded):
            await other.sign_in(account.phone, sent.phone_code_hash, world.code(account.phone))
        assert await other.get_password_hint() == "battery"
        with pytest.raises(errors.PasswordHashInvalid):
            await other.check_password("wrong")
        assert (await other.check_password("correct horse")).id == account.id
    async with account.running() as client:
        assert await client.change_cloud_password("correct horse", "staple")
        assert await client.remove_cloud_password("staple")


@asynchronous
async def test_a_stored_session_goes_on_until_it_is_revoked(world):
    account = await world.sign_up()
    async with account.running() as client:
        key = await client.storage.auth_key()
    async with world.connected(name=account.name) as client:
        assert (await client.get_me()).id == account.id and await client.storage.auth_key() == key
        world.sandbox.control.run(f"revoke {account.phone}")
        with pytest.raises(errors.SessionRevoked):
            await client.invoke(raw.functions.updates.GetState())


@asynchronous
async def test_logs_out(world):
    account = await world.sign_up()
    async with world.connected(name=account.name) as client:
        assert await client.invoke(raw.functions.auth.LogOut())
        with pytest.raises(errors.AuthKeyUnregistered):
            await client.invoke(raw.functions.updates.GetState())


@asynchronous
async def test_follows_a_migration_to_the_home_data_centre(two_centres):
    async with two_centres.connected() as client:
        phone = "9996610777"  # at data centre 1; new sessions begin at 2
        sent = await client.send_phone_number_code(phone)
        assert await client.storage.dc_id() == 1
        terms = await client.sign_in(phone, sent.phone_code_hash, "11111")
        assert isinstance(terms, types.TermsOfService)
        assert (await client.sign_up(phone, sent.phone_code_hash, "One")).first_name == "One"
        assert (await client.invoke(raw.functions.help.GetConfig())).this_dc == 1


# ---- messages ----


@pytest.mark.parametrize("transport", TRANSPORTS)
@asynchronous
async def test_two_accounts_write_to_each_other_and_hear_it(world, transport):
    ann_account, bob_account = await world.sign_up("Ann"), await world.sign_up("Bob")
    async with ann_account.running(transport=transport) as ann, bob_account.running(transport=transport) as bob:
        bob_id, ann_id = await know(ann, bob_account.phone), await know(bob, ann_account.phone)
        sent = await ann.send_message(bob_id, "hello **Bob** 😀")
        got = await bob.heard.next("hello Bob 😀")
        assert [e.type.name for e in got.entities] == ["BOLD"]
        assert (got.from_user.id, got.outgoing, sent.outgoing) == (ann_id, False, True)
        answer = await got.reply("hello Ann")
        back = await ann.heard.next("hello Ann")
        assert back.reply_to_message_id == sent.id
        assert [m.text async for m in ann.get_chat_history(bob_id, limit=2)] == ["hello Ann", "hello Bob 😀"]
        dialogs = [d async for d in bob.get_dialogs()]
        assert dialogs[0].chat.id == ann_id and dialogs[0].top_message.id == answer.id


@asynchronous
async def test_edits_deletes_forwards_searches_and_pages(world):
    account = await world.sign_up()
    async with account.running() as client:
        ids = [(await client.send_message("me", f"n {i}")).id for i in range(25)]
        edited = await client.edit_message_text("me", ids[3], "edited")
        assert edited.text == "edited" and edited.edit_date
        assert await client.delete_messages("me", ids[4]) == 1
        texts = [m.text async for m in client.get_chat_history("me")]
        assert texts == [f"n {i}" if i != 3 else "edited" for i in reversed(range(25)) if i != 4]
        assert [m.id async for m in client.search_messages("me", "edited")] == [ids[3]]
        forwarded = await client.forward_messages("me", "me", [ids[0], ids[1]])
        assert [m.text for m in forwarded] == ["n 0", "n 1"]
        assert await client.get_chat_history_count("me") == 26


@asynchronous
async def test_joins_a_group_by_link_and_hears_it(world):
    ann_account, bob_account = await world.sign_up("Ann"), await world.sign_up("Bob")
    async with ann_account.running() as ann, bob_account.running() as bob:
        group = await ann.create_supergroup("A group", "about it")
        link = await ann.export_chat_invite_link(group.id)
        joined = await bob.join_chat(link)
        assert (joined.chat.id, joined.chat.title) == (group.id, "A group")
        with pytest.raises(errors.UserAlreadyParticipant):
            await bob.join_chat(link)
        with pytest.raises((errors.InviteHashInvalid, errors.InviteHashExpired)):
            await bob.join_chat("https://t.me/+nonsensenonsense")
        await ann.send_message(group.id, "welcome")
        assert (await bob.heard.next("welcome")).chat.id == group.id
        assert {m.user.first_name async for m in ann.get_chat_members(group.id)} == {"Ann", "Bob"}


# ---- faults ----


@asynchronous
async def test_flood_waits_are_told_with_their_seconds(world):
    account = await world.sign_up()
    async with account.running() as client:
        rule = f"method=messages.sendMessage,phone={account.phone},do=flood_wait:33,count=1"
        with world.sandbox.control.fault(rule):
            with pytest.raises(errors.FloodWait) as caught:
                await client.send_message("me", "too fast")
            assert caught.value.value == 33
            assert (await client.send_message("me", "slower")).id


@pytest.mark.parametrize("action", ["bad_salt", "garbage"])
@asynchronous
async def test_goes_on_after_a_disturbed_session(world, action):
    account = await world.sign_up()
    async with account.running() as client:
        rule = f"method=messages.sendMessage,phone={account.phone},do={action},count=1"
        with world.sandbox.control.fault(rule) as hits:
            await client.send_message("me", action)
            await client.send_message("me", f"after {action}")
            assert hits() == 1
        texts = [m.text async for m in client.get_chat_history("me", limit=2)]
        assert texts == [f"after {action}", action]


@asynchronous
async def test_nothing_is_lost_over_a_dropped_link(world):
    ann_account, bob_account = await world.sign_up("Ann"), await world.sign_up("Bob")
    async with Link(next(iter(world.sandbox.dcs.values()))) as link, ann_account.running() as ann, \
            bob_account.running(link=link) as bob:
        bob_id = await know(ann, bob_account.phone)
        await ann.send_message(bob_id, "before")
        await bob.heard.next("before")
        again = asyncio.Event()

        async def connected(_, __):
            again.set()

        bob.connect_handler = connected
        differences = executed(world, "updates.getDifference")
        link.cut()
        for i in range(3):
            await ann.send_message(bob_id, f"missed {i}")
        link.mend()
        await asyncio.wait_for(again.wait(), 30)
        await bob.recover_gaps()
        for i in range(3):
            await bob.heard.next(f"missed {i}")
        assert executed(world, "updates.getDifference") > differences
        await ann.send_message(bob_id, "after")
        await bob.heard.next("after")
        assert bob.heard.texts == ["before", "missed 0", "missed 1", "missed 2", "after"]
        texts = [m.text async for m in bob.get_chat_history(ann_account.id, limit=4)]
        assert texts == ["after", "missed 2", "missed 1", "missed 0"]


@asynchronous
async def test_messages_missed_while_away_come_at_the_next_start(world):
    ann_account, bob_account = await world.sign_up("Ann"), await world.sign_up("Bob")
    async with ann_account.running() as ann:
        bob_id = await know(ann, bob_account.phone)
        async with bob_account.running() as bob:
            await ann.send_message(bob_id, "first")
            await bob.heard.next("first")
        for i in range(3):
            await ann.send_message(bob_id, f"missed {i}")
        async with bob_account.running() as bob:
            for i in range(3):
                await bob.heard.next(f"missed {i}")


@asynchronous
async def test_a_request_cut_off_is_sent_again_and_executed_once(world):
    account = await world.sign_up()
    async with account.running() as client:
        rule = f"method=messages.sendMessage,phone={account.phone},do=drop_after,count=1"
        with world.sandbox.control.fault(rule) as hits:
            await client.send_message("me", "once")
            assert hits() == 1
        assert [m.text async for m in client.get_chat_history("me")].count("once") == 1
