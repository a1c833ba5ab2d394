"""Makes a report: one page, Markdown documents, plots, and a card to share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from earwitness import __version__
from earwitness.comparison.study import StudyView
from earwitness.counts import quantity
from earwitness.decision.decision import Decision
from earwitness.files.atomic import write_bytes, write_text
from earwitness.reports import charts, documents
from earwitness.reports.clip_data import clip_table
from earwitness.reports.draw import png
from earwitness.reports.figures import figures
from earwitness.reports.page import PageContent, page
from earwitness.reports.scorecard import markdown
from earwitness.reports.sounds import MOST_BYTES, How, Sound, sounds

PAGE = "report.html"
ReportProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report."""

    page: Path
    """The HTML file."""
    files: tuple[Path, ...]
    """Every file, the page first."""
    n_clips: int
    """Clips in the page, each counted once for each dataset."""
    n_heard: int
    """Of these, clips that can be heard."""
    silent: str | None
    """Why the first of the others cannot."""
    warnings: tuple[str, ...]
    """What a reader is told first."""


def build(
    study: StudyView,
    folder: Path,
    *,
    decision: Decision | None = None,
    warnings: Sequence[str] = (),
    audio: How = "embed",
    progress: ReportProgress = lambda *_: None,
) -> ReportFiles:
    """Write a report into a folder; files of an earlier report with the same names are replaced.

    Args:
        study: The runs.
        folder: Is made when it is not there.
        decision: What was decided of them.
        warnings: What a reader must know first, besides what the study itself left out.
        audio: Whether sound is put into the page, linked, or left out.
        progress: Called with how many clips are done, of how many.

    Raises:
        UsageError: When the extra ``report`` is not installed.
        FileError: When something cannot be written.
    """
    drawn = figures(study)
    heard: list[dict[str, Sound]] = []
    left = MOST_BYTES
    for board in study.boards:
        heard.append(sounds(board, audio, folder, left, progress))
        left -= sum(len(sound.webm) for sound in heard[-1].values() if sound.webm)
    every = [sound for one in heard for sound in one.values()]
    silent = next((sound.reason for sound in every if sound.reason), None)
    content = PageContent(
        study=study,
        decision=decision,
        warnings=tuple(dict.fromkeys((*warnings, *study.comparison.left_out))),
        figures=drawn,
        clips=[clip_table(board, sound) for board, sound in zip(study.boards, heard, strict=True)],
        sound_note=_sound_note(every, audio),
        heading=_heading(study),
        footer=f"Made by Earwitness {__version__}, {datetime.now(UTC).strftime('%Y-%m-%d %H:%M UTC')}.",
    )
    written = [folder / PAGE]
    write_text(folder / PAGE, page(content))
    for name, text in (
        ("results.md", documents.results(content)),
        ("scorecard.md", markdown(study.comparison, with_matrix=True)),
        ("devices.md", documents.devices(content)),
        ("share.md", documents.share(content)),
    ):
        write_text(folder / name, text)
        written.append(folder / name)
    for figure in (figure for some in drawn.values() for figure in some):
        written.append(folder / "plots" / f"{figure.name}.png")
        write_bytes(written[-1], png(figure.spec))
    written.append(folder / "card.png")
    write_bytes(
        written[-1], png(charts.card(documents.main_board(study, decision), *documents.headline(content)), scale=1.0)
    )
    n_heard = sum(sound.reason is None for sound in every)
    return ReportFiles(folder / PAGE, tuple(written), len(every), n_heard, silent, tuple(content.warnings))


def _heading(study: StudyView) -> str:
    names = dict.fromkeys(
        board.table.name for board in study.boards if board.table.dataset.condition is None
    ) or dict.fromkeys(board.table.name for board in study.boards)
    return f"Speech recognition on {', '.join(names)}"


def _sound_note(every: Sequence[Sound], audio: How) -> str:
    n_heard = sum(sound.reason is None for sound in every)
    if audio == "none" or not n_heard:
        return "There is no sound in this report." if audio == "none" else "No clip's sound could be found."
    how = "is embedded in this page, as the models got it" if audio == "embed" else "is linked, as it was recorded"
    return f"The sound of {n_heard} of {quantity(len(every), 'clip')} {how}; click a word to hear it."
