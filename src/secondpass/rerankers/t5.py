"""Rerank with T5: monoT5 and RankT5 read one document at a time, duoT5 compares two."""

import os
from abc import abstractmethod
from collections.abc import Sequence
from itertools import permutations
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError
from secondpass.logistic import sigmoid
from secondpass.rerankers.t5_base import Dtype, T5Reranker, Texts
from secondpass.types import Request, Scale, Scores
from secondpass.windows import ModelTokenization

__all__ = ["DuoT5Reranker", "MonoT5Reranker", "RankT5Reranker"]


class _PointwiseT5Reranker(T5Reranker):
    pointwise = True

    @property
    def tokenization(self) -> ModelTokenization:
        """How the model counts tokens, and how many it takes: what a `PassageReranker` asks for."""
        return ModelTokenization(self.t5_model.tokenizer, self._room)

    @abstractmethod
    def _values(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the scores, shape (n,), of the answers' logits, shape (n, n_answers)."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        inputs = [(request.query, text) for request in requests for text in request.texts]
        logits, lengths, truncated = self._logits(inputs)
        values = self._values(logits)
        seen: set[Texts] = set()
        scores, start = [], 0
        for request in requests:
            part = slice(start, start + len(request))
            start = part.stop
            new = set(inputs[part]) - seen
            seen |= new
            columns = {"truncated": truncated[part]} if any(truncated[part]) else {}
            scores.append(Scores(values[part], columns, self._trace(lengths[part], truncated[part], len(new))))
        return scores


class MonoT5Reranker(_PointwiseT5Reranker):
    """Scores each document by the probability of "true" against "false" (Nogueira et al. 2020, arXiv:2003.06713).

    The probability is the model's own, not a calibrated one. Needs the extra ``torch``. On the hub:
    ``castorini/monot5-base-msmarco``, ``castorini/monot5-large-msmarco``, ``castorini/monot5-3b-msmarco``.
    Weights are read from safetensors only: where a repository has pickles alone, save them again where you trust
    them (``model.save_pretrained(folder)``), next to the ``tokenizer.json`` of the T5 they were trained from.

    Args:
        model: a folder, or a repository on the Hugging Face hub.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``; by default the best one that is there.
        dtype: ``float32``, ``float16`` or ``bfloat16``; by default as it was saved.
        max_length: tokens of the whole input; a longer document is cut, counted and warned about once.
        batch_tokens: tokens in a batch, padding included.
        revision: branch, tag or commit on the hub.
        local_files_only: never touch the network.
        progress: show a bar when it takes longer than a second.

    Raises:
        ModelError: the model can't be found, read or used; the message says what to do.
        MissingExtraError: PyTorch is not installed.
        ConfigError: a setting is out of range.
    """

    registry_name: ClassVar[str] = "mono-t5"
    scale = Scale.PROBABILITY

    def _values(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return _probability(logits)


class RankT5Reranker(_PointwiseT5Reranker):
    """Scores each document by the logit of ``<extra_id_10>`` (Zhuang et al. 2022, arXiv:2210.10634).

    The encoder-decoder kind. Arguments and errors are those of `MonoT5Reranker`. On the hub:
    ``Soyoung97/RankT5-base``, ``Soyoung97/RankT5-large``, ``Soyoung97/RankT5-3b``.
    """

    registry_name: ClassVar[str] = "rank-t5"
    scale = Scale.LOGIT
    _prompt: ClassVar[tuple[str, ...]] = ("Query:", "Document:", "")
    _answers: ClassVar[tuple[str, ...]] = ("<extra_id_10>",)

    def _values(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return logits[:, 0]


class DuoT5Reranker(T5Reranker):
    """Compares each document with each other (Pradeep et al. 2021, arXiv:2101.05667).

    A document's score is the mean probability, over the others and both orders, that it is the more relevant
    one (their symmetric sum, divided by the number of comparisons). ``n`` documents take ``n * (n - 1)`` pairs,
    so only the best ``max_documents`` by the first stage's scores (or the first ones, if there are none) are
    compared; the others follow in the first stage's order, with scores below 0. ``compared`` in the ranking's
    explanations tells them apart. On the hub: ``castorini/duot5-base-msmarco``, ``castorini/duot5-3b-msmarco``.

    Args:
        model: as for `MonoT5Reranker`, like the other settings and the errors.
        max_documents: how many of a request's documents are compared.
        device: see `MonoT5Reranker`.
        dtype: see `MonoT5Reranker`.
        max_length: tokens of the whole input, which two documents share evenly.
        batch_tokens: see `MonoT5Reranker`.
        revision: see `MonoT5Reranker`.
        local_files_only: see `MonoT5Reranker`.
        progress: see `MonoT5Reranker`.
    """

    registry_name: ClassVar[str] = "duo-t5"
    scale = Scale.ORDINAL
    pointwise = False
    _prompt: ClassVar[tuple[str, ...]] = ("Query:", "Document0:", "Document1:", "Relevant:")

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        max_documents: int = 20,
        device: str | None = None,
        dtype: Dtype | None = None,
        max_length: int = 512,
        batch_tokens: int | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        progress: bool = False,
    ) -> None:
        if isinstance(max_documents, bool) or not isinstance(max_documents, int) or max_documents < 1:
            raise ConfigError(f"max_documents must be a whole number of at least 1, not {max_documents!r}")
        self.max_documents = max_documents
        super().__init__(
            model,
            device=device,
            dtype=dtype,
            max_length=max_length,
            batch_tokens=batch_tokens,
            revision=revision,
            local_files_only=local_files_only,
            progress=progress,
        )

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        return f"{super().fingerprint}-{self.max_documents}"

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        orders = [_first_stage_order(request) for request in requests]
        pairs = [list(permutations(order[: self.max_documents], 2)) for order in orders]
        inputs = [
            (request.query, request.texts[one], request.texts[other])
            for request, chosen in zip(requests, pairs, strict=True)
            for one, other in chosen
        ]
        logits, lengths, truncated = self._logits(inputs) if inputs else (np.empty((0, 2)), [], [])
        preferred = _probability(logits)
        scores, start = [], 0
        for request, order, chosen in zip(requests, orders, pairs, strict=True):
            part = slice(start, start + len(chosen))
            start = part.stop
            n_compared = min(len(order), self.max_documents)
            values = np.zeros(len(request))
            for (one, other), probability in zip(chosen, preferred[part].tolist(), strict=True):
                values[one] += probability
                values[other] += 1 - probability
            values /= max(1, 2 * (n_compared - 1))
            values[order[n_compared:]] = -1.0 - np.arange(len(order) - n_compared)
            compared = np.isin(np.arange(len(request)), order[:n_compared])
            trace = self._trace(lengths[part], truncated[part], len(set(inputs[part])))
            scores.append(Scores(values, {"compared": compared.tolist()}, trace))
        return scores


def _first_stage_order(request: Request) -> list[int]:
    if request.initial_scores is None:
        return list(range(len(request)))
    return [int(at) for at in np.argsort(-np.array(request.initial_scores), kind="stable")]


def _probability(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the share of the first of two tokens, shape (n,), of their logits."""
    return sigmoid(logits[:, 0] - logits[:, 1])
