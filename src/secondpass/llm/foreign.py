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
from typing import Any, TypeVar

from secondpass.config import Configured
from secondpass.errors import ConfigError
from secondpass.llm.types import Answer, Prompt
from secondpass.registry import Registry
from secondpass.validation import must_be

__all__ = ["Foreign", "ForeignModel", "adapted", "foreign_model", "language_models"]

language_models = Registry("secondpass.language_models")


class Foreign(Configured):
    """An adapter around an object of a framework's.

    Its constructor takes the framework's object alone. ``to_config`` and ``from_config`` name it by its class and its
    settings, as the framework writes and reads them, without keys.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called, for traces and errors."""


class ForeignModel(Foreign):
    """A framework's language model as a `secondpass.llm.Completion`; an adapter subclasses it."""

    @abstractmethod
    def __call__(self, prompt: Prompt, timeout_s: float) -> Answer:
        """Ask it once; see `secondpass.llm.Completion`."""


F = TypeVar("F", bound=Foreign)


def foreign_model(llm: object, owner: str) -> ForeignModel:
    """Return the adapter around a framework's language model; see `adapted`."""
    setting, takes = f"{owner}: llm", "a language model"
    return adapted(llm, ForeignModel, language_models, setting, takes, "completion=")  # type: ignore[type-abstract]


def adapted(given: object, kind: type[F], adapters: Registry, setting: str, takes: str, function: str) -> F:
    """Return the adapter around a framework's object, or the one that a configuration describes.

    Args:
        given: such an object, its configuration, or an adapter, which is returned unchanged.
        kind: what adapters are.
        adapters: where they are found, by the packages of the objects' classes.
        setting: what was set, for errors.
        takes: what it takes.
        function: what takes a function.

    Raises:
        ConfigError: no adapter takes it, or the framework can't read the configuration.
        RegistryError: the adapter can't be loaded.
    """
    if isinstance(given, kind):
        return given
    known = adapters.names()
    if isinstance(given, Mapping) and given.get("type") in known:
        described: F = adapters.get(given["type"]).from_config(given)
        return described
    packages = [cls.__module__.partition(".")[0] for cls in type(given).__mro__]
    package = next((each for each in packages if each in known), None)
    if package is None or isinstance(given, type):
        frameworks = " or ".join(known) or "a framework with an adapter"
        # Its value is not shown: it may hold a key.
        raise ConfigError(must_be(setting, f"{takes} of {frameworks} (a function is {function})", type(given)))
    adapter: Any = adapters.get(package)
    built: F = adapter(given)
    return built
