"""What the adapters share."""

import numpy as np
import pytest

from secondpass.adapters import known_scores, load_uncut
from secondpass.errors import ConfigError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.rerankers.passage import PassageReranker
from secondpass.testing import FakeReranker


def test_a_name_alone_is_wrapped() -> None:
    """Where the model's limit is known; a configuration and a reranker are the caller's decision."""
    by_name = load_uncut("cross-encoder:ms-marco-MiniLM-L12-v2")
    assert isinstance(by_name, PassageReranker) and isinstance(by_name.wrapped, CrossEncoderReranker)
    assert load_uncut(by_name) is by_name
    assert isinstance(load_uncut({"type": "cross-encoder"}), CrossEncoderReranker)
    assert isinstance(load_uncut("fake"), FakeReranker)
    with pytest.raises(ConfigError, match="a reranker is a name"):
        load_uncut(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "known"),
    [
        ([1, 0.5, np.float32(0.25)], [1.0, 0.5, 0.25]),
        ([], []),
        ([1.0, None], None),
        ([1.0, "0.5"], None),
        ([True], None),
        ([float("nan")], None),
        ([float("inf")], None),
    ],
)
def test_scores_are_known_if_all_are_numbers(scores: list[object], known: list[float] | None) -> None:
    """One that is missing or no finite number makes all unknown."""
    assert known_scores(scores) == known
