"""Thresholds against scikit-learn and by hand; what they leave of a ranking."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score, precision_recall_curve

from secondpass.calibration import ScoredExamples, at_precision, best_f_beta, examples_from_qrels, score_examples
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.testing import FakeReranker
from secondpass.types import Scale

_ORDINAL = FakeReranker(scale="ordinal")


def _scored(scores: list[float], relevant: list[bool] | list[int]) -> ScoredExamples:
    return ScoredExamples(np.array(scores), np.array(relevant), np.arange(len(scores)))


_TEN = _scored([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05], [1, 1, 0, 1, 0, 0, 1, 0, 0, 0])


class TestThresholds:
    @pytest.mark.parametrize(("beta", "value"), [(1.0, 0.6), (0.1, 0.8), (5.0, 0.3)])
    def test_f_beta_by_hand(self, beta: float, value: float) -> None:
        """Precision wants the first two, recall all four relevant ones; F1 is best with 3 of 4 right (6/8)."""
        assert best_f_beta(_TEN, beta).value == value

    def test_what_a_threshold_says_of_itself(self) -> None:
        """Precision, recall and counts are those on the examples."""
        threshold = best_f_beta(_TEN)
        assert (threshold.precision, threshold.recall) == (0.75, 0.75)
        assert (threshold.n_kept, threshold.n_examples, threshold.scale) == (4, 10, Scale.PROBABILITY)
        assert json.loads(json.dumps(threshold.to_dict()))["scale"] == "probability"

    def test_precision_by_hand(self) -> None:
        """The lowest threshold that is precise enough, also where a higher one is not."""
        assert at_precision(_TEN, 1.0).value == 0.8
        assert at_precision(_TEN, 0.7).value == 0.6
        assert at_precision(_TEN, 0.4).value == 0.05
        assert at_precision(_scored([3 / 4, 2 / 4, 1 / 4], [0, 1, 1]), 0.6).value == 0.25

    @given(
        st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=40),
        st.sampled_from([0.5, 1.0, 2.0]),
    )
    def test_no_threshold_is_better(self, pairs: list[tuple[int, bool]], beta: float) -> None:
        """Among all thresholds, scikit-learn finds none with a higher F-beta, or as precise with more recall."""
        scores, relevant = np.array([s / 12 for s, _ in pairs]), np.array([y for _, y in pairs])
        if relevant.all() or not relevant.any():
            return
        scored = ScoredExamples(scores, relevant, np.zeros(len(scores)))
        chosen = best_f_beta(scored, beta)
        values = {value: fbeta_score(relevant, scores >= value, beta=beta) for value in scores}
        assert values[chosen.value] == pytest.approx(max(values.values()))
        precisions, recalls, _ = precision_recall_curve(relevant, scores)
        for wanted in (0.25, 0.5, 0.9):
            reachable = recalls[:-1][precisions[:-1] >= wanted]
            if len(reachable):
                assert at_precision(scored, wanted).recall == pytest.approx(reachable.max())
            else:
                with pytest.raises(InputError, match="no threshold has a precision"):
                    at_precision(scored, wanted)

    def test_out_of_range(self) -> None:
        """Impossible settings are refused, and what can't be reached is said with how far one gets."""
        for beta in (0, -1, float("inf"), True):
            with pytest.raises(ConfigError, match="beta must be a number above 0"):
                best_f_beta(_TEN, beta)
        for precision in (0, 1.1, True):
            with pytest.raises(ConfigError, match="precision must be a number above 0 and at most 1"):
                at_precision(_TEN, precision)
        with pytest.raises(InputError, match=r"precision of 0\.9 .* the best is 0\.5000, at 0\.5000 with 2 kept"):
            at_precision(_scored([0.8, 0.5], [0, 1]), 0.9)


class TestSelection:
    def test_it_keeps_what_reaches_the_threshold(self) -> None:
        """Documents come best first, with their ranks; what is dropped is counted."""
        reranker = FakeReranker()
        ranking = reranker.rerank("copy a file", ["copy a file", "the weather", "copy"])
        selection = best_f_beta(_scored([0.9, 0.3, 0.1], [1, 1, 0])).select(ranking)
        assert [document.index for document in selection] == [0, 2]
        assert selection.documents == selection.ranking.documents
        assert (len(selection), selection.is_empty, selection.n_candidates) == (2, False, 3)
        assert selection.best_score == ranking[0].score
        assert repr(selection).startswith("2 of 3 candidates with at least 0.3000")

    def test_nothing_here_answers_the_query(self) -> None:
        """An empty selection says so, with the best score that there was."""
        threshold = best_f_beta(_scored([0.9, 0.1], [1, 0]))
        selection = threshold.select(FakeReranker().rerank("copy a file", ["rain", "the weather"]))
        assert selection.is_empty and selection.documents == () and not selection
        assert repr(selection).startswith("Nothing here answers 'copy a file': the best of 2 candidates has 0.00")
        saved = json.loads(json.dumps(selection.to_dict()))
        assert saved["is_empty"] and saved["n_candidates"] == 2 and saved["documents"] == []
        nothing = threshold.select(FakeReranker().rerank("copy a file", []))
        assert nothing.is_empty and nothing.best_score is None and "there are no candidates" in repr(nothing)

    def test_a_ranking_on_another_scale_or_by_another_reranker(self) -> None:
        """A threshold on probabilities can't be put on logits, nor one of another model's on this one's."""
        threshold = best_f_beta(score_examples(FakeReranker(), [("a b", "a b", True), ("a b", "c", False)]))
        logits, changed = FakeReranker(scale="logit"), FakeReranker(pointwise=False)
        with pytest.raises(
            CompositionError, match="on probability scores can't be applied to a ranking with logit ones"
        ):
            threshold.select(logits.rerank("a", ["b"]))
        with pytest.raises(CompositionError, match="threshold was chosen for the reranker with fingerprint"):
            threshold.select(changed.rerank("a", ["b"]), reranker=changed)
        assert len(threshold.select(FakeReranker().rerank("a", ["a"]), reranker=FakeReranker())) == 1


class TestExamples:
    def test_examples_are_scored_by_query(self) -> None:
        """Each query is one request; scores and judgements stay together."""
        reranker = FakeReranker()
        examples = [("a b", "a", 1), ("c", "c", True), ("a b", {"text": "x"}, 0), ("c", "d", np.bool_(False))]
        scored = score_examples(reranker, examples)
        np.testing.assert_array_equal(scored.scores[:2], reranker.score("a b", ["a", "x"]))
        assert scored.relevant.tolist() == [True, False, True, False]
        assert scored.queries.tolist() == [0, 0, 1, 1] and scored.n_queries == 2
        assert scored.scored_by == reranker.fingerprint

    def test_the_best_relevant_score_of_each_query_that_has_one(self) -> None:
        """Queries without a relevant example have none; numbers with gaps are fine."""
        scored = ScoredExamples([1.0, 5.0, 3.0, 9.0, 2.0], [1, 0, 1, 0, 1], [7, 7, 7, 3, 9], scale=Scale.LOGIT)
        assert scored.best_relevant().tolist() == [3.0, 2.0]

    def test_qrels_and_a_run(self) -> None:
        """Candidates without a judgement, or with too low a grade, are not relevant; unjudged queries are left out."""
        qrels, run = {"q": {"a": 2, "b": 1}}, {"q": ["b", "c", "a"], "unjudged": ["a"]}
        arguments = {"queries": {"q": "text"}, "documents": {"a": "A", "b": "B", "c": "C"}}
        examples = [("text", "B", True), ("text", "C", False), ("text", "A", True)]
        assert examples_from_qrels(qrels, run, **arguments) == examples
        assert [e[2] for e in examples_from_qrels(qrels, run, **arguments, min_grade=2)] == [False, False, True]
        with pytest.raises(InputError, match="queries has no text for 'q'"):
            examples_from_qrels(qrels, run, queries={}, documents=arguments["documents"])
        with pytest.raises(InputError, match="documents has no 'b', a candidate of query 'q'"):
            examples_from_qrels(qrels, run, queries={"q": "text"}, documents={})
        with pytest.raises(
            InputError, match=r"the grade of 'b' for 'q' must be a number, not '1' \(a str; write the num"
        ):
            examples_from_qrels({"q": {"b": "1"}}, run, **arguments)  # type: ignore[dict-item]

    @pytest.mark.parametrize("example", [("q", "d"), "qdr", (1, "d", True), None])
    def test_what_is_no_example(self, example: object) -> None:
        """Examples are triples; the message says which one is not."""
        with pytest.raises(InputError, match=r"examples\[1\] must be a triple"):
            score_examples(FakeReranker(), [("q", "d", True), example])  # type: ignore[list-item]

    def test_examples_are_a_list(self) -> None:
        """Nothing at all is none."""
        with pytest.raises(InputError, match="examples must be a list of triples, not NoneType"):
            score_examples(FakeReranker(), None)  # type: ignore[arg-type]

    def test_a_grade_may_be_any_number(self) -> None:
        """One beyond what a float can hold is above 0, too."""
        scored = score_examples(FakeReranker(), [("q", "d", 10**400), ("q", "e", -1)])
        assert scored.relevant.tolist() == [True, False]

    @pytest.mark.parametrize("judgement", [None, "yes", float("nan")])
    def test_what_is_no_judgement(self, judgement: object) -> None:
        """Neither texts nor nothing say whether a document is relevant."""
        with pytest.raises(InputError, match=r"examples\[0\] has the judgement .* a bool or a grade"):
            score_examples(FakeReranker(), [("q", "d", judgement)])

    def test_lists_that_do_not_fit(self) -> None:
        """No examples, scores out of range, too few query numbers, ordinal scores: each is said."""
        with pytest.raises(InputError, match="none of the 0 are relevant"):
            score_examples(FakeReranker(), [])
        with pytest.raises(CompositionError, match=r"FakeReranker.* gives ordinal scores"):
            score_examples(_ORDINAL, [("q", "d", True)])
        with pytest.raises(InputError, match="scale must be 'logit', 'probability' or 'ordinal', not 'percent'"):
            ScoredExamples([1.0, 0.0], [1, 0], [0, 0], scale="percent")  # type: ignore[arg-type]
        with pytest.raises(CompositionError, match="ordinal scores only give an order"):
            ScoredExamples([1.0, 0.0], [1, 0], [0, 0], scale=Scale.ORDINAL)
        with pytest.raises(InputError, match=r"probabilities must lie in \[0, 1\], but these range from 0.0 to 2.0"):
            _scored([2.0, 0.0], [1, 0])
        with pytest.raises(InputError, match="each of the 2 examples needs its query's number"):
            ScoredExamples([1.0, 0.0], [1, 0], [0])
