# SPDX-License-Identifier: MIT
"""Files of the sandbox, by Telethon: up, down, albums, other data centres, references, faults."""
import asyncio
import hashlib
import io
import random
import struct
import zlib

import pytest
from telethon import errors, functions, types
from telethon.sessions import StringSession

from processes import Sandbox
from test_telethon import BINARY, SCHEMA, asynchronous, connected, sign_in, sign_up

ALICE = "9996620001"
FAR_FILE_DC = 3
MIB = 1024 * 1024
PART = MIB // 2


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    key = tmp_path_factory.mktemp("telethon") / "public.pem"
    with Sandbox(BINARY, key, dcs=3, options=["--schema", SCHEMA, "--seed", "1"]) as one:
        yield one


@pytest.fixture(autouse=True)
def no_faults_left(sandbox):
    yield
    sandbox.control.run("fault_clear")


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def named(data, name):
    file = io.BytesIO(data)
    file.name = name
    return file


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * y) % 256 for x in range(3 * width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def location_of(message):
    document = message.document
    return types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")


async def far_file(client):
    news = await client.get_entity("sandbox_news")
    async for message in client.iter_messages(news, search="far away"):
        return message
    raise AssertionError("the demo world has no file on another data centre")


@asynchronous
async def test_documents_come_back_as_they_went(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        for size in (1, 5 * MIB + 333, 12 * MIB):  # the last goes by saveBigFilePart
            data = noise(size, size)
            message = await client.send_file("me", named(data, "x.bin"), caption="**hi**")
            assert (message.file.size, message.file.name, message.text) == (size, "x.bin", "**hi**")
            assert hashlib.sha256(await client.download_media(message, bytes)).digest() == hashlib.sha256(data).digest()


@asynchronous
async def test_photos_have_the_size_that_their_bytes_say(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        data = png(300, 200)
        message = await client.send_file("me", named(data, "a.png"))
        size = message.photo.sizes[-1]
        assert (size.type, size.w, size.h, size.size) == ("m", 300, 200, len(data))
        assert await client.download_media(message, bytes) == data
        with pytest.raises(errors.ImageProcessFailedError):
            await client.send_file("me", named(noise(1000), "a.png"))


@asynchronous
async def test_albums_and_what_is_sent_again(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        files = [png(100 + i, 80) for i in range(3)]
        messages = await client.send_file("me", [named(f, f"{i}.png") for i, f in enumerate(files)], caption=list("abc"))
        assert len({m.grouped_id for m in messages}) == 1 and messages[0].grouped_id
        assert [m.text for m in messages] == ["a", "b", "c"]
        assert [await client.download_media(m, bytes) for m in messages] == files
        voice = await client.send_file("me", named(b"OggS" + noise(900), "v.ogg"), voice_note=True)
        assert voice.voice
        again = await client.send_file("me", voice.media)
        assert again.id != voice.id and again.document.id == voice.document.id


@asynchronous
async def test_a_file_of_another_data_centre_is_fetched_there(sandbox):
    async with connected(sandbox, dc=2) as client:
        await sign_in(client, sandbox, ALICE)
        message = await far_file(client)
        assert message.document.dc_id == FAR_FILE_DC
        with pytest.raises(errors.FileMigrateError) as refused:
            await client(functions.upload.GetFileRequest(location_of(message), 0, 4096))
        assert refused.value.new_dc == FAR_FILE_DC
        data = await client.download_media(message, bytes)
        assert len(data) == message.file.size and data.startswith(b"%PDF-")


@asynchronous
async def test_an_exported_login_is_good_once_and_for_one_place(sandbox):
    async with connected(sandbox, dc=2) as client:
        await sign_in(client, sandbox, ALICE)

        async def export():
            return await client(functions.auth.ExportAuthorizationRequest(FAR_FILE_DC))

        exported = await export()
        async with connected(sandbox, dc=FAR_FILE_DC) as far:
            user = await far(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
            assert user.user.id == exported.id
            document = (await far_file(client)).document  # seen at home, fetched there
            location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
            assert len((await far(functions.upload.GetFileRequest(location, 0, 4096))).bytes) == 4096
        for attempt in (exported, await export(), await export()):
            wrong_place = attempt is not exported
            async with connected(sandbox, dc=1 if wrong_place else FAR_FILE_DC) as far:
                with pytest.raises(errors.AuthBytesInvalidError):
                    await far(functions.auth.ImportAuthorizationRequest(attempt.id, attempt.bytes))
        late = await export()
        sandbox.control.run("clock_advance 61")
        async with connected(sandbox, dc=FAR_FILE_DC) as far:
            with pytest.raises(errors.AuthBytesInvalidError):
                await far(functions.auth.ImportAuthorizationRequest(late.id, late.bytes))


@asynchronous
async def test_a_mebibyte_at_once(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        data = noise(2 * MIB)
        message = await client.send_file("me", named(data, "x.bin"))
        answer = await client(functions.upload.GetFileRequest(location_of(message), MIB, MIB))
        assert answer.bytes == data[MIB:]
        hashes = await client(functions.upload.GetFileHashesRequest(location_of(message), 0))
        assert [h.hash for h in hashes] == [hashlib.sha256(data[h.offset:h.offset + h.limit]).digest() for h in hashes]
        assert sum(h.limit for h in hashes) == MIB


@asynchronous
async def test_references_expire_on_command(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        message = await client.send_file("me", named(noise(5000), "x.bin"))
        sandbox.control.run("expire_references")
        with pytest.raises(errors.FileReferenceExpiredError):
            await client(functions.upload.GetFileRequest(location_of(message), 0, 4096))
        with pytest.raises(errors.FileReferenceExpiredError):
            await client.send_file("me", message.media)
        fresh = await client.get_messages("me", ids=message.id)
        assert (await client(functions.upload.GetFileRequest(location_of(fresh), 4096, 4096))).bytes == noise(5000)[4096:]


@asynchronous
async def test_transfers_survive_cut_links_and_slow_parts(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        data = noise(3 * MIB)
        for action in ("reset", "drop_after", "delay:300"):
            sandbox.control.run(f"fault_add method=upload.saveFilePart,after=3,count=1,do={action}")
            message = await client.send_file("me", named(data, "x.bin"))
            sandbox.control.run(f"fault_add method=upload.getFile,after=3,count=1,do={action}")
            assert await client.download_media(message, bytes) == data
        assert all("hits=1" in rule for rule in sandbox.control.run("fault_list") if rule.startswith(tuple("123456789")))


@asynchronous
async def test_waits_of_accounts_without_premium(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        sandbox.control.run("fault_add method=upload.saveFilePart,count=1,do=error:420:FLOOD_PREMIUM_WAIT_7")
        with pytest.raises(errors.FloodPremiumWaitError) as refused:
            await client.upload_file(named(noise(100), "x.bin"))
        assert refused.value.seconds == 7


@asynchronous
async def test_faces_of_users_and_chats(sandbox):
    async with connected(sandbox, dc=2) as client:
        await sign_in(client, sandbox, ALICE)
        for name in ("sandbox_news", "alice", "robert"):
            whom = await client.get_entity(name)
            big = await client.download_profile_photo(whom, bytes)
            small = await client.download_profile_photo(whom, bytes, download_big=False)
            assert big.startswith(b"\x89PNG") and small.startswith(b"\x89PNG") and len(small) < len(big)


@asynchronous
async def test_files_may_go_over_several_connections_of_a_key(sandbox):
    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        data = noise(2 * MIB)
        async with connected(sandbox, StringSession.save(client.session)) as twin:
            with sandbox.control.fault("method=upload.*,do=delay:200"):
                answers = await asyncio.gather(*(
                    link(functions.upload.SaveBigFilePartRequest(9, part, 4, data[part * PART:(part + 1) * PART]))
                    for part, link in enumerate((client, twin, client, twin))))
            assert answers == [True] * 4
        file = types.InputFileBig(9, 4, "x.bin")
        message = await client.send_file("me", file, force_document=True)
        assert await client.download_media(message, bytes) == data


@asynchronous
async def test_premium_accounts_send_twice_as_many_parts(sandbox):
    async with connected(sandbox) as client:
        phone = await sign_up(client, sandbox)
        part = functions.upload.SaveBigFilePartRequest(5, 4000, 8000, noise(1024))
        with pytest.raises(errors.FilePartInvalidError):
            await client(part)
        sandbox.control.run(f"premium {phone} on")
        assert (await client.get_me()).premium and await client(part)
        sandbox.control.run(f"premium {phone} off")
        assert not (await client.get_me()).premium
