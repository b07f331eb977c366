# SPDX-License-Identifier: MIT
"""Memory and descriptors over time: flat, but for what the sandbox is asked to keep."""
import statistics
import time

from fleet import descriptors, resident

MIB = 1024 * 1024
# Pools, caches and the allocator's arenas fill in the first half; after that a replica keeps nothing.
GATEWAY_SLACK = 6 * MIB
# The sandbox keeps every message (with a box for each member of a basic group), each edit's and each deletion's
# update for those who come back later, and for each key the answers of its last hundred sessions.
SANDBOX_SLACK = 24 * MIB
SANDBOX_BYTES_A_CALL = 4 * 1024
# The shadow of a sanitizer, its quarantine and its red zones.
SANITIZER_FACTOR = 4
DESCRIPTORS_SLACK = 4


class Watch:
    """One process."""

    def __init__(self, name, pid, factor):
        self.name = name
        self.pid = pid
        self.factor = factor
        self.samples = []  # (monotonic seconds, resident bytes, calls executed so far)
        self.idle_descriptors = descriptors(pid)

    def sample(self, executed):
        self.samples.append((time.monotonic(), resident(self.pid), executed))

    @property
    def now(self):
        return self.samples[-1][1] if self.samples else resident(self.pid)

    def _window(self, begin, end):
        """Medians of that part of the samples: bytes, calls."""
        part = self.samples[int(len(self.samples) * begin): int(len(self.samples) * end)]
        return statistics.median(s[1] for s in part), statistics.median(s[2] for s in part)

    def growth(self):
        """Bytes and calls between the second quarter and the last."""
        (before, calls_before), (after, calls_after) = self._window(0.25, 0.5), self._window(0.75, 1)
        return after - before, calls_after - calls_before

    def judge(self, run, slack, bytes_a_call=0):
        if len(self.samples) < 8:
            return
        grown, calls = self.growth()
        bound = self.factor * (slack + bytes_a_call * calls)
        run.check(grown <= bound, "memory is flat",
                  f"{self.name} grew by {grown / MIB:.1f} MiB, over {bound / MIB:.1f}, with {calls:.0f} calls")
        run.note(f"{self.name}: {self.samples[0][1] / MIB:.1f} MiB at first, {self.now / MIB:.1f} at last, "
                 f"{grown / MIB:+.1f} over the second half ({calls:.0f} calls)")

    def judge_descriptors(self, run):
        """After all links have been closed."""
        have = descriptors(self.pid)
        if have is None:
            run.note(f"{self.name}: descriptors are not shown to this user")
            return
        run.check(have <= self.idle_descriptors + DESCRIPTORS_SLACK, "descriptors are given back",
                  f"{self.name} has {have}, and had {self.idle_descriptors} at first")
        run.note(f"{self.name}: {have} descriptors at last, {self.idle_descriptors} at first")
