# SPDX-License-Identifier: MIT
"""Telethon logs in to the sandbox by everything but a code: QR, bot tokens, passwords, other sessions."""
import asyncio

import pytest
from telethon import errors, functions, types

from processes import DEADLINE_S, SECRETS
from test_telethon import (  # noqa: F401, the fixtures among them
    API_ID, Heard, asynchronous, code_for, connected, phones, sandbox, sign_in, sign_up, two_centres,
)


# ---- codes ----


@asynchronous
async def test_a_code_comes_by_call_at_last(sandbox):
    async with connected(sandbox) as client:
        phone = str(next(phones))
        sent = await client.send_code_request(phone)
        assert isinstance(sent.type, types.auth.SentCodeTypeSms)
        assert isinstance(sent.next_type, types.auth.CodeTypeCall)
        sent = await client(functions.auth.ResendCodeRequest(phone, sent.phone_code_hash))
        assert isinstance(sent.type, types.auth.SentCodeTypeCall) and sent.next_type is None
        with pytest.raises(errors.SendCodeUnavailableError):
            await client(functions.auth.ResendCodeRequest(phone, sent.phone_code_hash))
        assert await client(functions.auth.CancelCodeRequest(phone, sent.phone_code_hash))
        with pytest.raises(errors.PhoneCodeExpiredError):
            await client.sign_in(phone, "12345", phone_code_hash=sent.phone_code_hash)


# ---- QR codes ----


async def scanned(desktop, accept):
    """Lets it be scanned while the client waits, as its own documentation asks for."""
    qr = await desktop.qr_login()
    waiting = asyncio.ensure_future(qr.wait(DEADLINE_S))
    await asyncio.sleep(0)  # until its handler stands
    await accept(qr)
    return await waiting


@asynchronous
async def test_a_phone_scans_what_the_desktop_shows(sandbox):
    async with connected(sandbox) as phone_app, connected(sandbox) as desktop:
        await sign_up(phone_app, sandbox)
        me = await phone_app.get_me()

        async def accept(qr):
            new = await phone_app(functions.auth.AcceptLoginTokenRequest(qr.token))
            assert new.device_model and not new.password_pending

        assert (await scanned(desktop, accept)).id == me.id
        assert (await desktop.get_me()).id == me.id
        listed = await phone_app(functions.account.GetAuthorizationsRequest())
        assert len(listed.authorizations) == 2


@asynchronous
async def test_the_control_port_scans(sandbox):
    async with connected(sandbox) as desktop:
        phone = str(next(phones))

        async def accept(qr):
            sandbox.control.run(f"accept_login {qr.url} {phone}")

        assert (await scanned(desktop, accept)).phone == phone


@asynchronous
async def test_a_scanned_account_with_a_password_is_asked_for_it(sandbox):
    async with connected(sandbox) as phone_app, connected(sandbox) as desktop:
        phone = await sign_up(phone_app, sandbox)
        await phone_app.edit_2fa(new_password="correct horse")

        async def accept(qr):
            assert (await phone_app(functions.auth.AcceptLoginTokenRequest(qr.token))).password_pending

        with pytest.raises(errors.SessionPasswordNeededError):
            await scanned(desktop, accept)
        assert (await desktop.sign_in(password="correct horse")).phone == phone


@asynchronous
async def test_a_scanned_account_of_another_data_centre_logs_in_there(two_centres):
    async with connected(two_centres, dc=1) as desktop:

        async def accept(qr):
            two_centres.control.run(f"accept_login {qr.url} 9996620888")

        assert (await scanned(desktop, accept)).phone == "9996620888"
        assert desktop.session.dc_id == 2
        assert (await desktop.get_me()).phone == "9996620888"


# ---- bots ----


def bot_token(sandbox, username):
    token = sandbox.control.run(f"bot {username}")[0]
    SECRETS.text(token.split(":")[1])
    return token


@asynchronous
async def test_a_bot_starts_with_its_token(sandbox):
    async with connected(sandbox) as bot, connected(sandbox) as ann:
        await bot.start(bot_token=bot_token(sandbox, "telethon_bot"))
        me = await bot.get_me()
        assert me.bot and me.username == "telethon_bot" and await bot.is_bot()
        await sign_up(ann, sandbox)
        to_bot, to_ann = Heard(bot), Heard(ann)
        await ann.get_me()
        await ann.send_message("telethon_bot", "/start")
        got = await to_bot.next("/start")
        await got.reply("at your service")
        assert (await to_ann.next("at your service")).sender_id == me.id
        with pytest.raises(errors.BotMethodInvalidError):
            await bot.get_dialogs()


@asynchronous
async def test_tokens_that_are_none_or_no_more(sandbox):
    old = bot_token(sandbox, "changing_bot")
    sandbox.control.run("bot_revoke changing_bot")
    async with connected(sandbox) as bot:
        with pytest.raises(errors.AccessTokenExpiredError):
            await bot.sign_in(bot_token=old)
        with pytest.raises(errors.AccessTokenInvalidError):
            await bot.sign_in(bot_token="1:nonsense")


@asynchronous
async def test_a_bot_follows_to_its_data_centre(two_centres):
    async with connected(two_centres, dc=1) as bot:
        await bot.sign_in(bot_token=bot_token(two_centres, "moving_bot"))
        assert bot.session.dc_id == 2 and (await bot.get_me()).bot


# ---- other sessions ----


@asynchronous
async def test_sees_and_ends_other_sessions(sandbox):
    async with connected(sandbox) as one, connected(sandbox) as two, connected(sandbox) as three:
        phone = await sign_up(one, sandbox)
        await sign_in(two, sandbox, phone)
        await sign_in(three, sandbox, phone)
        listed = (await one(functions.account.GetAuthorizationsRequest())).authorizations
        assert [a.current for a in listed].count(True) == 1 and len(listed) == 3
        for entry in listed:
            assert entry.api_id == API_ID and entry.app_version and entry.device_model
            assert entry.ip == "127.0.0.1" and entry.date_active >= entry.date_created
        with pytest.raises(errors.HashInvalidError):
            await one(functions.account.ResetAuthorizationRequest(12345))
        victim = next(a for a in listed if not a.current)
        await one(functions.account.ResetAuthorizationRequest(victim.hash))
        assert len((await one(functions.account.GetAuthorizationsRequest())).authorizations) == 2
        assert await one(functions.auth.ResetAuthorizationsRequest())
        assert len((await one(functions.account.GetAuthorizationsRequest())).authorizations) == 1
        for ended in (two, three):
            with pytest.raises(errors.SessionRevokedError):
                await ended(functions.updates.GetStateRequest())


# ---- passwords ----


def email_code(sandbox, phone):
    code = sandbox.control.run(f"email_codes {phone}")[-1].split()[2]
    SECRETS.code(code)
    return code


@asynchronous
async def test_a_password_with_a_recovery_address(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox)
        asked = []

        def from_mailbox(length):
            asked.append(length)
            return email_code(sandbox, phone)

        assert await client.edit_2fa(new_password="correct horse", hint="battery", email="ann@example.org",
                                     email_code_callback=from_mailbox)
        assert asked == [6]
        password = await client(functions.account.GetPasswordRequest())
        assert password.has_password and password.has_recovery and password.hint == "battery"
        await client.edit_2fa(current_password="correct horse", new_password="staple")
        assert (await client(functions.account.GetPasswordRequest())).has_recovery
        with pytest.raises(errors.EmailInvalidError):
            await client.edit_2fa(current_password="staple", new_password="next", email="nonsense",
                                  email_code_callback=from_mailbox)
        with pytest.raises(errors.CodeInvalidError):
            await client.edit_2fa(current_password="staple", new_password="next", email="bob@example.org",
                                  email_code_callback=lambda length: "nonsense")
        password = await client(functions.account.GetPasswordRequest())
        assert password.email_unconfirmed_pattern == "b***b@example.org"
        assert await client(functions.account.CancelPasswordEmailRequest())
        await client.edit_2fa(current_password="staple", new_password=None)
        assert not (await client(functions.account.GetPasswordRequest())).has_password


@asynchronous
async def test_a_forgotten_password_is_recovered(sandbox):
    async with connected(sandbox) as client, connected(sandbox) as other:
        phone = await sign_up(client, sandbox)
        await client.edit_2fa(new_password="correct horse", email="ann@example.org",
                              email_code_callback=lambda length: email_code(sandbox, phone))
        await other.send_code_request(phone)
        with pytest.raises(errors.SessionPasswordNeededError):
            await other.sign_in(phone, code_for(sandbox, phone))
        asked = await other(functions.auth.RequestPasswordRecoveryRequest())
        assert asked.email_pattern == "a***n@example.org"
        code = email_code(sandbox, phone)
        assert await other(functions.auth.CheckRecoveryPasswordRequest(code))
        done = await other(functions.auth.RecoverPasswordRequest(code))
        assert done.user.phone == phone
        assert not (await other(functions.account.GetPasswordRequest())).has_password
