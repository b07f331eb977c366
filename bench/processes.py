# SPDX-License-Identifier: MIT
"""The programs under load: starting and stopping them, and what the kernel says they use."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A child process whose standard error goes to a file; ready when a line there matches."""

    def __init__(self, name, argv, log, ready=None, env=None):
        self.name = name
        self.log = Path(log)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TGREST_")}
        with self.log.open("wb") as out:
            self.child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          env={**clean, **(env or {})})
        self.match = self._wait(re.compile(ready)) if ready else None

    def _wait(self, pattern):
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self.child.poll() is None:
            match = pattern.search(self.log.read_text(errors="replace"))
            if match:
                return match
            time.sleep(0.01)
        self.stop()
        raise Failed(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")

    def pids(self):
        """The process and its children: nginx works in those."""
        pid = self.child.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu_us(self):
        """CPU time of all threads, from the scheduler's own nanoseconds."""
        total = 0
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                try:
                    total += int((task / "schedstat").read_text().split()[0])
                except FileNotFoundError:
                    pass  # a thread that ended just now
        return total / 1000

    def memory_kib(self):
        """Rss and Pss."""
        text = Path(f"/proc/{self.child.pid}/smaps_rollup").read_text()
        return tuple(int(re.search(rf"^{field}:\s+(\d+)", text, re.M).group(1)) for field in ("Rss", "Pss"))

    def peak_kib(self):
        """The most Rss since the start, or since forget_peak."""
        return int(re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{self.child.pid}/status").read_text(), re.M).group(1))

    def forget_peak(self):
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def kernel_kib():
    """Unreclaimable kernel memory: where sockets live."""
    return int(re.search(r"^SUnreclaim:\s+(\d+)", Path("/proc/meminfo").read_text(), re.M).group(1))


class Sandbox(Program):
    def __init__(self, binary, directory, name, schema=None):
        self.pem = Path(directory) / f"{name}.pem"
        argv = [binary, "sandbox", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--empty",
                "--rsa-public-out", self.pem, "--log-level", "warn"]
        super().__init__(name, argv + (["--schema", schema] if schema else []), Path(directory) / f"{name}.log",
                         r"(?s)control on 127\.0\.0\.1:(\d+).*sandbox on 127\.0\.0\.1:(\d+)")
        self.control_port, self.port = map(int, self.match.groups())
        self.control = socket.create_connection(("127.0.0.1", self.control_port)).makefile("rw")

    def command(self, text):
        """The lines of its answer."""
        self.control.write(text + "\n")
        self.control.flush()
        lines = []
        for line in self.control:
            if line == "ok\n":
                return lines
            if line.startswith("error "):
                break
            lines.append(line.rstrip("\n"))
        raise Failed(f"the sandbox refuses {text}")

    def mint(self, phone, n):
        """Keys that are logged in to the account of that phone."""
        keys = []
        while len(keys) < n:
            keys += self.command(f"mint {phone} {min(n - len(keys), 2000)}")
        return [bytes.fromhex(k) for k in keys]


class Gateway(Program):
    def __init__(self, binary, directory, name, sandbox, schema=None):
        argv = [binary, "serve", "--listen", "127.0.0.1:0", "--dc", f"2=127.0.0.1:{sandbox.port}", "--dc-key",
                sandbox.pem, "--key-file", Path(directory) / "gateway.key", "--log-level", "warn"]
        super().__init__(name, argv + (["--schema", schema] if schema else []), Path(directory) / f"{name}.log",
                         r"listening on http://127\.0\.0\.1:(\d+)")
        self.port = int(self.match.group(1))


class Wrapper(Program):
    def __init__(self, python, directory, sandbox):
        self.port = free_port()
        argv = [python, "-m", "uvicorn", "--app-dir", Path(__file__).parent / "wrapper", "app:app", "--host",
                "127.0.0.1", "--port", self.port, "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        super().__init__("wrapper", argv, Path(directory) / "wrapper.log", r"Uvicorn running on",
                         env={"WRAPPER_DC": f"127.0.0.1:{sandbox.port}", "WRAPPER_DC_KEY": str(sandbox.pem)})


NGINX_CONF = """
daemon off;
pid {dir}/nginx.pid;
error_log stderr notice;
worker_processes auto;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port} reuseport;
        set $kilo "{kilo}";
        {locations}
    }}
}}
"""


class Nginx(Program):
    """Answers each path with `return 200` and as many bytes as asked for."""

    def __init__(self, directory, sizes):
        self.port = free_port()
        locations = "\n        ".join(
            f'location = {path} {{ return 200 "{"${kilo}" * (size // 1000)}{"x" * (size % 1000)}"; }}'
            for path, size in sizes.items())
        conf = Path(directory) / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=directory, port=self.port, kilo="x" * 1000, locations=locations))
        super().__init__("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-c", conf], Path(directory) / "nginx.log", r"start worker process \d+")
