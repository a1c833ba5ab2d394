"""A hook of mkdocs: what the documents link to outside of docs/ is copied into the site, under files/.

A link such as ``../deploy/prometheus/alerts.yml`` is right on a forge and on disk, but the site has only docs/. So the
file goes into the site as well, and the link leads to the copy. That needs no forge, the copy is of the same commit as
the page, and a link that leads nowhere fails the build. A Markdown file becomes a page, with its own links treated
likewise; a folder becomes a page that lists what is in it, as a forge shows it.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
DOCS = "docs/"
COPIES = "files/"
LISTING = "/index.md"
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|[#/])([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files and folders outside of docs/ that pages link to, and those that these link to."""
    left = [(file.src_uri, file.content_string) for file in files.documentation_pages()]
    while left:
        page, text = left.pop()
        for target in (_target(page, link) for link in _LINK.findall(text)):
            if target is None or files.get_file_from_path(_in_site(target)):
                continue
            if (ROOT / target).is_dir():
                file = File.generated(config, _in_site(target), content=_listing(target))
            else:
                file = File.generated(config, _in_site(target), abs_src_path=str(ROOT / target))
            files.append(file)
            if file.is_documentation_page():
                left.append((file.src_uri, file.content_string))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Lead links from and to files outside of docs/ to where these are in the site."""
    here = page.file.src_uri

    def moved(link: re.Match[str]) -> str:
        target = _target(here, link[1])
        return link[1] if target is None else relpath(_in_site(target), PurePosixPath(here).parent)

    return _LINK.sub(moved, markdown)


def _target(page: str, link: str) -> str | None:
    """Return the path in the repository that a link on a page leads to, if there is such a file or folder."""
    here = page.removeprefix(COPIES) if page.startswith(COPIES) else DOCS + page
    path = normpath(PurePosixPath(here).parent / link)
    return path if (ROOT / path).exists() and not path.startswith("..") else None


def _in_site(path: str) -> str:
    uri = path.removeprefix(DOCS) if path.startswith(DOCS) else COPIES + path
    return uri + LISTING if (ROOT / path).is_dir() else uri


def _listing(folder: str) -> str:
    found = sorted(path.name for path in (ROOT / folder).iterdir() if not path.name.startswith((".", "__pycache__")))
    return f"# {folder}\n\n" + "".join(f"- [{name}]({name})\n" for name in found)
