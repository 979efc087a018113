"""Names of rerankers and models, from secondpass and from any installed package that adds some.

A package adds a reranker by an entry point:

```toml
[project.entry-points."secondpass.rerankers"]
mine = "my_package:MyReranker"
```

after which ``secondpass.load("mine:its-model")`` and ``{"type": "mine"}`` in a configuration find it.
Nothing is imported before its name is asked for. A name that no reranker has is that of a cross-encoder:
``secondpass.load("BAAI/bge-reranker-v2-m3")``.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from secondpass.base import Reranker, from_config
from secondpass.config import construct
from secondpass.errors import ConfigError, ModelNotFoundError, RegistryError
from secondpass.registry import models, rerankers
from secondpass.validation import did_you_mean, shown

__all__ = ["RerankerLike", "from_config", "load"]


RerankerLike: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | Reranker
"""A reranker, its name, the name or folder of a cross-encoder, or a configuration: what `load` takes."""

_DEFAULT = "cross-encoder"  # the reranker of a name that is a model's
_STORE = "store:"  # of a version in a `secondpass.learn.ModelStore`


def load(reranker: RerankerLike, **settings: Any) -> Reranker:
    """Return a reranker by its name; a configuration or a `Reranker` is accepted too.

    Args:
        reranker: a registered name, ``"cross-encoder"``, or one with the first setting of its constructor
            after a colon, ``"colbert:MODEL"``; the name of a cross-encoder (from the catalogue, a repository on the
            hub as ``owner/name``, or a folder); or a mapping for `from_config`; or a `Reranker`, which is returned
            unchanged.
        settings: further settings of the constructor; only together with a name.

    Raises:
        RegistryError: there is neither a reranker nor a cross-encoder of that name; the message has the nearest.
        ConfigError: a setting is unknown.
        ModelError: its model can't be loaded.
    """
    if isinstance(reranker, str | os.PathLike):
        return _by_name(reranker, settings)
    if settings:
        raise ConfigError(f"settings ({', '.join(settings)}) can only be given together with a reranker's name")
    if isinstance(reranker, Reranker):
        return reranker
    if isinstance(reranker, Mapping):
        return from_config(reranker)
    given = type(reranker).__name__
    raise ConfigError(f'a reranker must be a name ("cross-encoder"), a mapping or a Reranker, not {given}')


def _by_name(given: str | os.PathLike[str], settings: Mapping[str, Any]) -> Reranker:
    name = os.fspath(given)
    kind, colon, first = name.partition(":")
    is_folder = _is_folder(name)
    is_models = name.startswith(_STORE) or is_folder  # the colon is that of a store, or of a drive
    if isinstance(given, str) and (kind in rerankers.names() or (colon and not is_models)):
        plugin = rerankers.get(kind)
        made = construct(plugin, *([first] if colon else []), **settings) if callable(plugin) else plugin
        if not isinstance(made, Reranker):
            raise RegistryError(f"{rerankers.group}: {kind!r} is {shown(plugin)}, which makes no Reranker")
        return made
    try:
        loaded: Reranker = construct(rerankers.get(_DEFAULT), name, **settings)
    except ModelNotFoundError as exc:
        specs = [spec for some in models.load_all().values() for spec in some]
        if is_folder or {"/", "\\"} & set(name) or any(name in (spec.name, *spec.aliases) for spec in specs):
            raise  # nothing else is meant than a model
        known = [spec.name for spec in specs if spec.task == "rerank"]
        meant = did_you_mean(name, [*rerankers.names(), *known])
        raise RegistryError(
            f"{shown(name)} is neither a reranker nor a cross-encoder{meant}; "
            f"there are the rerankers {', '.join(rerankers.names())}, the models that `secondpass models` lists, "
            f"folders, and repositories as owner/name"
        ) from exc
    return loaded


def _is_folder(name: str) -> bool:
    try:
        return bool(name) and Path(name).is_dir()
    except (OSError, ValueError):  # too long, or a null byte: no path at all
        return False
