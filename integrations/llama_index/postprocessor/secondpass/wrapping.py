"""What query engines around another one share."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.prompts.mixin import PromptDictType, PromptMixinType
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from llama_index.postprocessor.secondpass.responses import checked_mode
from secondpass.errors import ConfigError

__all__ = ["WrappingQueryEngine"]


class WrappingQueryEngine(BaseQueryEngine):
    """A query engine around another one, with that one's prompts and retrieval.

    Args:
        query_engine: the other one.
        metadata_mode: what is read of nodes besides their text.
        callback_manager: LlamaIndex's; the wrapped engine's by default.

    Raises:
        ConfigError: a setting can't be used.
    """

    def __init__(
        self,
        query_engine: BaseQueryEngine,
        metadata_mode: MetadataMode | str,
        callback_manager: CallbackManager | None,
    ) -> None:
        if not isinstance(query_engine, BaseQueryEngine):
            raise ConfigError(f"{type(self).__name__} wraps a query engine, not a {type(query_engine).__name__}")
        self.query_engine = query_engine
        self.metadata_mode = checked_mode(metadata_mode)
        super().__init__(callback_manager or query_engine.callback_manager)

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Return what the wrapped engine retrieves."""
        return self.query_engine.retrieve(query_bundle)

    async def aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Async version of `retrieve`: the wrapped engine's own, where it has one, as not all have."""
        own: Callable[[QueryBundle], Awaitable[list[NodeWithScore]]] | None
        own = getattr(self.query_engine, "aretrieve", None)
        return await asyncio.to_thread(self.retrieve, query_bundle) if own is None else await own(query_bundle)

    @contextmanager
    def _reported(self, query_bundle: QueryBundle) -> Iterator[list[RESPONSE_TYPE]]:
        """Report the start, then the response that the caller has put into the yielded list, or its failure."""
        finished: list[RESPONSE_TYPE] = []
        payload: dict[str, Any] = {EventPayload.QUERY_STR: query_bundle.query_str}
        with self.callback_manager.event(CBEventType.QUERY, payload=payload) as event:
            yield finished
            event.on_end(payload={EventPayload.RESPONSE: finished[0]})

    # The wrapped engine's own instead of those of a module "query_engine": update_prompts knows one level of modules.
    def _get_prompts(self) -> dict[str, Any]:
        return self.query_engine._get_prompts()

    def _get_prompt_modules(self) -> PromptMixinType:
        return self.query_engine._get_prompt_modules()

    def _update_prompts(self, prompts: PromptDictType) -> None:
        self.query_engine._update_prompts(prompts)
