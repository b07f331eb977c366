# SPDX-License-Identifier: MIT
"""The programs under test, each as a child process whose standard error is kept and looked through."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

# Of whatever is waited for: it ends what hangs, and no machine is as slow, sanitizers and all.
DEADLINE_S = float(os.environ.get("TGREST_TEST_DEADLINE", "120"))

SANITIZER_REPORT = re.compile(
    r"ERROR: \w*Sanitizer|WARNING: ThreadSanitizer|SUMMARY: \w*Sanitizer|runtime error:|LeakSanitizer"
)
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=99:second_deadlock_stack=1",
}


def clean_environment(extra=None):
    """No TGREST_… of the caller's reaches what is tested."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TGREST_")}
    return {**env, **SANITIZER_ENV, **(extra or {})}


class Secrets:
    """What no log may show. Texts shorter than `TEXT_MIN` turn up by chance and are left out."""

    TEXT_MIN = 8

    def __init__(self):
        self._codes = set()
        self._texts = set()
        self._phones = set()

    def code(self, value):
        if re.fullmatch(r"\d{5,}", str(value)):
            self._codes.add(str(value))

    def phone(self, value):
        self._phones.add(re.sub(r"\D", "", str(value)))

    def text(self, value):
        if isinstance(value, str) and len(value) >= self.TEXT_MIN:
            self._texts.add(value)

    def found_in(self, output, logins_are_shown):
        """The secrets that the output shows. A data centre in a box shows phones and codes: that is how
        one gets at them."""
        found = [text for text in self._texts if text in output]
        if logins_are_shown:
            return found
        # Times and ports are numbers too.
        numbers = re.sub(r'"?\bus"?[=:]\d+|\d\d:\d\d:\d\d\.\d+|127\.0\.0\.1:\d+', "", output)
        words = set(re.findall(r"(?<![0-9a-f])\d+(?![0-9a-f])", numbers))
        return found + sorted((self._codes | {p for p in self._phones if len(p) > 4}) & words)


SECRETS = Secrets()


class Process:
    """A child that must end by SIGTERM with status 0 and without a sanitizer's report."""

    all = []

    def __init__(self, argv, env=None, cwd=None, logins_are_shown=False):
        self.argv = [str(a) for a in argv]
        self.logins_are_shown = logins_are_shown
        self.lines = []
        self.checked = False
        self.asked = False
        self._news = threading.Condition()
        self._ended = False
        self.child = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
            env=clean_environment(env), text=True, errors="replace",
        )
        self.out_lines = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.child.stderr, self.lines), daemon=True),
            threading.Thread(target=self._read, args=(self.child.stdout, self.out_lines), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        Process.all.append(self)

    def _read(self, stream, lines):
        for line in stream:
            with self._news:
                lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = stream is self.child.stderr or self._ended
            self._news.notify_all()

    @property
    def pid(self):
        return self.child.pid

    @property
    def output(self):
        with self._news:
            return "\n".join(self.lines)

    def mark(self):
        """A place in the output, for `wait_for(..., since=)`."""
        with self._news:
            return len(self.lines)

    def wait_for(self, pattern, since=0, deadline_s=None):
        """Waits for a line of standard error that matches, and returns the match."""
        pattern = re.compile(pattern)
        at = since
        end = time.monotonic() + (deadline_s or DEADLINE_S)
        with self._news:
            while True:
                while at < len(self.lines):
                    match = pattern.search(self.lines[at])
                    at += 1
                    if match:
                        return match
                left = end - time.monotonic()
                assert not self._ended, f"{self.argv[:2]} ended before {pattern.pattern!r}:\n" + "\n".join(self.lines)
                assert left > 0, f"no {pattern.pattern!r} in time from {self.argv[:2]}:\n" + "\n".join(self.lines)
                self._news.wait(left)

    def wait(self, deadline_s=None):
        status = self.child.wait(deadline_s or DEADLINE_S)
        for reader in self._readers:
            reader.join(DEADLINE_S)
        return status

    def kill(self):
        """As a crash of the machine would: nothing about its end is checked."""
        self.child.kill()
        self.wait()
        self.checked = True

    def terminate(self):
        """Asks it to end, once: a second signal would end it at once."""
        if not self.asked:
            self.asked = True
            self.child.send_signal(signal.SIGTERM)

    def finished(self):
        """Waits for the end it was asked for; it must have been a good one."""
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.wait()
            self.checked = True
            raise AssertionError(f"{self.argv[:2]} did not end after SIGTERM:\n" + self.output[-4000:]) from None
        self.checked = True
        assert status == 0, f"{self.argv[:2]} ended with {status}:\n" + self.output[-8000:]
        self.check_output()

    def check_output(self):
        report = SANITIZER_REPORT.search(self.output)
        assert not report, f"{self.argv[:2]}:\n" + self.output[-12000:]
        shown = SECRETS.found_in(self.output, self.logins_are_shown)
        assert not shown, f"{self.argv[:2]} wrote secrets: {shown}"

    def stop(self):
        if self.checked:
            return
        if self.child.poll() is None:
            self.terminate()
        self.finished()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Gateway(Process):
    """`tgrest serve` on a free port of the loopback interface."""

    workers_default = 2

    def __init__(self, binary, sandbox=None, key_file=None, options=(), env=None, warm=None, workers=None):
        argv = [binary, "serve", "--listen", "127.0.0.1:0", "--workers", workers or self.workers_default]
        if sandbox is not None:
            for dc, port in sandbox.dcs.items():
                argv += ["--dc", f"{dc}=127.0.0.1:{port}"]
            argv += ["--dc-key", sandbox.public_key]
        if key_file is not None:
            argv += ["--key-file", key_file]
        if warm is not None:
            argv += ["--warm", warm]
        # Calls have the time that tests have: one that starves on a busy machine has not failed.
        super().__init__([*argv, *options], env={"TGREST_TIMEOUT": f"{DEADLINE_S:.0f}", **(env or {})})
        self.port = int(self.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))
        self.url = f"http://127.0.0.1:{self.port}"


class Sandbox(Process):
    """`tgrest sandbox` on free ports, with its control port."""

    def __init__(self, binary, public_key, dcs=3, options=(), env=None):
        self.public_key = public_key
        argv = [binary, "sandbox", "--listen", "127.0.0.1:0", "--dcs", dcs, "--control", "127.0.0.1:0",
                "--rsa-public-out", public_key, *options]
        super().__init__(argv, env=env, logins_are_shown=True)
        first = int(self.wait_for(r"^sandbox on 127\.0\.0\.1:(\d+)$").group(1))
        self.dcs = {2: first} if dcs == 1 else {1: first}
        for line in self.lines:
            if match := re.match(r"data centre (\d+) on 127\.0\.0\.1:(\d+)$", line):
                self.dcs[int(match.group(1))] = int(match.group(2))
        self.control_port = int(self.wait_for(r"^control on 127\.0\.0\.1:(\d+)$").group(1))
        self.control = Control(self.control_port)

    def stop(self):
        self.control.close()
        super().stop()

    def login_code(self, phone, since=0):
        """The code that went to that number last, from the log, as its owner would read it."""
        return self.wait_for(rf'login_code\b.*\bphone="?{phone}"? code="?(\d+)', since=since).group(1)


class Control:
    """The sandbox's control port: faults, clock, counters."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
        self._stream = self._socket.makefile("rw", encoding="utf-8", newline="\n")
        self._lock = threading.Lock()

    def close(self):
        self._stream.close()
        self._socket.close()

    def run(self, command):
        """The lines that the command answers."""
        with self._lock:
            self._stream.write(command + "\n")
            self._stream.flush()
            lines = []
            while True:
                line = self._stream.readline().rstrip("\n")
                if line == "ok":
                    return lines
                assert line and not line.startswith("error"), f"{command}: {line or 'no answer'}"
                lines.append(line)

    @contextlib.contextmanager
    def fault(self, rule):
        """The rule stands inside of the with block, which gets a function that tells its hits."""
        rule_id = self.run(f"fault_add {rule}")[0]
        try:
            yield lambda: self._hits(rule_id)
        finally:
            self.run(f"fault_remove {rule_id}")

    def _hits(self, rule_id):
        for line in self.run("fault_list"):
            if line.split()[0] == rule_id:
                return int(re.search(r"hits=(\d+)", line).group(1))
        raise AssertionError(f"rule {rule_id} is gone")

    def stats(self):
        """All counters; methods as {"messages.sendMessage": executed}."""
        counters = {}
        for line in self.run("stats"):
            name, value = line.split(" ", 1)
            counters[name] = int(re.match(r"(?:executed=)?(\d+)", value).group(1))
        return counters

    def executed(self, method):
        return self.stats().get(method, 0)

    def now(self):
        """Its clock, unix seconds."""
        return int(self.run("clock_advance 0")[0])


def wait_until(condition, what, deadline_s=None):
    """For what no event is told of: asks again and again, giving way in between."""
    end = time.monotonic() + (deadline_s or DEADLINE_S)
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.005)
