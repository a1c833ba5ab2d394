"""Every error that Earwitness raises on purpose.

    EarwitnessError
    |-- UsageError (ValueError)             an invalid argument
    |-- FetchError (OSError)                a file could not be downloaded
    |   |-- ChecksumError                   the downloaded file has the wrong sha256 (removed)
    |   +-- ConversionError (ValueError)    weights that cannot be converted
    |-- ArchiveError (ValueError)           a zip file that is damaged or cannot be trusted
    |-- DataError
    |   |-- DataNotFoundError (FileNotFoundError)
    |   +-- ManifestError (ValueError)      a manifest that cannot be read; names the line
    |-- AudioError (ValueError)             a file that is not audio, or not audio we can use
    |   |-- AudioNotFoundError (FileNotFoundError)
    |   |-- AudioTooLongError               audio that is longer than allowed
    |   +-- DecoderError                    a file on which the decoder crashed or hung
    |-- ScoringError (ValueError)           transcripts that cannot be paired or scored
    |-- EngineError (RuntimeError)
    |   |-- EngineNotInstalledError (ImportError)
    |   |-- UnknownModelError (LookupError)
    |   |-- UnsupportedDeviceError (ValueError)
    |   +-- SettingsError (ValueError)      a decoding setting that the engine cannot honour
    |-- WorkerError (RuntimeError)          a worker process that died, hung or broke the protocol
    |-- FileError (OSError)                 a file that cannot be written
    |-- RecordError (ValueError)            a run record that cannot be read
    |-- ComparisonError (ValueError)        runs that must not be compared
    +-- PolicyError (ValueError)            a policy that cannot be read, or names something unknown

A message says what is wrong, with which thing, and what to do. The command line prints it as one line and
exits with 2; anything that is not an EarwitnessError is a bug and keeps its traceback.
"""

from __future__ import annotations

import pathlib
from typing import Literal, Self


class EarwitnessError(Exception):
    """The root: catch this to catch every error that Earwitness raises on purpose."""


class UsageError(EarwitnessError, ValueError):
    """An argument that is invalid, alone or in combination with another."""


class FetchError(EarwitnessError, OSError):
    """A file that could not be downloaded from its publisher."""


class ChecksumError(FetchError):
    """A downloaded file whose sha256 is not the pinned one; the file has been removed."""


class ConversionError(FetchError, ValueError):
    """Weights that cannot be converted; the message names the file and the reason."""


class ArchiveError(EarwitnessError, ValueError):
    """A zip file that is damaged, has the wrong contents, or would do harm; nothing of it was kept."""


class DataError(EarwitnessError):
    """A dataset that cannot be used."""


class DataNotFoundError(DataError, FileNotFoundError):
    """A dataset, manifest or corpus that does not exist."""


class ManifestError(DataError, ValueError):
    """A manifest that cannot be read; the message names the file and the line."""


class AudioError(EarwitnessError, ValueError):
    """A file that is not audio, or holds audio that cannot be used."""


class AudioNotFoundError(AudioError, FileNotFoundError):
    """An audio file that does not exist."""

    @classmethod
    def at(cls, path: str | pathlib.Path) -> Self:
        """Return the error for a path, which may be a link to nothing."""
        if pathlib.Path(path).is_symlink():
            return cls(f"There is no audio file {str(path)!r}: it is a link to nothing. Mend the link or remove it.")
        return cls(f"There is no audio file {str(path)!r}. Check the path.")


class AudioTooLongError(AudioError):
    """Audio that is longer than allowed; decoding stopped at the limit."""


class DecoderError(AudioError):
    """A file on which the decoding process crashed or hung; the process was replaced.

    Args:
        message: One sentence that names the file.
        kind: Which of the two.
    """

    def __init__(self, message: str, kind: Literal["crash", "timeout"]) -> None:
        """Keep the kind beside the message."""
        super().__init__(message)
        self.kind: Literal["crash", "timeout"] = kind


class ScoringError(EarwitnessError, ValueError):
    """Transcripts that cannot be paired or scored."""


class EngineError(EarwitnessError, RuntimeError):
    """An engine that cannot do what was requested."""


class EngineNotInstalledError(EngineError, ImportError):
    """An engine whose packages are not importable here."""


class UnknownModelError(EngineError, LookupError):
    """A model id that no catalog row has."""


class UnsupportedDeviceError(EngineError, ValueError):
    """A device that the engine, or this machine, does not have."""


class SettingsError(EngineError, ValueError):
    """A decoding setting that does not exist or that the engine cannot honour."""


class WorkerError(EarwitnessError, RuntimeError):
    """A worker process that died, hung, or broke the protocol."""


class FileError(EarwitnessError, OSError):
    """A file that cannot be written."""


class RecordError(EarwitnessError, ValueError):
    """A run record that cannot be read."""


class ComparisonError(EarwitnessError, ValueError):
    """Runs that must not be compared; the message says which, and how they differ."""


class PolicyError(EarwitnessError, ValueError):
    """A policy that cannot be read or names something unknown; the message names the key."""
