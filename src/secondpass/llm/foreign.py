"""A framework's own language model, asked in place of a server: the application's, as it is.

The core knows no framework. An adapter for a framework's models is a class in the entry-point group
``secondpass.language_models``, under the name of the package whose classes it takes:

```toml
[project.entry-points."secondpass.language_models"]
langchain_core = "langchain_secondpass.chat_model:ChatModel"
```

It is imported when an object of a class from that package, or a configuration with that ``type``, is given as ``llm``.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.llm.types import Answer, Prompt
from secondpass.registry import Registry
from secondpass.validation import must_be

__all__ = ["ForeignModel", "foreign_model", "language_models"]

language_models = Registry("secondpass.language_models")


class ForeignModel(Configured):
    """A framework's language model as a `secondpass.llm.Completion`; an adapter subclasses it.

    Its constructor takes the framework's object alone. ``to_config`` and ``from_config`` name it by its class and its
    settings, as the framework writes and reads them, without keys.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called, for traces and errors."""

    @abstractmethod
    def __call__(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Ask it once; see `secondpass.llm.Completion`."""


def foreign_model(llm: object, owner: str) -> ForeignModel:
    """Return the adapter around a framework's language model, or the one that a configuration describes.

    Args:
        llm: such a model, its configuration, or an adapter, which is returned unchanged.
        owner: whose setting it is, for errors.

    Raises:
        ConfigError: no adapter takes it, or the framework can't read the configuration.
        RegistryError: the adapter can't be loaded.
    """
    if isinstance(llm, ForeignModel):
        return llm
    known = language_models.names()
    if isinstance(llm, Mapping) and llm.get("type") in known:
        described: ForeignModel = language_models.get(llm["type"]).from_config(llm)
        return described
    packages = [cls.__module__.partition(".")[0] for cls in type(llm).__mro__]
    package = next((each for each in packages if each in known), None)
    if package is None or isinstance(llm, type):
        takes = f"a language model of {' or '.join(known) or 'a framework with an adapter'} (a function is completion=)"
        # Its value is not shown: it may hold a key.
        raise ConfigError(must_be(f"{owner}: llm", takes, type(llm)))
    adapter: Any = language_models.get(package)
    adapted: ForeignModel = adapter(llm)
    return adapted
