"""Two servers behind a real nginx are replaced one by one under load, and no request is lost.

What a cluster does with endpoints is done here by a thread: it asks every server whether it is ready, writes those that
are into the list of nginx, and has nginx read it again. nginx is told to send no request to a second server, so that
nothing is papered over, and to pass on every upload as it comes, so that slow ones and broken ones reach a server.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.deployment.test_deployment import free_port
from tests.server.serving import HELLO, Running, running, script_folder, until

pytestmark = pytest.mark.real
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PAUSE_S = 0.5
CONFIGURATION = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream earwitness {{ include {folder}/servers.conf; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 100m;
    location / {{
      proxy_pass http://earwitness;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_next_upstream off;
      proxy_request_buffering off;
      proxy_read_timeout 310s;
    }}
  }}
}}
"""


@dataclass
class Balancer:
    """nginx, and the thread that tells it which servers are ready."""

    folder: Path
    port: int
    servers: list[Running] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def ready(self) -> list[str]:
        found = []
        for server in list(self.servers):
            with contextlib.suppress(OSError):
                if server.ask("/readyz", timeout_s=5).status == 200:
                    found.append(server.url.removeprefix("http://"))
        return found

    def write(self) -> bool:
        """Write the list of those that are ready; false when it is as before."""
        ready = self.ready()
        if ready == self.listed or not ready:
            return False
        text = "".join(f"server {place} max_fails=0;\n" for place in ready)
        (self.folder / "servers.conf").write_text(text, encoding="utf-8")
        self.listed = ready
        return True

    def follow(self, nginx: subprocess.Popen[bytes]) -> None:
        while not self.stop.wait(PAUSE_S):
            if self.write():
                nginx.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def balanced(folder: Path, *servers: Running) -> Iterator[Balancer]:
    if NGINX is None:
        pytest.skip("there is no nginx here: apt-get install nginx-light")
    folder.mkdir()
    balancer = Balancer(folder, free_port(), list(servers))
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=balancer.port), encoding="utf-8")
    assert balancer.write()
    nginx = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    thread = threading.Thread(target=balancer.follow, args=(nginx,), daemon=True)
    try:
        until(lambda: (folder / "nginx.pid").exists() and (folder / "nginx.pid").read_text().strip())
        thread.start()
        yield balancer
    finally:
        balancer.stop.set()
        thread.join(timeout=30)
        nginx.send_signal(signal.SIGTERM)
        assert nginx.wait(timeout=20) == 0


@contextlib.contextmanager
def load(url: Running, n_clients: int) -> Iterator[Counter[int]]:
    """Clients that ask again and again, and what they get."""
    statuses: Counter[int] = Counter()
    stop = threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            try:
                statuses[url.hear(HELLO).status] += 1
            except OSError:
                statuses[0] += 1

    threads = [threading.Thread(target=ask_on, daemon=True) for _ in range(n_clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=40)


def rolled(tmp_path: Path, linger_s: int) -> Counter[int]:
    """Replace two servers by two others, each once the other is ready, and return the statuses of all requests."""
    model = f"fake:{script_folder(tmp_path / 'model', {'*': {'text': 'hello', 'sleep_s': 0.05}})}"
    arguments = ("--model", model, "--workers", "1", "--linger", str(linger_s))
    with contextlib.ExitStack() as ends:

        def start(name: str) -> Running:
            return ends.enter_context(running(tmp_path / name, *arguments))

        olds = [start("a"), start("b")]
        with balanced(tmp_path / "nginx", *olds) as balancer:
            through = Running(f"http://127.0.0.1:{balancer.port}", olds[0].process, olds[0].log_path, olds[0].scratch)
            with load(through, 4) as statuses:
                until(lambda: statuses[200] > 20, 60)
                for old, name in zip(olds, ("c", "d"), strict=True):
                    fresh = start(name)
                    balancer.servers.append(fresh)
                    until(lambda fresh=fresh: fresh.url.removeprefix("http://") in balancer.listed, 60)  # type: ignore[misc]
                    old.process.send_signal(signal.SIGTERM)
                    assert old.process.wait(timeout=60) == 0
                    balancer.servers.remove(old)
                    before = statuses[200]
                    until(lambda before=before: statuses[200] > before + 20, 60)  # type: ignore[misc]
        return statuses


def test_a_rollout_under_load_loses_no_request(tmp_path: Path) -> None:
    statuses = rolled(tmp_path, linger_s=8)
    assert set(statuses) == {200}, statuses


@pytest.mark.long
def test_without_lingering_a_rollout_loses_requests_so_that_the_test_above_can_see_it(tmp_path: Path) -> None:
    assert set(rolled(tmp_path, linger_s=0)) > {200}
