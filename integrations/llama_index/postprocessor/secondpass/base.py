"""The node postprocessor: from LlamaIndex's nodes, by `Reranker.rerank`, to new nodes with scores."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    from llama_index.core.bridge.pydantic import BaseModel, Field, field_serializer
    from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
    from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # it's re-exported
    from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
except ImportError as exc:
    from secondpass.errors import MissingExtraError

    raise MissingExtraError.of("llama-index", "SecondPassRerank") from exc

from secondpass.adapters import known_scores, load_reranker
from secondpass.base import Reranker
from secondpass.composition.passage import PassageReranker
from secondpass.composition.prior import PriorReranker, with_prior
from secondpass.errors import ConfigError, InputError
from secondpass.loading import RerankerLike
from secondpass.types import RankedDocument, Ranking
from secondpass.validation import Flag, checked_k

__all__ = ["SecondPassRerank"]

dispatcher = get_dispatcher(__name__)

_RETRIEVAL_SCORE = "retrieval_score"


class SecondPassRerank(BaseNodePostprocessor):
    """Reranks retrieved nodes by their relevance to the query, with any reranker of secondpass.

    ```python
    query_engine = index.as_query_engine(
        similarity_top_k=50,
        node_postprocessors=[SecondPassRerank(top_n=5)],
    )
    ```

    The reranker reads what an embedding model reads: a node's text, and its metadata without the keys in
    ``excluded_embed_metadata_keys``; and the nodes' scores, if all have one. The results are new
    `NodeWithScore`s whose score is the reranker's, a Python float; what was passed in stays as it is.

    Each call is a span, with a `ReRankStartEvent` and a `ReRankEndEvent` on the dispatcher and a ``RERANKING``
    event on the callback manager. When reranking fails, the span is dropped, the ``RERANKING`` event ends with
    the exception, and the error is raised; there is no `ReRankEndEvent` then.

    Args:
        reranker: a name: that of a kind of reranker, with a model or without it (``"cross-encoder"``,
            ``"colbert:MODEL"``), or of a cross-encoder; a configuration; or a `secondpass.Reranker`.
            It is loaded here.
        model: the name of a cross-encoder, as other packages call it, instead of ``reranker``:
            ``"cross-encoder/ms-marco-MiniLM-L6-v2"``, a folder, or a name from the catalogue.
        device: where a reranker that is only named runs: ``cpu``, ``cuda``, ``cuda:N``, ``mps``.
        top_n: how many nodes to return at most; None for all.
        threshold: the lowest score that a returned node may have, on the reranker's scale. On logits, which
            the default gives, it holds for one model only: ``min_probability`` holds for all.
        min_probability: the lowest calibrated probability of being relevant that a returned node may have
            (`secondpass.RankedDocument.probability`), from 0 to 1. The default reranker comes with a calibration;
            others need a `secondpass.CalibratedReranker`.
        keep_retrieval_score: put the first stage's score into ``metadata["retrieval_score"]`` of a copy of
            the node, where neither an embedding model nor an LLM reads it.
        prior: whether the order in which the nodes come, a retriever's, counts beside a cross-encoder's scores
            (`secondpass.PriorReranker`), so that reranking does not hurt where the model knows little. Other
            rerankers, and one that has a prior or combines scores by itself, are taken as they are. Turn it off if
            the nodes come in no order.
        callback_manager: LlamaIndex's; a query engine replaces it by its own.

    Raises:
        ConfigError: a setting can't be used, there is a threshold on ordinal scores, or a ``min_probability`` where
            nothing calibrates them.
        RegistryError: there is no reranker of that name.
        ModelError: its model can't be loaded.
    """

    reranker: Reranker = Field(description="The reranker, loaded.")
    top_n: int | None = Field(default=2, description="How many nodes to return at most; None for all.")
    threshold: float | None = Field(default=None, description="The lowest score that a returned node may have.")
    min_probability: float | None = Field(default=None, description="Likewise, the lowest calibrated probability.")
    keep_retrieval_score: bool = Field(default=False, description="Whether to keep the first score as metadata.")
    prior: bool = Field(default=True, description="Whether the retriever's order counts as a prior.")

    # Not left to pydantic's validators, which turn our errors into a ValidationError and ignore misspelt settings.
    def __init__(
        self,
        *,
        reranker: RerankerLike | None = None,
        model: str | os.PathLike[str] | None = None,
        device: str | None = None,
        top_n: int | None = 2,
        threshold: float | None = None,
        min_probability: float | None = None,
        keep_retrieval_score: bool = False,
        prior: bool = True,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        top_n = checked_k(top_n, "top_n", error=ConfigError)
        loaded = load_reranker(reranker, model=model, device=device)
        loaded.require_threshold(threshold)
        prior = Flag().checked(prior, "prior")
        keep_retrieval_score = Flag().checked(keep_retrieval_score, "keep_retrieval_score")
        (with_prior(loaded) if prior else loaded).require_probability(min_probability)
        # As a mapping: to a type checker, the base class's constructor knows the base class's fields only.
        fields: dict[str, Any] = {
            "reranker": loaded,
            "top_n": top_n,
            "threshold": threshold,
            "min_probability": min_probability,
            "keep_retrieval_score": keep_retrieval_score,
            "prior": prior,
            "callback_manager": callback_manager or CallbackManager(),
        }
        super().__init__(**fields)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that stands in serialized data."""
        return "SecondPassRerank"

    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """Return the settings as plain data, the reranker as its configuration; `from_dict` builds it again.

        Raises:
            ConfigError: the reranker holds something that is not data.
        """
        self.reranker.to_config()  # while pydantic serializes, it would be wrapped into an error of pydantic's
        return super().to_dict(**kwargs)

    def __getstate__(self) -> dict[str, Any]:
        # LlamaIndex's own deletes what can't be pickled, from this very object: it would be left without a callback
        # manager, and a copy would get the default reranker. Here handlers stay behind, and a reranker is an error.
        fields = {name: value for name, value in self.__dict__.items() if name != "callback_manager"}
        return BaseModel.__getstate__(self) | {"__dict__": fields}

    @field_serializer("reranker")
    def _reranker_as_data(self, reranker: Reranker) -> dict[str, Any]:
        return reranker.to_config()

    # The framework puts the span around this one, since it is abstract in the base class...
    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query = _query(query_bundle)
        if not _checked(nodes):
            return []
        with self._reported(nodes, query) as reranked:
            ranking = self._second_stage().rerank(query.query_str, **self._candidates(nodes))
            reranked += self._chosen(nodes, ranking)
        return reranked

    # ...but not around this one, which has a default there.
    @dispatcher.span
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query = _query(query_bundle)
        if not _checked(nodes):
            return []
        with self._reported(nodes, query) as reranked:
            ranking = await self._second_stage().arerank(query.query_str, **self._candidates(nodes))
            reranked += self._chosen(nodes, ranking)
        return reranked

    def _second_stage(self) -> Reranker:
        return with_prior(self.reranker) if self.prior else self.reranker

    def _candidates(self, nodes: list[NodeWithScore]) -> dict[str, Any]:
        documents = [
            {
                "text": node.get_content(metadata_mode=MetadataMode.EMBED),
                "id": node.node_id,
                "metadata": node.node.metadata,  # for rerankers that boost by a date or a source
            }
            for node in nodes
        ]
        return {"documents": documents, "k": self.top_n, "initial_scores": known_scores(node.score for node in nodes)}

    @contextmanager
    def _reported(self, nodes: list[NodeWithScore], query: QueryBundle) -> Iterator[list[NodeWithScore]]:
        """Report the start, then what the caller has put into the yielded list, or its failure."""
        # Both kinds of event want a number.
        top_n = len(nodes) if self.top_n is None else self.top_n
        name = _model_name(self.reranker)
        payload: dict[str, Any] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: name,
            EventPayload.QUERY_STR: query.query_str,
            EventPayload.TOP_K: top_n,
        }
        reranked: list[NodeWithScore] = []
        dispatcher.event(ReRankStartEvent(query=query, nodes=nodes, top_n=top_n, model_name=name))
        with self.callback_manager.event(CBEventType.RERANKING, payload=payload) as event:
            yield reranked
            event.on_end(payload={EventPayload.NODES: reranked})
        dispatcher.event(ReRankEndEvent(nodes=reranked))

    def _chosen(self, nodes: list[NodeWithScore], ranking: Ranking) -> list[NodeWithScore]:
        kept = ranking.above(self.threshold, probability=self.min_probability)
        return [self._scored(nodes[ranked.index], ranked) for ranked in kept]

    def _scored(self, retrieved: NodeWithScore, ranked: RankedDocument) -> NodeWithScore:
        node = retrieved.node
        if self.keep_retrieval_score:
            node = node.model_copy(
                update={
                    "metadata": {**node.metadata, _RETRIEVAL_SCORE: retrieved.score},
                    # A number that the next reranker, or the LLM, would take for a part of the text.
                    "excluded_embed_metadata_keys": [*node.excluded_embed_metadata_keys, _RETRIEVAL_SCORE],
                    "excluded_llm_metadata_keys": [*node.excluded_llm_metadata_keys, _RETRIEVAL_SCORE],
                }
            )
        return retrieved.model_copy(update={"node": node, "score": ranked.score})


def _query(query_bundle: QueryBundle | None) -> QueryBundle:
    if not isinstance(query_bundle, QueryBundle):
        raise InputError(
            "SecondPassRerank needs a query to rank by: call postprocess_nodes with query_str= or query_bundle="
        )
    return query_bundle


def _checked(nodes: list[NodeWithScore]) -> list[NodeWithScore]:
    """Return the nodes; the event that reports them would refuse others with an error of pydantic's."""
    for at, node in enumerate(nodes or ()):
        if not isinstance(node, NodeWithScore):
            raise InputError(f"nodes[{at}] must be a NodeWithScore, not {type(node).__name__}")
    return nodes


def _model_name(reranker: Reranker) -> str:
    """Return the name that `secondpass.load` takes: of the settings the model alone, for others may be secret."""
    while isinstance(reranker, PassageReranker | PriorReranker):
        reranker = reranker.wrapped
    kind = reranker.registry_name or type(reranker).__name__
    model = getattr(reranker, "model", None)
    return f"{kind}:{model}" if isinstance(model, str) else kind
