"""What all retrievers have in common: documents in, rankings out, save and load."""

import json
import os
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from secondpass.config import Configured, construct
from secondpass.counts import counted
from secondpass.errors import ConfigError, InputError, ModelIntegrityError, SecondPassError
from secondpass.forking import reset_after_fork
from secondpass.registry import Registry
from secondpass.types import Document, RankedDocument, Ranking, Request, Scale, Trace
from secondpass.validation import checked_k, must_be

__all__ = ["Retriever", "retrievers"]

T = TypeVar("T")
Hits = tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]

# A retriever is saved as a folder: this file, the documents, and what the subclass writes beside them.
_SETTINGS, _DOCUMENTS = "retriever.json", "documents.jsonl"


retrievers = Registry(
    "secondpass.retrievers",
    {
        "bm25": "secondpass.retrieve.bm25:BM25Retriever",
        "dense": "secondpass.retrieve.dense:DenseRetriever",
        "expanded": "secondpass.retrieve.expand:ExpandedRetriever",
        "hybrid": "secondpass.retrieve.hybrid:HybridRetriever",
    },
)
"""The retrievers by name: ours, and others from entry points of other packages or ``retrievers.register``."""


class _Exchange:
    """Held while an index takes the place of another one, which is a matter of microseconds."""

    def __init__(self) -> None:
        self.reset()
        reset_after_fork(self, _Exchange.reset)

    def reset(self) -> None:
        self.lock = Lock()


_exchange = _Exchange()


class Retriever(Configured, ABC):
    """Finds candidates in an indexed corpus.

    It may be shared between threads, and indexed again while others search: each search finds the documents of one
    corpus.

    A subclass writes `_index`, `_search`, `_save` and `_load`, says in `settings` what a saved index has to be searched
    with, and has a configuration as `secondpass.config` describes it (without what was indexed).

    Attributes:
        languages: ISO 639-1 codes of the languages that its model reads; None if it reads any, or that is not known.
    """

    languages: frozenset[str] | None = None

    def __init__(self) -> None:
        self._documents: tuple[Document, ...] = ()

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What a saved index has to be searched with, as plain data."""

    @abstractmethod
    def _index(self, texts: Sequence[str], progress: bool) -> None:
        """Build the index of at least one text."""

    @abstractmethod
    def _search(self, queries: Sequence[str], k: int) -> list[Hits]:
        """Return positions and scores of at most ``k`` documents for each query, best first."""

    @abstractmethod
    def _save(self, folder: Path) -> None:
        """Write the index into a folder."""

    @abstractmethod
    def _load(self, folder: Path) -> None:
        """Read the index from a folder."""

    def __len__(self) -> int:
        return len(self._documents)

    def index(self, documents: Iterable[Document], *, progress: bool = False) -> Self:
        """Build the index of a corpus, replacing any earlier one once it is done; returns itself.

        So a document is changed or removed by indexing all of them again. If that fails, the earlier index stays.

        Args:
            documents: texts, or mappings with ``text`` and, if you like, ``id`` and ``metadata``.
            progress: show a bar when it takes longer than a second.

        Raises:
            InputError: a document can't be used, or there is none.
        """
        # A Request checks documents; its query plays no part.
        corpus = Request("corpus", documents)  # type: ignore[arg-type]  # any iterable will do, and is checked
        if not len(corpus):
            raise InputError("there are no documents to index")
        built = self._copy()
        built._index(corpus.texts, progress)
        built._documents = tuple(corpus.documents)
        with _exchange.lock:
            self._take(built)
        return self

    def _copy(self) -> Self:
        """Return one with the same index, which stays as it is when this one is indexed again."""
        copy = object.__new__(type(self))
        copy.__dict__ = dict(vars(self))
        return copy

    def _take(self, other: Self) -> None:
        """Take over the index of a copy."""
        self.__dict__ = vars(other)

    def _of_one_index(self, search: Callable[[tuple[Document, ...]], T]) -> T:
        """Return what a function of the documents finds, asking it again if they were indexed anew meanwhile."""
        while True:
            documents = self._indexed()
            try:
                found = search(documents)
            except Exception:
                if self._indexed() is documents:
                    raise
            else:
                if self._indexed() is documents:
                    return found

    def _indexed(self) -> tuple[Document, ...]:
        with _exchange.lock:
            documents = self._documents
        if not documents:
            raise InputError(f"{type(self).__name__} has no documents yet: call index(documents) first")
        return documents

    @overload  # a str is a sequence of str too; the first match is meant
    def search(self, queries: str, k: int | None = 10) -> Ranking: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, queries: Sequence[str], k: int | None = 10) -> list[Ranking]: ...
    def search(self, queries: str | Sequence[str], k: int | None = 10) -> Ranking | list[Ranking]:
        """Return the best documents for a query, or a list of them for a list of queries.

        In the rankings ``index`` is the document's position in the corpus; scores are ordinal.

        Args:
            queries: one query or several.
            k: how many documents to return at most; None for as many as there are.

        Raises:
            InputError: a query or ``k`` can't be used, or nothing was indexed.
        """
        if isinstance(queries, str):
            return self.search([queries], k)[0]
        self._indexed()
        checked, k = checked_queries(queries), checked_k(k)
        start = time.perf_counter()

        def found(documents: tuple[Document, ...]) -> list[Ranking]:
            results = self._search(checked, min(k or len(documents), len(documents))) if checked else []
            trace = Trace(type(self).__name__, time.perf_counter() - start)
            return [_ranking(query, hits, documents, trace) for query, hits in zip(checked, results, strict=True)]

        return self._of_one_index(found)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write index and documents into a folder; an existing one is replaced once everything is written.

        Raises:
            InputError: nothing was indexed, a document would not survive JSON unchanged, or it can't be written there.
            ConfigError: a part of it can't be saved.
        """
        target = Path(folder).expanduser()
        with _exchange.lock:
            whole = self._copy()
        if not whole._documents:
            raise InputError(f"{type(self).__name__} has no documents to save: call index(documents) first")
        try:
            if target.exists() and not (target / _SETTINGS).is_file():
                raise InputError(f"{target} exists and does not hold a saved retriever, so it is not replaced")
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}-"))
            try:
                whole._write(beside / target.name)
                if target.exists():
                    shutil.rmtree(target)
                (beside / target.name).rename(target)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        except SecondPassError:
            raise
        except (OSError, ValueError) as exc:  # the latter of a path with a null byte
            raise InputError(f"{target} can't be written: {exc}") from exc

    def _write(self, folder: Path) -> None:
        folder.mkdir()  # with the usual rights: mkdtemp's folder is for its owner alone
        (folder / _SETTINGS).write_text(json.dumps({"type": self.registry_name, **self.settings}))
        with (folder / _DOCUMENTS).open("w", encoding="utf-8") as file:
            file.writelines(_line(document, at) for at, document in enumerate(self._documents))
        self._save(folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], **settings: Any) -> Self:
        """Read what `save` wrote.

        Args:
            folder: where it is.
            settings: arguments of the constructor that are not saved, such as ``device``.

        Raises:
            ModelIntegrityError: it does not hold such an index, or a damaged one.
            ConfigError: the index was built with another model than the one that is here now.
        """
        source = Path(folder).expanduser()
        try:
            saved = json.loads((source / _SETTINGS).read_text())
            if saved.pop("type") != cls.registry_name:
                raise ConfigError(f"{source} does not hold a {cls.__name__}")
            fingerprint = saved.pop("fingerprint", None)
            retriever = cls._restored({**saved, **settings})
            with (source / _DOCUMENTS).open(encoding="utf-8") as file:
                retriever._documents = tuple(json.loads(line) for line in file)
            retriever._load(source)
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as exc:
            if isinstance(exc, ConfigError):
                raise
            raise ModelIntegrityError(f"{source} does not hold a {cls.__name__} that can be read: {exc}") from exc
        if fingerprint != retriever.settings.get("fingerprint"):
            model = saved.get("model")
            raise ConfigError(f"{source} was built with another model than the {model!r} found here: index again")
        return retriever

    @classmethod
    def _restored(cls, settings: dict[str, Any]) -> Self:
        """Build a retriever for a saved index from its settings and those given to `load`."""
        return cls(**settings)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items() if name != "fingerprint")
        return f"{type(self).__name__}({settings}, {counted(len(self), 'document')})"


def _ranking(query: str, hits: Hits, corpus: Sequence[Document], trace: Trace) -> Ranking:
    documents = tuple(
        RankedDocument(index=int(index), rank=rank, score=float(score), document=corpus[index])
        for rank, (index, score) in enumerate(zip(*hits, strict=True), start=1)
    )
    return Ranking(query, documents, Scale.ORDINAL, trace)


def _line(document: Document, position: int) -> str:
    try:
        text = json.dumps(document)  # ASCII, as no other encoding can hold a lone surrogate
    except (TypeError, ValueError, RecursionError) as exc:
        raise InputError(f"a document can't be saved as JSON: documents[{position}]: {exc}") from exc
    if json.loads(text) != document:
        raise InputError(
            f"a document can't be saved as JSON: documents[{position}] would come back changed from JSON, where keys "
            f"are texts, and there are lists, but no tuples and no NaN"
        )
    return text + "\n"


def retriever_of(config: object) -> object:
    """Return the retriever of a name or of a configuration; anything else is returned unchanged.

    Args:
        config: a name, with the model after a colon if it has one, ``"dense:bge-small-en-v1.5"``; or a mapping with a
            name under ``type``.

    Raises:
        ConfigError: a setting is unknown or out of range, or a retriever takes no model.
        RegistryError: there is no retriever of that name.
        ModelError: its model can't be loaded.
    """
    if isinstance(config, str):
        kind, colon, model = config.partition(":")
        return construct(retrievers.get(kind), *([model] if colon else []))
    if not isinstance(config, Mapping):
        return config
    if not isinstance(config.get("type"), str):
        raise ConfigError(
            must_be("retriever", "a Retriever, its name, or a mapping with its name under 'type'", config)
        )
    return retrievers.get(config["type"]).from_config(config)


def checked_queries(queries: object) -> list[str]:
    """Return queries as a list.

    Raises:
        InputError: they are not a list, or one of them can't be used.
    """
    if not isinstance(queries, Iterable):
        raise InputError(f"queries must be a str or a list of them, not {type(queries).__name__}")
    return [Request(query, ()).query for query in queries]
