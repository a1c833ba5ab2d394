"""``earwitness label``: the options that need no page: agreement of people, and the files of other tools."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from earwitness.cli.common import console, print_json

if TYPE_CHECKING:
    from earwitness.api.label_exchange import LabelAgreement

ExportOption = Annotated[
    Path | None,
    typer.Option("--export", metavar="FILE", help="Write clips and labels for another tool to this file."),
]
ImportOption = Annotated[
    Path | None,
    typer.Option("--import", metavar="FILE", help="Add labels from Label Studio, a NeMo manifest, CSV or JSON lines."),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMAT", help="With --export: label-studio, nemo, csv or jsonl; default: by the name."
    ),
]
AgreementOption = Annotated[
    bool, typer.Option("--agreement", help="Print how far people agree, and on which clips they do not.")
]
AudioPrefixOption = Annotated[
    str,
    typer.Option("--audio-prefix", metavar="URL", help="With --export for Label Studio: put before each audio path."),
]
AuthorOption = Annotated[
    str | None,
    typer.Option(
        "--author", metavar="NAME", help="Your name on labels; with --import, the name on labels without one."
    ),
]


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """What was typed."""

    export: Path | None
    """File to write."""
    source: Path | None
    """File to import."""
    format: str | None
    """Of the file to write."""
    agreement: bool
    """Whether to print how people agree."""
    audio_prefix: str
    """Before each audio path."""
    author: str | None
    """Of labels that name nobody."""
    overlay: Path | None
    """The labels."""

    @property
    def are_in_use(self) -> bool:
        """Whether one of these options was typed, so that no page is needed."""
        return self.agreement or self.export is not None or self.source is not None


def exchange(data: str, options: ExchangeOptions, *, as_json: bool) -> None:
    """Import first, then print the agreement, then export; with ``as_json``, print one document on all of it."""
    from earwitness.api.label_exchange import export_labels, import_labels, label_agreement, plain_agreement
    from earwitness.counts import quantity

    said: dict[str, object] = {}
    screen = console()
    if options.source is not None:
        came = import_labels(data, options.source, author=options.author, overlay=options.overlay)
        said["import"] = {"overlay": str(came.overlay), "new": came.n_new, "old": came.n_old}
        if not as_json:
            new, old = quantity(came.n_new, "new label"), f"{came.n_old:,} were there before"
            screen.print(f"{new} in {came.overlay}; {old}.", markup=False, soft_wrap=True)
    if options.agreement:
        agreement = label_agreement(data, overlay=options.overlay)
        said |= plain_agreement(agreement)
        if not as_json:
            _show_agreement(agreement)
            _show_disagreements(data, agreement)
    if options.export is not None:
        n_labels = export_labels(
            data,
            options.export,
            format=options.format,
            overlay=options.overlay,
            audio_prefix=options.audio_prefix,
        )
        said["export"] = {"file": str(options.export), "labels": n_labels}
        if not as_json:
            screen.print(f"{quantity(n_labels, 'label')}: {options.export}", markup=False, soft_wrap=True)
    if as_json:
        print_json(said)


def _show_agreement(agreement: LabelAgreement) -> None:
    from rich.table import Table

    from earwitness.counts import percentage

    screen = console()
    if not agreement.pairs:
        screen.print("No clip has labels of two people. Give some clips to a second person.", markup=False)
        return
    grid = Table("First", "Second", box=None, header_style="bold")
    for heading in ("Clips", "Equal", "WER between them", "Same draft"):
        grid.add_column(heading, justify="right")
    for pair in agreement.pairs:
        equal = percentage(pair.equal_share, digits=0)
        grid.add_row(
            pair.first, pair.second, f"{pair.n_clips:,}", equal, percentage(pair.wer), f"{pair.n_same_draft:,}"
        )
    screen.print(grid)
    screen.print("Equal: the same words after normalizing, or the same verdict. WER: edits over the mean length.")


def _show_disagreements(data: str, agreement: LabelAgreement) -> None:
    """Print the clips on which people disagree, and how to settle that without the page."""
    from earwitness.counts import quantity

    screen = console()
    if not agreement.disagreements:
        return
    screen.print(f"\n{quantity(len(agreement.disagreements), 'clip')} to settle:", markup=False)
    for clip_id, labels in agreement.disagreements.items():
        screen.print(f"  {clip_id}", markup=False, soft_wrap=True)
        for label in labels:
            said = label.verdict if label.text is None else label.text
            screen.print(f"    {label.author}: {said}", markup=False, soft_wrap=True)
    line = {"clip_id": next(iter(agreement.disagreements)), "text": "what is said", "adjudication": True}
    screen.print(
        f"Settle them on the page, or write one line each into a file: {json.dumps(line, ensure_ascii=False)}",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    screen.print(f"Then: earwitness label {data} --import settled.jsonl --author NAME", markup=False, soft_wrap=True)
