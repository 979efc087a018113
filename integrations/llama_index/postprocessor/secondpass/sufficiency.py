"""A query engine that asks another one only where what it retrieved answers the question."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.prompts.mixin import PromptDictType, PromptMixinType
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from llama_index.postprocessor.secondpass.responses import checked_mode, passages_of
from secondpass.adapters import load_sufficiency_check
from secondpass.errors import ConfigError

if TYPE_CHECKING:
    from secondpass.verify.sufficiency import Sufficiency, SufficiencyCheck

__all__ = ["SufficiencyQueryEngine"]

_NOT_FOUND = "The sources that were found do not answer this."
_DISAGREE = "The sources that were found contradict one another."


class SufficiencyQueryEngine(BaseQueryEngine):
    """Answers only where the nodes that were retrieved answer the question, and agree; else no LLM is asked.

    ```python
    query_engine = SufficiencyQueryEngine(index.as_query_engine())
    query_engine.query(question).metadata["sufficiency"]["decision"]   # "answer", "search_again" or "disagree"
    ```

    It retrieves with the wrapped engine, checks the nodes, and has the wrapped engine answer from them. Otherwise the
    response is a message with the nodes. ``metadata["sufficiency"]`` is `Sufficiency.to_dict` in either case.

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
        if not isinstance(query_engine, BaseQueryEngine):
            raise ConfigError(f"SufficiencyQueryEngine wraps a query engine, not a {type(query_engine).__name__}")
        self.query_engine = query_engine
        self.check = load_sufficiency_check(check)
        self.not_found, self.disagree = not_found, disagree
        self.metadata_mode = checked_mode(metadata_mode)
        super().__init__(callback_manager or query_engine.callback_manager)

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self.callback_manager.event(CBEventType.QUERY, payload=_asked(query_bundle)) as event:
            nodes = self.query_engine.retrieve(query_bundle)
            found = self.check.check(query_bundle.query_str, passages_of(nodes, self.metadata_mode))
            response = self._instead(found, nodes)
            if response is None:
                response = _with(self.query_engine.synthesize(query_bundle, nodes), found)
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self.callback_manager.event(CBEventType.QUERY, payload=_asked(query_bundle)) as event:
            nodes = await asyncio.to_thread(self.query_engine.retrieve, query_bundle)
            found = await self.check.acheck(query_bundle.query_str, passages_of(nodes, self.metadata_mode))
            response = self._instead(found, nodes)
            if response is None:
                response = _with(await self.query_engine.asynthesize(query_bundle, nodes), found)
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    def _instead(self, found: "Sufficiency", nodes: list[NodeWithScore]) -> RESPONSE_TYPE | None:
        """Return what is said where nothing is answered; None where it is."""
        text = {"search_again": self.not_found, "disagree": self.disagree}.get(found.decision)
        return None if text is None else Response(text, source_nodes=nodes, metadata={_KEY: found.to_dict()})

    # The wrapped engine's own, as in `VerifyingQueryEngine`.
    def _get_prompts(self) -> dict[str, Any]:
        return self.query_engine._get_prompts()

    def _get_prompt_modules(self) -> PromptMixinType:
        return self.query_engine._get_prompt_modules()

    def _update_prompts(self, prompts: PromptDictType) -> None:
        self.query_engine._update_prompts(prompts)


_KEY = "sufficiency"


def _asked(query_bundle: QueryBundle) -> dict[str, Any]:
    return {EventPayload.QUERY_STR: query_bundle.query_str}


def _with(response: RESPONSE_TYPE, found: "Sufficiency") -> RESPONSE_TYPE:
    response.metadata = {**(response.metadata or {}), _KEY: found.to_dict()}
    return response
