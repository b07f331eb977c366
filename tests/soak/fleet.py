# SPDX-License-Identifier: MIT
"""Replicas of the gateway, killed, drained and started anew; what they wrote is kept and looked through."""
import asyncio
import os
import re
import sys
import time

import httpx

# httpcore tries to import it with each request, and a search that finds nothing is not remembered.
sys.modules.setdefault("sniffio", None)

from processes import Gateway, Process  # noqa: E402

TIMEOUT_S, SILENCE_S, WARM_S = 4, 2, 3
# A call may wait for the whole deadline, sleep out a flood wait that it allowed, and be late on a busy machine.
CLIENT_TIMEOUT_S = 60
# What went out this long before SIGTERM has been read by the gateway, busy as the machine may be.
BEFORE_DRAIN_S = 2
# Memory that a sanitizer keeps back only to notice its use after free would hide a leak.
ASAN_ENV = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:quarantine_size_mb=16"}


class Flight:
    """A call on its way."""

    def __init__(self, life):
        self.life = life
        self.begun = time.monotonic()
        self.sent = None  # when its last byte went
        self.must_be_answered = False

    @property
    def too_slow(self):
        """A body that took longer than the gateway waits for one: this program's doing, on a busy machine."""
        return self.sent is None and time.monotonic() - self.begun >= TIMEOUT_S

    async def trace(self, event, _info):
        if event == "http11.send_request_body.complete":
            self.sent = time.monotonic()


class Life:
    """Of one process: open while it takes new calls; killed: nothing is expected of it any more."""

    def __init__(self):
        self.open = True
        self.killed = False


class Replica:
    """A place at which gateways come and go."""

    def __init__(self, fleet, name):
        self.fleet = fleet
        self.name = name
        self.gateway = None
        self.clients = {}
        self.generation = 0
        self.life = None
        self.flights = set()

    @property
    def open(self):
        return self.life is not None and self.life.open

    async def start(self):
        run = self.fleet.run
        self.generation += 1
        self.gateway = await asyncio.to_thread(
            Gateway, run.binary, run.sandbox, run.key_file, env=ASAN_ENV, warm=self.fleet.warm,
            options=["--timeout", TIMEOUT_S, "--silence", SILENCE_S])
        self.life = Life()

    def client_of(self, account):
        """Everybody has connections of their own: httpx looks through its whole pool for each request."""
        if account not in self.clients:
            self.clients[account] = httpx.AsyncClient(
                base_url=self.gateway.url, timeout=CLIENT_TIMEOUT_S, trust_env=False, verify=False)
        return self.clients[account]

    async def hang_up(self):
        clients, self.clients = self.clients, {}
        for client in clients.values():
            await client.aclose()

    async def kill(self):
        """As a crash would."""
        self.life.open, self.life.killed = False, True
        self.gateway.child.kill()
        await self._over()

    async def drain(self):
        """SIGTERM: calls that are under way are answered, then it ends with 0."""
        run, self.life.open = self.fleet.run, False
        now = time.monotonic()
        for flight in self.flights:
            flight.must_be_answered = flight.sent is not None and now - flight.sent >= BEFORE_DRAIN_S
        self.gateway.terminate()
        status = await self._over()
        run.check(status == 0, "replicas end with status 0, and in time", f"{self.label()} ended with {status}")

    async def _over(self):
        try:
            return await asyncio.to_thread(self.gateway.wait, TIMEOUT_S + CLIENT_TIMEOUT_S)
        except Exception:  # it did not end: its state is worth more than its life
            self.gateway.child.kill()
            return await asyncio.to_thread(self.gateway.wait)
        finally:
            self.gateway.checked = True
            while self.flights:  # what came last may not have been read yet
                await asyncio.sleep(0.01)
            await self.hang_up()
            self.fleet.run.keep_log(self.gateway, self.label())

    def label(self):
        return f"{self.name}.{self.generation}"


class Fleet:
    """Replicas that share a way of use. The first is never killed: its memory is watched all along."""

    def __init__(self, run, name, warm, n):
        self.run = run
        self.name = name
        self.warm = warm
        self.replicas = [Replica(self, f"{name}-{i}") for i in range(n)]

    @property
    def elder(self):
        return self.replicas[0]

    def choose(self, rng):
        return rng.choice([replica for replica in self.replicas if replica.open])

    async def disturb(self, rng, until):
        """Kills or drains one of the others, again and again."""
        while until() > 0:
            await asyncio.sleep(min(rng.uniform(2, 8), max(until(), 0.1)))
            if until() <= 0:
                return
            victim = rng.choice(self.replicas[1:])
            kill = rng.random() < 0.5
            await (victim.kill() if kill else victim.drain())
            self.run.counts["killed" if kill else "drained"] += 1
            await asyncio.sleep(rng.choice([0, 0, 0.5, 2]))
            await victim.start()


def resident(pid):
    """Bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status.read(), re.M).group(1)) * 1024


def descriptors(pid):
    """Open ones; None where only the superuser may look: the gateway is not dumpable."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        return None


def forget(process):
    """Its output is on disk now."""
    Process.all.remove(process)
    process.lines.clear()
