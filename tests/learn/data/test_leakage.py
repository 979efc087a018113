"""Leaks are found: the same, the same but for how it is written, and nearly the same."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.learn import Leak, TrainingExample, find_leaks
from secondpass.learn.data.near import NearIndex, clusters
from secondpass.learn.data.normalised import normalised

_WORDS = ["copy", "move", "rename", "delete", "print", "count", "sort", "find", "open", "close", "read", "write"]


def _sentence(seed: int, n_words: int = 14) -> str:
    return " ".join(random.Random(seed).choices(_WORDS, k=n_words))


def _examples(*queries: str) -> list[TrainingExample]:
    return [TrainingExample.of(query, [f"the answer to: {query}"]) for query in queries]


def test_planted_leaks_are_found_by_kind() -> None:
    """Exact, normalised and near, each with both positions; what is not leaked is not named."""
    train = _examples("How do I copy a file?", "what does asyncio.gather return", _sentence(1))
    near = _sentence(1) + " please"
    test = _examples("a new question", "How do I copy a file?", "What does  asyncio.gather RETURN?", near)
    report = find_leaks(train, test)
    assert [(leak.kind, leak.train, leak.test) for leak in report.leaks] == [
        ("exact", 0, 1),
        ("normalised", 1, 2),
        ("near", 2, 3),
    ]
    assert report.leaks[:2] == (
        Leak("exact", "query", 0, 1, 1.0, "How do I copy a file?"),
        Leak("normalised", "query", 1, 2, 1.0, "What does  asyncio.gather RETURN?"),
    )
    assert 0.8 <= report.leaks[2].similarity < 1 and report.without(test) == test[:1]
    with pytest.raises(InputError, match=r"leak: 3 of 4 test examples .* \(1 exact, 1 normalised, 1 near\), such as"):
        report.raise_if_any()
    assert json.loads(json.dumps(report.to_dict()))["n_test"] == 4


def test_no_leak_is_no_finding() -> None:
    """The report says so."""
    report = find_leaks(_examples("one"), _examples("another"))
    assert report.ok and report.finding is None and repr(report) == "LeakReport(no leak)"
    report.raise_if_any()


def test_documents_count_if_they_are_asked_for() -> None:
    """A corpus that all queries share is none; one document for each query may be."""
    train, test = [TrainingExample.of("one", ["the text"])], [TrainingExample.of("another", ["The text."])]
    assert find_leaks(train, test).ok
    (leak,) = find_leaks(train, test, documents=True).leaks
    assert (leak.kind, leak.part, leak.train, leak.test) == ("normalised", "document", 0, 0)


def test_what_can_not_be_compared_is_refused() -> None:
    """No examples, out of range."""
    with pytest.raises(InputError, match="there are no examples"):
        find_leaks([], _examples("a"))
    with pytest.raises(ConfigError, match="similarity must be a number"):
        find_leaks(_examples("a"), _examples("b"), similarity=0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How do I copy?", "how do i  COPY", True),
        ("ﬁle", "file", True),
        ("C++", "C#", False),
        ("C", "C++", False),
        ("3.5", "35", False),
        ("don't", "dont", False),
        ("(what)", "what", True),
    ],
)
def test_what_makes_a_difference(one: str, other: str, same: bool) -> None:
    """Case, width and punctuation around words do not; letters, digits and signs do."""
    assert (normalised(one) == normalised(other)) is same


def test_near_duplicates_are_found_as_by_comparing_all() -> None:
    """MinHash misses next to nothing of what an exact comparison finds above the threshold."""
    texts = [_sentence(seed) for seed in range(120)]
    changed = []
    for at, text in enumerate(texts):
        words = text.split()
        words[at % len(words)] = "other"
        changed.append(" ".join(words))
    index = NearIndex(0.6)
    for at, text in enumerate(texts):
        index.near(text, add_as=at)
    found = [dict(index.near(text)).get(at) for at, text in enumerate(changed)]

    def shingles(text: str) -> set[str]:
        return {text[at : at + 5] for at in range(len(text) - 4)}

    for at, (text, other) in enumerate(zip(texts, changed, strict=True)):
        jaccard = len(shingles(text) & shingles(other)) / len(shingles(text) | shingles(other))
        if jaccard < 0.6:
            assert found[at] is None
        elif found[at] is not None:
            assert found[at] == pytest.approx(jaccard)
    assert sum(value is not None for value in found) > 100


def test_a_template_does_not_take_quadratic_time() -> None:
    """Of thousands of notices that are nearly the same, each is compared with few."""
    notices = [
        f"your parcel number {at} has left our house and will be with you soon, kind regards" for at in range(1500)
    ]
    assert len(set(clusters(notices, 0.7))) == 1


@given(st.lists(st.text(alphabet="ab c.A", max_size=6), max_size=12))
def test_clusters_hold_what_is_the_same(texts: list[str]) -> None:
    """Texts that are equal when normalised have one number, others without near-duplicates have different ones."""
    numbers = clusters(texts, None)
    for one, first in zip(texts, numbers, strict=True):
        for other, second in zip(texts, numbers, strict=True):
            assert (first == second) is (normalised(one) == normalised(other))
