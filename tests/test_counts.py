"""Numbers of things, in words."""

import pytest

from secondpass.counts import counted


@pytest.mark.parametrize(
    ("n", "what", "said"),
    [
        (0, "query", "0 queries"),
        (1, "query", "1 query"),
        (2, "judged query", "2 judged queries"),
        (5253, "document", "5,253 documents"),
        (3, "key", "3 keys"),
        (1, "labelled text", "1 labelled text"),
    ],
)
def test_one_is_not_many(n: int, what: str, said: str) -> None:
    """The last word has the plural, and thousands have commas."""
    assert counted(n, what) == said
