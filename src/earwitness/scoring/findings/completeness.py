"""Two kinds of findings that need only the text: loops, and answers of a chat model."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST_NGRAM = 8
_LEAST_REPEATS = 4
_LEAST_WORDS = 12

# How a chat model begins when it answers what it should write down. People say "I'm sorry, I can't", too, but not
# "I can't listen to audio": where an opening is common in speech, what follows it must be a machine's.
_CHAT = re.compile(
    r"""
    (i'm\ |i\ am\ )?((so|very)\ )?(sorry|afraid|unfortunately),?\ (but\ )?(as\ an?\ (ai|language\ model)\b|CANNOT\ WORK)
    | CANNOT\ WORK(\ to)?\ (the|your|any|this)?\ ?(audio|sounds?|recordings?|speech|voices?)\b
    | (as|i'm|i\ am)\ (just\ )?an?\ (ai|artificial\ intelligence|(large\ )?language\ model)\b
    | ((hello|hi|hey|sure|certainly|of\ course)(\ there)?[,.!]*\ )?how\ (can|may|could)\ i\ (help|assist)\ you\b
    | (sure|certainly|of\ course|absolutely)(\ thing)?[,.!]+\ (here('s|\ is|\ are)|let\ me\ transcribe)\b
    | ((sure|certainly|of\ course|absolutely)[,.!]+\ )?i('d|\ would)\ be\ (happy|glad)\ to\ (help|assist)\b
    | (here('s|\ is)|this\ is|below\ is)\ (the|a|your)\ transcri(pt|ption)\b
    | the\ (audio|recording|transcript|transcription)\ (says|contains|reads)\b
    | ((could|can)\ you\ )?please\ (provide|upload|share)\ (me\ with\ )?(the|an|your)\ (audio|recording)\b
    """.replace("CANNOT", r"i(\ can't|\ cannot|(\ am|'m)\ (unable|not\ able)\ to)(\ directly)?").replace(
        "WORK", r"(assist|fulfil|comply|process|transcribe|listen|access)\b"
    ),
    re.VERBOSE,
)


def is_chat_answer(text: str) -> bool:
    """Return whether a text begins as a chat model's answer does, by a short list of openings.

    Only the beginning counts. Some people do speak so: whoever has a reference compares (``findings`` does). None of
    the 553 spoken lines of the telephony corpus in English is taken for one.

    >>> is_chat_answer("I'm sorry, but I can't listen to audio."), is_chat_answer("Sure! Here is the transcript:")
    (True, True)
    >>> is_chat_answer("I'm sorry, but I was unable to locate the person you are calling.")
    False
    """
    return _CHAT.match(text.strip(" \n\t\"'“‘*").replace("’", "'").casefold()) is not None


def loop(words: Sequence[str]) -> tuple[int, int] | None:
    """Return where up to eight words occur at least four times in a row and fill at least twelve words.

    People repeat themselves less: none of the 2,766 lines of the telephony corpora's transcripts does.

    Returns:
        From and to, in words, of the first loop; ``None`` without one.

    >>> loop(["well", *"thank you".split() * 6, "bye"]), loop("no no no no".split())
    ((1, 13), None)
    """
    # A loop leaves at most a quarter of its words unlike the others.
    if len(words) - len(set(words)) < _LEAST_WORDS - _LEAST_WORDS // _LEAST_REPEATS:
        return None
    for size in range(1, _LONGEST_NGRAM + 1):
        least = max(_LEAST_WORDS, _LEAST_REPEATS * size)
        run = 0
        for here in range(size, len(words) + 1):
            if here < len(words) and words[here] == words[here - size]:
                run += 1
                continue
            if run + size >= least:
                return here - run - size, here
            run = 0
    return None


def has_loop(words: Sequence[str]) -> bool:
    """Return whether there is a ``loop``.

    >>> has_loop("thank you".split() * 6), has_loop("no no no no".split())
    (True, False)
    """
    return loop(words) is not None
