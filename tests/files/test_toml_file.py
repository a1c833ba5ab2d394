from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from earwitness.errors import UsageError
from earwitness.files.schema import Strict
from earwitness.files.toml_file import Must, TomlFile


@dataclass(frozen=True, slots=True)
class Shelf(Strict):
    name: str
    books: Annotated[int, Must("a number of books", {"ge": 0})] = 0


@dataclass(frozen=True, slots=True)
class Room(Strict):
    shelves: tuple[Shelf, ...] = ()
    by_key: dict[str, Shelf] = field(default_factory=dict)


def read(tables: dict[str, Any]) -> Any:
    return TomlFile("File 'x'", {"room": tables}, UsageError).read(Room, tables, ("room",))


def test_tables_become_dataclasses() -> None:
    assert read({"shelves": [{"name": "a", "books": 2}]}) == Room((Shelf("a", 2),))


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"shelfs": []}, "File 'x' has an unknown key 'room.shelfs'. Did you mean 'shelves'?"),
        ({"shelves": [{"name": "a"}, {"nam": "b"}]}, "File 'x' needs 'room.shelves.2.name'."),
        ({"by_key": {"b": {"name": "a", "book": 1}}}, "an unknown key 'room.by_key.b.book'. Did you mean 'books'?"),
        ({"shelves": {"name": "a"}}, "'room.shelves' must be tables, each headed [[room.shelves]], and it is {"),
        ({"shelves": 3}, "'room.shelves' must be a list, and it is 3."),
        ({"shelves": [3]}, "'room.shelves.1' must be a table, and it is 3."),
        ({"shelves": [{"name": "a", "books": -1}]}, "'room.shelves.1.books' must be a number of books, and it is -1."),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(tables: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tables)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
