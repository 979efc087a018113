"""An ensemble: the scores of several rerankers averaged or their rankings fused, and how far they disagree."""

import logging
from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from secondpass.base import RequestLike, Reranker, as_requests, inner_rerankers
from secondpass.composition.fusion import (
    Grades,
    Vector,
    convex_weights,
    coordinate_ascent,
    judged_rows,
    normalised,
    ranks,
    spread,
    weighted_sum,
)
from secondpass.composition.members import (
    ask_members,
    joined_explanations,
    member_of,
    require_initial_scores,
    without_k,
)
from secondpass.counts import counted
from secondpass.errors import CompositionError, ConfigError, ScoringError
from secondpass.loading import RerankerLike
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import NOT_NEGATIVE, Flag, OneOf, check, checked_k, must_be

__all__ = ["EnsembleReranker"]

Method = Literal["mean", "zscore", "minmax", "rrf", "convex"]

_log = logging.getLogger(__name__)


class EnsembleReranker(Reranker):
    """Combines the scores of several rerankers.

    - ``rrf``, the default: reciprocal rank fusion, the weighted mean of 1 / (rrf_k + rank) (Cormack, Clarke and
      Büttcher 2009, SIGIR), which orders as the paper's sum does. Members may have any scale; the result is ordinal.
    - ``mean``: the weighted mean of the scores, on their scale. All members must give probabilities, or all the logits
      of cross-encoders, or be of one kind. Those of different models can differ widely: calibrate them, and the mean is
      a probability too.
    - ``zscore``, ``minmax``: the weighted mean, after each member's scores of a request were scaled to mean 0 and
      deviation 1, or to the range 0 to 1. Members may have any scale; the result is ordinal.
    - ``convex``: as ``minmax``, with the first stage's own ``initial_scores`` (higher is better) as one more
      source (Bruch, Gai and Ingber 2023, ACM TOIS 42). The result is ordinal.

    Explanations: ``spread``, the standard deviation over the members that took part, without the weights and without
    ``initial_scores``: in units of the scale for ``mean``, of the normalised scores for ``zscore``, ``minmax`` and
    ``convex``, and in ranks for ``rrf``; and ``member_scores``, a list of each member's score, by position, with None
    for a member that did not take part. The members' own explanations are kept; if several have one of the same name,
    the first keeps the name, and the position of the member is added to those of the others.

    Args:
        members: the rerankers, or their names or configurations, as `secondpass.load` takes them.
        method: how their scores become one.
        weights: a number for each member, and for ``convex`` one more at the end for ``initial_scores``; only their
            proportions count. Equal by default. A member of weight 0 is not run. `fit` sets them.
        rrf_k: the larger, the less the first ranks stand out; ``rrf`` only.
        on_error: what happens if a member fails: ``raise`` its error, or ``skip`` the member for all requests of the
            call, which is logged, noted in the trace, and counted there under ``members_failed``. Errors that the
            caller can correct (`InputError`, `ConfigError`, `MissingExtraError`) are always raised. If a member may be
            skipped, the scores are not pointwise, as a cache would mix those with and without it.
        missing_initial: what ``convex`` does with a request without ``initial_scores``: ``raise``, or ``skip``
            them, which is counted under ``fallbacks`` and noted.
        parallel: run each member in a thread of its own; the scores are the same either way.

    Attributes:
        fitted_ndcg_: nDCG@k of the fitted ensemble on what it was fitted on, in [0, 1]; None before `fit`.

    Raises:
        CompositionError: the members' scores can't be averaged; the message names two of them.
        ConfigError: a setting is out of range.
        ScoringError: every member failed.
    """

    registry_name: ClassVar[str] = "ensemble"

    def __init__(
        self,
        members: Sequence[RerankerLike],
        *,
        method: Method = "rrf",
        weights: Sequence[float] | None = None,
        rrf_k: float = 60.0,
        on_error: Literal["raise", "skip"] = "raise",
        missing_initial: Literal["raise", "skip"] = "raise",
        parallel: bool = True,
    ) -> None:
        if not isinstance(members, list | tuple) or not members:
            raise ConfigError(must_be("EnsembleReranker: members", "a list of at least one reranker", members))
        self.method, self.rrf_k = method, rrf_k
        self.on_error, self.missing_initial, self.parallel = on_error, missing_initial, parallel
        check(
            self,
            method=OneOf(*get_args(Method)),
            on_error=OneOf("raise", "skip"),
            missing_initial=OneOf("raise", "skip"),
            rrf_k=NOT_NEGATIVE,
            parallel=Flag(),
        )
        self.members = [member_of(self, member) for member in members]
        if method == "mean":
            self._require_one_scale()
        self.scale = self.members[0].scale if method == "mean" else Scale.ORDINAL
        # Without a member that failed, the mean is another one, which must not stand beside the whole one.
        whole = on_error == "raise" or len(self.members) == 1
        self.pointwise = method == "mean" and whole and all(member.pointwise for member in self.members)
        n_sources = len(self.members) + (method == "convex")
        if weights is not None and (isinstance(weights, str | Mapping) or not isinstance(weights, Sized)):
            raise ConfigError(must_be("EnsembleReranker: weights", "a list of numbers", weights))
        if weights is not None and len(weights) != n_sources:
            sources = counted(len(self.members), "member") + (" and the initial scores" if method == "convex" else "")
            raise ConfigError(f"there must be a weight for each of {sources}, not {counted(len(weights), 'weight')}")
        if weights is not None:
            convex_weights(weights)
        self.weights = None if weights is None else [float(weight) for weight in weights]
        self.fitted_ndcg_: float | None = None

    def _require_one_scale(self) -> None:
        first = self.members[0]
        for member in self.members:
            if Scale.ORDINAL in (member.scale, first.scale) or _unit(member) != _unit(first):
                raise CompositionError(
                    f"EnsembleReranker can't average scores of different kinds, and {first!r} gives "
                    f"{_kind(first)}, {member!r} {_kind(member)}. There are three ways out: make probabilities of both "
                    f"(CalibratedReranker, fitted or with calibrator='ready'), fuse their ranks (method='rrf', the "
                    f"default), or put each one's scores of a request on one scale (method='zscore' or 'minmax')"
                )

    def fit(self, requests: Iterable[RequestLike], grades: Sequence[Grades], *, k: int = 10) -> Self:
        """Set the weights that give the best nDCG@k on judged requests, by coordinate ascent; returns itself.

        Deterministic. On these requests the result is at least as good as equal weights and as each member
        alone; how good it is on others, only others can tell. Every member scores every request once.

        Args:
            requests: what to fit on, as for `rerank_many`; with ``initial_scores`` for ``convex``.
            grades: for each request, a grade of at least 0 for each document; or its qrels, a mapping of document
                id to grade, for documents with an ``id``: then what was not retrieved counts in the ideal, too.
            k: how far down nDCG looks.

        Raises:
            InputError: grades don't fit the requests, or no document is relevant.
        """
        depth = checked_k(k) or 10
        asked = without_k(as_requests(requests, None))
        self._require_initial(asked)
        answers, _ = ask_members(dict(enumerate(self.members)), asked, parallel=self.parallel, catch=False)
        rows = [self._rows(request, {at: of[n] for at, of in answers.items()}) for n, request in enumerate(asked)]
        weights, self.fitted_ndcg_ = coordinate_ascent(judged_rows(asked, grades, rows), depth)
        self.weights = weights
        if not any(weights[: len(self.members)]):
            _log.warning("the members add nothing to the first stage on what the ensemble was fitted on")
        return self

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        # Read once: another thread may fit meanwhile.
        weights = self.weights or [1.0] * (len(self.members) + (self.method == "convex"))
        asked = without_k(requests)
        if self.missing_initial == "raise":
            self._require_initial(asked)
        everyone = dict(enumerate(self.members))
        # With all weight on the initial scores, members are run for what they explain.
        active = {at: member for at, member in everyone.items() if weights[at] > 0} or everyone
        answers, failures = ask_members(active, asked, parallel=self.parallel, catch=self.on_error == "skip")
        notes = tuple(f"{self._named(at)} failed and was left out: {exc!r}" for at, exc in failures.items())
        if not answers:
            cause = next(iter(failures.values()))
            raise ScoringError(f"every member of the ensemble failed: {'; '.join(notes)}") from cause
        for at, exc in failures.items():
            _log.warning("%s of the ensemble failed and was left out: %s: %s", self._named(at), type(exc).__name__, exc)
            _log.debug("where %s failed", self._named(at), exc_info=exc)
        return [
            self._fused(request, weights, {at: of[n] for at, of in answers.items()}, notes)
            for n, request in enumerate(asked)
        ]

    def _named(self, position: int) -> str:
        return f"member {position} ({type(self.members[position]).__name__})"

    def _require_initial(self, requests: Sequence[Request]) -> None:
        if self.method == "convex":
            instead = "take another method, or set missing_initial='skip'"
            require_initial_scores(requests, "EnsembleReranker(method='convex')", instead)

    def _fused(
        self, request: Request, weights: Sequence[float], of_members: Mapping[int, Scores], notes: tuple[str, ...]
    ) -> Scores:
        rows, taking_part = self._rows(request, of_members), [weights[at] for at in of_members]
        counts = {"members_failed": len(notes)} if notes else {}
        if len(rows) > len(of_members):
            taking_part.append(weights[-1])
        elif self.method == "convex":
            counts["fallbacks"] = 1
            notes = (*notes, "the request has no initial_scores, so only the members were fused")
        values = weighted_sum(rows, convex_weights(taking_part if any(taking_part) else [1.0] * len(rows)))
        if self.scale is Scale.PROBABILITY:
            values = np.clip(values, 0.0, 1.0)  # a sum of weights that sum to 1 + 1e-16
        compared = [ranks(scores.values) for scores in of_members.values()] if self.method == "rrf" else rows
        own = {
            "spread": spread(compared[: len(of_members)]).tolist(),
            "member_scores": [
                [
                    float(of_members[at].values[document]) if at in of_members else None
                    for at in range(len(self.members))
                ]
                for document in range(len(request))
            ],
        }
        stages = tuple(scores.trace for scores in of_members.values())
        return Scores(values, joined_explanations(own, of_members), Trace(counts=counts, notes=notes, stages=stages))

    def _rows(self, request: Request, of_members: Mapping[int, Scores]) -> list[Vector]:
        """Return the sources' scores on one scale: the members', and for ``convex`` the first stage's."""
        rows = [scores.values for scores in of_members.values()]
        if self.method == "convex" and request.initial_scores is not None:
            rows.append(np.array(request.initial_scores))
        return [normalised(row, self.method, self.rrf_k) for row in rows]

    def __repr__(self) -> str:
        return f"EnsembleReranker({self.members!r}, method={self.method!r})"


def _unit(reranker: Reranker) -> str:
    """Return what is the same for two rerankers whose scores can be averaged."""
    if reranker.scale is not Scale.LOGIT:
        return str(reranker.scale)
    return _own_kind(reranker) or str(reranker.scale)


def _own_kind(reranker: Reranker) -> str | None:
    """Return the class of a reranker whose scores are known not to be log-odds, or of one that it wraps."""
    if reranker.log_odds is not None:
        return None if reranker.log_odds else type(reranker).__name__
    return next(filter(None, map(_own_kind, inner_rerankers(reranker))), None)


def _kind(reranker: Reranker) -> str:
    if reranker.scale is Scale.ORDINAL:
        return "ordinal scores, which only say an order"
    if reranker.scale is Scale.LOGIT and (kind := _own_kind(reranker)):
        return f"scores of its own kind ({kind}), which are no log-odds"
    return {Scale.LOGIT: "logits", Scale.PROBABILITY: "probabilities"}[reranker.scale]
