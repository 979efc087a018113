"""Escalate uncertain documents to a stronger judge, and fall back to another reranker when one fails."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.composition.attempts import attempts
from secondpass.composition.members import SETUP_FAULTS, member_of
from secondpass.errors import CompositionError, ConfigError, ScoringError
from secondpass.loading import RerankerLike
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import BAND, NOT_NEGATIVE, OneOf, Whole, check

__all__ = ["FallbackReranker"]

_STEPS = 10  # of uncertainty, from the middle of the band to its border

_log = logging.getLogger(__name__)


class FallbackReranker(Reranker):
    """Asks a second reranker where the first one is uncertain, or where it failed.

    **A reranker and a judge**, ``FallbackReranker(wrapped, judge, band=(0.3, 0.7))``: the judge scores the documents
    whose probability lies in the band, or whose ``spread`` (which an ensemble reports) is above ``max_spread``. It
    gets them in the order of ``wrapped``, best first, and at most ``max_documents`` of a request: the most uncertain
    ones, measured in ten steps from the middle of the band, and within a step the shortest, which cost least.

    Scores stay on the scale of ``wrapped``. With ``merge="replace"`` the judge's probability replaces that of
    ``wrapped``; with ``merge="order"`` the escalated documents keep the set of scores that ``wrapped`` gave them, but
    in the judge's order. Documents that were not escalated keep their scores and stay above or below the band, and a
    judge that only orders, as most language models do, can't make up a probability.

    Explanations: ``escalation`` (``judged``, ``no verdict``, ``failed`` or ``capped``; None if not uncertain),
    ``base_score``, and the judge's own explanations as ``judge_...``. Counts: ``escalated``, ``capped``, and
    ``fallbacks`` if the judge failed (it timed out, or its budget was used up) and the scores of ``wrapped`` stand.

    **A chain**, ``FallbackReranker([a, b, ...])``: the first reranker that does not fail answers. If all fail, the
    documents are ordered by their ``initial_scores``, or stay in the order in which they came. Explanations:
    ``answered_by``. Counts: ``fallbacks``, the number of rerankers that failed. The scores are ordinal if the
    retriever's order may be the answer or the members' scales differ; they are probabilities only if all members give
    probabilities and ``on_error="raise"``.

    Failures are noted in the trace and logged. A reranker that is not set up (a `ConfigError`, such as a calibration
    that was not fitted, or a package that is missing) has not failed: its error is always raised. When a call for
    several requests fails, the requests are tried one by one, so that one bad request does not take the others with it;
    once the first two have failed, so do the others.

    Args:
        wrapped: the reranker, or the members of a chain; each may be a name or a configuration, as `secondpass.load`
            takes them.
        judge: the reranker (likewise) that is asked where ``wrapped`` is uncertain; None for a chain.
        band: the lowest and the highest probability that count as uncertain, both included; ``wrapped`` must give
            probabilities.
        max_spread: the highest spread that counts as certain, on the scale of ``wrapped``.
        max_documents: how many documents of a request are escalated at most; None for all uncertain ones.
        on_error: what happens if the judge fails, or every member of a chain: ``keep`` the scores of ``wrapped`` (in a
            chain, the retriever's order), or ``raise``.
        merge: ``replace``, ``order``, or ``auto``, which is ``replace`` if both give probabilities and else ``order``.

    Raises:
        CompositionError: ``band`` needs probabilities and ``wrapped`` gives none, or ``merge="replace"`` does and one
            of the two gives none.
        ConfigError: a setting is missing or out of range.
    """

    registry_name: ClassVar[str] = "fallback"

    def __init__(
        self,
        wrapped: RerankerLike | Sequence[RerankerLike],
        judge: RerankerLike | None = None,
        *,
        band: tuple[float, float] | None = None,
        max_spread: float | None = None,
        max_documents: int | None = None,
        on_error: Literal["keep", "raise"] = "keep",
        merge: Literal["auto", "replace", "order"] = "auto",
    ) -> None:
        self.band, self.max_spread, self.max_documents = band, max_spread, max_documents
        self.on_error, self.merge = on_error, merge
        check(
            self,
            on_error=OneOf("keep", "raise"),
            merge=OneOf("auto", "replace", "order"),
            band=BAND | None,
            max_spread=NOT_NEGATIVE | None,
            max_documents=Whole(at_least=1) | None,
        )
        # A str is a sequence too, as Python has it, and here it is a name.
        given: Sequence[Any] = wrapped if isinstance(wrapped, list | tuple) else [wrapped]
        self._members = tuple(member_of(self, member) for member in given)
        self.wrapped = self._members if given is wrapped else self._members[0]
        self.judge = None if judge is None else member_of(self, judge)
        if self.judge is None:
            self._prepare_chain()
        else:
            self._prepare_escalation(self.judge)

    def _prepare_chain(self) -> None:
        if not self._members:
            raise ConfigError("FallbackReranker: a chain needs at least one reranker")
        if (self.band, self.max_spread, self.max_documents) != (None, None, None) or self.merge != "auto":
            raise ConfigError("FallbackReranker: band, max_spread, max_documents and merge need a judge")
        probabilities = all(member.scale is Scale.PROBABILITY for member in self._members)
        sure = self.on_error == "raise" and (probabilities or len(self._members) == 1)
        self.scale = self._members[0].scale if sure else Scale.ORDINAL
        # An ordinal score says where a document stands among those that the same member, or the retriever, scored.
        self.pointwise = sure and all(member.pointwise for member in self._members)

    def _prepare_escalation(self, judge: Reranker) -> None:
        if len(self._members) != 1 or isinstance(self.wrapped, tuple):
            raise ConfigError("FallbackReranker: with a judge, wrapped is one reranker; nest a chain to have both")
        base = self._members[0]
        if self.band is None and self.max_spread is None:
            raise ConfigError("FallbackReranker: a judge needs band or max_spread, which say what is uncertain")
        if self.band is not None:
            self.require_traits(base, Scale.PROBABILITY)
        both = base.scale is judge.scale is Scale.PROBABILITY
        if self.merge == "replace" and not both:
            raise CompositionError(
                f"FallbackReranker with merge='replace' needs probability scores on both sides, but "
                f"{type(base).__name__} gives {base.scale} and {type(judge).__name__} {judge.scale} ones; "
                f"use merge='order'"
            )
        self._merge: Literal["replace", "order"] = "replace" if self.merge != "order" and both else "order"
        self.scale = base.scale
        alone = self._merge == "replace" and self.max_documents is None
        self.pointwise = alone and base.pointwise and judge.pointwise

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return self._chained(requests) if self.judge is None else self._escalated(requests, self.judge)

    def _chained(self, requests: Sequence[Request]) -> list[Scores]:
        answers: list[Scores | None] = [None] * len(requests)
        failures: list[list[str]] = [[] for _ in requests]
        last: Exception | None = None
        for member in self._members:
            left = [at for at, answer in enumerate(answers) if answer is None]
            results = _attempted(member, [requests[at] for at in left]) if left else []
            for at, result in zip(left, results, strict=True):
                if isinstance(result, Exception):
                    last = result
                    failures[at].append(_reason(member, result))
                else:
                    answers[at] = _answered(result, type(member).__name__, failures[at])
        if last is not None and self.on_error == "raise" and None in answers:
            why = "; ".join(failures[answers.index(None)])
            raise ScoringError(f"every reranker of the chain failed: {why}") from last
        return [
            answer or _answered(_initial_order(request), "retriever", failed)
            for request, answer, failed in zip(requests, answers, failures, strict=True)
        ]

    def _escalated(self, requests: Sequence[Request], judge: Reranker) -> list[Scores]:
        bases = self._members[0].score_many(requests)
        if self.max_spread is not None and any("spread" not in base.explanations for base in bases):
            raise CompositionError(
                f"FallbackReranker needs a reranker that explains its 'spread' for max_spread, as an ensemble does, "
                f"but {type(self._members[0]).__name__} doesn't"
            )
        chosen = [_uncertain(r, s, self.band, self.max_spread) for r, s in zip(requests, bases, strict=True)]
        # Best first, as a judge that can't decide keeps the order in which it gets them.
        asked = [
            _best_first(indices[: self.max_documents], base.values) for indices, base in zip(chosen, bases, strict=True)
        ]
        open_ = [at for at, indices in enumerate(asked) if indices]
        results = _attempted(judge, [requests[at].subset(asked[at]) for at in open_]) if open_ else []
        failed = next((result for result in results if isinstance(result, Exception)), None)
        if failed is not None and self.on_error == "raise":
            raise ScoringError(f"the judge {_reason(judge, failed)}") from failed
        verdicts = dict(zip(open_, results, strict=True))
        return [self._merged(bases[at], chosen[at], asked[at], verdicts.get(at)) for at in range(len(requests))]

    def _merged(self, base: Scores, chosen: list[int], asked: list[int], verdict: Scores | Exception | None) -> Scores:
        marks: list[str | None] = [None] * len(base)
        for at in chosen:
            marks[at] = "capped"
        counts = {"escalated": len(asked), "capped": len(chosen) - len(asked)}
        values, columns, notes, stages = base.values, dict(base.explanations), [], [base.trace]
        if isinstance(verdict, Exception):
            for at in asked:
                marks[at] = "failed"
            counts["fallbacks"] = 1
            notes.append(f"the judge {_reason(self.judge, verdict)}; the base's decision stands")  # type: ignore[arg-type]
        elif verdict is not None:
            judged = verdict.explanations.get("judged", [True] * len(asked))
            # None is not False: it stands where a cascade's last word was that of a stage without this column.
            decided = [at for at, done in enumerate(judged) if done is not False]
            for at, done in zip(asked, judged, strict=True):
                marks[at] = "no verdict" if done is False else "judged"
            values = _merged_values(values, [asked[at] for at in decided], verdict.values[decided], self._merge)
            stages.append(verdict.trace)
            for name, column in verdict.explanations.items():
                columns[f"judge_{name}"] = _spread_out(column, asked, len(base))
        columns |= {"escalation": marks, "base_score": base.values.tolist()}
        return Scores(values, columns, Trace(counts=counts, notes=tuple(notes), stages=tuple(stages)))

    def __repr__(self) -> str:
        inner = ", ".join(map(repr, (*self._members, *([] if self.judge is None else [self.judge]))))
        return f"FallbackReranker({inner})"


def _answered(scores: Scores, name: str, failures: Sequence[str]) -> Scores:
    counts = {"fallbacks": len(failures)} if failures else {}
    notes = tuple(f"{failure}; {name} answered instead" for failure in failures)
    return scores.rescored(scores.values, counts=counts, notes=notes, answered_by=[name] * len(scores))


def _initial_order(request: Request) -> Scores:
    _log.warning("every reranker of the chain failed, so the retriever's order stands")
    initial = request.initial_scores
    order = np.arange(len(request), 0, -1) / len(request) if initial is None else np.array(initial)
    return Scores(order, trace=Trace("retriever"))


def _attempted(reranker: Reranker, requests: Sequence[Request]) -> list[Scores | Exception]:
    """Return the scores of each request, or the error that stands in their place, of whatever kind it is."""

    def failed(exc: Exception) -> None:
        _log.warning("%r failed: %s: %s", reranker, type(exc).__name__, exc)
        _log.debug("where %r failed", reranker, exc_info=exc)

    return list(attempts(reranker.score_many, requests, catch=Exception, on_failure=failed, reraise=SETUP_FAULTS))


def _reason(reranker: Reranker, exc: Exception) -> str:
    """Return the beginning of a sentence that says which reranker failed, and why."""
    return f"{type(reranker).__name__} failed ({type(exc).__name__}: {str(exc)[:200]})"


def _uncertain(
    request: Request, scores: Scores, band: tuple[float, float] | None, max_spread: float | None
) -> list[int]:
    """Return the documents in the band, or with a spread above the limit, most uncertain first.

    The uncertainty is how near a score is to the middle of the band, in ten steps; then come those that only the
    spread speaks for, the widest first, likewise. Within a step, shorter documents, which cost less, come first.
    """
    keys: list[tuple[tuple[int, int, int, int], int]] = []
    spreads: Sequence[object] = scores.explanations.get("spread", ()) if max_spread is not None else ()
    for at, value in enumerate(scores.values.tolist()):
        cost = (len(request.texts[at]), at)
        spread = spreads[at] if at < len(spreads) else None
        if band is not None and band[0] <= value <= band[1]:
            half = (band[1] - band[0]) / 2
            distance = abs(value - (band[0] + half)) / half if half else 0.0
            keys.append(((0, int(distance * _STEPS), *cost), at))
        elif max_spread is not None and isinstance(spread, int | float) and spread > max_spread:
            excess = int(min(_STEPS * spread / max(max_spread, 1e-9), 1e12))
            keys.append(((1, -excess, *cost), at))
    return [at for _, at in sorted(keys)]


def _best_first(indices: Sequence[int], values: npt.NDArray[np.float64]) -> list[int]:
    """Return documents by falling score, and in their order among equals."""
    return sorted(indices, key=lambda at: (-values[at], at))


def _merged_values(
    base: npt.NDArray[np.float64],
    asked: Sequence[int],
    verdict: npt.NDArray[np.float64],
    merge: Literal["replace", "order"],
) -> npt.NDArray[np.float64]:
    """Return the base's scores with the judge's verdict on some documents worked in.

    Args:
        base: shape (n_documents,).
        asked: the documents that the judge gave a verdict on.
        verdict: its scores for these, shape (len(asked),).
        merge: ``replace`` takes its scores; ``order`` hands the base's own scores of these documents out
            anew, the highest to the judge's best, equal ones of the judge's in the base's order.
    """
    values, places = base.copy(), list(asked)
    if merge == "replace":
        values[places] = verdict
    else:
        by_verdict = np.lexsort((np.array(places), -base[places], -verdict))
        values[np.array(places, dtype=np.intp)[by_verdict]] = np.sort(base[places])[::-1]
    return values


def _spread_out(column: Sequence[Any], asked: Sequence[int], n: int) -> list[Any]:
    """Return a column of explanations for all ``n`` documents, None where nobody was asked."""
    cells: list[Any] = [None] * n
    for at, cell in zip(asked, column, strict=True):
        cells[at] = cell
    return cells
