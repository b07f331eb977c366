# SPDX-License-Identifier: MIT
"""Objects of layer 216 as Telethon 1.42.0 writes them: prints telethon_216.txt. Run from the root."""
import base64
import datetime
import json
import re

from telethon.tl import functions as fn, types as ty
from telethon.tl.tlobject import TLObject

NAMES = {}
for line in open("schema/layers/api-216.tl"):
    found = re.match(r"([\w.]+)#([0-9a-f]+)", line)
    if found:
        NAMES[int(found[2], 16)] = found[1]

DATE = datetime.datetime(2024, 3, 1, tzinfo=datetime.timezone.utc)


def plain(value):
    if isinstance(value, TLObject):
        fields = {k: plain(v) for k, v in value.to_dict().items() if k != "_" and v is not None}
        # to_dict has flattened what is inside: take the objects themselves.
        for key in fields:
            fields[key] = plain(getattr(value, key))
        if "is_self" in fields:  # `self` is taken in Python
            fields["self"] = fields.pop("is_self")
        return {"_": NAMES[value.CONSTRUCTOR_ID], **fields}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return int(value.timestamp())
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**31:
        return str(value)
    return value


channel = ty.InputPeerChannel(1234567890, -7234567890123456789)
entities = [ty.MessageEntityBold(0, 5), ty.MessageEntityTextUrl(6, 4, "https://example.org/é")]
message = ty.Message(
    id=77, peer_id=ty.PeerChannel(1234567890), date=DATE, message="grüße 𝄞", out=True, pinned=True, forwards=3,
    from_id=ty.PeerUser(5000000001), entities=entities, views=12, edit_date=DATE,
    reply_to=ty.MessageReplyHeader(reply_to_msg_id=76, quote=True, quote_text="q"),
    media=ty.MessageMediaGeo(ty.GeoPoint(13.376, 52.518, -1, 10)))
user = ty.User(id=5000000001, is_self=True, premium=True, access_hash=2**62, first_name="Ann",
               usernames=[ty.Username("ann", active=True)], status=ty.UserStatusOffline(DATE))
objects = [
    fn.messages.SendMessageRequest(channel, "hello", random_id=-2, silent=True, entities=entities,
                                   reply_to=ty.InputReplyToMessage(76, quote_offset=3, quote_text="x")),
    fn.messages.GetHistoryRequest(channel, 0, DATE, 0, 100, 0, 0, 2**63 - 1),
    fn.InvokeWithLayerRequest(216, fn.InitConnectionRequest(
        1, "m", "s", "a", "en", "", "en", fn.help.GetConfigRequest(), params=ty.JsonObject(
            [ty.JsonObjectValue("tz_offset", ty.JsonNumber(3600.0))]))),
    fn.upload.SaveFilePartRequest(2**40, 3, bytes(range(256)) * 2),
    fn.users.GetUsersRequest([ty.InputUserSelf(), ty.InputUser(1, 2)]),
    fn.account.SetPrivacyRequest(ty.InputPrivacyKeyPhoneCall(), [ty.InputPrivacyValueAllowUsers([])]),
    ty.messages.ChannelMessages(pts=5, count=1, messages=[message], topics=[], chats=[], users=[user],
                                inexact=True),
    ty.Updates([ty.UpdateNewChannelMessage(message, 9, 1)], [user], [], DATE, 0),
    ty.InputCheckPasswordSRP(-5, b"\x01" * 256, b"\x02" * 32),
    ty.PeerSettings(add_contact=True, geo_distance=4),
    ty.DcOption(2, "149.154.167.50", 443, static=True, secret=b"\xdd" * 17),
]

print("# Objects of layer 216 as Telethon 1.42.0 writes them; made by make_telethon.py.")
for item in objects:
    data = bytes(item)
    print(f"\ntype = {NAMES[item.CONSTRUCTOR_ID]}\nhex = {data.hex()}")
    print("json =", json.dumps(plain(item), ensure_ascii=False))
