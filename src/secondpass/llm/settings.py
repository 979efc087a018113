"""Checks the settings of what asks a language model when it is built, not when it is used."""

from collections.abc import Mapping
from typing import Any

from secondpass.errors import ConfigError
from secondpass.secret import split_url

__all__ = ["check_asking", "check_settings"]

_AT_LEAST = {"window": 2, "step": 1, "samples": 1, "set_size": 2, "top_k": 1, "max_document_chars": 1}
_ASKING_AT_LEAST = {"max_retries": 0, "concurrency": 1, "cache_size": 0}


def check_asking(owner: Any, at_least: Mapping[str, int]) -> None:
    """Check the attributes that all have that ask a language model, and further whole numbers.

    Args:
        owner: a `secondpass.llm.asking.Asking`.
        at_least: the names of its whole numbers, and the lowest that each may be.

    Raises:
        ConfigError: one is out of range; the message says which, and what it may be.
    """
    kind = type(owner).__name__
    if not isinstance(owner.model, str) or not owner.model:
        raise ConfigError(f"{kind}: model must be the model's name at the server, not {owner.model!r}")
    if owner.base_url is not None:
        split_url(owner.base_url, f"{kind}: base_url")
    for name, least in {**at_least, **_ASKING_AT_LEAST}.items():
        if type(getattr(owner, name)) is not int or getattr(owner, name) < least:
            raise ConfigError(f"{kind}: {name} must be a whole number of at least {least}")
    for name in ("timeout_s", "total_timeout_s", "backoff_s"):
        value = getattr(owner, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
            raise ConfigError(f"{kind}: {name} must be a number of seconds above 0, not {value!r}")


def check_settings(reranker: Any) -> None:
    """Check the attributes of an `LLMReranker`.

    Raises:
        ConfigError: one is out of range; the message says which, and what it may be.
    """
    check_asking(reranker, _AT_LEAST)
    for name, choices in (
        ("mode", ("pointwise", "graded", "listwise", "setwise", "pairwise")),
        ("grades", (3, 10)),
        ("pairs", ("sliding", "all")),
        ("on_error", ("raise", "keep")),
    ):
        if getattr(reranker, name) not in choices:
            wanted = " or ".join(map(repr, choices))
            raise ConfigError(f"LLMReranker: {name} must be {wanted}, not {getattr(reranker, name)!r}")
    if reranker.max_tokens is not None and (type(reranker.max_tokens) is not int or reranker.max_tokens < 1):
        raise ConfigError("LLMReranker: max_tokens must be a whole number of at least 1, or None")
    if reranker.step > reranker.window:
        raise ConfigError(
            f"LLMReranker: step ({reranker.step}) must be at most window ({reranker.window}), or it skips some"
        )
