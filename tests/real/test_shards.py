"""A real model on shards of real speech gives the record that it gives in one go."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.records.same import content

import earwitness as ew
from earwitness import weights
from earwitness.data import corpora
from earwitness.engines.catalog import find

pytestmark = pytest.mark.real
MODEL = "faster-whisper:tiny.en"


def test_two_shards_of_a_real_corpus_merge_into_the_record_of_one_run(tmp_path: Path) -> None:
    weights.pull(find(MODEL))
    corpora.pull("telephony-en")
    for part in ("1/2", "2/2"):
        ew.run("telephony-en", MODEL, limit=12, shard=part, out=tmp_path / "shards")
    (result,) = ew.merge(tmp_path / "shards", out=tmp_path / "merged")
    (alone,) = ew.run("telephony-en", MODEL, limit=12, out=tmp_path / "alone")
    assert result.record is not None, result.reason
    assert content(result.record) == content(alone.path)
