"""A language model that says what a test tells it to; engines, agents and memories around it are LlamaIndex's own."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.bridge.pydantic import Field
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.tools import ToolSelection


class Scripted(CustomLLM, FunctionCallingLLM):
    """Gives one reply after the other, a text or the names and arguments of tools, and keeps what it was shown."""

    replies: list[Any] = Field(default_factory=list)
    shown: list[list[ChatMessage]] = Field(default_factory=list)

    def __init__(self, *replies: str | dict[str, dict[str, Any]]) -> None:
        super().__init__(replies=list(replies))

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_chat_model=True, is_function_calling_model=True)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        self.shown.append([message.model_copy(deep=True) for message in messages])
        reply = self.replies.pop(0)
        called = {} if isinstance(reply, str) else reply
        calls = [
            ToolSelection(tool_id=f"c{at}", tool_name=n, tool_kwargs=a) for at, (n, a) in enumerate(called.items())
        ]
        message = ChatMessage("" if called else reply, role=MessageRole.ASSISTANT)
        return ChatResponse(message=message, additional_kwargs={"calls": calls})

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        whole = self.chat(messages, **kwargs)
        words = (whole.message.content or "").split(" ")

        def pieces() -> Any:
            for at, word in enumerate(words):
                message = ChatMessage(" ".join(words[: at + 1]), role=MessageRole.ASSISTANT)
                yield whole.model_copy(update={"message": message, "delta": word if not at else f" {word}"})

        return pieces()

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self.chat(messages, **kwargs)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        streamed = self.stream_chat(messages, **kwargs)

        async def pieces() -> Any:
            for piece in streamed:
                yield piece

        return pieces()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=self.chat([ChatMessage(prompt)]).message.content or "")

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _prepare_chat_with_tools(self, tools: Any, chat_history: Any = None, **kwargs: Any) -> dict[str, Any]:
        return {"messages": chat_history}

    def get_tool_calls_from_response(self, response: Any, **kwargs: Any) -> list[ToolSelection]:
        return list(response.additional_kwargs["calls"])
