"""The query engine: from another one's response, by `FactVerifier.verify`, to one that may be shown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # it's re-exported
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from llama_index.postprocessor.secondpass.responses import acompleted, completed, passages_of
from llama_index.postprocessor.secondpass.wrapping import WrappingQueryEngine
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.verify.types import Verification

__all__ = ["VerifyingQueryEngine"]

dispatcher = get_dispatcher(__name__)

_KEY = "verification"


class VerifyingQueryEngine(WrappingQueryEngine):
    """Verifies what a query engine answers against the nodes that it answered from.

    ```python
    query_engine = VerifyingQueryEngine(index.as_query_engine(), verifier={"policy": "abstain"})
    response = query_engine.query(question)
    response.metadata["verification"]["passed"]
    ```

    The response is a copy of the wrapped engine's: its text is what the verifier's policy made of it, and
    ``metadata["verification"]`` is `Verification.to_dict`, with the answer as it was, and with the ids of the
    nodes. With the policy ``raise``, `VerificationFailedError` is raised. The source nodes are the evidence, in
    their order, so that ``[1]`` in the answer is the first.

    **A streaming response is read to its end, verified, and returned as a plain `Response`**: what has been shown
    can't be taken back. To verify a stream while it is shown, see `FactVerifier.stream`.

    It has the wrapped engine's prompts; `synthesize` verifies as `query` does, `retrieve` only retrieves. Each
    query is a span and a ``QUERY`` event around those of the wrapped engine, and the verification is a span within.

    Args:
        query_engine: any query engine. One that answers with an output class (a `PydanticResponse`) is an `InputError`
            when it does.
        verifier: the name or folder of an NLI model, the settings of a `FactVerifier` as a mapping, or a
            `FactVerifier`. It is loaded here.
        metadata_mode: what is read of source nodes besides their text. By default nothing (``MetadataMode.NONE``), so
            that offsets of evidence are those in the node's text. ``MetadataMode.LLM`` is what the LLM read, so that
            claims that rest on metadata are supported; but paths and the like in it make verdicts less sure.
        callback_manager: LlamaIndex's; the wrapped engine's by default.

    Attributes:
        query_engine: the wrapped engine.
        verifier: the loaded `FactVerifier`.

    Raises:
        ConfigError: a setting can't be used.
        ModelError: the model can't be loaded.
    """

    def __init__(
        self,
        query_engine: BaseQueryEngine,
        verifier: VerifierLike = "secondpass-nli-minilm",
        *,
        metadata_mode: MetadataMode | str = MetadataMode.NONE,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(query_engine, metadata_mode, callback_manager)
        self.verifier = load_verifier(verifier)

    # The framework puts the spans around these two, since they are abstract in the base class.
    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._reported(query_bundle) as finished:
            finished.append(self._verified(query_bundle, completed(self.query_engine.query(query_bundle))))
        return finished[0]

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._reported(query_bundle) as finished:
            response = await acompleted(await self.query_engine.aquery(query_bundle))
            finished.append(await self._averified(query_bundle, response))
        return finished[0]

    def synthesize(
        self,
        query_bundle: QueryBundle,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
    ) -> RESPONSE_TYPE:
        """Verify what the wrapped engine makes of nodes."""
        response = self.query_engine.synthesize(query_bundle, nodes, additional_source_nodes)
        return self._verified(query_bundle, completed(response))

    async def asynthesize(
        self,
        query_bundle: QueryBundle,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
    ) -> RESPONSE_TYPE:
        """Async version of `synthesize`."""
        response = await self.query_engine.asynthesize(query_bundle, nodes, additional_source_nodes)
        return await self._averified(query_bundle, await acompleted(response))

    @dispatcher.span
    def _verified(self, query_bundle: QueryBundle, response: Response) -> Response:
        return _with(response, self.verifier.verify(**self._inputs(query_bundle, response)))

    @dispatcher.span
    async def _averified(self, query_bundle: QueryBundle, response: Response) -> Response:
        return _with(response, await self.verifier.averify(**self._inputs(query_bundle, response)))

    def _inputs(self, query_bundle: QueryBundle, response: Response) -> dict[str, Any]:
        passages = passages_of(response.source_nodes, self.metadata_mode)
        return {"answer": response.response or "", "passages": passages, "question": query_bundle.query_str}


def _with(response: Response, verification: Verification) -> Response:
    metadata = {**(response.metadata or {}), _KEY: verification.to_dict()}
    return replace(response, response=verification.text, metadata=metadata)
