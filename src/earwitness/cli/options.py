"""Options of the command line: those of a spec class, and a few that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Literal, get_origin, get_type_hints

import typer

from earwitness.options import default_of, from_texts, kind_of, options_of

KeyEnv = Annotated[
    str | None, typer.Option("--key-env", metavar="NAME", help="Environment variable with the key of the server.")
]
ResponseFormatOption = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Response format: verbose_json (the default), or json if the server supports nothing else.",
    ),
]
Interleave = Annotated[
    bool, typer.Option("--interleave/--one-by-one", help="Let the models take turns, or run one after the other.")
]
ServerUrl = Annotated[str, typer.Argument(help="Address of the server, such as http://127.0.0.1:8000.", metavar="URL")]
ServerModel = Annotated[
    str | None, typer.Option("--model", "-m", metavar="NAME", help="Model name at the server; default: its first.")
]
AnswerTimeout = Annotated[
    float,
    typer.Option(
        "--timeout-s",
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Longest wait for an answer, or ten times its audio if that is more.",
    ),
]
FirstClips = Annotated[int | None, typer.Option(min=1, metavar="N", help="Use only the first N clips.")]
CandidateName = Annotated[
    str | None, typer.Option(metavar="NAME", help="Candidate of the decision; default: the chosen one.")
]
OverlayOption = Annotated[
    Path | None,
    typer.Option("--overlay", metavar="FILE", help="Labels of the clips; default: those that lie beside the data."),
]
Command = Callable[..., None]


def takes(spec: type[object], *names: str) -> Callable[[Command], Command]:
    """Give a command the options of a class; the command gets them as one parameter, ``spec``.

    The options stand where ``spec`` stands in the command's signature.

    Args:
        spec: The class.
        names: Of its options; without any, all of them.
    """
    chosen = names or tuple(options_of(spec))

    def with_options(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        parameters: list[inspect.Parameter] = []
        for name, parameter in inspect.signature(command).parameters.items():
            if name == "spec":
                parameters += [_parameter(spec, option) for option in chosen]
            else:
                own = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
                parameters.append(own)

        @wraps(command)
        def wrapped(**values: object) -> None:
            context = values.get("context")
            if getattr(context, "invoked_subcommand", None) is not None:
                return  # the subcommand has options of its own
            options = {name: values.pop(name) for name in chosen}
            command(**values, spec=from_texts(spec, options))

        wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return wrapped

    return with_options


def flag(spec: type[object], name: str) -> str:
    """Return the flag of an option on the command line.

    >>> from earwitness.api.run import RunSpec
    >>> flag(RunSpec, "models"), flag(RunSpec, "budget_s"), flag(RunSpec, "device")
    ('--model', '--budget-s', '--device')
    """
    flags = options_of(spec)[name].flags
    return flags[0].partition("/")[0] if flags else f"--{name.replace('_', '-')}"


def _parameter(spec: type[object], name: str) -> inspect.Parameter:
    option, kind = options_of(spec)[name], kind_of(spec, name)
    many = get_origin(kind) in (tuple, Mapping)
    default = None if many else default_of(spec, name)
    typed: object = list[str] | None if many else str if get_origin(kind) is Literal else kind
    shown = default is not None and default != ""
    declared = typer.Option(
        *(option.flags or (flag(spec, name),)), metavar=option.metavar, help=option.help, show_default=shown
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[typed, declared]
    )
