# SPDX-License-Identifier: MIT
"""A user of the gateways: one session, its calls, and the rule that they never go two ways at once."""
import asyncio
import contextlib
import time

import httpx

from fleet import TIMEOUT_S, Flight

# The sandbox has read and forgotten what a replica that died had sent it.
AFTER_LOSS_S = 0.5
# A client that hangs up may only have closed its sending side: the call runs on, at most to its deadline.
AFTER_HANGING_UP_S = TIMEOUT_S + AFTER_LOSS_S


class Answer:
    """What came of a call: a status and a body, or nothing (`lost`: never sent; else: not answered)."""

    def __init__(self, response=None, unsent=False, where=""):
        self.response = response
        self.unsent = unsent
        self.where = where
        self.status = response.status_code if response is not None else 0
        is_json = response is not None and response.headers.get("content-type") == "application/json"
        self.body = response.json() if is_json else {}

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def error(self):
        return self.body.get("error", "") if self.status >= 400 else ""

    @property
    def refused(self):
        """Nothing was executed: whoever says less than that must not say more."""
        return self.unsent or (self.status >= 400 and self.status != 504)

    def __str__(self):
        request_id = self.response.headers.get("x-request-id") if self.response is not None else "-"
        return f"[{self.where} {self.status or 'no answer'} {self.error} {request_id}]"


class Account:
    """lanes: calls at once. Behind a balancer that hashes sessions several may run; over replicas in turn one."""

    def __init__(self, run, name, session, rng):
        self.run = run
        self.name = name
        self.session = session
        self.rng = rng
        self.fleet = None
        self.user_id = self.phone = self.username = None
        self.replica = None
        self.generation = 0
        self.moves_after = 0.0
        self.flying = 0
        self._turn = asyncio.Condition()

    def __repr__(self):
        return self.name

    def join(self, fleet):
        self.fleet = fleet
        self.replica = None

    @property
    def roams(self):
        return self.fleet.warm == "off"

    def _stays(self):
        settled = self.moves_after < time.monotonic()
        return ((not self.roams or not settled) and self.replica is not None and self.replica.open
                and self.replica.generation == self.generation)

    def _rest(self, seconds):
        """No other replica is asked for that long."""
        self.moves_after = max(self.moves_after, time.monotonic() + seconds)

    @contextlib.asynccontextmanager
    async def _seat(self):
        """A replica to ask. Another one than last time only when nothing is under way at that one."""
        async with self._turn:
            while (self.roams or not self._stays()) and self.flying:
                await self._turn.wait()
            if not self._stays():
                replica = self.fleet.choose(self.rng)
                while replica is not self.replica and (wait_s := self.moves_after - time.monotonic()) > 0:
                    await asyncio.sleep(wait_s)
                    if not replica.open:
                        replica = self.fleet.choose(self.rng)
                self.replica, self.generation = replica, replica.generation
            self.flying += 1
            seat = self.replica
        try:
            yield seat
        finally:
            async with self._turn:
                self.flying -= 1
                self._turn.notify_all()

    async def call(self, method, path, *, session=None, headers=None, patience_s=None, **kwargs):
        """patience_s: hang up after that long."""
        headers = dict(headers or {})
        session = self.session if session is None else session
        if session:
            headers["X-Session-String"] = session
        async with self._seat() as replica:
            flight = Flight(replica.life)
            replica.flights.add(flight)
            where = replica.label()
            try:
                asked = replica.client_of(self).request(
                    method, path, headers=headers, extensions={"trace": flight.trace}, **kwargs)
                response = await (asyncio.wait_for(asked, patience_s) if patience_s else asked)
            except asyncio.TimeoutError:
                self._rest(AFTER_HANGING_UP_S)
                return Answer(where=where + " hung up")
            except httpx.TransportError as problem:
                return self._lost(flight, f"{where} {type(problem).__name__}", problem)
            finally:
                replica.flights.discard(flight)
        self.run.judge.look(response, where)
        self.run.calls += 1
        if "x-session-string" in response.headers and session == self.session:
            self.session = response.headers["x-session-string"]
        if response.status_code == 504:
            self._rest(AFTER_LOSS_S)
        return Answer(response, where=where)

    def _lost(self, flight, where, problem):
        self._rest(AFTER_LOSS_S)
        self.run.counts["calls cut off"] += 1
        # A download whose source fails half-way can only be cut: the head is out.
        cut = "complete message body" in str(problem)
        self.run.check(cut or flight.too_slow or not flight.life.open,
                       "a replica that is up answers every call", f"{where}: {problem}")
        unsent = isinstance(problem, httpx.ConnectError)
        self.run.check(unsent or flight.life.killed or not flight.must_be_answered,
                       "a replica that drains answers the calls under way", f"{where}: {problem}")
        return Answer(unsent=unsent, where=where)
