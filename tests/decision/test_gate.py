"""The gate: what is the same passes, what got worse fails, and what cannot be judged is said."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from earwitness.cli import main
from earwitness.data.clips import fingerprint
from earwitness.decision.baseline import Pace, baseline_of, current, entry_of, read, render
from earwitness.decision.gate import gate
from earwitness.decision.gate_verdict import GateVerdict, SpeedChange, Tolerance, WordChange
from earwitness.errors import ComparisonError, RecordError
from earwitness.records import store
from earwitness.records.record import Run, RunLimits, Selection
from earwitness.records.rescore import score_result, score_run
from earwitness.reports.gate import code, commands, failures, junit, label, lines, markdown
from earwitness.runs.drive import Job, start
from earwitness.types import Clip, Failure, Hypothesis, Settings, Transcript

HOLDS = ("baseline.py", "gate_verdict.py", "cli/gate.py", "reports/gate.py")

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett"]
Written = Callable[..., Path]
many = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A complete record of a real run, whose texts the others are made from."""
    from earwitness import data
    from earwitness.engines.catalog import Model

    model = Model("fake:echo", "fake", "fake/echo")
    job = Job(model, None, None, data.load("sample", limit=1), Selection("sample"), limits=RunLimits(warmup=0))
    return store.read_run(start(job, tmp_path_factory.mktemp("base"), lambda *_: None))


@pytest.fixture
def written(template: Run, tmp_path: Path) -> Written:
    """Writes a record of a model that gets so many words wrong in each clip of ten words; ``None`` is a failure."""

    def write(wrong: Sequence[int | None], model: str = "fake:echo", **more: Any) -> Path:
        reference = more.pop("reference", " ".join(WORDS))
        ids = more.pop("ids", [f"c{n}" for n in range(len(wrong))])
        recordings = more.pop("recordings", ids)
        name = more.pop("name", "ten")
        clips = [
            Clip(id_, "", "", 0.0, 2.0, reference, "en", recording=recording)
            for id_, recording in zip(ids, recordings, strict=True)
        ]
        path = store.new_record_path(store.record_folder(tmp_path / "runs", model))
        with store.clips_path(path).open("ab") as file:
            for clip, n in zip(clips, wrong, strict=True):
                store.append(file, score_result(clip, heard(clip, n), template.scoring))
        dataset = replace(
            template.dataset, name=name, sha256=fingerprint(tuple(clips)), n_clips=len(clips), audio_s=2.0 * len(clips)
        )
        if more.pop("with_scores", False):
            more["scores"] = score_run(store.read_clips(path), template.scoring)
        run = replace(
            template, id=store.new_run_id(model), model=replace(template.model, id=model), dataset=dataset,
            created_at=store.now(), **more,
        )  # fmt: skip
        store.write_run(path, store.seal_record(path, run))
        return path

    return write


def heard(clip: Clip, wrong: int | None) -> Hypothesis:
    if wrong is None:
        return Hypothesis(clip.id, None, Failure("transcribe", "crash", "it died"), audio_s=2.0)
    text = " ".join(["wrong"] * wrong + (clip.reference or "").split()[wrong:])
    return Hypothesis(clip.id, Transcript(text), None, audio_s=2.0, wall_s=0.1, decode_s=0.0)


def judged(now: Path, before: Path, **more: Any) -> GateVerdict:
    base = store.read_run(before)
    baseline = baseline_of([entry_of(base, store.read_clips(before))])
    return gate([(now, store.read_run(now))], baseline, **more)


def words(verdict: GateVerdict) -> WordChange:
    (found,) = verdict.judged
    return next(check for check in found.checks if isinstance(check, WordChange))


def reasons(verdict: GateVerdict) -> list[str]:
    return [reason for _, reason in failures(verdict)]


@many
@given(
    wrong=st.lists(st.integers(0, 10) | st.none(), min_size=1, max_size=12),
    shared=st.integers(1, 12),
    absolute=st.floats(0, 0.1),
)
def test_identical_runs_pass_whatever_they_are(
    written: Written, wrong: list[int | None], shared: int, absolute: float
) -> None:
    recordings = [f"r{n // shared}" for n in range(len(wrong))]
    path = written(wrong, recordings=recordings)
    verdict = judged(written(wrong, recordings=recordings), path, tolerance=Tolerance(absolute, 0.0, 1.0))
    assert verdict.passed
    assert not failures(verdict)
    assert not commands(verdict)


@many
@given(wrong=st.lists(st.integers(0, 7), min_size=8, max_size=12), worse=st.integers(1, 3))
def test_a_regression_in_every_recording_fails_as_significant(written: Written, wrong: list[int], worse: int) -> None:
    verdict = judged(written([n + worse for n in wrong]), written(wrong), tolerance=Tolerance(1.0, 1.0))
    assert not verdict.passed
    assert words(verdict).significant
    assert "significant" in reasons(verdict)[0]
    assert judged(written(wrong), written([n + worse for n in wrong])).passed


def test_where_the_test_cannot_tell_the_tolerance_decides(written: Written) -> None:
    before, now = written([1, 1, 1]), written([1, 1, 2])
    found = judged(now, before)
    assert not words(found).significant
    assert "it takes at least 4 recordings, and there are 3; 0.5 points may pass" in reasons(found)[0]
    assert judged(now, before, tolerance=Tolerance(0.04, 0.0)).passed
    assert judged(now, before, tolerance=Tolerance(0.0, 0.34)).passed
    assert not judged(now, before, tolerance=Tolerance(0.03, 0.3)).passed


def test_a_test_that_looks_at_speakers_or_recordings_looks_at_those(written: Written) -> None:
    before = written([0] * 12, recordings=["one tape"] * 12)
    now = written([1] * 12, recordings=["one tape"] * 12)
    assert not words(judged(now, before)).significant
    assert words(judged(written([1] * 12), written([0] * 12))).significant


def test_many_entries_are_many_tests(written: Written) -> None:
    """One of twenty would fail by chance at 5 %: six recordings that are all worse give p = 0.03 at the least."""
    before = [written([1] * 12, model=f"fake:{n}") for n in range(20)]
    now = [written([1 + (k < 6 and n == 0) for k in range(12)], model=f"fake:{n}") for n in range(20)]
    baseline = baseline_of([entry_of(store.read_run(path), store.read_clips(path)) for path in before])
    lone = judged(now[0], before[0], tolerance=Tolerance(1.0))
    assert not lone.passed
    assert gate([(path, store.read_run(path)) for path in now], baseline, tolerance=Tolerance(1.0)).passed


def test_a_clip_that_vanished_fails_and_a_new_one_is_said(written: Written) -> None:
    before = written([1, 1, 1, 1], ids=["a", "b", "c", "d"])
    verdict = judged(written([1, 1, 9], ids=["a", "b", "new"]), before)
    assert reasons(verdict) == ["2 clips ('c', 'd') of the baseline vanished; 1 clip ('new') new, not judged"]
    assert words(verdict).n_clips == 2


def test_a_clip_that_fails_now_fails_the_gate_and_one_that_failed_before_does_not(written: Written) -> None:
    verdict = judged(written([0, None] + [0] * 60), written([0] * 62))
    assert "1 clip ('c1') had a text in the baseline and failed" in reasons(verdict)
    assert judged(written([0, None]), written([0, None])).passed


def test_words_invented_on_silence_fail_where_nothing_else_is_there(written: Written) -> None:
    silence, invented = written([0, 0], reference=""), written([0, 3], reference="")
    assert reasons(judged(invented, silence)) == ["words hallucinated on silence: 0 before, 3 now"]
    assert judged(silence, invented).passed


def test_a_model_that_was_not_run_fails_unless_that_is_meant(written: Written) -> None:
    before, other = written([0]), written([0], model="fake:other")
    verdict = judged(other, before)
    assert lines(verdict)[0] == "failed: fake:echo on ten: it is in the baseline, and there is no complete run of it"
    assert "not judged: fake:other on ten: it is not in the baseline. To take it in: --update" in lines(verdict)
    assert judged(other, before, partial=True).passed


def test_a_new_model_or_setting_is_said_and_not_failed(written: Written, template: Run) -> None:
    before = written([0])
    baseline = baseline_of([entry_of(store.read_run(before), store.read_clips(before))])
    beam = written([9], settings_asked=replace(template.settings_asked, beam_size=5))
    verdict = gate([(p, store.read_run(p)) for p in (before, beam)], baseline)
    assert verdict.passed
    assert "not judged: fake:echo on ten (beam_size=5): it is not in the baseline. To take it in: --update" in lines(
        verdict
    )


def test_threads_are_the_machine_s_and_no_setting(written: Written, template: Run) -> None:
    before = written([0])
    assert judged(written([0], settings_asked=Settings(threads=64)), before).judged


def test_other_scoring_and_other_clips_under_the_same_id_are_refused_in_a_sentence(
    written: Written, template: Run
) -> None:
    before = written([0, 1])
    scores = tuple(replace(score, signature="wer|other") for score in template.scores)
    with pytest.raises(ComparisonError, match=r"computed differently from the baseline: wer\|other, not wer\|norm"):
        judged(written([0, 1], scores=scores), before)
    with pytest.raises(ComparisonError, match="Clip 'c0' of 'ten' differs from the baseline in audio"):
        judged(written([0, 1], reference="other words"), before)


def paced(template: Run, factor: float, audio_s: float = 1000.0) -> dict[str, Any]:
    assert template.speed is not None
    speed = replace(template.speed, rtf=0.5 * factor, latency_p95_s=2.0 * factor, audio_s=audio_s)
    return {"speed": speed, "drift": None}


@many
@given(noise=st.floats(0.7, 1.45))
def test_noise_in_speed_does_not_fail_an_equal_run(written: Written, template: Run, noise: float) -> None:
    before = written([1, 2, 3], **paced(template, 1.0))
    assert judged(written([1, 2, 3], **paced(template, noise)), before).passed


def test_half_the_speed_fails_on_the_same_machine_and_is_not_judged_on_another(written: Written, template: Run) -> None:
    before = written([1] * 3, **paced(template, 1.0))
    slow = judged(written([1] * 3, **paced(template, 2.0)), before)
    assert reasons(slow) == [
        "RTF 0.5 before, 1 now: 2 times; up to 1.5 may pass",
        "latency p95 2 before, 4 now: 2 times; up to 1.5 may pass",
    ]
    cores = replace(template.environment, cores=template.environment.cores + 2)
    for more in ({"environment": cores}, {"device_used": "cuda:0"}):
        elsewhere = judged(written([1] * 3, **paced(template, 2.0), **more), before)
        assert elsewhere.passed
        assert any("another class of machine" in line for line in lines(elsewhere))


def test_a_machine_that_is_slower_itself_is_allowed_for(written: Written, template: Run) -> None:
    assert template.drift is not None
    calm, busy = (replace(template.drift, first_s=0.01 * factor, median=1.0) for factor in (1.0, 1.6))
    before = written([1], **{**paced(template, 1.0), "drift": calm})
    assert judged(written([1], **{**paced(template, 2.2), "drift": busy}), before).passed
    assert not judged(written([1], **{**paced(template, 2.2), "drift": calm}), before).passed
    assert not judged(written([1], **{**paced(template, 2.5), "drift": busy}), before).passed


def outcomes(verdict: GateVerdict) -> dict[str, str]:
    (found,) = verdict.judged
    return {check.name: check.outcome for check in found.checks if isinstance(check, SpeedChange)}


def test_speed_that_drift_leaves_open_is_not_judged_and_says_so(written: Written, template: Run) -> None:
    assert template.drift is not None
    steady = replace(template.drift, first_s=0.01, min=0.95, median=1.0, max=1.05)
    drifted = replace(steady, min=0.9, max=1.5)
    before = written([1] * 20, **{**paced(template, 1.0), "drift": steady})
    # With a limit of 1.5 and what the drift leaves open, 1 / 1.5 to 1 / 0.9 times: 1.35 to 2.25 is open.
    for ratio, expected in ((1.2, "passed"), (1.4, "not judged"), (2.2, "not judged"), (2.3, "failed")):
        found = judged(written([1] * 20, **{**paced(template, ratio), "drift": drifted}), before)
        assert outcomes(found)["rtf"] == expected, ratio
    open_ = judged(written([1] * 20, **{**paced(template, 2.0), "drift": drifted}), before)
    assert open_.passed
    assert any("the machine drifted, and the limit lies in what that leaves open" in line for line in lines(open_))
    assert any("0.90 to 1.50 times its median in this run" in line for line in lines(open_))


def test_drift_of_the_baseline_counts_as_well(written: Written, template: Run) -> None:
    assert template.drift is not None
    drifted = replace(template.drift, first_s=0.01, min=0.6, median=1.0, max=1.0)
    steady = replace(drifted, min=1.0)
    before = written([1] * 20, **{**paced(template, 1.0), "drift": drifted})
    found = judged(written([1] * 20, **{**paced(template, 2.0), "drift": steady}), before)
    assert outcomes(found) == {"rtf": "not judged", "latency_p95_s": "not judged"}
    assert any("in the baseline's run" in line for line in lines(found))


def test_speed_is_not_judged_across_data(written: Written, template: Run) -> None:
    before = written([1, 1, 1], **paced(template, 1.0))
    found = judged(written([1, 1, 1, 1], **paced(template, 9.0)), before)
    assert set(outcomes(found).values()) == {"not judged"}
    assert any("its data are not those of the baseline" in line for line in lines(found))


def elsewhere(run: Run, source: str) -> Run:
    selection = replace(run.dataset.selection, source=source)
    return replace(run, dataset=replace(run.dataset, selection=selection))


def test_two_datasets_of_one_name_are_two_entries_with_two_labels(written: Written, template: Run) -> None:
    english = written([1, 1], ids=["en1", "en2"], **paced(template, 1.0))
    spanish = written([2, 2], ids=["es1", "es2"], **paced(template, 3.0))
    runs = [(path, elsewhere(store.read_run(path), source)) for path, source in ((english, "/en"), (spanish, "/es"))]
    left_out: list[str] = []
    assert current(runs, left_out) == runs
    assert left_out == []
    baseline = baseline_of([entry_of(run, store.read_clips(path)) for path, run in runs])
    found = gate(runs, baseline)
    assert found.passed
    assert [each.entry.dataset_sha256 for each in found.judged] == [run.dataset.sha256 for _, run in runs]
    names = {label(each.entry, found.ambiguous) for each in found.judged}
    assert names == {f"fake:echo on ten (data sha256 {run.dataset.sha256[:8]})" for _, run in runs}
    one = gate(runs[:1], baseline)
    assert [entry.dataset_sha256 for entry in one.missing] == [runs[1][1].dataset.sha256]


def test_data_that_changed_in_their_place_are_held_against_what_they_were(written: Written) -> None:
    before, now = written([1, 1, 1], ids=["a", "b", "c"]), written([1, 1], ids=["a", "b"])
    assert reasons(judged(now, before)) == ["1 clip ('c') of the baseline vanished"]


def test_a_hiccup_on_a_run_of_a_moment_is_no_slowdown(written: Written, template: Run) -> None:
    assert template.speed is not None
    short = {"drift": None, "speed": replace(template.speed, rtf=0.001, latency_p95_s=0.002)}
    long = {"drift": None, "speed": replace(template.speed, rtf=0.05, latency_p95_s=0.09)}
    assert judged(written([1], **long), written([1], **short)).passed


def test_the_baseline_is_the_same_bytes_whatever_the_order_and_can_be_read_back(
    written: Written, tmp_path: Path
) -> None:
    paths = [written([1, None, 3], ids=["ü", 'quo"te', "c"]), written([1], model="fake:a"), written([2], name="other")]
    entries = [entry_of(store.read_run(path), store.read_clips(path)) for path in paths]
    text = render(baseline_of(entries))
    assert text == render(baseline_of(entries[::-1]))
    (tmp_path / "b.json").write_text(text, encoding="utf-8")
    assert read(tmp_path / "b.json") == baseline_of(entries)
    assert sum('"edits"' in line for line in text.splitlines()) == 5
    assert not re.search(r"\d\d:\d\d|\d{4}-\d\d-\d\d", text), "a time of day"
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "baseline.json").read_text("utf-8"))
    jsonschema.validate(json.loads(text), schema)


@many
@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.integers(0, 10)), min_size=1, max_size=5))
def test_any_clip_id_survives_the_file(written: Written, tmp_path: Path, clips: list[tuple[str, int]]) -> None:
    ids = [id_.encode("utf-8", "replace").decode() for id_ in dict(clips)]
    if len(set(ids)) < len(ids):
        return
    path = written(list(dict(clips).values()), ids=ids)
    made = baseline_of([entry_of(store.read_run(path), store.read_clips(path))])
    (tmp_path / "b.json").write_bytes(render(made).encode())
    assert read(tmp_path / "b.json") == made


def test_no_transcript_is_in_the_baseline(written: Written) -> None:
    path = written([3])
    text = render(baseline_of([entry_of(store.read_run(path), store.read_clips(path))]))
    assert not any(word in text for word in ["wrong", *WORDS[:3]])


def test_of_runs_of_one_thing_the_newest_counts(written: Written) -> None:
    old, new = written([5]), written([1, 1])
    left_out: list[str] = []
    runs = [(path, replace(store.read_run(path), created_at=when)) for path, when in ((new, "2"), (old, "1"))]
    assert [path for path, _ in current(runs, left_out)] == [new]
    assert left_out == [f"{old} was run again later, with other data, weights, scoring or machine."]


def test_what_is_no_baseline_is_refused_in_a_sentence(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    for text, message in (
        ("{", "is not a baseline"),
        ('{"schema_version": 99, "entries": []}', "has schema version 99; this Earwitness reads up to 1. Upgrade it."),
        ('{"schema_version": 1, "entrys": []}', "does not fit the record's schema: entr"),
    ):
        path.write_text(text)
        with pytest.raises(RecordError, match=message):
            read(path)
    path.unlink()
    with pytest.raises(RecordError, match="There is no baseline .* --update"):
        read(path)


HOSTILE = [
    "<script>alert(1)</script>", "]]>", "&amp;", "a|b", "`tick`", "**bold** _it_", "@everyone", "line\nbreak\r\n# head",
    "nul\x00bell\x07escape\x1b[31m", "￾", "שלום עולם", "日本語", "::error::x", "[link](javascript:alert(1))", "%0A",
    "\u202eevil", "www.example.com",
]  # fmt: skip


def test_hostile_names_come_out_as_they_are_in_xml_and_harmless_in_markdown(written: Written) -> None:
    more = {
        "ids": HOSTILE,
        "name": "".join(HOSTILE),
        "reference": "one <img src=x onerror=alert(1)> two | @me three",
        "model": "fake:<b>|`x`",
    }
    verdict = judged(
        written([5] * len(HOSTILE), **more),
        written([0] * len(HOSTILE), **more),
    )
    root = ET.fromstring(junit(verdict))
    (suite,) = root
    shown = "".join(HOSTILE).translate({0: 0xFFFD, 7: 0xFFFD, 27: 0xFFFD, 0xFFFE: 0xFFFD})
    assert suite.get("name") == f"fake:<b>|`x` on {shown}"
    assert (root.get("failures"), len(list(root.iter("failure")))) == ("1", 1)
    text = markdown(verdict)
    assert not re.search(r"<(?!/?code>)", text)
    assert "@" not in text.replace("&#64;", "")
    table = [line for line in text.splitlines() if line.startswith("| <code>") and line.count(" | ") == 4]
    assert len(table) == 10
    for line in commands(verdict):
        assert "\n" not in line
        assert line.startswith("::error title=fake%3A<b>|`x` on ")


def _is_legible(number: int) -> bool:
    """XML 1.0's Char, without the control characters and non-characters that it discourages (section 2.2)."""
    is_control = (number < 0x20 and chr(number) not in "\t\n\r") or 0x7F <= number <= 0x9F
    return not (is_control or 0xD800 <= number <= 0xDFFF or 0xFDD0 <= number <= 0xFDEF or number & 0xFFFE == 0xFFFE)


@given(st.text(max_size=40))
@example("\ufdd0")
@example("\U0001fffe")
def test_code_shows_any_text_on_one_line_as_it_is(text: str) -> None:
    inside = re.fullmatch(r"<code>(.*)</code>", code(text))
    assert inside is not None
    assert not re.search(r"[<>|`*_@\[\]#~!:/\\]", re.sub(r"&#\d+;", "", inside[1]))
    shown = html.unescape(inside[1])
    legible = "".join(one if _is_legible(ord(one)) else "\ufffd" for one in text)
    assert shown == " ".join(legible.split())


def test_the_command_writes_judges_and_reports(
    written: Written, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    good, base = written([1] * 8), tmp_path / "b.json"
    assert main(["gate", str(good), "--baseline", str(base)]) == 2
    assert main(["gate", str(good), "--baseline", str(base), "--update"]) == 0
    before = base.read_bytes()
    assert main(["gate", str(good), "--baseline", str(base), "--update"]) == 0
    assert base.read_bytes() == before
    assert main(["gate", str(good), "--baseline", str(base)]) == 0
    bad = written([3] * 8)
    capfd.readouterr()
    files = ["--junit", str(tmp_path / "g.xml"), "--markdown", str(tmp_path / "g.md")]
    assert main(["gate", str(bad), "--baseline", str(base), *files]) == 1
    told = capfd.readouterr().out
    assert told.startswith("failed: fake:echo on ten: WER 10.0 % before, 30.0 % now: 20.0 points")
    assert "::error" not in told
    assert ET.parse(tmp_path / "g.xml").getroot().get("failures") == "1"
    assert "that got worse most, of 8" in (tmp_path / "g.md").read_text("utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["gate", str(bad), "--baseline", str(base), "--json"]) == 1
    both = capfd.readouterr()
    assert json.loads(both.out)["passed"] is False
    assert both.err.startswith("::error title=fake%3Aecho on ten::WER 10.0 %25 before")
    assert main(["gate", str(bad), "--baseline", str(base), "--no-github"]) == 1
    assert "::error" not in capfd.readouterr().out


def test_an_update_of_some_keeps_the_others_only_when_asked(
    written: Written, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, two, base = written([1]), written([1], model="fake:two"), tmp_path / "b.json"
    everything = ["gate", str(one), str(two), "--baseline", str(base), "--update"]
    assert main(everything) == 0
    whole = base.read_bytes()
    assert main(["gate", str(one), "--baseline", str(base), "--update", "--partial"]) == 0
    assert base.read_bytes() == whole
    capfd.readouterr()
    assert main(["gate", str(one), "--baseline", str(base), "--update"]) == 0
    assert "taken out: fake:two on ten" in capfd.readouterr().out
    assert [entry.model for entry in read(base).entries] == ["fake:echo"]


POLICY = """
name = "strict"
summary = "few errors"
[gates.wer]
at_most = 0.15
by = "value"
why = "it is a test"
[targets.failed_share]
at_most = 0.0
by = "value"
why = "it is wished"
"""


def test_a_broken_gate_of_the_policy_fails_and_a_missed_target_does_not(
    written: Written, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    good, poor = (
        written([1, None] + [0] * 14, with_scores=True),
        written([2] * 16, model="fake:poor", with_scores=True),
    )
    assert main(["gate", str(good), str(poor), "--baseline", "b.json", "--update"]) == 0
    by_policy = ["--baseline", "b.json", "--policy", "policy.toml"]
    assert main(["gate", str(good), "--partial", *by_policy]) == 0
    capfd.readouterr()
    assert main(["gate", str(good), str(poor), *by_policy]) == 1
    failed = [line for line in capfd.readouterr().out.splitlines() if line.startswith("failed")]
    assert len(failed) == 1
    assert failed[0].startswith("failed: fake:poor: WER of recordings like these at most 15.0 %")
    assert "20.0 %" in failed[0]
    (tmp_path / "earwitness.toml").write_text('[study]\ndata = ["x"]\nmodels = ["y:z"]\npolicy = "policy.toml"\n')
    assert main(["gate", str(good), str(poor), "--baseline", "b.json", "--junit", "g.xml"]) == 1
    (case,) = [case for case in ET.parse("g.xml").getroot().iter("testcase") if case.find("failure") is not None]
    assert case.get("name") == "policy"


def test_a_figure_of_speed_has_four_digits_and_nothing_of_the_day(written: Written, template: Run) -> None:
    assert template.speed is not None
    path = written([1], speed=replace(template.speed, rtf=0.123456789, latency_p95_s=None), drift=None)
    assert entry_of(store.read_run(path), store.read_clips(path)).pace == Pace(rtf=0.1235)
