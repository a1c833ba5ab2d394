"""Is a text in another language than the speech? By its letters, and by the small words of nine languages.

Two rules. The script: at least three letters, more than half of them in none of the scripts that the language is
written in. The small words: of the words that are in one language's table and not in the other's, at least three speak
for the other language, at least three times as many as for the expected one, and they are an eighth of the text or
more. Words that two languages share decide nothing, so Spanish and Portuguese can be told apart.

The tables are function words (articles, pronouns, prepositions, conjunctions, forms of *to be* and *to have*), the most
frequent words of any text; a text of names and numbers has none and is never called foreign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from earwitness.languages import primary
from earwitness.scoring.text.plain_words import plain_words

SMALL_WORDS = {
    "en": "the of and to in is you that it he was for on are with as his they at be this have from or had by but "
    "what were we when your can said there an each which she do how their if will up about out then them "
    "these so some her would him has two more no my than been its who did get may i please not our us me all "
    "any just like into only",
    "es": "el la los las de y que en un una es por con para su se del al lo como más pero sus le ya o este sí "
    "porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno "
    "les ni contra otros ese eso ante ellos e esto mí antes algunos qué unos yo otro otras tú te usted "
    "ustedes está son fue era no tiene ha han si a",
    "fr": "le la les de des du et à un une est que qui dans en pour pas sur avec ce il elle au aux par plus je ne "
    "se vous nous on sont mais ou où son sa ses cette ces leur y être fait comme tout votre vos notre nos été "
    "avez avait cela ça si même aussi très ils elles moi toi lui j'ai c'est n'est qu'il d'un d'une",
    "de": "der die das und in zu den ist nicht von sie mit dem ein eine sich des auf für im es auch als an nach wie "
    "aus bei am sind noch wird einen einer um haben hat ich wir ihr uns er so dass oder aber was wenn nur war "
    "werden kann man bitte diese dieser dieses sein mein kein über vor zum zur durch mehr schon bis ihre "
    "ihnen",
    "it": "il lo la i gli le di e che in un una è per con non si da del della dei delle al alla ai alle dal dalla "
    "nel nella sono ma come più anche se questo questa o ha ho ci mi ti vi suo sua loro noi voi lui lei io tu "
    "era essere stato quando dove chi cosa tutto tutti molto nei nelle sul sulla",
    "pt": "o a os as de e que em um uma é para com não se do da dos das no na nos nas por mais como mas foi ao aos "
    "ele ela eles elas seu sua ou quando muito já também só pelo pela até isso entre depois sem mesmo você "
    "vocês eu nós lhe são está tem ser há esta este essa esse",
    "nl": "de het een en van in is dat op te zijn voor met niet die aan er om ook als maar dan bij nog uit naar "
    "door wordt ik je u we wij ze zij hij heeft hebben was werd kan wat wie waar deze dit geen meer over tot "
    "of uw mijn hun ons",
    "ru": "и в не на я что он с как это по но они мы она к у вы за бы из же так от ты то о все для его мне да до "
    "вот если или только меня ещё еще уже вам вас нет был была были есть при их чтобы где когда пожалуйста "
    "ваш",
    "uk": "і в не на я що він з як це по але вони ми вона до у ви за би із ж так від ти то про все для його мені та "
    "тільки якщо або мене ще вже вам вас немає був була були є при їх щоб де коли будь ласка ваш",
}  # fmt: skip
"""By language."""

_LATIN = (
    "af az bs ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms mt nl no nb nn pl pt ro sk sl sq sv sw tl "
    "tr uz vi"
)
SCRIPTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(_LATIN.split(), frozenset({"latin"})),
    **dict.fromkeys(["be", "bg", "kk", "ky", "mk", "mn", "ru", "tg", "uk"], frozenset({"cyrillic"})),
    "sr": frozenset({"cyrillic", "latin"}),
    "el": frozenset({"greek"}),
    "he": frozenset({"hebrew"}),
    **dict.fromkeys(["ar", "fa", "ps", "ur"], frozenset({"arabic"})),
    **dict.fromkeys(["hi", "mr", "ne", "sa"], frozenset({"devanagari"})),
    "th": frozenset({"thai"}),
    "ja": frozenset({"kana", "han"}),
    **dict.fromkeys(["zh", "yue"], frozenset({"han"})),
    "ko": frozenset({"hangul", "han"}),
}
"""What a language is written in; a language that is not here is not judged by its letters."""

_BLOCKS = (
    (0x0041, 0x024F, "latin"), (0x1E00, 0x1EFF, "latin"), (0x0370, 0x03FF, "greek"), (0x1F00, 0x1FFF, "greek"),
    (0x0400, 0x052F, "cyrillic"), (0x0590, 0x05FF, "hebrew"), (0x0600, 0x06FF, "arabic"), (0x0750, 0x077F, "arabic"),
    (0x0900, 0x097F, "devanagari"), (0x0E00, 0x0E7F, "thai"), (0x3040, 0x30FF, "kana"), (0x3400, 0x9FFF, "han"),
    (0x1100, 0x11FF, "hangul"), (0xAC00, 0xD7AF, "hangul"),
)  # fmt: skip
_LEAST_LETTERS, _LEAST_SMALL, _TIMES, _SHARE = 3, 3, 3, 1 / 8


def foreign(text: str, language: str | None) -> str | None:
    """Return the language of a text if it is not the expected one: ``es``, or ``script cyrillic``; else ``None``.

    Args:
        text: Raw.
        language: BCP 47; ``None`` expects nothing.

    >>> foreign("el número que usted ha marcado no está en servicio", "en-US")
    'es'
    >>> foreign("Спасибо за просмотр", "en"), foreign("the number you have dialled", "en"), foreign("Guten Tag", "en")
    ('script cyrillic', None, None)
    """
    expected = primary(language)
    if expected is None:
        return None
    return _by_script(text, expected) or _by_small_words(text, expected)


def _by_script(text: str, expected: str) -> str | None:
    if expected not in SCRIPTS or (text.isascii() and "latin" in SCRIPTS[expected]):
        return None
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    total = sum(counts.values())
    if total < _LEAST_LETTERS:
        return None
    script, _ = counts.most_common(1)[0]
    right = sum(counts[name] for name in SCRIPTS[expected])
    return f"script {script}" if script not in SCRIPTS[expected] and 2 * right < total else None


def _script(letter: str) -> str:
    code = ord(letter)
    return next((name for first, last, name in _BLOCKS if first <= code <= last), "other")


def _by_small_words(text: str, expected: str) -> str | None:
    if expected not in SMALL_WORDS:
        return None
    words = plain_words(text)
    if _count(words, _others(expected)) < _LEAST_SMALL:
        return None
    found = []
    for other, only_theirs, only_ours in _tables(expected):
        theirs = _count(words, only_theirs)
        if theirs < _LEAST_SMALL:
            continue
        ours = _count(words, only_ours)
        if theirs >= max(_LEAST_SMALL, _TIMES * ours, _SHARE * len(words)):
            found.append((theirs, other))
    return max(found)[1] if found else None


def _count(words: Iterable[str], table: frozenset[str]) -> int:
    return sum(map(table.__contains__, words))


@cache
def _others(expected: str) -> frozenset[str]:
    return frozenset().union(*(theirs for _, theirs, _ in _tables(expected)))


@cache
def _tables(expected: str) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    ours = _table(expected)
    return [(other, _table(other) - ours, ours - _table(other)) for other in SMALL_WORDS if other != expected]


@cache
def _table(language: str) -> frozenset[str]:
    return frozenset(plain_words(SMALL_WORDS[language]))
