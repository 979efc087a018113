"""The central ranking of permutation self-consistency, against trying every order."""

from itertools import combinations, permutations

from hypothesis import given
from hypothesis import strategies as st

from secondpass.llm.listwise import central_ranking


def _disagreements(order: list[int], rankings: list[list[int]]) -> int:
    return sum(
        (order.index(a) < order.index(b)) != (ranking.index(a) < ranking.index(b))
        for ranking in rankings
        for a, b in combinations(range(len(order)), 2)
    )


@given(st.lists(st.permutations(range(5)), min_size=1, max_size=7))
def test_it_is_nearly_the_best_of_all_orders(rankings: list[list[int]]) -> None:
    """Every item is there, no single ranking is better, and Kemeny's optimum is at most two pairs better."""
    central = central_ranking(rankings)
    assert sorted(central) == list(range(5))
    mine = _disagreements(central, rankings)
    assert mine <= min(_disagreements(list(order), rankings) for order in permutations(range(5))) + 2


def test_one_outlier_is_outvoted() -> None:
    """Two against one decide each pair."""
    assert central_ranking([[0, 1, 2, 3], [3, 2, 1, 0], [0, 1, 2, 3]]) == [0, 1, 2, 3]
    assert central_ranking([[2, 0, 1]]) == [2, 0, 1]


def test_a_single_disagreement_follows_the_majority() -> None:
    """A ranking by mean rank alone would be fooled by how far the minority moved an item; the majority is not."""
    # Mean ranks put 1 first, but two of three have 0 before 1.
    assert central_ranking([[0, 1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 0]])[0] == 0
