# SPDX-License-Identifier: MIT
"""make soak: random traffic of many accounts over replicas that die, at a data centre where everything goes wrong.
What was answered must have been true."""
import argparse
import asyncio
import collections
import contextlib
import itertools
import pathlib
import random
import secrets
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from accounts import Numbers  # noqa: E402
from faults import LONGEST_DELAY_S, Faults  # noqa: E402
from fleet import CLIENT_TIMEOUT_S, WARM_S, Fleet, forget  # noqa: E402
from judge import Judge, Violations  # noqa: E402
from ledger import PRESENT, Ledger  # noqa: E402
from processes import SECRETS, Process, Sandbox  # noqa: E402
from traffic import Traffic  # noqa: E402
from visitors import Visitors  # noqa: E402
from watch import (  # noqa: E402
    GATEWAY_SLACK, SANDBOX_BYTES_A_CALL, SANDBOX_COPIES_OF_FILE, SANDBOX_SLACK, SANITIZER_FACTOR, Watch)
from world import build_world  # noqa: E402

ROUND_S = 45  # of traffic, then all is compared
REPLICAS = 2  # of each fleet
LANES = 3
PAGE = 1000
SHOWN = 20

# Each of these passes or fails; what is checked under another name is a mistake of this program's.
CHECKS = [
    "every message is there as its sender was told",
    "a repeated key is answered with the first message",
    "every answer is one that the description documents",
    "nobody gets another's answer",
    "histories are in order",
    "files come back as they went",
    "searches find what was searched for",
    "mistakes are refused",
    "a session that was logged out is dead",
    "sessions outlive all of this",
    "no key is used over two connections at once",
    "a replica that is up answers every call",
    "a replica that drains answers the calls under way",
    "replicas end with status 0, and in time",
    "logs show neither errors nor secrets",
    "memory is flat",
    "descriptors are given back",
    "warm connections are closed in time",
    "enough went wrong to tell",
]


class Soak:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.binary = options.binary
        self.key_file = folder / "soak.key"
        self.violations = Violations()
        self.counts = collections.Counter()
        self.faults = collections.Counter()
        self.notes = []
        self.calls = 0
        self.accounts, self.lounges, self.open_keys, self.watches = [], [], [], []
        self.ledger = Ledger(f"soak-{options.seed:x}-")
        self.sandbox = self.judge = None
        self.asan = "asan" in options.binary
        self._began = time.monotonic()
        self.file_bytes = 0  # that were sent

    def rng(self, name):
        return random.Random(f"{self.options.seed}/{name}")

    def check(self, holds, name, text):
        assert name in CHECKS, name
        if not holds:
            self.violations.add(name, f"{time.monotonic() - self._began:.1f} s: {text}")

    def note(self, text):
        self.notes.append(text)

    async def control(self, command):
        return await asyncio.to_thread(self.sandbox.control.run, command)

    def keep_log(self, process, label):
        """On disk; what it must not hold is looked for."""
        (self.folder / f"{label}.log").write_text(process.output)
        try:
            process.check_output()
        except AssertionError as problem:
            self.check(False, "logs show neither errors nor secrets", f"{label}: {problem}"[:4000])
        for line in process.lines:
            self.check("Z error " not in line and "tgr1." not in line, "logs show neither errors nor secrets",
                       f"{label}: {line}")
        forget(process)

    # ---- one run ----

    async def run(self):
        self.sandbox = await asyncio.to_thread(
            Sandbox, self.binary, self.folder / "sandbox.pem", options=["--seed", self.options.seed % 2**31])
        self.fleets = [Fleet(self, "sticky", WARM_S, REPLICAS), Fleet(self, "roaming", "off", REPLICAS)]
        for fleet in self.fleets:
            for replica in fleet.replicas:
                await replica.start()
        self._watch()
        spec = (await self.fleets[0].elder.client_of(self).get("/openapi.json")).json()
        self.judge = Judge(spec, self.violations)
        numbers = Numbers()
        traffic = await build_world(self, numbers, self.options.accounts)
        visitors = [Visitors(self, self.rng(f"visitors {f.name}"), numbers, f) for f in self.fleets]
        show = asyncio.create_task(self._show())
        await self._rounds(traffic, visitors)
        show.cancel()
        await self._end()

    def _watch(self):
        factor = SANITIZER_FACTOR if self.asan else 1
        self.watches = [Watch(f.elder.name, f.elder.gateway.pid, factor) for f in self.fleets]
        self.watches.append(Watch("sandbox", self.sandbox.pid, factor))

    async def _rounds(self, traffic, visitors):
        n = max(2, round(self.options.minutes * 60 / ROUND_S))
        for number in range(n):
            # Who was sticky roams in the next round, and the other way round.
            for i, account in enumerate(self.accounts):
                account.join(self.fleets[(i + number) % 2])
            await self._round(traffic, visitors, number, self.options.minutes * 60 / n)
            await self._compare(traffic)

    async def _round(self, traffic, visitors, number, seconds):
        end = time.monotonic() + seconds

        def until():
            return end - time.monotonic()

        faults = Faults(self, self.rng(f"faults {number}"))
        await asyncio.gather(
            *(t.go_on(until) for t in traffic for _ in range(LANES)),
            *(v.go_on(until) for v in visitors),
            *(f.disturb(self.rng(f"{f.name} {number}"), until) for f in self.fleets),
            faults.go_on(until),
            self._sample(until),
        )

    async def _sample(self, until):
        while until() > 0:
            stats = await asyncio.to_thread(self.sandbox.control.stats)
            executed = sum(n for name, n in stats.items() if "." in name)
            for watch in self.watches:
                watch.sample(executed, self.file_bytes)
            await asyncio.sleep(0.5)

    # ---- comparing ----

    async def _compare(self, traffic):
        await self.control("fault_clear")
        await asyncio.sleep(LONGEST_DELAY_S)  # what was given up may still be executed
        for one, entry, request in self.open_keys:
            answer = await one.post(entry, request, "sent at last")
            self.check(answer.ok, "a repeated key is answered with the first message", f"{answer}; {entry.story}")
            if answer.ok:
                await one.repeat(entry, answer, request)
        self.open_keys.clear()
        for account, one in zip(self.accounts, traffic):
            answer = await account.call("GET", "/me")
            self.check(answer.ok, "sessions outlive all of this", f"{account}: {answer}")
            await one.is_me(answer)
        async for problem in self.ledger.check(self._read):
            self.check(False, "every message is there as its sender was told", problem)
        self.counts["comparisons"] += 1

    async def _read(self, account, chat_id):
        """The whole chat."""
        messages, offset = [], 0
        while True:
            answer = await account.call("GET", "/messages", params={
                "chat_id": chat_id, "limit": PAGE, "offset_id": offset, "parse_mode": "none"})
            if not answer.ok:
                self.check(False, "every message is there as its sender was told", f"{account}, {chat_id}: {answer}")
                return messages
            messages += answer.body["messages"]
            offset = answer.body["next_offset"]
            if not answer.body["has_more"]:
                return messages

    # ---- the end ----

    async def _end(self):
        stats = await asyncio.to_thread(self.sandbox.control.stats)
        self.check(stats["duplicated"] == 0, "no key is used over two connections at once",
                   f"{stats['duplicated']} were")
        await self._idle()
        for watch in self.watches[:-1]:
            watch.judge(self, GATEWAY_SLACK)
        self.watches[-1].judge(self, SANDBOX_SLACK, SANDBOX_BYTES_A_CALL, SANDBOX_COPIES_OF_FILE)
        await asyncio.gather(*(r.drain() for f in self.fleets for r in f.replicas))
        self.sandbox.control.close()
        self.sandbox.terminate()
        status = await asyncio.to_thread(self.sandbox.wait)
        self.sandbox.checked = True
        self.check(status == 0, "replicas end with status 0, and in time", f"the sandbox ended with {status}")
        self.keep_log(self.sandbox, "sandbox")
        self._enough()

    async def _idle(self):
        """Nothing is asked any more: links close when they have been warm for long enough, then HTTP's."""
        deadline = time.monotonic() + WARM_S + CLIENT_TIMEOUT_S
        while (opened := (await asyncio.to_thread(self.sandbox.control.stats))["connections_open"]) > 0:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        self.check(opened == 0, "warm connections are closed in time", f"{opened} are open")
        for fleet in self.fleets:
            for replica in fleet.replicas:
                await replica.hang_up()
        while time.monotonic() < deadline and not all(watch.descriptors_are_back() for watch in self.watches):
            await asyncio.sleep(0.1)
        for watch in self.watches:
            watch.judge_descriptors(self)

    def _enough(self):
        """A run in which nothing went wrong has proved nothing."""
        sent = sum(entry.state == PRESENT for entry in self.ledger.entries())
        for what, n in {"messages": sent, "kills": self.counts["killed"], "drains": self.counts["drained"],
                        "logouts": self.counts["logouts"], "struck faults": sum(self.faults.values())}.items():
            wanted = {"messages": 100, "struck faults": 20}.get(what, 1)
            self.check(n >= wanted, "enough went wrong to tell", f"only {n} {what}")
        self.note(f"{sum(len(e) for e in self.ledger.rooms.values())} messages asked for, {sent} there; "
                  f"{dict(self.counts)}")
        self.note("faults that struck: " + ", ".join(f"{name} {n}" for name, n in sorted(self.faults.items())))

    # ---- what people see ----

    async def _show(self):
        interval = 2 if sys.stdout.isatty() else 15
        for _ in itertools.count():
            await asyncio.sleep(interval)
            errors = sum(n for (_, _, status, _), n in self.judge.answers.items() if status >= 400)
            memory = ", ".join(f"{w.name} {w.now >> 20} MiB" for w in self.watches)
            print(f"{time.monotonic() - self._began:6.0f} s  {self.calls} calls, {errors} errors, "
                  f"{self.counts['killed']} killed, {self.counts['drained']} drained, "
                  f"{self.violations.count()} violations; {memory}", flush=True)

    def report(self):
        print("\nanswers:")
        for line in self.judge.table() if self.judge else ():
            print(line)
        print()
        for note in self.notes:
            print(note)
        failed = 0
        for name in CHECKS:
            found = self.violations.of.get(name, [])
            failed += bool(found)
            print(f"{'FAILED' if found else 'ok':6s} {name}" + (f": {len(found)} times" if found else ""))
            for text in found[:SHOWN]:
                print("    " + text)
        if failed:
            kept = self.folder / "violations.txt"
            lines = [f"{name}: {text}" for name, texts in self.violations.of.items() for text in texts]
            kept.write_text("\n".join(lines))
            print(f"all of it: {kept}; logs beside it; again with SEED={self.options.seed}")
        print(f"soak: {self.calls} calls in {time.monotonic() - self._began:.0f} s, seed {self.options.seed}")
        print(f"{len(CHECKS) - failed} passed, {failed} failed")
        return failed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="build/tgrest")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=secrets.randbits(31))
    parser.add_argument("--accounts", type=int, default=40)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("build/soak"))
    options = parser.parse_args()
    print(f"soak: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(options.folder)
    options.folder.mkdir(parents=True)
    soak = Soak(options, options.folder)
    SECRETS.text(soak.ledger.prefix)  # every text has it
    try:
        asyncio.run(soak.run())
    finally:
        for process in list(Process.all):
            process.child.kill()
    sys.exit(0 if soak.report() else 1)


if __name__ == "__main__":
    main()
