# SPDX-License-Identifier: MIT
"""Several data centres: files that live elsewhere, accounts that move, the way there."""
import asyncio
import concurrent.futures
import socket
import types

import pytest
from telethon import TelegramClient, connection, functions
from telethon.sessions import StringSession

import metrics
from accounts import code_of, log_in, unique
from client import API_HASH, API_ID
from commands import inspect
from files import FORM_END, FORM_HEAD, PART, media, send, sha256
from processes import DEADLINE_S, SECRETS, wait_until
from proxies import MtProxy, SlowLine, Tunnel
from test_telethon import trust

ALICE, CAROL_WITH_PASSWORD = "9996620001", "9996620003"
NEWS = "@sandbox_news"
FAR_FILE_DC = 3
SECRET = bytes.fromhex("0123456789abcdef0123456789abcdef")


@pytest.fixture
def demo_user(gateway, connect):
    """A user of the demo world, logged in anew: no key but the one at home."""
    return log_in(connect(gateway), ALICE)


def far_file(client):
    found = client.messages(NEWS, search="far away")
    assert found, "the demo world has no file on another data centre"
    return found[0]


def fetch_far_file(client):
    message = far_file(client)
    answer = media(client, message["id"], chat_id=NEWS)
    assert answer.content.startswith(b"%PDF-") and len(answer.content) == message["file"]["size"]
    return answer


def imports(control):
    return control.executed("auth.importAuthorization")


# ---- files that live elsewhere ----


def test_a_far_file_costs_one_key_which_travels_in_the_session(demo_user, control, start_gateway):
    before, home_only = imports(control), demo_user.session
    answer = fetch_far_file(demo_user)
    assert imports(control) == before + 1
    assert answer.headers["x-session-string"] == demo_user.session
    assert len(home_only) + 340 < len(demo_user.session) < 2048

    replica = demo_user.at(start_gateway())
    assert "x-session-string" not in fetch_far_file(replica).headers
    assert imports(control) == before + 1
    replica.close()


def test_a_client_that_drops_the_new_string_pays_once_a_process(demo_user, control, start_gateway):
    before, old = imports(control), demo_user.session
    with_one_worker = start_gateway(workers=1)
    for _ in range(3):
        client = demo_user.at(with_one_worker)
        client.session = old
        fetch_far_file(client)
        client.close()
    assert imports(control) == before + 1


def test_many_at_once_make_one_key(demo_user, control, connect):
    before, session = imports(control), demo_user.session
    message = far_file(demo_user)
    clients = [connect(demo_user.gateway, session) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sums = {sha256(a.content) for a in pool.map(lambda c: media(c, message["id"], chat_id=NEWS), clients)}
    assert len(sums) == 1 and imports(control) == before + 1


def test_logging_out_ends_the_keys_everywhere(demo_user, control):
    keys = control.stats()["keys"]
    fetch_far_file(demo_user)
    assert control.stats()["keys"] == keys + 1
    demo_user.delete("/auth/logout")
    assert control.stats()["keys"] == keys - 1


def test_a_far_key_that_ended_is_made_anew(demo_user, control):
    fetch_far_file(demo_user)
    old = demo_user.session
    rule = f"dc={FAR_FILE_DC},method=upload.getFile,count=1,do=error:401:AUTH_KEY_UNREGISTERED"
    with control.fault(rule) as hits:
        fetch_far_file(demo_user)
        assert hits() == 1
    assert demo_user.session != old


@pytest.mark.parametrize("trouble", ["reset", "drop_after", "lose_session", "error:400:FILE_REFERENCE_EXPIRED",
                                     "error:420:FLOOD_PREMIUM_WAIT_1", "error:500:RPC_CALL_FAIL", "bad_salt"])
def test_trouble_over_there_is_mended(demo_user, control, trouble):
    with control.fault(f"dc={FAR_FILE_DC},method=upload.getFile,count=1,do={trouble}") as hits:
        fetch_far_file(demo_user)
        assert hits() == 1


def test_an_import_that_is_refused_is_an_error_and_leaves_nothing(demo_user, control):
    old = demo_user.session
    with control.fault(f"dc={FAR_FILE_DC},method=auth.importAuthorization,count=1,do=error:400:AUTH_BYTES_INVALID"):
        answer = media(demo_user, far_file(demo_user)["id"], 400, chat_id=NEWS)
    assert answer.json()["error"] == "AUTH_BYTES_INVALID" and demo_user.session == old
    fetch_far_file(demo_user)


def test_an_import_whose_answer_is_lost_is_begun_again(demo_user, control):
    with control.fault(f"dc={FAR_FILE_DC},method=auth.importAuthorization,count=1,do=lose_session") as hits:
        fetch_far_file(demo_user)
        assert hits() == 1


# ---- accounts that move ----


def home_of(client, binary, key_file):
    return inspect(binary, key_file, client.session)["dc"]


def test_an_account_that_moves_is_followed_and_back(new_account, control, binary, key_file, rng):
    client = new_account()
    text, data = unique(), rng.randbytes(PART + 7)
    message_id = client.send("me", text)["message_id"]
    first = client.session
    for dc in (3, 1, 2):
        control.run(f"move {client.phone} {dc}")
        assert client.message("me", message_id)["text"] == text
        assert home_of(client, binary, key_file) == dc
        answer = send(client, ("a.bin", data))
        assert sha256(media(client, answer["message_id"]).content) == sha256(data)
    # The string of before all that still stands for the account.
    client.session = first
    assert client.get("/me")["id"] == client.user_id
    client.delete("/auth/logout")


def test_a_file_is_the_first_to_meet_the_move(new_account, control, rng):
    client, data = new_account(), rng.randbytes(3 * PART)
    message_id = send(client, ("a.bin", data))["message_id"]
    control.run(f"move {client.phone} 3")
    # Telegram takes parts anywhere: that they are of no use there shows only when the message is sent.
    old = client.session
    message_id_there = send(client, ("b.bin", data))["message_id"]
    assert client.session != old
    control.run(f"move {client.phone} 1")
    for each in (message_id, message_id_there):
        assert sha256(media(client, each).content) == sha256(data)


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("warm", ["on", "off"])
def test_an_upload_is_the_first_call_after_the_move(new_account, control, rng, start_gateway, warm, files):
    client = new_account()
    control.run(f"move {client.phone} 3")
    data = [rng.randbytes(12 * PART + 5), rng.randbytes(100), rng.randbytes(PART)][:files]
    moved = client.at(start_gateway(warm="off")) if warm == "off" else client
    answer = send(moved, *((f"{i}.bin", each) for i, each in enumerate(data)))
    for message_id, each in zip(answer["message_ids"], data):
        assert sha256(media(moved, message_id).content) == sha256(each)


def test_a_move_after_parts_were_let_go_is_told_as_one(new_account, control, rng):
    """Nobody has the parts any more but the client: it is asked to send them again, with the new string."""
    client, data = new_account(), rng.randbytes(20 * PART)
    old, before = client.session, control.executed("upload.saveBigFilePart")

    def body():
        yield FORM_HEAD + data
        wait_until(lambda: control.executed("upload.saveBigFilePart") >= before + 19, "parts are there")
        control.run(f"move {client.phone} 3")
        yield FORM_END

    answer = client.request("POST", "/messages/send_with_file", 503, content=body(),
                            headers={"Content-Type": "multipart/form-data; boundary=b"}).json()
    assert answer["error"] == "ACCOUNT_MOVED" and answer["wait_seconds"] and client.session != old
    again = send(client, ("a.bin", data))
    assert sha256(media(client, again["message_id"]).content) == sha256(data)


def test_a_write_that_meets_the_move_is_executed_once(new_account, control):
    client = new_account()
    control.run(f"move {client.phone} 3")
    text = unique()
    client.send("me", text)
    assert [m["text"] for m in client.messages("me")].count(text) == 1


@pytest.mark.one_process
def test_all_calls_that_meet_the_move_share_one_key(new_account, control, connect):
    client = new_account()
    control.run(f"move {client.phone} 3")
    before = imports(control)
    clients = [connect(client.gateway, client.session) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert {c["id"] for c in pool.map(lambda c: c.get("/me"), clients)} == {client.user_id}
    assert imports(control) == before + 1


def test_a_replica_follows_too(new_account, control, start_gateway):
    client = new_account()
    control.run(f"move {client.phone} 3")
    cold = client.at(start_gateway(warm="off"))
    assert cold.get("/me")["id"] == client.user_id
    assert cold.get("/me")["id"] == client.user_id
    cold.close()


# ---- logins that are sent on ----

STEPS = ["auth.sendCode", "auth.signIn", "auth.checkPassword", "account.getPassword"]


@pytest.mark.parametrize("name", ["PHONE", "NETWORK", "USER"])
@pytest.mark.parametrize("method", STEPS)
def test_a_login_that_is_sent_on_ends_well_or_clearly(gateway, connect, control, method, name):
    """A step that is sent on after the code may cost the login (what was proved at one data centre is not known at
    another), but never a 5xx, and beginning again works."""
    client = connect(gateway)
    password = "correct horse"
    with control.fault(f"method={method},count=1,do=error:303:{name}_MIGRATE_3") as hits:
        client.send_code(CAROL_WITH_PASSWORD)
        response = client.http.post("/auth/verify_code", json={"code": code_of(CAROL_WITH_PASSWORD)},
                                    headers={"X-Session-String": client.session})
        if response.status_code == 200:
            client.session = response.json()["session_string"]
            assert response.json()["next_step"] == "verify_password"
            response = client.http.post("/auth/verify_password", json={"password": password},
                                        headers={"X-Session-String": client.session})
        assert response.status_code in (200, 400, 401), response.text
        assert hits() == 1
    assert method != "auth.sendCode" or response.status_code == 200
    log_in(client, CAROL_WITH_PASSWORD, password)


# ---- the line ----


def test_a_slow_line_is_not_taken_for_a_dead_one(start_gateway, sandbox, new_account, rng):
    client, data = new_account(), rng.randbytes(2 * PART)
    with SlowLine(sandbox.dcs[2], 100_000) as line:
        slow = types.SimpleNamespace(dcs={2: line.port}, public_key=sandbox.public_key)
        at = start_gateway(at=slow, options=["--silence", 4])  # a part takes more than five seconds
        moved = client.at(at)
        answer = send(moved, ("a.bin", data))
        assert metrics.read(at)["tgrest_upstream_reconnects_total"] == 0
        moved.close()
        at.stop()
    assert sha256(media(client, answer["message_id"]).content) == sha256(data)


# ---- proxies ----


@pytest.mark.parametrize("credentials", [None, "some:pass word"])
@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_all_traffic_goes_through_the_proxy(start_gateway, sandbox, connect, scheme, credentials):
    with Tunnel(scheme, credentials) as proxy:
        user = f"{credentials.replace(' ', '%20')}@" if credentials else ""
        at = start_gateway(env={"TGREST_PROXY": f"{scheme}://{user}127.0.0.1:{proxy.port}"})
        client = log_in(connect(at), ALICE)
        fetch_far_file(client)
        assert proxy.went_to(sandbox.dcs[2]) and proxy.went_to(sandbox.dcs[FAR_FILE_DC])
        at.stop()


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_a_proxy_that_refuses_is_named(start_gateway, connect, scheme):
    SECRETS.text("hunter2hunter2")
    with Tunnel(scheme, "some:secret") as proxy:
        at = start_gateway(options=["--proxy", f"{scheme}://some:hunter2hunter2@127.0.0.1:{proxy.port}"])
        body = {"phone": ALICE, "api_id": API_ID, "api_hash": API_HASH}
        answer = connect(at).error("POST", "/auth/send_code", 502, "UPSTREAM_UNREACHABLE", json=body)
        assert "proxy" in answer["detail"] and "hunter2" not in answer["detail"]
        with open(f"/proc/{at.pid}/cmdline", "rb") as argv:
            assert b"hunter2" not in argv.read()
        at.stop()


@pytest.mark.parametrize("scheme", ["socks5", "http"])
def test_a_proxy_that_is_not_there_is_named(start_gateway, connect, scheme):
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        at = start_gateway(options=["--proxy", f"{scheme}://127.0.0.1:{nobody_listens.getsockname()[1]}"])
        body = {"phone": ALICE, "api_id": API_ID, "api_hash": API_HASH}
        answer = connect(at).error("POST", "/auth/send_code", 502, "UPSTREAM_UNREACHABLE", json=body)
        assert "the proxy refuses connections" in answer["detail"]
        at.stop()


@pytest.mark.parametrize("prefix, transport", [("", "intermediate"), ("dd", "padded")])
def test_mtproxy(start_gateway, sandbox, connect, prefix, transport):
    with MtProxy(SECRET, sandbox.dcs) as proxy:
        at = start_gateway(env={"TGREST_PROXY": f"mtproxy://127.0.0.1:{proxy.port}/{prefix}{SECRET.hex()}"})
        client = log_in(connect(at), ALICE)
        # A little of it: AES in Python is slow.
        begin = media(client, far_file(client)["id"], 206, chat_id=NEWS, headers={"Range": "bytes=0-99"})
        assert begin.content.startswith(b"%PDF-") and len(begin.content) == 100
        assert {(transport, 2), (transport, FAR_FILE_DC)} == set(proxy.seen)
        at.stop()


def test_our_mtproxy_is_one_for_telethon_too(sandbox):
    async def ask(port):
        trust(sandbox)
        client = TelegramClient(StringSession(), API_ID, API_HASH, connection_retries=1,
                                connection=connection.ConnectionTcpMTProxyRandomizedIntermediate,
                                proxy=("127.0.0.1", port, "dd" + SECRET.hex()))
        client.session.set_dc(2, "127.0.0.1", sandbox.dcs[2])
        await client.connect()
        nearest = await client(functions.help.GetNearestDcRequest())
        await client.disconnect()
        return nearest.this_dc

    with MtProxy(SECRET, sandbox.dcs) as proxy:
        assert asyncio.run(asyncio.wait_for(ask(proxy.port), DEADLINE_S)) == 2
        assert set(proxy.seen) == {("padded", 2)}


def test_a_wrong_secret_gets_nowhere(start_gateway, sandbox, connect):
    with MtProxy(SECRET, sandbox.dcs) as proxy:
        at = start_gateway(env={"TGREST_PROXY": f"mtproxy://127.0.0.1:{proxy.port}/{SECRET[::-1].hex()}"})
        body = {"phone": ALICE, "api_id": API_ID, "api_hash": API_HASH}
        connect(at).error("POST", "/auth/send_code", 502, "UPSTREAM_UNREACHABLE", json=body)
        assert proxy.refused and not proxy.seen
        at.stop()
