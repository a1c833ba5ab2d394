"""Rules about the groups of a slice: the worst group, the gap, and groups that are too small to judge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.comparison.study import clip, heard, misheard, record, said

from earwitness.cli import main
from earwitness.decision.decide import decide
from earwitness.decision.decision import Decision, RuleResult
from earwitness.decision.decision_file import read_decision, write_decision
from earwitness.decision.policy import parse
from earwitness.errors import PolicyError

WORST = '[gates]\nworst_group_wer = { at_most = 0.2, slice = "accent" }\n'
GAP = '[gates]\nwer_gap = { at_most = 0.1, slice = "accent" }\n'


def study(root: Path, groups: dict[str, list[int]], *, words: int = 40) -> Path:
    """A record in which each recording of an accent has so many errors in its 40 words."""
    pairs = []
    for accent, errors in groups.items():
        for n, wrong in enumerate(errors):
            one = clip(f"{accent or 'none'}{n}", said(words, n), 12.0)
            one = replace(one, tags={"accent": accent} if accent else {})
            pairs.append((one, heard(one, misheard((one.reference or "").split(), wrong), 1.0)))
    return record(root, "steady:base", "calls", pairs)


def judged(root: Path, policy: str, groups: dict[str, list[int]]) -> tuple[Decision, RuleResult]:
    decision = decide([study(root, groups)], parse(policy, "p.toml"), out=root / "decision.json")
    return decision, decision.verdicts[0].rules[0]


EVEN = [1, 2, 1, 3, 2, 1, 2, 2, 3, 1, 2, 1]
POOR = [12, 14, 13, 15, 12, 16, 13, 14, 15, 12, 14, 13]


def test_the_worst_group_breaks_a_gate_that_the_mean_would_pass(tmp_path: Path) -> None:
    decision, rule = judged(tmp_path, WORST, {"north": POOR, **{f"a{n}": EVEN for n in range(5)}})
    assert decision.verdicts[0].promise["wer"] < 0.2
    assert rule.outcome == "failed"
    assert rule.measured == pytest.approx(sum(POOR) / 480)
    assert rule.ci95 is not None
    assert rule.ci95[0] > 0.2
    assert [group.value for group in rule.groups][:1] == ["north"]
    assert "the worst is 'north' (12 recordings)" in decision.verdicts[0].reasons[0]


def test_a_gate_passes_when_the_intervals_of_all_groups_do(tmp_path: Path) -> None:
    decision, rule = judged(tmp_path, WORST, {"north": EVEN, "south": EVEN})
    assert rule.outcome == "passed"
    assert max(group.ci95[1] for group in rule.groups if group.ci95) == (rule.ci95 or (0, 0))[1] <= 0.2
    assert decision.verdicts[0].status == "production"


def test_a_limit_inside_the_interval_is_undecided_and_names_the_group(tmp_path: Path) -> None:
    decision, rule = judged(tmp_path, WORST, {"north": [2, 12, 3, 9, 1, 14], "south": EVEN})
    assert rule.outcome == "undecided"
    assert decision.verdicts[0].status == "undecided"
    assert "lies inside; the worst is 'north' (6 recordings)" in decision.verdicts[0].reasons[0]


def test_a_small_group_within_the_limit_becomes_a_named_condition(tmp_path: Path) -> None:
    decision, rule = judged(tmp_path, WORST, {"north": EVEN, "south": EVEN, "isles": [3, 2]})
    assert rule.outcome == "passed"
    assert decision.verdicts[0].status == "conditional"
    (condition,) = decision.verdicts[0].conditions
    assert condition.startswith("accent 'isles' (2 recordings, WER 6.2 %) is not judged: it takes at least 4")


def test_a_small_group_beyond_the_limit_leaves_the_rule_undecided(tmp_path: Path) -> None:
    decision, rule = judged(tmp_path, WORST, {"north": EVEN, "south": EVEN, "isles": [20, 22]})
    assert (rule.outcome, decision.verdicts[0].status) == ("undecided", "undecided")
    assert "but accent 'isles' (2 recordings, WER 52.5 %) is not judged" in decision.verdicts[0].reasons[0]


def test_clips_without_the_tag_are_a_group_that_nobody_can_judge(tmp_path: Path) -> None:
    _, rule = judged(tmp_path, WORST, {"north": EVEN, "south": EVEN, "": [2, 1, 2, 1, 1]})
    assert "accent 'unknown' (5 recordings" in (rule.reason or "")
    assert "its clips do not say" in (rule.reason or "")


def test_a_gap_is_that_between_worst_and_best_and_a_small_group_can_widen_it(tmp_path: Path) -> None:
    _, rule = judged(tmp_path / "a", GAP, {"north": POOR, "south": EVEN})
    assert rule.outcome == "failed"
    assert rule.measured == pytest.approx((sum(POOR) - sum(EVEN)) / 480)
    assert "the worst is 'north' (12 recordings), the best 'south' (12 recordings)" in (rule.reason or "")
    _, rule = judged(tmp_path / "b", GAP, {"north": EVEN * 3, "south": EVEN * 3})
    assert (rule.outcome, rule.measured) == ("passed", 0.0)
    _, rule = judged(tmp_path / "c", GAP, {"north": EVEN * 3, "south": EVEN * 3, "isles": [9, 9]})
    assert rule.outcome == "undecided"


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({"": EVEN}, "no clip has the tag or field 'accent'"),
        (
            {"north": [1, 2], "south": [3]},
            "at least 1 group of 4 recordings, and there is 'south' with 1, 'north' with 2",
        ),
    ],
)
def test_what_cannot_be_grouped_is_not_measured_and_says_why(
    tmp_path: Path, groups: dict[str, list[int]], says: str
) -> None:
    _, rule = judged(tmp_path, WORST, groups)
    assert rule.outcome == "not measured"
    assert says in (rule.reason or "")


def test_a_rule_of_groups_has_to_name_its_slice_and_others_must_not() -> None:
    with pytest.raises(PolicyError, match=r"'gates.wer_gap' must be a table with at_most and slice, such as slice ="):
        parse("[gates]\nwer_gap = 0.1", "p.toml")
    with pytest.raises(PolicyError, match=r"'gates.wer.slice' must be left out: the measure is not about groups"):
        parse('[gates]\nwer = { at_most = 0.1, slice = "accent" }', "p.toml")
    (rule,) = parse(WORST, "p.toml").rules
    assert rule.words() == "WER of the worst group by accent at most 20.0 % (upper end of the interval)"


def test_groups_stand_in_the_file_and_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decision, rule = judged(tmp_path, WORST, {"north": EVEN, "south": EVEN, "isles": [3, 2]})
    write_decision(tmp_path / "decision.json", decision)
    assert read_decision(tmp_path / "decision.json").verdicts[0].rules[0].groups == rule.groups
    (tmp_path / "p.toml").write_text(WORST)
    code = main(["decide", str(tmp_path), "--policy", str(tmp_path / "p.toml"), "--explain"])
    shown = capsys.readouterr().out
    assert code == 0
    assert "WER by accent, with intervals for 2 groups at once:" in shown
    assert "isles: 6.2 % (2 recordings, 2 clips); not judged: it takes at least 4 recordings to judge a group" in shown
    assert "WER of the worst group by accent at most 20.0 %" in shown


def test_a_gate_of_groups_holds_in_the_gate_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(tmp_path / "runs", {"north": POOR, "south": EVEN})
    (tmp_path / "p.toml").write_text(WORST)
    files = [str(tmp_path / "runs"), "--baseline", str(tmp_path / "baseline.json")]
    assert main(["gate", *files, "--update"]) == 0
    capsys.readouterr()
    assert main(["gate", *files, "--policy", str(tmp_path / "p.toml"), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["policy"]
    assert found["outcome"] == "failed"
    assert found["result"]["groups"][0]["value"] == "north"
