"""What is chosen: by measurements alone, on rerankers of which it is known how good and how slow they are."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate import choosing
from secondpass.evaluate.choice import Plan
from secondpass.evaluate.choosing import choose
from secondpass.evaluate.installed import installed_rerankers, installed_retrievers
from secondpass.retrieve import BM25Retriever
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores
from tests.evaluate.example import Opposite, example


class Slow(Reranker):
    """As good as the fake one, and takes a while for each document."""

    registry_name = "slow"

    def __init__(self, seconds: float = 0.004) -> None:
        self.seconds, self.asked = seconds, 0

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        self.asked += len(requests)
        time.sleep(self.seconds * sum(map(len, requests)))
        return FakeReranker().score_many(requests)


def _choose(**settings: Any) -> Any:
    defaults = {
        "rerankers": {"fake": FakeReranker(), "opposite": Opposite()},
        "depths": (3, 6),
        "k": 5,
        "n_samples": 500,
    }
    return choose(example(), **{**defaults, **settings})


def test_a_reranker_that_is_better_is_chosen_at_the_depth_that_it_needs() -> None:
    """The relevant document is the sixth candidate, so three are not enough, whatever they cost."""
    choice = _choose()
    assert choice.chosen.plan == Plan("candidates", "fake", 6) and choice.chosen.mean.value == 1.0
    assert choice.chosen.difference.verdict == "better" and choice.baseline.plan == Plan("candidates")
    assert {str(option.plan) for option in choice.options} == {
        "candidates alone", "fake at 3", "fake at 6", "opposite at 3", "opposite at 6",
    }  # fmt: skip
    assert choice.advice[0].startswith("Use fake at 6, on what candidates finds. nDCG@5 is 1.000, +1.000 (+1.000 to")
    assert choice.advice[-1].startswith("The candidates came with the dataset")


def test_a_retriever_alone_is_a_possible_answer() -> None:
    """BM25 finds everything here, so nothing can be better, and what is worse is not chosen however fast it is."""
    choice = choose(
        example(candidates=False),
        retrievers={"BM25": BM25Retriever()},
        rerankers={"fake": FakeReranker(), "opposite": Opposite()},
        depths=(6,),
        k=5,
        n_samples=500,
    )
    assert choice.chosen is not None and choice.chosen.plan == Plan("BM25")
    assert choice.advice[0] == "Use BM25 alone: no reranker is better, as far as 14 queries can tell."
    assert "candidates came" not in choice.advice[-1] and choice.chosen.latency.p50_s > 0


def test_of_what_is_equally_good_the_fastest_is_chosen() -> None:
    """The slow one has the same ranking."""
    choice = _choose(rerankers={"slow": Slow(), "fake": FakeReranker()}, depths=(6,))
    assert choice.chosen.plan == Plan("candidates", "fake", 6)
    by_plan = {str(option.plan): option for option in choice.options}
    assert by_plan["slow at 6"].mean == by_plan["fake at 6"].mean
    assert by_plan["slow at 6"].latency.p50_s > by_plan["fake at 6"].latency.p50_s


def test_the_limit_is_kept_and_what_is_far_too_slow_is_not_measured_further() -> None:
    """Three queries show that, beside one of a single document; all 14 are not asked."""
    slow = Slow(0.05)
    choice = _choose(rerankers={"slow": slow}, depths=(6,), latency_ms=100)
    assert choice.chosen.plan == Plan("candidates") and choice.skipped == (Plan("candidates", "slow", 6),)
    assert slow.asked == 4 and "not measured any further: slow at 6." in " ".join(choice.advice)


def test_what_the_limit_rules_out_is_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a little too long is measured, and named as what more time would give."""
    monkeypatch.setattr(choosing, "_TOO_SLOW", 100)  # however busy the machine is
    choice = _choose(rerankers={"slow": Slow(0.02)}, depths=(6,), latency_ms=100)
    assert choice.chosen.plan == Plan("candidates") and not choice.options[0].in_time
    assert any(sentence.startswith("With more time, slow at 6 has 1.000") for sentence in choice.advice)
    assert "no reranker below 100 ms is better" in choice.advice[0]


def test_if_nothing_is_in_time_nothing_is_recommended() -> None:
    """The fastest is named."""
    settings = {"retrievers": {"BM25": BM25Retriever()}, "rerankers": [], "depths": (5,), "k": 5, "n_samples": 200}
    choice = choose(example(5, candidates=False), latency_ms=1e-6, **settings)  # type: ignore[arg-type]
    assert choice.chosen is None
    assert choice.advice[0].startswith("Nothing stays below 1e-06 ms on this machine: the fastest, BM25 alone, takes")


def test_it_is_shown_and_is_plain_data() -> None:
    """A table with a star at what is chosen; the measurements of everything."""
    choice = _choose()
    lines = repr(choice).splitlines()
    assert lines[0] == "Choice: 5 options on 14 queries, 5 wanted, no limit"
    assert [line.split()[1:3] for line in lines if line.startswith("* ")] == [["fake", "at"]]
    plain = json.loads(json.dumps(choice.to_dict()))
    assert plain["chosen"]["plan"] == {"retriever": "candidates", "reranker": "fake", "depth": 6}
    assert len(plain["options"]) == 5 and plain["advice"][0].startswith("Use fake at 6")
    markup = choice._repr_html_()
    assert markup.count("<tr>") == 6 and "fake at 6" in markup


def test_what_is_installed_is_found_without_a_network() -> None:
    """The embedded models are; those of the hub that nobody fetched are not."""
    rerankers, retrievers = installed_rerankers(), installed_retrievers()
    assert {"cross-encoder:ms-marco-MiniLM-L12-v2", "colbert:answerai-colbert-small-v1"} <= set(rerankers)
    assert "cross-encoder:bge-reranker-base" not in rerankers and len(set(rerankers)) == len(rerankers)
    assert len(set(retrievers)) == len(retrievers)
    assert {"bm25", "dense:bge-small-en-v1.5", "dense:use-multilingual-v3"} <= set(retrievers)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"latency_ms": 0}, ConfigError, "latency_ms must be a number of milliseconds above 0, or None, not 0"),
        ({"k": 20}, ConfigError, "the greatest of depths must be at least 20"),
        ({"depths": ()}, ConfigError, "depths must be a list of whole numbers"),
        ({"retrievers": "bm25"}, ConfigError, r"retrievers must be names, such as \['bm25', 'dense'\], or a mapping"),
        ({"retrievers": {"x": 3}}, ConfigError, "each of retrievers must be a Retriever or the name of one, not 3"),
        ({"retrievers": {}}, CompositionError, "nothing is installed that finds documents"),
        ({"rerankers": "cross-encoder"}, ConfigError, r"rerankers must be names, such as \['cross-encoder'\]"),
        ({"rerankers": ["fake", "fake"]}, ConfigError, "rerankers has one of them twice"),
        ({"n_queries": 0}, InputError, "n_queries must be"),
    ],
)
def test_what_can_not_be_chosen_from_is_said(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    """Before anything is measured."""
    with pytest.raises(error, match=message):
        _choose(**settings)
