# SPDX-License-Identifier: MIT
"""Accounts that know each other, and the chats they share, made over the API before anything goes wrong."""
import asyncio

from account import Account
from accounts import new_channel, new_group, sign_up
from client import Api
from ledger import Room
from traffic import Traffic

MEMBERS_OF_SUPERGROUP, MEMBERS_OF_GROUP = 8, 4
ACCOUNTS_A_SUPERGROUP, ACCOUNTS_A_GROUP = 5, 8
FRIENDS = 3  # private chats that an account begins
LOUNGES = 3  # channels to come to and to leave


async def build_world(run, numbers, n_accounts):
    """The traffic of each account."""
    return await asyncio.to_thread(_build, run, numbers, n_accounts)


def _build(run, numbers, n_accounts):
    rng = run.rng("world")
    gateway = run.fleets[0].elder.gateway
    apis = {}
    for i in range(n_accounts):
        api = Api(gateway)
        sign_up(api, numbers.new(rng.choice([1, 2, 3])), f"Account {i}")
        account = Account(run, f"account-{i}", api.session, run.rng(f"account {i}"))
        account.user_id, account.phone = api.user_id, api.phone
        account.username = f"soak_account_{i}"
        api.set_username(account.username)
        apis[account] = api
    run.accounts = list(apis)
    rooms = [*_supergroups(run, apis, rng), *_groups(run, apis, rng), *_private(run, rng)]
    rooms += [Room("me", f"me of {account}", {account: "me"}) for account in run.accounts]
    run.lounges = _lounges(run, apis)
    for account, api in apis.items():
        account.session = api.session
        api.close()
    return [Traffic(run, account, [r for r in rooms if account in r.chat_ids]) for account in run.accounts]


def _supergroups(run, apis, rng):
    for i in range(max(1, len(apis) // ACCOUNTS_A_SUPERGROUP)):
        name = f"soak_supergroup_{i}"
        owner, *guests = rng.sample(run.accounts, min(len(apis), MEMBERS_OF_SUPERGROUP))
        new_channel(apis[owner], name, megagroup=True, username=name)
        for guest in guests:
            apis[guest].post("/groups/join", group_identifier="@" + name)
        yield Room("supergroup", name, {member: "@" + name for member in (owner, *guests)})


def _groups(run, apis, rng):
    for i in range(max(1, len(apis) // ACCOUNTS_A_GROUP)):
        owner, *guests = rng.sample(run.accounts, min(len(apis), MEMBERS_OF_GROUP))
        chat_id = new_group(apis[owner], *("@" + guest.username for guest in guests), title=f"Group {i}")
        yield Room("group", f"group {i}", {member: chat_id for member in (owner, *guests)})


def _private(run, rng):
    pairs = {frozenset(rng.sample(run.accounts, 2)) for _ in range(FRIENDS * len(run.accounts))}
    for one, other in sorted((sorted(pair, key=str) for pair in pairs), key=str):
        yield Room("private", f"{one} and {other}", {one: "@" + other.username, other: "@" + one.username})


def _lounges(run, apis):
    owner = apis[run.accounts[0]]
    names = [f"soak_lounge_{i}" for i in range(LOUNGES)]
    for name in names:
        new_channel(owner, name, username=name)
    return ["@" + name for name in names]
