"""What is known of the pairs of one call to a cached reranker, while it is answered."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from secondpass.cache.entry import Entry, UnstorableError, plain
from secondpass.types import Request, Scores, Trace

__all__ = ["Call"]

_log = logging.getLogger(__name__)

# What a trace counts when the scores are not those of a healthy reranker, or are of no evidence: whether a model reads
# the language depends on the other documents, too.
_PROVISIONAL = ("fallbacks", "members_failed", "unread")


@dataclass(slots=True)
class Call:
    """Sorts the pairs of some requests into hits and misses, and puts the scores together again.

    Attributes:
        keys: of each request, the key of each document.
        requests: the requests to answer.
        texts: the query and the document of each key.
        entries: the entries known so far, by key.
        hits: the keys that the cache had.
        errors: how often the cache failed in this call.
        notes: remarks for a person to read, in sentences.
    """

    keys: list[list[bytes]]
    requests: Sequence[Request]
    texts: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    entries: dict[bytes, Entry] = field(default_factory=dict)
    hits: frozenset[bytes] = frozenset()
    errors: int = 0
    notes: list[str] = field(default_factory=list)
    _stages: dict[int, Trace] = field(default_factory=dict)
    _skipped: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for request, keys in zip(self.requests, self.keys, strict=True):
            self.texts.update((key, (request.query, text)) for key, text in zip(keys, request.texts, strict=True))

    def failed(self, what: str, reason: str, errors: int = 1) -> None:
        """Note that the cache failed."""
        self.errors += errors
        self.notes.append(f"the cache could not be {what}: {reason}")

    def misses(self) -> dict[int, list[int]]:
        """Return the positions, by request, of what is not known, each pair once."""
        seen = set(self.entries)
        parts: dict[int, list[int]] = {}
        for at, keys in enumerate(self.keys):
            for position, key in enumerate(keys):
                if key not in seen:
                    seen.add(key)
                    parts.setdefault(at, []).append(position)
        return parts

    def take(self, at: int, where: list[int], scores: Scores) -> dict[bytes, Entry]:
        """Take the wrapped reranker's answer, and return what of it may be kept."""
        self._stages[at] = scores.trace
        provisional = any(map(scores.trace.total, _PROVISIONAL))
        keep = {}
        for row, position in enumerate(where):
            key = self.keys[at][position]
            explanation = {name: column[row] for name, column in scores.explanations.items()}
            score = float(scores.values[row])
            try:
                entry = Entry(score, plain(explanation))
            except UnstorableError as exc:
                _log.debug("not cached: %s", exc)
                entry, storable = Entry(score, explanation), False
            else:
                # An LLM's answer that could not be used: the score is a stand-in, and the next answer may be one.
                storable = not provisional and explanation.get("judged") is not False
            self.entries[key] = entry
            if storable:
                keep[key] = entry
        if len(keep) < len(where):
            self._skipped[at] = len(where) - len(keep)
        return keep

    def scores(self, at: int) -> Scores:
        """Return the answer to one request, from hits and misses."""
        entries = [self.entries[key] for key in self.keys[at]]
        n_hits = sum(key in self.hits for key in self.keys[at])
        counts = {"cache_hits": n_hits, "cache_misses": len(entries) - n_hits, "cache_errors": self.errors}
        if at in self._skipped:
            counts["cache_skipped"] = self._skipped[at]
        names = dict.fromkeys(name for entry in entries for name in entry.explanation)
        columns = {name: [entry.explanation.get(name) for entry in entries] for name in names}
        stages = (self._stages[at],) if at in self._stages else ()
        trace = Trace(counts=counts, notes=tuple(dict.fromkeys(self.notes)), stages=stages)
        return Scores(np.array([entry.score for entry in entries]), columns, trace)
