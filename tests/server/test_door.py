"""Who may come in: hosts, pages of other sites, proxies; and what HTTP asks of every server."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.server.serving import PIECES, Reply, Running, form, running, script_folder, until, wav

from earwitness.errors import UsageError
from earwitness.server.http.access import Door, canonical_origin, door_of
from earwitness.server.http.parameters import OPENAI_NAMES

HOLDS = ("server/http/parameters.py",)

APP = "https://app.example.org"
PREFLIGHT = (
    "authorization,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,"
    "x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Behind a proxy at 127.0.0.9, for two pages and one name."""
    folder = tmp_path_factory.mktemp("door")
    model = f"fake:{script_folder(folder / 'model')}"
    with running(
        folder, "--model", model, "--workers", "1", "--queue", "2", "--allowed-host", "asr.example.org", "--cors",
        "HTTPS://App.Example.org:443/", "--cors", "http://[::1]:3000", "--trusted-proxy", "127.0.0.9", "--root-path",
        "/asr",
    ) as found:  # fmt: skip
        yield found


def from_address(server: Running, address: str, headers: dict[str, str], path: str = "/v1/models") -> int:
    """The status of a request that comes from one of this machine's many loopback addresses."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30, source_address=(address, 0))
    connection.request("GET", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def preflight(server: Running, origin: str, headers: str = PREFLIGHT, method: str = "POST") -> Reply:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
        "Access-Control-Request-Private-Network": "true",
    }
    return server.ask("/v1/audio/transcriptions", "OPTIONS", headers=asked)


@pytest.mark.parametrize("origin", [APP, "http://[::1]:3000"])
def test_a_page_that_is_named_may_send_any_headers(server: Running, origin: str) -> None:
    for headers in (PREFLIGHT, "x-of-a-version-to-come", "content-type, X-Request-Id"):
        reply = preflight(server, origin, headers)
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == origin
        assert reply.headers["access-control-allow-headers"] == headers
        assert reply.headers["access-control-allow-private-network"] == "true"


def test_a_page_that_is_not_named_gets_no_preflight(server: Running) -> None:
    for origin in ("https://evil.example", "http://app.example.org", f"{APP}:8443", "null", "https://xapp.example.org"):
        reply = preflight(server, origin)
        assert (reply.status, reply.error["code"]) == (403, "origin"), origin
        assert "access-control-allow-origin" not in reply.headers


def test_a_page_can_read_refusals_and_the_id_of_its_request(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    (tmp_path / "keys.json").write_text('{"keys": []}')
    with running(tmp_path, "--model", model, "--keys", str(tmp_path / "keys.json"), "--cors", APP) as server:
        reply = server.ask("/v1/models", headers={"Origin": APP})
        assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")
        assert reply.headers["access-control-allow-origin"] == APP
        assert "X-Request-Id" in reply.headers["access-control-expose-headers"]
        assert preflight(server, APP).status == 200, "a browser sends no key with it"


@pytest.mark.parametrize("path", ["/", "/page.js", "/healthz", "/readyz", "/metrics", "/state", "/v1/models"])
def test_head_is_answered_as_get_without_a_body(server: Running, path: str) -> None:
    get, head = server.ask(path), server.ask(path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    if path not in ("/metrics", "/state", "/v1/models"):
        assert head.headers["content-length"] == str(len(get.body))


def test_a_method_that_a_route_has_not_is_answered_with_those_that_it_has(server: Running) -> None:
    for method in ("PUT", "DELETE", "PATCH", "POST"):
        reply = server.ask("/healthz", method)
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    posts = server.ask("/v1/audio/transcriptions", "HEAD")
    assert (posts.status, posts.headers["allow"]) == (405, "OPTIONS, POST")
    options = server.ask("/v1/audio/transcriptions", "OPTIONS")
    assert (options.status, options.body, options.headers["allow"]) == (204, b"", "OPTIONS, POST")
    assert server.ask("/nowhere", "OPTIONS").status == 404


@pytest.mark.parametrize("host", ["asr.example.org:443", "ASR.example.org", "asr.example.org.", "asr.example.org"])
def test_a_page_of_the_server_itself_may_ask_however_its_host_is_written(server: Running, host: str) -> None:
    headers = {"Origin": "https://asr.example.org", "Host": host}
    assert server.ask("/v1/models", headers=headers).status == 200


def test_hosts_and_origins_that_differ_are_told_apart(server: Running) -> None:
    port = server.url.rpartition(":")[2]
    for host, origin in (
        ("asr.example.org:8443", "https://asr.example.org"),
        (f"127.0.0.1:{port}", "http://127.0.0.1:3000"),
        (f"127.0.0.1:{port}", f"http://localhost:{port}"),
        (f"127.0.0.1:{port}", "file://"),
        (f"127.0.0.1:{port}", f"http://me@127.0.0.1:{port}"),
    ):
        reply = server.ask("/v1/models", headers={"Host": host, "Origin": origin})
        assert (reply.status, reply.error["code"]) == (403, "origin"), origin


@pytest.mark.parametrize("path", ["/", "/state", "/metrics", "/healthz", "/v1/models", "/asr/v1/models"])
def test_a_name_that_is_pointed_at_this_machine_opens_nothing(server: Running, path: str) -> None:
    port = server.url.rpartition(":")[2]
    for host in (
        f"evil.example:{port}",
        "evil.example",
        "127.0.0.1.evil.example",
        "192.168.0.7",
        "asr.example.org.evil",
    ):
        reply = server.ask(path, headers={"Host": host, "Origin": f"http://{host}"})
        assert (reply.status, reply.error["code"]) == (421, "host"), host
    for host in ("localhost", f"127.0.0.1:{port}", f"[::1]:{port}", f"LOCALHOST:{port}", "127.9.9.9"):
        assert server.ask(path, headers={"Host": host}).status == 200, host


def test_only_a_named_proxy_says_who_the_client_is_and_what_it_called_the_server(server: Running) -> None:
    said = {"Host": "localhost", "X-Forwarded-Host": "asr.example.org", "X-Forwarded-Proto": "https"}
    page = {**said, "Origin": "https://asr.example.org"}
    assert from_address(server, "127.0.0.9", page) == 200
    assert from_address(server, "127.0.0.1", page) == 403
    assert from_address(server, "127.0.0.9", {**page, "Origin": "http://asr.example.org"}) == 403, "another scheme"
    assert from_address(server, "127.0.0.9", {**said, "X-Forwarded-Host": "evil.example"}) == 421


def test_a_rate_holds_for_clients_behind_a_proxy_and_for_those_who_claim_to_be(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    body, kind = form({}, wav())

    def ask(server: Running, peer: str, forwarded: str) -> int:
        host, port = server.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60, source_address=(peer, 0))
        connection.request(
            "POST", "/v1/audio/transcriptions", body, {"Content-Type": kind, "X-Forwarded-For": forwarded}
        )
        status = connection.getresponse().status
        connection.close()
        return status

    with running(tmp_path, "--model", model, "--rate", "1", "--trusted-proxy", "127.0.0.9") as server:
        assert [ask(server, "127.0.0.1", f"10.0.0.{n}") for n in range(3)] == [200, 429, 429]
        assert [ask(server, "127.0.0.9", f"{n}.1.1.1, 10.0.0.1") for n in range(3)] == [200, 429, 429]
        assert ask(server, "127.0.0.9", "10.0.0.2") == 200
        clients = ["127.0.0.1"] * 3 + ["10.0.0.1"] * 3 + ["10.0.0.2"]
        until(lambda: [row["client"] for row in server.log if row["event"] == "request"] == clients)


def test_the_server_is_there_under_a_path_too(server: Running) -> None:
    assert server.ask("/asr/v1/models").data == server.ask("/v1/models").data
    assert server.ask("/asr/").body == server.ask("/").body
    moved = server.ask("/asr")
    assert (moved.status, moved.headers["location"]) == (308, "/asr/")
    assert server.ask("/asrv1/models").status == 404
    assert server.ask("/openapi.json").data["servers"] == [{"url": "/asr"}]


def test_a_key_is_asked_for_under_a_path_too(tmp_path: Path) -> None:
    model = f"fake:{script_folder(tmp_path / 'model')}"
    (tmp_path / "keys.json").write_text('{"keys": []}')
    options = ("--model", model, "--keys", str(tmp_path / "keys.json"), "--root-path", "/asr")
    with running(tmp_path, *options) as server:
        for path in ("/v1/models", "/asr/v1/models", "/state", "/asr/state", "/%76%31/models", "/asr/%761/models"):
            assert server.ask(path).status == 401, path
        for path in ("//v1/models", "/asr/asr/v1/models", "/V1/models", "/./v1/models"):
            assert server.ask(path).status == 404, path


def test_the_names_that_programs_for_openai_have_in_them_mean_the_first_model(server: Running, tmp_path: Path) -> None:
    from openai.types import AudioModel

    model = server.state["id"]
    assert set(get_args(AudioModel)) == set(OPENAI_NAMES)
    for name in OPENAI_NAMES:
        reply = server.hear(model=name)
        assert (reply.status, reply.headers["earwitness-model"]) == (200, model)
        assert server.ask(f"/v1/models/{name}").data["id"] == model
    assert {row["model"] for row in server.log if row["event"] == "request" and row["status"] == 200} == {model}
    (row,) = server.ask("/v1/models").data["data"]
    assert row["aliases"] == ["default", *OPENAI_NAMES]
    assert server.hear(model="whisper-2").status == 404
    stream = server.hear(PIECES, model="whisper-1", stream="true")
    assert stream.headers["earwitness-model"] == model
    with running(tmp_path, "--model", model, "--no-openai-names", ready=False) as strict:
        assert strict.ask("/v1/models").data["data"][0]["aliases"] == ["default"]
        assert strict.ask("/v1/models/whisper-1").status == 404


def test_the_openai_client_raises_its_own_kind_of_error(server: Running, tmp_path: Path) -> None:
    import openai

    def ask(url: str, **more: Any) -> Any:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            return client.audio.transcriptions.create(**{"model": "whisper-1", "file": ("a.wav", wav()), **more})

    assert ask(server.url).text == "hello there"
    with pytest.raises(openai.BadRequestError):
        ask(server.url, response_format="diarized_json")
    with pytest.raises(openai.NotFoundError):
        ask(server.url, model="nobody")
    model = f"fake:{script_folder(tmp_path / 'model')}"
    (tmp_path / "keys.json").write_text('{"keys": []}')
    with (
        running(tmp_path / "keys", "--model", model, "--keys", str(tmp_path / "keys.json")) as closed,
        pytest.raises(openai.AuthenticationError),
    ):
        ask(closed.url)
    with running(tmp_path / "rate", "--model", model, "--rate", "1") as rated:
        ask(rated.url)
        with pytest.raises(openai.RateLimitError):
            ask(rated.url)


def test_what_an_origin_and_a_host_may_be() -> None:
    for wrong in ("example.org", "https://example.org/path", "ftp://a", "https://", "*", "https://a b", "https://a:x"):
        with pytest.raises((ValueError, UsageError)):
            canonical_origin(wrong)
        with pytest.raises(UsageError, match="--cors"):
            door_of("127.0.0.1", (), (wrong,), (), loopback=True)
    for wrong in ("https://a.example", "a.example:8000", "", "a b"):
        with pytest.raises(UsageError, match="is not a host name"):
            door_of("127.0.0.1", (wrong,), (), (), loopback=True)
    with pytest.raises(UsageError, match="--trusted-proxy"):
        door_of("127.0.0.1", (), (), ("proxy",), loopback=True)


@pytest.mark.parametrize(
    ("allowed", "loopback", "host", "answers"),
    [
        ((), False, "anything.example", True),
        (("asr.example",), False, "anything.example", False),
        (("asr.example",), False, "10.1.2.3:8000", True),  # an address cannot be pointed elsewhere
        (("*.example",), False, "a.b.example", True),
        (("*.example",), False, "example", False),
        (("*",), True, "anything.example", True),
        ((), True, "a.localhost", True),
        ((), True, "10.1.2.3", False),
        ((), True, "a:b:c", False),
    ],
)
def test_the_hosts_that_a_server_answers_to(allowed: tuple[str, ...], loopback: bool, host: str, answers: bool) -> None:
    door = door_of("127.0.0.1" if loopback else "0.0.0.0", allowed, (), (), loopback=loopback)
    caller = door.caller("127.0.0.1", {"host": host})
    if answers:
        door.require(caller, None)
    else:
        with pytest.raises(Exception, match="does not accept the host"):
            door.require(caller, None)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("", "10.0.0.1"), ("unknown", "10.0.0.1"), ("1.2.3.4:5678", "1.2.3.4"), ("[2001:db8::1]:99", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"), ("6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"), ("10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("1.2.3.4, unknown, 10.0.0.2", "10.0.0.2"),
    ],
)  # fmt: skip
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(forwarded: str, address: str) -> None:
    door = door_of("0.0.0.0", (), (), ("10.0.0.0/8",), loopback=False)
    assert door.caller("10.0.0.1", {"x-forwarded-for": forwarded}).address == address
    assert Door().caller("10.0.0.1", {"x-forwarded-for": forwarded}).address == "10.0.0.1"


def test_a_server_for_all_addresses_answers_probes_and_refuses_a_name_that_was_pointed_at_it(tmp_path: Path) -> None:
    options = ("--model", f"fake:{script_folder(tmp_path / 'model')}", "--workers", "1", "--host", "0.0.0.0")
    with running(tmp_path, *options, "--allowed-host", "asr.example.org") as server:
        port = server.url.rpartition(":")[2]
        server.url = f"http://127.0.0.1:{port}"
        # Kubelet and Prometheus ask by the address of the pod; a load balancer may ask without a Host (HTTP/1.0).
        for host in (f"10.1.2.3:{port}", f"[fd00::7]:{port}", "10.1.2.3", f"127.0.0.1:{port}", "asr.example.org:443"):
            for path in ("/healthz", "/readyz", "/metrics"):
                assert server.ask(path, headers={"Host": host}).status == 200, (host, path)
        for host in (f"evil.example:{port}", "10.1.2.3.evil.example", "asr.example.org.evil.example"):
            for path in ("/", "/metrics", "/v1/models"):
                reply = server.ask(path, headers={"Host": host, "Origin": f"http://{host}"})
                assert (reply.status, reply.error["code"]) == (421, "host"), (host, path)
