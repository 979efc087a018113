"""Metrics against those of trec_eval, ir-measures and scikit-learn."""

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, dcg_score, f1_score, precision_score, recall_score

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.metrics import measure, mrr, ndcg, per_query
from secondpass.evaluate.reading import read_run

_IDS = [f"d{number}" for number in range(12)]
_QRELS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]),
    st.dictionaries(st.sampled_from(_IDS), st.integers(0, 3), min_size=1),
    min_size=1,
).filter(lambda qrels: any(grade for grades in qrels.values() for grade in grades.values()))
_RUN = st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), st.lists(st.sampled_from(_IDS), unique=True))


@settings(max_examples=200)
@given(_QRELS, _RUN, st.sampled_from([1, 3, 10]))
def test_they_agree_with_trec_eval(qrels: dict[str, dict[str, int]], run: dict[str, list[str]], k: int) -> None:
    """nDCG@k and MRR@k are trec_eval's, with queries that the run lacks counted as 0."""
    judged = {query: grades for query, grades in qrels.items() if any(grades.values())}
    # trec_eval sorts by score, so the rank is turned into one; MRR@k is its reciprocal rank over k documents.
    scored = {q: {d: float(-rank) for rank, d in enumerate(run.get(q, []))} for q in judged}
    cut = {q: dict(list(documents.items())[:k]) for q, documents in scored.items()}
    gains = pytrec_eval.RelevanceEvaluator(judged, {f"ndcg_cut_{k}"}).evaluate(scored)
    ranks = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(cut)
    mean = len(judged)
    assert ndcg(qrels, run, k) == pytest.approx(sum(row[f"ndcg_cut_{k}"] for row in gains.values()) / mean)
    assert mrr(qrels, run, k) == pytest.approx(sum(row["recip_rank"] for row in ranks.values()) / mean)


@settings(max_examples=200)
@given(
    _QRELS,
    st.dictionaries(
        st.sampled_from(["q1", "q2", "q3"]), st.dictionaries(st.sampled_from(_IDS), st.integers(0, 3).map(float))
    ),
)
def test_scores_have_the_values_of_ir_measures(
    qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]]
) -> None:
    """Each measure, query by query and on average: with ties, unjudged documents, and queries that are missing."""
    judged = {query: grades for query, grades in qrels.items() if any(grades.values())}
    for name in ("nDCG@3", "MRR@2", "MAP", "P@2", "R@3", "Success@1"):
        theirs = dict.fromkeys(judged, 0.0)
        for row in ir_measures.iter_calc([ir_measures.parse_measure(name)], judged, run):
            theirs[row.query_id] = row.value if row.query_id in judged else 0.0
        assert per_query(qrels, run, name) == pytest.approx({query: theirs[query] for query in judged})
        assert measure(qrels, run, name)[name] == pytest.approx(sum(theirs[q] for q in judged) / len(judged))


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=12), st.sampled_from([1, 3, 5, 10]))
def test_they_are_scikit_learns_where_it_has_them(rows: list[tuple[int, bool]], k: int) -> None:
    """NDCG without ties, average precision, and precision, recall and F1 of what was returned: missing documents, too.

    scikit-learn scores all documents, so those that the run lacks come after the others, and nobody finds them.
    """
    grades = {f"d{at}": grade for at, (grade, _) in enumerate(rows)}
    returned = [f"d{at}" for at, (_, is_there) in enumerate(rows) if is_there]
    if not any(grades.values()):
        return
    qrels, run = {"q": grades}, {"q": returned}
    scores = {name: -float(rank) for rank, name in enumerate(returned)}
    found = np.array([name in scores for name in grades])
    relevant = np.array([grade > 0 for grade in grades.values()])
    # What was not returned has no gain; the ideal is that of all documents.
    gains = np.array([[grade if name in scores else 0 for name, grade in grades.items()]])
    predicted = np.array([[scores.get(name, -1000.0 - at) for at, name in enumerate(grades)]])
    ideal = dcg_score([[*grades.values()]], [[*grades.values()]], k=k)
    assert ndcg(qrels, run, k) == pytest.approx(dcg_score(gains, predicted, k=k) / ideal)
    values = measure(qrels, run, "SetP", "SetR", "SetF", "AP")
    assert values["SetP"] == pytest.approx(precision_score(relevant, found, zero_division=0))
    assert values["SetR"] == pytest.approx(recall_score(relevant, found))
    assert values["SetF"] == pytest.approx(f1_score(relevant, found))
    if found[relevant].all():
        assert values["AP"] == pytest.approx(average_precision_score(relevant, predicted[0]))


@settings(max_examples=100)
@given(_QRELS, st.lists(st.integers(0, 2), min_size=12, max_size=12), st.sampled_from(["nDCG@3", "RR", "AP", "P@2"]))
def test_ties_of_a_run_are_broken_as_trec_eval_does(
    qrels: dict[str, dict[str, int]], scores: list[int], name: str
) -> None:
    """`read_run` orders equal scores by id, the greater first, and so do the measures behind it."""
    scored = {query: dict(zip(_IDS, map(float, scores), strict=True)) for query in qrels}
    ordered = {query: list(ranking) for query, ranking in read_run(scored).items()}
    assert per_query(qrels, ordered, name) == pytest.approx(per_query(qrels, scored, name))


def test_by_hand() -> None:
    """One example that can be followed: grades 3 and 1, found in the wrong order."""
    qrels = {"q": {"a": 3, "b": 1, "c": 0}}
    run = {"q": ["c", "b", "a"]}
    assert ndcg(qrels, run) == pytest.approx((1 / 1.5849625 + 3 / 2) / (3 + 1 / 1.5849625))
    assert mrr(qrels, run) == 0.5
    assert per_query(qrels, run) == {"q": ndcg(qrels, run)}
    assert measure(qrels, run, "AP", "P@2", "Success@1") == {
        "AP": pytest.approx((1 / 2 + 2 / 3) / 2),
        "P@2": 0.5,
        "Success@1": 0.0,
    }


def test_nothing_to_measure_is_an_error() -> None:
    """Qrels without a relevant document, or a ranking with one twice, give no number."""
    with pytest.raises(InputError, match="no query"):
        ndcg({"q": {"a": 0}}, {"q": ["a"]})
    with pytest.raises(InputError, match="twice"):
        ndcg({"q": {"a": 1}}, {"q": ["a", "a"]})
    with pytest.raises(InputError, match="k must be"):
        mrr({"q": {"a": 1}}, {"q": ["a"]}, 0)
    for name in ("nDGC@10", "nDCG@@", "print(1)", ""):
        with pytest.raises(ConfigError, match="not all measures of ir-measures"):
            measure({"q": {"a": 1}}, {"q": ["a"]}, name)
