# SPDX-License-Identifier: MIT
"""Files: sent by POST /messages/send_with_file, fetched by GET /messages/media/{id}."""
import hashlib
import os
import pathlib
import random
import secrets

import httpx
import pytest

from accounts import new_group, unique
from client import Api

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "files"
PART = 512 * 1024


@pytest.fixture(scope="module")
def rng():
    seed = int(os.environ.get("TGREST_TEST_SEED") or secrets.randbits(32))
    print(f"TGREST_TEST_SEED={seed}")
    return random.Random(seed)


def sample(name):
    return (SAMPLES / name).read_bytes()


def send(client, *files, expect=200, headers=None, chat_id="me", **fields):
    """files: (name, bytes) or (name, bytes, content type)."""
    data = {"chat_id": str(chat_id), **{k: str(v) for k, v in fields.items()}}
    return client.request("POST", "/messages/send_with_file", expect, headers, data=data,
                          files=[("file", file) for file in files]).json()


def media(client, message_id, expect=200, chat_id="me", method="GET", headers=None, **params):
    return client.request(method, f"/messages/media/{message_id}", expect, headers,
                          params={"chat_id": chat_id, **params})


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- there and back ----


@pytest.mark.parametrize("size", [1, 1000, PART - 1, PART, PART + 1, 3 * PART, 5_000_000, 11 * 1024 * 1024])
def test_a_document_comes_back_as_it_was(alice, rng, size):
    data = rng.randbytes(size)
    answer = send(alice, ("report.pdf", data, "application/pdf"), text="**the** report")
    assert answer["message_ids"] == [answer["message_id"]]
    message = alice.message("me", answer["message_id"])
    assert message["text"] == "**the** report"
    assert message["media_type"] == "document"
    assert message["file"] == {"name": "report.pdf", "mime_type": "application/pdf", "size": size, "duration": None,
                               "width": None, "height": None}
    back = media(alice, answer["message_id"])
    assert sha256(back.content) == sha256(data)
    assert back.headers["content-type"] == "application/pdf"
    assert back.headers["content-length"] == str(size)
    assert back.headers["content-disposition"] == 'attachment; filename="report.pdf"'
    assert back.headers["accept-ranges"] == "bytes"
    assert back.headers["x-content-type-options"] == "nosniff"
