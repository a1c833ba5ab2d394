"""Signs that a transcript is not one: empty on speech, words on silence, loops, answers, an end that was cut off."""

from __future__ import annotations

import re
from collections.abc import Sequence

EMPTY_ON_SPEECH = "empty_on_speech"
WORDS_ON_SILENCE = "words_on_silence"
REPEATED_NGRAM = "repeated_ngram"
CHAT_ANSWER = "chat_answer"
TOKEN_LIMIT = "token_limit"  # noqa: S105 - a limit of tokens, no password
AUDIO_REPLY = "audio_reply"

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

    Only the beginning counts. Some people do speak so: whoever has a reference compares (``flags`` does). None of the
    553 spoken lines of the telephony corpus in English is taken for one.

    >>> is_chat_answer("I'm sorry, but I can't listen to audio."), is_chat_answer("Sure! Here is the transcript:")
    (True, True)
    >>> is_chat_answer("I'm sorry, but I was unable to locate the person you are calling.")
    False
    """
    return _CHAT.match(text.strip(" \n\t\"'“‘*").replace("’", "'").casefold()) is not None


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
    remarks: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return what is wrong with one clip's transcript.

    Args:
        reference_words: Normalized; ``None`` when the clip is unlabelled.
        hypothesis_words: Normalized.
        raw_reference: As in the manifest, to let pass a loop or an answer that was really said.
        raw_text: As from the engine: normalizing joins digits, and a loop of them would be one word.
        failed: Whether there is no transcript at all; a failure is counted as such, and not as empty too.
        remarks: What the engine noticed, such as ``token_limit at 30.0-58.5 s``.
    """
    noticed = {remark.partition(" ")[0] for remark in remarks}
    found = []
    if reference_words and not hypothesis_words and not failed:
        found.append(EMPTY_ON_SPEECH)
    if reference_words is not None and not reference_words and hypothesis_words:
        found.append(WORDS_ON_SILENCE)
    if has_loop(raw_text.casefold().split()) and not has_loop(raw_reference.casefold().split()):
        found.append(REPEATED_NGRAM)
    if AUDIO_REPLY in noticed or (is_chat_answer(raw_text) and not is_chat_answer(raw_reference)):
        found.append(CHAT_ANSWER)
    if TOKEN_LIMIT in noticed:
        found.append(TOKEN_LIMIT)
    return tuple(found)
