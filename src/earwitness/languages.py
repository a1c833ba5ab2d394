"""Language tags: one canonical tag for every way to write a language.

Datasets and people write English as ``en``, ``eng``, ``en_us``, ``en_US.UTF-8`` or ``English``, and Mandarin as ``zh``,
``cmn-Hans-CN`` or ``Mandarin Chinese``. Rules of normalization, languages that a model knows and slices are compared by
the canonical tag, so that the same language gets the same rules. The tables are those of the IANA registry and of
Unicode CLDR, by way of ``langcodes``.

Whatever a person or a file states goes through ``canonical`` where it comes in. Behind that, ``primary`` and
``has_spaces`` never raise: a record of an earlier version may hold a tag that would be refused today.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from earwitness.errors import UsageError

if TYPE_CHECKING:
    from langcodes import Language

UNSTATED = frozenset(["", "auto", "und", "mul", "mis", "zxx", "unknown", "none", "multilingual"])
"""What is written where no single language is stated: the engine detects it, and rules for any language apply."""
# CLDR prefers 'nb' and 'fil'; speech models and corpora use the two-letter codes of ISO 639-1 for the same languages.
_CODES_OF_MODELS = {"nb": "no", "fil": "tl"}
_CHINESE = frozenset(
    ["zh", "cdo", "cjy", "cmn", "cpx", "csp", "czh", "czo", "gan", "hak", "hsn", "lzh", "mnp", "nan", "wuu", "yue"]
)
_WITHOUT_SPACES = _CHINESE | {"ja", "th", "lo", "km", "my"}
_POSIX = re.compile(r"([A-Za-z]{2,3})(?:_([A-Za-z]{2}))?(?:\.[\w-]+)?(?:@(\w+))?")
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl"}
_SHORTEST_NAME, _LONGEST, _ALIKE = 4, 80, 80.0


def canonical(tag: str | None) -> str | None:
    """Return the canonical BCP 47 tag of a language, or ``None`` if none is stated (see ``UNSTATED``).

    Taken are BCP 47 tags, codes of ISO 639-1, 639-2 (both kinds) and 639-3, underscores in place of hyphens, locales of
    POSIX, and names of languages. A language that its macrolanguage usually stands for has the macrolanguage's code
    (``cmn`` is ``zh``, ``arb`` is ``ar``); others keep their own (``yue``, ``nan``, ``arz``). Script and region stay.

    >>> [canonical(tag) for tag in ("en_us", "eng", "English", "en_US.UTF-8", "cmn-Hans-CN", "zh_CN", "nan-tw")]
    ['en-US', 'en', 'en', 'en-US', 'zh-Hans-CN', 'zh-CN', 'nan-TW']
    >>> canonical("iw"), canonical("nb"), canonical("fil"), canonical("auto")
    ('he', 'no', 'tl', None)
    >>> canonical("Englsh")
    Traceback (most recent call last):
    ...
    earwitness.errors.UsageError: There is no language 'Englsh'. Did you mean 'en' (English)?

    Raises:
        UsageError: For a tag of no language; the nearest one is named.
    """
    text = (tag or "").strip()
    known = _known(text)
    if known is None:
        raise UsageError(f"There is no language {text[:_LONGEST]!r}.{_suggestion(text)}")
    return known or None


def primary(tag: str | None) -> str | None:
    """Return the language alone of a tag, without script and region.

    A tag that ``canonical`` refuses is its own text up to the first hyphen.

    >>> primary("en_US"), primary("cmn-Hans-CN"), primary("yue"), primary(None), primary("Xyzzy-1")
    ('en', 'zh', 'yue', None, 'xyzzy')
    """
    known = _parts(tag)
    return known[0] if known else None


def has_spaces(tag: str | None) -> bool:
    """Return whether a language is written with spaces between its words; ``True`` where none is stated.

    Without are Japanese, Thai, Lao, Khmer, Burmese and the Chinese languages (Mandarin, Cantonese, Hokkien, Wu, Hakka,
    Gan, Xiang and the others of the macrolanguage, and Literary Chinese), unless they are written in Latin letters.

    >>> [has_spaces(tag) for tag in ("zh_CN", "wuu", "tha", "nan-Latn", "ko", None)]
    [False, False, False, True, True, True]
    """
    known = _parts(tag)
    return known is None or known[0] not in _WITHOUT_SPACES or "latn" in known[1:]


def is_among(tag: str | None, languages: Iterable[str]) -> bool:
    """Return whether a language is one of those that a model knows; ``*`` is any, and an unstated one is among all.

    >>> is_among("en_us", ["en"]), is_among("English", ["en"]), is_among("es-MX", ["en", "zh"]), is_among("xh", ["*"])
    (True, True, False, True)

    Raises:
        UsageError: For a language of the model that there is not.
    """
    wanted = primary(tag)
    return wanted is None or any(known == "*" or primary(canonical(known)) == wanted for known in languages)


@lru_cache(maxsize=4096)
def _parts(tag: str | None) -> tuple[str, ...] | None:
    text = (tag or "").strip()
    known = _known(text)
    text = text if known is None else known
    return tuple(text.lower().split("-")) if text else None


@lru_cache(maxsize=4096)
def _known(text: str) -> str | None:
    """Return the canonical tag, ``""`` if no language is stated, ``None`` for an unknown language."""
    if text.lower() in UNSTATED:
        return ""
    found = _by_tag(text) or _by_name(text)
    if found is None:
        return None
    found = found.prefer_macrolanguage().simplify_script()
    if found.language is None or found.language in UNSTATED:
        return ""
    return found.update_dict({"language": _CODES_OF_MODELS.get(found.language, found.language)}).to_tag()


def _by_tag(text: str) -> Language | None:
    from langcodes import Language, tag_is_valid

    locale = _POSIX.fullmatch(text)
    if locale:
        parts = (locale[1], _SCRIPTS.get(locale[3] or ""), locale[2])
        text = "-".join(part for part in parts if part)
    try:
        return Language.get(text, normalize=True) if tag_is_valid(text) else None
    except ValueError:
        return None


def _by_name(text: str) -> Language | None:
    """Return a language by its English name, or its name in any language; remarks in brackets are passed over."""
    from langcodes import Language
    from language_data.names import name_to_code, normalize_name

    name = re.split("[(;,]", text.replace("_", " "))[0].strip().removesuffix(" language")
    if len(name) < _SHORTEST_NAME and name.isascii():  # There are languages called Ua, Mon and Ga.
        return None
    # A text of marks alone is no name; to the package's table, it is the beginning of every name.
    normalized = normalize_name(name) if name.isprintable() else ""
    for names in ("en", "und"):
        # The package also takes the beginning of a name for the name: 'Cantoneese' for 'Cant'.
        if normalized and normalized in _names(names):
            return Language.get(name_to_code("language", name, names))
    return None


@cache
def _names(language: str) -> Mapping[str, object]:
    from language_data.names import TRIES, name_to_code

    name_to_code("language", "", language)  # reads the table
    table: Mapping[str, object] = TRIES[f"{language}/name_to_language"]
    return table


def _suggestion(text: str) -> str:
    from langcodes import Language
    from rapidfuzz import fuzz, process

    code: str | None = None
    country = Language.make(territory=text.upper())
    if re.fullmatch("[A-Za-z]{2}", text) and not country.territory_name().startswith("Unknown"):
        code = country.maximize().language  # such as Japanese for 'jp'
    elif _SHORTEST_NAME <= len(text) <= _LONGEST:
        near = process.extractOne(text.lower(), list(_names("en")), scorer=fuzz.ratio, score_cutoff=_ALIKE)
        code = canonical(near[0]) if near else None
    if code is None:
        return " Write a tag such as 'en', 'es-MX' or 'zh-Hant'."
    return f" Did you mean {code!r} ({Language.get(code).display_name()})?"
