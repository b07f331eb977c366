# SPDX-License-Identifier: MIT
"""httpx: a form of unknown length with $FILE, the file back, a range of it, and one transfer each way cut off."""
import os
import pathlib

import httpx


class CutOff(Exception):
    pass


class Pipe:
    """A file that can be read only, so nobody knows its length; it may break after some bytes."""

    def __init__(self, data, breaks_at=None):
        self.data, self.at, self.breaks_at = data, 0, breaks_at

    def read(self, size):
        if self.breaks_at is not None and self.at >= self.breaks_at:
            raise CutOff
        self.at += size
        return self.data[self.at - size:self.at]


def send(client, caption, pipe):
    return client.post("/messages/send_with_file", data={"chat_id": "me", "text": caption},
                       files={"file": ("noise.bin", pipe)})


data = pathlib.Path(os.environ["FILE"]).read_bytes()
headers = {"X-Session-String": os.environ["SESSION"]}
with httpx.Client(base_url=os.environ["GATEWAY"], headers=headers, timeout=60, trust_env=False) as client:
    sent = send(client, "file by httpx", Pipe(data))
    assert sent.request.headers["transfer-encoding"] == "chunked"
    sent.raise_for_status()
    media = f"/messages/media/{sent.json()['message_id']}?chat_id=me"
    assert client.get(media).content == data
    part = client.get(media, headers={"Range": "bytes=1000005-1001004"})
    assert part.status_code == 206 and part.content == data[1000005:1001005]
    try:
        send(client, "never", Pipe(data, 1 << 20))
        raise SystemExit("cut off: it was answered")
    except CutOff:
        pass
    with client.stream("GET", media) as answer:
        assert data.startswith(next(answer.iter_bytes()))
