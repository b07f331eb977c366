# SPDX-License-Identifier: MIT
"""A pytest plugin: clients of the API tests reach each gateway through nginx or HAProxy, which TGREST_PROXY
names. Connections to the gateway are kept alive, and bodies go through as they come."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time

from processes import DEADLINE_S, Gateway

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    upstream gateway {{ server 127.0.0.1:{to}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location / {{
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;
        }}
    }}
}}
"""

HAPROXY = """
global
    maxconn 1024
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option http-keep-alive
    no option http-buffer-request
    http-reuse always
frontend clients
    bind 127.0.0.1:{port}
    default_backend gateway
backend gateway
    server one 127.0.0.1:{to}
"""

PROXIES = {
    "nginx": (NGINX, ["/usr/sbin/nginx", "-c"]),
    "haproxy": (HAPROXY, ["/usr/sbin/haproxy", "-db", "-f"]),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy:
    def __init__(self, name, to):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        text, argv = PROXIES[name]
        config = pathlib.Path(self.folder.name) / "config"
        config.write_text(text.format(folder=self.folder.name, port=self.port, to=to))
        self.child = subprocess.Popen([*argv, str(config)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._await()

    def _await(self):
        end = time.monotonic() + DEADLINE_S
        while True:
            assert self.child.poll() is None and time.monotonic() < end, "the proxy did not start"
            try:
                socket.create_connection(("127.0.0.1", self.port), DEADLINE_S).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)  # nothing tells when it listens

    def stop(self):
        self.child.terminate()
        self.child.wait(DEADLINE_S)
        self.folder.cleanup()


plain_begin, plain_stop = Gateway.__init__, Gateway.stop


def begin(gateway, *args, **kwargs):
    plain_begin(gateway, *args, **kwargs)
    gateway.proxy = Proxy(os.environ["TGREST_PROXY"], gateway.port)
    gateway.url = f"http://127.0.0.1:{gateway.proxy.port}"


def stop(gateway):
    proxy = gateway.__dict__.pop("proxy", None)
    if proxy:
        proxy.stop()
    plain_stop(gateway)


def pytest_configure():
    Gateway.__init__ = begin
    Gateway.stop = stop
