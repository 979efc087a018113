"""Documents from where they are trusted first, by weights that are written down."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from secondpass.composition.members import member_of
from secondpass.composition.order.relevance import Boosting, Boosts, metadata_of
from secondpass.errors import ConfigError
from secondpass.loading import RerankerLike
from secondpass.types import Document
from secondpass.validation import Number, must_be

__all__ = ["BoostedReranker"]

_WEIGHT = Number()


class BoostedReranker(Boosting):
    """Adds to a document's relevance, or takes from it, for what its metadata says.

    ``BoostedReranker(reranker, boosts={"source": {"handbook": 0.2, "forum": -0.1}})`` adds 0.2 to the relevance of
    documents whose metadata has ``source: handbook``. Relevance is the wrapped reranker's probability, or its score
    between the lowest (0) and the highest (1) of the request. Boosts of several fields add up, and so do those of a
    list's values, such as tags; values are compared as texts, so that ``2026`` and ``"2026"`` are the same. The scores
    are ordinal.

    Explanations: ``boost``, what was added in all, and ``reranker_score``.

    Args:
        wrapped: any reranker.
        boosts: for each field of a document's ``metadata``, its values with what is added for them.

    Raises:
        ConfigError: ``boosts`` is not such a mapping.
    """

    registry_name: ClassVar[str] = "boosted"
    plain_settings: ClassVar[frozenset[str]] = frozenset({"boosts"})

    def __init__(self, wrapped: RerankerLike, *, boosts: Mapping[str, Mapping[Any, float]]) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped = wrapped
        self.boosts = _checked(boosts)

    def _boosts(self, documents: Sequence[Document]) -> Boosts:
        boosts = [self._boost(metadata_of(document)) for document in documents]
        return Boosts(np.array(boosts), {"boost": boosts})

    def _boost(self, metadata: Mapping[str, Any]) -> float:
        total = 0.0
        for field, weights in self.boosts.items():
            value = metadata.get(field)
            several = value if isinstance(value, list | tuple | set | frozenset) else [value]
            total += sum(weights.get(name, 0.0) for name in {str(each) for each in several})
        return total

    def __repr__(self) -> str:
        return f"BoostedReranker({self.wrapped!r}, boosts={self.boosts})"


def _checked(boosts: Any) -> dict[str, dict[str, float]]:
    """Return the boosts with texts as their keys."""
    takes = 'a mapping from fields to values and what is added for them, such as {"source": {"handbook": 0.2}}'
    name = "BoostedReranker: boosts"
    if not isinstance(boosts, Mapping) or not all(isinstance(weights, Mapping) for weights in boosts.values()):
        raise ConfigError(must_be(name, takes, boosts))
    return {
        str(field): {str(value): _WEIGHT.checked(w, f"{name}[{field!r}][{value!r}]") for value, w in weights.items()}
        for field, weights in boosts.items()
    }
