"""Comparisons: figures that can be followed, what is said of them, and what can't be compared."""

import json
from pathlib import Path
from typing import Any

import pytest

import secondpass as sp
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.metrics import measure
from secondpass.retrieve import BM25Retriever, RetrieveRerank
from secondpass.testing import FakeReranker
from tests.evaluate.example import Opposite, example


def test_figures_are_those_of_the_rankings() -> None:
    """The relevant document is last of six candidates, and first once it is reranked."""
    comparison = compare(
        {"first": None, "fake": FakeReranker()}, example(), measures=("MRR@10", "P@1"), depth=10, n_samples=500
    )
    first, fake = comparison
    assert first.means["MRR@10"].value == pytest.approx(1 / 6) and fake.means["MRR@10"].value == 1.0
    assert first.means["P@1"].value == 0.0 and fake.means["P@1"].value == 1.0
    difference = fake.differences["MRR@10"]
    assert difference.value == difference.low == difference.high == pytest.approx(5 / 6)
    assert (difference.better, difference.worse, difference.verdict) == (14, 0, "better")
    assert first.differences == {} and first.latency is None and first.pairs_per_s is None
    assert fake.latency is not None and 0 < fake.latency.p50_s <= fake.latency.p95_s <= fake.latency.p99_s
    assert fake.pairs_per_s is not None and fake.pairs_per_s > 0
    assert (comparison.n_queries, comparison.n_documents, comparison.candidates) == (14, 84, "the dataset")
    assert comparison["fake"] is fake and len(comparison) == 2
    with pytest.raises(ConfigError, match="no system 'L12', only: first, fake"):
        _ = comparison["L12"]


def test_the_queries_that_changed_have_their_documents() -> None:
    """Ten at most, with the ranks of the relevant document before and after, and what was first."""
    comparison = compare({"first": None, "fake": FakeReranker()}, example(), depth=6, measures=["RR"], n_samples=500)
    change = comparison["fake"].gained[0]
    assert len(comparison["fake"].gained) == 10 and comparison["fake"].lost == ()
    assert (change.before, change.after) == (pytest.approx(1 / 6), 1.0)
    assert [(move.id[-1], move.grade, move.before, move.after) for move in change.documents[:1]] == [("5", 1, 6, 1)]
    assert {move.id[-1] for move in change.documents} == {"5", "0"}
    assert change.query.startswith("word") and change.documents[0].text.endswith("is here")


class TestAdvice:
    def test_what_helps_is_recommended(self) -> None:
        """With by how much, on how many queries, and what it costs."""
        comparison = compare({"first": None, "fake": FakeReranker()}, example(), depth=10, n_samples=500)
        assert comparison.advice[0] == "Use fake."
        assert comparison.advice[1].startswith(
            "fake: reranking helps. nDCG@10 is 0.644 higher than that of first (0.644 to"
        )
        assert "better on 14 of 14 queries, worse on 0. It takes" in comparison.advice[1]

    def test_what_hurts_is_named(self) -> None:
        """Against a first stage that is right already."""
        run = {query: [f"{query.replace('q', 'd')}-5"] for query in example().queries}
        comparison = compare(
            {"right": run, "opposite": Opposite()}, example(), depth=10, measures=("nDCG@5",), n_samples=500
        )
        assert comparison.advice[0] == "Stay with right: everything else is worse."
        assert comparison.advice[1].startswith("opposite: reranking hurts. nDCG@5 is 1.000 lower than that of right")

    def test_what_changes_nothing_does_not_help(self) -> None:
        """The interval holds 0, and it is said how sure that is."""
        comparison = compare({"one": FakeReranker(), "two": FakeReranker()}, example(5), depth=10, n_samples=500)
        assert comparison.advice == (
            "Stay with one: nothing is better, as far as 5 queries can tell.",
            "two: not better than one, as far as 5 queries can tell. nDCG@10 changes by +0.000 (+0.000 to +0.000); "
            "better on 0 of 5 queries, worse on 0.",
        )

    def test_with_three_queries_nothing_is_shown(self) -> None:
        """However large the difference is: the test can't be below 1 in 4, and a note says that they are few."""
        comparison = compare({"first": None, "fake": FakeReranker()}, example(3), depth=10, n_samples=500)
        assert comparison["fake"].differences["nDCG@10"].p == 0.25
        assert "The interval does not hold 0, but the test has p = 0.25" in comparison.advice[1]
        assert comparison.notes[0].startswith("Only 3 queries count")


def test_the_depth_curve_says_where_it_stops_paying() -> None:
    """The relevant document is the sixth candidate: five find nothing, and more than six no more."""
    comparison = compare({"first": None, "fake": FakeReranker()}, example(), depth=10, depths=(2, 6, 8), n_samples=500)
    curve = comparison.curves["fake"]
    assert [point.depth for point in curve.points] == [2, 6, 8] and curve.enough == 6
    assert curve.points[0].mean.value < curve.points[1].mean.value == curve.points[2].mean.value == 1.0
    assert curve.points[0].gain is not None and curve.points[0].gain.verdict == "better"
    assert curve.points[2].gain is None
    assert "going deeper than 6 does not pay here" in comparison.advice[-1]
    shallow = compare({"first": None, "fake": FakeReranker()}, example(), depth=10, depths=(2, 6), n_samples=500)
    assert shallow.advice[-1].endswith("and better than at any lower one: a greater one may pay.")


def test_every_kind_of_system_can_be_compared(tmp_path: Path) -> None:
    """Retrievers index the dataset; the first system that searches gives the rerankers their candidates."""
    dataset = example(candidates=False)
    (tmp_path / "bm25.run").write_text("".join(f"q{at} Q0 d{at}-5 1 1.0 me\n" for at in range(13)))
    comparison = compare(
        {
            "BM25": BM25Retriever(),
            "by name": "fake",
            "as data": {"type": "fake", "scale": "logit"},
            "both": RetrieveRerank(BM25Retriever(), FakeReranker(), depth=5),
            "run": tmp_path / "bm25.run",
            "function": lambda query: [f"d{query.split()[0][4:]}-5"],
        },
        dataset,
        depth=10,
        n_samples=500,
    )
    assert comparison.candidates == "BM25"
    kinds = ["retriever", "reranker", "reranker", "two-stage", "run", "function"]
    assert [system.kind for system in comparison] == kinds
    assert [round(system.means["nDCG@10"].value, 3) for system in comparison] == [1, 1, 1, 1, round(13 / 14, 3), 1]
    assert comparison.notes[-1] == "run returned nothing for 1 of 14 queries, which count 0."


def test_times_from_a_cache_are_named() -> None:
    """A cached reranker answers the second system from what the first one asked."""
    cached = sp.CachedReranker(FakeReranker(), cache="memory")
    comparison = compare({"one": cached, "two": cached}, example(5), depth=10, n_samples=500)
    assert any("scores came from a cache, so its times are too good" in note for note in comparison.notes)


def test_means_are_those_of_measure() -> None:
    """A run that is compared has what `measure` says of it."""
    dataset = example()
    run = {query: [*found][::-1] for query, found in (dataset.candidates or {}).items()}
    comparison = compare({"run": run, "first": None}, dataset, depth=10, measures=("MAP", "R@5"), n_samples=500)
    for name, value in measure(dataset.qrels, run, "MAP", "R@5").items():
        assert comparison["run"].means[name].value == pytest.approx(value)


def test_it_is_plain_data_as_well() -> None:
    """JSON with everything, the verdicts and the advice included."""
    comparison = compare({"first": None, "fake": FakeReranker()}, example(), depth=10, depths=(2, 6), n_samples=500)
    plain = json.loads(json.dumps(comparison.to_dict()))
    assert plain["systems"][1]["differences"]["nDCG@10"]["verdict"] == "better"
    assert plain["systems"][1]["gained"][0]["documents"][0]["after"] == 1
    assert plain["curves"]["fake"]["enough"] == 6 and plain["advice"] == list(comparison.advice)


@pytest.mark.parametrize(
    ("systems", "settings", "error", "message"),
    [
        ({"one": FakeReranker()}, {}, ConfigError, "compare needs at least two systems"),
        ({"one": FakeReranker(), "two": 7}, {}, ConfigError, "'two' is 7; a system is a Reranker or its name"),
        ({"one": None, "two": "fake"}, {"measures": ()}, ConfigError, "measures must be a list of different names"),
        ({"one": None, "two": "fake"}, {"measures": "nDGC@10"}, ConfigError, "not all measures of ir-measures"),
        ({"one": None, "two": "fake"}, {"measures": "R@500"}, ConfigError, "looks at 500 documents, and depth=100"),
        ({"one": None, "two": "fake"}, {"k": 5}, ConfigError, "looks at 10 documents, and k=5 leaves fewer: raise k"),
        ({"one": None, "two": "fake"}, {"depths": 5}, ConfigError, "depths must be a list"),
        ({"one": None, "two": "fake"}, {"depths": (5,)}, ConfigError, "depths must be at least two"),
        ({"one": None, "two": "fake"}, {"depth": 0}, InputError, "depth must be a whole number of at least 1"),
        ({"one": None, "two": "fake"}, {"confidence": 95}, ConfigError, "confidence must be"),
        ({"one": None, "two": lambda query: ["x"]}, {}, InputError, "'two' returned document 'x', which the dataset"),
        ({"one": None, "two": lambda query: "x"}, {}, InputError, "'two' must return a list of document ids"),
        ({"one": None, "two": {"q0": ["d0-0", "d0-0"]}}, {}, InputError, "contains document 'd0-0' twice"),
    ],
)
def test_what_can_not_be_compared_is_said(
    systems: Any, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    """An error of ours, with what to do."""
    with pytest.raises(error, match=message):
        compare(systems, example(3), **settings)


def test_a_dataset_is_needed() -> None:
    """A folder has to be read first."""
    with pytest.raises(ConfigError, match=r"must be a Dataset, as Dataset\.of and read_beir return it, not 'scifact'"):
        compare({"one": None, "two": "fake"}, "scifact")  # type: ignore[arg-type]


def test_rerankers_need_candidates() -> None:
    """The dataset's, or those of a system."""
    with pytest.raises(CompositionError, match="'one' is a reranker, which ranks candidates, and nothing finds any"):
        compare({"one": "fake", "two": "fake"}, example(3, candidates=False))
    with pytest.raises(CompositionError, match="the dataset has none"):
        compare({"one": None, "two": "fake"}, example(3, candidates=False))
