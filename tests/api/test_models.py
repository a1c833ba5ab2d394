"""``earwitness models list`` answers questions, and the doctor advises by what a machine has."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

import earwitness as ew
from earwitness.cli import main
from earwitness.engines import devices
from earwitness.files import fetch


def test_the_catalog_answers_a_question_with_all_its_parts(cache: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--language", "de", "--device", "mps", "--license", "commercial", "--max-memory", "2GB"]
    assert main(["models", "list", *asked, "--json"]) == 0
    ids = [row["id"] for row in json.loads(capsys.readouterr().out)]
    assert ids == [row.model.id for row in ew.list_models(
        language="de", device="mps", license="commercial", max_memory="2GB"
    )]  # fmt: skip
    assert {"mlx-whisper:base", "onnx-asr:parakeet-tdt-0.6b-v3-int8"} <= set(ids)
    assert not {"mlx-whisper:tiny.en", "mlx-whisper:large-v3", "mlx-audio:lfm2.5-audio-1.5b-8bit"} & set(ids)
    assert not any(name.startswith(("faster-whisper", "pocketsphinx")) for name in ids)
    assert main(["models", "list", *asked]) == 0
    assert "Memory is estimated, on mps" in capsys.readouterr().out


def test_only_what_can_be_had_from_here_is_listed(cache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "hub_answers", lambda: False)
    monkeypatch.setattr(fetch, "registry_answers", lambda: True)
    found = {row.model.id: row.origin for row in ew.list_models(reachable=True)}
    assert found["mlx-whisper:base"] == "registry"
    assert found["fake:echo"] == "none needed"
    assert "mlx-whisper:large-v3" not in found
    monkeypatch.setattr(fetch, "hub_answers", lambda: True)
    assert any(row.origin == "hub" for row in ew.list_models(engine="mlx-whisper", reachable=True))


@pytest.mark.parametrize(("question", "sentence"), [({"device": "auto"}, "cpu, cuda, mps or tpu"),
                                                    ({"max_memory": "much"}, "is not a size"),
                                                    ({"device": "gpu"}, "There is no device 'gpu'")])  # fmt: skip
def test_a_question_without_sense_is_refused(question: Mapping[str, str], sentence: str) -> None:
    with pytest.raises(ew.UsageError, match=sentence):
        ew.list_models(**question)  # type: ignore[arg-type]


class Hub(BaseHTTPRequestHandler):
    status = 200

    def do_HEAD(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def test_a_hub_that_answers_is_told_from_one_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    server = HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    try:
        assert fetch.hub_answers()
        monkeypatch.setattr(Hub, "status", 404)
        assert fetch.hub_answers()
        monkeypatch.setattr(Hub, "status", 503)
        assert not fetch.hub_answers()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not fetch.hub_answers()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not fetch.hub_answers()


@pytest.mark.parametrize(
    ("machine", "engines"),
    [
        ({"cpu": 1, "mps": 1}, ["mlx-whisper", "mlx-audio"]),
        ({"cpu": 1, "cuda": 2}, ["faster-whisper", "transformers"]),
        ({"cpu": 1}, ["faster-whisper", "onnx-asr"]),
    ],
)
def test_the_doctor_advises_engines_for_the_fastest_device(
    machine: dict[str, int], engines: list[str], cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "here", lambda: machine)
    advice = [check for check in ew.doctor() if check.what.startswith("advice")]
    assert [check.found.partition(":")[0] for check in advice] == engines
    for check, engine in zip(advice, engines, strict=True):
        kind = check.what.removeprefix("advice for ")
        installed = f"earwitness run DATA --model {engine}:... --device {kind}"
        assert check.remedy == (installed if check.works else f"earwitness engines install {engine}")
        assert not check.needed
