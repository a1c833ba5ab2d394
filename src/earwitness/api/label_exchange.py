"""Labels of a dataset as functions: what is wrong with them, how people agree, and the files of other tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from earwitness.api.records import RecordSource
from earwitness.errors import UsageError
from earwitness.types import Dataset

if TYPE_CHECKING:
    from earwitness.data import DataProblem
    from earwitness.labels.agreement import LabellerPair
    from earwitness.labels.formats.row import LabelRow
    from earwitness.labels.label import Label
    from earwitness.labels.overlay import Overlay

LabelFormat = Literal["label-studio", "nemo", "csv", "jsonl"]
LABEL_FORMATS: tuple[LabelFormat, ...] = ("label-studio", "nemo", "csv", "jsonl")
_BY_SUFFIX: Mapping[str, LabelFormat] = {".csv": "csv", ".tsv": "csv", ".json": "label-studio"}


@dataclass(frozen=True, slots=True)
class LabelStatus:
    """The labels of a dataset."""

    overlay: Path
    """The file."""
    n_clips: int
    """Clips of the dataset."""
    n_labels: int
    """Clips with a label that is used."""
    n_authors: int
    """People who labelled."""
    problems: tuple[str, ...]
    """What to look at, one sentence each."""


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How far people agree who labelled the same clips."""

    pairs: tuple[LabellerPair, ...]
    """Every two people who labelled a clip in common, by name."""
    disagreements: Mapping[str, tuple[Label, ...]]
    """By clip: labels that differ and that nobody adjudicated; the first of them counts until then."""


@dataclass(frozen=True, slots=True)
class LabelImport:
    """Labels that came in from another tool."""

    overlay: Path
    """Where they were appended."""
    n_new: int
    """Labels that were appended."""
    n_old: int
    """Labels that were there before."""


def label_status(
    data: RecordSource | Dataset,
    *,
    overlay: RecordSource | None = None,
    columns: Mapping[str, str] | None = None,
) -> LabelStatus | None:
    """Return what labels a dataset has, and what is wrong with them; ``None`` without an overlay.

    Args:
        data: As for ``read_data``, or a dataset.
        overlay: The file of labels; ``None`` for the one beside the data.
        columns: As for ``read_data``.

    Raises:
        DataError: When the data cannot be read, or the labels are of another dataset.
        RecordError: When the labels cannot be read.
    """
    from earwitness.labels.apply import apply_labels, sentences

    found = _overlay(data, overlay)
    if not found.path.is_file():
        return None
    dataset = _dataset(data, columns)
    applied = apply_labels(dataset, found.labels)
    authors = {label.author for label in found.labels}
    problems = tuple(sentences(found, applied.problems))
    return LabelStatus(found.path, len(dataset.clips), len(applied.labels), len(authors), problems)


def overlay_problems(data: RecordSource, columns: Mapping[str, str] | None = None) -> list[DataProblem]:
    """Return what is wrong with the labels beside a dataset, as warnings; none without an overlay.

    Args:
        data: As for ``read_data``.
        columns: As for ``read_data``.
    """
    from earwitness.data import DataProblem
    from earwitness.errors import DataError, RecordError

    path = _overlay_path(data, None)
    if not path.is_file():
        return []
    try:
        status = label_status(data, overlay=path, columns=columns)
    except RecordError as error:
        return [DataProblem("error", str(path), None, str(error))]
    except DataError as error:
        return [DataProblem("warning", str(path), None, f"the labels are not used: {error}")]
    return [DataProblem("warning", str(path), None, problem) for problem in (status.problems if status else ())]


def label_agreement(
    data: RecordSource | Dataset, *, overlay: RecordSource | None = None, normalizer: str = "auto"
) -> LabelAgreement:
    """Compare every two people over the clips that both labelled, and list the clips on which people disagree.

    Args:
        data: As for ``read_data``, or a dataset.
        overlay: The file of labels; ``None`` for the one beside the data.
        normalizer: As for scores.

    Raises:
        DataError: When the data cannot be read.
        RecordError: When the labels cannot be read.
    """
    from earwitness.labels.agreement import agreement
    from earwitness.labels.apply import clip_languages
    from earwitness.labels.settle import same_words, settle

    languages = clip_languages(_dataset(data).clips)
    labels = _overlay(data, overlay).labels
    pairs = agreement(labels, normalizer=normalizer, languages=languages)
    return LabelAgreement(pairs, settle(labels, same_words(normalizer, languages)).disagreements)


def export_labels(
    data: RecordSource | Dataset,
    out: RecordSource,
    *,
    format: str | None = None,  # noqa: A002 - the word of the command line
    overlay: RecordSource | None = None,
    audio_prefix: str = "",
) -> int:
    """Write the clips of a dataset with their current labels for another tool, and return the number of labels.

    Args:
        data: As for ``read_data``, or a dataset.
        out: The file to write.
        format: ``label-studio``, ``nemo``, ``csv`` or ``jsonl``; ``None`` by the file's name.
        overlay: The file of labels; ``None`` for the one beside the data.
        audio_prefix: For Label Studio: what stands before the path of the audio, such as an address.

    Raises:
        UsageError: For a format that there is not.
        DataError: When the data cannot be read.
        RecordError: When the labels cannot be read.
        FileError: When the file cannot be written.
    """
    from earwitness.files.atomic import write_text
    from earwitness.labels.apply import usable_labels
    from earwitness.labels.formats import label_studio, lines
    from earwitness.labels.formats.row import exchange_clips
    from earwitness.labels.label import current_labels

    dataset, target = _dataset(data), Path(out)
    name = format or _BY_SUFFIX.get(target.suffix.lower(), "jsonl")
    if name not in LABEL_FORMATS:
        raise UsageError(f"There is no format {name!r}. Choose {', '.join(LABEL_FORMATS)}.")
    labels = _overlay(data, overlay).labels
    clips = exchange_clips(dataset.clips, current_labels(labels).values())
    if name == "nemo":
        chosen = usable_labels(dataset.clips, labels).labels
        rows = [(one.clip, chosen.get(one.clip.id)) for one in clips]
        write_text(target, lines.to_nemo(rows))
        return sum(label is not None for _, label in rows)
    text = {
        "label-studio": lambda: label_studio.tasks(clips, {}, audio_prefix),
        "csv": lambda: lines.to_csv(clips),
        "jsonl": lambda: lines.to_jsonl(clips),
    }[name]()
    write_text(target, text)
    return sum(len(one.labels) for one in clips)


def import_labels(
    data: RecordSource | Dataset,
    source: RecordSource,
    *,
    author: str | None = None,
    overlay: RecordSource | None = None,
) -> LabelImport:
    """Append the labels of another tool's file to the overlay of a dataset; those that it has already are passed over.

    Args:
        data: As for ``read_data``, or a dataset.
        source: Label Studio's JSON or ``ASR_MANIFEST``, a NeMo manifest, CSV, or JSON lines.
        author: Of labels that name nobody.
        overlay: The file of labels; ``None`` for the one beside the data.

    Raises:
        DataError: When the data or the file cannot be read, or a label is of no clip.
        RecordError: When the labels that are there cannot be read.
        FileError: When the overlay cannot be written.
    """
    from earwitness.labels.formats.row import new_labels, to_labels
    from earwitness.labels.overlay import append_label

    dataset = _dataset(data)
    found = _overlay(data, overlay)
    labels = to_labels(_rows(Path(source)), dataset.clips, author=author)
    fresh = new_labels(labels, found.labels)
    for label in fresh:
        append_label(found.path, label)
    return LabelImport(found.path, len(fresh), len(labels) - len(fresh))


def plain_agreement(agreement: LabelAgreement) -> dict[str, Any]:
    """Return an agreement as values for JSON: the pairs with their rates, and the clips that are open."""
    from earwitness.files.schema import plain

    pairs = [{**plain(pair), "equal_share": pair.equal_share, "wer": pair.wer} for pair in agreement.pairs]
    return {
        "agreement": pairs,
        "disagreements": {
            clip_id: [plain(label) for label in labels] for clip_id, labels in agreement.disagreements.items()
        },
    }


def _rows(source: Path) -> list[LabelRow]:
    from earwitness.errors import DataNotFoundError
    from earwitness.labels.formats import label_studio, lines

    if not source.is_file():
        raise DataNotFoundError(f"There is no file {str(source)!r}.")
    is_array = source.suffix.lower() not in (".csv", ".tsv") and source.read_bytes()[:64].lstrip()[:1] == b"["
    return list((label_studio if is_array else lines).read(source))


def _dataset(data: RecordSource | Dataset, columns: Mapping[str, str] | None = None) -> Dataset:
    from earwitness.data import load

    if isinstance(data, Dataset):
        return data
    return load(data if isinstance(data, str) else Path(data), columns=columns)


def _overlay(data: RecordSource | Dataset, overlay: RecordSource | None) -> Overlay:
    from earwitness.labels.overlay import read_labels

    return read_labels(_overlay_path(data, overlay))


def _overlay_path(data: RecordSource | Dataset, overlay: RecordSource | None) -> Path:
    from earwitness.labels.overlay import overlay_path

    if overlay is not None:
        return Path(overlay)
    source = data.source if isinstance(data, Dataset) else data
    return overlay_path(source if isinstance(source, str) else Path(source))
