"""The site of the documents: built strictly, complete, without dead links, and without a word to another host."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LOADS = {"script", "link", "img", "iframe", "source", "audio", "video", "embed", "object", "use"}
"""Elements that a browser asks for without a click."""


class Loose(yaml.SafeLoader):
    """Reads mkdocs.yml without its tags, which are of no use here."""


Loose.add_multi_constructor("", lambda _loader, _tag, _node: None)


@dataclass
class Html(HTMLParser):
    """What a page links to, what it loads, and where one can jump to in it."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        self.classes |= set(found.get("class", "").split())
        for name in ("href", "src", "data", "srcset", "poster"):
            if name in found:
                told_only = tag == "link" and found.get("rel") in {"canonical", "prev", "next"}
                (self.loads if tag in LOADS and not told_only else self.links).append(found[name])


@cache
def read(page: Path) -> Html:
    html = Html()
    html.feed(page.read_text("utf-8"))
    return html


def nav() -> list[str]:
    """The paths in the nav, in order."""

    def leaves(part: Any) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        else:
            for inner in part.values() if isinstance(part, dict) else part:
                yield from leaves(inner)

    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as file:
        return list(leaves(yaml.load(file, Loose)["nav"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    around = {name: value for name, value in os.environ.items() if name != "SITE_URL"}
    done = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_document_is_in_the_nav_once() -> None:
    documents = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(nav()) == sorted([*documents, "files/CHANGELOG.md"])


def test_every_page_of_the_nav_and_every_schema_is_in_the_site(site: Path) -> None:
    for name in nav():
        assert (site / name).with_suffix(".html").is_file(), name
    for schema in (DOCS / "schema").glob("*.json"):
        assert (site / "schema" / schema.name).read_text("utf-8") == schema.read_text("utf-8")


def test_no_link_of_the_site_is_dead(site: Path) -> None:
    dead = []
    for page in site.rglob("*.html"):
        for link in read(page).links + read(page).loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path)
            # Only the page for what is not found has links from the root, since it is shown at any address.
            target = (site / path.lstrip("/") if path.startswith("/") else page.parent / path) if path else page
            target = target / "index.html" if target.is_dir() else target
            there = target.resolve().is_relative_to(site.resolve()) and target.is_file()
            jumps = there and target.suffix == ".html" and parts.fragment and not parts.fragment.startswith("__")
            if not there or (jumps and unquote(parts.fragment) not in read(target).ids):
                dead.append((page.relative_to(site).as_posix(), link))
    assert dead == []


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert [link for link in read(page).loads if re.match(r"(?:[a-z]+:)?//", link)] == [], page
        # The theme's script would fetch the program that draws such blocks, and counts of stars, from elsewhere.
        assert not read(page).classes & {"mermaid", "md-source__repository"}, page
        assert '"git_url"' not in page.read_text("utf-8")
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//|@import", style.read_text("utf-8")) == [], style


def test_the_reference_describes_every_public_name_and_shows_examples_as_code(site: Path) -> None:
    page = site / "reference-python.html"
    there = read(page).ids
    tree = ast.parse((ROOT / "src" / "earwitness" / "__init__.pyi").read_text("utf-8"))
    names = [
        f"{line.module}.{name.name}" for line in tree.body if isinstance(line, ast.ImportFrom) for name in line.names
    ]
    assert len(names) > 100
    assert [name for name in names if name not in there] == []
    # Markdown takes ">>>" for a quotation.
    assert "<blockquote" not in page.read_text("utf-8")


def test_every_page_is_found_by_the_search(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert [name for name in nav() if name.replace(".md", ".html") not in found] == []
