# SPDX-License-Identifier: MIT
"""Gateways behind a balancer that knows nothing: each request goes to a replica at random, and replicas die
between requests. What one of them kept would be missed at once."""
import collections
import contextlib
import random
import threading

from processes import Gateway

CRASH_SHARE = 0.03  # of the requests, before which a replica dies


class Replicas:
    """Takes a gateway's place in the tests. Requests of one user that are under way together stay together:
    two replicas that use an auth key at once get it killed by Telegram."""

    def __init__(self, binary, sandbox, key_file, count, seed):
        self._start = lambda: Gateway(binary, sandbox, key_file, warm="off")
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._pool = [self._start() for _ in range(count)]
        self._busy = collections.Counter()
        self._users = {}
        self._steady = self._start()
        self.crashes = 0
        self.requests = 0

    # ---- for tests that speak to a socket themselves: one that lives ----

    @property
    def url(self):
        return self._steady.url

    @property
    def port(self):
        return self._steady.port

    @property
    def argv(self):
        return self._steady.argv

    # ---- for clients ----

    @contextlib.contextmanager
    def serving(self, user):
        """The URL of the replica that this request goes to."""
        with self._lock:
            self.requests += 1
            if self._random.random() < CRASH_SHARE:
                self._crash_one()
            replica, under_way = self._users.get(user, (self._random.choice(self._pool), 0))
            self._users[user] = replica, under_way + 1
            self._busy[replica] += 1
        try:
            yield replica.url
        finally:
            with self._lock:
                replica, under_way = self._users.pop(user)
                if under_way > 1:
                    self._users[user] = replica, under_way - 1
                self._busy[replica] -= 1

    def _crash_one(self):
        idle = [i for i, replica in enumerate(self._pool) if not self._busy[replica]]
        if idle:
            i = self._random.choice(idle)
            self._pool[i].kill()
            self._pool[i] = self._start()
            self.crashes += 1

    def stop(self):
        for replica in [*self._pool, self._steady]:
            replica.stop()
