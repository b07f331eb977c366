# SPDX-License-Identifier: MIT
"""GET /messages/media/{id} and GET /photos/{ref}: whole, in part, not again, from elsewhere."""
import contextlib
import re

import httpx
import pytest

from accounts import log_in, new_channel, new_group, unique
from files import PART, media, sample, send, sha256
from processes import DEADLINE_S

ALICE_OF_THE_DEMO = "9996620001"
NEWS = "@sandbox_news"
SIZE = 5 * PART + 12_345


@pytest.fixture(scope="module")
def data(rng):
    return rng.randbytes(SIZE)


@pytest.fixture(scope="module")
def sent(alice, data):
    return send(alice, ("data.bin", data))["message_id"]


# ---- heads ----


def test_the_head_says_what_the_answer_would(alice, sent, control):
    before = control.executed("upload.getFile")
    head = media(alice, sent, method="HEAD")
    assert control.executed("upload.getFile") == before
    whole = media(alice, sent)
    assert head.content == b"" and len(whole.content) == SIZE
    for name in ("content-length", "content-type", "etag", "last-modified", "accept-ranges", "content-disposition",
                 "cache-control", "vary"):
        assert head.headers[name] == whole.headers[name], name
    assert whole.headers["content-length"] == str(SIZE)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r'"[0-9a-f-]+"', whole.headers["etag"])


@pytest.mark.parametrize("name, data, content_type, disposition", [
    ("a.html", b"<script>", "text/html", 'attachment; filename="a.html"'),
    ("a.svg", b"<svg/>", "image/svg+xml", 'attachment; filename="a.svg"'),
    ("a.gif", None, "image/gif", 'inline; filename="a.gif"'),
    ("a.mp4", None, "video/mp4", 'inline; filename="a.mp4"'),
    ("a.mp3", None, "audio/mpeg", 'attachment; filename="a.mp3"'),
    ("naïve \"x\".txt", b"x", "text/plain", "attachment; filename=\"na_ve _x_.txt\"; filename*=UTF-8''na%C3%AFve%20%22x%22.txt"),
])
def test_types_and_names(alice, name, data, content_type, disposition):
    data = data or sample({"a.gif": "plain.gif", "a.mp4": "end.mp4", "a.mp3": "told.mp3"}[name])
    answer = media(alice, send(alice, (name, data))["message_id"])
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == disposition


def test_photos_are_shown_by_browsers(alice):
    answer = media(alice, send(alice, ("a.jpg", sample("plain.jpg")))["message_id"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert re.fullmatch(r'inline; filename="photo_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg"',
                        answer.headers["content-disposition"])


# ---- parts ----


def reference(header, data):
    """What RFC 9110 says of a Range header with one range: status and bytes."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    first, last = match[1], match[2]
    if not first and not last or first and last and int(last) < int(first):
        return 200, data
    if not first:
        return (206, data[-int(last):]) if int(last) else (416, b"")
    if int(first) >= len(data):
        return 416, b""
    return 206, data[int(first):int(last) + 1 if last else None]


def near(rng, n):
    """Positions where mistakes are made: around the ends, around the parts of transfers."""
    edge = rng.choice([0, 4096, PART, 2 * PART, n - PART, n])
    return max(0, rng.choice([edge, rng.randrange(n)]) + rng.randint(-2, 2))


def random_range(rng, n):
    kind = rng.randrange(4)
    if kind == 0:
        return f"bytes=-{near(rng, n)}"
    if kind == 1:
        return f"bytes={near(rng, n)}-"
    return f"bytes={near(rng, n)}-{near(rng, n)}"


def test_ranges_against_a_reference(alice, sent, data, rng):
    for _ in range(150):
        header = random_range(rng, SIZE)
        status, wanted = reference(header, data)
        answer = media(alice, sent, status, headers={"Range": header})
        if status == 416:
            assert answer.headers["content-range"] == f"bytes */{SIZE}"
            assert answer.json()["error"] == "RANGE_NOT_SATISFIABLE"
            continue
        assert answer.content == wanted, header
        if status == 206:
            first = data.index(wanted) if len(wanted) > 64 else None
            begin, end, size = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers["content-range"]).groups())
            assert (end - begin + 1, size) == (len(wanted), SIZE)
            assert first is None or begin == first


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "bytes=x-y", "lines=1-2", "bytes=", "bytes=5-2"])
def test_ranges_that_mean_nothing_give_the_whole(alice, sent, data, header):
    answer = media(alice, sent, 200, headers={"Range": header})
    assert answer.content == data and "content-range" not in answer.headers


def test_a_head_has_no_part(alice, sent):
    answer = media(alice, sent, 200, method="HEAD", headers={"Range": "bytes=0-1"})
    assert answer.headers["content-length"] == str(SIZE)


# ---- conditions ----


def test_what_the_client_has_is_not_sent_again(alice, sent, data):
    first = media(alice, sent, method="HEAD").headers
    for headers in ({"If-None-Match": first["etag"]}, {"If-None-Match": f'"other", W/{first["etag"]}'}, {"If-None-Match": "*"},
                    {"If-Modified-Since": first["last-modified"]}):
        answer = media(alice, sent, 304, headers=headers)
        assert answer.content == b"" and answer.headers["etag"] == first["etag"]
        assert "content-type" not in answer.headers
        media(alice, sent, 304, method="HEAD", headers=headers)
    for headers in ({"If-None-Match": '"other"'}, {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"},
                    {"If-None-Match": '"other"', "If-Modified-Since": first["last-modified"]}):
        assert media(alice, sent, 200, headers=headers).content == data


def test_a_part_of_the_same_file_only(alice, sent, data):
    first = media(alice, sent, method="HEAD").headers
    part = {"Range": "bytes=10-19"}
    for same in (first["etag"], first["last-modified"]):
        assert media(alice, sent, 206, headers={**part, "If-Range": same}).content == data[10:20]
    for other in ('"other"', "W/" + first["etag"], "Sun, 06 Nov 1994 08:49:37 GMT"):
        assert media(alice, sent, 200, headers={**part, "If-Range": other}).content == data


def test_tags_differ_by_file_and_size(alice):
    ids = [send(alice, ("a.jpg", sample("plain.jpg")))["message_id"] for _ in range(2)]
    tags = [media(alice, i).headers["etag"] for i in ids]
    assert tags[0] != tags[1]
    assert media(alice, ids[0]).headers["etag"] == tags[0]


# ---- sizes ----


def test_sizes_of_photos(alice):
    sent = send(alice, ("a.png", sample("plain.png")))["message_id"]
    answer = alice.call("messages.getMessages", id=[{"_": "inputMessageID", "id": sent}])
    sizes = answer["messages"][0]["media"]["photo"]["sizes"]
    whole = media(alice, sent)
    tags = {whole.headers["etag"]}
    for index, size in enumerate(sizes):
        if size["_"] == "photoPathSize":
            continue
        by_type = media(alice, sent, thumb=size["type"])
        assert by_type.content == media(alice, sent, thumb=str(index)).content
        assert by_type.headers["content-length"] == str(len(by_type.content)) and by_type.content
        tags.add(by_type.headers["etag"])
    assert len(tags) == len([s for s in sizes if s["_"] != "photoPathSize"])
    body = media(alice, sent, 404, thumb="q").json()
    assert (body["error"], body["field"]) == ("THUMB_NOT_FOUND", "thumb")


def test_the_photo_of_a_web_pages_preview(new_account):
    client = new_account()
    page = next(m for m in client.messages(NEWS) if m["media_type"] == "webpage")
    whole = media(client, page["id"], chat_id=NEWS)
    assert whole.headers["content-type"] == "image/jpeg" and whole.content
    assert whole.headers["content-disposition"].startswith("inline")
    small = media(client, page["id"], chat_id=NEWS, thumb="m")
    assert media(client, page["id"], chat_id=NEWS, thumb="x").content == whole.content
    assert 0 < len(small.content) < len(whole.content)
    part = media(client, page["id"], 206, chat_id=NEWS, headers={"Range": "bytes=-10"})
    assert part.content == whole.content[-10:]


# ---- nothing there ----


def test_messages_without_media(alice, new_account):
    text = alice.send("me", unique())["message_id"]
    assert media(alice, text, 404).json()["error"] == "MEDIA_EMPTY"
    assert media(alice, 2_000_000_000, 404).json()["error"] == "MESSAGE_ID_INVALID"
    alice.error("GET", "/messages/media/0", 400, "INVALID_PARAMETER", params={"chat_id": "me"})
    alice.error("GET", "/messages/media/x", 400, "INVALID_PARAMETER", params={"chat_id": "me"})
    body = alice.error("GET", f"/messages/media/{text}", 400, "INVALID_PARAMETER")
    assert body["field"] == "chat_id"
    contact = alice.call("messages.sendMedia", peer={"_": "inputPeerSelf"}, message="", random_id=str(text),
                         media={"_": "inputMediaGeoPoint", "geo_point": {"_": "inputGeoPoint", "lat": 1, "long": 2}})
    point = next(u["id"] for u in contact["updates"] if u["_"] == "updateMessageID")
    assert media(alice, point, 404).json()["error"] == "MEDIA_EMPTY"


def test_the_message_must_be_of_that_chat(alice, bob):
    """Ids outside channels are the account's: the chat must be right all the same."""
    mine = send(alice, ("a.bin", b"mine"))["message_id"]
    assert media(alice, mine, 404, chat_id=f"@{bob.username}").json()["error"] == "MESSAGE_ID_INVALID"


def test_in_groups_and_channels(alice):
    for chat in (new_group(alice), new_channel(alice)):
        sent = send(alice, ("a.bin", b"for all"), chat_id=chat)["message_id"]
        assert media(alice, sent, chat_id=chat).content == b"for all"


# ---- from elsewhere, and after a while ----


def far_message(client):
    found = client.messages(NEWS, search="far away")
    assert found and found[0]["file"]
    return found[0]


def test_a_file_on_another_data_centre(new_account):
    client = new_account()
    message = far_message(client)
    answer = media(client, message["id"], chat_id=NEWS)
    assert len(answer.content) == message["file"]["size"] and answer.content.startswith(b"%PDF-")
    part = media(client, message["id"], 206, chat_id=NEWS, headers={"Range": "bytes=5-9"})
    assert part.content == answer.content[5:10]


def test_references_expire_under_way(new_account, control, rng):
    client = new_account()
    data = rng.randbytes(40 * PART)
    sent = send(client, ("a.bin", data))["message_id"]
    control.run("expire_references")
    assert sha256(media(client, sent).content) == sha256(data)
    with streamed(client, sent) as answer:
        pieces = answer.iter_raw(PART)
        begin = next(pieces)
        control.run("expire_references")
        assert sha256(begin + b"".join(pieces)) == sha256(data)


@contextlib.contextmanager
def streamed(client, message_id, **headers):
    """An answer that is read at the test's own pace."""
    with client._server() as url, httpx.Client(timeout=DEADLINE_S, trust_env=False) as http:
        with http.stream("GET", f"{url}/messages/media/{message_id}", params={"chat_id": "me"},
                         headers={"X-Session-String": client.session, **headers}) as answer:
            yield answer


@pytest.mark.one_process
def test_a_client_that_leaves_stops_the_fetching(new_account, control, start_gateway):
    gateway = start_gateway()
    client = new_account(at=gateway)
    parts = 200
    sent = send(client, ("a.bin", bytes(parts * PART)))["message_id"]
    before = control.executed("upload.getFile")
    with streamed(client, sent) as answer:
        next(answer.iter_raw(1000))
    client.get("/me")
    assert control.executed("upload.getFile") - before < parts / 2


# ---- faces ----


def photo_of(client, name):
    return client.post("/groups/join", group_identifier=name)["photo_url"]


def test_photos_of_chats_and_users(new_account):
    client = new_account()
    url = photo_of(client, NEWS)
    assert url.startswith("/photos/")
    big = client.request("GET", url)
    small = client.request("GET", url, params={"big": "false"})
    assert big.headers["content-type"].startswith("image/")
    assert 0 < len(small.content) < len(big.content)
    assert big.headers["etag"] != small.headers["etag"]
    assert "private" in big.headers["cache-control"]
    assert client.request("HEAD", url).headers["content-length"] == str(len(big.content))
    same = client.request("GET", url, 304, {"If-None-Match": big.headers["etag"]})
    assert "content-type" not in same.headers
    listed = {c["username"]: c["photo_url"] for c in client.get("/chats")["chats"]}
    assert client.request("GET", listed["sandbox_news"]).content == big.content
    assert client.get("/me")["photo_url"] is None


def test_ones_own_photo(connect, gateway, new_account):
    """The demo world's people have faces."""
    client = log_in(connect(gateway), ALICE_OF_THE_DEMO)
    own = client.request("GET", client.get("/me")["photo_url"])
    assert own.headers["content-type"].startswith("image/") and own.content
    assert new_account().get("/me")["photo_url"] is None


@pytest.mark.parametrize("name", ["LOCATION_INVALID", "FILE_ID_INVALID"])
def test_a_photo_that_is_gone(new_account, control, name):
    client = new_account()
    url = photo_of(client, NEWS)
    with control.fault(f"method=upload.getFile,user={client.user_id},count=1,do=error:400:{name}"):
        client.error("GET", url, 404, "PHOTO_NOT_FOUND")
    assert client.request("GET", url).content


def test_paths_that_are_no_photos(api, alice):
    alice.error("GET", "/photos/nonsense", 404, "PHOTO_NOT_FOUND")
    url = photo_of(alice, NEWS)
    alice.error("GET", url[:-3] + "AAA", 404, "PHOTO_NOT_FOUND")
    api.error("GET", url, 401, "NO_SESSION", session=False)


def test_narrowed_strings_reach_no_further(new_account, alice, connect):
    client = new_account()
    url = photo_of(client, NEWS)
    narrow = connect(client.gateway, client.post("/auth/restrict", chats=["me"])["session_string"])
    narrow.error("GET", url, 403, "SCOPE_CHATS")
    narrow.error("GET", f"/messages/media/{far_message(client)['id']}", 403, "SCOPE_CHATS",
                 params={"chat_id": NEWS})
    assert media(narrow, send(narrow, ("a.bin", b"mine"))["message_id"]).content == b"mine"
    reader = connect(client.gateway, client.post("/auth/restrict", read_only=True)["session_string"])
    assert reader.request("GET", url).content
    assert send(reader, ("a.bin", b"data"), expect=403)["error"] == "SCOPE_READ_ONLY"
