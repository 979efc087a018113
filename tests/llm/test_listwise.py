"""The central ranking of permutation self-consistency, against trying every order."""

import json
import re
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.llm.listwise import central_ranking, sliding_windows
from secondpass.llm.session import LanguageModel, Session
from secondpass.llm.types import Prompt


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


def test_of_two_the_mean_rank_decides() -> None:
    """Each pair that they disagree on is a tie; equal mean ranks stay in numerical order."""
    assert central_ranking([[0, 1, 2, 3], [3, 0, 1, 2]]) == [0, 1, 3, 2]


@pytest.mark.parametrize(("n", "samples", "n_calls"), [(1, 1, 0), (1, 3, 1), (2, 1, 1), (4, 1, 1), (8, 3, 3)])
def test_a_window_is_asked_as_often_as_there_are_samples(n: int, samples: int, n_calls: int) -> None:
    """One document alone is not worth a question; equal questions are asked once. The first order is the given one."""
    asked: list[list[str]] = []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        asked.append(re.findall(r"\ntext (\d)\n", prompt.user))
        return json.dumps({"ranking": [int(text) + 1 for text in sorted(range(n), key=lambda at: asked[-1][at])]})

    session = Session(LanguageModel("m", {"completion": ask, "concurrency": 1}, owner="test"))
    texts = [f"text {at}" for at in range(n)]
    order, judged = sliding_windows(session, "q", texts, window=10, step=5, samples=samples, seed=3, max_tokens=None)
    assert order == list(range(n)) and judged == [True] * n
    assert len(asked) == n_calls and all(sorted(each) == sorted(asked[0]) for each in asked)
    assert not asked or asked[0] == [str(at) for at in range(n)]


def test_a_seed_below_0_is_one() -> None:
    """Some servers take -1 for any; documents are shuffled by it all the same."""
    asked: list[str] = []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        asked.append(prompt.user)
        return json.dumps({"ranking": [1, 2, 3]})

    session = Session(LanguageModel("m", {"completion": ask, "concurrency": 1, "seed": -1}, owner="test"))
    order, _ = sliding_windows(session, "q", list("abc"), window=10, step=5, samples=2, seed=-1, max_tokens=None)
    assert sorted(order) == [0, 1, 2] and len(set(asked)) == len(asked) >= 1


@pytest.mark.parametrize(
    ("n", "windows"),
    [(4, ["0123"]), (5, ["1234", "012"]), (6, ["2345", "0123"]), (7, ["3456", "1234", "012"]), (3, ["012"])],
)
def test_windows_begin_at_the_end_and_reach_the_beginning(n: int, windows: list[str]) -> None:
    """Each a step nearer to the front than the one before it."""
    asked = []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        asked.append("".join(re.findall(r"\ntext (\d)\n", prompt.user)))
        return json.dumps({"ranking": list(range(1, len(asked[-1]) + 1))})

    session = Session(LanguageModel("m", {"completion": ask}, owner="test"))
    texts = [f"text {at}" for at in range(n)]
    sliding_windows(session, "q", texts, window=4, step=2, samples=1, seed=0, max_tokens=None)
    assert asked == windows
