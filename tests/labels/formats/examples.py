"""Clips, and labels of them as chance makes them."""

from __future__ import annotations

from hypothesis import strategies as st

from earwitness.labels.label import Label, current_labels
from earwitness.types import Clip

CLIPS = tuple(
    Clip(name, f"/calls/{name}.wav", name * 64, 0.0, 2.0, reference, "en", recording=name)
    for name, reference in (("a", None), ("b", "old words"), ("c", ""))
)
# Of any language; what no file of text can hold is left out.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=30)
NAMES = TEXTS.map(str.strip).filter(bool)


@st.composite
def any_label(draw: st.DrawFn) -> Label:
    clip = draw(st.sampled_from(CLIPS))
    is_span = draw(st.booleans())
    verdict = draw(st.sampled_from(["text", "unintelligible", "not speech", "wrong audio", "several speakers"]))
    text = None
    if verdict == "text":
        text = draw(TEXTS)
    elif verdict == "several speakers":
        text = draw(st.none() | NAMES)
    source = draw(st.sampled_from(["empty", "other model", "hidden family", "reference"]))
    return Label(
        clip_id=f"{clip.id}@0.50-1.50" if is_span else clip.id,
        audio_sha256=clip.audio_sha256,
        start_s=0.5 if is_span else clip.start_s,
        duration_s=1.0 if is_span else clip.duration_s,
        text=text,
        verdict=verdict,  # type: ignore[arg-type]
        author=draw(NAMES),
        time=draw(st.sampled_from(["2026-11-30T09:00:00Z", "2026-11-30T11:00:00.5+02:00"])),
        seconds_spent=draw(st.none() | st.floats(0, 1e6)),
        draft=None if source == "empty" else draw(TEXTS),
        draft_source=source,  # type: ignore[arg-type]
        draft_model=draw(st.none() | NAMES),
        old_text_sha256=draw(st.none() | st.just("f" * 64)),
        second_opinion=draw(st.booleans()),
        adjudication=draw(st.booleans()),
        note=draw(TEXTS),
    )


def labels_of_clips() -> st.SearchStrategy[list[Label]]:
    """Current labels: one for each clip and author."""
    return st.lists(any_label(), max_size=5).map(lambda labels: list(current_labels(labels).values()))
