"""Options that mean the same in every command that makes, packs or plans a run, and the request that they make."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.models import OptionInfo

KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="The environment variable that holds the server's key.")
]
ResponseFormatOption = Annotated[
    str | None, typer.Option(help="verbose_json, which is asked for else, or json where the server has no other.")
]
ModelsOption = Annotated[list[str] | None, typer.Option("--model", "-m", help="Model id; may be given again.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps or tpu.")]
Preset = Annotated[
    str, typer.Option(help="matched: all alike, greedy, no fall-back; native: each engine as its authors ship it.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting on top of the preset, such as beam_size=5."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N clips.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Only clips with this tag.")]
Language = Annotated[str | None, typer.Option(help="Language of clips that state none, such as en.")]
Channel = Annotated[int | None, typer.Option(min=0, help="Which channel of clips that state none; else the mean.")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help="Which column of a table has the text, as in text=Wording; also audio, id.",
    ),
]
NormalizerOption = Annotated[
    str,
    typer.Option(
        help="auto, english, multilingual, whisper, leaderboard, none, another of docs/metrics.md, or a TOML file."
    ),
]
Compounds = Annotated[bool, typer.Option("--compounds", help="'white board' equals 'whiteboard'.")]
MethodOption = Annotated[str, typer.Option("--align", help="levenshtein, or sclite for its costs.")]
Alternatives = Annotated[bool, typer.Option("--alternatives", help="{a / b} in a reference is either.")]
Warmup = Annotated[int, typer.Option(min=0, help="Unmeasured transcriptions by every new worker.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds that a clip gets at least; ten times its audio.")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option("--condition", metavar="NAME", help="Alter the audio, as in noise:10dB or mulaw; may be repeated."),
]
Clean = Annotated[
    bool, typer.Option("--clean/--no-clean", help="With --condition: whether the audio as it is comes first.")
]
Speech = Annotated[
    bool | None,
    typer.Option(
        "--speech/--no-speech",
        help="Look for speech in the audio, to find what a text left out; the default is where it can be done.",
        show_default=False,
    ),
]
MeasureOption = Annotated[
    list[str] | None,
    typer.Option(metavar="PROTOCOL,...", help="Also measure speed by protocol: cold, latency, throughput."),
]
BudgetS = Annotated[float, typer.Option("--budget-s", min=1, help="Seconds that each protocol may take.")]
Interleave = Annotated[
    bool, typer.Option("--interleave/--one-by-one", help="Models take turns, or one runs after the other.")
]

OF_A_RUN: Mapping[str, tuple[Any, Any]] = {
    "models": (ModelsOption, None),
    "device": (Device, "auto"),
    "preset": (Preset, "matched"),
    "assignments": (Assignments, None),
    "limit": (Limit, None),
    "tags": (Tags, None),
    "language": (Language, None),
    "channel": (Channel, None),
    "columns": (Columns, None),
    "conditions": (Conditions, None),
    "clean": (Clean, True),
    "normalizer": (NormalizerOption, "auto"),
    "compounds": (Compounds, False),
    "method": (MethodOption, "levenshtein"),
    "alternatives": (Alternatives, False),
    "warmup": (Warmup, 1),
    "timeout_s": (Timeout, 120.0),
    "speech": (Speech, None),
    "measure": (MeasureOption, None),
    "budget_s": (BudgetS, 300.0),
}
"""Every option of a run with its default, called as the field of ``Request`` that it fills."""


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts of ``--set`` as names and values.

    Raises:
        SettingsError: For one that is none.
    """
    from earwitness.engines.registry import parse_settings

    parse_settings(list(texts))
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def parse_tags(texts: Sequence[str]) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts of ``--tag`` as keys and values.

    Raises:
        UsageError: For one that is none.
    """
    from earwitness.runs.plan import pair

    return dict(pair(text) for text in texts)


def parse_columns(texts: Sequence[str]) -> dict[str, str]:
    """Return ``ROLE=NAME`` texts of ``--column`` as roles and names.

    Raises:
        UsageError: For one that is none.
    """
    from earwitness.runs.plan import pair

    return dict(pair(text, "Column", "text=NAME") for text in texts)


def of_a_run(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every option of a run; it gets them together, as its parameter ``request``.

    The options stand behind the command's first argument, before its own options.
    """
    hints = get_type_hints(command, localns={"Request": Any}, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [
        parameter.replace(kind=keyword, annotation=hints[name])
        for name, parameter in inspect.signature(command).parameters.items()
        if name != "request"
    ]
    shared = [
        inspect.Parameter(name, keyword, default=default, annotation=option)
        for name, (option, default) in OF_A_RUN.items()
    ]
    first = 1 + next(number for number, parameter in enumerate(own) if parameter.name == "sources")

    @wraps(command)
    def wrapped(**given: Any) -> None:
        from earwitness.runs.plan import Request
        from earwitness.scoring.text import normalizer

        values = {name: given.pop(name) for name in OF_A_RUN}
        # What is left out is what ``Request`` says; typer's lists become tuples.
        asked: Any = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if value is not None
        }
        # A file of rules stays here; what is in it goes into the study and the record.
        asked["normalizer"] = normalizer(asked["normalizer"]).name
        command(**given, request=Request(**asked))

    parameters = [*own[:first], *shared, *own[first:]]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped


def flag(name: str) -> str:
    """Return the option of a run as it is typed.

    >>> flag("models"), flag("budget_s"), flag("device")
    ('--model', '--budget-s', '--device')
    """
    option = next(each for each in get_args(OF_A_RUN[name][0]) if isinstance(each, OptionInfo))
    names = [option.default, *(option.param_decls or ())] if option.default is not ... else []
    return str(names[0]).partition("/")[0] if names else f"--{name}"
