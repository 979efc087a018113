"""The best documents at both ends of a prompt, where they are read best."""

from collections.abc import Sequence
from typing import ClassVar

from secondpass.base import Reranker
from secondpass.composition.members import member_of, without_k
from secondpass.composition.order.relevance import best_first, reordered
from secondpass.loading import RerankerLike
from secondpass.types import Request, Scale, Scores

__all__ = ["LostInTheMiddleReranker"]


class LostInTheMiddleReranker(Reranker):
    """Puts the best document first, the next one last, and so on, so that the weakest stand in the middle.

    Language models use what stands in the middle of a long prompt least (Liu et al. 2024, TACL, arXiv:2307.03172). Of
    five documents the order is the 1st, 3rd, 5th, 4th and 2nd best. What is put in this order is what goes into the
    prompt: the ``k`` best if a request has a ``k``, and of these the ones that a `BudgetReranker` within has found room
    for; the others follow in their order. Put it around everything else, and pass ``k`` rather than cut the ranking:
    what is cut off at its end is the second best. The scores are ordinal, and say the order of reading.

    Explanations: ``reranker_score``, and ``relevance_rank``, the rank by relevance, from 1.

    Args:
        wrapped: any reranker.
    """

    registry_name: ClassVar[str] = "lost-in-the-middle"
    scale = Scale.ORDINAL
    pointwise = False

    def __init__(self, wrapped: RerankerLike) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped = wrapped

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        scored = self.wrapped.score_many(without_k(requests))
        return [self._arranged(request, scores) for request, scores in zip(requests, scored, strict=True)]

    def _arranged(self, request: Request, scores: Scores) -> Scores:
        order = best_first(scores.values).tolist()
        fits = scores.explanations.get("in_context")
        # Not the first ones: what stands between this and the budget may have moved them.
        read = [at for at in order if fits is None or fits[at]][: request.k]
        ranks = [0] * len(order)
        for rank, at in enumerate(order, start=1):
            ranks[at] = rank
        others = set(order) - set(read)
        arranged = [*read[::2], *read[1::2][::-1], *(at for at in order if at in others)]
        return reordered(scores, arranged, relevance_rank=ranks)

    def __repr__(self) -> str:
        return f"LostInTheMiddleReranker({self.wrapped!r})"
