"""What every engine must do, asked of each that is here: one that is added is asked by being registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from tests.contract.servers import Asked, Says, samples_in, server
from tests.contract.subjects import MADE_HERE, TAKES_ANY_LANGUAGE, Subject, probed, subject_of

from earwitness import data
from earwitness.audio import decode
from earwitness.engines.base import EngineSpec
from earwitness.engines.registry import engine_names, get_engine
from earwitness.types import Settings
from earwitness.workers.worker import Answer, Worker, WorkerFailedError

HOLDS = ("engines/pocketsphinx.py",)

RATE_HZ = 16_000
HEAVY = {"lfm2.5-audio", "mlx-audio", "mlx-whisper", "onnx-asr", "transformers", "whisper"}
"""Engines whose packages or weights take gigabytes or minutes to make, torch among them."""
ENGINES = [
    pytest.param(
        name,
        marks=() if name in MADE_HERE else [pytest.mark.real, *([pytest.mark.engines] if name in HEAVY else [])],
        id=name,
    )
    for name in engine_names()
]
STREAMS = {"fake", "faster-whisper"}
"""Engines that give their text piece by piece."""
HOUR = [pytest.param(name, marks=() if name in MADE_HERE else pytest.mark.long, id=name) for name in engine_names()]
SAME_SOUND = ("speech again", "int16", "float64", "big-endian", "stereo", "stereo, channels first",
              "every second sample of another")  # fmt: skip
HEARD = ("empty", "one sample", "80 samples", "silence", "loud", "a little over full scale")
REFUSED_SOUND = {
    "8 kHz": "not 8000. Resample it first",
    "int16-scaled floats": "these look like integers. Divide them",
    "int16-scaled float64": "these look like integers. Divide them",
    "not a number": "NaN or infinite",
}


def echo(asked: Asked) -> Says:
    return Says({"text": f"heard {samples_in(asked.form['file'][0])} samples"})


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with server(echo) as (url, _):
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of clear speech whose samples are 16-bit integers over 32768."""
    path = tmp_path_factory.mktemp("speech") / "speech.f32"
    samples = decode(next(c for c in data.load("sample").clips if c.id == "clean-1").audio_path).samples
    assert np.array_equal(np.round(samples * 32768), samples * 32768)
    samples.astype("<f4").tofile(path)
    return path


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """The probe is asked once for each engine."""
    return {}


@pytest.fixture(scope="module")
def subjects() -> dict[str, Subject | str]:
    """A model is made once for all that is asked of it."""
    return {}


@pytest.fixture
def subject(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    base_url: str,
    subjects: dict[str, Subject | str],
) -> Subject:
    engine = request.param
    if engine not in subjects:
        subjects[engine] = subject_of(engine, tmp_path_factory.mktemp("engine"), base_url)
    found = subjects[engine]
    if isinstance(found, str):
        pytest.skip(f"there is no model of engine {engine!r} here: {found}")
    return found


@pytest.fixture
def answer(subject: Subject, speech: Path, answers: dict[str, Any]) -> dict[str, Any]:
    if subject.engine not in answers:
        answers[subject.engine] = probed(subject, speech)
    return dict(answers[subject.engine])


every_engine = pytest.mark.parametrize("subject", ENGINES, indirect=True)


def engines_that(can: Callable[[EngineSpec], bool]) -> pytest.MarkDecorator:
    """Asks the engines that can do a thing; the others are not collected."""
    able = [param for param in ENGINES if can(get_engine(str(param.values[0])).spec)]
    return pytest.mark.parametrize("subject", able, indirect=True)


@every_engine
def test_an_engine_is_asked_about_everything_that_it_can_do(subject: Subject, answer: dict[str, Any]) -> None:
    spec = get_engine(subject.engine).spec
    assert ("streamed" in answer) is (subject.engine in STREAMS)
    assert ("guided" in answer) is bool(spec.guides)
    assert answer["deterministic"] is spec.deterministic


@every_engine
def test_every_kind_of_sound_becomes_finished_text(answer: dict[str, Any]) -> None:
    assert answer["device"]
    assert answer["in_force"] == sorted(Settings.__dataclass_fields__)
    for name in ("speech", *HEARD, *SAME_SOUND):
        found = answer["sounds"][name]
        assert found["error"] is None, f"{name}: {found['error']}"
        assert isinstance(found["text"], str)
        assert found["ordered"], name


@engines_that(lambda spec: spec.deterministic)
def test_one_sound_gives_one_text_however_it_is_stored_and_whatever_came_before(answer: dict[str, Any]) -> None:
    said = answer["sounds"]["speech"]["text"]
    assert said
    assert {name: answer["sounds"][name]["text"] for name in SAME_SOUND} == dict.fromkeys(SAME_SOUND, said)


@every_engine
def test_sound_that_would_become_nonsense_is_refused_in_one_sentence(answer: dict[str, Any]) -> None:
    for name, sentence in REFUSED_SOUND.items():
        found = answer["sounds"][name]
        assert found["error"] is not None, f"{name} was heard as {found.get('text')!r}"
        assert sentence in found["error"]
        assert_one_sentence(name, found)


@every_engine
def test_a_wrong_language_device_option_or_precision_is_refused_in_one_sentence(
    subject: Subject, answer: dict[str, Any]
) -> None:
    for name, found in answer["refused"].items():
        assert found["error"] is not None, f"{name} was taken"
        assert_one_sentence(name, found)
    stranger = answer["stranger"]
    if subject.engine not in TAKES_ANY_LANGUAGE:
        assert stranger["error"] is not None, f"{subject.stranger!r} was heard as {stranger.get('text')!r}"
    if stranger["error"] is not None:
        assert_one_sentence("a language that it does not know", stranger)


def assert_one_sentence(name: str, found: dict[str, Any]) -> None:
    assert found["meant"], f"{name}: {found['error']}"
    assert "\n" not in found["error"]
    assert found["error"].partition(": ")[2]


@engines_that(lambda spec: spec.name in STREAMS)
def test_a_text_that_comes_piece_by_piece_is_the_one_that_comes_whole(answer: dict[str, Any]) -> None:
    streamed = answer["streamed"]
    assert "".join(streamed["pieces"]).strip() == streamed["text"] == streamed["again"]
    if answer["deterministic"]:
        assert streamed["text"] == answer["sounds"]["speech"]["text"]


@engines_that(lambda spec: bool(spec.guides))
def test_a_model_that_was_guided_once_goes_on_without(answer: dict[str, Any]) -> None:
    assert answer["guides"]
    for name, found in answer["guided"].items():
        if found["error"] is not None:
            assert_one_sentence(name, found)
            assert "translate" in found["error"]
    if answer["deterministic"]:
        assert answer["unguided"]["text"] == answer["sounds"]["speech"]["text"]


@every_engine
def test_closing_frees_memory(answer: dict[str, Any]) -> None:
    rss = answer["rss_bytes"]
    if rss["before"] is None:
        pytest.skip("there is no /proc/self/status here: run it on Linux")
    held = rss["loaded"] - rss["before"]
    # Allocators keep memory after one load and not after another; a leak adds some at each.
    grown = median(after - before for before, after in pairwise(rss["closed"]))
    assert grown < 0.1 * held + 2**23, f"closed models leave {rss['closed']} bytes; one holds {held}"


def worker(subject: Subject) -> Worker:
    folder = Path(subject.folder) if subject.folder else None
    settings = Settings(threads=2)
    return Worker(subject.engine, subject.model, folder, "auto", settings, options=subject.options, budget_s=300)


@every_engine
def test_nothing_that_is_printed_breaks_the_worker(subject: Subject, speech: Path, tmp_path: Path) -> None:
    copy = tmp_path / "clip.f32"
    copy.write_bytes(speech.read_bytes())
    n_samples = copy.stat().st_size // 4
    with worker(subject) as running:
        texts = {
            running.transcribe(copy, n_samples, RATE_HZ, subject.language, budget_s=120).transcript.text
            for _ in range(2)
        }
        with pytest.raises(WorkerFailedError, match="not 8000") as caught:
            running.transcribe(copy, n_samples, 8_000, subject.language, budget_s=120)
        assert caught.value.alive
    assert len(texts) == 1
    assert list(tmp_path.iterdir()) == [copy]


@pytest.mark.real
@pytest.mark.parametrize("subject", HOUR, indirect=True)
def test_an_hour_takes_no_more_memory_than_twenty_minutes(subject: Subject, speech: Path, tmp_path: Path) -> None:
    """Mostly silence, with the same five seconds of speech at the beginning of every ten minutes.

    Ten minutes would be one block: whisper.cpp keeps the spectrogram of the last while it makes that of the next.
    """
    said = np.fromfile(speech, "<f4")
    hour = tmp_path / "hour.f32"
    block = np.zeros(600 * RATE_HZ, "<f4")
    block[: len(said)] = said
    with hour.open("wb") as file:
        for _ in range(6):
            file.write(block.tobytes())
    with worker(subject) as running:

        def hear(minutes: int) -> Answer:
            return running.transcribe(hour, minutes * 60 * RATE_HZ, RATE_HZ, subject.language, budget_s=900)

        twenty, sixty = hear(20), hear(60)
    assert sixty.transcript.covered_s is None or sixty.transcript.covered_s == pytest.approx(3600, abs=1)
    assert len(sixty.transcript.text) >= len(twenty.transcript.text) > 0
    if twenty.peak_rss_bytes is None or sixty.peak_rss_bytes is None:
        pytest.skip("there is no peak memory to be read here: run it on Linux")
    assert sixty.peak_rss_bytes < 1.15 * twenty.peak_rss_bytes + 2**25


def test_an_engine_that_is_registered_is_asked() -> None:
    assert {param.values[0] for param in ENGINES} == set(engine_names())
    assert all(get_engine(str(param.values[0])).spec.name == param.values[0] for param in ENGINES)
