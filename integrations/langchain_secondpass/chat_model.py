"""LangChain's chat models, asked by `LLMReranker`, the judge and the like in place of a server."""

from collections.abc import Mapping
from typing import Any, ClassVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_secondpass.objects import LangChainModel
from secondpass.llm import Answer, ForeignModel, Prompt
from secondpass.llm.openai_response import read_tokens

__all__ = ["ChatModel"]

_CUT, _REFUSED = ("length", "max_tokens", "MAX_TOKENS"), ("content_filter", "refusal", "SAFETY")
_MOST_CANDIDATES = 20  # for each token, as many as OpenAI's API gives


class ChatModel(LangChainModel, ForeignModel):
    """A LangChain ``BaseChatModel`` as a completion.

    Its own settings hold, such as its temperature and its longest answer. Log-probabilities, for ``mode="pointwise"``,
    are asked of models that have a setting of that name, as ChatOpenAI does.

    Args:
        model: the chat model.

    Raises:
        ConfigError: it is something else.
    """

    setting: ClassVar[str] = "llm"
    takes: ClassVar[type[Any]] = BaseChatModel

    def __call__(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Ask it once; the time limit is held by who asks."""
        wanted: dict[str, Any] = {}
        if prompt.logprobs and "logprobs" in type(self.model).model_fields:
            wanted = {"logprobs": True, "top_logprobs": _MOST_CANDIDATES}
        reply = self.model.invoke([SystemMessage(prompt.system), HumanMessage(prompt.user)], **wanted)
        said = reply.response_metadata
        usage = reply.usage_metadata if isinstance(reply, AIMessage) else None
        finish = said.get("finish_reason") or said.get("stop_reason")
        logprobs = said.get("logprobs")
        return Answer(
            str(reply.text),
            read_tokens(logprobs.get("content")) if isinstance(logprobs, Mapping) else None,
            usage["input_tokens"] if usage else None,
            usage["output_tokens"] if usage else None,
            refused=bool(reply.additional_kwargs.get("refusal")) or finish in _REFUSED,
            cut=finish in _CUT,
        )

    def _identity(self) -> str:
        return repr(self.model._identifying_params)
