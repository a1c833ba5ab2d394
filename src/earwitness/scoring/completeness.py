"""Signs that a transcript is not one: nothing where somebody speaks, words where nobody does, text that loops."""

from __future__ import annotations

from collections.abc import Sequence

EMPTY_ON_SPEECH = "empty_on_speech"
WORDS_ON_SILENCE = "words_on_silence"
REPEATED_NGRAM = "repeated_ngram"

_LONGEST_NGRAM = 8
_LEAST_REPEATS = 4
_LEAST_WORDS = 12


def has_loop(words: Sequence[str]) -> bool:
    """Return whether up to eight words stand at least four times in a row and fill at least twelve words.

    People repeat themselves less: none of the 2,766 lines of the telephony corpora's transcripts does.

    >>> has_loop("thank you".split() * 6), has_loop("no no no no".split())
    (True, False)
    """
    # A loop leaves at most a quarter of its words unlike the others.
    if len(words) - len(set(words)) < _LEAST_WORDS - _LEAST_WORDS // _LEAST_REPEATS:
        return False
    for size in range(1, _LONGEST_NGRAM + 1):
        run = 0
        for here in range(size, len(words)):
            run = run + 1 if words[here] == words[here - size] else 0
            if run + size >= max(_LEAST_WORDS, _LEAST_REPEATS * size):
                return True
    return False


def flags(
    reference_words: Sequence[str] | None,
    hypothesis_words: Sequence[str],
    raw_reference: str,
    raw_text: str,
    *,
    failed: bool,
) -> tuple[str, ...]:
    """Return what is wrong with one clip's transcript.

    Args:
        reference_words: Normalized; ``None`` when the clip is unlabelled.
        hypothesis_words: Normalized.
        raw_reference: As in the manifest, to let pass a loop that was really said.
        raw_text: As from the engine: normalizing joins digits, and a loop of them would be one word.
        failed: Whether there is no transcript at all; a failure is counted as such, and not as empty too.
    """
    found = []
    if reference_words and not hypothesis_words and not failed:
        found.append(EMPTY_ON_SPEECH)
    if reference_words is not None and not reference_words and hypothesis_words:
        found.append(WORDS_ON_SILENCE)
    if has_loop(raw_text.casefold().split()) and not has_loop(raw_reference.casefold().split()):
        found.append(REPEATED_NGRAM)
    return tuple(found)
