# SPDX-License-Identifier: MIT
"""make bench: runs every measurement and writes the report. bench/run.sh starts it."""
import http.client
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import transfers
import world
from load import API_HASH, API_ID, Api, Request, foreign_token, measure
from processes import Failed, Gateway, Nginx, Sandbox, Wrapper, kernel_kib
from report import Report

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/tgrest"
ENGINE = ROOT / "build/release/bench/engine"
SEALING = ROOT / "build/release/bench/sealing"
OLD_LAYER = ROOT / "schema/layers/api-216.tl"  # Telethon's
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
SESSIONS = min(int(os.environ.get("BENCH_SESSIONS", "10000")), DESCRIPTORS - 200)  # one each, and what else is open
CONNECTIONS = (1, 16, 64)
TRANSFERS = (1, 8)
STARTS = 10
IDLE_S = 12  # an unused session gives its buffers back after 10
EXCHANGE_CONNECTIONS = 8


class Bench:
    def __init__(self, directory, report):
        self.directory = directory
        self.report = report
        self.programs = []
        self.errors = 0

    def start(self, kind, *args, **named):
        program = kind(*args, **named)
        self.programs.append(program)
        return program

    def stop_all(self):
        for program in reversed(self.programs):
            program.stop()
        self.programs.clear()

    def load(self, program, requests, connections):
        m = measure(program, requests, connections, SECONDS, self.directory)
        self.errors += m.errors
        return m

    # ---- gateway, nginx and the wrapper, side by side ----

    def start_rivals(self):
        """One sandbox for the gateway, one of the same kind that speaks Telethon's layer for the wrapper."""
        d, n = self.directory, max(CONNECTIONS)
        self.report.progress("filling the sandboxes")
        sandbox = self.start(Sandbox, BINARY, d, "sandbox")
        old = self.start(Sandbox, BINARY, d, "sandbox-216", schema=OLD_LAYER)
        self.gateway = self.start(Gateway, BINARY, d, "gateway", sandbox)
        filler = self.start(Gateway, BINARY, d, "filler", old, schema=OLD_LAYER)
        self.accounts = world.populate(self.gateway, sandbox, n)
        self.old_accounts = world.populate(filler, old, n)
        filler.stop()
        self.wrapper = self.start(Wrapper, sys.executable, d, old)
        self.tokens, sizes = world.warm(self.gateway.port, self.accounts, [a.gateway_token for a in self.accounts])
        self.wrapper_tokens, _ = world.warm(self.wrapper.port, self.old_accounts,
                                            [a.wrapper_token for a in self.old_accounts])
        paths = {"send": "/messages/send", "chats": "/chats", "history": "/messages"}
        self.nginx = self.start(Nginx, d, {paths[name]: size for name, size in sizes.items()})
        self.report.note("Answers: " + ", ".join(f"{name} {size} bytes" for name, size in sizes.items()) +
                         "; nginx answers the same requests with as many.")

    def requests(self, route, sessions, wrapper=False):
        accounts, tokens = (self.old_accounts, self.wrapper_tokens) if wrapper else (self.accounts, self.tokens)
        return [world.ROUTES[route](a, t) for a, t in list(zip(accounts, tokens))[:sessions]]

    def throughput(self):
        rows, self.results = [], {}
        for route in world.ROUTES:
            for n in CONNECTIONS:
                self.report.progress(f"{route}, {n} connections")
                runs = {
                    "nginx": self.load(self.nginx, self.requests(route, n), n),
                    "tgrest": self.load(self.gateway, self.requests(route, n), n),
                    "wrapper": self.load(self.wrapper, self.requests(route, n, wrapper=True), n),
                }
                if n > 1:
                    runs["tgrest, one session"] = self.load(self.gateway, self.requests(route, 1), n)
                self.results[route, n] = runs
                rows += [self.row(route, n, name, m, runs) for name, m in runs.items()]
        self.report.table(
            "Requests: as many sessions as connections, or all on one",
            ["route", "conns", "server", "requests/s", "p50 µs", "p99 µs", "CPU µs each", "CPU, nginx = 1",
             "per core, wrapper = 1", "errors"], rows)

    def row(self, route, n, name, m, runs):
        return [route, n, name, f"{m.per_second:.0f}", m.p50_us, m.p99_us, f"{m.cpu_us:.1f}",
                f"{m.cpu_us / runs['nginx'].cpu_us:.2f}", f"{runs['wrapper'].cpu_us / m.cpu_us:.1f}", m.errors]

    # ---- the engine alone ----

    def engine(self):
        self.report.progress("the engine alone")
        sandbox = self.start(Sandbox, BINARY, self.directory, "sandbox-engine")
        key = sandbox.mint(world.phone(0), 1)[0]
        done = subprocess.run([ENGINE, "127.0.0.1", str(sandbox.port), sandbox.pem, str(SECONDS)],
                              input=key.hex() + "\n", capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(done.stderr)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        self.exchange = [float(x) for x in lines[0][2:4]]
        self.engine_lines = {(name, int(n)): float(cpu) for name, n, _, cpu, _, _ in lines}
        self.errors += sum(int(line[-1]) for line in lines)
        self.report.table(
            "The engine alone: one session, one thread, answers read into a tree",
            ["request", "in flight", "requests/s", "CPU µs each", "answer bytes", "errors"],
            [[name, n, f"{float(rate):.0f}", cpu, size, errors] for name, n, rate, cpu, size, errors in lines[1:]])

    # ---- key exchanges ----

    def exchanges(self):
        self.report.progress("key exchanges")
        sandbox = self.start(Sandbox, BINARY, self.directory, "sandbox-logins")
        gateway = self.start(Gateway, BINARY, self.directory, "gateway-logins", sandbox)
        requests = [Request("POST", "/auth/send_code", "", {"phone": world.phone(i), "api_id": API_ID,
                                                             "api_hash": API_HASH}) for i in range(5000)]
        m = self.load(gateway, requests, EXCHANGE_CONNECTIONS)
        per_second, cpu_us = self.exchange
        self.exchange_ms = cpu_us / 1000
        self.report.table(
            "Key exchanges (client side)",
            ["what", "at once", "per second", "CPU ms each", "errors"],
            [["engine: req_pq to dh_gen_ok", 1, f"{per_second:.0f}", f"{cpu_us / 1000:.2f}", 0],
             ["gateway: POST /auth/send_code", EXCHANGE_CONNECTIONS, f"{m.per_second:.0f}",
              f"{m.cpu_us / 1000:.2f}", m.errors]])

    # ---- files ----

    def files(self):
        """Each byte is sealed or opened once by the gateway: IGE and SHA-256 are what that costs at the least."""
        sandbox = self.start(Sandbox, BINARY, self.directory, "sandbox-files")
        gateway = self.start(Gateway, BINARY, self.directory, "gateway-files", sandbox)
        tokens = transfers.sessions(gateway, sandbox, max(TRANSFERS))
        idle_mib = gateway.peak_kib() / 1024
        s_per_gb = {name: 1000 / rate for name, rate in transfers.sealing_mb_per_second(SEALING, SECONDS).items()}
        ige = {"up": s_per_gb["encrypt"], "down": s_per_gb["decrypt"]}
        rows = []
        for n in TRANSFERS:
            self.report.progress(f"{n} transfers")
            for way, moved in transfers.measure(gateway, tokens, n).items():
                rows.append([way, n, f"{moved.mb_per_second:.0f}", f"{moved.cpu_s_per_gb:.2f}", f"{ige[way]:.2f}",
                             f"{s_per_gb['digest']:.2f}", f"{moved.cpu_s_per_gb / ige[way]:.2f}",
                             f"{moved.cpu_s_per_gb / (ige[way] + s_per_gb['digest']):.2f}", f"{moved.peak_mib:.1f}"])
        self.report.table(
            f"Files: {transfers.BLOCKS_OF_ALL} MiB in all, client, gateway and sandbox on this machine; "
            f"the gateway before them at most {idle_mib:.1f} MiB",
            ["way", "at once", "MB/s", "CPU s a GB", "AES-IGE of one core", "SHA-256", "AES-IGE = 1", "both = 1",
             "peak RSS MiB"], rows)

    # ---- memory ----

    def memory(self):
        sandbox = self.start(Sandbox, BINARY, self.directory, "sandbox-memory")
        gateway = self.start(Gateway, BINARY, self.directory, "gateway-memory", sandbox)
        api = Api(gateway.port)
        api.call("GET", "/healthz")
        base, kernel = gateway.memory_kib(), kernel_kib()
        rows, warm = [["none", base[0], base[1], "", "", ""]], 0
        for n in (1, 100, SESSIONS):
            self.report.progress(f"{n} warm sessions")
            for key in sandbox.mint(world.phone(0), n - warm):
                api.call("GET", "/chats?limit=1", foreign_token(key, sandbox.port))
            warm = n
            rows.append(self.memory_row(f"{n}", gateway, base, kernel, n))
        self.report.progress(f"{n} sessions left idle for {IDLE_S} s")
        time.sleep(IDLE_S)
        rows.append(self.memory_row(f"{n}, idle {IDLE_S} s", gateway, base, kernel, n))
        self.session_kib = float(rows[-1][4])
        stats = dict(line.split() for line in sandbox.command("stats") if "=" not in line)
        if int(stats["connections_open"]) < n:
            self.errors += n - int(stats["connections_open"])
        self.report.table(
            "Memory of the gateway",
            ["warm sessions", "RSS KiB", "PSS KiB", "RSS KiB each", "PSS KiB each", "kernel KiB each, both ends"],
            rows)

    def memory_row(self, name, gateway, base, kernel, n):
        rss, pss = gateway.memory_kib()
        return [name, rss, pss, f"{(rss - base[0]) / n:.2f}", f"{(pss - base[1]) / n:.2f}",
                f"{(kernel_kib() - kernel) / n:.2f}"]

    # ---- start and size ----

    def start_once(self, sandbox):
        argv = [BINARY, "serve", "--listen", "127.0.0.1:0", "--dc", f"2=127.0.0.1:{sandbox.port}", "--dc-key",
                sandbox.pem, "--key-file", Path(self.directory) / "gateway.key"]
        begin = time.perf_counter()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            for line in child.stderr:
                match = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", line)
                if match:
                    break
            http_client = http.client.HTTPConnection("127.0.0.1", int(match.group(1)))
            http_client.request("GET", "/healthz")
            if http_client.getresponse().status != 200:
                raise Failed("/healthz")
            return (time.perf_counter() - begin) * 1000
        finally:
            child.terminate()
            child.wait()
            child.stderr.close()

    def starting(self):
        self.report.progress("starts")
        sandbox = self.start(Sandbox, BINARY, self.directory, "sandbox-starts")
        times = sorted(self.start_once(sandbox) for _ in range(STARTS))
        self.start_ms = statistics.median(times)
        stripped = Path(self.directory) / "stripped"
        subprocess.run(["strip", "-o", stripped, BINARY], check=True)
        self.report.table(
            "Start and size",
            ["what", "figure"],
            [[f"exec to /healthz answered, median of {STARTS}", f"{self.start_ms:.1f} ms"],
             ["the slowest of them", f"{times[-1]:.1f} ms"],
             ["binary", f"{BINARY.stat().st_size / 1024:.0f} KiB"],
             ["binary, stripped", f"{stripped.stat().st_size / 1024:.0f} KiB"]])

    # ---- against the aims ----

    def aims(self):
        send = self.results["send", max(CONNECTIONS)]
        hot = send["tgrest, one session"].cpu_us
        ours, nginx, wrapper = send["tgrest"].cpu_us, send["nginx"].cpu_us, send["wrapper"].cpu_us
        engine_us = self.engine_lines["users.getUsers", max(CONNECTIONS)]
        rows = [
            ["send, 64 connections: throughput per core, wrapper = 1", "at least 100", wrapper / ours, wrapper / ours >= 100],
            ["send, 64 connections: CPU µs", "under 25", ours, ours < 25],
            ["send, 64 connections: CPU, nginx = 1", "under 2.5", ours / nginx, ours / nginx < 2.5],
            ["the same, all on one session", "under 2.5", hot / nginx, hot / nginx < 2.5],
            ["engine, 64 in flight: CPU µs", "under 6", engine_us, engine_us < 6],
            ["warm idle session: KiB", "under 16", self.session_kib, self.session_kib < 16],
            ["key exchange: CPU ms", "under 10", self.exchange_ms, self.exchange_ms < 10],
            ["start to ready: ms", "under 50", self.start_ms, self.start_ms < 50],
        ]
        self.report.table("Against the aims", ["what", "aim", "figure", "met"],
                          [[what, aim, f"{figure:.1f}", "yes" if met else "no"] for what, aim, figure, met in rows])

    def run(self):
        self.start_rivals()
        self.throughput()
        self.stop_all()
        for part in (self.engine, self.exchanges, self.files, self.memory, self.starting):
            part()
            self.stop_all()
        self.aims()


def cpu_model():
    match = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return match.group(1) if match else platform.machine()


def main():
    begin = time.monotonic()
    report = Report(ROOT / "build/bench/report.md")
    report.note(f"{cpu_model()}, {os.cpu_count()} cores, Linux {platform.release()}, load {os.getloadavg()[0]:.2f} "
                f"at the start; {SECONDS} s each; nothing is pinned to a core. Load generator and sandbox share the machine; CPU is that of the "
                "server's process alone.")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(directory, report)
        try:
            bench.run()
        except Failed as e:
            sys.exit(f"bench: {e}")
        finally:
            bench.stop_all()
    if bench.errors:
        report.note(f"NOT CLEAN: {bench.errors} requests failed (see the errors columns).")
    report.note(f"Took {time.monotonic() - begin:.0f} s; also in {report.path.relative_to(ROOT)}.")
    sys.exit(1 if bench.errors else 0)


if __name__ == "__main__":
    main()
