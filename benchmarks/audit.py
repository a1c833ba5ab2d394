"""How many wrong references the audit finds, and how many right ones it suspects: faults are planted with a seed.

    python benchmarks/audit.py runs/ [--share 0.05] [--seeds 20]

No audio is read and nothing is transcribed: references of finished records are rewritten in memory. Of 5 % of the
clips, neighbouring rows get the text of the next row (six at a time), two clips exchange their texts, texts are cut to
their first half (of at least four words), or one word is replaced by another of the corpus (in texts of at least three
words). A whole clip is found if it is among the suspects, whatever the verdict. Every other suspect counts against the
audit, also a real fault of the corpus. Clips whose normalized reference has eight letters or more stand apart: in
shorter ones, such as "3" or "k", a text often says nothing.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from earwitness.labels.audit_clips import audit_clips
from earwitness.labels.audit_spans import audit_spans
from earwitness.records.run_texts import families_of, lineages_of, texts_of_runs
from earwitness.records.select import RunWithClips, newest, newest_with_clips
from earwitness.records.store import find_records
from earwitness.scoring.findings.clip_texts import ClipTexts

ROWS, LONG, FIRST = 6, 8, 50
Planted = tuple[list[ClipTexts], set[str]]
Plant = Callable[[Sequence[ClipTexts], float, random.Random], Planted]


def with_text(each: ClipTexts, words: Sequence[str], raw: str | None) -> ClipTexts:
    """Return a clip with another reference."""
    return replace(each, reference=tuple(words), clip=replace(each.clip, reference=raw))


def with_text_of(each: ClipTexts, other: ClipTexts) -> ClipTexts:
    """Return a clip with another one's reference."""
    return with_text(each, other.reference, other.clip.reference)


def rows(clips: Sequence[ClipTexts], share: float, rng: random.Random) -> Planted:
    """Give runs of neighbouring rows the text of the next row."""
    made, names = list(clips), set()
    for first in rng.sample(range(len(clips) - ROWS), max(1, round(share * len(clips) / ROWS))):
        for row in range(first, first + ROWS):
            if clips[row].reference != clips[row + 1].reference:
                made[row] = with_text_of(clips[row], clips[row + 1])
                names.add(clips[row].clip.id)
    return made, names


def swaps(clips: Sequence[ClipTexts], share: float, rng: random.Random) -> Planted:
    """Exchange the texts of pairs of clips, as if their audio had been exchanged."""
    made, names = list(clips), set()
    chosen = rng.sample(range(len(clips)), 2 * max(1, round(share * len(clips) / 2)))
    for one, other in zip(chosen[::2], chosen[1::2], strict=True):
        if clips[one].reference != clips[other].reference:
            made[one], made[other] = with_text_of(clips[one], clips[other]), with_text_of(clips[other], clips[one])
            names |= {clips[one].clip.id, clips[other].clip.id}
    return made, names


def cuts(clips: Sequence[ClipTexts], share: float, rng: random.Random) -> Planted:
    """Cut texts to their first half."""
    made, names = list(clips), set()
    long = [row for row, each in enumerate(clips) if len(each.reference) >= 4]
    for row in rng.sample(long, min(len(long), max(1, round(share * len(clips))))):
        half = (len(clips[row].reference) + 1) // 2
        raw = " ".join((clips[row].clip.reference or "").split()[:half])
        made[row] = with_text(clips[row], clips[row].reference[:half], raw)
        names.add(clips[row].clip.id)
    return made, names


def words(clips: Sequence[ClipTexts], share: float, rng: random.Random) -> tuple[list[ClipTexts], dict[str, int]]:
    """Replace one word of some texts by another of the corpus; return its place by clip."""
    known = sorted({word for each in clips for word in each.reference if len(word) >= 3 and word.isalpha()})
    made, places = list(clips), {}
    long = [row for row, each in enumerate(clips) if len(each.reference) >= 3]
    for row in rng.sample(long, min(len(long), max(1, round(share * len(clips))))):
        own = clips[row].reference
        place = rng.randrange(len(own))
        other = rng.choice([word for word in known if word != own[place]])
        text = (*own[:place], other, *own[place + 1 :])
        made[row] = with_text(clips[row], text, " ".join(text))
        places[clips[row].clip.id] = place
    return made, places


def report_clips(
    plant: Plant, clips: Sequence[ClipTexts], families: dict[str, str], options: argparse.Namespace
) -> str:
    """Return recall and precision of one kind of fault in one line."""
    counts: dict[str, int] = defaultdict(int)
    long = {each.clip.id for each in clips if len(each.letters) >= LONG}
    before = {one.clip_id for one in audit_clips(clips, families)}
    for seed in range(options.seeds):
        made, names = plant(clips, options.share, random.Random(seed))
        suspects = {one.clip_id for one in audit_clips(made, families)}
        for name, amount in (("planted", names), ("right", names & suspects), ("suspects", suspects)):
            counts[name] += len(amount)
        counts["new"] += len(suspects - (before - names))
        counts["long"] += len(names & long)
        counts["right long"] += len(names & suspects & long)
    return (
        f"  {plant.__name__}: recall {counts['right'] / counts['planted']:.3f} of {counts['planted']} planted, "
        f"{counts['right long'] / max(1, counts['long']):.3f} of {counts['long']} with {LONG} letters or more; "
        f"precision {counts['right'] / max(1, counts['suspects']):.3f} of {counts['suspects']} suspects, "
        f"{counts['right'] / max(1, counts['new']):.3f} without those of the unchanged corpus"
    )


def report_words(runs: Sequence[RunWithClips], clips: Sequence[ClipTexts], options: argparse.Namespace) -> str:
    """Return the precision of the first fifty places, and recall, of planted words in one line."""
    first = right = planted = 0
    for seed in range(options.seeds):
        made, places = words(clips, options.share, random.Random(seed))
        spans = audit_spans(made, families_of(runs), lineages_of(runs))[:FIRST]
        size = {span: max(1, len(span.reference.split())) for span in spans}
        good = [span for span in spans if 0 <= places.get(span.clip_id, -9) - span.start <= size[span]]
        first, right, planted = first + len(spans), right + len(good), planted + len(places)
    return (
        f"  words: precision {right / max(1, first):.3f} of the {first / options.seeds:.0f} places among the first "
        f"{FIRST}, recall {right / planted:.3f} of {planted} planted"
    )


def main() -> None:
    """Print the figures of every dataset among the records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path, nargs="+")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    groups: dict[str, list[Path]] = defaultdict(list)
    for path, run in newest(find_records(options.records), []):
        groups[run.dataset.sha256].append(path)
    for paths in groups.values():
        runs = newest_with_clips(paths)
        families = families_of(runs)
        clips = [each for each in texts_of_runs(runs) if each.reference and each.texts]
        name = runs[0].run.dataset.name
        print(f"{name}, {len(clips)} clips with a reference, {', '.join(run.label for run in runs)}:")
        unchanged = audit_clips(clips, families)
        print(f"  unchanged: {len(unchanged)} suspects{''.join(f'; {one.clip_id}: {one.kind}' for one in unchanged)}")
        for plant in (rows, swaps, cuts):
            print(report_clips(plant, clips, families, options), flush=True)
        print(report_words(runs, clips, options), flush=True)


if __name__ == "__main__":
    main()
