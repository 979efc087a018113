"""The one abstraction: a reranker scores a list of requests."""

import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from secondpass.cancellation import check_cancelled, stops_with_caller
from secondpass.config import Configured, refuse_endless
from secondpass.counts import counted
from secondpass.errors import CompositionError, ConfigError, InputError, RegistryError, ScoringError
from secondpass.registry import rerankers
from secondpass.types import HOW_TO_CALIBRATE, Document, RankedDocument, Ranking, Request, Scale, Scores
from secondpass.validation import SHARE, THRESHOLD, shown

if TYPE_CHECKING:
    from secondpass.calibration.ready import ReadyCalibration

__all__ = ["Reranker"]

T = TypeVar("T")
_BLANK = -12.0  # the logit of a blank document at most: below what models give to a text that does not fit
RequestLike = Request | tuple[str, Sequence[Document]]


class Reranker(Configured, ABC):
    """Scores the documents of requests; everything else follows from that.

    A subclass writes `_score`, sets `scale`, `pointwise` and the name under which the registry knows
    it, `registry_name`, and keeps each parameter of its constructor in an attribute of the same name,
    from which `to_config`, `from_config` and `fingerprint` follow: see `secondpass.config`.

    Checked here, for all rerankers: the input, that every document gets a finite score in the range of the
    scale, stable order, ranks from 1, Python floats out. A reranker may be shared between threads.

    Attributes:
        registry_name: the name in the entry-point group ``secondpass.rerankers``.
        scale: what the scores mean.
        pointwise: whether a document's score depends on the query and its own text alone, and not on the request's
            other documents: then it may be cached.
        log_odds: whether the scores are log-odds of relevance as cross-encoders give them, or probabilities made of
            such, to which a retriever's prior can be added; None, the default, if that is as with what it wraps.
        takes_instruction: whether a request's ``instruction`` is read; None, the default, if that is as with what it
            wraps. One that wraps nothing refuses it unless this is true.
        plain_settings: names of settings that are data: a mapping with ``type`` in them is not a configuration.
    """

    plain_settings: ClassVar[frozenset[str]] = frozenset()
    scale: Scale = Scale.LOGIT
    pointwise: bool = True
    log_odds: bool | None = None
    takes_instruction: bool | None = None

    @property
    def calibration(self) -> "ReadyCalibration | None":
        """What makes calibrated probabilities of the scores (`RankedDocument.probability`); None if nothing does.

        A wrapper that leaves scores as they are hands on that of the wrapped one.
        """
        return None

    @abstractmethod
    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        """Return the scores of each request, in order. No request is empty, and no document is blank."""

    def score_many(self, requests: Sequence[Request]) -> list[Scores]:
        """Score checked requests, with their traces: what a wrapper calls on the one it wraps.

        Blank documents (`Request.blank`) are not handed on. Probabilities of theirs are 0; other scores lie below all
        of the request, and so low that no threshold on logits lets them through. The trace counts them under
        ``blank``.

        Raises:
            InputError: a request has an instruction, and this reranker takes none.
            ScoringError: the reranker broke its contract (a missing, NaN or out-of-range score).
        """
        check_cancelled()
        self._check_instructions(requests)
        asked = [request.without_blanks() for request in requests]
        filled = [request for request in asked if len(request)]
        start = time.perf_counter()
        results = self._score(filled) if filled else []
        return self._completed(requests, asked, results, time.perf_counter() - start)

    def _check_instructions(self, requests: Sequence[Request]) -> None:
        told = any(request.instruction is not None for request in requests)
        refusing = _refusing(self) if told else None
        if refusing is not None:
            raise InputError(
                f"{refusing!r} takes no instruction, and a request has one: leave it out, or use a model that was "
                f"trained with one, such as 'cross-encoder:Qwen3-Reranker-0.6B'"
            )

    def _completed(
        self, requests: Sequence[Request], asked: Sequence[Request], results: list[Scores], latency_s: float
    ) -> list[Scores]:
        """Return the scores of all documents, from the results for those requests without blanks that are not empty."""
        finished = self._finished(asked, results, latency_s)
        return [
            scores if request is kept else self._with_blanks(request, scores)
            for request, kept, scores in zip(requests, asked, finished, strict=True)
        ]

    def _finished(self, requests: Sequence[Request], results: list[Scores], latency_s: float) -> list[Scores]:
        """Check the results for the requests that are not empty, and put empty ones between them."""
        filled = [request for request in requests if len(request)]
        if not isinstance(results, list | tuple):
            raise ScoringError(
                f"{self!r} returned a {type(results).__name__}, not a list of Scores, one for each request"
            )
        if len(results) != len(filled):
            raise ScoringError(
                f"{self!r} returned {counted(len(results), 'result')} for {counted(len(filled), 'request')}"
            )
        scored = iter(
            [self._checked(scores, request, latency_s) for request, scores in zip(filled, results, strict=True)]
        )
        return [next(scored) if len(request) else Scores(np.empty(0)) for request in requests]

    def _with_blanks(self, request: Request, scores: Scores) -> Scores:
        blank = np.array(request.blank)
        lowest = float(scores.values.min(initial=np.inf))
        # Far from everything else a difference of 1 is lost; the lowest number of all has no other one below it.
        worst = max(min(lowest - 1, math.nextafter(lowest, -math.inf), _BLANK), -sys.float_info.max)
        values = np.full(len(request), 0.0 if self.scale is Scale.PROBABILITY else worst)
        values[~blank] = scores.values
        columns: dict[str, list[Any]] = {}
        for name, column in scores.explanations.items():
            cells = iter(column)
            columns[name] = [None if is_so else next(cells) for is_so in request.blank]
        counts = {**scores.trace.counts, "blank": int(blank.sum())}
        name = scores.trace.name or type(self).__name__
        return Scores(values, columns, replace(scores.trace, name=name, counts=counts))

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
        instruction: str | None = None,
    ) -> Ranking:
        """Rank documents by their relevance to a query.

        Args:
            query: what was asked; not empty.
            documents: texts, or mappings with ``text`` and, if you like, ``id`` and ``metadata``.
            k: how many to return; all by default. Every document is scored in any case.
            initial_scores: the first stage's score of each document, for rerankers that use them.
            instruction: what counts as relevant, for models that were trained to be told.

        Raises:
            InputError: the query, a document, ``k`` or a score can't be used, or there is an instruction and the
                reranker takes none.
        """
        return self.rerank_many([Request(query, documents, k, initial_scores, instruction)])[0]

    def rerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Rank the documents of many requests together, so that they share batches.

        Args:
            requests: `Request`s, or pairs of a query and its documents.
            k: how many to return for each request that does not set its own.
        """
        checked = as_requests(requests, k)
        return self._rankings(checked, self.score_many(checked))

    def _rankings(self, requests: Sequence[Request], scores: Sequence[Scores]) -> list[Ranking]:
        return [
            _ranking(request, each, self.scale, self.calibration)
            for request, each in zip(requests, scores, strict=True)
        ]

    async def arerank(
        self,
        query: str,
        documents: Sequence[Document],
        *,
        k: int | None = None,
        initial_scores: Sequence[float] | None = None,
        instruction: str | None = None,
    ) -> Ranking:
        """Async version of `rerank`, which runs it in a worker thread."""
        return (await self.arerank_many([Request(query, documents, k, initial_scores, instruction)]))[0]

    async def arerank_many(self, requests: Iterable[RequestLike], *, k: int | None = None) -> list[Ranking]:
        """Async version of `rerank_many`, which runs it in a worker thread."""
        return await in_thread(self.rerank_many, requests, k=k)

    def require_traits(self, wrapped: "Reranker", *scales: Scale, pointwise: bool = False) -> None:
        """Check, in a constructor, that this reranker can wrap another one.

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
        """Check, in a constructor, that a threshold makes sense for the scores; None always does.

        Raises:
            CompositionError: the scores are ordinal, and so can't be compared with a number.
            ConfigError: it is not a finite number.
        """
        if THRESHOLD.checked(threshold, "threshold") is not None and self.scale is Scale.ORDINAL:
            raise CompositionError(
                f"the scores of {self!r} are ordinal, so they can't be compared with a threshold: use k instead"
            )

    def require_probability(self, probability: float | None) -> None:
        """Check, in a constructor, that documents have probabilities that can be compared with one; None always can.

        Raises:
            CompositionError: no calibration comes with the model, and none was fitted.
            ConfigError: it is not a number from 0 to 1.
        """
        if (SHARE | None).checked(probability, "min_probability") is not None and self.calibration is None:
            raise CompositionError(f"{self!r} has no calibrated probabilities: {HOW_TO_CALIBRATE}")

    @classmethod
    def built_setting(cls, name: str, value: Any) -> Any:
        """Return a reranker for a configuration of one, or for a list of them a list, unless the setting is data."""
        return value if name in cls.plain_settings else _built(value)

    def _checked(self, scores: Scores, request: Request, latency_s: float) -> Scores:
        if not isinstance(scores, Scores):
            raise ScoringError(f"{self!r} returned a {type(scores).__name__} for a request: put the values into Scores")
        values = scores.values
        if values.shape != (len(request),):
            raise ScoringError(
                f"{self!r} returned scores of shape {values.shape} for {counted(len(request), 'document')}"
            )
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ScoringError(f"{self!r} returned {values[at]} as the score of documents[{at}]")
        if self.scale is Scale.PROBABILITY and (values.min() < 0 or values.max() > 1):
            raise ScoringError(f"{self!r} claims probabilities but returned {values.min()} to {values.max()}")
        columns = {name: _listed(cells) for name, cells in scores.explanations.items()}
        for column, cells in columns.items():
            if not isinstance(cells, Sequence) or isinstance(cells, str):
                raise ScoringError(f"{self!r} explained {column!r} by a {type(cells).__name__}, not a list")
            if len(cells) != len(request):
                raise ScoringError(f"{self!r} explained {column!r} for {len(cells)} of {len(request)} documents")
        name = scores.trace.name or type(self).__name__
        return replace(scores, explanations=columns, trace=replace(scores.trace, name=name, latency_s=latency_s))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _listed(cells: Any) -> Any:
    """Return a column of explanations as a list of Python's values, which JSON can hold, where it is an array."""
    return cells.tolist() if hasattr(cells, "tolist") else cells


def _refusing(reranker: Reranker) -> Reranker | None:
    """Return one that takes no instruction, of those that do the work, where none of them takes one."""
    if reranker.takes_instruction is not None:
        return None if reranker.takes_instruction else reranker
    inner = [_refusing(each) for each in inner_rerankers(reranker)]
    return next(iter(inner), reranker) if None not in inner else None


def inner_rerankers(reranker: Reranker) -> list[Reranker]:
    """Return the rerankers that stand in a reranker's attributes, or in lists and mappings there."""
    return [inner for value in vars(reranker).values() for inner in _rerankers_in(value)]


def _rerankers_in(value: object) -> list[Reranker]:
    if isinstance(value, Reranker):
        return [value]
    items = list(value.values()) if isinstance(value, Mapping) else value
    return [item for item in items if isinstance(item, Reranker)] if isinstance(items, list | tuple) else []


async def in_thread(call: Callable[..., T], *positional: Any, **settings: Any) -> T:
    """Run a function in a worker thread, which keeps the event loop free, and return its result.

    If the task is cancelled, the thread stops at its next batch.
    """
    from asyncio import to_thread  # not with the module: it is a fifth of the time that importing secondpass takes

    with stops_with_caller():
        return await to_thread(call, *positional, **settings)


def from_config(config: Mapping[str, Any]) -> Reranker:
    """Build a reranker from plain data: what `Reranker.to_config` wrote, or a YAML file's contents.

    Args:
        config: a mapping with ``type``, the registered name, and the constructor's settings; a setting
            that is itself such a mapping (or a list of them) becomes a reranker.

    Raises:
        ConfigError: it is not such a mapping, or a setting is unknown.
        RegistryError: there is no reranker of that name, or what is registered is not a class of rerankers.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("type"), str):
        raise ConfigError("a reranker's configuration is a mapping with its name under 'type'")
    refuse_endless(config, "the configuration of a reranker")
    settings = {key: value for key, value in config.items() if key != "type"}
    kind = rerankers.get(config["type"])
    if not (isinstance(kind, type) and issubclass(kind, Reranker)):
        raise RegistryError(f"{rerankers.group}: {config['type']!r} is {shown(kind)}, not a class of rerankers")
    return kind.from_config(settings)


def _built(value: Any) -> Any:
    if isinstance(value, Mapping) and "type" in value:
        return from_config(value)
    if isinstance(value, list | tuple):
        return [_built(item) for item in value]
    return value


def as_requests(requests: Iterable[RequestLike], k: int | None) -> list[Request]:
    """Return `Request`s for requests and (query, documents) pairs; ``k`` is for those that don't set their own.

    Raises:
        InputError: they are not a list, or one of them is neither or can't be used.
    """
    if isinstance(requests, Request | str) or not isinstance(requests, Iterable):
        raise InputError(
            f"requests must be a list of Requests or (query, documents) pairs, not {type(requests).__name__}"
        )
    return [_as_request(request, at, k) for at, request in enumerate(requests)]


def _as_request(request: RequestLike, position: int, k: int | None) -> Request:
    if isinstance(request, Request):
        return request if request.k is not None or k is None else replace(request, k=k)
    if isinstance(request, tuple) and len(request) == 2:
        return Request(*request, k)
    raise InputError(f"requests[{position}] must be a Request or a (query, documents) pair")


def _ranking(request: Request, scores: Scores, scale: Scale, calibration: "ReadyCalibration | None" = None) -> Ranking:
    # A stable sort keeps the first stage's order among equals, behind which blank documents come.
    order = np.lexsort((np.array(request.blank), -scores.values))[: request.k]
    columns, answerable = scores.explanations, None
    if calibration is not None and all(request.blank):
        answerable = 0.0
    elif calibration is not None and not scores.trace.total("unread"):  # else the scores are of no evidence
        probabilities, answerable = calibration.of(scores, scale)
        columns = {**columns, "probability": probabilities.tolist()}
    documents = tuple(
        RankedDocument(
            index=int(index),
            rank=rank,
            score=float(scores.values[index]),
            document=request.documents[index],
            explanation={"blank": True}
            if request.blank[index]
            else {name: column[index] for name, column in columns.items()},
        )
        for rank, index in enumerate(order, start=1)
    )
    return Ranking(request.query, documents, scale, scores.trace, answerable)
