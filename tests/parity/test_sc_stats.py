"""Matched pairs against NIST's own program, on the alignments that it is given."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earwitness.scoring.align.spans import spans
from earwitness.scoring.stats.mapsswe import error_segments, mapsswe

Utterance = tuple[list[str], list[str], list[str]]
needs_sctk = pytest.mark.skipif(shutil.which("sctk") is None, reason="there is no sctk here: apt-get install sctk")
WORDS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12)


def mutated(draw: st.DrawFn, words: list[str]) -> list[str]:
    heard = []
    for word in words:
        what = draw(st.sampled_from(["keep"] * 6 + ["drop", "swap", "add"]))
        heard += {"keep": [word], "drop": [], "swap": ["z"], "add": ["y", word]}[what]
    return [word for word in heard if word]


@st.composite
def utterances(draw: st.DrawFn) -> list[Utterance]:
    found = []
    for _ in range(draw(st.integers(2, 8))):
        said = draw(WORDS)
        found.append((said, mutated(draw, [*said, ""]), mutated(draw, [*said, ""])))
    return found


def cells_of(said: list[str], heard: list[str]) -> list[str]:
    cells = []
    for span in spans(said, heard):
        old, new = said[slice(*span.reference)], heard[slice(*span.hypothesis)]
        if span.kind == "insert":
            cells += [f'I,,"{word}"' for word in new]
        elif span.kind == "delete":
            cells += [f'D,"{word}",' for word in old]
        else:
            letter = "C" if span.kind == "equal" else "S"
            cells += [f'{letter},"{a}","{b}"' for a, b in zip(old, new, strict=True)]
    return cells


def theirs(pairs: list[Utterance], folder: Path) -> tuple[int, float]:
    """Segments and Z of sc_stats."""
    document = ""
    for title, place in (("one", 1), ("two", 2)):
        rows = ""
        for n, pair in enumerate(pairs):
            cells = cells_of(pair[0], pair[place])
            rows += f'<PATH id="(s_{n})" word_cnt="{len(cells)}" sequence="{n}">\n{":".join(cells)}\n</PATH>\n'
        document += (
            f'<SYSTEM title="{title}" ref_fname="r" hyp_fname="{title}" creation_date="-" format="2.4" '
            f'frag_corr="FALSE" opt_del="FALSE" weight_ali="FALSE" weight_filename="">\n<SPEAKER id="s">\n{rows}'
            "</SPEAKER>\n</SYSTEM>\n"
        )
    command = ["sctk", "sc_stats", "-p", "-t", "mapsswe", "-v", "-n", "out", "-O", "."]
    subprocess.run(command, cwd=folder, input=document, text=True, check=True, capture_output=True, timeout=60)
    report = (folder / "out.stats.mapsswe").read_text()
    found = re.search(r"\(# segs: (\d+)\).*\(Z Stat:\s*(-?[\d.]+)\)", report)
    assert found is not None, report
    return int(found[1]), float(found[2])


def ours(pairs: list[Utterance]) -> tuple[int, float | None]:
    found = mapsswe([segment for pair in pairs for segment in error_segments(*pair)])
    return found.n_segments, found.z


@needs_sctk
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(utterances())
def test_segments_and_z_are_those_of_sc_stats(tmp_path: Path, pairs: list[Utterance]) -> None:
    segments, z = ours(pairs)
    if segments < 2:
        return
    their_segments, their_z = theirs(pairs, tmp_path)
    assert segments == their_segments
    assert z == pytest.approx(their_z, abs=6e-4)
