"""What the adapters for the frameworks share."""

import math
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

from secondpass.base import Reranker
from secondpass.config import refuse_endless
from secondpass.errors import ConfigError
from secondpass.loading import load
from secondpass.secret import Secret

if TYPE_CHECKING:
    from secondpass.verify.verifier import FactVerifier

__all__ = ["VerifierLike", "known_scores", "load_uncut", "load_verifier", "without_secrets"]

VerifierLike: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | FactVerifier"
"""The name or folder of an NLI model, the settings of a `FactVerifier`, or one."""


def load_uncut(reranker: str | Mapping[str, Any] | Reranker) -> Reranker:
    """Load a reranker as `load` does; one that was only named does not cut long documents.

    With a name alone, nobody has decided what to do with documents that are longer than the model reads,
    so the reranker is wrapped into a `PassageReranker`, which scores them window by window and leaves short
    ones as they are. This happens where the model's limit is known. A configuration or a `Reranker` is the
    caller's own decision, and is returned unchanged.

    Raises:
        SecondPassError: what `load` raises.
    """
    loaded = load(reranker)
    if not isinstance(reranker, str):
        return loaded
    from secondpass.composition.passage import uncut  # here, as `load` imports what is asked for and no more

    return uncut(loaded)


def load_verifier(verifier: VerifierLike, **usual: Any) -> "FactVerifier":
    """Return a verifier by its model's name, or by its settings; one is returned unchanged.

    Args:
        verifier: a name, a folder, a mapping or a `FactVerifier`.
        usual: settings for one that is only named; those in a mapping are the caller's own decision.

    Raises:
        ConfigError: it is not one of these, or a setting can't be used.
        ModelError: its model can't be loaded.
    """
    from secondpass.verify.verifier import FactVerifier  # here, as who only reranks needs nothing of it

    if isinstance(verifier, FactVerifier):
        return verifier
    if isinstance(verifier, Mapping):
        return FactVerifier.from_config(verifier)
    if isinstance(verifier, str | os.PathLike):
        return FactVerifier(verifier, **usual)
    raise ConfigError(f"verifier must be a model's name, a mapping or a FactVerifier, not {type(verifier).__name__}")


def known_scores(scores: Iterable[object]) -> list[float] | None:
    """Return the first stage's scores, or None unless there is a finite number for every document."""
    known: list[float] = []
    for score in scores:
        if not isinstance(score, Real) or isinstance(score, bool) or not math.isfinite(score):
            return None
        known.append(float(score))
    return known


def without_secrets(config: Any) -> Any:
    """Return a caller's configuration without its keys and passwords, as `to_config` would write it to a file.

    Raises:
        ConfigError: it contains itself, or is too deep or too large to be a configuration.
    """
    refuse_endless(config, "the configuration")
    return _without_secrets(config)


def _without_secrets(config: Any) -> Any:
    if isinstance(config, list | tuple):
        return [_without_secrets(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    kept = {name: _without_secrets(value) for name, value in config.items() if not _is_secret(name, value)}
    if kept.get("type") == "redis" and "url" in kept:
        from secondpass.cache.redis import without_password

        kept["url"], _ = without_password(kept["url"])
    return kept


def _is_secret(name: object, value: object) -> bool:
    return isinstance(value, Secret) or (name in ("api_key", "password") and isinstance(value, str))
