"""Sorting by comparisons: what comes out, how many questions that takes, and what a model that says nothing changes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.llm.session import LanguageModel, Session
from secondpass.llm.setwise_pairwise import all_pairs, heapsort, sliding_pairs
from secondpass.llm.types import Prompt

_BLOCK = re.compile(r"BEGIN DOCUMENT \d+ (\w{8})\n(\d+)\nEND")


class Knowing:
    """Knows how good each document is, whose text is its number; counts what it is asked."""

    def __init__(self, worth: list[int]) -> None:
        self.worth, self.asked = worth, list[tuple[int, ...]]()
        self.session = Session(LanguageModel("m", {"completion": self, "concurrency": 1}, owner="test"))
        self.texts = [str(at) for at in range(len(worth))]

    def __call__(self, prompt: Prompt, timeout_s: float) -> str:
        shown = [int(text) for _, text in _BLOCK.findall(prompt.user)]
        self.asked.append(tuple(shown))
        return self.answer(shown)

    def answer(self, shown: list[int]) -> str:
        return f'{{"best": {1 + max(range(len(shown)), key=lambda at: self.worth[shown[at]])}}}'

    @property
    def best_first(self) -> list[int]:
        return sorted(range(len(self.worth)), key=lambda at: -self.worth[at])


class Silent(Knowing):
    """Gives no usable answer."""

    def answer(self, shown: list[int]) -> str:
        return "none of them"


class Stubborn(Knowing):
    """Takes whatever stands first, and so contradicts itself."""

    def answer(self, shown: list[int]) -> str:
        return '{"best": 1}'


worths = st.permutations(range(9)).flatmap(lambda worth: st.integers(0, 9).map(lambda n: worth[:n]))


@given(worths, st.integers(2, 4), st.integers(1, 10))
def test_a_heap_brings_the_best_to_the_front(worth: list[int], set_size: int, depth: int) -> None:
    """The ``depth`` best in order, the others behind as they stood; no group is too large, and none asked twice."""
    model = Knowing(worth)
    order, judged = heapsort(model.session, "q", model.texts, set_size=set_size, depth=depth, max_tokens=None)
    assert order[:depth] == model.best_first[:depth] and order[depth:] == sorted(order[depth:])
    assert all(2 <= len(group) <= set_size for group in model.asked) and len(set(model.asked)) == len(model.asked)
    assert judged == [any(at in group for group in model.asked) for at in range(len(worth))]


@pytest.mark.parametrize(
    ("set_size", "depth", "groups"),
    [
        (3, 1, [(1, 3, 4), (0, 1, 2)]),
        (3, 2, [(1, 3, 4), (0, 1, 2), (4, 1, 2), (4, 3)]),
        (5, 1, [(0, 1, 2, 3, 4)]),
        (2, 1, [(3, 4), (2, 3), (1, 2), (0, 1)]),
    ],
)
def test_a_heap_asks_no_more_than_it_needs(set_size: int, depth: int, groups: list[tuple[int, ...]]) -> None:
    """One question for each node with children, and one for each level that a document sinks."""
    model = Knowing([5, 4, 3, 2, 1])
    order, _ = heapsort(model.session, "q", model.texts, set_size=set_size, depth=depth, max_tokens=None)
    assert order == [0, 1, 2, 3, 4]
    assert model.asked == groups


@given(worths, st.integers(1, 10))
def test_passes_over_neighbours_bring_the_best_to_the_front(worth: list[int], depth: int) -> None:
    """Each pass brings one document to its place; both orders of a pair are asked for, each once."""
    model = Knowing(worth)
    order, judged = sliding_pairs(model.session, "q", model.texts, depth=depth, max_tokens=None)
    assert order[:depth] == model.best_first[:depth] and sorted(order) == sorted(model.best_first)
    assert len(set(model.asked)) == len(model.asked)
    assert {pair[::-1] for pair in model.asked} == set(model.asked)
    assert judged == [len(worth) > 1] * len(worth)


def test_a_pass_compares_neighbours_once() -> None:
    """From the end to the place that is sought, and no further."""
    model = Knowing([3, 2, 1])
    sliding_pairs(model.session, "q", model.texts, depth=1, max_tokens=None)
    assert model.asked == [(1, 2), (2, 1), (0, 1), (1, 0)]


@given(worths)
def test_all_pairs_are_a_whole_order(worth: list[int]) -> None:
    """Each pair both ways; the wins give the order."""
    model = Knowing(worth)
    order, judged = all_pairs(model.session, "q", model.texts, max_tokens=None)
    assert order == model.best_first
    assert len(model.asked) == len(worth) * (len(worth) - 1) and judged == [len(worth) > 1] * len(worth)


def test_half_a_win_for_both_where_nothing_is_decided() -> None:
    """The best beats two, and stands above those whose comparison is open; these keep their order."""

    class Unsure(Knowing):
        def answer(self, shown: list[int]) -> str:
            return super().answer(shown) if 2 in shown or 3 in shown else '{"best": 1}'

    model = Unsure([1, 2, 9, 0])  # 0 and 1 are undecided, 2 wins thrice, 3 never
    assert all_pairs(model.session, "q", model.texts, max_tokens=None)[0] == [2, 0, 1, 3]


@pytest.mark.parametrize("kind", [Silent, Stubborn])
def test_without_an_answer_that_counts_the_old_order_stands(kind: type[Knowing]) -> None:
    """No answer at all, or answers that contradict each other; only the first leaves documents unjudged."""
    for sort in (
        lambda model: sliding_pairs(model.session, "q", model.texts, depth=6, max_tokens=None),
        lambda model: all_pairs(model.session, "q", model.texts, max_tokens=None),
        lambda model: heapsort(model.session, "q", model.texts, set_size=3, depth=6, max_tokens=None),
    ):
        model = kind([1, 2, 3, 4, 5, 6])
        order, judged = sort(model)
        if kind is Silent:
            assert (order, judged) == ([0, 1, 2, 3, 4, 5], [False] * 6)
        else:
            assert sorted(order) == [0, 1, 2, 3, 4, 5] and judged == [True] * 6


def test_the_longest_answer_is_passed_on() -> None:
    """``max_tokens`` reaches the prompt."""
    seen = []

    def ask(prompt: Prompt, timeout_s: float) -> str:
        seen.append(prompt.max_tokens)
        return '{"best": 1}'

    session = Session(LanguageModel("m", {"completion": ask}, owner="test"))
    heapsort(session, "q", ["a", "b"], set_size=3, depth=1, max_tokens=77)
    assert seen == [77]
