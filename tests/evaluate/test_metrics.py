"""Metrics against trec_eval's."""

import ir_measures
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.evaluate.metrics import measure, mrr, ndcg, per_query

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
