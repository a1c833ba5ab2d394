"""Valid files made invalid: bytes flipped, cut out, doubled, swapped, and replaced by what parsers stumble over."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_BAD = (
    b"\x00", b"\xff", b"\xed\xa0\xbd", b"\\ud83d", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\r", b"\n", b'"', b"'", b"{",
    b"]", b"\t", b",", b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 30, b"9" * 5000, b"[" * 2000, b"x" * 140_000,
    b"\x1f\x8b",     b"..", b"/dev/zero", b"|", b";;", b"%s", b"(a)", b"A", b"{/}", b"{a / }",
)  # fmt: skip
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(content: bytes, dice: random.Random) -> bytes:
    """Return a copy with one to six changes, each drawn from all kinds of changes."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 6)):
        dice.choice(_CHANGES)(changed, dice)
    return bytes(changed)


def _place(content: Sequence[int], dice: random.Random) -> int:
    # Half of them at the beginning, where headers are.
    return dice.randrange(min(len(content), 200) if dice.random() < 0.5 else len(content)) if content else 0


def _flip(content: bytearray, dice: random.Random) -> None:
    if content:
        content[_place(content, dice)] ^= 1 << dice.randrange(8)


def _set(content: bytearray, dice: random.Random) -> None:
    if content:
        content[_place(content, dice)] = dice.randrange(256)


def _number(content: bytearray, dice: random.Random) -> None:
    size, order = dice.choice((2, 4, 8)), dice.choice(("little", "big"))
    start = _place(content, dice)
    content[start : start + size] = dice.choice(_NUMBERS).to_bytes(8, "little")[:size][
        :: 1 if order == "little" else -1
    ]


def _cut(content: bytearray, dice: random.Random) -> None:
    start = _place(content, dice)
    del content[start : start + dice.choice((1, 4, 50, 5000))]


def _end(content: bytearray, dice: random.Random) -> None:
    del content[_place(content, dice) :]


def _repeat(content: bytearray, dice: random.Random) -> None:
    start = _place(content, dice)
    piece = content[start : start + dice.randint(1, 200)]
    content[start:start] = piece * dice.randint(1, 5)


def _insert(content: bytearray, dice: random.Random) -> None:
    start = _place(content, dice)
    content[start:start] = dice.choice(_BAD)


def _replace(content: bytearray, dice: random.Random) -> None:
    start = _place(content, dice)
    content[start : start + dice.randint(1, 12)] = dice.choice(_BAD)


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _set, _number, _cut, _end, _repeat, _insert, _replace,
)  # fmt: skip
