"""The configurations of docs/behind-a-proxy.md, run by the real nginx and the real Caddy, with TLS."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.server.serving import LONG, Reply, Running, form, idle, running, script_folder, until, wav

pytestmark = pytest.mark.real
PAGE = (Path(__file__).parents[2] / "docs" / "behind-a-proxy.md").read_text("utf-8")
NAME = "asr.example.org"
SETS = [("nginx", ""), ("nginx", "/asr"), ("caddy", ""), ("caddy", "/asr")]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Proxy:
    server: Running
    port: int
    path: str
    certificate: Path

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=("127.0.0.7", 0))
        connection = http.client.HTTPConnection(NAME, self.port)
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection.sock = context.wrap_socket(raw, server_hostname=NAME)
        return connection

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, self.path + path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def hear(self, n_samples: int = 1600, **headers: str) -> Reply:
        body, kind = form({}, wav(n_samples))
        return self.ask("/v1/audio/transcriptions", "POST", body, Content_Type=kind, **headers)


def certificate(folder: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here: apt-get install openssl")
    chain, key = folder / "asr.pem", folder / "asr.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
         "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", chain],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return chain, key


def nginx(folder: Path, path: str, port: int, upstream: str, files: tuple[Path, Path]) -> list[str]:
    whole, under = blocks("nginx")
    if path:
        begins, ends = whole.index("    location / {"), whole.rindex("}")
        whole = whole[:begins] + under + whole[ends:]
    whole = whole.replace("127.0.0.1:8000", upstream).replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    whole = whole.replace("/etc/ssl/asr.pem", str(files[0])).replace("/etc/ssl/asr.key", str(files[1]))
    kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in kept)
    config = folder / "nginx.conf"
    config.write_text(
        f"user root;\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{whole}}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(config)]


def caddy(folder: Path, path: str, port: int, upstream: str, files: tuple[Path, Path]) -> list[str]:
    text = blocks("caddy")[1 if path else 0].replace("127.0.0.1:8000", upstream)
    text = text.replace(f"{NAME} {{", f"https://{NAME}:{port} {{\n    bind 127.0.0.1\n    tls {files[0]} {files[1]}", 1)
    config = folder / "Caddyfile"
    config.write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{text}")
    return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


@pytest.fixture(scope="module", params=SETS, ids=lambda one: "-".join(one).rstrip("-").replace("/", "under-"))
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    program, path = request.param
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here: apt-get install {'nginx-light' if program == 'nginx' else program}")
    folder = tmp_path_factory.mktemp(program)
    files, port = certificate(folder), free_port()
    model = f"fake:{script_folder(folder / 'model')}"
    with running(folder / "server", "--model", model, "--trusted-proxy", "127.0.0.1", "--allowed-host", NAME) as server:
        command = (nginx if program == "nginx" else caddy)(
            folder, path, port, server.url.removeprefix("http://"), files
        )
        with (folder / "proxy.log").open("w") as log:
            environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            found = Proxy(server, port, path, files[0])
            until(lambda: process.poll() is None and reachable(found), 60)
            yield found
        finally:
            process.terminate()
            process.wait(timeout=30)


def reachable(proxy: Proxy) -> bool:
    with contextlib.suppress(OSError):
        return proxy.ask("/healthz").status == 200
    return False


def test_the_page_and_what_it_asks_for_come_through(proxy: Proxy) -> None:
    page = proxy.ask("/")
    assert page.status == 200
    for path in re.findall(r'(?:href|src)="([^":]+)"', page.body.decode()):
        assert proxy.ask(f"/{path}").status == 200
    assert proxy.ask("/state", Origin=proxy.origin).status == 200
    reply = proxy.hear(Origin=proxy.origin)
    assert (reply.status, reply.data["text"]) == (200, "hello there")


def test_pages_of_others_and_of_the_same_name_without_tls_do_not(proxy: Proxy) -> None:
    for origin in ("https://evil.example", f"http://{NAME}:{proxy.port}", f"https://{NAME}"):
        assert proxy.hear(Origin=origin).status == 403, origin


def test_the_server_knows_the_client_and_not_what_it_claims(proxy: Proxy) -> None:
    reply = proxy.hear(X_Forwarded_For="1.2.3.4", X_Request_Id="whose-is-it")
    assert reply.status == 200
    rows = until(lambda: [row for row in proxy.server.log if row.get("request_id") == "whose-is-it"])
    assert [row["client"] for row in rows] == ["127.0.0.7"]


def test_uploads_of_megabytes_pass_and_metrics_stay_inside(proxy: Proxy) -> None:
    assert proxy.hear(n_samples=1_500_000).data["text"] == "hello there"
    assert proxy.ask("/metrics").status == 404
    assert proxy.server.ask("/metrics").status == 200
    if proxy.path:
        with contextlib.closing(proxy.connect()) as connection:
            connection.request("GET", proxy.path)
            assert connection.getresponse().status in (301, 302, 308)


def test_events_come_as_they_are_said_and_a_hang_up_ends_the_work(proxy: Proxy) -> None:
    body, kind = form({"stream": "true"}, wav(LONG))
    with contextlib.closing(proxy.connect()) as connection:
        connection.request("POST", f"{proxy.path}/v1/audio/transcriptions", body, {"Content-Type": kind})
        answer = connection.getresponse()
        assert answer.readline().startswith(b'data: {"type": "transcript.text.delta"')
        assert proxy.server.state["in_flight"] == 1, "the first words are here while the rest is worked on"
        answer.close()
    until(lambda: idle(proxy.server), 60)
