"""LlamaIndex's language models, asked by `LLMReranker`, the judge and the like in place of a server."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LogProb, MessageRole
from llama_index.core.llms import LLM
from llama_index.core.llms.loading import load_llm

from secondpass.config import digest, settings_in
from secondpass.errors import ConfigError, first_line
from secondpass.llm import Answer, ForeignModel, Prompt, TokenChoice
from secondpass.llm.types import whole_number

__all__ = ["LanguageModel"]

_SECRET = re.compile(
    r"(key|key_id|password|secret|headers|credentials|authorization|^token|(access|session|auth|refresh|api)_token)$",
    re.IGNORECASE,
)
# What providers call their counts of tokens.
_PROMPT = ("prompt_tokens", "input_tokens", "prompt_token_count")
_ANSWER = ("completion_tokens", "output_tokens", "candidates_token_count")


class LanguageModel(ForeignModel):
    """A LlamaIndex ``LLM`` as a completion.

    Its own settings hold, such as its temperature and its longest answer. Log-probabilities, for ``mode="pointwise"``,
    come from models that return them (``logprobs=True`` of OpenAI's).

    Args:
        model: the language model.

    Raises:
        ConfigError: it is something else.
    """

    registry_name: ClassVar[str] = "llama_index"

    def __init__(self, model: LLM) -> None:
        if not isinstance(model, LLM):
            raise ConfigError(f"llm must be LlamaIndex's LLM, not {type(model).__name__}")
        self.model = model

    @property
    def name(self) -> str:
        """The model's name at its provider, or the name of its class."""
        name = self.model.metadata.model_name
        return name if name and name != "unknown" else type(self.model).__name__

    def __call__(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Ask it once; the time limit is held by who asks."""
        system, user = MessageRole.SYSTEM, MessageRole.USER
        reply = self.model.chat([ChatMessage(prompt.system, role=system), ChatMessage(prompt.user, role=user)])
        return Answer(
            reply.message.content or "", _tokens(reply.logprobs), _counted(reply, _PROMPT), _counted(reply, _ANSWER)
        )

    @property
    def fingerprint(self) -> str:
        """The class and the settings, without keys."""
        cls = type(self.model)
        try:
            settings = _written(self.model)
        except ConfigError:  # what can't be written is told apart by its name
            settings = {"model": self.name}
        return digest([self.registry_name, cls.__module__, cls.__qualname__, settings])

    def to_config(self) -> dict[str, Any]:
        """Return the class and the settings as LlamaIndex writes them, without what may be a key.

        Raises:
            ConfigError: LlamaIndex can't read what it writes of this class.
        """
        written = _written(self.model)
        try:
            type(self)._read(written)
        except ConfigError as exc:
            raise ConfigError(f"no configuration can name {type(self.model).__name__}: {exc}") from exc
        return {"type": self.registry_name, "model": written}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build the model from what `to_config` wrote; keys come from the environment.

        Raises:
            ConfigError: LlamaIndex can't read it; the package of the model may not be installed.
        """
        return cls(cls._read(settings_in(config, cls).get("model")))

    @classmethod
    def _read(cls, written: Any) -> LLM:
        try:
            return load_llm(dict(written))
        except Exception as exc:  # whatever a model's constructor raises
            raise ConfigError(f"llm can't be built as LlamaIndex wrote it: {first_line(exc)}") from exc


def _written(model: LLM) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(_without_secrets(model.to_dict())))
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"the settings of {type(model).__name__} are not all data: {first_line(exc)}") from exc
    return plain


def _without_secrets(value: Any) -> Any:
    """Return settings without what may be a key, also within others, such as the headers of each request."""
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _without_secrets(item) for name, item in value.items() if not _SECRET.search(str(name))}


def _tokens(logprobs: Sequence[Sequence[LogProb]] | None) -> tuple[TokenChoice, ...] | None:
    if not logprobs:
        return None
    return tuple(
        TokenChoice(likeliest[0].token if likeliest else "", tuple((each.token, each.logprob) for each in likeliest))
        for likeliest in logprobs
    )


def _counted(reply: ChatResponse, names: Sequence[str]) -> int | None:
    """Return a count of tokens: LlamaIndex's own or, as not all models have that, the one in the provider's reply."""
    usages = (reply.additional_kwargs, _field(reply.raw, "usage"), _field(reply.raw, "usage_metadata"))
    counts = [whole_number(_field(usage, name)) for usage in usages for name in names]
    return next((count for count in counts if count is not None), None)


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
