"""The one abstraction: a reranker scores a list of requests."""

import hashlib
import inspect
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt

from secondpass.errors import CompositionError, ConfigError, InputError, ScoringError
from secondpass.registry import rerankers
from secondpass.secret import Secret
from secondpass.types import Document, RankedDocument, Ranking, Request, Scale, Scores, checked_threshold

__all__ = ["Reranker"]

T = TypeVar("T")
RequestLike = Request | tuple[str, Sequence[Document]]


class Reranker(ABC):
    """Scores the documents of requests; everything else follows from that.

    A subclass writes `_score`, sets `scale`, `pointwise` and the name under which the registry knows
    it, `registry_name`, and keeps each parameter of its constructor in an attribute of the same name
    (as scikit-learn's estimators do), from which `to_config` and `fingerprint` follow.

    Checked here, for all: what goes in, that every document gets a finite score in the range of the
    scale, stable order, ranks from 1, Python floats out. A reranker may be shared between threads.

    Attributes:
        registry_name: the name in the entry-point group ``secondpass.rerankers``.
        scale: what the scores mean.
        pointwise: whether a document's score is independent of the request's other documents.
        plain_settings: names of settings that are data: a mapping with ``type`` in them is no configuration.
    """

    registry_name: ClassVar[str] = ""
    plain_settings: ClassVar[frozenset[str]] = frozenset()
    scale: Scale = Scale.LOGIT
    pointwise: bool = True

    @abstractmethod
    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        """Return the scores of each request, in order. No request is empty."""

    def score_many(self, requests: Sequence[Request]) -> list[Scores]:
        """Score checked requests, with their traces: what a wrapper calls on the one it wraps.

        Raises:
            ScoringError: the reranker broke its contract (a missing, NaN or out-of-range score).
        """
        filled = [request for request in requests if len(request)]
        start = time.perf_counter()
        results = self._score(filled) if filled else []
        return self._finished(requests, results, time.perf_counter() - start)

    def _finished(self, requests: Sequence[Request], results: list[Scores], latency_s: float) -> list[Scores]:
        """Check the results for the requests that are not empty, and put empty ones between them."""
        filled = [request for request in requests if len(request)]
        if len(results) != len(filled):
            raise ScoringError(f"{self!r} returned {len(results)} results for {len(filled)} requests")
        scored = iter(
            [self._checked(scores, request, latency_s) for request, scores in zip(filled, results, strict=True)]
        )
        return [next(scored) if len(request) else Scores(np.empty(0)) for request in requests]

    def score(self, query: str, documents: Sequence[Document]) -> npt.NDArray[np.float64]:
        """Return the scores of the documents, in their order.

        Returns:
            Shape (n_documents,), float64, on the reranker's `scale`.

        Raises:
            InputError: the query or a document can't be used.
        """
        return self.score_many([Request(query, documents)])[0].values

    def rerank(
        self,
        query: str,
        documents: Sequence[Document],
        *,
        k: int | None = None,
        initial_scores: Sequence[float] | None = None,
    ) -> Ranking:
        """Rank documents by their relevance to a query.

        Args:
            query: what was asked; not empty.
            documents: texts, or mappings with ``text`` and, if you like, ``id`` and ``metadata``.
            k: how many to return; all by default. Every document is scored in any case.
            initial_scores: the first stage's score of each document, for rerankers that use them.

        Raises:
            InputError: the query, a document, ``k`` or a score can't be used.
        """
        return self.rerank_many([Request(query, documents, k, initial_scores)])[0]

    def rerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Rank the documents of many requests together, so that they share batches.

        Args:
            requests: `Request`s, or pairs of a query and its documents.
            k: how many to return for each request that does not say itself.
        """
        checked = as_requests(requests, k)
        return self._rankings(checked, self.score_many(checked))

    def _rankings(self, requests: Sequence[Request], scores: Sequence[Scores]) -> list[Ranking]:
        return [_ranking(request, each, self.scale) for request, each in zip(requests, scores, strict=True)]

    async def arerank(
        self,
        query: str,
        documents: Sequence[Document],
        *,
        k: int | None = None,
        initial_scores: Sequence[float] | None = None,
    ) -> Ranking:
        """Do as `rerank`, in a worker thread, so that the event loop goes on."""
        return (await self.arerank_many([Request(query, documents, k, initial_scores)]))[0]

    async def arerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Do as `rerank_many`, in a worker thread, so that the event loop goes on."""
        return await in_thread(self.rerank_many, requests, k=k)

    def require_traits(self, wrapped: "Reranker", *scales: Scale, pointwise: bool = False) -> None:
        """Check in a constructor that another reranker fits into this one.

        Args:
            wrapped: the inner reranker.
            scales: the scales that this one can take; any if none is named.
            pointwise: whether the inner one's scores must not depend on the other documents.

        Raises:
            CompositionError: it does not fit; the message names both and says why.
        """
        inner, outer = type(wrapped).__name__, type(self).__name__
        if not isinstance(wrapped, Reranker):
            raise CompositionError(f"{outer} wraps a Reranker, not a {inner}")
        if scales and wrapped.scale not in scales:
            wanted = " or ".join(scales)
            raise CompositionError(f"{outer} needs {wanted} scores, but {inner} gives {wrapped.scale} ones")
        if pointwise and not wrapped.pointwise:
            raise CompositionError(
                f"{outer} needs scores that don't depend on the other documents, but those of {inner} do"
            )

    def require_threshold(self, threshold: float | None) -> None:
        """Check in a constructor that a threshold can be put on the scores; None always can.

        Raises:
            CompositionError: the scores are ordinal, and so can't be compared with a number.
            ConfigError: it is no finite number.
        """
        if checked_threshold(threshold) is not None and self.scale is Scale.ORDINAL:
            raise CompositionError(
                f"no threshold can be put on the ordinal scores of {self!r}; limit their number instead"
            )

    @property
    def fingerprint(self) -> str:
        """The identity of model and settings, for cache keys, monitoring and saved calibrations.

        A reranker among the settings stands in it with its own fingerprint, and so with its weights.
        """
        return digest([type(self).__name__, *self._settings(identity_data).items()])

    def _settings(self, convert: Callable[[object, str], Any]) -> dict[str, Any]:
        names = [name for name in inspect.signature(type(self)).parameters if name != "self"]
        return {name: converted(getattr(self, name), f"{type(self).__name__}.{name}", convert) for name in names}

    def to_config(self) -> dict[str, Any]:
        """Return the reranker as plain data that JSON and YAML can hold; `from_config` builds it again.

        Raises:
            ConfigError: a setting is not data (a function, an object that was passed in).
        """
        if not self.registry_name:
            raise ConfigError(f"{type(self).__name__} sets no registry_name, so no configuration can name it")
        return {"type": self.registry_name} | self._settings(data_of)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build it from its settings: what `to_config` wrote, with or without ``type``.

        Raises:
            ConfigError: it is no mapping from names, it is another reranker's, or a setting is unknown or missing.
            RegistryError: there is no reranker of a name in it.
        """
        settings = settings_in(config, cls)
        kind = settings.pop("type", cls.registry_name)
        if kind != cls.registry_name:
            raise ConfigError(
                f"{cls.__name__} has the type {cls.registry_name!r} in a configuration, not {kind!r}; "
                f"secondpass.from_config builds whatever reranker it is"
            )
        return construct(
            cls, **{name: of if name in cls.plain_settings else _built(of) for name, of in settings.items()}
        )

    def _checked(self, scores: Scores, request: Request, latency_s: float) -> Scores:
        values = scores.values
        if values.shape != (len(request),):
            raise ScoringError(f"{self!r} returned scores of shape {values.shape} for {len(request)} documents")
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ScoringError(f"{self!r} returned {values[at]} as the score of documents[{at}]")
        if self.scale is Scale.PROBABILITY and (values.min() < 0 or values.max() > 1):
            raise ScoringError(f"{self!r} claims probabilities but returned {values.min()} to {values.max()}")
        for column, cells in scores.explanations.items():
            if len(cells) != len(request):
                raise ScoringError(f"{self!r} explained {column!r} for {len(cells)} of {len(request)} documents")
        name = scores.trace.name or type(self).__name__
        return replace(scores, trace=replace(scores.trace, name=name, latency_s=latency_s))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


async def in_thread(call: Callable[..., T], *positional: Any, **settings: Any) -> T:
    """Call something in a worker thread, so that the event loop goes on, and return what it returns."""
    from asyncio import to_thread  # not with the module: it is a fifth of the time that importing secondpass takes

    return await to_thread(call, *positional, **settings)


def construct(cls: type[T], /, *positional: Any, **settings: Any) -> T:
    """Call a constructor; if the settings don't fit, the error lists those that it has.

    Raises:
        ConfigError: a setting is unknown or missing.
    """
    signature = inspect.signature(cls)
    try:
        signature.bind(*positional, **settings)
    except TypeError as exc:
        raise ConfigError(f"{cls.__name__}: {exc}; its settings are: {', '.join(signature.parameters)}") from exc
    return cls(*positional, **settings)


def from_config(config: Mapping[str, Any]) -> Reranker:
    """Build a reranker from plain data: what `Reranker.to_config` wrote, or a YAML file's contents.

    Args:
        config: a mapping with ``type``, the registered name, and the constructor's settings; a setting
            that is itself such a mapping (or a list of them) becomes a reranker.

    Raises:
        ConfigError: it is no such mapping, or a setting is unknown.
        RegistryError: there is no reranker of that name.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise ConfigError("a reranker's configuration is a mapping with its name under 'type'")
    settings = {key: value for key, value in config.items() if key != "type"}
    reranker: Reranker = rerankers.get(config["type"]).from_config(settings)
    return reranker


def _built(value: Any) -> Any:
    if isinstance(value, Mapping) and "type" in value:
        return from_config(value)
    if isinstance(value, list | tuple):
        return [_built(item) for item in value]
    return value


def settings_in(config: object, cls: type) -> dict[str, Any]:
    """Return the settings of a configuration, by name, as `construct` takes them.

    Raises:
        ConfigError: it is no mapping, or one of its keys is no name.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"{cls.__name__}: a configuration is a mapping, not {type(config).__name__}")
    if not all(isinstance(name, str) for name in config):
        raise ConfigError(f"{cls.__name__}: the keys of a configuration are names of settings, each a str")
    return dict(config)


def digest(data: object) -> str:
    """Return 16 hexadecimal digits that name plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def as_requests(requests: Iterable[RequestLike], k: int | None) -> list[Request]:
    """Return requests, and pairs of a query and its documents, as requests; ``k`` is for those without one.

    Raises:
        InputError: one of them is neither, or can't be used.
    """
    return [_as_request(request, at, k) for at, request in enumerate(requests)]


def _as_request(request: RequestLike, position: int, k: int | None) -> Request:
    if isinstance(request, Request):
        return request if request.k is not None or k is None else replace(request, k=k)
    if isinstance(request, tuple) and len(request) == 2:
        return Request(*request, k)
    raise InputError(f"requests[{position}] must be a Request or a (query, documents) pair")


def _ranking(request: Request, scores: Scores, scale: Scale) -> Ranking:
    # A stable sort keeps the first stage's order among equals.
    order = np.argsort(-scores.values, kind="stable")[: request.k]
    documents = tuple(
        RankedDocument(
            index=int(index),
            rank=rank,
            score=float(scores.values[index]),
            document=request.documents[index],
            explanation={name: column[index] for name, column in scores.explanations.items()},
        )
        for rank, index in enumerate(order, start=1)
    )
    return Ranking(request.query, documents, scale, scores.trace)


def converted(value: object, name: str, convert: Callable[[object, str], Any]) -> Any:
    """Turn a setting into plain data; ``convert`` decides about what is none."""
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):  # an enum or a number of numpy's is written as what it is
            return kind(value)
    if isinstance(value, list | tuple):
        return [converted(item, name, convert) for item in value]
    if isinstance(value, Mapping):
        return {str(key): converted(item, name, convert) for key, item in value.items()}
    if isinstance(value, Secret):
        return None
    return convert(value, name)


def data_of(value: object, name: str) -> Any:
    """Return what of a setting can be written to a file; ``name`` is for the error if nothing can."""
    if isinstance(value, Reranker) or hasattr(value, "to_config"):
        return value.to_config()
    raise unwritable(value, name)


def unwritable(value: object, name: str) -> ConfigError:
    """Return the error for a setting that no configuration can hold."""
    return ConfigError(f"{name} is a {type(value).__name__}, which a configuration can't hold")


def identity_data(value: object, name: str) -> Any:
    """Return what of a setting goes into a fingerprint; it takes what `data_of` takes, and needs no ``name``."""
    if isinstance(value, Reranker):
        return value.fingerprint
    if hasattr(value, "to_config"):
        return value.to_config()
    # A function or an object is named by where it is defined; what it does is not looked into.
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
