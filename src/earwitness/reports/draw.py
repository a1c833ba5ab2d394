"""Draws chart specifications: SVG that takes on the page's colours, and PNG for documents.

vl-convert runs Vega-Lite without a browser or a network. Its SVG is read again here and only what draws is kept, with
colours of the palette replaced by the page's variables, so light and dark are one drawing.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

from earwitness.errors import UsageError
from earwitness.files.atomic import write_bytes
from earwitness.reports.charts import GRID, INK, MUTED, PAPER, SERIES, Spec

_SVG = "{http://www.w3.org/2000/svg}"
_KEPT = {"svg", "g", "path", "rect", "line", "circle", "text", "tspan", "defs", "clipPath"}
_ATTRIBUTES = {
    "width", "height", "viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "fill", "stroke",
    "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "fill-opacity",
    "opacity", "text-anchor", "font-size", "font-weight", "font-style", "clip-path", "id", "dx", "dy",
}  # fmt: skip
_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--rule", PAPER: "--paper"} | {
    color: f"--c{number}" for number, color in enumerate(SERIES)
}
_SCALE = 2.0


def svg(spec: Spec, label: str, prefix: str) -> str:
    """Return a chart as an SVG element for the page.

    Args:
        spec: A Vega-Lite specification.
        label: What it shows, for those who do not see it.
        prefix: Put before every id in it, which must be unique in the page.

    Raises:
        UsageError: When the extra is not installed.
    """
    drawn = ET.fromstring(_converter().vegalite_to_svg(spec))  # noqa: S314 - made by vl-convert, from our spec
    made = _kept(drawn, prefix)
    made.set("role", "img")
    made.set("aria-label", label)
    made.set("style", f"max-width:{float(drawn.get('width', '500')):.0f}px")
    for size in ("width", "height"):
        made.attrib.pop(size, None)
    return ET.tostring(made, encoding="unicode")


def png(spec: Spec, scale: float = _SCALE) -> bytes:
    """Return a chart as a PNG file.

    Raises:
        UsageError: When the extra is not installed.
    """
    made: bytes = _converter().vegalite_to_png(spec, scale=scale)
    return made


def write(spec: Spec, path: Path) -> None:
    """Write a chart as a file of its own, in the colours of the light theme.

    Args:
        spec: A Vega-Lite specification.
        path: The file; its suffix, ``.svg`` or ``.png``, is the format.

    Raises:
        UsageError: For another suffix, or when the extra is not installed.
        FileError: When it cannot be written; what was there before still is.
    """
    suffix = path.suffix.lower()
    if suffix not in (".svg", ".png"):
        raise UsageError(
            f"A chart is written as SVG or PNG, not as {path.name!r}. Name a file that ends in .svg or .png."
        )
    write_bytes(path, png(spec) if suffix == ".png" else _converter().vegalite_to_svg(spec).encode())


def _converter() -> ModuleType:
    try:
        import vl_convert
    except ImportError:
        raise UsageError(
            "Charts are drawn by vl-convert, which is not installed here. Run: pip install 'earwitness[report]'"
        ) from None
    found: ModuleType = vl_convert
    return found


def _kept(element: ET.Element, prefix: str) -> ET.Element:
    attributes = {"xmlns": "http://www.w3.org/2000/svg"} if element.tag == f"{_SVG}svg" else {}
    made = ET.Element(element.tag.removeprefix(_SVG), attributes)
    for name, value in element.attrib.items():
        if name in _ATTRIBUTES:
            made.set(name, _attribute(name, value, prefix))
    made.text = element.text if element.tag in (f"{_SVG}text", f"{_SVG}tspan") else None
    tip = element.get("aria-label")
    if tip and element.get("aria-roledescription") in ("point", "tick"):
        ET.SubElement(made, "title").text = tip
        made.set("class", "tip")
    for child in element:
        if child.tag.removeprefix(_SVG) in _KEPT:
            made.append(_kept(child, prefix))
    return made


def _attribute(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return f"{prefix}-{value}"
    if name == "clip-path":
        return re.sub(r"#([\w-]+)", rf"#{prefix}-\1", value)
    if name in ("fill", "stroke"):
        return f"var({_VARIABLES[value.lower()]})" if value.lower() in _VARIABLES else value
    return value
