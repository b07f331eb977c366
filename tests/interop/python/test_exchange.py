# SPDX-License-Identifier: MIT
"""Kurigram goes on with a session that the gateway exported, and the gateway with Kurigram's own string."""
import asyncio

from conftest import BINARY, ROOT
from kurigram import API_HASH, API_ID, SandboxStorage, World
from processes import SECRETS, Gateway, Sandbox
from pyrogram import Client, raw

from accounts import Numbers, sign_up, unique
from client import Api

LAYERS = ["--schema", ROOT / "schema" / "api.tl", "--schema", ROOT / "schema" / "layers" / f"api-{raw.all.layer}.tl"]


async def write_with(world, string, text):
    """A client on that string: whose it is, and the string that the client itself makes of it."""
    storage = SandboxStorage("imported", world.workdir, world.sandbox.dcs)
    storage.in_memory, storage.session_string = True, string
    client = Client("imported", API_ID, API_HASH, storage_engine=storage, no_updates=True,
                    loop=asyncio.get_running_loop())
    await client.start()
    try:
        await client.send_message("me", text)
        return client.me.id, await client.export_session_string()
    finally:
        await client.stop()


def test_there_and_back(directory):
    folder = directory / "exchange"
    folder.mkdir()
    with Sandbox(BINARY, folder / "key.pem", dcs=1, options=LAYERS) as sandbox, \
            Gateway(BINARY, sandbox, folder / "gateway.key") as gateway, Api(gateway) as owner, Api(gateway) as other:
        sign_up(owner, Numbers().new(2), "Exchange")
        string = owner.post("/auth/export", format="pyrogram")["string"]
        SECRETS.text(string)
        text = unique("from kurigram")
        user_id, theirs = asyncio.run(asyncio.wait_for(write_with(World(sandbox, folder), string, text), 60))
        SECRETS.text(theirs)
        assert user_id == owner.user_id
        assert len(theirs) == 362
        told = other.request("POST", "/auth/import", session=False, json={"string": theirs, "api_hash": API_HASH}).json()
        assert told["format"] == "pyrogram" and told["user_id"] == owner.user_id
        assert other.messages("me", limit=1)[0]["text"] == text
