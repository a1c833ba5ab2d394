"""Known names of table columns and JSON keys, in several languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from functools import cache

from earwitness.errors import DataError

NAMES: Mapping[str, tuple[str, ...]] = {
    "audio": (
        "audio_filepath", "path", "audio_path", "audio", "file", "file_name", "wav", "audio_file", "file_path",
        "wav_path", "wav_filename", "audio_filename", "audio_name", "clip_path", "recording_path",
        "archivo", "fichero", "arquivo", "ficheiro", "fichier", "datei", "audiodatei", "dateiname", "bestand", "plik",
        "fil", "tiedosto", "soubor", "dosya", "файл", "аудио", "аудіо", "音频", "音訊", "文件", "文件名", "音声",
        "音声ファイル", "ファイル名", "오디오", "파일", "الملف", "ملف",
    ),
    "text": (
        "text", "sentence", "transcript", "transcription", "reference", "ref", "transcripts", "reference_text",
        "ref_text", "ground_truth", "normalized_text", "raw_text", "raw_transcription", "transcribed_text", "utterance",
        "texto", "transcripción", "transcrição", "frase", "oración", "texte", "phrase", "testo", "trascrizione",
        "transkript", "transkription", "satz", "tekst", "transcriptie", "zin", "transkrypcja", "zdanie",
        "transkripsjon", "mening", "teksti", "litterointi", "přepis", "szöveg", "átirat", "transcriere",
        "transcripció", "metin", "cümle", "teks", "transkrip", "văn bản", "κείμενο", "текст", "транскрипт",
        "транскрипция", "транскрипція", "расшифровка", "предложение", "речення", "文本", "转写", "转录", "轉錄",
        "逐字稿", "句子", "文字", "文字起こし", "書き起こし", "テキスト", "텍스트", "전사", "문장", "النص", "نص",
        "טקסט", "תמלול",
    ),
    "id": ("id", "utt_id", "utterance_id", "clip_id"),
    "start": ("offset", "start", "start_s", "start_time", "inicio", "début", "beginn", "начало", "开始时间"),
    "duration": ("duration", "duration_s", "duración", "duração", "durée", "durata", "dauer", "длительность", "时长"),
    "end": ("end", "end_s", "end_time", "fin", "ende", "конец", "结束时间"),
    "language": ("lang", "language", "locale", "idioma", "langue", "sprache", "lingua", "язык", "语言", "言語", "언어"),
    "speaker": (
        "speaker", "speaker_id", "client_id", "spk", "spk_id", "hablante", "locutor", "locuteur", "parlante",
        "sprecher", "говорящий", "说话人", "話者", "화자",
    ),
    "recording": ("recording",),
    "channel": ("channel", "channel_selector", "canal", "canale", "kanal", "канал", "声道", "チャンネル", "채널"),
}  # fmt: skip
"""By role, the names in the order in which they are looked for."""


@cache
def fold(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation.

    >>> fold("Transcripción"), fold(" Audio File "), fold("audio_file")
    ('transcripcion', 'audiofile', 'audiofile')
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum() and not unicodedata.combining(c))


def roles(names: Collection[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each role, such as audio and text; roles without a column are left out.

    Args:
        names: Columns or keys, as written.
        columns: By role, what the user says; it goes before ``NAMES``.

    A duration goes before an end, which is then a column like any other.

    >>> roles(["Audio", "Texto", "Agent"], {})
    {'audio': 'Audio', 'text': 'Texto'}
    """
    exact = set(names)
    by_fold: dict[str, str] = {}
    for name in names:
        by_fold.setdefault(fold(name), name)

    def spelling(name: str, folded: str) -> str | None:
        return name if name in exact else by_fold.get(folded)

    by_role: dict[str, str] = {}
    for role, name in columns.items():
        column = spelling(name, fold(name))
        if column is not None:
            by_role[role] = column
    for role, usual in _FOLDED.items():
        if role in by_role or (role == "end" and "duration" in by_role):
            continue
        candidates = (spelling(name, folded) for name, folded in usual)
        free = next((column for column in candidates if column and column not in by_role.values()), None)
        if free is not None:
            by_role[role] = free
    return by_role


def require_roles(columns: Mapping[str, str]) -> None:
    """Refuse an unknown role.

    Raises:
        DataError: Naming those that there are.
    """
    for role in columns:
        if role not in NAMES:
            raise DataError(f"There is no column role {role!r}. Choose one of: {', '.join(NAMES)}.")


def without_text(names: Collection[str]) -> str:
    """Return the remark for a file without a known text column."""
    listed = ", ".join(name for name in names if name) or "none"
    return (
        f"no column is known as the text, so no clip has a reference. There are: {listed}. "
        "Say which one it is: --column text=NAME"
    )


_FOLDED = {role: tuple((name, fold(name)) for name in names) for role, names in NAMES.items()}
