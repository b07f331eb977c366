# SPDX-License-Identifier: MIT
"""Writes multipart.jsonl: forms as clients send them, and as another parser reads them; one JSON object a line.

    {"by": client, "type": Content-Type, "body": base64, "parts": [{"name", "file", "type", "data": base64}, ...]}

"file" is null for a part that is no file, "type" null where the client sends none. What the parts are is what the
client was asked to send; for the forms of "python-multipart" (random data full of half boundaries) it is what that
parser says they are. Boundaries are random: each run writes other bytes that mean the same.

Needs curl, node, go, and of PyPI: httpx, requests, aiohttp, python-multipart.
"""
import asyncio
import base64
import http.server
import json
import pathlib
import random
import subprocess
import tempfile
import threading

import aiohttp
import httpx
import python_multipart
import requests

ODD_DATA = b"\r\n--\r\n------------------------\r\n\r\n--\r\n\x00\xff" + bytes(range(256)) + b"\r"
# Each field: name, file name or None, type or None, data. A file without a type gets the client's own.
FORMS = {
    "plain": [("text", None, None, b"hello"), ("chat_id", None, None, b"me"), ("file", "a.txt", "text/plain", b"data\r\n")],
    "odd data": [("file", "odd.bin", "application/octet-stream", ODD_DATA), ("text", None, None, "\u00e4\r\n\u0416".encode())],
    "empty": [("text", None, None, b""), ("file", "empty", "application/x-empty", b"")],
    "odd names": [("file", "na\u00efve \"q\" \u0416 %41.txt", "text/plain", b"1"), ("a \"b\" \u00e4", None, None, b"2")],
    "backslash": [("file", "a\\b.txt", "text/plain", b"1")],
    "larger": [("file", "large.bin", "application/octet-stream", bytes(random.Random(1).randbytes(3000)))],
}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received = (self.headers["Content-Type"], body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


# ---- clients ----

def by_curl(url, fields, *options):
    with tempfile.TemporaryDirectory() as folder:
        command = ["curl", "-sS", *options, url]
        for i, (name, file, kind, data) in enumerate(fields):
            path = pathlib.Path(folder, str(i))
            path.write_bytes(data)
            quote = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            extra = f";filename={quote(file)};type={kind}" if file is not None else ""
            command += ["-F", f"{name}={'@' if file is not None else '<'}{path}{extra}"]
        subprocess.run(command, check=True)


def by_curl_backslashes(url, fields):
    by_curl(url, fields, "--form-escape")


def by_httpx(url, fields):
    httpx.post(url, files=[(name, (file, data, kind)) for name, file, kind, data in fields])


def by_requests(url, fields):
    requests.post(url, files=[(name, (file, data, kind)) for name, file, kind, data in fields])


def by_aiohttp(url, fields):
    async def post():
        form = aiohttp.FormData(quote_fields=False)
        for name, file, kind, data in fields:
            form.add_field(name, data if file is not None else data.decode(), filename=file, content_type=kind)
        async with aiohttp.ClientSession() as session, session.post(url, data=form):
            pass
    asyncio.run(post())


NODE = """
const fields = JSON.parse(process.argv[2]);
const form = new FormData();
for (const [name, file, type, data] of fields) {
    const bytes = Buffer.from(data, "base64");
    if (file === null) form.append(name, bytes.toString());
    else form.append(name, new Blob([bytes], { type }), file);
}
fetch(process.argv[1], { method: "POST", body: form });
"""


def as_json(fields):
    return json.dumps([(name, file, kind, base64.b64encode(data).decode()) for name, file, kind, data in fields])


def by_node(url, fields):
    subprocess.run(["node", "-e", NODE, url, as_json(fields)], check=True)


GO = """
package main

import ("bytes"; "encoding/base64"; "encoding/json"; "mime/multipart"; "net/http"; "net/textproto"; "os")

func main() {
    var fields [][]*string
    if err := json.Unmarshal([]byte(os.Args[2]), &fields); err != nil { panic(err) }
    var body bytes.Buffer
    w := multipart.NewWriter(&body)
    for _, f := range fields {
        data, _ := base64.StdEncoding.DecodeString(*f[3])
        if f[1] == nil { w.WriteField(*f[0], string(data)); continue }
        h := make(textproto.MIMEHeader)
        h.Set("Content-Disposition", multipart.FileContentDisposition(*f[0], *f[1]))
        h.Set("Content-Type", *f[2])
        part, _ := w.CreatePart(h)
        part.Write(data)
    }
    w.Close()
    if _, err := http.Post(os.Args[1], w.FormDataContentType(), &body); err != nil { panic(err) }
}
"""


def by_go(url, fields):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "main.go")
        program.write_text(GO)
        subprocess.run(["go", "run", program, url, as_json(fields)], check=True)


CLIENTS = {
    "curl": by_curl, "curl --form-escape": by_curl_backslashes, "httpx": by_httpx, "requests": by_requests,
    "aiohttp": by_aiohttp, "node fetch": by_node, "go mime/multipart": by_go,
}


def write(out, by, kind, body, parts):
    fields = [{"name": name, "file": file, "type": part_type, "data": base64.b64encode(data).decode()}
              for name, file, part_type, data in parts]
    print(json.dumps({"by": by, "type": kind, "body": base64.b64encode(body).decode(), "parts": fields}), file=out)


# ---- another parser ----

def read_by_python_multipart(kind, body):
    _, options = python_multipart.multipart.parse_options_header(kind)
    parts, header = [], [b"", b""]

    def header_end():
        name, value = header
        if name.lower() == b"content-type":
            parts[-1]["type"] = value.decode()
        if name.lower() == b"content-disposition":
            _, found = python_multipart.multipart.parse_options_header(value)
            parts[-1]["name"] = found[b"name"].decode()
            parts[-1]["file"] = found[b"filename"].decode() if b"filename" in found else None
        header[:] = [b"", b""]

    def grow(index):
        def on_piece(data, start, end):
            header[index] += data[start:end]
        return on_piece

    def on_data(data, start, end):
        parts[-1]["data"] += data[start:end]

    ends = []
    parser = python_multipart.MultipartParser(options[b"boundary"], {
        "on_part_begin": lambda: parts.append({"type": None, "data": b""}), "on_part_data": on_data,
        "on_header_field": grow(0), "on_header_value": grow(1), "on_header_end": header_end,
        "on_end": lambda: ends.append(True)})
    parser.write(body)
    parser.finalize()
    assert ends == [True]
    return [(part["name"], part["file"], part["type"], part["data"]) for part in parts]


def random_forms(rng):
    bits = [b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n-", b"\r\n--", b"\r\n--bo", b"--bound", b"\r\n--boun", b"x", b"\0"]
    kind = "multipart/form-data; boundary=bound"
    for _ in range(150):
        body = b""
        for i in range(rng.randrange(1, 5)):
            file = f'; filename="f{i}"\r\nContent-Type: a/b' if rng.random() < 0.5 else ""
            body += f'--bound\r\nContent-Disposition: form-data; name="n{i}"{file}\r\n\r\n'.encode()
            body += b"".join(rng.choices(bits, k=rng.randrange(20))).replace(b"\r\n--bound", b"") + b"\r\n"
        yield kind, body + b"--bound--" + rng.choice([b"", b"\r\n"])


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with pathlib.Path(__file__).with_name("multipart.jsonl").open("w", encoding="ascii") as out:
        for client, send in CLIENTS.items():
            for form, fields in FORMS.items():
                if client == "aiohttp":  # it writes other names as name*, and then does not take that itself
                    fields = [field for field in fields if field[0].isidentifier()]
                send(url, fields)
                kind, body = server.received
                write(out, f"{client}: {form}", kind, body, fields)
        for kind, body in random_forms(random.Random(7578)):
            write(out, "python-multipart", kind, body, read_by_python_multipart(kind, body))


main()
