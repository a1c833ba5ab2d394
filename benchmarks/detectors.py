"""Precision and recall of every completeness detector, on failures planted in real transcripts of real audio.

    earwitness data pull telephony-en telephony-es telephony-fr telephony-it telephony-ru
    earwitness data join telephony-en --seconds 944
    python benchmarks/detectors.py --parts parts.jsonl ~/.cache/earwitness/joined/telephony-en-944s
    earwitness run telephony-en --tag kind=speech --limit 80 --speech -m faster-whisper:tiny.en --out detectors
    earwitness run parts.jsonl --speech -m faster-whisper:tiny.en --out detectors
    earwitness run telephony-en --tag kind=silence --speech -m faster-whisper:tiny.en --out detectors
    earwitness run telephony-en --tag kind=tone --speech -m faster-whisper:tiny.en --out detectors
    python benchmarks/detectors.py detectors

The first form cuts the joined recording into clips of seven prompts, so that texts have several segments. The second
takes every clip of the records as it is (untouched), and again with a failure planted in its text; the audio, and the
speech found in it, stay what they are. A detector is right when it fires on a clip that its failure was planted in, and
wrong when it fires on an untouched one. Loops and cuts have random lengths, some under the thresholds. The last three
of the nine answers and the last three of the ten ghost phrases were written without a look at the lists. Seeded.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from earwitness import data
from earwitness.records.record import ClipResult
from earwitness.records.store import find_records, read_clips
from earwitness.scoring import ScoringOptions, score_clip
from earwitness.scoring.findings.completeness import has_loop, is_chat_answer
from earwitness.scoring.findings.language_mismatch import foreign
from earwitness.scoring.findings.stock_phrases import ghost
from earwitness.types import Segment, Transcript

OPTIONS = ScoringOptions()
ANSWERS = (
    "I'm sorry, but I can't listen to audio.", "Sure! Here is the transcription: hello.", "How can I help you today?",
    "As an AI language model, I cannot process recordings.", "The audio says that the number is not in service.",
    "I'd be happy to help you with that.", "It sounds like someone is leaving a voicemail. Would you like a summary?",
    "Unfortunately no speech is audible in what you sent me.", "Yes, I understood. What would you like me to do next?",
)  # fmt: skip
GHOSTS = (
    "Thanks for watching!", "Subtitles by the Amara.org community", "Thank you.", "you", "Sous-titrage ST' 501",
    "ご視聴ありがとうございました", "Thank you for watching.", "Thank you so much for joining us.",
    "We'll be right back.", "Copyright WDR 2021",
)  # fmt: skip
Plant = Callable[[ClipResult, random.Random], "ClipResult | None"]


@dataclass(frozen=True, slots=True)
class Test:
    """A failure that is planted, and the finding that should follow."""

    failure: str
    """In a few words."""
    kind: str
    """Of the finding."""
    plant: Plant
    """Returns the clip with the failure; ``None`` for a clip that cannot have it."""
    labelled: bool
    """Whether the detector sees the reference alone, or the speech activity alone."""
    silent: bool = False
    """Whether it is planted where nobody speaks, in place of where somebody does."""


def said(result: ClipResult, text: str, segments: Sequence[Segment] = ()) -> ClipResult:
    """Return the clip with another text, in one segment unless told."""
    whole = segments or (Segment(0.0, result.hypothesis.audio_s, text),)
    transcript = Transcript(text, tuple(whole) if text else ())
    return replace(result, hypothesis=replace(result.hypothesis, transcript=transcript))


def text_of(result: ClipResult) -> str:
    return result.hypothesis.transcript.text if result.hypothesis.transcript else ""


def segments_of(result: ClipResult) -> list[Segment]:
    return list(result.hypothesis.transcript.segments) if result.hypothesis.transcript else []


def joined(segments: Iterable[Segment]) -> str:
    return " ".join(segment.text.strip() for segment in segments)


def looped(result: ClipResult, rng: random.Random) -> ClipResult | None:
    words = text_of(result).split()
    size = rng.randint(1, 6)
    if len(words) < size:
        return None
    at = rng.randint(size, len(words))
    return said(result, " ".join(words[:at] + words[at - size : at] * rng.randint(4, 20) + words[at:]))


def cut(result: ClipResult, rng: random.Random) -> ClipResult | None:
    segments = segments_of(result)
    if len(segments) < 2:
        return None
    kept = segments[: rng.randint(1, len(segments) - 1)]
    return said(result, joined(kept), kept)


def holed(result: ClipResult, rng: random.Random) -> ClipResult | None:
    segments = segments_of(result)
    if len(segments) < 3:
        return None
    del segments[rng.randint(1, len(segments) - 2)]
    return said(result, joined(segments), segments)


def thinned(result: ClipResult, rng: random.Random) -> ClipResult | None:
    words = text_of(result).split()
    size = rng.randint(4, 12)
    if len(words) < size + 4:
        return None
    at = rng.randint(2, len(words) - size - 2)
    return said(result, " ".join(words[:at] + words[at + size :]))


def sparse(result: ClipResult, rng: random.Random) -> ClipResult | None:
    words = text_of(result).split()
    return said(result, " ".join(rng.sample(words, len(words) // 5))) if len(words) >= 10 else None


def ghostly_end(result: ClipResult, rng: random.Random) -> ClipResult:
    segments, end = segments_of(result), result.hypothesis.audio_s
    segments.append(Segment(end + 1.0, end + 3.0, rng.choice(GHOSTS)))
    longer = replace(result, hypothesis=replace(result.hypothesis, audio_s=end + 4.0))
    return said(longer, joined(segments), segments)


def tests(spoken: Sequence[ClipResult]) -> list[Test]:
    others = {name: [c.reference for c in data.load(name).clips if len((c.reference or "").split()) >= 4]
              for name in ("telephony-es", "telephony-fr", "telephony-it", "telephony-ru")}  # fmt: skip

    def any_text(result: ClipResult, rng: random.Random) -> ClipResult:
        return said(result, text_of(rng.choice(spoken)))

    def abroad(result: ClipResult, rng: random.Random) -> ClipResult:
        return said(result, rng.choice(others[rng.choice(sorted(others))]) or "")

    def crowded(result: ClipResult, rng: random.Random) -> ClipResult:
        return said(result, " ".join([text_of(result), *(text_of(one) for one in rng.sample(list(spoken), 12))]))

    def nothing(result: ClipResult, _: random.Random) -> ClipResult:
        return said(result, "")

    def answer(result: ClipResult, rng: random.Random) -> ClipResult:
        return said(result, rng.choice(ANSWERS))

    def ghost_alone(result: ClipResult, rng: random.Random) -> ClipResult:
        return said(result, rng.choice(GHOSTS))

    return [
        Test("no text on speech", "empty_on_speech", nothing, labelled=True),
        Test("no text on speech", "empty_on_speech", nothing, labelled=False),
        Test("text on silence or tones", "words_on_silence", any_text, labelled=True, silent=True),
        Test("text on silence or tones", "text_without_speech", any_text, labelled=False, silent=True),
        Test("a segment after the speech", "text_without_speech", ghostly_end, labelled=False),
        Test("a loop", "repeated_ngram", looped, labelled=True),
        Test("a loop", "repeated_ngram", looped, labelled=False),
        Test("an answer", "chat_answer", answer, labelled=True),
        Test("an answer", "chat_answer", answer, labelled=False),
        Test("another language", "wrong_language", abroad, labelled=False),
        Test("a ghost phrase on silence", "ghost_phrase", ghost_alone, labelled=False, silent=True),
        Test("a ghost phrase at the end", "ghost_phrase", ghostly_end, labelled=True),
        Test("a ghost phrase at the end", "ghost_phrase", ghostly_end, labelled=False),
        Test("a segment left out", "uncovered_speech", holed, labelled=False),
        Test("a segment left out", "dropped_words", holed, labelled=True),
        Test("the last segments cut off", "cut_tail", cut, labelled=False),
        Test("the last segments cut off", "cut_tail", cut, labelled=True),
        Test("4 to 12 words left out", "dropped_words", thinned, labelled=True),
        Test("twelve other texts on top", "rate_out_of_band", crowded, labelled=False),
        Test("a fifth of the words", "rate_out_of_band", sparse, labelled=False),
    ]


def fires(result: ClipResult, kind: str, *, labelled: bool) -> bool:
    clip = result.clip if labelled else replace(result.clip, reference=None)
    return kind in score_clip(clip, result.hypothesis, OPTIONS, None if labelled else result.speech).flags


def measure(test: Test, spoken: Sequence[ClipResult], silent: Sequence[ClipResult], seed: int) -> str:
    rng = random.Random(f"{seed}{test.failure}")
    targets = [*silent] * 5 if test.silent else spoken
    planted = [made for result in targets if (made := test.plant(result, rng)) is not None]
    caught = sum(fires(result, test.kind, labelled=test.labelled) for result in planted)
    untouched = [*spoken, *(result for result in silent if not text_of(result))]
    false = sum(fires(result, test.kind, labelled=test.labelled) for result in untouched)
    precision = caught / (caught + false) if caught + false else None
    shown = "–" if precision is None else f"{precision:.2f}"
    evidence = "reference" if test.labelled else "speech"
    return (
        f"| {test.failure} | `{test.kind}` | {evidence} | {len(planted)} | {caught / max(1, len(planted)):.2f} "
        f"| {false} of {len(untouched)} | {shown} |"
    )


def on_references() -> str:
    """Count what the detectors of texts alone say of what people really said, in five languages."""
    lines = [(clip.reference, clip.language) for name in ("en", "es", "fr", "it", "ru")
             for clip in data.load(f"telephony-{name}").clips if clip.reference]  # fmt: skip
    told = [ghost(text) for text, _ in lines]
    return (
        f"Of {len(lines)} references in five languages: a loop {sum(has_loop(text.split()) for text, _ in lines)}, "
        f"an answer {sum(is_chat_answer(text) for text, _ in lines)}, another language "
        f"{sum(foreign(text, language) is not None for text, language in lines)}, a telling ghost phrase "
        f"{sum(bool(one and one[1]) for one in told)}, a common one {sum(bool(one and not one[1]) for one in told)}."
    )


def parts(folder: Path, target: Path, size: int = 7) -> None:
    """Write a manifest of clips of so many prompts out of a joined recording."""
    rows = [json.loads(line) for line in (folder / "boundaries.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = []
    for first in range(0, len(rows) - size + 1, size):
        group = rows[first : first + size]
        start_s = max(0.0, group[0]["start_s"] - 0.2)
        row = {"audio_filepath": str(folder / "joined.wav"), "offset": round(start_s, 3), "lang": "en-US",
               "duration": round(group[-1]["end_s"] + 0.2 - start_s, 3), "id": f"part{first}",
               "text": " ".join(row["reference"] for row in group if row["reference"])}  # fmt: skip
        lines.append(json.dumps(row) + "\n")
    target.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder of records, or of a joined recording with --parts")
    parser.add_argument("--parts", type=Path, help="write this manifest and stop")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.parts:
        parts(given.source, given.parts)
        return
    results = [result for path in find_records([given.source]) for result in read_clips(path)]
    unheard = [result.clip.id for result in results if result.speech is None]
    if unheard:
        raise SystemExit(f"Clip {unheard[0]!r} has no speech activity. Run with --speech.")
    spoken = [result for result in results if result.clip.reference and text_of(result)]
    silent = [result for result in results if result.clip.reference == ""]
    print(f"{len(spoken)} clips with speech, {len(silent)} without")
    print("| planted | finding | beside the text, sees | planted in | recall | false on untouched | precision |")
    print("|---|---|---|---|---|---|---|")
    for test in tests(spoken):
        print(measure(test, spoken, silent, given.seed))
    print(on_references())


if __name__ == "__main__":
    main()
