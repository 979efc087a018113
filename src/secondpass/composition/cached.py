"""A cache in front of a reranker, so that no pair is scored twice."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, ClassVar

from secondpass.base import Reranker
from secondpass.cache.base import Cache, as_cache
from secondpass.cache.call import Call
from secondpass.cache.entry import Entry, InvalidEntryError, KeyMaker, pack, unpack
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.members import member_of
from secondpass.counts import counted
from secondpass.forking import reset_after_fork
from secondpass.loading import RerankerLike
from secondpass.types import Request, Scale, Scores
from secondpass.validation import SECONDS, Flag, Text, check

__all__ = ["CacheStats", "CachedReranker"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """How often a `CachedReranker` found a score in its cache, since it was built in this process.

    Attributes:
        hits: documents whose scores came from the cache.
        misses: documents whose scores did not.
        errors: how often the cache failed, and entries that could not be used.
        size: entries in the cache now; None if it does not say.
    """

    hits: int
    misses: int
    errors: int
    size: int | None

    @property
    def hit_rate(self) -> float:
        """The share of documents whose scores came from the cache; 0 before the first."""
        return self.hits / max(1, self.hits + self.misses)


class CachedReranker(Reranker):
    """Caches the scores of another reranker, and asks it only for those that are missing.

    All pairs that are missing, over all requests of a call, are scored in one call, each of them once. A cached score
    is the same to the bit, and so are its explanations, as plain data (a tuple becomes a list). An explanation that
    only some documents have is None for the others. A document is not cached if its explanation is not plain data, if
    its trace reports a fallback, a failed member or a language that the model does not read, or if an LLM gave no
    verdict on it (``judged: False``); such documents are counted under ``cache_skipped``.

    The trace counts ``cache_hits`` and ``cache_misses`` (documents; together all of them) and ``cache_errors``. If the
    cache fails, that is logged, and it is not used again for ``retry_after_s``; meanwhile every score is computed, and
    the rankings are the same.

    An entry is stored under a hash of fingerprint, query and document. It holds the score and the explanation, in which
    passages of the document are stored as positions, so texts can't be read from the cache. There are two exceptions:
    somebody who has both texts and the settings can find out whether the pair was scored, and what an LLM wrote in its
    own words is stored as it is.

    The fingerprint is that of the wrapped reranker, so calibrations and monitors can't tell the two apart. It does not
    cover what a function or an object of one's own among the settings does, nor which model a remote server runs:
    change ``namespace`` when one of these changes.

    Args:
        wrapped: a pointwise reranker that reads the documents' texts alone: of their ids and metadata the key knows
            nothing, so that documents with one text have one score.
        cache: a `Cache`, its type (``"memory"``, ``"sqlite"`` or ``"redis"``), or a mapping with its type and settings:
            ``{"type": "sqlite", "path": "scores.sqlite"}``.
        namespace: part of every key, so that two namespaces share no entries.
        ignore_initial_scores: leave the first stage's score of a document out of its key. Set it for a reranker that
            reads only the texts, such as a cross-encoder, if the first stage's scores change while the texts don't.
        store_texts: store query and document in each entry as well, for debugging.
        retry_after_s: for how many seconds a cache that failed is not used.

    Raises:
        CompositionError: ``wrapped`` is not pointwise: its scores depend on the other documents of a request.
        ConfigError: a setting can't be used.
        MissingExtraError: the cache needs a package that is not installed.
    """

    registry_name: ClassVar[str] = "cached"
    plain_settings: ClassVar[frozenset[str]] = frozenset({"cache"})
    pointwise = True

    def __init__(
        self,
        wrapped: RerankerLike,
        *,
        cache: Cache | str | Mapping[str, Any] = "memory",
        namespace: str = "",
        ignore_initial_scores: bool = False,
        store_texts: bool = False,
        retry_after_s: float = 5.0,
    ) -> None:
        wrapped = member_of(self, wrapped, pointwise=True)
        self.wrapped = wrapped
        self.cache = as_cache(cache)
        self.namespace, self.store_texts = namespace, store_texts
        self.ignore_initial_scores, self.retry_after_s = ignore_initial_scores, retry_after_s
        check(
            self,
            namespace=Text(empty=True),
            store_texts=Flag(),
            ignore_initial_scores=Flag(),
            retry_after_s=SECONDS,
        )
        self.scale = wrapped.scale
        _version()  # here, as what it imports would hang other threads if Ctrl-C met it in the middle of a call
        self._reset()
        reset_after_fork(self, CachedReranker._reset)

    def _reset(self) -> None:
        self._hits = self._misses = self._errors = 0
        self._retry_at = 0.0
        self._lock = Lock()

    @property
    def fingerprint(self) -> str:
        """That of the wrapped reranker: a cache changes no score."""
        return self.wrapped.fingerprint

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker: a cache changes no score."""
        return self.wrapped.calibration

    def stats(self) -> CacheStats:
        """Return how often the cache had an answer, and how many entries it has."""
        size = None
        try:
            size = self.cache.size()
        except Exception as exc:  # whatever it is, the numbers of this process are still right
            self._failed("counted", exc)
        return CacheStats(self._hits, self._misses, self._errors, size)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        call = Call(self._keys(requests), requests)
        self._read(call)
        parts = call.misses()
        scored = self.wrapped.score_many([requests[at].subset(where) for at, where in parts.items()]) if parts else []
        new = {}
        for (at, where), scores in zip(parts.items(), scored, strict=True):
            new.update(call.take(at, where, scores))
        self._write(call, new)
        results = [call.scores(at) for at in range(len(requests))]
        with self._lock:
            self._hits += sum(scores.trace.counts["cache_hits"] for scores in results)
            self._misses += sum(scores.trace.counts["cache_misses"] for scores in results)
        return results

    def _keys(self, requests: Sequence[Request]) -> list[list[bytes]]:
        maker = KeyMaker(_version(), self.namespace, self.fingerprint)
        keys = []
        for request in requests:
            initial = None if self.ignore_initial_scores or request.initial_scores is None else request.initial_scores
            scores = None if initial is None else tuple(initial)
            keys.append(maker.keys(request.query, request.texts, scores, request.instruction))
        return keys

    def _read(self, call: Call) -> None:
        if time.monotonic() < self._retry_at:
            call.notes.append("the cache failed a moment ago and is not used for now; every score was computed")
            return
        try:
            found = dict(self.cache.get_many(list(call.texts)))
        except Exception as exc:  # a cache of anyone's may raise anything; none is a reason not to rerank
            call.failed("read", self._failed("read", exc))
            return
        broken = []
        for key, data in found.items():
            try:
                call.entries[key] = self._entry(key, data, call)
            except InvalidEntryError as exc:
                broken.append(exc)
        if broken:
            self._count_error(len(broken))
            call.failed("used", f"{counted(len(broken), 'invalid entry')}, one because {broken[0]}", len(broken))
            _log.warning("%r: %d invalid entries are replaced, one because %s", self.cache, len(broken), broken[0])
        call.hits = frozenset(call.entries)

    def _entry(self, key: bytes, data: object, call: Call) -> Entry:
        if key not in call.texts:
            raise InvalidEntryError("it was not asked for")
        entry = unpack(key, data, call.texts[key])
        if self.scale is Scale.PROBABILITY and not 0 <= entry.score <= 1:
            raise InvalidEntryError("its score is not a probability")
        return entry

    def _write(self, call: Call, new: Mapping[bytes, Entry]) -> None:
        if not new or time.monotonic() < self._retry_at:
            return
        try:
            self.cache.set_many(
                {key: pack(key, entry, call.texts[key], store_texts=self.store_texts) for key, entry in new.items()}
            )
        except Exception as exc:  # as above: the scores are there
            call.failed("written", self._failed("written", exc))

    def _failed(self, what: str, exc: Exception) -> str:
        self._count_error()
        self._retry_at = time.monotonic() + self.retry_after_s
        reason = f"{type(exc).__name__}: {exc}"
        _log.warning("the cache can't be %s and is not used for %g s: %s", what, self.retry_after_s, reason)
        return reason

    def _count_error(self, errors: int = 1) -> None:
        with self._lock:
            self._errors += errors

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()
        reset_after_fork(self, CachedReranker._reset)

    def __repr__(self) -> str:
        return f"CachedReranker({self.wrapped!r}, cache={self.cache!r})"


@cache
def _version() -> str:
    from importlib.metadata import version  # another release may score otherwise with the same settings

    return version("secondpass")
