"""The settings of everything that asks a language model: declared, documented, completed and checked here once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from secondpass.errors import ConfigError
from secondpass.llm.budget import Budget
from secondpass.llm.foreign import foreign_model
from secondpass.llm.types import Completion
from secondpass.secret import Secret, split_url
from secondpass.validation import Constraint, Flag, Function, Number, Text, Whole, check_names, must_be

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["CallSettings", "LLMSettings", "checked_calls", "completed"]


class CallSettings(TypedDict, total=False):
    """How any model behind a server is called; every setting may be left out.

    Attributes:
        api_key: the key; never printed, saved or pickled. By default it is read from ``api_key_variable``.
        api_key_variable: the environment variable with the key. The key goes to the server, whoever that is.
        extra_body: further members of each request's body, such as ``{"reasoning_effort": "low"}``.
        timeout_s: for one call, 30 s by default, by the clock on the wall. A function that takes longer goes on in its
            thread, unheeded.
        total_timeout_s: for one query with its documents, or one answer with its claims, waits and retries included;
            120 s by default.
        max_retries: how often a call is repeated after 429, 5xx, a time-out or a lost connection, 3 by default: after
            a random wait whose limit doubles from ``backoff_s`` on, on top of what ``Retry-After`` says.
        backoff_s: the longest random wait before the first repetition, 0.5 s by default.
        concurrency: calls at the same time, over all threads that share the object; 8 by default.
        budget: limits to tokens and money: a `secondpass.llm.Budget`, which several objects can share, or its settings.
        cache_size: answers kept in memory; 0, the default, for none.
    """

    api_key: str | Secret | None
    api_key_variable: str
    extra_body: Mapping[str, Any] | None
    timeout_s: float
    total_timeout_s: float
    max_retries: int
    backoff_s: float
    concurrency: int
    budget: Budget | Mapping[str, Any] | None
    cache_size: int


class LLMSettings(CallSettings, total=False):
    """How a language model is asked; every setting may be left out, and those of `CallSettings` are further ones.

    Attributes:
        base_url: an OpenAI-compatible server, up to ``/v1``; ``OPENAI_BASE_URL``, or OpenAI, by default. The key's
            variable is ``OPENAI_API_KEY`` by default.
        client: an ``openai.OpenAI`` or ``openai.AsyncOpenAI``, instead of ``base_url`` and ``api_key``: these two are
            read from it, and nothing else of it is used.
        completion: a function that is asked in place of a server, see `secondpass.llm.Completion`; the settings of the
            request (``base_url``, ``temperature``, ...) then have no effect.
        llm: a framework's own language model, asked in place of a server, as it is: a LangChain ``BaseChatModel`` or a
            LlamaIndex ``LLM``. Its own settings hold (its temperature, its longest answer); ``timeout_s``, retries and
            the like are ours.
        temperature: 0 by default; None for models that take none.
        seed: for the server, 0 by default; None leaves it to the server.
        structured: send a JSON schema, which most servers enforce, as by default. Otherwise the schema is only asked
            for in the prompt.
    """

    base_url: str | None
    client: "OpenAI | AsyncOpenAI | None"
    completion: Completion | None
    llm: Any
    temperature: float | None
    seed: int | None
    structured: bool


_CALLS: CallSettings = {
    "api_key": None,
    "api_key_variable": "",
    "extra_body": None,
    "timeout_s": 30.0,
    "total_timeout_s": 120.0,
    "max_retries": 3,
    "backoff_s": 0.5,
    "concurrency": 8,
    "budget": None,
    "cache_size": 0,
}
_DEFAULTS: LLMSettings = {
    "base_url": None,
    "api_key_variable": "OPENAI_API_KEY",
    "completion": None,
    "llm": None,
    "temperature": 0.0,
    "seed": 0,
    "structured": True,
}
_TIME = Number(above=0, at_most=1e6, unit="seconds")  # a system's wait takes no more than some centuries
_OF_CALLS: dict[str, Constraint[Any]] = {
    "api_key_variable": Text(empty=True),
    "timeout_s": _TIME,
    "total_timeout_s": _TIME,
    "max_retries": Whole(at_least=0),
    "backoff_s": _TIME,
    "concurrency": Whole(at_least=1),
    "cache_size": Whole(at_least=0),
}
_CONSTRAINTS: dict[str, Constraint[Any]] = {
    "completion": Function("from a Prompt and seconds to an Answer") | None,
    "temperature": Number(at_least=0) | None,
    "seed": Whole() | None,
    "structured": Flag(),
}


def checked_calls(given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return settings with those of `CallSettings` checked, and the defaults of the ones that are not there.

    Args:
        given: all settings of a model; those of other names are left as they are.
        owner: whose they are, for errors.

    Raises:
        ConfigError: one is out of range.
    """
    settings: dict[str, Any] = {**_CALLS, **given}
    for name, constraint in _OF_CALLS.items():
        settings[name] = constraint.checked(settings[name], f"{owner}: {name}")
    extra = settings["extra_body"]
    if extra is not None and not isinstance(extra, Mapping):
        raise ConfigError(must_be(f"{owner}: extra_body", "a mapping, or None", extra))
    key = Secret(settings["api_key"], variable=settings["api_key_variable"])
    return settings | {"api_key": key, "api_key_variable": key.variable, "budget": Budget.of(settings["budget"])}


def completed(given: LLMSettings, owner: str) -> dict[str, Any]:
    """Return all settings but ``client``, checked: those that were given, with the defaults of the others.

    Args:
        given: what a constructor took as ``**settings``.
        owner: whose constructor that is, for errors.

    Raises:
        ConfigError: there is no setting of a name, or it is out of range.
    """
    check_names(given, LLMSettings.__annotations__, owner)
    settings: dict[str, Any] = {**_DEFAULTS, **given}
    client = settings.pop("client", None)
    if client is not None:
        settings |= _server_of(client, given, owner)
    if settings["llm"] is not None:
        for name in ("base_url", "api_key", "completion", "client"):
            if given.get(name) is not None:
                raise ConfigError(f"{owner}: llm is asked in place of a server, so {name} can't be set as well")
        settings["llm"] = foreign_model(settings["llm"], owner)
    for name, constraint in _CONSTRAINTS.items():
        settings[name] = constraint.checked(settings[name], f"{owner}: {name}")
    if settings["base_url"] is not None:
        split_url(settings["base_url"], f"{owner}: base_url")
    return checked_calls(settings, owner)


def _server_of(client: object, given: LLMSettings, owner: str) -> dict[str, Any]:
    """Return the address and the key of a client of the package openai, which is not imported for it."""
    for name in ("base_url", "api_key", "completion"):
        if given.get(name) is not None:
            raise ConfigError(f"{owner}: client has its own base_url and api_key, so {name} can't be set as well")
    classes = {cls.__name__ for cls in type(client).__mro__}
    if classes & {"AzureOpenAI", "AsyncAzureOpenAI"}:
        right = "an OpenAI with base_url='https://RESOURCE.openai.azure.com/openai/v1'"
        raise ConfigError(f"{owner}: client can't be an {type(client).__name__}: pass {right}")
    url, key = getattr(client, "base_url", None), getattr(client, "api_key", None)
    if not classes & {"OpenAI", "AsyncOpenAI"} or url is None or not isinstance(key, str):
        # The value is not shown: it may be a key.
        raise ConfigError(f"{owner}: client must be an openai.OpenAI or AsyncOpenAI, not {type(client).__name__}")
    return {"base_url": str(url).rstrip("/"), "api_key": key}
