"""A small dataset on which it is known what each system does."""

from collections.abc import Sequence

from secondpass.base import Reranker
from secondpass.evaluate.dataset import Dataset
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores

HOSTILE = "<script>alert('x')</script> \" & \x1b[31m\u202e"


class Opposite(Reranker):
    """Puts last what the other one puts first."""

    registry_name = "opposite"

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(-scores.values) for scores in FakeReranker().score_many(requests)]


def example(n_queries: int = 14, *, candidates: bool = True, text: str = "") -> Dataset:
    """Return a dataset of six documents for each query: the relevant one has its words, and is the last candidate.

    Args:
        n_queries: how many queries.
        candidates: whether it has candidates.
        text: what stands behind each text and each id.
    """
    documents: dict[str, str] = {}
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    run: dict[str, list[str]] = {}
    for at in range(n_queries):
        query = f"q{at}{text}"
        queries[query] = f"word{at} of subject{at} {text}"
        own = [f"d{at}-{number}{text}" for number in range(6)]
        documents |= {name: f"something else, number {name}" for name in own[:5]}
        documents[own[5]] = f"word{at} of subject{at} is here {text}"
        qrels[query] = {own[5]: 1, own[0]: 0}
        run[query] = own
    return Dataset.of(documents, queries, qrels, run if candidates else None)
