# SPDX-License-Identifier: MIT
"""A client of the gateway that holds every answer against /openapi.json and the contract."""
import contextlib
import functools
import re

import httpx
import jsonschema

from processes import DEADLINE_S, SECRETS
from replicas import Replicas

JSON_SAFE_INT = 2**53
RFC3339_UTC = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
API_ID, API_HASH = 17349, "344583e45741c457fe1862106095a5eb"


class Contract:
    """The gateway's own description, as a judge of its answers."""

    def __init__(self, spec):
        self.spec = spec
        self._paths = [
            (re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in spec["paths"]
        ]

    def path_of(self, path):
        path = path.rstrip("/") or "/"
        return next((p for pattern, p in self._paths if pattern.match(path)), None)

    @functools.lru_cache(maxsize=None)
    def _validator(self, path, method, status):
        operation = self.spec["paths"][path].get(method)
        if operation is None:  # 405
            return self._of({"$ref": "#/components/schemas/Error"})
        answers = operation["responses"]
        assert str(status) in answers, f"{method} {path} answers {status}, which it does not document"
        content = answers[str(status)].get("content", {})
        return self._of(content["application/json"]["schema"]) if "application/json" in content else None

    @functools.lru_cache(maxsize=None)
    def error_validator(self):
        return self._of({"$ref": "#/components/schemas/Error"})

    def _of(self, schema):
        return jsonschema.Draft202012Validator({**schema, "components": self.spec["components"]})

    def check(self, response):
        request = response.request
        path = self.path_of(request.url.path)
        self._check_headers(request, response)
        if request.method == "HEAD":
            return
        if response.headers.get("content-type") != "application/json":
            self._check_other(request, response, path)
            return
        body = response.json()
        if path is None:
            assert response.status_code in (400, 404, 408, 413, 414, 417, 431, 503), response.text
            validator = self.error_validator()
        else:
            validator = self._validator(path, request.method.lower(), response.status_code)
            self._check_declared(request, response, path)
        validator.validate(body)
        if not (path or "").startswith("/methods"):
            check_numbers(body)
        if response.status_code >= 400:
            self._check_error(response, body)

    def _check_other(self, request, response, path):
        """Metrics, and files: of any type, and where the client has them already, of none."""
        status = str(response.status_code)
        if path == "/metrics" and status == "200":
            return
        answers = self.spec["paths"][path][request.method.lower()]["responses"]
        assert status in answers, f"{request.method} {path} answers {status}, which it does not document"
        assert status == "304" or "*/*" in answers[status]["content"], response.headers

    @staticmethod
    def _check_headers(request, response):
        assert response.headers.get("x-request-id"), f"{request.method} {request.url.path}: no X-Request-Id"
        session = response.headers.get("x-session-string")
        assert session is None or session.startswith("tgr1.")

    def _check_declared(self, request, response, path):
        operation = self.spec["paths"][path].get(request.method.lower())
        if operation is None:  # 405
            return
        declared = {name.lower() for name in operation["responses"][str(response.status_code)]["headers"]}
        told = {name.lower() for name in self.spec["components"]["headers"]} & set(response.headers)
        assert told <= declared, f"{request.method} {path}: {told - declared} are not documented"

    @staticmethod
    def _check_error(response, body):
        assert body["request_id"] == response.headers["x-request-id"]
        assert body["detail"].strip() and body["error"].strip()
        wait, retry = body.get("wait_seconds"), response.headers.get("retry-after")
        if wait is not None:
            assert retry == str(wait)
        if response.status_code == 429 and re.search(r"_WAIT_\d+$", body["error"]):
            assert wait == int(body["error"].rsplit("_", 1)[1])
        if response.status_code == 405:
            assert response.headers.get("allow")


def check_numbers(value):
    """Every number of an answer survives JavaScript."""
    if isinstance(value, dict):
        for item in value.values():
            check_numbers(item)
    elif isinstance(value, list):
        for item in value:
            check_numbers(item)
    elif isinstance(value, int):
        assert abs(value) < JSON_SAFE_INT


class Api:
    """One user of a gateway. The session string follows what the gateway answers, as the contract says."""

    _contracts = {}

    def __init__(self, gateway, session=None):
        self.gateway = gateway
        self.session = session
        self.user_id = None
        self.phone = None
        self.last = None
        self.http = httpx.Client(
            base_url=gateway.url, timeout=DEADLINE_S, trust_env=False, event_hooks={"response": [self._judge]}
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.http.close()

    def at(self, gateway):
        """The same user at another replica."""
        other = Api(gateway, self.session)
        other.user_id, other.phone = self.user_id, self.phone
        return other

    def contract(self):
        # One description per binary: all gateways of a run are the same program.
        key = self.gateway.argv[0], "--schema" in self.gateway.argv
        if key not in Api._contracts:
            answer = httpx.get(self.gateway.url + "/openapi.json", timeout=DEADLINE_S, trust_env=False)
            assert answer.status_code == 200
            Api._contracts[key] = Contract(answer.json())
        return Api._contracts[key]

    def _judge(self, response):
        response.read()
        self.contract().check(response)

    def request(self, method, path, expect=200, headers=None, session=True, **kwargs):
        headers = dict(headers or {})
        if session and self.session is not None:
            headers.setdefault("X-Session-String", self.session)
            SECRETS.text(self.session)
        hide(kwargs.get("json"))
        with self._server() as url:
            response = self.last = self.http.request(method, url + path, headers=headers, **kwargs)
        assert response.status_code == expect, f"{method} {path}: {response.status_code} {response.text[:2000]}"
        if "x-session-string" in response.headers:
            self.session = response.headers["x-session-string"]
            SECRETS.text(self.session)
        return response

    def _server(self):
        """Where this request goes: replicas take turns, a single gateway is where it is."""
        if isinstance(self.gateway, Replicas):
            return self.gateway.serving(self.user_id or self.session)
        return contextlib.nullcontext(self.gateway.url)

    def get(self, path, expect=200, headers=None, **params):
        return self.request("GET", path, expect, headers, params=params).json()

    def post(self, path, expect=200, headers=None, **body):
        return self.request("POST", path, expect, headers, json=body).json()

    def delete(self, path, expect=200, headers=None, **body):
        return self.request("DELETE", path, expect, headers, json=body or None).json()

    def error(self, method, path, expect, error, headers=None, **kwargs):
        """A call that must be refused, with that name."""
        body = self.request(method, path, expect, headers, **kwargs).json()
        assert body["error"] == error, body
        return body

    # ---- what tests do all the time ----

    def call(self, method, expect=200, headers=None, **params):
        return self.post(f"/methods/{method}", expect, headers, **params)

    def send(self, chat_id, text, expect=200, headers=None, **options):
        return self.post("/messages/send", expect, headers, chat_id=chat_id, text=text, **options)

    def messages(self, chat_id, **params):
        return self.get("/messages", chat_id=chat_id, **params)["messages"]

    def message(self, chat_id, message_id, **params):
        """That one message of the chat."""
        found = self.messages(chat_id, offset_id=message_id + 1, limit=1, **params)
        assert found and found[0]["id"] == message_id, found
        return found[0]

    def set_username(self, username):
        self.call("account.updateUsername", username=username)

    def send_code(self, phone, expect=200, **options):
        SECRETS.phone(phone)
        body = {"phone": phone, "api_id": API_ID, "api_hash": API_HASH, **options}
        return self.request("POST", "/auth/send_code", expect, json=body, session=False).json()

    def verify_code(self, code, expect=200, **names):
        return self.post("/auth/verify_code", expect, code=code, **names)

    def verify_password(self, password, expect=200):
        return self.post("/auth/verify_password", expect, password=password)


SECRET_FIELDS = {"password", "text", "new_text", "api_hash", "logout_token", "message"}


def hide(body):
    """Notes what a body holds that no log may show."""
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        if name in SECRET_FIELDS:
            SECRETS.text(value)
        elif name == "code":
            SECRETS.code(value)
