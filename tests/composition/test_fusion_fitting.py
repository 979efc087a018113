"""What fits weights: grades, nDCG against the metrics, and the search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpass.composition.fusion import convex_weights, coordinate_ascent, judged_rows, mean_ndcg, middle_of_best
from secondpass.errors import InputError
from secondpass.evaluate import metrics
from secondpass.types import Request

_EIGHTHS = st.integers(-12, 12).map(lambda number: number / 8)


@given(st.lists(st.tuples(st.integers(0, 3), _EIGHTHS), min_size=1, max_size=15), st.integers(1, 12))
def test_ndcg_is_that_of_the_metrics(graded: list[tuple[int, float]], k: int) -> None:
    """The same number as `secondpass.evaluate.metrics.ndcg`, which is checked against trec_eval, ties by position."""
    grades, scores = [grade for grade, _ in graded], [score for _, score in graded]
    if not any(grades):
        return
    (judged,) = judged_rows([Request("q", ["text"] * len(graded))], [grades], [[np.array(scores)]])
    run = [str(at) for at in sorted(range(len(scores)), key=lambda at: (-scores[at], at))]
    expected = metrics.ndcg({"q": {str(at): grade for at, grade in enumerate(grades)}}, {"q": run}, k)
    assert judged.ndcg([1.0], k) == pytest.approx(expected, abs=1e-12)


def test_qrels_count_what_was_not_retrieved() -> None:
    """Grades by id: a relevant document that is no candidate lowers what can be reached."""
    request = Request("q", [{"text": "a", "id": "1"}, {"text": "b", "id": "2"}])
    (judged,) = judged_rows([request], [{"1": 2, "9": 3}], [[np.array([1.0, 0.0])]])
    expected = metrics.ndcg({"q": {"1": 2, "9": 3}}, {"q": ["1", "2"]})
    assert judged.ndcg([1.0], 10) == pytest.approx(expected) and expected < 0.6


@pytest.mark.parametrize(
    ("grades", "message"),
    [
        ([], "grades for 0 of 1 request: pass a set"),
        (5, "grades must be a list with those of each request, not 5"),
        ({"q": [1, 0]}, "grades must be a list with those of each request"),
        ([None], r"grades\[0\] must be a list of grades, or a mapping from ids to them, not None"),
        ([[10**400, 0]], r"grades\[0\] must be numbers"),
        ([[1]], r"grades\[0\] has 1 grade for 2 documents"),
        ([[1, float("nan")]], "finite numbers"),
        ([[1, "relevant"]], "must be numbers"),
        ([[0, 0]], "nothing to fit on"),
        ([[0, -1]], "nothing to fit on"),
        ([{"a": 1}], "no 'id'"),
    ],
)
def test_bad_grades_are_refused(grades: list, message: str) -> None:  # type: ignore[type-arg]
    """The message says which, and what they should be."""
    with pytest.raises(InputError, match=message):
        judged_rows([Request("q", ["a", "b"])], grades, [[np.zeros(2)]])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_ascent_is_no_worse_than_any_start(seed: int, n_rankers: int) -> None:
    """On what it was fitted on it beats or equals each ranker alone and equal weights, and repeats itself."""
    random = np.random.default_rng(seed)
    requests = [Request(f"q{n}", ["text"] * 12) for n in range(4)]
    grades = [random.integers(0, 3, 12).tolist() for _ in requests]
    grades[0][0] = 1
    rows = [list(random.normal(size=(n_rankers, 12))) for _ in requests]
    judged = judged_rows(requests, grades, rows)
    weights, value = coordinate_ascent(judged, 5)
    assert (weights, value) == coordinate_ascent(judged, 5)
    assert value == mean_ndcg(judged, convex_weights(weights), 5)
    for alone in [*np.eye(n_rankers).tolist(), [1 / n_rankers] * n_rankers]:
        assert value >= mean_ndcg(judged, convex_weights(alone), 5)


def test_the_ascent_finds_the_good_mixture() -> None:
    """Two rankers that are right about different halves: together they are perfect, alone they are not."""
    first, second = np.array([1.0, 0.0, 0.6, 0.1]), np.array([0.0, 1.0, 0.6, 0.1])
    judged = judged_rows([Request("q", list("abcd"))], [[0, 0, 1, 0]], [[first, second, -first - second]])
    weights, value = coordinate_ascent(judged, 10)
    assert value == 1.0 and weights[0] > 0 and weights[1] > 0


@pytest.mark.parametrize(
    ("values", "at"), [([1.0], 0), ([0, 1, 1, 1, 0, 1], 2), ([1, 0, 1, 1], 2), ([2, 1, 0], 0), ([0.5] * 101, 50)]
)
def test_the_middle_of_the_longest_run(values: list[float], at: int) -> None:
    """Of equally good settings, the one that lies farthest from worse ones."""
    assert middle_of_best(values) == at
