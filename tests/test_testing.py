"""The fake reranker, and the contract suite run on it and on rerankers that break it."""

import pytest

from secondpass.errors import ConfigError
from secondpass.testing import FakeReranker, RerankerContract


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": "percent"}, "scale must be 'logit', 'probability' or 'ordinal', not 'percent'"),
        ({"pointwise": 1}, "True"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], message: str) -> None:
    """As those of every reranker, by errors of ours."""
    with pytest.raises(ConfigError, match=message):
        FakeReranker(**settings)  # type: ignore[arg-type]


class TestFakeReranker(RerankerContract):
    def make(self) -> FakeReranker:
        return FakeReranker()


class TestFakeLogits(RerankerContract):
    def make(self) -> FakeReranker:
        return FakeReranker(scale="logit")
