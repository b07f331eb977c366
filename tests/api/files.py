# SPDX-License-Identifier: MIT
"""Files over the API: what the tests of files have in common."""
import hashlib
import pathlib

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "files"
MIB = 1024 * 1024
PART = 512 * 1024  # what Telegram takes at a time

# A form around a file's bytes, with the boundary "b".
FORM_HEAD = (b'--b\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\nme\r\n--b\r\n'
             b'Content-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
FORM_END = b"\r\n--b--\r\n"


def sample(name):
    return (SAMPLES / name).read_bytes()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def send(client, *files, expect=200, headers=None, chat_id="me", **fields):
    """files: (name, bytes) or (name, bytes, content type)."""
    data = {"chat_id": str(chat_id), **{name: str(value) for name, value in fields.items()}}
    return client.request("POST", "/messages/send_with_file", expect, headers, data=data,
                          files=[("file", file) for file in files]).json()


def media(client, message_id, expect=200, chat_id="me", method="GET", headers=None, **params):
    return client.request(method, f"/messages/media/{message_id}", expect, headers,
                          params={"chat_id": chat_id, **params})


def attributes(client, message_id):
    """The document's attributes by their names, as Telegram keeps them."""
    answer = client.call("messages.getMessages", id=[{"_": "inputMessageID", "id": message_id}])
    return {a["_"]: a for a in answer["messages"][0]["media"]["document"]["attributes"]}
