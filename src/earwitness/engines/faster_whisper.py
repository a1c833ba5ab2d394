"""faster-whisper: Whisper on CTranslate2.

With ``batch_size`` above 1, windows of one recording are decoded together by faster-whisper's own batched pipeline. It
needs windows to begin with: those of its voice activity detection with ``vad``, and else pieces of at most 30 s cut at
pauses. It decodes each by itself and once, so that there is neither ``context`` nor ``temperature_fallback``, and where
one window ends has no say in where the next begins: texts differ from those of the sequential way. A model that
writes down times may stop before the end of its window. The sequential way begins the next window there; in a batch,
what is left is lost. With ``timestamps`` of ``none`` there is less to lose.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from earwitness.engines.base import DeviceSupport, EngineSpec, ModelFiles, follow, settings_in_force
from earwitness.engines.blocks import Stream, cut_points, finish, stream_blocks
from earwitness.engines.contract import whisper_language
from earwitness.engines.faster_whisper_batch import transcribe_together
from earwitness.engines.segments import segment_of
from earwitness.errors import EngineError, SettingsError, UnsupportedDeviceError
from earwitness.types import Audio, Guide, Segment, Settings, Transcript


def metal_support(release: str | None) -> DeviceSupport:
    """Return what Apple's GPUs are to a version of CTranslate2; ``None`` for none that is installed."""
    if release is None:
        return DeviceSupport("unsupported", "CTranslate2 has no Metal backend before 4.9, and none is installed here")
    if tuple(map(int, release.split(".")[:2])) < (4, 9):
        return DeviceSupport("unsupported", f"CTranslate2 {release} has no Metal backend; it would be the CPU")
    return DeviceSupport("experimental", "the Metal backend is new in CTranslate2 4.9; not run by us")


def _installed() -> str | None:
    try:
        return version("ctranslate2")
    except PackageNotFoundError:
        return None


SPEC = EngineSpec(
    name="faster-whisper",
    summary="Whisper on CTranslate2, quantized on the CPU",
    imports=("faster_whisper", "ctranslate2"),
    packages=("faster-whisper", "ctranslate2"),
    parameter_bytes={"cpu": 1, "cuda": 2, "mps": 2},
    requirements=("faster-whisper>=1.2",),
    devices={
        "cpu": DeviceSupport("supported"),
        "cuda": DeviceSupport("supported"),
        "mps": metal_support(_installed()),
        "tpu": DeviceSupport("unsupported", "CTranslate2 has no TPU backend"),
    },
    # The defaults of WhisperModel.transcribe and of its constructor in faster-whisper 1.2.
    native={"beam_size": 5, "temperature_fallback": True, "context": True, "precision": "default"},
    maps={
        "language": "language",
        "beam_size": "beam_size",
        "temperature_fallback": "temperature",
        "context": "condition_on_previous_text",
        "vad": "vad_filter",
        "timestamps": "without_timestamps, word_timestamps",
        "precision": "compute_type",
        "batch_size": "batch_size",
        "threads": "cpu_threads",
    },
    cuts=True,
    # numpy computes the features. With more threads it rounds differently, and near ties of the decoder flip.
    variables={"OPENBLAS_NUM_THREADS": "1"},
    guides=("translate", "prompt"),
)
_FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_WINDOW_S = 30.0
_BEST = {"cpu": "int8", "cuda": "float16", "mps": "float16"}


class _FasterWhisper:
    def __init__(self, model: Any, settings: Settings, threads: int) -> None:
        native = model.model
        self.device = native.device if native.device == "cpu" else f"{native.device}:{native.device_index[0]}"
        self.in_force: Mapping[str, Any] = settings_in_force(
            SPEC, settings, precision=native.compute_type, threads=threads if native.device == "cpu" else None
        )
        self._model = model
        self._settings = settings
        self.guide = Guide()

    def guided(self, guide: Guide) -> _FasterWhisper:
        return follow(self, guide, multilingual=bool(self._model.model.is_multilingual))

    def transcribe(self, audio: Audio, *, language: str | None) -> Transcript:
        return finish(self.stream(audio, language=language))

    def transcribe_batch(
        self, clips: Sequence[tuple[Audio, str | None]]
    ) -> Iterator[tuple[int, Transcript | Exception]]:
        def transcribe(model: Any, audio: Audio, language: str | None) -> Transcript:
            one = copy.copy(self)
            one._model = model
            return one.transcribe(audio, language=language)

        return transcribe_together(self._model, clips, transcribe)

    def stream(self, audio: Audio, *, language: str | None) -> Stream:
        return stream_blocks(audio, self._settings.chunk_s, self._block, self._whisper_language(language))

    def _block(self, audio: Audio, language: str | None) -> Stream:
        settings = self._settings
        asked = {
            "language": language,
            "task": "translate" if self.guide.translate else "transcribe",
            "initial_prompt": self.guide.prompt or None,
            "beam_size": settings.beam_size,
            "temperature": _FALLBACK_TEMPERATURES if settings.temperature_fallback else 0.0,
            "condition_on_previous_text": settings.context,
            "vad_filter": settings.vad,
            "without_timestamps": settings.timestamps == "none",
            "word_timestamps": settings.timestamps == "word",
        }
        if settings.batch_size > 1 and len(audio.samples):
            pieces, info = self._batched(audio, asked)
        else:
            pieces, info = self._model.transcribe(audio.samples, **asked)
        found = []
        for piece in pieces:  # the work happens here: the library returns a lazy generator
            found.append(piece)
            yield Segment(float(piece.start), float(piece.end), piece.text)
        words = None
        if settings.timestamps == "word":
            words = tuple(Segment(float(w.start), float(w.end), w.word) for piece in found for w in piece.words or ())
        return Transcript(
            text="".join(piece.text for piece in found).strip(),
            segments=tuple(segment_of(piece.start, piece.end, piece.text.strip(), vars(piece)) for piece in found),
            words=words,
            language=info.language,
            covered_s=float(info.duration_after_vad),
        )

    def _batched(self, audio: Audio, options: Mapping[str, Any]) -> tuple[Any, Any]:
        from faster_whisper import BatchedInferencePipeline

        windows = None
        if not self._settings.vad:
            points = cut_points(audio.samples, audio.sample_rate_hz, _WINDOW_S)
            edges = [point / audio.sample_rate_hz for point in points]
            windows = [{"start": start, "end": end} for start, end in itertools.pairwise(edges)]
        # A pipeline keeps where speech last was: a new one keeps this audio's words from hanging on the last one's.
        pipeline = BatchedInferencePipeline(self._model)
        found: tuple[Any, Any] = pipeline.transcribe(
            audio.samples, **options, clip_timestamps=windows, batch_size=self._settings.batch_size
        )
        return found

    def _whisper_language(self, language: str | None) -> str | None:
        native = self._model
        return whisper_language(language, native.supported_languages, multilingual=bool(native.model.is_multilingual))

    def close(self) -> None:
        self._model.model.unload_model()


def _require_visible(ctranslate2: Any, kind: str, index: int) -> None:
    if kind == "cpu":
        return
    count = getattr(ctranslate2, f"get_{kind}_device_count", lambda: 0)()
    if index >= count:
        raise UnsupportedDeviceError(
            f"CTranslate2 {ctranslate2.__version__} sees {count} {kind} devices here, so none with index {index}."
        )


class _Engine:
    spec = SPEC

    def load(self, model: ModelFiles, device: str, settings: Settings) -> _FasterWhisper:
        import ctranslate2
        import faster_whisper

        if settings.batch_size > 1 and (settings.temperature_fallback or settings.context):
            raise SettingsError(
                f"With batch_size={settings.batch_size} every window is decoded by itself and once. "
                "Set temperature_fallback=false and context=false, or batch_size=1."
            )
        kind, _, index = device.partition(":")
        if kind == "auto":
            kind = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        _require_visible(ctranslate2, kind, int(index or 0))
        precision = _BEST[kind] if settings.precision == "auto" else settings.precision
        known = ctranslate2.get_supported_compute_types(kind)
        if precision not in {*known, "default"}:
            raise SettingsError(
                f"Precision {precision!r} is not available on {kind}; available: default, {', '.join(sorted(known))}."
            )
        if model.folder is None:
            raise EngineError(f"Model {model.id!r} has no weights folder. Run: earwitness models pull {model.id}")
        threads = settings.threads or 1
        loaded = faster_whisper.WhisperModel(
            str(model.folder),
            device=kind,
            device_index=int(index or 0),
            compute_type=precision,
            cpu_threads=threads,
            local_files_only=True,
        )
        return _FasterWhisper(loaded, settings, threads)


engine = _Engine()
