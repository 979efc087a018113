"""Random compositions of every wrapper, over fakes that break their contract at times, and random requests."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import Random
from typing import Any, ClassVar

import numpy as np

import secondpass as sp
from secondpass.base import Reranker
from secondpass.models.embedding import EmbeddingModel
from secondpass.testing import FakeReranker
from secondpass.types import Document, Request, Scale, Scores


def setting(name: str, default: int) -> int:
    """Return how much torture is asked for, from an environment variable, such as ``SECONDPASS_TORTURE_CALLS``."""
    return int(os.environ.get(f"SECONDPASS_TORTURE_{name}", default))


class LeafError(Exception):
    """What a fake raises that is not an error of secondpass."""


class Faulty(Reranker):
    """A fake that fails, or returns what it must not, with a probability.

    Args:
        random: decides when; None for never.
    """

    registry_name: ClassVar[str] = "faulty"

    def __init__(self, scale: Scale, *, pointwise: bool, random: Random | None, share: float = 0.02) -> None:
        self.scale, self.pointwise, self.random, self.share = scale, pointwise, random, share
        self._fake = FakeReranker(scale=scale)

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        results = self._fake._score(requests)
        if self.random is None or self.random.random() >= self.share:
            return results
        fault = self.random.choice(("foreign", "ours", "nan", "inf", "few", "many", "short", "range", "column"))
        if fault == "foreign":
            raise LeafError("a fake failed")
        if fault == "ours":
            raise sp.ScoringError("a fake failed")
        if fault == "short":
            return results[:-1]
        values = results[-1].values.copy()
        columns: dict[str, list[int]] = {}
        if fault in ("nan", "inf"):
            values[-1] = float(fault)
        elif fault == "few":
            values = values[:-1]
        elif fault == "many":
            values = np.append(values, 0.0)
        elif fault == "range":
            values[-1] = 1.5 if self.scale is Scale.PROBABILITY else np.nan
        else:
            columns = {"column": [1] * (len(values) + 1)}
        return [*results[:-1], Scores(values, columns)]

    def __repr__(self) -> str:
        return f"Faulty({self.scale.value!r}, pointwise={self.pointwise})"


def composition(random: Random, depth: int, faults: Random | None) -> Reranker:
    """Return a random composition; `sp.CompositionError` says that its parts don't fit.

    Args:
        random: decides what it is made of.
        depth: of wrappers, at most.
        faults: decides when its fakes fail; None for never.
    """
    if depth == 0 or random.random() < 0.1:
        return Faulty(random.choice(list(Scale)), pointwise=random.random() < 0.8, random=faults)
    return random.choice(_WRAPPERS)(random, lambda: composition(random, depth - 1, faults))


Inner = Callable[[], Reranker]


def _passage(random: Random, inner: Inner) -> Reranker:
    pool: Any = random.choice(["max", "first", "mean", "top_mean", "decayed_sum"])
    return sp.PassageReranker(inner(), max_tokens=random.choice([1, 4, 30]), overlap=0, pool=pool)


def _calibrated(random: Random, inner: Inner) -> Reranker:
    calibrator = {"type": "platt", "slope": random.choice([0.1, 1.5, 50.0]), "intercept": random.choice([-3.0, 0.5])}
    return sp.CalibratedReranker(inner(), calibrator=calibrator)


def _ensemble(random: Random, inner: Inner) -> Reranker:
    members = [inner() for _ in range(random.randint(1, 3))]
    return sp.EnsembleReranker(
        members,
        method=random.choice(["mean", "zscore", "minmax", "rrf", "convex"]),
        on_error=random.choice(["raise", "skip"]),
        missing_initial="skip",
        parallel=random.random() < 0.2,
    )


def _blended(random: Random, inner: Inner) -> Reranker:
    normalise: Any = random.choice(["minmax", "zscore"])
    return sp.BlendedReranker(inner(), weight=random.choice([0, 0.3, 1]), normalise=normalise, missing_initial="skip")


def _prior(random: Random, inner: Inner) -> Reranker:
    return sp.PriorReranker(inner(), weight=random.choice([0, 2.0, 100.0]))


def _cached(random: Random, inner: Inner) -> Reranker:
    cache: Any = random.choice(["memory", {"type": "memory", "max_bytes": 2_000}])
    return sp.CachedReranker(inner(), cache=cache, ignore_initial_scores=random.random() < 0.5)


def _coalescing(random: Random, inner: Inner) -> Reranker:
    return sp.CoalescingReranker(inner(), max_wait_ms=0, max_pairs=random.choice([1, 4, 256]))


def _chain(random: Random, inner: Inner) -> Reranker:
    on_error: Any = random.choice(["keep", "raise"])
    return sp.FallbackReranker([inner() for _ in range(random.randint(1, 3))], on_error=on_error)


def _escalation(random: Random, inner: Inner) -> Reranker:
    merge: Any = random.choice(["auto", "order", "replace"])
    return sp.FallbackReranker(
        inner(),
        inner(),
        band=(random.choice([0.0, 0.2]), random.choice([0.2, 0.8, 1.0])),
        max_documents=random.choice([None, 1, 3]),
        on_error=random.choice(["keep", "raise"]),
        merge=merge,
    )


def _cascade(random: Random, inner: Inner) -> Reranker:
    stages = [inner() for _ in range(random.randint(1, 3))]
    bounds = {Scale.LOGIT: [{"margin": 5.0}], Scale.PROBABILITY: [{"probability": 0.3}], Scale.ORDINAL: []}
    keep = [random.choice([1, 3, *bounds[stage.scale]]) for stage in stages[:-1]]
    exits = [random.choice([None, *bounds[stage.scale]]) for stage in stages[:-1]]
    budget = random.choice([None, None, 0.001, 1.0, 1_000.0])
    return sp.CascadeReranker(stages, keep=keep, early_exit=exits, budget_ms=budget, slice_size=random.choice([1, 16]))


def _routed(random: Random, inner: Inner) -> Reranker:
    if random.random() < 0.5:
        return sp.RoutedReranker({"30": inner(), "inf": inner()}, "length")
    return sp.RoutedReranker({"even": inner(), "odd": inner()}, lambda request: ("even", "odd")[len(request) % 2])


def _translating(random: Random, inner: Inner) -> Reranker:
    what: Any = random.choice(["query", "documents", "both"])
    on_error: Any = random.choice(["raise", "skip"])
    return sp.TranslatingReranker(inner(), _swapped, what=what, on_error=on_error)


def _swapped(texts: Sequence[str]) -> list[str]:
    return [text.swapcase() for text in texts]


class _Letters(EmbeddingModel):
    """Counts letters; a text without any has no direction."""

    fingerprint = "letters"
    max_length = 1_000

    def _encode(self, texts: Sequence[str], progress: bool) -> Any:
        return np.array([[text.count(letter) for letter in "aeio"] for text in texts], dtype=np.float32)


def _diverse(random: Random, inner: Inner) -> Reranker:
    model = random.choice([None, _Letters("letters")])
    return sp.DiverseReranker(inner(), weight=random.choice([0, 0.3, 1]), depth=random.choice([1, 3, 50]), model=model)


def _recent(random: Random, inner: Inner) -> Reranker:
    half_life, weight = random.choice([1e-9, 30.0, 1e300]), random.choice([0, 0.2, 1e300])
    return sp.RecentReranker(inner(), half_life_days=half_life, weight=weight, clock=lambda: 1.8e9)


def _boosted(random: Random, inner: Inner) -> Reranker:
    boosts = {"source": {"handbook": random.choice([0.2, 1e308]), "forum": -0.1}, "tags": {"a": -1e308, "2": 1e308}}
    return sp.BoostedReranker(inner(), boosts=boosts)


def _budget(random: Random, inner: Inner) -> Reranker:
    return sp.BudgetReranker(
        inner(),
        random.choice([1, 8, 1_000]),
        tokens_per_document=random.choice([0, 0, 5]),
        count_tokens=random.choice([None, len]),
        skip=random.random() < 0.5,
    )


def _middle(random: Random, inner: Inner) -> Reranker:
    return sp.LostInTheMiddleReranker(inner())


def _monitored(random: Random, inner: Inner) -> Reranker:
    sinks = random.choices(["window", _ALERTS, _takes_nothing], k=random.randint(0, 3))
    return sp.MonitoredReranker(inner(), sinks, texts=random.random() < 0.5)


_RULES = [{"type": name, "limit": 0.5, "min_events": 2} for name in ("error-rate", "latency", "low-confidence")]
_ALERTS = {"type": "alerts", "rules": _RULES, "check_every": 1}


def _takes_nothing(event: object) -> None:
    raise OSError("a sink failed")


_WRAPPERS = (
    *(_passage, _calibrated, _ensemble, _blended, _prior, _cached, _coalescing),
    *(_chain, _escalation, _cascade, _routed, _translating),
    *(_diverse, _recent, _boosted, _budget, _middle, _monitored),
)

_WORDS = (
    "copy",
    "a",
    "file",
    "to",
    "the",
    "folder",
    "moon",
    "42",
    "café",
    "日本",
    "\ud800",
    "",
    " ",
    "\x00",
    "?",
    "ends.",
)


def request(random: Random) -> tuple[str, list[Any], int | None, list[float] | None]:
    """Return a query, documents (one of them may be none), ``k`` and initial scores, or None for these."""
    documents: list[Any] = [_document(random) for _ in range(random.choice([0, 1, 1, 2, 3, 5, 8]))]
    if documents and random.random() < 0.2:
        documents.append(random.choice(documents))
    if random.random() < 0.01:
        documents.append(random.choice([None, 3, {"no": "text"}, b"bytes"]))
    k = random.choice([None, None, 1, 2, 100])
    initial = [random.choice([0.0, -1.0, 1e300, 0.25]) for _ in documents] if random.random() < 0.6 else None
    return f"{random.choice(_WORDS)} file", documents, k, initial


def _document(random: Random) -> Document:
    text = " ".join(random.choices(_WORDS, k=random.choice([0, 1, 3, 12])))
    if random.random() < 0.6:
        return text
    metadata: Any = {"score": "mine", "list": [1, {"deep": text}], "date": random.choice(_DATES)}
    metadata |= {
        "source": random.choice(["handbook", "forum", None, 3]),
        "tags": random.choice([["a", 2], {"a": 1}, "a"]),
    }
    return {"text": text, "id": random.randint(0, 3), "metadata": random.choice([metadata, metadata, None, "none"])}


_DATES: list[Any] = [
    *("2026-11-29", " 2026-11-29T12:00:00Z", "yesterday", "", "0001-01-01", "9999-12-31T23:59:59-12:00"),
    *(date.min, datetime.max, datetime.max.replace(tzinfo=UTC), datetime(2026, 11, 29)),
    *(0, 1.8e9, -1e308, 10**400, float("nan"), float("inf"), True, None, ["2026"]),
]


@contextmanager
def closing(reranker: Reranker) -> Iterator[Reranker]:
    """End the threads of all coalescing rerankers in a composition."""
    try:
        yield reranker
    finally:
        _close(reranker)


def _close(reranker: object) -> None:
    if isinstance(reranker, sp.CoalescingReranker):
        reranker.close()
    for value in vars(reranker).values() if isinstance(reranker, Reranker) else ():
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        for one in inner:
            _close(one)
