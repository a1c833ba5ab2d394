"""Earwitness: measures speech recognition models and decides which one to put in production.

    import earwitness as ew

    records = ew.run("sample", ["faster-whisper:tiny.en", "pocketsphinx:en-us"])
    print(ew.compare(records).tables[0].rows[0].label)

``__init__.pyi`` is the one list of the public names; ``docs/api.md`` has an example of each. A name is imported when it
is first used: this package itself needs nothing but the standard library, because the workers of engines import it.
"""

from typing import Any

try:
    from earwitness._version import __version__  # written by the build, from the git tag
except ImportError:
    __version__ = "0.0.0"  # a checkout that was never installed


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    homes = _homes()
    if name == "__all__":
        return sorted(homes)
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(homes[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_homes()})


def _homes() -> dict[str, str]:
    """Return the module of each public name, as the stub beside this file lists them."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        name.name: str(line.module) for line in tree.body if isinstance(line, ast.ImportFrom) for name in line.names
    }
