"""What the adapters for the frameworks share."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from secondpass.base import Reranker
from secondpass.config import refuse_endless
from secondpass.errors import ConfigError, InputError
from secondpass.loading import RerankerLike, load
from secondpass.secret import Secret
from secondpass.validation import shown

if TYPE_CHECKING:
    from secondpass.verify.monitored import MonitoredVerifier
    from secondpass.verify.sufficiency import SufficiencyCheck
    from secondpass.verify.verifier import FactVerifier

__all__ = [
    "DEFAULT_RERANKER",
    "VerifierLike",
    "check_named",
    "checked_documents",
    "checked_fields",
    "known_scores",
    "load_reranker",
    "load_sufficiency_check",
    "load_verifier",
    "without_secrets",
]

T = TypeVar("T")

VerifierLike: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | FactVerifier | MonitoredVerifier"
"""The name or folder of an NLI model, the settings of a `FactVerifier` or of a `MonitoredVerifier`, or one."""


DEFAULT_RERANKER = "cross-encoder:ms-marco-MiniLM-L12-v2"


def load_reranker(
    reranker: RerankerLike | None = None, *, model: str | os.PathLike[str] | None = None, device: str | None = None
) -> Reranker:
    """Return the reranker that an adapter was given: as itself, or by its name and device as other packages have it.

    Args:
        reranker: what `secondpass.load` takes; the default model if neither it nor ``model`` is given.
        model: the name or folder of a cross-encoder, which is what other packages call it.
        device: where a reranker that is only named runs, such as ``cuda``.

    Raises:
        ConfigError: both are given, or a device for a reranker or a configuration, which have their own.
        SecondPassError: what `secondpass.load` raises.
    """
    check_named(reranker, model, device)
    given = reranker if model is None else model
    settings = {} if device is None else {"device": device}
    return load(DEFAULT_RERANKER if given is None else given, **settings)


def check_named(reranker: object, model: object, device: object) -> None:
    """Check what an adapter was given, before it is loaded; see `load_reranker`.

    Raises:
        ConfigError: it can't be used.
    """
    if reranker is not None and model is not None:
        raise ConfigError(f"pass reranker or model, not both: model={shown(model)} is a reranker by its name")
    if model is not None and not isinstance(model, str | os.PathLike):
        kind = type(model).__name__
        raise ConfigError(f"model must be a model's name or folder, not {kind}: reranker= takes other things")
    if reranker is not None and not isinstance(reranker, str | os.PathLike | Mapping | Reranker):
        kind = type(reranker).__name__
        raise ConfigError(f'a reranker must be a name ("cross-encoder"), a mapping or a Reranker, not {kind}')
    if device is not None and isinstance(reranker, Mapping | Reranker):
        raise ConfigError("device goes with the name of a model: a reranker or a configuration has its own")


def checked_fields(fields: Iterable[str] | None, name: str) -> list[str]:
    """Return the fields of documents' metadata that an adapter was told to read.

    Args:
        fields: their names; None for none.
        name: what the setting is called.

    Raises:
        ConfigError: it is not a list of names; one text would be taken for a list of one-letter names.
    """
    if isinstance(fields, str):
        raise ConfigError(f"{name} must be a list: [{fields!r}]")
    listed: list[Any] = [] if fields is None else list(fields) if isinstance(fields, Iterable) else [fields]
    if not all(isinstance(field, str) for field in listed):
        raise ConfigError(f"{name} must be a list of names of fields, not {shown(fields)}")
    return listed


def checked_documents(documents: Sequence[T], kind: type[T], what: str) -> Sequence[T]:
    """Return the documents that a framework handed over.

    Args:
        documents: a list of them.
        kind: the class that they must have.
        what: how the error calls it.

    Raises:
        InputError: it is not a list, or one of them is something else.
    """
    if not isinstance(documents, list | tuple):
        raise InputError(f"documents must be a list, not {type(documents).__name__}")
    for at, document in enumerate(documents):
        if not isinstance(document, kind):
            raise InputError(f"documents[{at}] must be {what}, not {type(document).__name__}")
    return documents


def load_verifier(verifier: VerifierLike, **usual: Any) -> "FactVerifier | MonitoredVerifier":
    """Return a verifier; see `secondpass.verify.load.load_verifier`, which is imported only when it is needed."""
    from secondpass.verify import load as verifiers

    return verifiers.load_verifier(verifier, **usual)


def load_sufficiency_check(check: "SufficiencyCheck | Mapping[str, Any] | None" = None) -> "SufficiencyCheck":
    """Return a check by its settings, the usual one for None; one is returned unchanged.

    Raises:
        ConfigError: it is something else, or a setting can't be used.
        ModelError: a model can't be loaded.
    """
    from secondpass.verify.sufficiency import SufficiencyCheck  # here, as who only reranks needs nothing of it

    if isinstance(check, SufficiencyCheck):
        return check
    if check is None or isinstance(check, Mapping):
        return SufficiencyCheck.from_config(check or {})
    raise ConfigError(f"check must be a SufficiencyCheck or its settings, not {type(check).__name__}")


def known_scores(scores: Iterable[object]) -> list[float] | None:
    """Return the first stage's scores, or None unless there is a finite number for every document."""
    known: list[float] = []
    for score in scores:
        if not isinstance(score, Real) or isinstance(score, bool):
            return None
        try:
            known.append(float(score))
        except OverflowError:  # a whole number beyond what a float can hold
            return None
        if not math.isfinite(known[-1]):
            return None
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
