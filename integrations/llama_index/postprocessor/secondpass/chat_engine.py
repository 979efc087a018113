"""The chat engine: from another one's answer, by `FactVerifier.verify`, to one that may be shown and remembered."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.chat_engine.types import (
    AGENT_CHAT_RESPONSE_TYPE,
    AgentChatResponse,
    BaseChatEngine,
    StreamingAgentChatResponse,
)
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # it's re-exported
from llama_index.core.schema import MetadataMode

from llama_index.postprocessor.secondpass.responses import checked_mode, passages_of, passages_of_tools
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.errors import ConfigError
from secondpass.verify.types import Verification

__all__ = ["VerifiedChatStream", "VerifyingChatEngine"]

dispatcher = get_dispatcher(__name__)

_KEY = "verification"


@dataclass
class VerifiedChatStream(StreamingAgentChatResponse):
    """A streaming response whose text has been verified before its first piece is given out.

    Attributes:
        metadata: with the key ``verification``, as an `AgentChatResponse` has it.
    """

    metadata: dict[str, Any] = field(default_factory=dict)


class VerifyingChatEngine(BaseChatEngine):
    """Verifies each answer of a chat engine against the nodes that it answered from.

    ```python
    chat_engine = VerifyingChatEngine(index.as_chat_engine(), verifier={"policy": "drop"})
    response = chat_engine.chat("How do I copy a file?")
    response.metadata["verification"]["passed"]
    ```

    As in `VerifyingQueryEngine`, the response is a copy of the wrapped engine's: its text is what the verifier's
    policy made of it, and ``metadata["verification"]`` is `Verification.to_dict`. Sources are the response's source
    nodes; without any, what its tools returned.

    **The history has what was given out**: a claim that was left out or marked is not, in the next turn, what the
    model believes to have said. As long as every answer comes through unchanged, the history is the wrapped engine's
    memory. From the first one that does not, it's kept here, and handed over with each message. With the policy
    ``raise``, a turn that raises `VerificationFailedError` leaves the history as it was.

    **A stream is read to its end, verified, and then given out**, in one piece, as a `VerifiedChatStream`: what has
    been shown can't be taken back.

    Args:
        chat_engine: any chat engine. One without sources (`SimpleChatEngine`) has nothing to be verified against, so
            none of its answers passes that claims anything.
        verifier: the name or folder of an NLI model, the settings of a `FactVerifier` as a mapping, or a
            `FactVerifier`. It is loaded here. One that is only named lets answers pass that have nothing to check
            (``allow_unchecked``), as users also greet; with settings or a `FactVerifier`, that is the caller's
            own decision.
        metadata_mode: what is read of source nodes besides their text, as in `VerifyingQueryEngine`.

    Attributes:
        chat_engine: the wrapped engine.
        verifier: the loaded `FactVerifier`.

    Raises:
        ConfigError: a setting can't be used.
        ModelError: the model can't be loaded.
    """

    def __init__(
        self,
        chat_engine: BaseChatEngine,
        verifier: VerifierLike = "secondpass-nli-minilm",
        *,
        metadata_mode: MetadataMode | str = MetadataMode.NONE,
    ) -> None:
        if not isinstance(chat_engine, BaseChatEngine):
            raise ConfigError(f"VerifyingChatEngine wraps a chat engine, not a {type(chat_engine).__name__}")
        self.chat_engine = chat_engine
        self.metadata_mode = checked_mode(metadata_mode)
        self.verifier = load_verifier(verifier, allow_unchecked=True)
        self._history: list[ChatMessage] | None = None  # None: the wrapped engine's is right

    def chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> AgentChatResponse:
        """Return the wrapped engine's answer, verified."""
        turn = self._begin(message, chat_history)
        return self._verified(turn, _whole(self.chat_engine.chat(message, turn.handed_over)))

    async def achat(self, message: str, chat_history: list[ChatMessage] | None = None) -> AgentChatResponse:
        """Async version of `chat`."""
        turn = self._begin(message, chat_history)
        return await self._averified(turn, await _awhole(await self.chat_engine.achat(message, turn.handed_over)))

    def stream_chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> VerifiedChatStream:
        """Return the wrapped engine's answer, verified as a whole, as a stream."""
        turn = self._begin(message, chat_history)
        return _stream(self._verified(turn, _whole(self.chat_engine.stream_chat(message, turn.handed_over))))

    async def astream_chat(self, message: str, chat_history: list[ChatMessage] | None = None) -> VerifiedChatStream:
        """Async version of `stream_chat`."""
        turn = self._begin(message, chat_history)
        streamed = await self.chat_engine.astream_chat(message, turn.handed_over)
        return _stream(await self._averified(turn, await _awhole(streamed)))

    def reset(self) -> None:
        """Forget the conversation."""
        self._history = None
        self.chat_engine.reset()

    @property
    def chat_history(self) -> list[ChatMessage]:
        """The conversation, with the answers that were given out."""
        return self.chat_engine.chat_history if self._history is None else list(self._history)

    def _begin(self, message: str, chat_history: list[ChatMessage] | None) -> "_Turn":
        if chat_history is not None:
            self._history = None
            return _Turn(message, list(chat_history), list(chat_history))
        if self._history == []:  # the first turn was taken back; some engines take an empty history for none given
            self.reset()
        return _Turn(message, list(self.chat_history), None if self._history is None else list(self._history))

    @dispatcher.span
    def _verified(self, turn: "_Turn", response: AgentChatResponse) -> AgentChatResponse:
        with self._taken_back_if_it_fails(turn):
            verification = self.verifier.verify(**self._inputs(turn, response))
        return self._given_out(turn, response, verification)

    @dispatcher.span
    async def _averified(self, turn: "_Turn", response: AgentChatResponse) -> AgentChatResponse:
        with self._taken_back_if_it_fails(turn):
            verification = await self.verifier.averify(**self._inputs(turn, response))
        return self._given_out(turn, response, verification)

    def _inputs(self, turn: "_Turn", response: AgentChatResponse) -> dict[str, Any]:
        passages = passages_of(response.source_nodes, self.metadata_mode)
        if not passages:
            tools = [(str(at), output) for at, output in enumerate(response.sources, start=1)]
            passages = passages_of_tools(tools, self.metadata_mode)
        return {"answer": response.response, "passages": passages, "question": turn.message}

    @contextmanager
    def _taken_back_if_it_fails(self, turn: "_Turn") -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._history = turn.before
            raise

    def _given_out(self, turn: "_Turn", response: AgentChatResponse, verification: Verification) -> AgentChatResponse:
        if self._history is not None or verification.text != response.response:
            self._history = turn.ended(verification.text)
        metadata = {**(response.metadata or {}), _KEY: verification.to_dict()}
        return replace(response, response=verification.text, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A message of the user, the history before it, and that which the wrapped engine is given, or None.

    The latter is a copy, as some memories go on writing into the list that they are given.
    """

    message: str
    before: list[ChatMessage]
    handed_over: list[ChatMessage] | None

    def ended(self, answer: str) -> list[ChatMessage]:
        """Return the history after it."""
        asked = ChatMessage(content=self.message, role=MessageRole.USER)
        return [*self.before, asked, ChatMessage(content=answer, role=MessageRole.ASSISTANT)]


def _whole(response: AGENT_CHAT_RESPONSE_TYPE) -> AgentChatResponse:
    """Return a response with its whole text; the stream of a streaming one is read to its end."""
    if not isinstance(response, StreamingAgentChatResponse):
        return response
    for _ in response.response_gen:
        pass
    return _with_sources(response)


async def _awhole(response: AGENT_CHAT_RESPONSE_TYPE) -> AgentChatResponse:
    """Async version of `_whole`."""
    if not isinstance(response, StreamingAgentChatResponse):
        return response
    if response.achat_stream is None:  # its generator waits for the LLM in the thread that reads it
        return await asyncio.to_thread(_whole, response)
    async for _ in response.async_response_gen():
        pass
    return _with_sources(response)


def _with_sources(response: StreamingAgentChatResponse) -> AgentChatResponse:
    return AgentChatResponse(response.response, sources=response.sources, source_nodes=response.source_nodes)


def _stream(response: AgentChatResponse) -> VerifiedChatStream:
    piece = ChatResponse(
        message=ChatMessage(content=response.response, role=MessageRole.ASSISTANT), delta=response.response
    )

    def pieces() -> Generator[ChatResponse, None, None]:
        yield piece

    async def apieces() -> AsyncGenerator[ChatResponse, None]:
        yield piece

    return VerifiedChatStream(
        response=response.response,
        sources=response.sources,
        source_nodes=response.source_nodes,
        chat_stream=pieces(),
        achat_stream=apieces(),
        is_writing_to_memory=False,
        metadata=response.metadata or {},
    )
