# SPDX-License-Identifier: MIT
"""/openapi.json has an example for each route, and each fits what stands beside it."""
import jsonschema
import pytest

from processes import SECRETS
from test_auth_password import email_code


def operations(spec):
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def own_parameters(operation):
    """But for the headers that many operations share."""
    return [parameter for parameter in operation["parameters"] if "$ref" not in parameter]


def fits(spec, schema, example, where):
    problems = list(jsonschema.Draft202012Validator({**schema, "components": spec["components"]}).iter_errors(example))
    assert not problems, f"{where}: {problems[0].message}"


def test_every_route_has_examples_that_fit(api):
    spec = api.get("/openapi.json")
    seen = 0
    for name, operation in operations(spec):
        for parameter in own_parameters(operation):
            if parameter["required"]:
                fits(spec, parameter["schema"], parameter["example"], f"{name}: {parameter['name']}")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            fits(spec, body["schema"], body["example"], name)
            unknown = set(body["example"]) - set(body["schema"]["properties"])
            assert not unknown or "{name}" in name, f"{name}: {unknown}"
        answer = operation["responses"]["200"].get("content", {}).get("application/json")
        if answer is not None:
            schema = answer["schema"]
            component = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            assert component["examples"], name
            for example in component["examples"]:
                fits(spec, schema, example, name)
            seen += 1
    assert seen > 30
    for example in spec["components"]["schemas"]["Error"]["examples"]:
        fits(spec, {"$ref": "#/components/schemas/Error"}, example, "Error")


# ---- the examples of requests, sent as they are ----


class Examples:
    """A client that sends what the description gives as examples, and notes which operations it tried."""

    def __init__(self, client):
        self.client = client
        self.spec = client.get("/openapi.json")
        self.tried = set()

    def send(self, method, path, **told):
        """`told` is what no example can know: hashes, tokens, sealed strings, codes of an e-mail."""
        operation = self.spec["paths"][path][method.lower()]
        self.tried.add(f"{method} {path}")
        given = {p["name"]: told.pop(p["name"], p.get("example")) for p in own_parameters(operation)
                 if p["required"] or p["name"] in told}
        url = path.format(**given)
        query = {k: v for k, v in given.items() if "{%s}" % k not in path}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        json = {**body["example"], **told} if body is not None else None
        for name in {"bot_token", "string", "new_password"} & set(json or ()):
            SECRETS.text(json[name])
        return self.client.request(method, url, params=query, json=json)


@pytest.fixture
def examples(start_sandbox, start_gateway, connect, tmp_path):
    """The demo's world, for one test alone: the examples change it."""
    sandbox = start_sandbox()
    made = Examples(connect(start_gateway(at=sandbox, key_file=tmp_path / "examples.key")))
    made.control = sandbox.control
    return made


def log_in_by_examples(examples):
    assert examples.send("POST", "/auth/send_code").json()["next_step"] == "verify_code"
    assert examples.send("POST", "/auth/verify_code").json()["next_step"] == "verify_password"
    assert examples.send("POST", "/auth/verify_password").json()["next_step"] == "completed"


def reach_message_42(client):
    """The examples speak of a message 42, with a file: this makes it the next one."""
    while (last := client.send("me", "up to 41")["message_id"]) < 41:
        pass
    assert last == 41
    sent = client.request("POST", "/messages/send_with_file", data={"chat_id": "@echo", "text": "Hello"},
                          files={"file": ("note.txt", b"a file", "text/plain")}).json()
    assert sent["message_id"] == 42


def phone_of_examples(examples):
    body = examples.spec["paths"]["/auth/send_code"]["post"]["requestBody"]["content"]["application/json"]
    return body["example"]["phone"].removeprefix("+")


def test_every_example_works_as_it_is(examples):
    client, send = examples.client, examples.send
    log_in_by_examples(examples)

    # Chats and messages.
    for path in ("/me", "/chats", "/messages", "/methods", "/methods/{name}", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        send("GET", path)
    reach_message_42(client)
    examples.tried.add("POST /messages/send_with_file")
    assert send("GET", "/messages/media/{message_id}").content == b"a file"
    assert send("POST", "/messages/edit").json()["message_id"] == 42
    assert send("POST", "/messages/forward").json()["success"]
    assert 42 in send("DELETE", "/messages/delete").json()["deleted_messages"]
    assert send("POST", "/messages/send").json()["success"]
    assert send("POST", "/groups/join").json()["success"]
    assert send("POST", "/methods/{name}").json()
    photo = next(c for c in client.get("/chats", limit=0)["chats"] if c.get("photo_url"))["photo_url"]
    send("GET", "/photos/{ref}", ref=photo.rsplit("/", 1)[1].partition("?")[0])

    # The account.
    session = send("POST", "/auth/restrict").json()["session_string"]
    assert session.startswith("tgr1.")
    SECRETS.text(session)
    string = send("POST", "/auth/export").json()["string"]
    SECRETS.text(string)
    assert send("POST", "/auth/import", string=string).json()["user_id"] == client.get("/me")["id"]

    # The password; it ends with none, so that a login needs the code alone.
    phone = phone_of_examples(examples)
    assert send("GET", "/auth/password").json()["has_password"]
    assert send("PUT", "/auth/password").json()["email_confirmation_needed"]
    send("POST", "/auth/password/resend_email")
    send("POST", "/auth/password/confirm_email", code=email_code(examples.control, phone))
    client.request("PUT", "/auth/password", json={"current_password": "battery staple", "recovery_email": "you@example.org"})
    send("POST", "/auth/password/cancel_email")
    assert client.post("/auth/password/recover")["next_step"] == "recover_password"
    send("POST", "/auth/password/recover", code=email_code(examples.control, phone))
    assert send("DELETE", "/auth/password").json()["has_password"] is False

    # Other logins.
    keep = client.session
    client.session = None
    send("POST", "/auth/send_code")
    send("POST", "/auth/resend_code")
    send("POST", "/auth/cancel_code")
    client.session = None
    assert send("POST", "/auth/qr").json()["next_step"] == "qr_wait"
    assert send("GET", "/auth/qr/wait", timeout=0).json()["next_step"] == "qr_wait"
    client.session = None
    token = examples.control.run("bot examples_test_bot")[0].split()[-1]
    assert send("POST", "/auth/bot", bot_token=token).json()["next_step"] == "completed"
    client.session = None
    send("POST", "/auth/send_code")
    assert send("POST", "/auth/verify_code").json()["next_step"] == "completed"
    client.session = keep
    other = next(s for s in send("GET", "/auth/sessions").json()["sessions"] if not s["current"])
    assert send("DELETE", "/auth/sessions", hash=other["hash"]).json()["message"]
    send("DELETE", "/auth/logout")
    assert examples.tried == {name for name, _ in operations(examples.spec)}
