"""Subtitles: the words of a transcript in cues that can be read, with times.

Words have the times of the engine where it gives them. Else the words of a segment share its time by their letters,
and those of a transcript without segments share the whole recording. A word is never cut; one that is longer than a
line has a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from earwitness.types import Segment, Transcript

CueTimes = Literal["words", "segments", "spread"]
_SENTENCE_END = re.compile(r"[.?!…。？！]['\")\]”’»]*$")
_CLAUSE_END = re.compile(r"[,;:、，；：–—]['\")\]”’»]*$")
# Letters of scripts without spaces stand alone, with the marks that follow them; all else is cut at spaces.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_MARKS = "\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b6-\u17d3"
_PIECES = re.compile(rf"\s*(?:[{_UNSPACED}][{_MARKS}。、，？！」』）]*|[^\s{_UNSPACED}]+)")
_ALONE = re.compile(rf"[{_UNSPACED}]")
_PAUSE_S = 0.8
_ENOUGH = 0.4
"""Share of a cue's letters or seconds after which a clause may end it."""


@dataclass(frozen=True, slots=True)
class CueLayout:
    """How large a cue may be."""

    line_chars: int = 42
    """Letters of a line."""
    lines: int = 2
    """Lines of a cue."""
    least_s: float = 1.0
    """A cue stays at least so long, if the next one leaves room for it."""
    most_s: float = 7.0
    """And no longer than this, but for a single word."""
    chars_per_s: float = 17.0
    """A cue stays long enough to be read at this speed, if the next one leaves room for it."""

    @property
    def chars(self) -> int:
        """Letters of a whole cue."""
        return self.line_chars * self.lines


@dataclass(frozen=True, slots=True)
class Cue:
    """A piece of text that is shown for a time."""

    start_s: float
    """From the beginning of the recording, in whole milliseconds."""
    end_s: float
    """After ``start_s``, in whole milliseconds."""
    lines: tuple[str, ...]
    """What is shown."""

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(self.lines)


def times_of(transcript: Transcript) -> CueTimes:
    """Return what the times of cues rest on.

    >>> times_of(Transcript("a")), times_of(Transcript("a", (Segment(0.0, 1.0, "a"),)))
    ('spread', 'segments')
    """
    if transcript.words and _fits(transcript.words, transcript.text):
        return "words"
    return "segments" if _fits(transcript.segments, transcript.text) else "spread"


def cues(transcript: Transcript, audio_s: float, layout: CueLayout = CueLayout()) -> list[Cue]:
    """Return the cues of a transcript: in order, apart, each at least a millisecond long.

    Args:
        transcript: As from the engine.
        audio_s: Length of the recording, which is that of a text without times.
        layout: How large they may be.

    >>> words = tuple(Segment(n * 1.0, n + 0.9, f" word{n}") for n in range(4))
    >>> for cue in cues(Transcript("word0 word1 word2 word3", (), words), 4.0, CueLayout(line_chars=11, lines=1)):
    ...     print(cue.start_s, cue.end_s, cue.lines)
    0.0 1.9 ('word0 word1',)
    2.0 3.9 ('word2 word3',)
    """
    groups = list(_groups(_words(transcript, audio_s), layout))
    found = []
    now_ms = 0
    for number, group in enumerate(groups):
        start_ms = max(now_ms, round(group[0].start_s * 1000))
        lines = _lines("".join(word.text for word in group).strip(), layout.line_chars)
        chars = sum(map(len, lines))
        end_s = max(group[-1].end_s, start_ms / 1000 + max(layout.least_s, chars / layout.chars_per_s))
        end_s = max(group[-1].end_s, min(end_s, start_ms / 1000 + layout.most_s))
        if number + 1 < len(groups):
            end_s = min(end_s, groups[number + 1][0].start_s)
        now_ms = max(start_ms + 1, round(end_s * 1000))
        found.append(Cue(start_ms / 1000, now_ms / 1000, lines))
    return found


def _fits(pieces: Sequence[Segment], text: str) -> bool:
    return bool(pieces) and _letters("".join(piece.text for piece in pieces)) == _letters(text)


def _letters(text: str) -> str:
    return "".join(text.split())


def _words(transcript: Transcript, audio_s: float) -> list[Segment]:
    """Return words, or letters of scripts without spaces, each with a time and with the space before it."""
    source = times_of(transcript)
    pieces: Sequence[Segment] = {
        "words": transcript.words or (),
        "segments": transcript.segments,
        "spread": (Segment(0.0, audio_s, transcript.text),),
    }[source]
    found: list[Segment] = []
    for piece in pieces:
        text = piece.text if source == "words" or not found else f" {piece.text.lstrip()}"
        found += _shares(piece, text)
    # Some engines give "don" and "'t" with spaces before words; others give bare words, whose spaces the text has.
    if source == "words" and not any(piece.text.startswith(" ") for piece in pieces[1:]):
        found = _spaced(found, transcript.text)
    return found


def _shares(piece: Segment, text: str) -> Iterator[Segment]:
    parts = _PIECES.findall(text)
    total = sum(len(part.strip()) for part in parts)
    begin_s = piece.start_s
    for part in parts:
        end_s = begin_s + (piece.end_s - piece.start_s) * len(part.strip()) / total
        yield Segment(begin_s, end_s, part)
        begin_s = end_s


def _spaced(words: Sequence[Segment], text: str) -> list[Segment]:
    """Return words with the spaces that stand before them in the text."""
    found: list[Segment] = []
    at = 0
    for word in words:
        bare = word.text.strip()
        place = text.find(bare, at)
        space = " " if place > at and found else ""
        at = place + len(bare) if place >= 0 else at
        found.append(Segment(word.start_s, word.end_s, space + bare))
    return found


def _groups(words: Sequence[Segment], layout: CueLayout) -> Iterator[list[Segment]]:
    group: list[Segment] = []
    for number, word in enumerate(words):
        if group and (_is_full(group, word, layout) or _is_break(group, word, layout)):
            # A word that the one before it has no space to is no beginning, such as the "'t" of "don't".
            keeps = _kept(group, word)
            yield group[: len(group) - keeps]
            group = group[len(group) - keeps :]
        group.append(word)
        if number == len(words) - 1:
            yield group


def _kept(group: Sequence[Segment], word: Segment) -> int:
    """Return how many words at the end of a group belong to the word after it."""
    n = 0
    following = word
    while n < len(group) - 1 and _sticks(group[-1 - n], following):
        following = group[-1 - n]
        n += 1
    return 0 if _sticks(group[0], following) and n == len(group) - 1 else n


def _sticks(before: Segment, word: Segment) -> bool:
    apart = _ALONE.search(before.text[-2:]) or _ALONE.match(word.text)
    return not word.text.startswith((" ", "\n")) and not apart


def _is_full(group: Sequence[Segment], word: Segment, layout: CueLayout) -> bool:
    text = "".join(each.text for each in (*group, word)).strip()
    return word.end_s - group[0].start_s > layout.most_s or len(_lines(text, layout.line_chars)) > layout.lines


def _is_break(group: Sequence[Segment], word: Segment, layout: CueLayout) -> bool:
    last = group[-1].text
    if word.start_s - group[-1].end_s >= _PAUSE_S:
        return True
    chars = sum(len(each.text) for each in group)
    enough = chars >= _ENOUGH * layout.chars or group[-1].end_s - group[0].start_s >= _ENOUGH * layout.most_s
    ends = _SENTENCE_END.search(last) or (chars >= 2 * _ENOUGH * layout.chars and _CLAUSE_END.search(last))
    return bool(enough and ends)


def _lines(text: str, line_chars: int) -> tuple[str, ...]:
    """Return a text in as few lines as hold it, two of them as equal as words allow.

    >>> _lines("one two three four", 11), _lines("a", 3), _lines("incomprehensible", 4)
    (('one two', 'three four'), ('a',), ('incomprehensible',))
    """
    parts = _PIECES.findall(text)
    lines: list[str] = []
    for part in parts:
        if lines and (len(lines[-1] + part) <= line_chars or not (part.startswith(" ") or _is_unspaced(part))):
            lines[-1] += part
        else:
            lines.append(part.strip())
    if len(lines) != 2:
        return tuple(lines)
    cuts = [n for n in range(1, len(parts)) if parts[n].startswith(" ") or _is_unspaced(parts[n])]
    halves = [("".join(parts[:n]).strip(), "".join(parts[n:]).strip()) for n in cuts]
    fitting = [pair for pair in halves if max(map(len, pair)) <= line_chars]
    return min(fitting, key=lambda pair: abs(len(pair[0]) - len(pair[1])), default=(lines[0], lines[1]))


def _is_unspaced(part: str) -> bool:
    return _ALONE.match(part.lstrip()) is not None
