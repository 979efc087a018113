"""Rerank the documents of a LangChain retriever."""

import os
from collections.abc import Sequence
from typing import Any, Never

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableSerializable
from pydantic import ConfigDict

from langchain_secondpass.runnable import RerankerField, RerankRunnable
from secondpass import ConfigError
from secondpass.adapters import load_reranker
from secondpass.composition.prior import with_prior
from secondpass.loading import RerankerLike
from secondpass.validation import Flag, check_names, checked_k

__all__ = ["SecondPassReranker"]


class SecondPassReranker(BaseDocumentCompressor):
    """Reranks documents by their relevance to the query, and keeps the best.

    The documents that are returned are copies: what was passed in stays as it is, ``id`` and metadata are
    kept, and ``metadata["relevance_score"]`` is the score, a float on the scale of the reranker (logits
    for the default one). Each call is traced as a run of its own, within the caller's.

    ```python
    retriever = SecondPassReranker(top_n=3).as_retriever(vector_store.as_retriever(search_kwargs={"k": 30}))
    ```

    It goes as well wherever LangChain takes a document compressor, such as `ContextualCompressionRetriever`.

    The model is loaded once, here. Settings don't change afterwards; ``model_copy(update={"top_n": 5})``
    gives a second compressor that shares the model. It is safe to share between threads.

    Args:
        reranker: a name: that of a kind of reranker, with a model or without it (``"cross-encoder"``,
            ``"colbert:MODEL"``), or of a cross-encoder; a configuration; or a `secondpass.Reranker`.
            ``model_dump`` writes it as a configuration.
        model: the name of a cross-encoder, as other packages call it, instead of ``reranker``:
            ``"cross-encoder/ms-marco-MiniLM-L6-v2"``, a folder, or a name from the catalogue.
        device: where a reranker that is only named runs: ``cpu``, ``cuda``, ``cuda:N``, ``mps``.
        top_n: how many documents to return at most; None for all.
        threshold: the lowest score that a document is returned with; None for no limit. On logits it holds
            for one model only: ``min_probability`` holds for all.
        min_probability: the lowest calibrated probability of being relevant that a document is returned with
            (`secondpass.RankedDocument.probability`), from 0 to 1; None for no limit. The default reranker comes with
            a calibration; others need a `secondpass.CalibratedReranker`.
        score_key: where in the metadata a retriever has left its score, higher being better, for rerankers
            that combine scores. They get it if every document has a number there; vector stores don't
            agree on such a key, so by default there is none.
        prior: whether the order in which the documents come, a retriever's, counts beside a cross-encoder's scores
            (`secondpass.PriorReranker`), so that reranking does not hurt where the model knows little. Other
            rerankers, and one that has a prior or combines scores by itself, are taken as they are. Turn it off if
            the documents come in no order.

    Raises:
        ConfigError: ``top_n``, ``threshold``, ``min_probability`` or a setting of the reranker can't be used, or there
            is no such setting.
        CompositionError: there is a threshold, but the reranker's scores are ordinal; or a ``min_probability``, but
            nothing calibrates them.
        RegistryError: no reranker has that name.
        ModelError: the model can't be found, read or used.
        pydantic.ValidationError: ``score_key`` is not a str, or it was called through pydantic (``model_validate``),
            which wraps those of the above that are ValueErrors.
    """

    # A configuration can hold a key, which pydantic's messages would show.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reranker: RerankerField
    top_n: int | None = 3
    threshold: float | None = None
    min_probability: float | None = None
    score_key: str | None = None
    prior: bool = True

    def __init__(
        self,
        *,
        reranker: RerankerLike | None = None,
        model: str | os.PathLike[str] | None = None,
        device: str | None = None,
        top_n: int | None = 3,
        threshold: float | None = None,
        min_probability: float | None = None,
        score_key: str | None = None,
        prior: bool = True,
        **fields: Never,  # a subclass's own: no type checker lets a misspelt setting pass as one
    ) -> None:
        check_names(fields, [*type(self).model_fields, "model", "device"], type(self).__name__)
        # Before pydantic sees anything: it would turn those of our errors that are ValueErrors into its own.
        top_n = checked_k(top_n, "top_n", error=ConfigError)
        loaded = load_reranker(reranker, model=model, device=device)
        loaded.require_threshold(threshold)
        prior = Flag().checked(prior, "prior")
        (with_prior(loaded) if prior else loaded).require_probability(min_probability)
        # As a mapping: to a type checker, the base class's constructor has none of these.
        settings: dict[str, Any] = {"reranker": loaded, "top_n": top_n, "threshold": threshold, "prior": prior}
        settings |= {"min_probability": min_probability, "score_key": score_key}
        super().__init__(**fields, **settings)

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """Return copies of the most relevant documents, best first.

        Args:
            documents: the candidates; may be empty.
            query: what was asked; not empty.
            callbacks: handlers, or the callback manager of the run that this is a part of; by default that
                of the LangChain run around the call, if there is one.

        Raises:
            InputError: the query or a document can't be used.
            ScoringError: the reranker failed.
        """
        return self.as_runnable().invoke({"query": query, "documents": documents}, {"callbacks": callbacks})

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """Async version of `compress_documents`."""
        return await self.as_runnable().ainvoke({"query": query, "documents": documents}, {"callbacks": callbacks})

    def as_retriever(self, base_retriever: Runnable[str, list[Document]]) -> BaseRetriever:
        """Return a retriever that passes on the best of another one's documents.

        Args:
            base_retriever: a retriever, or any runnable from a query to documents. It should find more than ``top_n``.

        Raises:
            ConfigError: it is something else.
        """
        from langchain_secondpass.retriever import RerankedRetriever  # here, as it needs this class

        if not isinstance(base_retriever, Runnable):
            advice = "; a vector store has as_retriever()" if hasattr(base_retriever, "as_retriever") else ""
            kind = type(base_retriever).__name__
            raise ConfigError(f"base_retriever must be a retriever, or a runnable to documents, not {kind}{advice}")
        return RerankedRetriever(base_retriever=base_retriever, reranker=self)

    def as_runnable(self) -> RunnableSerializable[dict[str, Any], list[Document]]:
        """Return it as a step for LCEL, from ``{"query": ..., "documents": ...}`` to the documents.

        ``batch`` and ``abatch`` score the inputs together, so that they share the model's batches; an input
        that can't be used fails alone.

        ```python
        best = {"query": RunnablePassthrough(), "documents": retriever} | SecondPassReranker().as_runnable()
        best.invoke("how do I copy a file?")
        ```
        """
        return RerankRunnable(
            reranker=with_prior(self.reranker) if self.prior else self.reranker,
            top_n=self.top_n,
            threshold=self.threshold,
            min_probability=self.min_probability,
            score_key=self.score_key,
            name=type(self).__name__,
        )
