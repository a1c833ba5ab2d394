from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from earwitness.decision.measures import MEASURES
from earwitness.decision.policy import DEFAULT, SHIPPED, load, parse
from earwitness.decision.rules import CATEGORIES
from earwitness.errors import PolicyError

HOLDS = ("measures.py", "rules.py")

TEN_LINES = """\
name = "ours"
[gates]
wer = 0.2
failed_share = { at_most = 0.02, by = "value" }
licence = ["MIT", "Apache-2.0"]
[targets]
latency_p95_s = { at_most = 2, device = "cuda" }
[weights]
accuracy = 3
latency = 1
"""


def test_a_policy_of_ten_lines_has_rules_weights_and_a_name() -> None:
    policy = parse(TEN_LINES, "ours.toml")
    assert policy.name == "ours"
    assert [rule.words() for rule in policy.rules] == [
        "WER at most 20.0 % (upper end of the interval)",
        "failed clips at most 2.0 % (as measured)",
        "licence is MIT or Apache-2.0",
        "p95 latency with device cuda at most 2 s (upper end of the interval)",
    ]
    assert [(weight.category, weight.weight) for weight in policy.weights] == [("accuracy", 3.0), ("latency", 1.0)]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_limit_of_a_shipped_policy_has_its_reason(name: str) -> None:
    policy = load(name)
    assert policy.name == name
    assert policy.summary
    assert all(rule.why for rule in policy.rules)
    assert {rule.measure for rule in policy.gates} >= {"wer", "incomplete_share", "failed_share", "rtf", "licence"}


def test_the_default_is_for_transcription() -> None:
    assert load().source == DEFAULT == "transcription-batch"


KEYS = [
    ("names = 'x'\n[gates]\nwer = 0.2", "'names'. Did you mean 'name'?"),
    ("[gates]\nwerr = 0.2", "'gates.werr'. Did you mean 'wer'?"),
    ("[gates]\nlicense = 'commercial'", "'gates.license'. Did you mean 'licence'?"),
    ("[gates.wer]\nat_mots = 0.2", "'gates.wer.at_mots'. Did you mean 'at_most'?"),
    ("[gates]\nwer = 0.2\n[weights]\naccurracy = 1", "'weights.accurracy'. Did you mean 'accuracy'?"),
    ("[gates]\nwer = 0.2\n[weights.accuracy]\nweigth = 1", "'weights.accuracy.weigth'. Did you mean 'weight'?"),
    ("[gates]\nwer = 0.2\n[[use]]\nname = 'x'\nbest = 'accuracy'\ngate.wer = 1", "'use.1.gate'. Did you mean 'gates'?"),
    ("[gates.licence]\nallowed = 'MIT'", "'gates.licence.allowed'. Did you mean 'allow'?"),
]


@pytest.mark.parametrize(("text", "says"), KEYS)
def test_an_unknown_key_is_refused_with_the_nearest(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match="unknown key") as refused:
        parse(text, "p.toml")
    assert says in str(refused.value)


TYPES = [
    ("[gates]\nwer = '0.2'", "'gates.wer' must be a number"),
    ("[gates]\nwer = true", "'gates.wer' must be a number"),
    ("[gates]\nwer = nan", "'gates.wer' must be a number"),
    ("[gates]\nwer = -0.1", "'gates.wer' must be a number that is not negative"),
    ("[gates]\nwer = []", "'gates.wer' must be a number"),
    ("gates = 3", "'gates' must be a table"),
    ("name = 3\n[gates]\nwer = 0.2", "'name' must be text"),
    ("[gates]\nlength_ratio = 0.9", "'gates.length_ratio' must be a table with at_least, at_most or both"),
    ("[gates.wer]\nat_least = 0.2", "'gates.wer' must be a table with at_most"),
    ("[gates.wer]\nwhy = 'x'", "'gates.wer' must be a table with at_most"),
    ("[gates.wer]\nat_most = 0.2\nresearch = 0.1", "'gates.wer.research' must be beyond at_most of a gate"),
    ("[gates]\nwer = 0.2\n[targets.wer]\nat_most = 0.1\nresearch = 0.2", "'targets.wer.research' must be beyond"),
    ("[gates.wer]\nat_most = 0.2\nby = 'mean'", "'gates.wer.by' must be 'interval' or 'value'"),
    ("[gates.wer]\nat_most = 0.2\ndevice = 'cpu'", "texts do not depend on a device"),
    ("[gates.wer]\nat_most = 0.2\ndataset = 3", "'gates.wer.dataset' must be text"),
    ("[gates]\nlicence = 3", "'gates.licence' must be 'commercial' or a list of licences"),
    ("[gates]\nwer = 0.2\n[weights.accuracy]\nfull = 0.6", "must be less than 0.5, which gives no points"),
    ("[gates]\nwer = 0.2\n[weights.memory]\nfull = 0", "'weights.memory.full' must be over 0 and less than 1.6e+10"),
    ("[gates]\nwer = 0.2\n[[use]]\nbest = 'accuracy'", "needs 'use.1.name'"),
    ("[gates]\nwer = 0.2\n[[use]]\nname = 'x'\nbest = ['accuracy']", "'use.1.best' must be one of accuracy"),
    ("[gates]\nwer = 0.2\n[use]\nname = 'x'", "'use' must be tables"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), TYPES)
def test_a_value_of_the_wrong_kind_is_told_in_one_sentence_with_its_key(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(text, "p.toml")
    assert says in str(refused.value)
    assert "'p.toml'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_policy_without_gates_and_one_that_is_not_toml_are_refused() -> None:
    with pytest.raises(PolicyError, match="has no gate"):
        parse("name = 'x'", "p.toml")
    with pytest.raises(PolicyError, match="is not TOML"):
        parse("wer <= 0.2", "p.toml")


def test_a_policy_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="Did you mean 'telephony'"):
        load("telefony")
    with pytest.raises(PolicyError, match="There is no policy"):
        load(str(tmp_path / "mine.toml"))
    with pytest.raises(PolicyError, match="cannot be read"):
        load(str(tmp_path))


def test_one_measure_may_have_several_rules() -> None:
    text = """
    [gates]
    wer = [{ at_most = 0.2 }, { at_most = 0.4, condition = "noise:10dB" }]
    length_ratio = { at_least = 0.8, at_most = 1.2 }
    """
    assert [rule.words().partition(" (")[0] for rule in parse(text, "p").rules] == [
        "WER at most 20.0 %",
        "WER under noise:10dB at most 40.0 %",
        "words heard per word said at least 0.8",
        "words heard per word said at most 1.2",
    ]


KNOWN = {
    "": {"name", "summary", "gates", "targets", "weights", "use"},
    "gates.": set(MEASURES),
    "targets.": set(MEASURES),
    "gates.wer.": {"at_most", "at_least", "research", "by", "dataset", "condition", "device", "why"},
    "gates.licence.": {"allow", "why"},
    "weights.": set(CATEGORIES),
    "weights.accuracy.": {"weight", "full", "zero"},
}


@given(st.sampled_from(sorted(KNOWN)), st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=20))
@settings(deadline=None)
def test_unknown_keys_are_always_refused_and_named(where: str, key: str) -> None:
    assume(key not in KNOWN[where])
    text = {
        "": f"{key} = 1\n[gates]\nrtf = 1",
        "gates.": f"[gates]\nrtf = 1\n{key} = 1",
        "targets.": f"[gates]\nrtf = 1\n[targets]\n{key} = 1",
        "gates.wer.": f"[gates.wer]\nat_most = 1\n{key} = 1",
        "gates.licence.": f"[gates.licence]\nallow = 'MIT'\n{key} = 1",
        "weights.": f"[gates]\nrtf = 1\n[weights]\n{key} = 1",
        "weights.accuracy.": f"[gates]\nrtf = 1\n[weights.accuracy]\nweight = 1\n{key} = 1",
    }[where]
    tomllib.loads(text)
    with pytest.raises(PolicyError) as refused:
        parse(text, "p.toml")
    assert f"unknown key {where + key!r}" in str(refused.value)
