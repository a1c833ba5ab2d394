"""Lines of text for the English normalizer: ordinary ones, and all kinds that its rules have something to say of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from whisper_normalizer.english import EnglishTextNormalizer

PACKAGE = EnglishTextNormalizer()
NUMBERS = PACKAGE.standardize_numbers


def entries(text: str) -> list[str]:
    return [entry for part in text.split(" |") if (entry := part.strip(" \n"))]


ORDINARY = entries(
    """
    the | a | of | to | in | is | you | that | it | he | was | for | on | are | as | with | his | they | at | be |
    this | have | from | or | had | by | hot | word | but | what | some | we | can | out | other | were | all |
    there | when | up | use | your | how | said | an | each | she | which | do | their | time | if | will | way |
    about | many | then | them | write | would | like | so | these | her | long | make | thing | see | him | two |
    has | look | more | day | could | go | come | did | number | sound | no | most | people | my | over | know |
    water | than | call | first | who | may | down | side | been | now | find | half | gone | done | got | river |
    overnight | ferry | workshop | stove | driver | bridge | agent | logged | enter | followed | pound | key |
    login | incorrect
    """
)
NUMBER_WORDS = sorted(NUMBERS.words | NUMBERS.decimals)
FILLERS = entries(
    """
    hmm | mm | mhm | mmm | uh | um | uh-huh | Uh, | um...
    """
)
CONTRACTIONS = entries(
    """
    it's | he's | he'd | they'd | don't | won't | can't | let's | y'all | I'm | we'll | we've | you're | ain't |
    ma'am | I'ma | o'clock | 'tis | 'cause | 'em | dogs' | 's | 'd | n't | it’s | don’t | y' | ' | wasn't've |
    she'd've | it'sn't | John's | can 't | uh'll | 1990's
    """
)
SHORT = entries(
    """
    been | gone | done | got | gotta | gonna | wanna | kinda | dunno | cause | mr | Mr. | Mrs. | St. | Dr. |
    Prof | col | sr | lt | rep. | U.S.A. | e.g. | a.m. | p.m. | Ph.D. | st | nd | rd | th | s
    """
)
FIGURES = entries(
    """
    5 | 12 | 007 | 1,000 | 1,234,567.89 | 3.14 | 1. | .5 | 1960s | 21st | 2nd | 3 rd | 4th | 90 s | $20 | £3.50 |
    €7 | ¢5 | $2 and ¢7 | $0.07 | $5 ¢7 | 50% | 5 % | % | 100%! | 10:30 | 555-1234 | 192.168.0.1 | 5k | mp3 |
    b2b | 1 | 1s | 11 | 1.5 | -4 | +7 | 1/2 | ½ | ² | ٣ | １２ | $ | €x | $x | x$ | $$5 | $% | %% | 5..6 | 5.a |
    a.5 | 0 | 00 | 1e5 | #1 | £ | ¢ | . | .. | ... | 20,000, | 3, | ,5 | and a half | a half
    """
)
BRACKETS = entries(
    """
    [laughs] | (coughs) | <unk> | [ | ] | ( | ) | < | > | [a (b] c) | (()) | ((x)) | a[b]c | <s> x </s>
    """
)
FOREIGN = entries(
    """
    café | naïve | Zürich | œuvre | Øre | straße | ẞ | łódź | ÞORN | ΟΔΟΣ | Σ | ἀρχή | Москва | 日本語 | नमस्ते |
    ไทย | 한국어 | e\u0301 | \u0301a | ﬁne | ｆｕｌｌ | ｈａｌｆ | ℌalf | İstanbul | ı | ª | Ⅻ | a\u200bb | \u200b |
    x\u00adx | 🙂 | a_b | _ | ´ | ¨ | a¨b | ﷺ | ǅ | \ufeff | ha\u0300lf | aⅣ | ١٢
    """
)
SYMBOLS = [
    "|",
    *entries(
        """
    - | – | — | / | \\ | & | + | = | * | ^ | ~ | ` | | | @ | # | ! | ? | ; | : | , | " | “ | ” | ‘ | ’ | « | » |
    … | • | -- | &amp; | a/b | and/or | rock&roll | e-mail | well-known | twenty-one | x- | -x | "quoted" | “so” |
    'so' | ( | C++ | C# | @home
    """
    ),
]
SPACES = [" "] * 40 + [
    "  ",
    "   ",
    "\t",
    "\n",
    "\u00a0",
    "\u3000",
    " \n ",
    "\r\n",
    "\x1c",
    "\u2028",
    "",
    "-",
    ", ",
    "\t'",
]
LETTERS = "abcdefghijklmnopqrstuvwxyz'"


def british() -> list[str]:
    return sorted(PACKAGE.standardize_spellings.mapping)


def lines(n: int, seed: int) -> Iterator[str]:
    """Yield so many lines; the same seed gives the same lines."""
    rng = random.Random(seed)
    spelt = british()
    kinds: list[tuple[float, Callable[[], str]]] = [
        (30, lambda: rng.choice(ORDINARY)),
        (14, lambda: rng.choice(NUMBER_WORDS)),
        (4, lambda: rng.choice(["and", "point", "a", "half", "double", "percent", "dollars", "cents", "oh"])),
        (4, lambda: rng.choice(FILLERS)),
        (9, lambda: rng.choice(CONTRACTIONS)),
        (7, lambda: rng.choice(SHORT)),
        (8, lambda: rng.choice(FIGURES)),
        (5, lambda: str(rng.randrange(10 ** rng.randrange(1, 8)))),
        (0.5, lambda: rng.choice(BRACKETS)),
        (4, lambda: rng.choice(spelt)),
        (3, lambda: rng.choice(FOREIGN)),
        (4, lambda: rng.choice(SYMBOLS)),
        (3, lambda: "".join(rng.choices(LETTERS, k=rng.randrange(1, 7)))),
        (0.3, lambda: chr(rng.randrange(0xD800) if rng.random() < 0.7 else rng.randrange(0xE000, 0x110000))),
    ]
    makers, weights = [make for _, make in kinds], [weight for weight, _ in kinds]
    for _ in range(n):
        odd = rng.random() < 0.4
        parts: list[str] = []
        for make in rng.choices(makers, weights, k=rng.choice([0, 1, 2, 3, 4, 6, 9, 14])):
            word = make()
            word = rng.choice([word, word, word, word.upper(), word.title()])
            parts += [
                word + rng.choice(["", "", "", "", "", ".", ",", "?", "!", "..."]),
                rng.choice(SPACES) if odd else " ",
            ]
        yield "".join(parts if odd else parts[:-1])
