# SPDX-License-Identifier: MIT
"""Memory and descriptors over time: flat, but for what the sandbox is asked to keep."""
import statistics

from fleet import descriptors, resident

MIB = 1024 * 1024
# A replica keeps nothing, but its cache of peers is a table of fixed size whose pages are touched one by one, and the
# allocator's arenas grow to what the busiest moment took.
GATEWAY_SLACK = 6 * MIB
# The sandbox keeps every message (with a box for each member of a basic group), each edit's and each deletion's
# update for those who come back later, and for each key the answers of its last hundred sessions.
SANDBOX_SLACK = 24 * MIB
SANDBOX_BYTES_A_CALL = 4 * 1024
SANDBOX_COPIES_OF_FILE = 2  # as parts and as the whole, until the parts are forgotten
# The shadow of a sanitizer, its quarantine and its red zones.
SANITIZER_FACTOR = 4
DESCRIPTORS_SLACK = 4


class Watch:
    """One process."""

    def __init__(self, name, pid, factor):
        self.name = name
        self.pid = pid
        self.factor = factor
        self.samples = []  # (resident bytes, calls executed so far, bytes of files sent so far)
        self.idle_descriptors = descriptors(pid)

    def sample(self, executed, file_bytes):
        self.samples.append((resident(self.pid), executed, file_bytes))

    @property
    def now(self):
        return self.samples[-1][0] if self.samples else resident(self.pid)

    def _window(self, begin, end):
        """Medians of that part of the samples."""
        part = self.samples[int(len(self.samples) * begin): int(len(self.samples) * end)]
        return [statistics.median(column) for column in zip(*part)]

    def judge(self, run, slack, bytes_a_call=0, copies_of_file=0):
        """What was added between the second quarter and the last."""
        if len(self.samples) < 8:
            return
        grown, calls, files = (b - a for a, b in zip(self._window(0.25, 0.5), self._window(0.75, 1)))
        bound = self.factor * (slack + bytes_a_call * calls + copies_of_file * files)
        run.check(grown <= bound, "memory is flat",
                  f"{self.name} grew by {grown / MIB:.1f} MiB, over {bound / MIB:.1f}, with {calls:.0f} calls")
        run.note(f"{self.name}: {self.samples[0][0] / MIB:.1f} MiB at first, {self.now / MIB:.1f} at last, "
                 f"{grown / MIB:+.1f} over the second half ({calls:.0f} calls)")

    def descriptors_are_back(self):
        have = descriptors(self.pid)
        return have is None or have <= self.idle_descriptors + DESCRIPTORS_SLACK

    def judge_descriptors(self, run):
        """After all links have been closed."""
        have = descriptors(self.pid)
        if have is None:
            run.note(f"{self.name}: descriptors are not shown to this user")
            return
        run.check(have <= self.idle_descriptors + DESCRIPTORS_SLACK, "descriptors are given back",
                  f"{self.name} has {have}, and had {self.idle_descriptors} at first")
        run.note(f"{self.name}: {have} descriptors at last, {self.idle_descriptors} at first")
