"""Every error is of one tree, and the tree that people read is the real one."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from earwitness import errors
from earwitness.errors import DecoderError, EarwitnessError

ALL = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, Exception)]


def drawn() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Parent, and error of Python's own, of each error in the tree of the module's docstring."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    above = ["EarwitnessError"]
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ((?:\|   )*)[|+]-- (\w+)(?: \((\w+)\))?", line):
            depth = len(match[1]) // 4 + 1
            above[depth:] = [match[2]]
            found[match[2]] = (above[depth - 1], (match[3],) if match[3] else ())
    return found


def test_the_tree_in_the_docstring_is_the_one_in_the_code() -> None:
    bases = {one.__name__: tuple(base.__name__ for base in one.__bases__) for one in ALL if one is not EarwitnessError}
    assert {name: (parent, *more) for name, (parent, more) in drawn().items()} == bases


@pytest.mark.parametrize("kind", ["crash", "timeout"])
def test_a_decoder_error_keeps_its_kind_beside_its_message(kind: str) -> None:
    error = DecoderError("'a.wav' broke it.", kind)  # type: ignore[arg-type]
    assert (str(error), error.kind) == ("'a.wav' broke it.", kind)


@pytest.mark.parametrize("error", [one for one in ALL if one is not DecoderError], ids=lambda one: one.__name__)
def test_an_error_comes_whole_through_a_pickle(error: type[EarwitnessError]) -> None:
    there = pickle.loads(pickle.dumps(error("one sentence")))
    assert (type(there), str(there)) == (error, "one sentence")
