"""Portions of requests: nothing is lost, nothing is too large, and what comes back is in one piece."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from secondpass.portions import joined, joined_trace, portions
from secondpass.types import Request, Scores, Trace

_LENGTHS = st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=5)


@given(_LENGTHS, st.integers(1, 20))
def test_every_document_is_in_one_portion_and_none_is_too_large(lengths: list[list[int]], limit: int) -> None:
    """In order; only a single document may be larger than the limit; two neighbours would not fit into one."""
    requests = [Request(f"q{at}", ["x" * length for length in each]) for at, each in enumerate(lengths)]
    cut = list(portions(requests, limit))
    flat = [(at, position) for portion in cut for at, part in portion for position in part]
    assert flat == [(at, position) for at, each in enumerate(lengths) for position in range(len(each))]
    sizes = [[lengths[at][position] for at, part in portion for position in part] for portion in cut]
    assert all(sum(size) <= limit or len(size) == 1 for size in sizes)
    assert all(sum(one) + other[0] > limit for one, other in pairwise(sizes))
    assert all(part for portion in cut for _, part in portion)


def test_columns_that_a_part_lacks_are_none_for_it() -> None:
    """Values and explanations follow each other; a single part is returned as it is."""
    first = Scores(np.array([1.0, 2.0]), {"both": ["a", "b"], "first": [1, 2]})
    second = Scores(np.array([3.0]), {"second": [True], "both": ["c"]})
    whole = joined([first, second])
    assert whole.values.tolist() == [1.0, 2.0, 3.0]
    assert whole.explanations == {"both": ["a", "b", "c"], "first": [1, 2, None], "second": [None, None, True]}
    assert joined([first]) is first


def test_traces_add_up_stage_by_stage() -> None:
    """Times and counts are sums, a note stands once, and a stage that only one part had stands beside the others."""
    inner = Trace("inner", 1.0, {"pairs": 2}, ("cut",))
    other = Trace("other", 0.5)
    whole = joined_trace(
        [
            Trace("outer", 2.0, {"a": 1}, ("n", "m"), (inner,)),
            Trace("outer", 3.0, {"a": 2, "b": 1}, ("m",), (inner, other)),
        ]
    )
    both = Trace("inner", 2.0, {"pairs": 4}, ("cut",))
    assert whole == Trace("outer", 5.0, {"a": 3, "b": 1}, ("n", "m"), (both, other))
