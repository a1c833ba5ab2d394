from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from earwitness.scoring.stats.blocks import FEWEST, MOST, cut_blocks
from earwitness.scoring.stats.passages import Passage

PASSAGES = st.lists(
    st.builds(Passage, st.tuples(st.integers(0, 5), st.integers(0, 5)), st.integers(0, 20)), min_size=1, max_size=80
)


@given(st.lists(PASSAGES, min_size=1, max_size=4))
def test_blocks_keep_every_error_and_word_and_have_strata_of_two_or_more(recordings: list[list[Passage]]) -> None:
    blocks = cut_blocks(recordings)
    every = [passage for passages in recordings for passage in passages]
    assert blocks.lengths.sum() == sum(passage.length for passage in every)
    if len(blocks.lengths):
        assert blocks.errors.sum(axis=1).tolist() == [sum(p.errors[n] for p in every) for n in (0, 1)]
        sizes = [int((blocks.strata == number).sum()) for number in set(blocks.strata.tolist())]
        assert min(sizes) >= min(2, len(blocks.lengths))


def test_a_recording_of_two_minutes_has_eight_blocks_and_a_long_one_sixteen_in_two_halves() -> None:
    def cut(words: int) -> tuple[int, list[int]]:
        blocks = cut_blocks([[Passage((1,), 10)] * (words // 10)])
        return len(blocks.lengths), sorted(set(blocks.strata.tolist()))

    assert cut(300) == (FEWEST, [0, 1])
    assert cut(2500) == (MOST, [0, 1])


def test_many_pairs_take_more_blocks_so_that_p_can_be_small_enough() -> None:
    blocks = cut_blocks([[Passage((1,), 10)] * 30], n_pairs=45)
    assert 45 * 2.0 ** (1 - len(blocks.lengths)) <= 0.05


def test_a_short_recording_beside_a_long_one_shares_a_stratum_and_is_no_stratum_of_one() -> None:
    blocks = cut_blocks([[Passage((1,), 10)] * 3, [Passage((1,), 10)] * 100])
    assert blocks.n_recordings == 2
    assert min((blocks.strata == number).sum() for number in set(blocks.strata.tolist())) >= 2


def test_a_stretch_in_which_nothing_is_right_is_divided_evenly() -> None:
    blocks = cut_blocks([[Passage((450, 400), 400)]])
    assert (blocks.errors.sum(axis=1).tolist(), len(blocks.lengths)) == ([450.0, 400.0], FEWEST)
    assert max(blocks.errors[0]) - min(blocks.errors[0]) <= 2
