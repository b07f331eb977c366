# SPDX-License-Identifier: MIT
"""Files between the gateway and Telethon, so that not both ends of any transfer are ours."""
import asyncio
import contextlib
import io

import pytest

from accounts import sign_up as sign_up_over_http
from client import Api
from files import PART, media, sample, send, sha256
from processes import Gateway, Sandbox
from test_telethon import BINARY, NEWEST_SCHEMA, SCHEMA, asynchronous, connected, sign_up

CHAT = "transfers_of_tests"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One that speaks both layers, with a channel in which both clients write."""
    key = tmp_path_factory.mktemp("transfers") / "public.pem"
    with Sandbox(BINARY, key, dcs=1, options=["--schema", NEWEST_SCHEMA, "--schema", SCHEMA, "--seed", "1"]) as one:
        yield one


@pytest.fixture(scope="module")
def ours(sandbox, tmp_path_factory):
    with Gateway(BINARY, sandbox, tmp_path_factory.mktemp("transfers") / "key") as gateway, Api(gateway) as client:
        sign_up_over_http(client, "9996620777", "Ours")
        made = client.call("channels.createChannel", title="Files", about="", megagroup=True)
        channel = made["chats"][0]
        client.call("channels.updateUsername", username=CHAT,
                    channel={"_": "inputChannel", "channel_id": channel["id"], "access_hash": channel["access_hash"]})
        yield client


@contextlib.asynccontextmanager
async def telethon(sandbox):
    from telethon.tl.functions.channels import JoinChannelRequest

    async with connected(sandbox) as client:
        await sign_up(client, sandbox)
        await client(JoinChannelRequest(CHAT))
        yield client


def named(data, name):
    file = io.BytesIO(data)
    file.name = name
    return file


SIZES = [1, PART - 1, PART, 5_000_000, 12 * 1024 * 1024]


@asynchronous
async def test_telethon_fetches_what_was_sent_over_http(sandbox, ours, rng):
    async with telethon(sandbox) as theirs:
        for size in SIZES:
            data = rng.randbytes(size)
            sent = await asyncio.to_thread(send, ours, ("größe.bin", data), chat_id=f"@{CHAT}", text="**bold**")
            message = await theirs.get_messages(CHAT, ids=sent["message_id"])
            assert message.file.name == "größe.bin" and message.file.size == size and message.text == "**bold**"
            assert sha256(await theirs.download_media(message, bytes)) == sha256(data)


@asynchronous
async def test_http_fetches_what_telethon_sent(sandbox, ours, rng):
    async with telethon(sandbox) as theirs:
        for size in SIZES:
            data = rng.randbytes(size)
            message = await theirs.send_file(CHAT, named(data, "größe.bin"), force_document=True)
            answer = await asyncio.to_thread(media, ours, message.id, chat_id=f"@{CHAT}")
            assert sha256(answer.content) == sha256(data)
            assert "filename*=UTF-8''gr%C3%B6%C3%9Fe.bin" in answer.headers["content-disposition"]


@asynchronous
async def test_telethon_sees_the_kinds(sandbox, ours):
    kinds = {"plain.jpg": "photo", "end.mp4": "video", "plain.gif": "gif", "told.mp3": "audio", "wide.png": "document"}
    async with telethon(sandbox) as theirs:
        for name, kind in kinds.items():
            sent = await asyncio.to_thread(send, ours, (name, sample(name)), chat_id=f"@{CHAT}")
            message = await theirs.get_messages(CHAT, ids=sent["message_id"])
            assert getattr(message, kind), name
            assert await theirs.download_media(message, bytes) == sample(name)
        film = await theirs.get_messages(CHAT, ids=(await asyncio.to_thread(
            send, ours, ("a.mp4", sample("turned.mp4")), chat_id=f"@{CHAT}"))["message_id"])
        assert (film.file.width, film.file.height, film.file.duration) == (36, 64, 1.5)
        voice = await theirs.get_messages(CHAT, ids=(await asyncio.to_thread(
            send, ours, ("v.ogg", sample("voice.ogg")), chat_id=f"@{CHAT}", voice_note="true"))["message_id"])
        assert voice.voice and voice.file.duration == 2


@asynchronous
async def test_albums_both_ways(sandbox, ours):
    pictures = [sample(name) for name in ("plain.jpg", "progressive.jpg", "plain.png")]
    async with telethon(sandbox) as theirs:
        sent = await asyncio.to_thread(send, ours, *[(f"{i}.jpg", p) for i, p in enumerate(pictures)], chat_id=f"@{CHAT}",
                                       text="ours")
        messages = await theirs.get_messages(CHAT, ids=sent["message_ids"])
        assert len({m.grouped_id for m in messages}) == 1 and messages[0].grouped_id
        assert [m.text for m in messages] == ["ours", "", ""]
        assert [await theirs.download_media(m, bytes) for m in messages] == pictures
        back = await theirs.send_file(CHAT, [named(p, f"{i}.png") for i, p in enumerate(pictures)])
        answers = [await asyncio.to_thread(media, ours, m.id, chat_id=f"@{CHAT}") for m in back]
        assert [a.content for a in answers] == pictures


@asynchronous
async def test_profile_photos(sandbox, ours):
    async with telethon(sandbox) as theirs:
        news = await theirs.get_entity("sandbox_news")
        url = (await asyncio.to_thread(ours.post, "/groups/join", group_identifier="@sandbox_news"))["photo_url"]
        for big in (True, False):
            answer = await asyncio.to_thread(ours.request, "GET", url, params={"big": str(big).lower()})
            assert answer.content == await theirs.download_profile_photo(news, bytes, download_big=big)
