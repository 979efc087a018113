"""A query engine that asks another one only where what it retrieved answers the question."""

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE, AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from llama_index.postprocessor.secondpass.responses import passages_of
from llama_index.postprocessor.secondpass.wrapping import WrappingQueryEngine
from secondpass.adapters import load_sufficiency_check

if TYPE_CHECKING:
    from secondpass.verify.sufficiency import Sufficiency, SufficiencyCheck

__all__ = ["SufficiencyQueryEngine"]

_NOT_FOUND = "The sources that were found do not answer this."
_DISAGREE = "The sources that were found contradict one another."


class SufficiencyQueryEngine(WrappingQueryEngine):
    """Answers only where the nodes that were retrieved answer the question, and agree; else no LLM is asked.

    ```python
    query_engine = SufficiencyQueryEngine(index.as_query_engine())
    query_engine.query(question).metadata["sufficiency"]["decision"]   # "answer", "search_again" or "disagree"
    ```

    It retrieves with the wrapped engine, checks the nodes, and has the wrapped engine answer from them. Otherwise the
    response is a message with the nodes, in one piece of a stream where the wrapped engine streams.
    ``metadata["sufficiency"]`` is `Sufficiency.to_dict` in either case.

    Args:
        query_engine: any query engine that can ``retrieve`` and ``synthesize``.
        check: a `SufficiencyCheck`, or its settings: ``{"threshold": 0.6}``.
        not_found: the response where no node answers.
        disagree: the response where nodes contradict one another; None answers all the same.
        metadata_mode: what is read of nodes besides their text, as in `VerifyingQueryEngine`.
        callback_manager: LlamaIndex's; the wrapped engine's by default.

    Raises:
        ConfigError: a setting can't be used.
        ModelError: a model can't be loaded.
    """

    def __init__(
        self,
        query_engine: BaseQueryEngine,
        check: "SufficiencyCheck | Mapping[str, Any] | None" = None,
        *,
        not_found: str = _NOT_FOUND,
        disagree: str | None = _DISAGREE,
        metadata_mode: MetadataMode | str = MetadataMode.NONE,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(query_engine, metadata_mode, callback_manager)
        self.check = load_sufficiency_check(check)
        self.not_found, self.disagree = not_found, disagree

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._reported(query_bundle) as finished:
            nodes = self.retrieve(query_bundle)
            found = self.check.check(query_bundle.query_str, passages_of(nodes, self.metadata_mode))
            instead = self._instead(found, nodes)
            if instead is not None and self._streams:
                instead = StreamingResponse(iter((str(instead),)), nodes, instead.metadata)  # type: ignore[arg-type]
            finished.append(instead or _with(self.query_engine.synthesize(query_bundle, nodes), found))
        return finished[0]

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._reported(query_bundle) as finished:
            nodes = await self.aretrieve(query_bundle)
            found = await self.check.acheck(query_bundle.query_str, passages_of(nodes, self.metadata_mode))
            instead = self._instead(found, nodes)
            if instead is not None and self._streams:
                instead = AsyncStreamingResponse(_pieces(str(instead)), nodes, instead.metadata)
            finished.append(instead or _with(await self.query_engine.asynthesize(query_bundle, nodes), found))
        return finished[0]

    @property
    def _streams(self) -> bool:
        """Whether the wrapped engine gives a stream, as far as it says so."""
        return bool(getattr(getattr(self.query_engine, "_response_synthesizer", None), "_streaming", False))

    def _instead(self, found: "Sufficiency", nodes: list[NodeWithScore]) -> RESPONSE_TYPE | None:
        """Return what is said where nothing is answered; None where it is."""
        text = {"search_again": self.not_found, "disagree": self.disagree}.get(found.decision)
        return None if text is None else Response(text, source_nodes=nodes, metadata={_KEY: found.to_dict()})


_KEY = "sufficiency"


async def _pieces(text: str) -> AsyncGenerator[str, None]:
    yield text


def _with(response: RESPONSE_TYPE, found: "Sufficiency") -> RESPONSE_TYPE:
    response.metadata = {**(response.metadata or {}), _KEY: found.to_dict()}
    return response
