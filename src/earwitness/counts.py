"""A number with the word for what is counted, in the singular or the plural. One place for one rule."""

from __future__ import annotations


def quantity(n: int, thing: str, things: str | None = None) -> str:
    """Return a count with its noun.

    Args:
        n: How many.
        thing: The noun in the singular.
        things: The noun in the plural, where it does not end in ``s``.

    >>> quantity(1, "recording"), quantity(2, "recording"), quantity(0, "recording")
    ('1 recording', '2 recordings', '0 recordings')
    >>> quantity(1, "more minute"), quantity(1200, "entry", "entries")
    ('1 more minute', '1,200 entries')
    """
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def are(n: int) -> str:
    """Return a count after its verb, for "and there ...".

    >>> f"there {are(1)}", f"there {are(3)}"
    ('there is 1', 'there are 3')
    """
    return f"{'is' if n == 1 else 'are'} {n:,}"


def every(n: int, thing: str, verb: str) -> str:
    """Return "all so many things do", of one that "the one thing does".

    Args:
        n: How many, at least 1.
        thing: The noun in the singular.
        verb: What they do, as said of several.

    >>> every(3, "gate", "pass"), every(1, "gate", "pass"), every(1, "clip", "fail")
    ('all 3 gates pass', 'the one gate passes', 'the one clip fails')
    """
    if n != 1:
        return f"all {quantity(n, thing)} {verb}"
    return f"the one {thing} {verb}{'es' if verb.endswith('s') else 's'}"
