"""What is fuzzed: every reader of files that users bring, and the decoder, each with a valid file to begin from."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from tests.fuzz.target import Target
from tests.fuzz.texts import texts


def _lines(*rows: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _rows(kind: str | None, path: Path, columns: Mapping[str, str] | None = None) -> object:
    from earwitness.data.clips import fingerprint, to_clips
    from earwitness.data.dataset import read_rows
    from earwitness.data.rows import DataRow

    clips = to_clips(row for row in read_rows(path, kind, columns) if isinstance(row, DataRow))
    return fingerprint(clips)


def _pairs(kind: Any, path: Path, **reading: Any) -> object:
    from earwitness.scoring.formats.transcripts import ReadOptions, read_pairs

    return read_pairs(path, path, ReadOptions(kind, **reading))


def _timed(path: Path) -> object:
    from earwitness.scoring.formats.transcripts import ReadOptions, read_pairs

    return read_pairs(path.with_name("ref.stm"), path, ReadOptions("stm"))


def _scored(path: Path) -> object:
    import earwitness

    return earwitness.score(path, path, normalizer="basic", alternatives=True)


def _rules(path: Path) -> object:
    from earwitness.scoring.text.rules import read

    return read(path)


def _keys(path: Path) -> object:
    from earwitness.server.keys import read_keys

    return read_keys(path)


def _study(path: Path) -> object:
    from earwitness.runs.study_file import read

    return read(path)


def _policy(path: Path) -> object:
    from earwitness.decision.policy import load

    return load(str(path))


def _decision(path: Path) -> object:
    from earwitness.decision.decision_file import read_decision

    return read_decision(path)


def _run(path: Path) -> object:
    from earwitness.records.store import read_run

    return read_run(path)


def _clips(path: Path) -> object:
    from earwitness.records.store import read_clips

    return read_clips(path.with_name("a.json"))


def _sound(path: Path) -> object:
    from earwitness.audio import decode_to, probe

    probe(path)
    return decode_to(path, path.with_name("out.f32"), longest_s=600.0)


NEMO = _lines(
    {"audio_filepath": "a.wav", "text": "one two", "duration": 1.5, "offset": 0.5, "lang": "en", "id": "a", "x": [1]},
    {"audio_filepath": "b.wav", "text": "día 😀", "speaker": "s", "recording": "r", "channel": 1},
    {"audio_filepath": "c.wav", "text": "three", "channel_selector": "average", "lang": "English"},
)
CUT = {
    "id": "c", "start": 0.0, "duration": 1.0, "channel": 0, "type": "MonoCut", "custom": {"k": 1},
    "supervisions": [{"id": "s", "start": 0.0, "duration": 1.0, "text": "one", "language": "en", "speaker": "x"}],
    "recording": {"id": "r", "sources": [{"type": "file", "channels": [0], "source": "a.wav"}], "duration": 1.0,
                  "sampling_rate": 16000, "num_samples": 16000},
}  # fmt: skip
MULTI_CUT = CUT | {
    "id": "m", "type": "MultiCut", "channel": [0, 1],
    "recording": {"id": "r", "sources": [{"type": "file", "channels": [0], "source": "a.wav"},
                                         {"type": "file", "channels": [1], "source": "b.wav"}],
                  "sampling_rate": 16000, "num_samples": 16000, "duration": 1.0, "channel_ids": [0, 1]},
}  # fmt: skip
RULES = b'name = "mine"\ncase = "fold"\n[[replace]]\nfrom = "colou?r"\nto = "color"\n'
STUDY = b'[study]\ndata = ["sample"]\nmodels = ["fake:echo"]\n'
STUDY += b'preset = "matched"\nlimit = 2\n[study.settings]\nbeam_size = 1\n'
KEYS = json.dumps({"keys": [{"name": "a", "sha256": "0" * 64, "created_at": "2026-01-01T00:00:00Z"}]}).encode()


def readers() -> dict[str, Target]:
    """Return the targets that need no process and no sound."""
    return _manifests() | _kaldi() | _scoring() | _settings() | _records() | texts()


def _manifests() -> dict[str, Target]:
    table = "path\tsentence\tid\tduration\na.wav\tone two\tx\t1.5\nb.wav\tdía\ty\t2\n"
    own = b"File;Wording;Side;From\na.wav;one two;0;0.5\nb.wav;three;1;0\n"
    columns = {"audio": "File", "text": "Wording", "channel": "Side", "start": "From"}
    metadata = b"file_name,transcription,language\na.wav,one two,en\nb.wav,three,en_US\n"
    beside = {"a.wav": b"x", "b.wav": b"x"}
    # A table that Excel wrote.
    utf16 = "\ufeff" + table.replace("\t", ";")
    described = _lines({"file_name": "a.wav", "text": "one"})
    return {
        "nemo": Target("m.jsonl", NEMO, partial(_rows, None)),
        "nemo gzip": Target("m.jsonl.gz", gzip.compress(NEMO, mtime=0), partial(_rows, None)),
        "nemo columns": Target("m.jsonl", NEMO, partial(_rows, None, columns={"text": "x", "id": "lang"})),
        "csv": Target("m.csv", table.replace("\t", ",").encode(), partial(_rows, None)),
        "csv columns": Target("m.csv", own, partial(_rows, None, columns=columns)),
        "csv utf-16": Target("m.csv", utf16.encode("utf-16-le"), partial(_rows, None)),
        "tsv": Target("m.tsv", table.encode(), partial(_rows, None)),
        "folder": Target("a.txt", b"one two\n", partial(_rows, "folder"), {"a.wav": b"x"}, whole_folder=True),
        "metadata.csv": Target("metadata.csv", metadata, partial(_rows, "folder"), beside, whole_folder=True),
        "metadata.jsonl": Target("metadata.jsonl", described, partial(_rows, "folder"), beside, whole_folder=True),
        "metadata.csv columns": Target("metadata.csv", own, partial(_rows, "folder", columns=columns), beside, True),
        "librispeech": Target("1-2.trans.txt", b"1-2-0001 ONE TWO\n1-2-0002 THREE\n", partial(_rows, "librispeech"), {},
                              whole_folder=True),
        "lhotse": Target("cuts.jsonl", _lines(CUT, CUT | {"id": "d"}, MULTI_CUT), partial(_rows, "lhotse")),
        "lhotse gzip": Target("cuts.jsonl.gz", gzip.compress(_lines(CUT), mtime=0), partial(_rows, "lhotse")),
    }  # fmt: skip


def _kaldi() -> dict[str, Target]:
    """Each file of a Kaldi folder is changed beside the others."""
    folder = {
        "wav.scp": b"rec1 a.wav\nrec2 a.wav\n",
        "segments": b"utt1 rec1 0.0 1.5\nutt2 rec2 0.5 -1 1\n",
        "text": b"utt1 one\nutt2 two\n",
        "utt2spk": b"utt1 ann\nutt2 bob\n",
        "utt2lang": b"utt1 eng\nutt2 en_US\n",
        "reco2file_and_channel": b"rec1 call A\nrec2 call B\n",
    }
    return {
        f"kaldi {name}": Target(
            name, content, partial(_rows, "kaldi"), {k: v for k, v in folder.items() if k != name}, True
        )
        for name, content in folder.items()
    } | {"kaldi without segments": Target("wav.scp", folder["wav.scp"], partial(_rows, "kaldi"), {}, True)}


def _scoring() -> dict[str, Target]:
    stm = b"a 1 x 0.0 1.5 <o,f0> one two\n;; note\na 1 x 1.5 3.0 three\n"
    ctm = b"a 1 0.1 0.2 one 0.9\na 1 0.4 0.2 two\n"
    trn = b"one (two) {a / b;noun / @} (a-1)\nthree (a-2)\n"
    texts_ = _lines({"id": "a", "text": "one", "pred_text": "two"}, {"id": "b", "text": "three", "pred_text": None})
    return {
        "score plain": Target("a.txt", b"one two\nthree\n", partial(_pairs, "plain")),
        "score any": Target("a.txt", b"utt-1 one two\nutt-2 three\n", partial(_pairs, None)),
        "score kaldi": Target("text", b"utt-1 one two\nutt-2 three\n", partial(_pairs, "kaldi")),
        "score gb18030": Target(
            "a.txt", "你好\n一 二\n".encode("gb18030"), partial(_pairs, "plain", encoding="gb18030")
        ),
        "score trn": Target("a.trn", trn, partial(_pairs, "trn")),
        "score trn optional": Target("a.trn", trn, partial(_pairs, "trn", optional=True)),
        "score jsonl": Target("a.jsonl", texts_, partial(_pairs, "jsonl")),
        "score jsonl missing": Target("a.jsonl", texts_, partial(_pairs, "jsonl", missing_as_empty=True)),
        "score stm": Target("ref.stm", stm, lambda path: _timed(path.with_name("hyp.ctm")), {"hyp.ctm": ctm}),
        "score ctm": Target("hyp.ctm", ctm, _timed, {"ref.stm": stm}),
        "score": Target("a.txt", "one {two / too} día\nthree\n".encode(), _scored),
    }


def _settings() -> dict[str, Target]:
    return {
        "rules": Target("r.toml", RULES, _rules),
        "keys": Target("k.json", KEYS, _keys),
        "study": Target("earwitness.toml", STUDY, _study),
        "policy": Target("p.toml", _shipped_policy(), _policy),
    }


def _shipped_policy() -> bytes:
    import earwitness

    return next((Path(earwitness.__file__).parent / "decision").rglob("*.toml")).read_bytes()


@cache
def _records() -> dict[str, Target]:
    from tests.comparison.study import GOLDEN, write_study

    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder))
        record = min(Path(folder).rglob("*.clips.jsonl"), key=lambda path: path.stat().st_size)
        clips = b"".join(record.read_bytes().splitlines(keepends=True)[:3])
        run = record.with_name(record.name.replace(".clips.jsonl", ".json")).read_bytes()
    return {
        "record": Target("a.json", run, _run),
        "record's clips": Target("a.clips.jsonl", clips, _clips),
        "decision": Target("decision.json", GOLDEN.read_bytes(), _decision),
    }


@cache
def sounds() -> dict[str, Target]:
    """Return a short file of each format, for the decoder."""
    import io

    import soundfile

    t = np.arange(12_000) / 16_000
    wave = (0.3 * np.sin(2 * np.pi * (200 + 100 * t) * t)).astype(np.float32)
    found = {}
    for format_, subtype in (
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "GSM610"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"),
        ("W64", "PCM_24"), ("RF64", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "ULAW"), ("CAF", "PCM_16"), ("VOC", "PCM_16"),
        ("NIST", "PCM_16"), ("SVX", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    ):  # fmt: skip
        file = io.BytesIO()
        soundfile.write(file, wave, 16_000, format=format_, subtype=subtype)
        found[f"{format_} {subtype}"] = Target("a.wav", file.getvalue(), _sound)
    for container, codec in (
        ("mp4", "aac"), ("matroska", "libopus"), ("adts", "aac"), ("webm", "libopus"), ("mov", "alac"),
    ):  # fmt: skip
        found[f"{container} {codec}"] = Target("a.wav", _with_av(wave, container, codec), _sound)
    return found


def _with_av(wave: np.ndarray, container: str, codec: str) -> bytes:
    import io

    import av

    file = io.BytesIO()
    rate_hz = 48_000
    with av.open(file, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 3)[None, :], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=rate_hz,
                                      frame_size=stream.codec_context.frame_size or 1024)  # fmt: skip
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()
