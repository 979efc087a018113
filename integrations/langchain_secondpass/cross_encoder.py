"""A secondpass reranker as LangChain's cross-encoder."""

import os
from collections.abc import Sequence

from langchain_core.cross_encoders import BaseCrossEncoder

from secondpass import InputError, Request
from secondpass.adapters import load_reranker
from secondpass.loading import RerankerLike
from secondpass.validation import shown

__all__ = ["SecondPassCrossEncoder"]


class SecondPassCrossEncoder(BaseCrossEncoder):
    """Scores pairs of texts, for other components that take a `BaseCrossEncoder`.

    ```python
    compressor = CrossEncoderReranker(model=SecondPassCrossEncoder(), top_n=3)  # langchain_classic's
    ```

    `SecondPassReranker` does the same without the detour, and keeps the scores.

    Args:
        reranker: a name: that of a kind of reranker, with a model or without it (``"cross-encoder"``,
            ``"colbert:MODEL"``), or of a cross-encoder; a configuration; or a `secondpass.Reranker`.
            The scores are on its scale; ordinal ones compare pairs of one query only.
        model: the name of a cross-encoder, as other packages call it, instead of ``reranker``:
            ``"cross-encoder/ms-marco-MiniLM-L6-v2"``, a folder, or a name from the catalogue.
        device: where a reranker that is only named runs: ``cpu``, ``cuda``, ``cuda:N``, ``mps``.

    Raises:
        ConfigError: a setting of the reranker can't be used.
        RegistryError: no reranker has that name.
        ModelError: the model can't be found, read or used.
    """

    def __init__(
        self,
        reranker: RerankerLike | None = None,
        *,
        model: str | os.PathLike[str] | None = None,
        device: str | None = None,
    ) -> None:
        self.reranker = load_reranker(reranker, model=model, device=device)

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        """Score pairs of a query and a text; those of all queries share the model's batches.

        Args:
            text_pairs: the pairs, in any order.

        Returns:
            A score for each pair, in the order of the pairs.

        Raises:
            InputError: a query is empty, or one of them is not a pair of a query and a text.
            ScoringError: the reranker failed.
        """
        places: dict[str, list[int]] = {}
        for place, pair in enumerate(text_pairs):
            query, _ = _checked(pair, place)
            places.setdefault(query, []).append(place)
        requests = [Request(query, [text_pairs[place][1] for place in group]) for query, group in places.items()]
        scores = [0.0] * len(text_pairs)
        for group, scored in zip(places.values(), self.reranker.score_many(requests), strict=True):
            for place, value in zip(group, scored.values.tolist(), strict=True):
                scores[place] = value
        return scores

    def __repr__(self) -> str:
        return f"SecondPassCrossEncoder({self.reranker!r})"


def _checked(pair: object, place: int) -> Sequence[str]:
    if isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair):
        return pair
    raise InputError(f"text_pairs[{place}] must be a pair of a query and a text, each a str, not {shown(pair)}")
