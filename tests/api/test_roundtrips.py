# SPDX-License-Identifier: MIT
"""What a call costs: a warm one is one round trip, a cold one a TCP connection and one, and one more only
when every sealed salt has expired. Counted at both ends."""
import pytest

import metrics
from accounts import new_channel, sign_up, unique
from files import send

SALTS_ARE_GONE_S = 30 * 86400


class Cost:
    """What happens inside of the with block."""

    def __init__(self, gateway, control):
        self.gateway, self.control = gateway, control

    def _look(self):
        stats, samples = self.control.stats(), metrics.read(self.gateway)
        return {
            "connections": stats["connections"],
            "handshakes": stats["handshakes"] + stats["plain_in"],
            "requests": stats["requests"],
            "connects": samples["tgrest_upstream_connects_total"],
            "round_trips": samples["tgrest_upstream_round_trips_total"],
        }

    def __enter__(self):
        self._before = self._look()
        return self

    def __exit__(self, *_):
        after = self._look()
        for name, value in after.items():
            setattr(self, name, value - self._before[name])


CALLS = {
    "me": lambda client, chat: client.get("/me"),
    "chats": lambda client, chat: client.get("/chats"),
    "history": lambda client, chat: client.get("/messages", chat_id=chat),
    "search": lambda client, chat: client.get("/messages", chat_id=chat, search="nothing like it"),
    "send": lambda client, chat: client.send(chat, unique("counted")),
    "method": lambda client, chat: client.call("help.getConfig"),
}


@pytest.fixture(scope="module")
def account(gateway, numbers):
    from client import Api

    with Api(gateway) as client:
        sign_up(client, numbers.new())
        marked = new_channel(client, "Counted", megagroup=True)
        client.send(marked, unique("something to read"))
        client.chat = next(c["ref"] for c in client.get("/chats")["chats"] if c["id"] == marked)
        yield client


@pytest.mark.one_process
@pytest.mark.parametrize("call", CALLS)
def test_a_warm_call_is_one_round_trip(account, gateway, control, call):
    CALLS[call](account, account.chat)
    with Cost(gateway, control) as cost:
        for _ in range(5):
            CALLS[call](account, account.chat)
    assert (cost.connections, cost.handshakes, cost.connects) == (0, 0, 0)
    assert cost.requests == 5 and cost.round_trips == 5


@pytest.mark.one_process
def test_a_warm_file_is_two_round_trips(account, gateway, control):
    """The part, with the question where the account lives beside it; and the message."""
    def send_file():
        send(account, ("a.bin", b"a small one"), chat_id=account.chat)

    send_file()
    with Cost(gateway, control) as cost:
        for _ in range(5):
            send_file()
    assert (cost.connections, cost.requests, cost.round_trips) == (0, 15, 10)


@pytest.mark.parametrize("call", CALLS)
def test_a_cold_call_is_a_connection_and_one(account, start_gateway, control, call):
    gateway = start_gateway()
    with account.at(gateway) as fresh, Cost(gateway, control) as cost:
        CALLS[call](fresh, account.chat)
    assert (cost.connections, cost.connects, cost.handshakes) == (1, 1, 0)
    assert cost.requests == 1 and cost.round_trips == 1


@pytest.mark.parametrize("call", ["chats", "send"])
def test_each_call_is_cold_with_warm_off(account, start_gateway, control, call):
    gateway = start_gateway(warm="off")
    with account.at(gateway) as client, Cost(gateway, control) as cost:
        for _ in range(5):
            CALLS[call](client, account.chat)
    assert cost.connections == cost.connects == 5
    assert cost.requests == 5 and cost.round_trips == 5


def test_a_key_exchange_happens_once_a_login(numbers, gateway, connect, control):
    with Cost(gateway, control) as cost:
        sign_up(connect(gateway), numbers.new(2))
    assert cost.handshakes == 1 + 3  # one key, made of three plain messages


def test_one_more_when_every_sealed_salt_has_expired(start_sandbox, start_gateway, numbers, connect):
    sandbox = start_sandbox()
    gateway = start_gateway(at=sandbox, warm="off", workers=1)
    first, second = (sign_up(connect(gateway), numbers.new()) for _ in range(2))
    sandbox.control.run(f"clock_advance {SALTS_ARE_GONE_S}")
    second.get("/me")  # so that the process knows the data centre's clock
    stale = first.session
    with Cost(gateway, sandbox.control) as cost:
        first.get("/me")
    assert cost.connections == cost.connects == 1 and cost.handshakes == 0
    assert cost.round_trips == 2
    # The answer brought a string with fresh salts: whoever keeps it pays once.
    assert first.session != stale
    fresh = first.session
    with Cost(gateway, sandbox.control) as cost:
        first.get("/me")
    assert cost.round_trips == 1
    assert first.session == fresh
