"""Phrases that Whisper and similar models write in silence, such as the last words of their training videos.

The list is short on purpose and holds what was reported by many: the Amara and broadcaster credits in several languages
(openai/whisper, discussion 928), "Thanks for watching" and its translations (discussion 679; amicalhq/amical, issue 71;
Vexa-ai/vexa, issue 617), "you" and "thank you" (woheller69/whisperIME, issue 57; saurabhav88/EnviousWispr, issue 452).
That a few phrases make up most of what Whisper invents on sounds without speech is told by Baranski et al. 2025,
*Investigation of Whisper ASR Hallucinations Induced by Non-Speech Audio*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from earwitness.scoring.text.plain_words import plain_words

TELLING = (
    "amara.org", "thanks for watching", "thank you for watching", "thank you so much for watching",
    "thanks for watching and i'll see you next time", "i'll see you in the next video", "see you in the next video",
    "please subscribe to my channel", "don't forget to like and subscribe", "please like and subscribe",
    "subtitles by", "transcription by castingwords", "gracias por ver el video", "suscríbete al canal",
    "subtítulos realizados por la comunidad de", "obrigado por assistir", "legendas pela comunidade",
    "merci d'avoir regardé cette vidéo", "sous-titres réalisés par la communauté", "sous-titrage st 501",
    "untertitel im auftrag des zdf", "untertitelung des zdf", "vielen dank fürs zuschauen",
    "sottotitoli creati dalla comunità", "grazie per aver guardato il video", "ondertiteld door de",
    "ondertitels ingediend door de", "субтитры сделал", "субтитры создавал", "редактор субтитров",
    "продолжение следует", "спасибо за просмотр", "abone olmayı unutmayın", "izlediğiniz için teşekkür ederim",
)  # fmt: skip
"""Phrases that hardly anybody says; they count wherever a sentence begins with them."""

TELLING_UNSPACED = (
    "ご視聴ありがとうございました",
    "次の動画でお会いしましょう",
    "請不吝點贊",
    "字幕由",
    "시청해주셔서 감사합니다",
)
"""The same, in scripts that are not split at spaces; they count wherever they stand."""

COMMON = (
    "you", "thank you", "thank you very much", "thanks", "bye", "bye bye", "okay", "so", "ありがとうございました",
    "おやすみなさい",
)  # fmt: skip
"""Phrases that people say, too: they count where they are all that stands there and nobody speaks."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|[。！？]|\n")


def ghost(text: str) -> tuple[str, bool] | None:
    """Return the first ghost phrase in a text, and whether it is a telling one; ``None`` without any.

    Only the text is looked at: whether somebody said so is for the caller to know.

    >>> ghost("Please hold. Thanks for watching!"), ghost("Thank you. Thank you."), ghost("Thank you, goodbye.")
    (('thanks for watching', True), ('thank you', False), None)
    """
    sentences = [words for part in _SENTENCE.split(text) if (words := plain_words(part))]
    sure = _unspaced_phrase(text) or next(filter(None, map(_first_phrase, sentences)), None)
    if sure is not None:
        return sure, True
    distinct = {tuple(words) for words in sentences}
    alone = _common().get(distinct.pop()) if len(distinct) == 1 else None
    return None if alone is None else (alone, False)


def _unspaced_phrase(text: str) -> str | None:
    if text.isascii():
        return None
    flat = "".join(plain_words(text))
    return next((phrase for phrase, letters in _unspaced() if letters in flat), None)


def _first_phrase(sentence: list[str]) -> str | None:
    """Return the telling phrase that a sentence begins with, or the name of the site that is one anywhere."""
    for phrase, words in _telling().get(sentence[0], ()):
        if sentence[: len(words)] == words:
            return phrase
    return "amara.org" if "amara" in sentence and _contains(sentence, ["amara", "org"]) else None


def says(text: str, phrase: str) -> bool:
    """Return whether a text holds the words of a phrase, one after the other."""
    return _contains(plain_words(text), plain_words(phrase)) or "".join(plain_words(phrase)) in "".join(
        plain_words(text)
    )


@cache
def _telling() -> dict[str, list[tuple[str, list[str]]]]:
    by_first_word: dict[str, list[tuple[str, list[str]]]] = {}
    for phrase in TELLING:
        words = plain_words(phrase)
        by_first_word.setdefault(words[0], []).append((phrase, words))
    return by_first_word


@cache
def _unspaced() -> list[tuple[str, str]]:
    return [(phrase, "".join(plain_words(phrase))) for phrase in TELLING_UNSPACED]


@cache
def _common() -> dict[tuple[str, ...], str]:
    return {tuple(plain_words(phrase)): phrase for phrase in COMMON}


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    size = len(phrase)
    return any(list(words[i : i + size]) == list(phrase) for i in range(len(words) - size + 1))
