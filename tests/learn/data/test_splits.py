"""Splits keep together what belongs together, and give each part its share."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.learn import LabelledText, TrainingExample, split
from secondpass.learn.data.normalised import normalised


def _examples(queries: list[str], groups: list[str] | None = None) -> list[TrainingExample]:
    return [
        TrainingExample.of(query, [f"the answer to {query}"], group=group)
        for query, group in zip(queries, groups or [""] * len(queries), strict=True)
    ]


def test_each_part_has_its_share_and_nothing_is_lost() -> None:
    """A hundred queries, split 70, 10 and 20, come out as such, each once."""
    queries = [f"question {at} about topic {at * 7919}" for at in range(100)]
    parts = split(_examples(queries), similarity=None)
    assert [len(part) for part in (parts.train, parts.dev, parts.test)] == [70, 10, 20]
    assert sorted(e.query for part in (parts.train, parts.dev, parts.test) for e in part) == sorted(queries)
    assert repr(parts) == "Split(70 train, 10 dev, 20 test)"


def test_the_seed_decides() -> None:
    """The same seed gives the same split, another one another."""
    examples = _examples([f"question {at} about topic {at * 7919}" for at in range(50)])
    assert split(examples, seed=3) == split(examples, seed=3) != split(examples, seed=4)


def test_a_query_written_twice_stays_together() -> None:
    """Case, punctuation and a single word more do not bring a query into two parts."""
    words = [f"{first}{last}" for first in ("wolf", "sun", "moon", "star", "hill") for last in ("berg", "dale", "port")]
    queries = [f"{word} weather tomorrow in {word}" for word in words]
    variants = [f"{query.title()}?" for query in queries] + [f"{query} please" for query in queries]
    parts = split(_examples(queries + variants), dev=0.2, test=0.2, similarity=0.7)
    numbers = [{e.query.lower().split()[0] for e in part} for part in (parts.train, parts.dev, parts.test)]
    assert list(map(len, numbers)) == [9, 3, 3]
    assert all(numbers) and not numbers[0] & numbers[1] and not (numbers[0] | numbers[1]) & numbers[2]


def test_a_group_stays_together_unless_only_queries_count() -> None:
    """By default a customer's questions are on one side; by="query" looks at the texts alone."""
    queries = [f"{word} {at * 7919}" for at, word in enumerate(["alpha", "beta", "gamma", "delta"] * 10)]
    examples = _examples(queries, [f"customer {at % 8}" for at in range(40)])
    parts = split(examples, dev=0.25, test=0.25, similarity=None)
    groups = [{example.group for example in part} for part in (parts.train, parts.dev, parts.test)]
    assert not groups[0] & groups[1] and not (groups[0] | groups[1]) & groups[2]
    alone = split(examples, dev=0.25, test=0.25, by="query", similarity=None)
    assert {e.group for e in alone.train} & {e.group for e in alone.test}


def test_every_part_has_its_share_of_every_label() -> None:
    """Of a category with a tenth of the texts, each part has a tenth."""
    texts = [LabelledText(f"ticket {at} says {at * 7919}", "rare" if at % 10 == 0 else "common") for at in range(100)]
    parts = split(texts, dev=0.2, test=0.2, similarity=None)
    assert [sum(e.label == "rare" for e in part) for part in (parts.train, parts.dev, parts.test)] == [6, 2, 2]


def test_what_can_not_be_split_is_named() -> None:
    """Too few groups, shares that leave nothing, no examples, other things."""
    with pytest.raises(InputError, match="3 examples in 1 groups that stay together are too few to have some in dev"):
        split(_examples(["Copy a file", "copy a file?", "copy a file"]))
    with pytest.raises(ConfigError, match="leave nothing to train on"):
        split(_examples(["a", "b"]), dev=0.5, test=0.5)
    with pytest.raises(InputError, match="there are no examples"):
        split([])
    with pytest.raises(InputError, match=r"examples\[1\] must be a TrainingExample, not LabelledText"):
        split([*_examples(["a"]), LabelledText("b", "c")])  # type: ignore[type-var]  # that is what is tested
    with pytest.raises(ConfigError, match="dev must be a number"):
        split(_examples(["a", "b"]), dev=-0.1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=40), st.integers(0, 5))
def test_no_split_leaks_and_none_loses(queries: list[str], seed: int) -> None:
    """Whatever the queries are, no two that are the same when normalised end up in different parts."""
    try:
        parts = split(_examples(queries), dev=0.2, test=0.2, similarity=None, seed=seed)
    except InputError:
        assert len({normalised(query) for query in queries}) < 5
        return
    keys = [{normalised(example.query) for example in part} for part in (parts.train, parts.dev, parts.test)]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert sorted(e.query for part in (parts.train, parts.dev, parts.test) for e in part) == sorted(queries)
