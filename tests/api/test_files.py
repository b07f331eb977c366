# SPDX-License-Identifier: MIT
"""POST /messages/send_with_file: what files become, what is refused, what happens half-way."""
import datetime
import json
import os
import socket

import pytest

from accounts import new_group, unique
from files import FORM_END, FORM_HEAD, MIB, PART, attributes, media, sample, send, sha256
from processes import DEADLINE_S, wait_until


# ---- there and back ----


@pytest.mark.parametrize("size", [1, 1000, PART - 1, PART, PART + 1, 3 * PART, 5_000_000, 11 * 1024 * 1024])
def test_a_document_comes_back_as_it_was(alice, rng, size):
    data = rng.randbytes(size)
    answer = send(alice, ("report.pdf", data, "application/pdf"), text="**the** report")
    assert answer["message_ids"] == [answer["message_id"]]
    message = alice.message("me", answer["message_id"])
    assert message["text"] == "**the** report" and message["date"] == answer["date"]
    assert message["media_type"] == "document"
    assert message["file"] == {"name": "report.pdf", "mime_type": "application/pdf", "size": size, "duration": None,
                               "width": None, "height": None}
    back = media(alice, answer["message_id"])
    assert sha256(back.content) == sha256(data)


def chunked(data, size=70_000):
    yield from (data[at:at + size] for at in range(0, len(data), size))


def test_a_body_of_unknown_length(alice, rng):
    data = rng.randbytes(3 * PART)
    answer = alice.request("POST", "/messages/send_with_file", content=chunked(FORM_HEAD + data + FORM_END),
                           headers={"Content-Type": "multipart/form-data; boundary=b"}).json()
    assert sha256(media(alice, answer["message_id"]).content) == sha256(data)


def jpeg(rng, size):
    """What is behind a picture's end is nobody's business."""
    return sample("plain.jpg") + rng.randbytes(size - len(sample("plain.jpg")))


@pytest.mark.parametrize("size, becomes", [(3 * PART + 1, "photo"), (10 * MIB, "photo"), (10 * MIB + 1, "document")])
def test_photos_of_any_length(alice, rng, size, becomes):
    data = jpeg(rng, size)
    alone = send(alice, ("a.jpg", data))["message_id"]
    body = FORM_HEAD + data + FORM_END
    of_unknown_length = alice.request("POST", "/messages/send_with_file", content=chunked(body),
                                      headers={"Content-Type": "multipart/form-data; boundary=b"}).json()["message_id"]
    for message_id in (alone, of_unknown_length):
        assert alice.message("me", message_id)["media_type"] == becomes
        assert sha256(media(alice, message_id).content) == sha256(data)


@pytest.mark.one_process
def test_a_small_photo_is_sent_while_it_arrives(new_account, control, rng):
    client = new_account()
    data = jpeg(rng, 4 * PART)
    before = control.executed("upload.saveFilePart")
    with begin_form(client, len(FORM_HEAD) + len(data) + len(FORM_END), "Connection: close") as connection:
        connection.sendall(FORM_HEAD + data[:3 * PART])
        wait_until(lambda: control.executed("upload.saveFilePart") > before, "parts are sent before the form has ended")
        connection.sendall(data[3 * PART:] + FORM_END)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert client.messages("me")[0]["media_type"] == "photo"


# ---- what a file becomes ----

SENT = [
    ("plain.jpg", {}, "photo", None),
    ("progressive.jpg", {}, "photo", None),
    ("plain.png", {}, "photo", None),
    ("lossy.webp", {}, "photo", None),
    ("plain.jpg", {"force_document": True}, "document", {"width": 33, "height": 17, "mime_type": "image/jpeg"}),
    ("wide.png", {}, "document", {"width": 2100, "height": 100, "mime_type": "image/png"}),
    ("animated.webp", {}, "document", {"mime_type": "image/webp"}),
    ("plain.gif", {}, "animation", {"mime_type": "image/gif", "width": 33, "height": 17}),
    ("end.mp4", {}, "video", {"mime_type": "video/mp4", "duration": 1.5, "width": 64, "height": 36}),
    ("turned.mp4", {}, "video", {"duration": 1.5, "width": 36, "height": 64}),
    ("clip.mov", {}, "video", {"mime_type": "video/quicktime", "duration": 1.5}),
    ("end.mp4", {"video_note": True}, "video_note", {"mime_type": "video/mp4"}),
    ("end.mp4", {"force_document": True}, "document", {"mime_type": "video/mp4"}),
    ("tagged.m4a", {}, "audio", {"mime_type": "audio/mp4", "duration": 2}),
    ("sound.mp4", {}, "audio", {"mime_type": "audio/mp4", "duration": 2}),
    ("told.mp3", {}, "audio", {"mime_type": "audio/mpeg", "duration": 2}),
    ("voice.ogg", {}, "audio", {"mime_type": "audio/ogg", "duration": 2}),
    ("voice.ogg", {"voice_note": True}, "voice", {"mime_type": "audio/ogg", "duration": 2}),
    ("tagged.flac", {}, "audio", {"mime_type": "audio/flac"}),
    ("sound.wav", {}, "audio", {"mime_type": "audio/x-wav"}),
]


@pytest.mark.parametrize("name, fields, media_type, facts", SENT)
def test_files_are_what_their_bytes_say(alice, name, fields, media_type, facts):
    """The name and the type that the client gives do not matter."""
    answer = send(alice, ("x.txt", sample(name), "text/plain"), **fields)
    message = alice.message("me", answer["message_id"])
    assert message["media_type"] == media_type
    if facts:
        assert message["file"] | facts == message["file"]
    assert media(alice, answer["message_id"]).content == sample(name)


@pytest.mark.parametrize("error", ["PHOTO_INVALID_DIMENSIONS", "PHOTO_EXT_INVALID", "IMAGE_PROCESS_FAILED"])
def test_what_telegram_takes_for_no_photo_goes_as_a_file(new_account, control, error):
    client = new_account()
    with control.fault(f"method=messages.sendMedia,user={client.user_id},count=1,do=error:400:{error}") as hits:
        answer = send(client, ("a.jpg", sample("plain.jpg")))
        assert hits() == 1
    message = client.message("me", answer["message_id"])
    assert (message["media_type"], message["file"]["name"]) == ("document", "a.jpg")
    assert media(client, answer["message_id"]).content == sample("plain.jpg")


def test_attributes_that_apps_show(alice):
    song = attributes(alice, send(alice, ("a.mp3", sample("told.mp3")))["message_id"])
    assert song["documentAttributeAudio"] == {
        "_": "documentAttributeAudio", "duration": 2, "title": "Süße Träume 🎵", "performer": "Æther & Co"}
    assert song["documentAttributeFilename"]["file_name"] == "a.mp3"
    for name, streams in (("front.mp4", True), ("end.mp4", False)):
        film = attributes(alice, send(alice, (name, sample(name)))["message_id"])
        assert film["documentAttributeVideo"].get("supports_streaming", False) == streams


@pytest.mark.parametrize("name, content_type, data, mime", [
    ("a.pdf", None, b"no pdf at all", "application/pdf"),
    ("a.unknown", "application/x-mine; charset=x", b"mine", "application/x-mine"),
    ("a.txt", "application/octet-stream", b"text", "text/plain"),
    ("a.txt", "not a type", b"text", "text/plain"),
    ("nothing", None, b"%PDF-1.7 something", "application/pdf"),
    ("nothing", None, b"nothing known", "application/octet-stream"),
])
def test_types_of_documents(alice, name, content_type, data, mime):
    headers = {"Content-Type": content_type} if content_type else {"Content-Type": ""}
    answer = alice.request("POST", "/messages/send_with_file", data={"chat_id": "me"},
                           files=[("file", (name, data, None, headers))]).json()
    assert alice.message("me", answer["message_id"])["file"]["mime_type"] == mime


@pytest.mark.parametrize("name", ["a b.txt", "naïve – 中文 🎉.txt", "it's 100% \"quoted\".txt", "a;b=c,d.txt"])
def test_names(alice, name):
    answer = send(alice, (name, b"text"))
    assert alice.message("me", answer["message_id"])["file"]["name"] == name


def test_a_file_without_a_name_gets_one(alice):
    body = (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n%PDF-1.7\r\n--b\r\n'
            b'Content-Disposition: form-data; name="chat_id"\r\n\r\nme\r\n--b--\r\n')
    answer = alice.request("POST", "/messages/send_with_file", content=body,
                           headers={"Content-Type": "multipart/form-data; boundary=b"}).json()
    assert alice.message("me", answer["message_id"])["file"]["name"] == "file.pdf"


# ---- fields ----


def test_fields_in_any_order(alice):
    replied = alice.send("me", unique())["message_id"]
    parts = [("file", ("a.jpg", sample("plain.jpg"))), ("text", (None, "<b>after</b>")), ("parse_mode", (None, "html")),
             ("force_document", (None, "true")), ("reply_to_message_id", (None, str(replied))), ("chat_id", (None, "me"))]
    answer = alice.request("POST", "/messages/send_with_file", files=parts).json()
    message = alice.message("me", answer["message_id"])
    assert (message["text"], message["media_type"]) == ("**after**", "document")
    assert message["reply_to_msg_id"] == replied


def test_entities(alice):
    answer = send(alice, ("a.bin", b"x"), text="bold", entities='[{"type":"bold","offset":0,"length":4}]')
    assert alice.message("me", answer["message_id"])["text"] == "**bold**"


def raw_message(client, message_id):
    return client.call("messages.getMessages", id=[{"_": "inputMessageID", "id": message_id}])["messages"][0]


def test_spoiler_silent_and_thumb(alice):
    photo = raw_message(alice, send(alice, ("a.jpg", sample("plain.jpg")), spoiler=True, silent=True)["message_id"])
    assert photo["silent"] and photo["media"]["spoiler"]
    parts = [("file", ("a.bin", b"data")), ("thumb", ("t.jpg", sample("plain.jpg"))), ("chat_id", (None, "me"))]
    answer = alice.request("POST", "/messages/send_with_file", files=parts).json()
    thumbs = raw_message(alice, answer["message_id"])["media"]["document"]["thumbs"]
    shown = media(alice, answer["message_id"], thumb=thumbs[-1]["type"])
    assert shown.headers["content-type"] == "image/jpeg" and shown.content == sample("plain.jpg")
    assert media(alice, answer["message_id"]).content == b"data"


def test_a_message_for_later(new_account, control):
    client = new_account()
    when = datetime.datetime.fromtimestamp(control.now() + 7200, datetime.timezone(datetime.timedelta(hours=1)))
    answer = send(client, ("a.bin", b"later"), schedule_date=when.isoformat())
    assert datetime.datetime.fromisoformat(answer["date"]) == when
    assert client.messages("me") == []
    kept = client.call("messages.getScheduledHistory", peer={"_": "inputPeerSelf"}, hash="0")["messages"]
    assert [m["id"] for m in kept] == answer["message_ids"]


@pytest.mark.parametrize("date", ["9999-12-31T23:59:59Z", "2038-01-19T03:14:08Z", "99999999999999999", "0", "-1"])
def test_dates_that_telegram_has_not(alice, date):
    refuse(alice, [ME, FILE, ("schedule_date", (None, date))], 400, "schedule_date")


# ---- albums ----


def test_an_album(alice):
    files = [("a.jpg", sample("plain.jpg")), ("b.mp4", sample("end.mp4")), ("c.png", sample("plain.png"))]
    answer = send(alice, *files, text="three")
    ids = answer["message_ids"]
    assert len(set(ids)) == 3 and answer["message_id"] == ids[0]
    messages = [alice.message("me", i) for i in ids]
    assert len({m["grouped_id"] for m in messages}) == 1 and messages[0]["grouped_id"]
    assert [m["media_type"] for m in messages] == ["photo", "video", "photo"]
    assert [m["text"] for m in messages] == ["three", "", ""]
    assert [media(alice, i).content for i in ids] == [data for _, data in files]


def test_albums_of_documents_and_of_sound(alice):
    documents = [(f"{i}.txt", f"text {i}".encode()) for i in range(10)]
    assert len(send(alice, *documents)["message_ids"]) == 10
    songs = [("a.mp3", sample("told.mp3")), ("b.flac", sample("tagged.flac"))]
    assert len(send(alice, *songs)["message_ids"]) == 2
    mixed = [("a.mp3", sample("told.mp3")), ("b.txt", b"text")]
    assert len(send(alice, *mixed, force_document=True)["message_ids"]) == 2


# ---- refused ----


def refuse(client, parts, expect, field, error="INVALID_PARAMETER"):
    body = client.request("POST", "/messages/send_with_file", expect, files=parts).json()
    assert (body["error"], body.get("field")) == (error, field), body


ME = ("chat_id", (None, "me"))
FILE = ("file", ("a.bin", b"data"))


def test_what_is_missing_or_wrong_is_named(alice):
    refuse(alice, [ME], 400, "file")
    refuse(alice, [ME, ("file", (None, ""))], 400, "file")
    refuse(alice, [ME, ("file", ("a.bin", b""))], 400, "file")
    refuse(alice, [FILE], 400, "chat_id")
    refuse(alice, [ME, FILE, ("silent", (None, "perhaps"))], 400, "silent")
    refuse(alice, [ME, FILE, ("voice_note", (None, "true"))], 400, "voice_note")
    refuse(alice, [ME, FILE, ("video_note", (None, "true"))], 400, "video_note")
    refuse(alice, [ME, FILE, ("thumb", ("t.jpg", b"no jpeg"))], 400, "thumb")
    refuse(alice, [ME, FILE, ("thumb", ("t.jpg", sample("plain.jpg") + bytes(200 * 1024)))], 400, "thumb")
    refuse(alice, [ME, FILE, FILE, ("thumb", ("t.jpg", sample("plain.jpg")))], 400, "thumb")
    refuse(alice, [ME] + 11 * [FILE], 400, "file")
    refuse(alice, [ME, FILE, ("file", ("a.jpg", sample("plain.jpg")))], 400, "file")
    refuse(alice, [ME, FILE, ("text", (None, "x")), ("parse_mode", (None, "latex"))], 400, "parse_mode")
    body = alice.request("POST", "/messages/send_with_file", 415, json={"chat_id": "me"}).json()
    assert body["error"] == "UNSUPPORTED_MEDIA_TYPE"
    alice.error("POST", "/messages/send_with_file", 401, "NO_SESSION", session=False, files=[ME, FILE])


def test_what_telegram_refuses_is_named(alice):
    refuse(alice, [ME, FILE, ("text", (None, 1025 * "x"))], 400, "text", "MEDIA_CAPTION_TOO_LONG")
    refuse(alice, [ME, FILE, ("reply_to_message_id", (None, "99999999"))], 404, "reply_to_message_id",
           "REPLY_MESSAGE_ID_INVALID")
    refuse(alice, [ME, FILE, ("schedule_date", (None, "2037-01-01"))], 400, "schedule_date", "SCHEDULE_DATE_TOO_LATE")


def test_a_wrong_chat_is_told_before_the_file_is_sent(alice, control):
    before = control.executed("upload.saveBigFilePart")
    refuse(alice, [("chat_id", (None, "@nobody_has_this_name")), ("file", ("a.bin", bytes(30 * PART)))], 404, "chat_id",
           "USERNAME_NOT_OCCUPIED")
    assert control.executed("upload.saveBigFilePart") == before


def test_nobody_may_write_where_they_may_not(alice, new_account):
    stranger = new_account()
    group = new_group(alice)
    body = send(stranger, ("a.bin", b"data"), chat_id=group, expect=stranger_status(stranger, group))
    assert body["error"]


def stranger_status(stranger, chat):
    """What a text is refused with there, a file is too."""
    response = stranger.http.post("/messages/send", headers={"X-Session-String": stranger.session},
                                  json={"chat_id": chat, "text": "x"})
    assert response.status_code >= 400
    return response.status_code


def begin_form(client, content_length, *more, form="multipart/form-data; boundary=b"):
    """A request whose body is to follow, on a socket of its own. No length: the headers in `more` tell."""
    host, port = client.gateway.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), DEADLINE_S)
    head = (f"POST /messages/send_with_file HTTP/1.1\r\nHost: {host}\r\nX-Session-String: {client.session}\r\n"
            f"Content-Type: {form}\r\n" + (f"Content-Length: {content_length}\r\n" if content_length else "")
            + "".join(f"{line}\r\n" for line in more) + "\r\n")
    connection.sendall(head.encode())
    return connection


FORM_SLACK = MIB  # what else but a file a form may announce
FILE_MAX = 4000 * PART  # and 8,000 with Premium


def refused_unread(client, content_length, *more):
    """The answer to a form of which no byte was sent."""
    with begin_form(client, content_length, *more) as connection:
        head, body = connection.recv(65536).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 413 ")
    error = json.loads(body)
    assert (error["error"], error["field"]) == ("FILE_TOO_LARGE", "file") and error["request_id"]
    return error["detail"]


@pytest.mark.one_process
@pytest.mark.parametrize("more", [(), ("Expect: 100-continue",)])
def test_a_form_that_must_be_too_large_is_refused_before_it_is_asked_for(new_account, control, more):
    client = new_account()
    too_much = FILE_MAX + FORM_SLACK + 1
    assert "2000 MiB" in refused_unread(client, too_much, *more)
    control.run(f"premium {client.phone} on")
    assert "4000 MiB" in refused_unread(client, too_much + FILE_MAX, *more)


@pytest.mark.one_process
def test_a_form_that_may_just_fit_is_asked_for(new_account, control):
    client = new_account()
    for length in (FILE_MAX + FORM_SLACK, 2 * FILE_MAX + FORM_SLACK):
        with begin_form(client, length, "Expect: 100-continue") as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        control.run(f"premium {client.phone} on")


@pytest.mark.one_process
def test_what_else_is_known_before_the_body_is_refused_before_it(alice, connect):
    with begin_form(connect(alice.gateway, alice.session[:-4] + "AAAA"), 1000, "Expect: 100-continue") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
    with begin_form(alice, 1000, "Expect: 100-continue", form="text/plain") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 415 ")


@pytest.mark.one_process
@pytest.mark.parametrize("body,stays", [(60_000, True), (100_000, False)])
def test_a_connection_outlives_an_early_refusal_when_little_is_left(alice, connect, body, stays):
    with begin_form(connect(alice.gateway, alice.session[:-4] + "AAAA"), body) as connection:
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 401 ") and (b"Connection: close" in answer) != stays
        connection.sendall(b"x" * body + b"GET /me HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(65536)[:13] == (b"HTTP/1.1 401 " if stays else b"")


@pytest.mark.one_process
def test_a_part_that_promises_too_much_is_refused_at_its_head(alice):
    """Of a chunked form nothing else tells; what a part promises is not believed when it is less."""
    def chunk(data):
        return b"%x\r\n%s\r\n" % (len(data), data)

    def promise(length):
        return FORM_HEAD[:-2] + b"Content-Length: %d\r\n\r\n" % length

    with begin_form(alice, None, "Transfer-Encoding: chunked") as connection:
        connection.sendall(chunk(promise(FILE_MAX + 1) + b"x"))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"FILE_TOO_LARGE"' in answer
    for length in (FILE_MAX, 1, 10**30):
        with begin_form(alice, None, "Transfer-Encoding: chunked", "Connection: close") as connection:
            connection.sendall(chunk(promise(length) + bytes(1000) + FORM_END) + b"0\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.one_process
def test_a_client_that_waits_to_be_asked(alice):
    with begin_form(alice, len(FORM_HEAD) + 1000 + len(FORM_END), "Expect: 100-continue", "Connection: close") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(FORM_HEAD + bytes(1000) + FORM_END)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    with begin_form(alice, 10, "Expect: 100-continue", "Connection: close") as connection:
        connection.sendall(b"")
        assert b"HTTP/1.1 100" in connection.recv(65536)


# ---- half-way ----


@pytest.mark.one_process
def test_a_client_that_leaves_leaves_nothing(new_account, control, start_gateway):
    gateway = start_gateway()
    client = new_account(at=gateway)
    send(client, ("a.bin", b"warm"))
    descriptors = len(os.listdir(f"/proc/{gateway.pid}/fd"))
    sent = control.executed("messages.sendMedia")
    parts = control.executed("upload.saveBigFilePart")
    connections = [begin_form(client, 100 * PART) for _ in range(5)]
    for connection in connections:
        connection.sendall(FORM_HEAD + bytes(5 * PART))
    wait_until(lambda: control.executed("upload.saveBigFilePart") > parts, "parts of the file have arrived")
    for connection in connections:
        connection.close()
    wait_until(lambda: len(os.listdir(f"/proc/{gateway.pid}/fd")) <= descriptors, "the connections are closed")
    assert control.executed("messages.sendMedia") == sent
    assert sha256(media(client, send(client, ("b.bin", b"goes on"))["message_id"]).content) == sha256(b"goes on")


@pytest.mark.parametrize("action", ["reset", "drop_before", "drop_after", "lose_session", "delay:300",
                                    "error:420:FLOOD_WAIT_1", "error:420:FLOOD_PREMIUM_WAIT_1", "error:500:INTERNAL"])
def test_transfers_go_on_where_they_were(new_account, control, rng, action):
    client = new_account()
    data = rng.randbytes(12 * PART)
    by = f"user={client.user_id}"
    with control.fault(f"method=upload.saveFilePart,{by},after=3,count=1,do={action}") as hits:
        answer = send(client, ("a.bin", data))
        assert hits() == 1
    with control.fault(f"method=upload.getFile,{by},after=3,count=1,do={action}") as hits:
        assert sha256(media(client, answer["message_id"]).content) == sha256(data)
        assert hits() == 1


@pytest.mark.parametrize("method, headers, status", [
    ("upload.saveFilePart", {"Prefer": "wait=1"}, 429), ("upload.saveFilePart", {"Prefer": "wait=0"}, 429),
    ("upload.saveFilePart", {"Prefer": "wait=2"}, 200), ("upload.saveFilePart", {}, 200),
    ("upload.getFile", {"Prefer": "wait=1"}, 429), ("upload.getFile", {"Prefer": "wait=2"}, 200),
])
def test_a_transfer_waits_no_longer_than_preferred(new_account, control, method, headers, status):
    client = new_account()
    message_id = send(client, ("a.bin", b"before"))["message_id"]
    with control.fault(f"method={method},user={client.user_id},count=1,do=flood_wait:2") as hits:
        if method == "upload.getFile":
            answer = media(client, message_id, status, headers=headers)
        else:
            answer = client.request("POST", "/messages/send_with_file", status, headers, files=[ME, FILE])
        assert hits() == 1
    if status == 429:
        body = answer.json()
        assert (body["error"], body["wait_seconds"], answer.headers["retry-after"]) == ("FLOOD_WAIT_2", 2, "2")


@pytest.mark.parametrize("files", [1, 3])
def test_a_repeated_key_is_the_same_message(new_account, control, files):
    client = new_account()
    key = {"Idempotency-Key": unique("key")}
    pictures = [(f"{i}.jpg", sample("plain.jpg")) for i in range(files)]
    first = send(client, *pictures, headers=key)
    assert send(client, *pictures, headers=key) == first
    method = "messages.sendMedia" if files == 1 else "messages.sendMultiMedia"
    with control.fault(f"method={method},user={client.user_id},count=1,do=drop_after") as hits:
        again = send(client, *pictures)
        assert hits() == 1
    assert again["message_ids"] != first["message_ids"]
    assert len(client.messages("me", limit=100)) == 2 * files


@pytest.mark.parametrize("method", ["messages.uploadMedia", "messages.sendMultiMedia"])
@pytest.mark.parametrize("action", ["drop_before", "drop_after", "lose_session"])
def test_an_album_is_sent_once_whatever_is_lost(new_account, control, method, action):
    client = new_account()
    with control.fault(f"method={method},user={client.user_id},count=1,do={action}") as hits:
        answer = send(client, *[(f"{i}.png", sample("plain.png")) for i in range(3)])
        assert hits() == 1
    assert [m["id"] for m in client.messages("me")] == answer["message_ids"][::-1]
