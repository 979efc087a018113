"""As many of the best documents as fit into a prompt."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from secondpass.base import Reranker
from secondpass.composition.members import member_of, without_k
from secondpass.composition.order.relevance import best_first, reordered
from secondpass.errors import InputError, ScoringError
from secondpass.loading import RerankerLike
from secondpass.types import Ranking, Request, Scale, Scores
from secondpass.validation import Flag, Function, Whole, check
from secondpass.windows import ApproximateTokenization

__all__ = ["BudgetReranker", "in_context"]


class BudgetReranker(Reranker):
    """Puts the documents that fit into a token budget first, in their order, and those that don't after them.

    Every document comes back; `in_context` returns those that fit. The best comes first into the context, then the
    next that still fits, and so on: where ``skip`` is set, a long document does not keep shorter ones behind it out.
    The scores are ordinal.

    Explanations: ``tokens`` of the document, ``in_context``, and ``reranker_score``. The trace counts
    ``context_tokens`` and ``left_out``.

    Args:
        wrapped: any reranker.
        max_tokens: how many tokens all documents in the context may have together, ``tokens_per_document`` included.
        tokens_per_document: what the prompt puts around each document: a number, a title, an empty line.
        count_tokens: a function from a text to its tokens, of the tokenizer of the model that reads the prompt. By
            default they are estimated, on the safe side: one for each six letters or digits of a word and for each
            other character.
        skip: whether documents behind one that does not fit may still be taken.

    Raises:
        ConfigError: a setting is out of range.
        ScoringError: ``count_tokens`` failed, or returned no whole number.
    """

    registry_name: ClassVar[str] = "budget"
    scale = Scale.ORDINAL
    pointwise = False

    def __init__(
        self,
        wrapped: RerankerLike,
        max_tokens: int,
        *,
        tokens_per_document: int = 0,
        count_tokens: Callable[[str], int] | None = None,
        skip: bool = True,
    ) -> None:
        wrapped = member_of(self, wrapped)
        self.wrapped, self.max_tokens, self.tokens_per_document = wrapped, max_tokens, tokens_per_document
        self.count_tokens, self.skip = count_tokens, skip
        check(
            self,
            max_tokens=Whole(at_least=1),
            tokens_per_document=Whole(at_least=0),
            count_tokens=Function("from a text to the number of its tokens") | None,
            skip=Flag(),
        )

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        scored = self.wrapped.score_many(without_k(requests))
        return [self._fitted(request, scores) for request, scores in zip(requests, scored, strict=True)]

    def _fitted(self, request: Request, scores: Scores) -> Scores:
        lengths = self._lengths(request.texts)
        fits, used = [False] * len(request), 0
        for at in best_first(scores.values).tolist():
            needed = lengths[at] + self.tokens_per_document
            if used + needed <= self.max_tokens:
                fits[at], used = True, used + needed
            elif not self.skip:
                break
        order = sorted(best_first(scores.values).tolist(), key=lambda at: not fits[at])
        counts = {"context_tokens": used, "left_out": fits.count(False)}
        return reordered(scores, order, counts=counts, tokens=lengths, in_context=fits)

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        if self.count_tokens is None:
            return ApproximateTokenization().lengths(texts)
        try:
            counted = [self.count_tokens(text) for text in texts]
        except Exception as exc:  # the function may be anyone's, and fail in any way
            raise ScoringError(f"counting the tokens of {len(texts)} texts failed: {exc!r}") from exc
        return [_COUNT.checked(each, "what count_tokens returns", error=ScoringError) for each in counted]

    def __repr__(self) -> str:
        return f"BudgetReranker({self.wrapped!r}, max_tokens={self.max_tokens})"


_COUNT = Whole(at_least=0)


def in_context(ranking: Ranking) -> Ranking:
    """Return the documents of a ranking that a `BudgetReranker` found room for, in their order.

    Raises:
        InputError: no `BudgetReranker` made the ranking.
    """
    kept = tuple(document for document in ranking if document.explanation.get("in_context"))
    known = not len(ranking) or any({"in_context", "blank"} & document.explanation.keys() for document in ranking)
    if not known:
        raise InputError("the ranking does not say what fits: put a BudgetReranker around the reranker that makes it")
    return Ranking(ranking.query, kept, ranking.scale, ranking.trace)
