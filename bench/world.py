# SPDX-License-Identifier: MIT
"""What the load works on: accounts with a few private chats, one of them with a page of history."""
from dataclasses import dataclass

from load import Api, Request, foreign_token

FRIENDS = 10  # chats of each account
PAGE = 20     # messages of a history request
TEXTS = [
    "Good morning!",
    "Did you see what they wrote about the **new timetable**?",
    "Not yet. Is it as bad as the last one? I can ask at the station this afternoon if you like.",
    "Yes please. __Nobody__ there answers the phone.",
    "See [the page](https://example.com/timetable), the second table.",
]
MESSAGE = "A message, about as long as people write them."


@dataclass
class Account:
    gateway_token: str  # foreign: its first answer brings the sealed one
    wrapper_token: str
    friend: int = 0     # who gets the messages
    reader: int = 0     # whose chat is read


def phone(index):
    return f"99966{2}{index:04d}"


def names_of_friends(api, sandbox):
    names = [f"bench_friend_{i}" for i in range(FRIENDS)]
    for i, name in enumerate(names):
        token = foreign_token(sandbox.mint(phone(9000 + i), 1)[0], sandbox.port)
        api.call("POST", "/methods/account.updateUsername", token, {"username": name})
    return names


def populate(gateway, sandbox, n):
    """Accounts of an empty sandbox, filled through a gateway that speaks its layer."""
    api = Api(gateway.port)
    names = names_of_friends(api, sandbox)
    accounts = []
    for i in range(n):
        keys = sandbox.mint(phone(i), 2)
        account = Account(*(foreign_token(key, sandbox.port) for key in keys))
        for j in range(2 * PAGE):
            api.call("POST", "/messages/send", account.gateway_token,
                     {"chat_id": "@" + names[0], "text": TEXTS[j % len(TEXTS)]})
        for name in names[1:]:
            api.call("POST", "/messages/send", account.gateway_token, {"chat_id": "@" + name, "text": TEXTS[0]})
        chats = api.call("GET", f"/chats?limit={FRIENDS}", account.gateway_token)[0]["chats"]
        ids = {chat["username"]: chat["id"] for chat in chats}
        account.reader, account.friend = ids[names[0]], ids[names[1]]
        accounts.append(account)
    return accounts


ROUTES = {
    "send": lambda a, token: Request("POST", "/messages/send", token, {"chat_id": a.friend, "text": MESSAGE}),
    "chats": lambda a, token: Request("GET", f"/chats?limit={FRIENDS}", token),
    "history": lambda a, token: Request("GET", f"/messages?chat_id={a.reader}&limit={PAGE}", token),
}


def warm(port, accounts, tokens):
    """Asks each account's chats, as a client does first: it connects and learns who the ids are. The session
    strings to go on with, and how long the answer of each route is."""
    api = Api(port)
    fresh = [api.call("GET", f"/chats?limit={FRIENDS}", token)[2] for token in tokens]
    sizes = {}
    for name, make in ROUTES.items():
        r = make(accounts[0], fresh[0])
        sizes[name] = api.call(r.method, r.path, r.token, r.body)[1]
    return fresh, sizes
