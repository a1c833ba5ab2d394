"""Corpora of real speech that are downloaded on request from Debian's packages into the user's cache.

``telephony-*``: prompts of a telephone exchange, each spoken by one person at 8 kHz; the transcript list has
``name: text`` lines. A text wholly in square or round brackets describes a sound: reference ``""``. A line without
text, and audio without a line, are unlabelled: reference ``None``; files named ``silence/`` are silence all the same.
Clips stand in the order of the list.

``librivox-mini``: five sentences of Austen's "Sense and Sensibility", read by a volunteer; all of one recording.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earwitness.errors import DataNotFoundError
from earwitness.files.fetch import FetchProgress, cache_dir, debian_tree, stage
from earwitness.files.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus that can be downloaded."""

    name: str
    """As typed."""
    title: str
    """One line."""
    language: str
    """BCP 47 tag."""
    license: str
    """As the package states it."""
    attribution: str
    """Who is to be named."""
    minutes: float
    """Of audio, tones and silence included."""
    packages: Mapping[str, str]
    """Debian package -> sha256 of its file; the last one holds the audio."""
    speaker: str
    """Who speaks."""


def _telephony(language: str, tag: str, license_: str, speaker: str, minutes: float, texts: str, audio: str) -> Corpus:
    package = f"asterisk-core-sounds-{language}"
    return Corpus(
        name=f"telephony-{language}",
        title="telephone prompts, 8 kHz, one speaker",
        language=tag,
        license=license_,
        attribution=f"Asterisk core sounds, recorded by {speaker}",
        minutes=minutes,
        packages={package: texts, f"{package}-wav": audio},
        speaker=speaker,
    )


CORPORA: Mapping[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        _telephony(
            "en", "en-US", "CC-BY-SA-3.0", "Allison Smith", 25.5,
            "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
            "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
        ),
        _telephony(
            "es", "es-MX", "CC-BY-SA-3.0", "Allison Smith", 31.0,
            "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
            "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903",
        ),
        _telephony(
            "fr", "fr-CA", "CC-BY-SA-3.0", "June Wallack", 26.0,
            "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
            "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
        ),
        _telephony(
            "it", "it-IT", "CC-BY-3.0", "Carlo Flora", 23.8,
            "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
            "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
        ),
        _telephony(
            "ru", "ru-RU", "CC-BY-3.0", "ivrvoice.ru", 24.8,
            "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
            "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201",
        ),
        Corpus(
            name="librivox-mini",
            title="five sentences of a novel, read aloud",
            language="en-US",
            license="BSD-2-Clause package; the LibriVox recording is in the public domain",
            attribution="LibriVox; CMU Sphinx",
            minutes=0.4,
            packages={"pocketsphinx-testdata": "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0"},
            speaker="librivox",
        ),
    )
}  # fmt: skip


def folder(name: str) -> Path:
    """Return the folder of a downloaded corpus.

    Raises:
        DataNotFoundError: For an unknown name, with the nearest ones, or one that is not pulled, with the command.
    """
    _corpus(name)
    path = cache_dir() / "corpora" / name
    if not (path / "manifest.jsonl").exists():
        raise DataNotFoundError(f"Corpus {name!r} is not pulled. Run: earwitness data pull {name}")
    return path


def pull(name: str, progress: FetchProgress = lambda _: None) -> Path:
    """Download a corpus, if it is not there yet, and return its folder.

    Beside the audio stand ``manifest.jsonl``, ``corpus.json`` (licence, attribution, packages, and what did not fit
    together) and the package's ``copyright``.

    Raises:
        DataNotFoundError: For an unknown name.
        FetchError: When it cannot be had here.
    """
    corpus = _corpus(name)
    try:
        return folder(name)
    except DataNotFoundError:
        pass
    target = cache_dir() / "corpora" / name
    with stage(target) as fresh:
        unpacked = fresh / "unpacked"
        for package, sha256 in corpus.packages.items():
            debian_tree(package, sha256, unpacked, progress)
        rows, oddities = (_librivox if name == "librivox-mini" else _prompts)(corpus, unpacked, fresh)
        notice = next(unpacked.glob(f"usr/share/doc/{list(corpus.packages)[-1]}/copyright"))
        shutil.copy(notice, fresh / "copyright")
        shutil.rmtree(unpacked)
        _write(fresh, corpus, rows, oddities)
    progress(f"{name}: {len(rows)} clips, licence: {corpus.license}; {corpus.attribution}")
    return target


def remove(name: str) -> bool:
    """Remove a downloaded corpus and return whether there was one."""
    _corpus(name)
    path = cache_dir() / "corpora" / name
    there = path.exists()
    shutil.rmtree(path, ignore_errors=True)
    return there


def parse_prompts(text: str) -> Iterator[tuple[str, str | None, str]]:
    r"""Yield name, reference and kind of each line of a transcript list.

    >>> list(parse_prompts("; comment\nhello: Hello: there.\nbeep: [a tone]"))
    [('hello', 'Hello: there.', 'speech'), ('beep', '', 'tone')]
    >>> list(parse_prompts("silence/1: (1 second)\nx:"))
    [('silence/1', '', 'silence'), ('x', None, 'unlabelled')]
    """
    for line in text.splitlines():
        name, colon, said = line.partition(":")
        name, said = name.strip(), said.strip()
        if not colon or line.startswith(";"):
            continue
        if not said:
            yield name, None, "unlabelled"
        elif re.fullmatch(r"\[[^\]]*\]|\([^)]*\)", said):
            yield name, "", "silence" if name.startswith("silence/") else "tone"
        else:
            yield name, said, "speech"


def _prompts(corpus: Corpus, folder: Path, fresh: Path) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    listing = next(folder.glob("usr/share/doc/*/core-sounds-*.txt.gz"))
    text = gzip.decompress(listing.read_bytes()).decode("utf-8-sig")
    sounds = next((folder / "usr/share/asterisk/sounds").iterdir())
    sounds.rename(fresh / "audio")
    files = {p.relative_to(fresh / "audio").with_suffix("").as_posix() for p in (fresh / "audio").rglob("*.wav")}
    rows, seen, repeated, absent = [], set(), [], []
    for name, reference, kind in parse_prompts(text):
        if name in seen:
            repeated.append(name)
        elif name not in files:
            absent.append(name)
        else:
            seen.add(name)
            rows.append(_row(corpus, f"audio/{name}.wav", name, reference, kind))
    unlisted = sorted(files - seen)
    for name in unlisted:
        silent = name.startswith("silence/")
        reference, kind = ("", "silence") if silent else (None, "unlabelled")
        rows.append(_row(corpus, f"audio/{name}.wav", name, reference, kind))
    oddities = {"listed_without_audio": absent, "listed_twice": repeated, "audio_without_text": unlisted}
    return rows, oddities


def _librivox(corpus: Corpus, folder: Path, fresh: Path) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    source = next(folder.glob("usr/share/pocketsphinx/test/data/librivox"))
    (fresh / "audio").mkdir()
    rows = []
    for line in (source / "transcription").read_text(encoding="utf-8").splitlines():
        found = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line.strip())
        if found:
            shutil.copy(source / f"{found[2]}.wav", fresh / "audio")
            row = _row(corpus, f"audio/{found[2]}.wav", found[2], found[1], "speech")
            rows.append({**row, "recording": found[2].rpartition("-")[0]})
    return rows, {}


def _row(corpus: Corpus, path: str, name: str, reference: str | None, kind: str) -> dict[str, Any]:
    row: dict[str, Any] = {"audio_filepath": path, "text": reference, "lang": corpus.language, "id": name}
    return {**row, "speaker": corpus.speaker, "kind": kind}


def _write(fresh: Path, corpus: Corpus, rows: Iterable[Mapping[str, Any]], oddities: Mapping[str, list[str]]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (fresh / "manifest.jsonl").write_text(lines, encoding="utf-8")
    about = {
        "name": corpus.name,
        "title": corpus.title,
        "license": corpus.license,
        "attribution": corpus.attribution,
        "synthetic": False,
        "debian_packages": dict(corpus.packages),
        **oddities,
    }
    (fresh / "corpus.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _corpus(name: str) -> Corpus:
    if name not in CORPORA:
        hint = did_you_mean(name, CORPORA, n=2, cutoff=0.4)
        raise DataNotFoundError(f"There is no corpus {name!r}.{hint} See: earwitness data list")
    return CORPORA[name]
