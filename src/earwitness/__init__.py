"""Earwitness: a lab that measures speech recognition and says what to put in production.

    import earwitness as ew

    records = ew.run("sample", ["faster-whisper:tiny.en", "pocketsphinx:en-us"])
    print(ew.compare(records).tables[0].rows[0].label)

A name is imported when it is asked for: this package itself needs nothing but the standard library, because workers of
engines begin with it. All names, each with an example, are in ``docs/api.md``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name is defined. A new one is a word here, a line below, and a row of docs/api.md.
_NAMES = {
    "api.analysis": "Completeness PairTests Sensitivity Sliced completeness pairs sensitivity slices terms",
    "api.audio": "ConditionKind apply conditions",
    "api.comparing": "Needed compare decide plan robustness",
    "api.data": "Exported ExportedSclite check export export_sclite import_ join load",
    "api.doctor": "Check doctor",
    "api.gating": "Baselined baseline gate",
    "api.init": "Begun init",
    "api.machine": "EngineHere ModelHere convert engines install models pull remove uninstall",
    "api.records": "Record clips query records",
    "api.reporting": "report",
    "api.running": "Progress RunOptions resume run",
    "api.scoring": "Scored rescore score",
    "api.serving": "Deployed ServeOptions deploy serve",
    "api.studying": "Studied study",
    "api.terms": "TermReport",
    "api.travel": "Notebook bundle notebook",
    "compare.decision": "Decision",
    "compare.gate_verdict": "GateVerdict",
    "compare.robustness": "Robustness",
    "compare.table": "Comparison",
    "data.bundle": "Bundle",
    "errors": "ArchiveError AudioError AudioNotFoundError AudioTooLongError ChecksumError ComparisonError "
    "ConversionError DataError DataNotFoundError DecoderError EarwitnessError EngineError EngineNotInstalledError "
    "FetchError FileError ManifestError PolicyError RecordError ScoringError SettingsError UnknownModelError "
    "UnsupportedDeviceError UsageError WorkerError",
    "report.build": "Made",
    "runs.query": "Answer",
    "runs.record": "ClipResult Run",
    "scoring.sclite": "ScliteFiles",
    "types": "Clip ClipScore Dataset Edits Failure Finding Hypothesis Score Segment Settings Transcript",
}
_HOME = {name: room for room, names in _NAMES.items() for name in names.split()}

if TYPE_CHECKING:
    from earwitness.api.analysis import Completeness as Completeness
    from earwitness.api.analysis import PairTests as PairTests
    from earwitness.api.analysis import Sensitivity as Sensitivity
    from earwitness.api.analysis import Sliced as Sliced
    from earwitness.api.analysis import completeness as completeness
    from earwitness.api.analysis import pairs as pairs
    from earwitness.api.analysis import sensitivity as sensitivity
    from earwitness.api.analysis import slices as slices
    from earwitness.api.analysis import terms as terms
    from earwitness.api.audio import ConditionKind as ConditionKind
    from earwitness.api.audio import apply as apply
    from earwitness.api.audio import conditions as conditions
    from earwitness.api.comparing import Needed as Needed
    from earwitness.api.comparing import compare as compare
    from earwitness.api.comparing import decide as decide
    from earwitness.api.comparing import plan as plan
    from earwitness.api.comparing import robustness as robustness
    from earwitness.api.data import Exported as Exported
    from earwitness.api.data import ExportedSclite as ExportedSclite
    from earwitness.api.data import check as check
    from earwitness.api.data import export as export
    from earwitness.api.data import export_sclite as export_sclite
    from earwitness.api.data import import_ as import_
    from earwitness.api.data import join as join
    from earwitness.api.data import load as load
    from earwitness.api.doctor import Check as Check
    from earwitness.api.doctor import doctor as doctor
    from earwitness.api.gating import Baselined as Baselined
    from earwitness.api.gating import baseline as baseline
    from earwitness.api.gating import gate as gate
    from earwitness.api.init import Begun as Begun
    from earwitness.api.init import init as init
    from earwitness.api.machine import EngineHere as EngineHere
    from earwitness.api.machine import ModelHere as ModelHere
    from earwitness.api.machine import convert as convert
    from earwitness.api.machine import engines as engines
    from earwitness.api.machine import install as install
    from earwitness.api.machine import models as models
    from earwitness.api.machine import pull as pull
    from earwitness.api.machine import remove as remove
    from earwitness.api.machine import uninstall as uninstall
    from earwitness.api.records import Record as Record
    from earwitness.api.records import clips as clips
    from earwitness.api.records import query as query
    from earwitness.api.records import records as records
    from earwitness.api.reporting import report as report
    from earwitness.api.running import Progress as Progress
    from earwitness.api.running import RunOptions as RunOptions
    from earwitness.api.running import resume as resume
    from earwitness.api.running import run as run
    from earwitness.api.scoring import Scored as Scored
    from earwitness.api.scoring import rescore as rescore
    from earwitness.api.scoring import score as score
    from earwitness.api.serving import Deployed as Deployed
    from earwitness.api.serving import ServeOptions as ServeOptions
    from earwitness.api.serving import deploy as deploy
    from earwitness.api.serving import serve as serve
    from earwitness.api.studying import Studied as Studied
    from earwitness.api.studying import study as study
    from earwitness.api.terms import TermReport as TermReport
    from earwitness.api.travel import Notebook as Notebook
    from earwitness.api.travel import bundle as bundle
    from earwitness.api.travel import notebook as notebook
    from earwitness.compare.decision import Decision as Decision
    from earwitness.compare.gate_verdict import GateVerdict as GateVerdict
    from earwitness.compare.robustness import Robustness as Robustness
    from earwitness.compare.table import Comparison as Comparison
    from earwitness.data.bundle import Bundle as Bundle
    from earwitness.errors import ArchiveError as ArchiveError
    from earwitness.errors import AudioError as AudioError
    from earwitness.errors import AudioNotFoundError as AudioNotFoundError
    from earwitness.errors import AudioTooLongError as AudioTooLongError
    from earwitness.errors import ChecksumError as ChecksumError
    from earwitness.errors import ComparisonError as ComparisonError
    from earwitness.errors import ConversionError as ConversionError
    from earwitness.errors import DataError as DataError
    from earwitness.errors import DataNotFoundError as DataNotFoundError
    from earwitness.errors import DecoderError as DecoderError
    from earwitness.errors import EarwitnessError as EarwitnessError
    from earwitness.errors import EngineError as EngineError
    from earwitness.errors import EngineNotInstalledError as EngineNotInstalledError
    from earwitness.errors import FetchError as FetchError
    from earwitness.errors import FileError as FileError
    from earwitness.errors import ManifestError as ManifestError
    from earwitness.errors import PolicyError as PolicyError
    from earwitness.errors import RecordError as RecordError
    from earwitness.errors import ScoringError as ScoringError
    from earwitness.errors import SettingsError as SettingsError
    from earwitness.errors import UnknownModelError as UnknownModelError
    from earwitness.errors import UnsupportedDeviceError as UnsupportedDeviceError
    from earwitness.errors import UsageError as UsageError
    from earwitness.errors import WorkerError as WorkerError
    from earwitness.report.build import Made as Made
    from earwitness.runs.query import Answer as Answer
    from earwitness.runs.record import ClipResult as ClipResult
    from earwitness.runs.record import Run as Run
    from earwitness.scoring.sclite import ScliteFiles as ScliteFiles
    from earwitness.types import Clip as Clip
    from earwitness.types import ClipScore as ClipScore
    from earwitness.types import Dataset as Dataset
    from earwitness.types import Edits as Edits
    from earwitness.types import Failure as Failure
    from earwitness.types import Finding as Finding
    from earwitness.types import Hypothesis as Hypothesis
    from earwitness.types import Score as Score
    from earwitness.types import Segment as Segment
    from earwitness.types import Settings as Settings
    from earwitness.types import Transcript as Transcript


class _Package(ModuleType):
    """This package, which finds its names when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted(_HOME)
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the room earwitness.compare would else put it where the function of that name is.
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *_HOME})


sys.modules[__name__].__class__ = _Package
