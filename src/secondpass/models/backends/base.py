"""What a backend is: how models in one format are opened and run, and opened again from a pickle."""

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from secondpass.errors import ModelFormatError
from secondpass.models.sources.formats import FileFormat

if TYPE_CHECKING:
    from secondpass.models.embedding import EmbeddingModel
    from secondpass.models.pair import PairModel
    from secondpass.models.sources.files import ModelFiles

__all__ = ["Backend", "Reopened"]


class Backend(ABC):
    """Opens models of one format, and runs them.

    A package adds its own by an entry point in the group ``secondpass.backends``, and a process by
    ``secondpass.registry.backends.register(name, cls)``: `load_pair_model`, `load_embedding_model` and all that is
    built on them then take it by its name. Its file is imported to find models, so what is heavy is imported by
    the methods that open one.

    Attributes:
        name: the name that it is registered under.
        format: the files that it reads.
        auto: its place, from 1, in the order in which ``backend="auto"`` tries them; 0 if it has to be asked for.
        settings: which of `LoadSettings` its models take.
        module: a module without which it can't run; empty if it needs none but secondpass's own.
        extra: the extra of secondpass that installs this module.
    """

    name: ClassVar[str]
    format: ClassVar[FileFormat]
    auto: ClassVar[int] = 0
    settings: ClassVar[frozenset[str]] = frozenset({"device", "max_length", "batch_tokens"})
    module: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    @abstractmethod
    def open_pair_model(self, files: "ModelFiles", **settings: Any) -> "PairModel":
        """Open a cross-encoder.

        Args:
            files: where it is.
            settings: those of ``settings`` that were given.

        Raises:
            ModelError: it can't be read or used.
            ConfigError: a setting is out of range.
        """

    def open_embedding_model(self, files: "ModelFiles", **settings: Any) -> "EmbeddingModel":
        """Open a bi-encoder; arguments and errors are those of `open_pair_model`.

        Raises:
            ModelFormatError: the backend has no bi-encoders, unless it overrides this.
        """
        raise ModelFormatError(f"backend={self.name!r} has no bi-encoders, so it can't run {files.name}")

    def missing_extra(self) -> str:
        """Return the extra of secondpass that is not installed and without which it can't run; else nothing."""
        return self.extra if self.module and find_spec(self.module) is None else ""


class Reopened:
    """A model that is pickled as its files and settings, and opened again from these.

    The other end of a pickle may have another device and another cache folder, so the settings are those that were
    asked for, and not what was chosen for lack of them. The constructor sets both attributes.

    Attributes:
        files: where the model is; the constructor's first parameter.
    """

    files: "ModelFiles"
    _settings: dict[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files, **self._settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # each opens it in its own way
