"""An option that is declared once is read alike from keywords and from a command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from earwitness.errors import UsageError
from earwitness.options import Flag, default_of, from_keywords, from_texts, kind_of, options_of, pair, require_least


@dataclass(frozen=True)
class Spec:
    models: Annotated[tuple[str, ...], Flag("Which.")] = ()
    tags: Annotated[Mapping[str, str], Flag("Which clips.", metavar="TAG=VALUE", pair="kind=speech")] = field(
        default_factory=dict
    )
    limit: Annotated[int | None, Flag("How many.", least=1)] = None
    inside: int = 0

    def __post_init__(self) -> None:
        require_least(self)


def test_only_what_has_a_flag_is_an_option_in_the_order_of_the_fields() -> None:
    assert list(options_of(Spec)) == ["models", "tags", "limit"]
    assert kind_of(Spec, "limit") == int | None
    assert (default_of(Spec, "limit"), default_of(Spec, "tags")) == (None, {})


def test_keywords_and_texts_make_the_same_spec() -> None:
    by_keywords = from_keywords(Spec, {"models": "a", "tags": {"kind": "speech"}, "limit": 3}, "run", inside=7)
    by_texts = from_texts(Spec, {"models": ["a"], "tags": ["kind=speech"], "limit": 3}, inside=7)
    assert by_keywords == by_texts == Spec(("a",), {"kind": "speech"}, 3, 7)
    assert from_keywords(Spec, {"models": ["a", "b"]}, "run").models == ("a", "b")


def test_a_text_that_was_not_typed_leaves_the_default() -> None:
    assert from_texts(Spec, {"models": None, "limit": None}) == Spec()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"limt": 1}, "run has no option 'limt'. Did you mean 'limit'?"),
        ({"inside": 1}, "run has no option 'inside'."),
        ({"limit": 0}, "limit must be at least 1, not 0."),
        ({"limit": float("nan")}, "limit must be at least 1, not nan."),
    ],
)
def test_what_there_is_not_and_what_is_too_small_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_keywords(Spec, values, "run")
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("text", ["kind", "=speech", ""])
def test_a_text_that_is_no_pair_is_refused_with_the_form_and_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_texts(Spec, {"tags": [text]})
    assert str(caught.value) == f"{text!r} is not TAG=VALUE, such as kind=speech."
    assert pair("a=b=c") == ("a", "b=c")
