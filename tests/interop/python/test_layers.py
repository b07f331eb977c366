# SPDX-License-Identifier: MIT
"""Clients of different ages in one sandbox: Telethon, our gateway and Kurigram, each served its own layer."""
import asyncio

import pytest
from conftest import BINARY, ROOT
from kurigram import World
from processes import Gateway, Sandbox
from pyrogram import raw
from test_kurigram import asynchronous
from test_telethon import Heard, connected, functions, sign_up

from accounts import sign_up as sign_up_over_http
from client import Api

OURS = ROOT / "schema" / "api.tl"
LAYERS = ROOT / "schema" / "layers"
TELETHON, KURIGRAM = LAYERS / "api-216.tl", LAYERS / f"api-{raw.all.layer}.tl"
USERNAMES = {"telethon": "of_layer_216", "kurigram": "of_layer_229", "gateway": "of_layer_228"}


def serving(folder, *schemas):
    options = [option for schema in schemas for option in ("--schema", schema)]
    return Sandbox(BINARY, folder / "public.pem", dcs=1, options=[*options, "--seed", "1"])


@asynchronous
async def test_three_layers_talk(tmp_path):
    with serving(tmp_path, KURIGRAM, TELETHON, OURS) as sandbox, \
            Gateway(BINARY, sandbox, tmp_path / "key") as gateway, Api(gateway) as ours:
        account = await World(sandbox, tmp_path).sign_up("Kuri")
        await asyncio.to_thread(sign_up_over_http, ours, "9996620124", "Ours")
        await asyncio.to_thread(ours.set_username, USERNAMES["gateway"])
        async with connected(sandbox) as old, account.running() as young:
            await sign_up(old, sandbox, "Tele")
            await old(functions.account.UpdateUsernameRequest(USERNAMES["telethon"]))
            await young.set_username(USERNAMES["kurigram"])
            to_old = Heard(old)
            await talk(old, young, ours, to_old)
            await meet(old, young, ours, to_old)
        assert "other_layer" not in sandbox.output


async def talk(old, young, ours, to_old):
    """Each writes to both others; two hear it, and the third reads it."""
    await old.send_message(USERNAMES["kurigram"], "from 216 to 229")
    await young.heard.next("from 216 to 229")
    await young.send_message(USERNAMES["telethon"], "from 229 to 216")
    await to_old.next("from 229 to 216")
    await asyncio.to_thread(ours.send, "@" + USERNAMES["kurigram"], "from 228 to 229")
    await young.heard.next("from 228 to 229")
    await asyncio.to_thread(ours.send, "@" + USERNAMES["telethon"], "from 228 to 216")
    await to_old.next("from 228 to 216")
    for name, client in (("telethon", old), ("kurigram", young)):
        await client.send_message(USERNAMES["gateway"], f"from {name} to 228")
        page = await asyncio.to_thread(ours.messages, "@" + USERNAMES[name], limit=1)
        assert page[0]["text"] == f"from {name} to 228"


async def meet(old, young, ours, to_old):
    """In a group that the youngest made."""
    group = await young.create_supergroup("Of all ages")
    link = await young.export_chat_invite_link(group.id)
    await old(functions.messages.ImportChatInviteRequest(link.rsplit("/", 1)[1].lstrip("+")))
    joined = await asyncio.to_thread(ours.request, "POST", "/groups/join", json={"group_identifier": link})
    assert joined.json()["title"] == "Of all ages"
    await old.get_dialogs()
    await young.send_message(group.id, "welcome")
    await to_old.next("welcome")
    page = await asyncio.to_thread(ours.messages, joined.json()["id"], limit=1)
    assert page[0]["text"] == "welcome"


@pytest.mark.parametrize("schemas, served", [([TELETHON, OURS], 228), ([TELETHON, LAYERS / "api-198.tl"], 216)])
@asynchronous
async def test_the_nearest_older_layer_is_served_with_a_warning(tmp_path, schemas, served):
    with serving(tmp_path, *schemas) as sandbox:
        async with World(sandbox, tmp_path).connected() as client:
            config = await client.invoke(raw.functions.help.GetNearestDc())
            assert config.this_dc == 2
        sandbox.wait_for(rf"other_layer\b.*\bclient={raw.all.layer} schema={served}\b")
