# SPDX-License-Identifier: MIT
"""Running a gateway: health, metrics, logs, drain, limits, the command line."""
import concurrent.futures
import contextlib
import json
import re
import socket
import time

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import metrics
from accounts import sign_up, unique
from client import Api
from commands import inspect, run
from processes import DEADLINE_S, SECRETS, Gateway, Sandbox, wait_until


@contextlib.contextmanager
def connection(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), DEADLINE_S) as opened:
        yield opened


def read_answer(stream):
    """(status, headers, body) of the next answer; None at the end of the connection."""
    line = stream.readline()
    if not line:
        return None
    headers = {}
    while (field := stream.readline().strip()):
        name, _, value = field.decode().partition(": ")
        headers[name.lower()] = value
    return int(line.split()[1]), headers, stream.read(int(headers.get("content-length", 0)))


# ---- health ----


def test_alive(api):
    assert api.get("/healthz") == {"status": "ok"}


def test_ready_when_a_data_centre_answers(start_gateway, connect):
    assert connect(start_gateway()).get("/readyz") == {"status": "ready"}


def test_not_ready_when_none_does(start_sandbox, start_gateway, connect):
    sandbox = start_sandbox()
    gateway = start_gateway(at=sandbox)
    sandbox.control.close()
    sandbox.kill()
    client = connect(gateway)
    client.error("GET", "/readyz", 503, "NOT_READY")
    assert client.get("/healthz") == {"status": "ok"}


def test_not_ready_with_a_stranger_for_a_data_centre(binary, sandbox, start_sandbox, start_gateway, connect):
    """Somebody listens there, but has not the key of the data centre."""
    stranger = start_sandbox()
    stranger.public_key, kept = sandbox.public_key, stranger.public_key
    gateway = start_gateway(at=stranger)
    stranger.public_key = kept
    connect(gateway).error("GET", "/readyz", 503, "NOT_READY")


# ---- the description ----


def test_the_description_is_openapi(api):
    spec = api.get("/openapi.json")
    assert spec["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(spec).validate()


def test_the_description_says_what_may_be_null_or_left_out(api):
    """null is the same as absent in a body, and a body of which nothing is needed may be absent."""
    paths = api.get("/openapi.json")["paths"]

    def body(path, method):
        described = paths[path][method]["requestBody"]
        return described["required"], described["content"]["application/json"]["schema"]["properties"]

    required, fields = body("/messages/send", "post")
    assert required
    assert fields["chat_id"]["type"] == ["integer", "string"] and fields["text"]["type"] == "string"
    assert fields["reply_to_message_id"]["type"] == ["integer", "null"]
    assert fields["parse_mode"]["type"] == ["string", "null"] and fields["parse_mode"]["enum"][-1] is None
    assert body("/auth/sessions", "delete")[0] is False
    assert body("/methods/{name}", "post")[0] is False


def test_the_description_says_what_a_form_takes(api):
    body = api.get("/openapi.json")["paths"]["/messages/send_with_file"]["post"]["requestBody"]
    assert body["required"] and list(body["content"]) == ["multipart/form-data"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert set(schema["required"]) == {"chat_id", "file"}
    files = schema["properties"]["file"]
    assert files.get("items", files)["format"] == "binary"
    assert schema["properties"]["reply_to_message_id"]["type"] == "integer"  # a form cannot say null


def test_the_description_says_which_headers_are_taken(api):
    paths = api.get("/openapi.json")["paths"]

    def shared(method, path):
        return [p["$ref"].rsplit("/", 1)[1] for p in paths[path][method]["parameters"] if "$ref" in p]

    for path in ("/messages/send", "/messages/send_with_file", "/messages/forward", "/methods/{name}"):
        assert shared("post", path) == ["Idempotency-Key", "Prefer"]
    assert shared("get", "/messages") == ["Prefer"] and shared("get", "/healthz") == []


def test_the_description_has_every_route(api):
    described = {(method.upper(), path) for path, item in api.get("/openapi.json")["paths"].items() for method in item}
    assert described == {
        ("POST", "/auth/send_code"), ("POST", "/auth/verify_code"), ("POST", "/auth/verify_password"),
        ("POST", "/auth/resend_code"), ("POST", "/auth/cancel_code"), ("POST", "/auth/bot"), ("POST", "/auth/qr"),
        ("GET", "/auth/qr/wait"), ("GET", "/auth/password"), ("PUT", "/auth/password"), ("DELETE", "/auth/password"),
        ("POST", "/auth/password/confirm_email"), ("POST", "/auth/password/resend_email"),
        ("POST", "/auth/password/cancel_email"), ("POST", "/auth/password/recover"), ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions"), ("POST", "/auth/import"), ("POST", "/auth/export"), ("POST", "/auth/restrict"),
        ("DELETE", "/auth/logout"), ("GET", "/me"), ("GET", "/chats"), ("GET", "/messages"), ("POST", "/messages/send"),
        ("POST", "/messages/send_with_file"), ("GET", "/messages/media/{message_id}"), ("GET", "/photos/{ref}"),
        ("POST", "/messages/edit"), ("DELETE", "/messages/delete"), ("POST", "/messages/forward"),
        ("POST", "/groups/join"), ("GET", "/methods"), ("GET", "/methods/{name}"), ("POST", "/methods/{name}"),
        ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/openapi.json"),
    }


# ---- metrics ----


def test_metrics_count(start_gateway, numbers, connect):
    gateway = start_gateway()
    client = sign_up(connect(gateway), numbers.new())
    before = metrics.read(gateway)
    for _ in range(3):
        client.get("/chats")
    client.error("GET", "/messages", 400, "INVALID_PARAMETER")
    client.error("GET", "/nothing", 404, "NOT_FOUND")
    after = metrics.read(gateway)

    def grown(name):
        return after.get(name, 0) - before.get(name, 0)

    assert grown('tgrest_requests_total{method="GET",route="/chats",status="200"}') == 3
    assert grown('tgrest_requests_total{method="GET",route="/messages",status="400"}') == 1
    assert grown('tgrest_requests_total{method="",route="",status="404"}') == 1
    assert grown('tgrest_request_duration_seconds_count{method="GET",route="/chats"}') == 3
    assert grown("tgrest_upstream_requests_total") == 3
    assert grown("tgrest_upstream_bytes_in_total") > 0 and grown("tgrest_upstream_bytes_out_total") > 0
    assert grown("tgrest_http_bytes_in_total") > 0 and grown("tgrest_http_bytes_out_total") > 0
    assert after["tgrest_upstream_connections_open"] >= 1 and after["tgrest_key_exchanges_total"] == 1
    assert next(v for k, v in after.items() if "resident" in k or "memory" in k) > 2**20


@pytest.mark.one_process
def test_histograms_add_up(gateway, alice):
    alice.get("/me")
    samples = metrics.read(gateway)
    name = 'tgrest_request_duration_seconds_bucket{method="GET",route="/me",le="%s"}'
    buckets = [samples[k] for k in samples if k.startswith(name.split("le=")[0])]
    assert buckets == sorted(buckets)
    assert samples[name % "+Inf"] == samples['tgrest_request_duration_seconds_count{method="GET",route="/me"}']


def test_flood_waits_and_reconnects_are_counted(start_gateway, numbers, connect, control):
    gateway = start_gateway()
    client = sign_up(connect(gateway), numbers.new())
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=flood_wait:9,count=1"):
        client.error("GET", "/chats", 429, "FLOOD_WAIT_9")
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=drop_before,count=1"):
        client.get("/chats")
    samples = metrics.read(gateway)
    assert samples["tgrest_flood_waits_total"] == 1 and samples["tgrest_upstream_reconnects_total"] == 1
    assert samples["tgrest_telegram_errors_total"] >= 1


# ---- logs ----


def test_json_logs(start_gateway, numbers, connect):
    gateway = start_gateway(options=["--log-format", "json", "--log-level", "debug"])
    client = sign_up(connect(gateway), numbers.new())
    client.request("GET", "/chats", headers={"X-Request-Id": "look-for-me"})
    gateway.wait_for("look-for-me")
    events = []
    for line in gateway.output.splitlines():
        if not line.startswith("listening on "):
            events.append(json.loads(line))
    assert all({"time", "level", "event"} <= e.keys() for e in events)
    mine = next(e for e in events if e.get("request_id") == "look-for-me")
    assert (mine["method"], mine["route"], mine["status"], mine["level"]) == ("GET", "/chats", 200, "info")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", mine["time"]) and mine["us"] > 0


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_logs_hold_nothing_secret(start_gateway, numbers, connect, log_format, control):
    """Also not at the most talkative level, also not when things go wrong."""
    gateway = start_gateway(options=["--log-level", "debug", "--log-format", log_format])
    client = sign_up(connect(gateway), numbers.new(), "Firstnamesecret")
    SECRETS.text("Firstnamesecret")
    SECRETS.text(unique("searched for"))
    text = unique("for nobody's eyes")
    client.send("me", text)
    client.get("/messages", chat_id="me", search=text)
    client.error("GET", "/messages", 400, "INVALID_PARAMETER", params={"chat_id": "me", "limit": "0", "search": text})
    client.error("POST", "/messages/send", 400, "INVALID_PARAMETER", json={"chat_id": text, "text": text})
    client.request("GET", "/chats", 401, headers={"X-Session-String": client.session[:-3]})
    client.request("GET", "/" + client.session, 404)
    with control.fault(f"user={client.user_id},do=drop_before,count=2"):
        client.send("me", unique("again, nobody's"))
    client.delete("/auth/logout")
    gateway.stop()


@pytest.mark.parametrize("level, shown", [("info", True), ("warn", False), ("off", False)])
def test_log_levels(start_gateway, connect, level, shown):
    gateway = start_gateway(options=["--log-level", level])
    connect(gateway).request("GET", "/healthz", headers={"X-Request-Id": "at-this-level"})
    gateway.stop()
    assert ("at-this-level" in gateway.output) is shown


# ---- the end ----


def test_a_drain_lets_calls_finish(start_gateway, new_account, control):
    """SIGTERM: what is under way is answered, what comes is told to go elsewhere, then the process ends."""
    gateway = start_gateway(workers=1)
    client = new_account(at=gateway)
    head = f"GET /chats HTTP/1.1\r\nHost: x\r\nX-Session-String: {client.session}\r\n".encode()
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=delay:6000,count=1") as hits:
        with connection(gateway) as under_way, connection(gateway) as half, connection(gateway) as idle:
            under_way.sendall(head + b"\r\n")
            half.sendall(head)  # not yet a request
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            idle_stream = idle.makefile("rb")
            assert read_answer(idle_stream)[0] == 200
            wait_until(lambda: hits() == 1, "the call under way")
            gateway.terminate()
            assert read_answer(idle_stream) is None  # closed: from here on the worker drains
            half.sendall(b"\r\n")
            status, headers, body = read_answer(half.makefile("rb"))
            assert status == 503 and headers["connection"] == "close" and int(headers["retry-after"]) > 0
            assert json.loads(body)["error"] == "DRAINING"
            status, headers, body = read_answer(under_way.makefile("rb"))
            assert status == 200 and headers["connection"] == "close" and "chats" in json.loads(body)
    gateway.finished()


def test_nobody_is_let_in_while_draining(start_gateway, new_account, control):
    gateway = start_gateway()
    client = new_account(at=gateway)
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=delay:700,count=1") as hits:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            slow = pool.submit(client.get, "/chats")
            wait_until(lambda: hits() == 1, "the call under way")
            gateway.terminate()
            gateway.wait_for("draining")

            def refused():
                try:
                    with connection(gateway):
                        return False
                except OSError:
                    return True

            wait_until(refused, "the door to close")
            assert slow.result()["total_count"] == 0
    gateway.finished()


def test_an_idle_gateway_ends_at_once(start_gateway, new_account):
    gateway = start_gateway()
    new_account(at=gateway)
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < DEADLINE_S / 2


def test_a_second_signal_ends_it_at_once(binary, sandbox, key_file, new_account, control):
    gateway = Gateway(binary, sandbox, key_file)
    client = new_account(at=gateway)
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=delay:60000,count=1") as hits:
        with connection(gateway) as slow:
            slow.sendall(f"GET /chats HTTP/1.1\r\nHost: x\r\nX-Session-String: {client.session}\r\n\r\n".encode())
            wait_until(lambda: hits() == 1, "the call under way")
            gateway.terminate()
            gateway.wait_for("draining")
            gateway.child.terminate()
            gateway.child.wait(30)  # long before the call would have ended
            gateway.checked = True


# ---- limits ----


def test_connections_are_bounded(start_gateway):
    """64 is the least that a worker allows."""
    gateway = start_gateway(workers=1, options=["--max-connections", 64])
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(connection(gateway)).sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: "listening" in gateway.output, "start")
        extra = stack.enter_context(connection(gateway))
        answer = None
        with contextlib.suppress(ConnectionError):  # it may be closed before all is written or read
            extra.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_answer(extra.makefile("rb"))
        assert answer is None or (answer[0] == 503 and json.loads(answer[2])["error"] == "OVERLOADED")
    wait_until(lambda: metrics_or_none(gateway), "room again")


def metrics_or_none(gateway):
    try:
        return metrics.read(gateway)
    except (AssertionError, httpx.HTTPError):  # refused, or closed in the middle
        return None


def test_a_slow_reader_does_not_hold_up_others(start_gateway, new_account):
    gateway = start_gateway(workers=1)
    client = new_account(at=gateway)
    with connection(gateway) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(200):
            slow.sendall(b"GET /methods HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(20):
            assert client.get("/me")["id"] == client.user_id


def test_calls_are_bounded(start_gateway, new_account, control):
    """64 is the least that a worker allows."""
    gateway = start_gateway(workers=1, options=["--max-calls", 64])
    client = new_account(at=gateway)
    head = f"GET /chats HTTP/1.1\r\nHost: x\r\nX-Session-String: {client.session}\r\n\r\n".encode()
    with control.fault(f"user={client.user_id},method=messages.getDialogs,do=delay:10000") as hits:
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(connection(gateway)) for _ in range(64)]
            for one in waiting:
                one.sendall(head)
            wait_until(lambda: hits() == 64, "all calls under way")
            extra = stack.enter_context(connection(gateway))
            extra.sendall(head)
            status, headers, body = read_answer(extra.makefile("rb"))
            assert status == 503 and json.loads(body)["error"] == "OVERLOADED" and int(headers["retry-after"]) > 0
            for one in waiting:
                assert read_answer(one.makefile("rb"))[0] == 200


def test_warm_connections_are_bounded(start_gateway, new_account, control):
    gateway = start_gateway(workers=1, options=["--warm-max", 3])
    users = [new_account(at=gateway) for _ in range(6)]
    for _ in range(2):
        for user in users:
            assert user.get("/me")["id"] == user.user_id
            assert metrics.read(gateway)["tgrest_upstream_connections_open"] <= 3
    assert metrics.read(gateway)["tgrest_upstream_evictions_total"] > 0


def test_warm_connections_close_in_time(start_gateway, new_account):
    gateway = start_gateway(warm=1)
    new_account(at=gateway).get("/me")
    wait_until(lambda: metrics.read(gateway)["tgrest_upstream_connections_open"] == 0, "the idle close")
    assert metrics.read(gateway)["tgrest_upstream_idle_closes_total"] >= 1


# ---- the command line ----


@pytest.mark.parametrize("command", ["serve", "sandbox", "demo", "keygen", "session"])
def test_each_command_explains_itself(binary, command):
    told = run(binary, command, "--help")
    assert told.stdout.startswith(f"usage: tgrest {command}") and not told.stderr and "null" not in told.stdout


def test_the_program_explains_itself(binary):
    told = run(binary, "help").stdout
    assert all(word in told for word in ("serve", "sandbox", "demo", "keygen", "session", "schema", "version"))
    assert run(binary, "--help").stdout == told
    assert re.match(r"tgrest \d+\.\d+", run(binary, "version").stdout)
    assert run(binary, "schema", "--layer").stdout == "228\n"
    assert "messages.sendMessage#" in run(binary, "schema").stdout
    assert "unknown command" in run(binary, "dance", expect=2).stderr


@pytest.mark.parametrize("arguments, told", [
    (["--workers", "many"], "--workers"), (["--workers"], "--workers"), (["--nonsense"], "--nonsense"),
    (["--listen", "nowhere"], "--listen"), (["--dc", "2"], "--dc"), (["--dc-key", "/nonexistent.pem"], "/nonexistent.pem"),
    (["--schema", "/nonexistent.tl"], "/nonexistent.tl"), (["--warm", "-1"], "--warm"), (["--log-level", "loud"], "--log-level"),
])
def test_bad_options_are_named(binary, tmp_path, arguments, told):
    failed = run(binary, "serve", "--listen", "127.0.0.1:0", "--key-file", tmp_path / "k", *arguments, expect=(1, 2))
    assert told in failed.stderr and failed.stdout == ""


def test_a_taken_port_is_told(binary, gateway, tmp_path):
    failed = run(binary, "serve", "--listen", f"127.0.0.1:{gateway.port}", "--workers", 1, "--key-file", tmp_path / "k",
                 expect=1)
    assert f"127.0.0.1:{gateway.port}" in failed.stderr


def test_every_option_has_a_variable(binary):
    for command in ("serve", "sandbox"):
        for line in run(binary, command, "--help").stdout.splitlines():
            if line.startswith("  --") and not line.startswith("  --help"):
                assert "[TGREST_" in line, line


def test_options_from_the_environment(binary, sandbox, key_file, gateway, new_account):
    from processes import Process

    env = {
        "TGREST_LISTEN": "127.0.0.1:0,127.0.0.1:0", "TGREST_KEY_FILE": str(key_file), "TGREST_LOG_FORMAT": "json",
        "TGREST_DC": ",".join(f"{dc}=127.0.0.1:{port}" for dc, port in sandbox.dcs.items()),
        "TGREST_DC_KEY": str(sandbox.public_key), "TGREST_WORKERS": "1",
    }
    client = new_account()
    with Process([binary, "serve"], env=env) as process:
        first = process.wait_for(r"^listening on (http://127\.0\.0\.1:\d+)$")
        second = process.wait_for(r"^listening on (http://127\.0\.0\.1:\d+)$", since=process.lines.index(first.group(0)) + 1)
        for match in (first, second):
            process.url = match.group(1)
            with Api(process, client.session) as there:
                assert there.get("/me")["id"] == client.user_id


def test_the_data_centres_key_as_text(binary, sandbox, key_file, gateway, new_account):
    from pathlib import Path

    client = new_account()
    options = [o for dc, port in sandbox.dcs.items() for o in ("--dc", f"{dc}=127.0.0.1:{port}")]
    env = {"TGREST_DC_KEY_PEM": Path(sandbox.public_key).read_text()}
    with Gateway(binary, None, key_file, options=options, env=env) as replica, client.at(replica) as there:
        assert there.get("/me")["id"] == client.user_id
        there.send_code(client.phone)


def test_keygen(binary, tmp_path):
    first, second = run(binary, "keygen").stdout, run(binary, "keygen").stdout
    SECRETS.text(first.strip()), SECRETS.text(second.strip())
    assert first != second and len(first.strip().splitlines()) == 1
    path = tmp_path / "made.key"
    run(binary, "keygen", path)
    assert path.stat().st_mode & 0o777 == 0o600
    kept = path.read_text()
    run(binary, "keygen", path, expect=1)
    assert path.read_text() == kept


def test_inspect_shows_no_secrets_unless_asked(binary, key_file, new_account):
    client = new_account()
    shown = inspect(binary, key_file, client.session)
    assert shown["state"] == "authorized" and shown["dc"] == 2 and shown["user_id"] == client.user_id
    assert "auth_key" not in shown and "api_hash" not in shown
    asked = inspect(binary, key_file, client.session, "--secrets")
    assert len(asked["auth_key"]) == 512 and len(asked["api_hash"]) == 32


def test_inspect_of_half_a_login(binary, key_file, api, new_account):
    phone = new_account().phone
    api.send_code(phone)
    shown = inspect(binary, key_file, api.session)
    assert shown["state"] == "verify_code" and phone not in json.dumps(shown)


def test_exports_need_to_be_asked_for_twice(binary, key_file, new_account, tmp_path):
    client = new_account()
    refused = run(binary, "session", "export", "--key-file", key_file, given=client.session, expect=1)
    assert "--secrets" in refused.stderr and refused.stdout == ""


@pytest.mark.parametrize("given", ["", "nonsense", "tgr1.AAAA"])
def test_strings_that_are_none(binary, key_file, gateway, given):
    failed = run(binary, "session", "inspect", "--key-file", key_file, given=given, expect=1)
    assert failed.stderr.startswith("tgrest session: ") and failed.stdout == ""


def test_strings_on_the_command_line_are_refused_and_not_repeated(binary, key_file, new_account):
    """argv can be read by everybody on the machine, and so can a log."""
    client = new_account()
    for action in ("inspect", "export", "import"):
        failed = run(binary, "session", action, client.session, "--key-file", key_file, expect=1)
        assert client.session[:20] not in failed.stderr + failed.stdout


def test_no_option_takes_a_secret(binary):
    for command in ("serve", "demo", "session", "keygen"):
        told = run(binary, command, "--help").stdout
        for line in told.splitlines():
            if "TGREST_KEY]" in line or "TGREST_DC_KEY_PEM]" in line:
                assert line.strip().startswith("(environment only)")


def test_a_sandbox_replays_by_its_seed(binary, tmp_path):
    """The same seed: the same codes for the same questions."""
    codes = []
    for i in range(2):
        with Sandbox(binary, tmp_path / f"{i}.pem", options=["--seed", "42"]) as sandbox:
            with Gateway(binary, sandbox, tmp_path / "key") as gateway, Api(gateway) as client:
                since = sandbox.mark()
                client.send_code("4915155555555")
                codes.append(sandbox.login_code("4915155555555", since))
    assert codes[0] == codes[1]
