"""Names of rerankers and models, from secondpass and from any installed package that adds some.

A package adds a reranker by an entry point:

```toml
[project.entry-points."secondpass.rerankers"]
mine = "my_package:MyReranker"
```

after which ``secondpass.load("mine:its-model")`` and ``{"type": "mine"}`` in a configuration find it.
Nothing is imported before its name is asked for.
"""

from collections.abc import Mapping
from typing import Any

from secondpass.base import Reranker, from_config
from secondpass.config import construct
from secondpass.errors import ConfigError
from secondpass.registry import rerankers

__all__ = ["from_config", "load"]


def load(reranker: str | Mapping[str, Any] | Reranker, **settings: Any) -> Reranker:
    """Return a reranker by its name; a configuration or a `Reranker` is accepted too.

    Args:
        reranker: a registered name, ``"cross-encoder"``, or one with the first setting of its constructor
            after a colon, ``"cross-encoder:MODEL"``; or a mapping for `from_config`; or a `Reranker`, which
            is returned unchanged.
        settings: further settings of the constructor; only together with a name.

    Raises:
        RegistryError: there is no reranker of that name.
        ConfigError: a setting is unknown.
        ModelError: its model can't be loaded.
    """
    if isinstance(reranker, str):
        kind, colon, first = reranker.partition(":")
        loaded: Reranker = construct(rerankers.get(kind), *([first] if colon else []), **settings)
        return loaded
    if settings:
        raise ConfigError(f"settings ({', '.join(settings)}) can only be given together with a reranker's name")
    if isinstance(reranker, Reranker):
        return reranker
    if isinstance(reranker, Mapping):
        return from_config(reranker)
    given = type(reranker).__name__
    raise ConfigError(f'a reranker must be a name ("cross-encoder"), a mapping or a Reranker, not {given}')
