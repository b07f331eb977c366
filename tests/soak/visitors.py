# SPDX-License-Identifier: MIT
"""People who sign up, log in, look in and log out again, with everything else going on."""
import asyncio

from account import Account
from accounts import code_of
from client import API_HASH, API_ID

STEP_TRIES = 6


class Visitors:
    def __init__(self, run, rng, numbers, fleet):
        self.run = run
        self.rng = rng
        self.numbers = numbers
        self.fleet = fleet
        self.phones = []  # that have an account

    async def go_on(self, until):
        while until() > 0:
            await self._visit()
            await asyncio.sleep(self.rng.uniform(0.1, 1))

    async def _visit(self):
        known = self.phones and self.rng.random() < 0.5
        phone = self.rng.choice(self.phones) if known else self.numbers.new(self.rng.choice([1, 2, 3]))
        visitor = Account(self.run, f"visitor {phone}", "", self.rng)
        visitor.join(self.fleet)
        if not await self._log_in(visitor, phone):
            return
        if not known:
            self.phones.append(phone)
        for _ in range(self.rng.randrange(3)):
            await visitor.call("GET", "/chats")
        await self._log_out(visitor)

    async def _step(self, visitor, path, **body):
        """Once more where nothing was executed; an unknown outcome is the end of this visit."""
        for _ in range(STEP_TRIES):
            answer = await visitor.call("POST", path, json=body)
            if answer.ok:
                visitor.session = answer.body["session_string"]
                return answer.body["next_step"]
            if not answer.refused or answer.status in (400, 401, 403, 404, 409):
                return None
            await asyncio.sleep(self.rng.uniform(0, 0.5))
        return None

    async def _log_in(self, visitor, phone):
        step = await self._step(visitor, "/auth/send_code", phone=phone, api_id=API_ID, api_hash=API_HASH)
        if step == "verify_code":
            step = await self._step(visitor, "/auth/verify_code", code=code_of(phone))
        if step == "sign_up":
            step = await self._step(visitor, "/auth/verify_code", code=code_of(phone), first_name="Visitor")
        self.run.counts["logins"] += step == "completed"
        return step == "completed"

    async def _log_out(self, visitor):
        answer = await visitor.call("DELETE", "/auth/logout")
        if not answer.ok:
            return
        self.run.counts["logouts"] += 1
        after = await visitor.call("GET", "/me")
        self.run.check(not after.ok, "a session that was logged out is dead", f"{answer} and then {after}")
