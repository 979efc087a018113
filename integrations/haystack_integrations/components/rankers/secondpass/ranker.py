"""The ranker component: from Haystack's documents, by `Reranker.rerank`, to copies with new scores."""

import asyncio
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Self

try:
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.utils import ComponentDevice
except ImportError as exc:
    from secondpass.errors import MissingExtraError

    raise MissingExtraError.of("haystack", "SecondPassRanker") from exc

from secondpass.adapters import (
    DEFAULT_RERANKER,
    check_named,
    checked_documents,
    checked_fields,
    known_scores,
    load_reranker,
    without_secrets,
)
from secondpass.base import Reranker
from secondpass.composition.prior import with_prior
from secondpass.errors import ConfigError, InputError
from secondpass.loading import RerankerLike
from secondpass.types import Ranking
from secondpass.validation import SHARE, THRESHOLD, Flag, Text, checked_k

__all__ = ["SecondPassRanker"]

# Shared by all rankers, so that each can be copied and pickled; loading is rare.
_LOADING = Lock()


@component
class SecondPassRanker:
    """Ranks documents by their relevance to a query, with any reranker of secondpass.

    ```python
    pipeline.add_component("ranker", SecondPassRanker(top_k=5))
    pipeline.connect("retriever.documents", "ranker.documents")
    pipeline.run({"retriever": {"query": question, "top_k": 50}, "ranker": {"query": question}})
    ```

    As with Haystack's own rankers, documents that share an id count as one: the one that the first stage scored
    highest is kept. If all documents have a score, a reranker that combines scores gets these as well. The results are
    copies with the new `score`; id, content, meta and embedding are kept. Documents without
    content, such as images, come last.

    Args:
        reranker: a name: that of a kind of reranker, with a model or without it (``"cross-encoder"``,
            ``"colbert:MODEL"``), or of a cross-encoder; a configuration; or a `secondpass.Reranker`.
            The former are loaded by `warm_up` or the first run.
        model: the name of a cross-encoder, as other packages call it, instead of ``reranker``:
            ``"cross-encoder/ms-marco-MiniLM-L6-v2"``, a folder, or a name from the catalogue.
        device: where a reranker that is only named runs: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; or a Haystack
            `ComponentDevice` for one.
        top_k: how many documents to return at most; None for all.
        score_threshold: the lowest score that a returned document may have, on the reranker's scale. On
            logits, which the default gives, it holds for one model only: ``min_probability`` holds for all.
        min_probability: the lowest calibrated probability of being relevant that a returned document may have
            (`secondpass.RankedDocument.probability`), from 0 to 1. The default reranker comes with a calibration;
            others need a `secondpass.CalibratedReranker`.
        meta_fields_to_embed: fields of a document's meta whose values are put before its content, in this
            order; absent and empty ones are left out.
        embedding_separator: what is put between these values and the content.
        prior: whether the order in which the documents come, a retriever's, counts beside a cross-encoder's scores
            (`secondpass.PriorReranker`), so that reranking does not hurt where the model knows little. Other
            rerankers, and one that has a prior or combines scores by itself, are taken as they are. Turn it off if
            the documents come in no order.

    Raises:
        ConfigError: a setting can't be used. A threshold on ordinal scores, and a ``min_probability`` where nothing
            calibrates them, is refused here for a `Reranker`, and by `warm_up` for a name or a configuration, of which
            that is not known before it is loaded.
    """

    def __init__(
        self,
        reranker: RerankerLike | None = None,
        *,
        model: str | os.PathLike[str] | None = None,
        device: str | ComponentDevice | None = None,
        top_k: int | None = 10,
        score_threshold: float | None = None,
        min_probability: float | None = None,
        meta_fields_to_embed: list[str] | None = None,
        embedding_separator: str = "\n",
        prior: bool = True,
    ) -> None:
        self.device = device.to_torch_str() if isinstance(device, ComponentDevice) else device
        check_named(reranker, model, self.device)
        self.model = os.fspath(model) if isinstance(model, os.PathLike) else model
        self.reranker: str | dict[str, Any] | Reranker | None
        if reranker is None and model is None:
            self.reranker = DEFAULT_RERANKER  # so that a pipeline's YAML names it
        elif isinstance(reranker, os.PathLike):
            self.reranker = os.fspath(reranker)
        else:
            self.reranker = dict(reranker) if isinstance(reranker, Mapping) else reranker
        self.top_k = checked_k(top_k, "top_k", error=ConfigError)
        self.meta_fields_to_embed = checked_fields(meta_fields_to_embed, "meta_fields_to_embed")
        self.embedding_separator = Text(empty=True).checked(embedding_separator, "embedding_separator")
        self.prior = Flag().checked(prior, "prior")
        self._loaded = reranker if isinstance(reranker, Reranker) else None
        self.score_threshold = THRESHOLD.checked(score_threshold, "score_threshold")
        self.min_probability = (SHARE | None).checked(min_probability, "min_probability")
        if self._loaded is not None:
            self._ready(None)

    def warm_up(self) -> None:
        """Load the reranker once, however many threads ask for it; `run` does so if need be.

        Raises:
            RegistryError: there is no reranker of that name.
            ConfigError: its configuration can't be used, its scores are ordinal and there is a threshold, or nothing
                calibrates them and there is a ``min_probability``.
            ModelError: its model can't be loaded.
        """
        self._ready(None)

    async def warm_up_async(self) -> None:
        """Async version of `warm_up`, which runs in a worker thread."""
        if self._loaded is None:
            await asyncio.to_thread(self.warm_up)

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, documents: list[Document], top_k: int | None = None, score_threshold: float | None = None
    ) -> dict[str, list[Document]]:
        """Rank documents by their relevance to a query.

        Args:
            query: what was asked; not empty.
            documents: the candidates; they stay as they are.
            top_k: for this run, instead of the component's setting.
            score_threshold: for this run, instead of the component's setting.

        Returns:
            Under ``documents``, the best first, copies whose `score` is the reranker's.

        Raises:
            InputError: the query is empty, ``top_k`` is below 1, or the documents are not a list of Documents.
            ConfigError: the threshold is not a finite number, or the scores are ordinal.
        """
        candidates, request = self._prepare(documents, top_k)
        if not candidates:
            return {"documents": []}
        reranker, threshold = self._ready(score_threshold)
        return _output(candidates, reranker.rerank(query, **request).above(threshold, probability=self.min_probability))

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, documents: list[Document], top_k: int | None = None, score_threshold: float | None = None
    ) -> dict[str, list[Document]]:
        """Async version of `run`: arguments, result and errors are the same."""
        candidates, request = self._prepare(documents, top_k)
        if not candidates:
            return {"documents": []}
        await self.warm_up_async()
        reranker, threshold = self._ready(score_threshold)
        return _output(
            candidates, (await reranker.arerank(query, **request)).above(threshold, probability=self.min_probability)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the component as plain data without keys; a `Reranker` as its `to_config`, with its errors."""
        reranker = self.reranker.to_config() if isinstance(self.reranker, Reranker) else self.reranker
        return default_to_dict(
            self,
            reranker=without_secrets(reranker),
            model=self.model,
            device=self.device,
            top_k=self.top_k,
            score_threshold=self.score_threshold,
            min_probability=self.min_probability,
            meta_fields_to_embed=self.meta_fields_to_embed,
            embedding_separator=self.embedding_separator,
            prior=self.prior,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Build the component from what `to_dict` wrote; the model is loaded by `warm_up`."""
        return default_from_dict(cls, data)

    def _ready(self, score_threshold: float | None) -> tuple[Reranker, float | None]:
        given = THRESHOLD.checked(score_threshold, "score_threshold")
        threshold = self.score_threshold if given is None else given
        if self._loaded is None:
            with _LOADING:  # a thread that had to wait finds it loaded
                if self._loaded is None:
                    self._loaded = load_reranker(self.reranker, model=self.model, device=self.device)
        self._loaded.require_threshold(threshold)
        reranker = with_prior(self._loaded) if self.prior else self._loaded
        reranker.require_probability(self.min_probability)
        return reranker, threshold

    def _prepare(self, documents: list[Document], top_k: int | None) -> tuple[list[Document], dict[str, Any]]:
        candidates = _unique(documents)
        k = self.top_k if top_k is None else checked_k(top_k, "top_k", error=InputError)
        # With the meta, for rerankers that boost by a date or a source.
        given = [{"text": self._text(each), "id": each.id, "metadata": each.meta} for each in candidates]
        scores = known_scores(document.score for document in candidates)
        return candidates, {"documents": given, "k": k, "initial_scores": scores}

    def _text(self, document: Document) -> str:
        values = [document.meta.get(name) for name in self.meta_fields_to_embed]
        parts = [str(value) for value in values if value is not None and value != ""]
        if document.content is not None:
            parts.append(document.content)
        return self.embedding_separator.join(parts)


def _unique(documents: list[Document]) -> list[Document]:
    """Return one document for each id, in the place of the first: the one that the first stage scored highest."""
    chosen: dict[str, tuple[float, Document]] = {}
    for document in checked_documents(documents, Document, "a haystack Document"):
        # Nothing is above NaN, which is no score.
        score = -math.inf if document.score is None or math.isnan(document.score) else document.score
        if document.id not in chosen or score > chosen[document.id][0]:
            chosen[document.id] = (score, document)
    return [document for _, document in chosen.values()]


def _output(candidates: Sequence[Document], ranking: Ranking) -> dict[str, list[Document]]:
    chosen = [(candidates[ranked.index], ranked.score) for ranked in ranking]
    # The meta is copied too, so that a later component that adds to it leaves the caller's alone.
    return {"documents": [replace(document, score=score, meta=dict(document.meta)) for document, score in chosen]}
