# SPDX-License-Identifier: MIT
"""What goes wrong at Telegram: rules of the sandbox's, in random order, each for a while."""
import asyncio

from fleet import SILENCE_S, TIMEOUT_S
from test_errors_table import UNAUTHORIZED, table

LONGEST_DELAY_S = TIMEOUT_S + 1.5

METHODS = ["*", "messages.*", "channels.*", "users.*", "messages.sendMessage", "messages.getHistory", "messages.search",
           "messages.getDialogs", "messages.editMessage", "*.deleteMessages", "messages.forwardMessages", "contacts.*",
           "auth.*", "upload.*", "messages.sendMedia", "messages.sendMultiMedia"]
FAULT_TEXT_MAX = 64  # of the sandbox
LINK_FAULTS = ["drop_before", "drop_after", "reset", "lose_session", "bad_salt", "garbage"]


def error_names():
    """Of the whole table; not those that say that the key is dead (it is not), nor migrations in circles."""
    return [(name.replace("%d", "2"), code) for name, code in table()
            if name not in UNAUTHORIZED and "MIGRATE" not in name and code not in (303, 401)
            and len(name) < FAULT_TEXT_MAX]


class Faults:
    def __init__(self, run, rng):
        self.run = run
        self.rng = rng
        self.errors = error_names()
        self.menu = [
            (10, self._link), (3, self._delay), (1, self._long_delay), (3, self._flood), (4, self._error),
            (1, self._refused_key), (1, self._transport_flood), (1, self._clock), (3, self._drop), (1, self._drop_all),
            (1, self._advance),
        ]

    async def go_on(self, until):
        """A new one every now and then, several at a time."""
        weights = [weight for weight, _ in self.menu]
        while until() > 0:
            name, rule, life_s = self.rng.choices([make for _, make in self.menu], weights)[0]()
            if rule.startswith("fault_add"):
                asyncio.get_running_loop().create_task(self._stand(name, rule, life_s))
            else:
                await self.run.control(rule)
                self.run.faults[name] += 1
            await asyncio.sleep(self.rng.uniform(0.05, 0.6))

    async def _stand(self, name, rule, life_s):
        rule_id = (await self.run.control(rule))[0]
        self.run.faults[name] += name == "clock_skew"  # strikes no request of its own
        await asyncio.sleep(life_s)
        for line in await self.run.control("fault_list"):
            number, hits = line.split()[:2]
            if number == rule_id:
                self.run.faults[name] += int(hits.removeprefix("hits="))
                await self.run.control(f"fault_remove {rule_id}")

    def _rule(self, do, life_s=None, count=None, where=None):
        count = count or self.rng.choice([1, 2, 3, 10])
        where = where or f"method={self.rng.choice(METHODS)}"
        p = self.rng.choice([1, 0.5, 0.1])
        name = do.split(":")[0]
        return name, f"fault_add {where},p={p},count={count},do={do}", life_s or self.rng.uniform(0.5, 4)

    def _one_user(self):
        return f"user={self.rng.choice(self.run.accounts).user_id}"

    def _link(self):
        return self._rule(self.rng.choice(LINK_FAULTS))

    def _delay(self):
        return self._rule(f"delay:{self.rng.choice([1, 20, 200, 800])}", count=10)

    def _long_delay(self):
        """Past the gateway's patience with a silent link, or past the deadline of the call."""
        return self._rule(f"delay:{self.rng.choice([SILENCE_S + 0.5, LONGEST_DELAY_S]) * 1000:.0f}")

    def _flood(self):
        return self._rule(f"flood_wait:{self.rng.choice([1, 1, 2, 30, 3600])}")

    def _error(self):
        name, code = self.rng.choice(self.errors)
        return self._rule(f"error:{code}:{name}")

    def _refused_key(self):
        """Once: twice in a row would mean that the key is dead."""
        return self._rule("transport_error:404", count=1, where=self._one_user())

    def _transport_flood(self):
        return self._rule("transport_error:429", count=1)

    def _clock(self):
        return self._rule(f"clock_skew:{self.rng.choice([-7200, -400, -20, 20, 400, 7200])}")

    def _drop(self):
        return "drop", f"drop {self.rng.choice(self.run.accounts).phone}", 0

    def _drop_all(self):
        return "drop_all", "drop_all", 0

    def _advance(self):
        return "clock_advance", f"clock_advance {self.rng.choice([1, 60, 1900])}", 0
