"""A secondpass reranker as LangChain's cross-encoder."""

from collections.abc import Mapping
from typing import Any

from langchain_core.cross_encoders import BaseCrossEncoder

from langchain_secondpass.reranker import DEFAULT_RERANKER
from secondpass import Request, Reranker
from secondpass.adapters import load_uncut

__all__ = ["SecondPassCrossEncoder"]


class SecondPassCrossEncoder(BaseCrossEncoder):
    """Scores pairs of texts, for other components that take a `BaseCrossEncoder`.

    ```python
    compressor = CrossEncoderReranker(model=SecondPassCrossEncoder(), top_n=3)  # langchain_classic's
    ```

    `SecondPassReranker` does the same without the detour, and keeps the scores.

    Args:
        reranker: a name (``"cross-encoder:MODEL"``), which also scores long texts whole (as a
            `PassageReranker`); a configuration, or a `secondpass.Reranker`, taken as it is. The scores are on
            its scale; ordinal ones compare pairs of one query only.

    Raises:
        ConfigError: a setting of the reranker can't be used.
        RegistryError: no reranker has that name.
        ModelError: the model can't be found, read or used.
    """

    def __init__(self, reranker: str | Mapping[str, Any] | Reranker = DEFAULT_RERANKER) -> None:
        self.reranker = load_uncut(reranker)

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        """Score pairs of a query and a text; those of all queries share the model's batches.

        Args:
            text_pairs: the pairs, in any order.

        Returns:
            A score for each pair, in the order of the pairs.

        Raises:
            InputError: a query is empty, or a text is not a str.
            ScoringError: the reranker failed.
        """
        places: dict[str, list[int]] = {}
        for place, (query, _) in enumerate(text_pairs):
            places.setdefault(query, []).append(place)
        requests = [Request(query, [text_pairs[place][1] for place in group]) for query, group in places.items()]
        scores = [0.0] * len(text_pairs)
        for group, scored in zip(places.values(), self.reranker.score_many(requests), strict=True):
            for place, value in zip(group, scored.values.tolist(), strict=True):
                scores[place] = value
        return scores

    def __repr__(self) -> str:
        return f"SecondPassCrossEncoder({self.reranker!r})"
