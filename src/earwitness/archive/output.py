"""Writes the outputs of an archive: the journal first, then each file in one step, and never over an edited one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple
from functools import cache
from pathlib import Path

from earwitness.archive.cues import times_of
from earwitness.archive.formats import FORMATS, SHARED, ArchiveText, jsonl
from earwitness.archive.inputs import content_sha256, local_version
from earwitness.archive.journal import AGAIN, Journal, JournalLine, output_sha256
from earwitness.archive.plan import ArchiveItem, output_state, shared_file
from earwitness.archive.spec import ArchiveSpec
from earwitness.archive.summary import ArchiveFailure, Tally
from earwitness.files.atomic import atomic_write, write_bytes
from earwitness.files.remote import is_address
from earwitness.runs.pool import PoolResult, PoolSpec
from earwitness.scoring import ScoringOptions, score_clip
from earwitness.types import Clip, Finding


class Outputs:
    """The files of an archive, and the counts of what is written.

    Args:
        spec: For formats and layout.
        pool: For the model's name in the outputs.
        root: Folder of the outputs.
        journal: Of that folder.
        tally: Counts.
    """

    def __init__(self, spec: ArchiveSpec, pool: PoolSpec, root: Path, journal: Journal, tally: Tally) -> None:
        """Write nothing yet."""
        self.root, self.tally = root, tally
        self._pool, self._journal, self._force = pool, journal, spec.force
        self._layout = spec.layout
        self._layout_key = hashlib.sha256(repr(astuple(spec.layout)).encode()).hexdigest()[:16]
        self._formats = [name for name in spec.formats if name != SHARED]
        self._is_shared = SHARED in spec.formats
        self._shared_file = root / shared_file(spec.shard)

    def add(self, item: ArchiveItem, note: str, n_channels: int, result: PoolResult) -> None:
        """Keep the result of a recording and write its outputs.

        Raises:
            FileError: When one cannot be written.
        """
        hypothesis = result.hypothesis
        findings = _findings(item, result)
        size, version, sha256 = _identity(item, is_ok=hypothesis.ok)
        speech_s = None if result.speech is None else sum(end - begin for begin, end in result.speech)
        line = JournalLine(
            key=item.key,
            stem=item.stem,
            size_bytes=size,
            version=version,
            sha256=sha256,
            recipe=item.recipe,
            hypothesis=hypothesis,
            findings=findings,
            speech_s=speech_s,
            n_channels=n_channels,
            note=note,
        )
        text = self._text(item, line)
        made = {name: FORMATS[name](text, self._layout).encode() for name in self._formats} if hypothesis.ok else {}
        states = {name: self._state(item, name) for name in made}
        kept = {name: content for name, content in made.items() if states[name] != "edited" or self._force}
        self.tally.n_edited += len(made) - len(kept)
        hashes = {name: output_sha256(content) for name, content in kept.items()}
        self._journal.add(line, hashes, self._layout_key)
        for name, content in kept.items():
            write_bytes(item.output(self.root, name), content, then=AGAIN)
        self._count(item, line)

    def refresh(self, item: ArchiveItem) -> None:
        """Write the outputs of a finished recording that are missing, or were laid out otherwise.

        Raises:
            FileError: When one cannot be written.
        """
        states = {name: self._state(item, name) for name in self._formats}
        stale = [name for name, state in states.items() if state != "fresh" and (state != "edited" or self._force)]
        self.tally.n_edited += 0 if self._force else list(states.values()).count("edited")
        if not stale:
            return
        text = self._text(item, self._journal.line(item.key))
        for name in stale:
            content = FORMATS[name](text, self._layout).encode()
            self._journal.add_output(item.key, name, output_sha256(content), self._layout_key)
            write_bytes(item.output(self.root, name), content, then=AGAIN)
            self.tally.n_rewritten += 1

    def write_shared(self, items: Iterable[ArchiveItem]) -> None:
        """Write the one file of all texts, where it was asked for, in the order of the recordings.

        Raises:
            FileError: When it cannot be written.
        """
        if not self._is_shared:
            return
        with atomic_write(self._shared_file, then=AGAIN) as temporary, temporary.open("wb") as file:
            for item in items:
                if item.key in self._journal.entries:
                    text = self._text(item, self._journal.line(item.key))
                    file.write(jsonl(text, self._layout).encode())

    def _state(self, item: ArchiveItem, name: str) -> str:
        entry = self._journal.entries.get(item.key)
        return output_state(item.output(self.root, name), entry, name, self._layout_key)

    def _text(self, item: ArchiveItem, line: JournalLine) -> ArchiveText:
        return ArchiveText(
            source=item.key.partition("#")[0],
            audio_s=line.hypothesis.audio_s,
            transcript=line.hypothesis.transcript,
            failure=line.hypothesis.failure,
            channel=item.channel,
            start_s=item.of.start_s,
            findings=line.findings,
            model=self._pool.model.id,
            weights_sha256=self._pool.weights_sha256,
        )

    def _count(self, item: ArchiveItem, line: JournalLine) -> None:
        transcript, failure = line.hypothesis.transcript, line.hypothesis.failure
        if failure is not None:
            self.tally.failures.append(ArchiveFailure(item.of.label, failure))
        if transcript is None:
            return
        self.tally.n_texts += 1
        self.tally.audio_s += line.hypothesis.audio_s
        self.tally.n_spread += bool(transcript.text.strip()) and times_of(transcript) == "spread"
        self.tally.n_empty += not transcript.text.strip()
        self.tally.add_findings(item.of.label, item.channel, line.findings)


def _identity(item: ArchiveItem, *, is_ok: bool) -> tuple[int | None, str, str]:
    """Return size, time of change and content's hash; no hash of a file that changed while it was transcribed."""
    of = item.of
    if not is_ok or is_address(of.path):
        return of.size_bytes, of.version, ""
    try:
        sha256 = content_sha256(of.path)
    except OSError:
        sha256 = ""
    changed = local_version(Path(of.path)) != (of.size_bytes, of.version)
    return of.size_bytes, of.version, "" if changed else sha256


def _findings(item: ArchiveItem, result: PoolResult) -> tuple[Finding, ...]:
    hypothesis = result.hypothesis
    clip = Clip(item.key, "", "", 0.0, hypothesis.audio_s, None, language=item.language, channel=item.channel)
    return score_clip(clip, hypothesis, _scoring(), result.speech).findings


@cache
def _scoring() -> ScoringOptions:
    return ScoringOptions("basic")
