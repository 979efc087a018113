"""Rerank long documents by their windows, so that nothing is cut off."""

from collections.abc import Sequence
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.calibration.ready import ReadyCalibration
from secondpass.composition.members import member_of
from secondpass.errors import ConfigError
from secondpass.loading import RerankerLike
from secondpass.logistic import sigmoid
from secondpass.types import Request, Scale, Scores
from secondpass.validation import SHARE, OneOf, Whole, check, must_be
from secondpass.windowed import Passage, Windows
from secondpass.windows import ApproximateTokenization, Borders, Tokenization, find_tokenization

__all__ = ["Passage", "PassageReranker", "Pool"]

Pool = Literal["max", "first", "mean", "top_mean", "decayed_sum"]

_FIRST: Pool = "first"


class PassageReranker(Reranker):
    """Scores the windows of long documents, and combines the scores of each document's windows.

    A document that fits into the model is scored as it is, and its score is the same to the bit. A longer document is
    cut into overlapping windows. The windows of all documents and requests are scored together, in portions of about a
    million characters, so that memory does not grow with their number. The best window of each document is explained
    as a `Passage` under ``passage``; the wrapped reranker's other explanations are those of this window.

    The length of a window follows from the wrapped reranker's model and the query, if the reranker (or one that it
    wraps) has a `Tokenization`, as cross-encoders do; otherwise tokens are estimated.

    With ``max``, a document with many windows has more chances of a high score. Means and ``first`` avoid that, but can
    miss the one relevant window. Maximum (MaxP), first (FirstP) and sum are those of Dai and Callan (2019,
    arXiv:1905.09217).

    Args:
        wrapped: the reranker that scores the windows; its scores must not depend on the other documents.
        max_tokens: the most tokens in a window, as the wrapped reranker's model counts them, and never more than fit
            beside the query. By default as many as fit, or 384 estimated ones if that is not known.
        overlap: the fewest tokens that neighbouring windows share; by default an eighth of a window, and half of it at
            most.
        borders: ``sentence`` ends a window with a sentence, if one ends in its second half; ``token`` only avoids
            cutting words.
        pool: how the scores of a document's windows are combined: ``max``, ``mean``, ``first`` (the other windows are
            not scored at all) or ``top_mean`` (the mean of the ``n_best`` highest), all on the wrapped reranker's
            scale; or ``decayed_sum``, the sum of their probabilities (the logistic function of logits) from the best
            to the worst, each weighted by ``decay`` times the weight of the one before; its scores are ordinal.
        n_best: how many windows ``top_mean`` takes.
        decay: for ``decayed_sum``, from 0 (the best window alone) to 1 (the plain sum).

    Raises:
        CompositionError: the wrapped reranker's scores depend on the other documents, or they are ordinal and ``pool``
            would calculate with them.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "passage"
    pointwise = True

    def __init__(
        self,
        wrapped: RerankerLike,
        *,
        max_tokens: int | None = None,
        overlap: int | None = None,
        borders: Borders = "sentence",
        pool: Pool = "max",
        n_best: int = 3,
        decay: float = 0.5,
    ) -> None:
        self.max_tokens, self.overlap = max_tokens, overlap
        self.borders, self.pool, self.n_best, self.decay = borders, pool, n_best, decay
        check(
            self,
            max_tokens=Whole(at_least=1) | None,
            overlap=Whole(at_least=0) | None,
            borders=OneOf(*get_args(Borders)),
            pool=OneOf(*get_args(Pool)),
            n_best=Whole(at_least=1),
            decay=SHARE,
        )
        # Means and sums are of numbers; a maximum only needs an order.
        scales = () if pool in ("max", _FIRST) else (Scale.LOGIT, Scale.PROBABILITY)
        self.wrapped = wrapped = member_of(self, wrapped, *scales, pointwise=True)
        if self.max_tokens and self.overlap and 2 * self.overlap > self.max_tokens:
            most = f"at most half of max_tokens, which is {max_tokens}"
            raise ConfigError(must_be("PassageReranker: overlap", most, overlap))
        self.scale = Scale.ORDINAL if pool == "decayed_sum" else wrapped.scale
        self._tokenization: Tokenization = find_tokenization(wrapped) or ApproximateTokenization()
        self._windows = Windows(
            max_tokens=self.max_tokens,
            overlap=self.overlap,
            borders=self.borders,
            pool=self._pool,
            first_only=pool == _FIRST,
            wrapping=True,
        )

    @property
    def calibration(self) -> ReadyCalibration | None:
        """That of the wrapped reranker, if a document's score is that of one of its windows."""
        return self.wrapped.calibration if self.pool in ("max", _FIRST) else None

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return self._windows.scores(requests, self.wrapped.score_many, self._tokenization)

    def _pool(self, values: npt.NDArray[np.float64]) -> float:
        if self.pool == "mean":
            return float(values.mean())
        if self.pool in ("max", _FIRST):
            return float(values.max())
        ordered = np.sort(values)[::-1]
        if self.pool == "top_mean":
            return float(ordered[: self.n_best].mean())
        probabilities = sigmoid(ordered) if self.wrapped.scale is Scale.LOGIT else ordered
        return float(probabilities @ self.decay ** np.arange(len(ordered)))

    def __repr__(self) -> str:
        return f"PassageReranker({self.wrapped!r})"
