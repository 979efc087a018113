"""LangChain's chat models, asked by `LLMReranker`, the judge and the like in place of a server."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd, load
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from secondpass.config import digest, settings_in
from secondpass.errors import ConfigError, first_line
from secondpass.llm import Answer, ForeignModel, Prompt
from secondpass.llm.openai_response import read_tokens

__all__ = ["ChatModel"]

_CUT, _REFUSED = ("length", "max_tokens", "MAX_TOKENS"), ("content_filter", "refusal", "SAFETY")
_MOST_CANDIDATES = 20  # for each token, as many as OpenAI's API gives


class ChatModel(ForeignModel):
    """A LangChain ``BaseChatModel`` as a completion.

    Its own settings hold, such as its temperature and its longest answer. Log-probabilities, for ``mode="pointwise"``,
    are asked of models that have a setting of that name, as ChatOpenAI does.

    Args:
        model: the chat model.

    Raises:
        ConfigError: it is something else.
    """

    registry_name: ClassVar[str] = "langchain_core"

    def __init__(self, model: BaseChatModel) -> None:
        if not isinstance(model, BaseChatModel):
            raise ConfigError(f"llm must be a chat model, LangChain's BaseChatModel, not {type(model).__name__}")
        self.model = model

    @property
    def name(self) -> str:
        """The model's name at its provider, or the name of its class."""
        names = (getattr(self.model, each, None) for each in ("model_name", "model", "model_id"))
        return next((each for each in names if isinstance(each, str) and each), type(self.model).__name__)

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

    @property
    def fingerprint(self) -> str:
        """The class and the settings, as LangChain writes them, or as it tells them apart in its own caches."""
        written = dumpd(self.model)
        if written.get("type") == "constructor":
            return digest([self.registry_name, repr(written["id"]), repr(written["kwargs"])])
        cls = type(self.model)
        return digest([self.registry_name, cls.__module__, cls.__qualname__, repr(self.model._identifying_params)])

    def to_config(self) -> dict[str, Any]:
        """Return what `langchain_core.load` reads; keys are named, and read from the environment again.

        Raises:
            ConfigError: LangChain can't serialize the model.
        """
        written = dumpd(self.model)
        if written.get("type") != "constructor":
            kind = type(self.model).__name__
            raise ConfigError(f"LangChain can't serialize {kind}, so no configuration can name it (is_lc_serializable)")
        return {"type": self.registry_name, "model": written}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build the model from what `to_config` wrote: only a configuration that you trust.

        Raises:
            ConfigError: LangChain can't read it; the package of the model may not be installed.
        """
        settings = settings_in(config, cls)
        try:
            model = load(settings.get("model"), allowed_objects="all", secrets_from_env=True)
        except Exception as exc:  # whatever a model's constructor raises
            raise ConfigError(f"llm can't be built as LangChain wrote it: {first_line(exc)}") from exc
        return cls(model)
