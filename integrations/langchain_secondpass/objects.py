"""LangChain's own models, named in configurations and fingerprints as LangChain writes them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from langchain_core.load import dumpd, load

from secondpass.config import digest, settings_in
from secondpass.errors import ConfigError, first_line

__all__ = ["LangChainModel"]


class LangChainModel:
    """What the adapters around LangChain's models share; it stands before the base class of the adapter.

    Attributes:
        setting: the setting that takes the model, for errors.
        takes: the class that it has.

    Args:
        model: LangChain's model.

    Raises:
        ConfigError: it is something else.
    """

    registry_name: ClassVar[str] = "langchain_core"
    setting: ClassVar[str]
    takes: ClassVar[type[Any]]

    def __init__(self, model: Any) -> None:
        if not isinstance(model, self.takes):
            kind = type(model).__name__
            raise ConfigError(f"{self.setting} must be LangChain's {self.takes.__name__}, not {kind}")
        self.model = model

    @property
    def name(self) -> str:
        """The model's name at its provider, or the name of its class."""
        names = (getattr(self.model, each, None) for each in ("model_name", "model", "model_id"))
        return next((each for each in names if isinstance(each, str) and each), type(self.model).__name__)

    @property
    def fingerprint(self) -> str:
        """The class and the settings, as LangChain writes them, or as it tells them apart in its own caches."""
        written = dumpd(self.model)
        if written.get("type") == "constructor":
            return digest([self.registry_name, repr(written["id"]), repr(written["kwargs"])])
        cls = type(self.model)
        return digest([self.registry_name, cls.__module__, cls.__qualname__, self._identity()])

    def _identity(self) -> str:
        """Return what tells a model apart that LangChain can't serialize: its fields, among which keys are hidden."""
        return repr(self.model)

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
            raise ConfigError(f"{cls.setting} can't be built as LangChain wrote it: {first_line(exc)}") from exc
        return cls(model)
