from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from earwitness.reports import charts, draw
from earwitness.reports.labels import beside


def spec(*names: str) -> charts.Spec:
    rows = [{"label": name, "wer": 0.1} for name in names]
    x = {"field": "wer", "type": "quantitative"}
    y = {"field": "label", "type": "nominal"}
    tip = {"description": {"field": "label", "type": "nominal"}}
    layer = {"mark": {"type": "point", "color": charts.SERIES[0]}, "encoding": {"x": x, "y": y, **tip}}
    return {"data": {"values": rows}, "layer": [layer], "config": {"axis": {"labelColor": charts.INK}}}


def test_a_drawing_takes_on_the_colours_of_the_page() -> None:
    made = draw.svg(spec("one"), "a chart", "c")
    assert "var(--c0)" in made
    assert "var(--ink)" in made
    assert charts.SERIES[0] not in made


def test_a_name_with_markup_is_text_in_a_drawing() -> None:
    hostile = "</svg><script>alert(1)</script>"
    tree = ET.fromstring(draw.svg(spec(hostile), hostile, "c"))
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "g", "path", "rect", "line", "circle", "text", "tspan", "defs", "clipPath", "title"}
    assert hostile in {element.text for element in tree.iter()}
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on") or "href" in name]


def test_ids_of_two_drawings_differ() -> None:
    def ids(prefix: str) -> set[str]:
        return {found for e in ET.fromstring(draw.svg(spec("a"), "", prefix)).iter() if (found := e.get("id"))}

    assert not ids("one") & ids("two")


def test_the_same_specification_is_a_png_file() -> None:
    assert draw.png(spec("one"))[:8] == b"\x89PNG\r\n\x1a\n"


def test_names_of_points_in_one_place_are_written_in_different_places() -> None:
    found = beside([(100, 100)] * 4, ["one", "two", "three", "four"], (300, 200))
    assert len({(place["align"], place["dx"], place["dy"]) for place in found}) == 4


@pytest.mark.parametrize(("x", "align"), [(5, "left"), (295, "right")])
def test_a_name_stays_inside_the_plot(x: float, align: str) -> None:
    (place,) = beside([(x, 100)], ["a name of some length"], (300, 200))
    assert place["align"] == align
