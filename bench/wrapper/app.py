# SPDX-License-Identifier: MIT
"""The rival: the same endpoints on FastAPI and Telethon, as such wrappers are usually written, with the
same tokens and answers. Of the two usual ways with clients, one made for each request and one kept
connected per session, it takes the faster: kept, in a dictionary, for as long as the process lives.

WRAPPER_DC=HOST:PORT and WRAPPER_DC_KEY=FILE.pem name the data centre.
"""
import asyncio
import base64
import os
import struct
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import cycle

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel
from telethon import TelegramClient, errors, utils
from telethon.crypto import rsa
from telethon.sessions import StringSession
from telethon.tl import types

MASK = base64.b64decode("v1KvK4AGqhWQUm9L87Dh7PzPKl2EQeQA3J0H2InPMUo=")
DC_ID = 2

clients: dict[str, TelegramClient] = {}
connecting: dict[str, asyncio.Lock] = {}
pending: dict[str, tuple[str, str]] = {}  # logins: token -> phone, phone_code_hash


def use_key_file(path):
    rsa._server_keys.clear()
    with open(path) as f:
        rsa.add_key(f.read(), old=False)


@asynccontextmanager
async def lifespan(app):
    use_key_file(os.environ["WRAPPER_DC_KEY"])
    yield
    await asyncio.gather(*(client.disconnect() for client in clients.values()))


app = FastAPI(lifespan=lifespan)

# ---- tokens and clients ----


def pack_token(session, api_id, api_hash):
    plain = struct.pack(">QB", api_id, len(api_hash)) + api_hash.encode()
    masked = bytes(a ^ b for a, b in zip(plain, cycle(MASK)))
    return f"{session}:{base64.urlsafe_b64encode(masked).decode()}"


def unpack_token(token):
    session, _, packed = token.partition(":")
    plain = bytes(a ^ b for a, b in zip(base64.urlsafe_b64decode(packed), cycle(MASK)))
    api_id, length = struct.unpack(">QB", plain[:9])
    return session, api_id, plain[9:9 + length].decode()


def new_client(session, api_id, api_hash):
    # Nobody here listens to updates: without them Telethon is faster.
    return TelegramClient(session, api_id, api_hash, receive_updates=False)


async def client_of(token):
    client = clients.get(token)
    if client is not None:
        return client
    async with connecting.setdefault(token, asyncio.Lock()):
        if token not in clients:
            try:
                text, api_id, api_hash = unpack_token(token)
                client = new_client(StringSession(text), api_id, api_hash)
            except Exception as e:
                raise HTTPException(401, "Invalid session string") from e
            await client.connect()
            clients[token] = client
        return clients[token]


async def session_client(x_session_string: str = Header()):
    return await client_of(x_session_string)


def peer(chat_id):
    text = str(chat_id)
    return int(text) if text.lstrip("-").isdigit() else text


@app.exception_handler(errors.RPCError)
async def on_rpc_error(request, error):
    return Response(f'{{"detail": "{error}"}}', status_code=400, media_type="application/json")


# ---- logging in ----


class SendCode(BaseModel):
    phone: str
    api_id: int
    api_hash: str


class VerifyCode(BaseModel):
    code: str
    first_name: str | None = None
    last_name: str = ""


class VerifyPassword(BaseModel):
    password: str


def token_of(client):
    return pack_token(client.session.save(), client.api_id, client.api_hash)


@app.post("/auth/send_code")
async def send_code(body: SendCode):
    session = StringSession()
    host, _, port = os.environ["WRAPPER_DC"].rpartition(":")
    session.set_dc(DC_ID, host, int(port))
    client = new_client(session, body.api_id, body.api_hash)
    await client.connect()
    sent = await client.send_code_request(body.phone)
    token = token_of(client)
    clients[token] = client
    pending[token] = (body.phone, sent.phone_code_hash)
    return {"message": "Verification code sent", "next_step": "verify_code", "session_string": token,
            "code_type": type(sent.type).__name__, "timeout": sent.timeout}


@app.post("/auth/verify_code")
async def verify_code(body: VerifyCode, x_session_string: str = Header()):
    client = await client_of(x_session_string)
    phone, code_hash = pending.pop(x_session_string, (None, None))
    if phone is None:
        raise HTTPException(401, "No login is in progress")
    try:
        await client.sign_in(phone, body.code, phone_code_hash=code_hash)
    except errors.SessionPasswordNeededError:
        return {"message": "2FA password required", "next_step": "verify_password",
                "session_string": x_session_string}
    return {"message": "Successfully authenticated", "next_step": "completed", "session_string": token_of(client)}


@app.post("/auth/verify_password")
async def verify_password(body: VerifyPassword, client=Depends(session_client)):
    await client.sign_in(password=body.password)
    return {"message": "Successfully authenticated with 2FA", "next_step": "completed",
            "session_string": token_of(client)}


@app.delete("/auth/logout")
async def logout(x_session_string: str = Header()):
    await (await client_of(x_session_string)).log_out()
    clients.pop(x_session_string, None)
    return {"message": "Successfully logged out"}


# ---- chats and messages ----


def chat_type(dialog):
    if dialog.is_user:
        return "private"
    if dialog.is_group:
        return "supergroup" if isinstance(dialog.entity, types.Channel) else "group"
    return "channel"


@app.get("/chats")
async def chats(client=Depends(session_client), limit: int = Query(100, ge=0), archived: bool = False):
    dialogs = await client.get_dialogs(limit=limit or None, archived=archived)
    found = [
        {
            "name": d.name,
            "id": d.id,
            "type": chat_type(d),
            "members_count": getattr(d.entity, "participants_count", None),
            "is_private": not getattr(d.entity, "username", None),
            "username": getattr(d.entity, "username", None),
            "unread_count": d.unread_count,
            "last_message_date": d.date,
        }
        for d in dialogs
    ]
    return {"chats": found, "total_count": dialogs.total}


MEDIA = ("photo", "video_note", "gif", "video", "voice", "audio", "sticker", "document", "contact", "geo",
         "venue", "poll", "dice", "web_preview")


def media_type(message):
    return next((kind for kind in MEDIA if getattr(message, kind)), None) if message.media else None


def message_json(m):
    sender = m.sender
    return {
        "id": m.id,
        "text": m.text,
        "date": m.date,
        "sender_id": m.sender_id,
        "sender_username": getattr(sender, "username", None),
        "sender_name": utils.get_display_name(sender) if sender else None,
        "reply_to_msg_id": m.reply_to_msg_id,
        "forward_from": m.forward.from_name if m.forward else None,
        "media_type": media_type(m),
        "is_pinned": bool(m.pinned),
    }


@app.get("/messages")
async def messages(chat_id: str, client=Depends(session_client), limit: int = Query(100, ge=1, le=1000),
                   offset_id: int = 0, search: str | None = None, from_date: datetime | None = None,
                   to_date: datetime | None = None):
    found = await client.get_messages(peer(chat_id), limit=limit, offset_id=offset_id, search=search,
                                      offset_date=to_date)
    if from_date:
        found = [m for m in found if m.date >= from_date]
    return {"messages": [message_json(m) for m in found], "total_count": getattr(found, "total", len(found)),
            "has_more": len(found) == limit}


class Send(BaseModel):
    chat_id: int | str
    text: str
    reply_to_message_id: int | None = None


@app.post("/messages/send")
async def send(body: Send, client=Depends(session_client)):
    m = await client.send_message(peer(body.chat_id), body.text, reply_to=body.reply_to_message_id)
    return {"success": True, "message_id": m.id, "date": m.date}


class Edit(BaseModel):
    chat_id: int | str
    message_id: int
    new_text: str


@app.post("/messages/edit")
async def edit(body: Edit, client=Depends(session_client)):
    m = await client.edit_message(peer(body.chat_id), body.message_id, body.new_text)
    return {"success": True, "message_id": m.id, "date": m.date}


class Delete(BaseModel):
    chat_id: int | str
    message_ids: list[int]
    revoke: bool = True


@app.delete("/messages/delete")
async def delete(body: Delete, client=Depends(session_client)):
    await client.delete_messages(peer(body.chat_id), body.message_ids, revoke=body.revoke)
    return {"success": True, "deleted_messages": body.message_ids}


class Forward(BaseModel):
    from_chat_id: int | str
    to_chat_id: int | str
    message_id: int


@app.post("/messages/forward")
async def forward(body: Forward, client=Depends(session_client)):
    m = await client.forward_messages(peer(body.to_chat_id), body.message_id, peer(body.from_chat_id))
    return {"success": True, "message_id": m.id, "date": m.date}


@app.get("/healthz")
async def healthz():
    return {"status": "ok"}
