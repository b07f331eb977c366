# SPDX-License-Identifier: MIT
"""Files of the sandbox, by Kurigram: up and down, photos, another data centre, a link that is cut on the way."""
import io
import random

import pytest
from conftest import BINARY
from files import sample
from kurigram import World
from processes import Sandbox
from pyrogram.connection.transport import TCPAbridged, TCPFull, TCPIntermediateO
from test_kurigram import SCHEMA, asynchronous, know

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def world(directory):
    folder = directory / "files"
    folder.mkdir()
    with Sandbox(BINARY, folder / "kurigram.pem", dcs=3, options=["--schema", SCHEMA, "--seed", "1"]) as one:
        yield World(one, folder)


def named(data, name):
    file = io.BytesIO(data)
    file.name = name
    return file


async def fetched(client, message):
    return (await client.download_media(message, in_memory=True)).getvalue()


@pytest.mark.parametrize("transport", [TCPAbridged, TCPFull, TCPIntermediateO])
@pytest.mark.parametrize("size", [1, 5 * MIB + 333, 12 * MIB])  # the last goes by saveBigFilePart
@asynchronous
async def test_documents_come_back_as_they_went(world, transport, size):
    account = await world.sign_up(transport=transport)
    async with account.running(transport=transport) as client:
        data = random.Random(size).randbytes(size)
        sent = await client.send_document("me", named(data, "x.bin"), caption="**hi**")
        assert (sent.document.file_size, sent.document.file_name, sent.caption.markdown) == (size, "x.bin", "**hi**")
        assert await fetched(client, sent) == data


@asynchronous
async def test_another_account_takes_a_photo(world):
    ann_account, bob_account = await world.sign_up("Ann"), await world.sign_up("Bob")
    async with ann_account.running() as ann, bob_account.running() as bob:
        bob_id = await know(ann, bob_account.phone)
        sent = await ann.send_photo(bob_id, named(sample("progressive.jpg"), "photo.jpg"))
        [got] = [message async for message in bob.get_chat_history(ann_account.id, limit=1)]
        assert (got.photo.width, got.photo.height) == (sent.photo.width, sent.photo.height)
        assert await fetched(bob, got) == sample("progressive.jpg")


@asynchronous
async def test_a_file_of_another_data_centre_is_fetched_there(world):
    account = await world.sign_up()
    async with account.running() as client:
        [far] = [message async for message in client.search_messages("sandbox_news", "far away")]
        assert len(await fetched(client, far)) == far.document.file_size
        imported = [line for line in world.sandbox.control.run("stats auth.importAuthorization")]
        assert imported and "failed=0" in imported[0]


@pytest.mark.parametrize("method", ["upload.saveFilePart", "upload.getFile"])
@asynchronous
async def test_transfers_survive_cut_links(world, method):
    account = await world.sign_up()
    async with account.running() as client:
        data = random.Random(3).randbytes(2 * MIB)
        with world.sandbox.control.fault(f"method={method},after=1,count=1,do=drop_after") as hits:
            sent = await client.send_document("me", named(data, "x.bin"))
            assert await fetched(client, sent) == data
            assert hits() == 1
