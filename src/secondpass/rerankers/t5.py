"""Rerank with T5: monoT5 and RankT5 read one document at a time, duoT5 compares two."""

import os
from abc import abstractmethod
from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING, ClassVar, Literal, Unpack

import numpy as np
import numpy.typing as npt

from secondpass.base import Reranker
from secondpass.config import digest
from secondpass.errors import TruncationWarning, warn
from secondpass.logistic import sigmoid
from secondpass.models.backends.load import RunSettings, check_loading, where_and_how
from secondpass.models.sources.resolve import find_model, model_name
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import Flag, OneOf, Whole, check
from secondpass.windowed import LONG_DOCUMENTS, LongDocuments, Windows
from secondpass.windows import ModelTokenization

if TYPE_CHECKING:
    from secondpass.models.tokens import Tokens

__all__ = ["DuoT5Reranker", "MonoT5Reranker", "RankT5Reranker", "T5Settings"]

_Texts = tuple[str, ...]


class T5Settings(RunSettings, total=False):
    """How a T5 is loaded; every setting may be left out. ``max_length`` is 512 by default.

    Attributes:
        dtype: ``float32``, ``float16`` or ``bfloat16``; by default as it was saved.
    """

    dtype: Literal["float32", "float16", "bfloat16"] | None


class _T5Reranker(Reranker):
    """Asks a T5 which of some tokens it would write first; a subclass says what it reads and what follows."""

    _prompt: ClassVar[tuple[str, ...]] = ("Query:", "Document:", "Relevant:")
    """What stands before the query, before each document, and at the end."""
    _answers: ClassVar[tuple[str, ...]] = ("true", "false")
    """The tokens whose logits are the result."""

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        progress: bool = False,
        **loading: Unpack[T5Settings],
    ) -> None:
        self.model, self.progress, self.loading = model_name(model), progress, loading
        check(self, progress=Flag())
        check_loading(loading, T5Settings, type(self))
        self._warned = False
        where, how = where_and_how(loading)
        files = find_model(self.model, "rerank", backend="torch", **where)
        from secondpass.models.t5 import T5Model

        self.t5_model = T5Model(files, **how)
        self._answer_ids = [self.t5_model.token_id(word) for word in self._answers]
        self._fixed = [tokens.ids for tokens in self.t5_model.tokenizer.tokenize(self._prompt)]

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        return digest([self.registry_name, self.t5_model.fingerprint])

    @property
    def _room(self) -> int:
        return self.t5_model.max_length - 1 - sum(map(len, self._fixed))

    def _logits(self, inputs: Sequence[_Texts]) -> tuple[npt.NDArray[np.float64], list[int], list[bool]]:
        """Return, for each query with its documents, the answers' logits, the tokens read, whether a text was cut."""
        distinct = list(dict.fromkeys(inputs))
        texts = list(dict.fromkeys(text for one in distinct for text in one))
        tokens = dict(zip(texts, self.t5_model.tokenizer.tokenize(texts), strict=True))
        sequences, truncated = [], []
        for query, *documents in distinct:
            ids, cut = self._sequence(tokens[query], [tokens[document] for document in documents])
            sequences.append(ids)
            truncated.append(cut)
        logits = self.t5_model.logits(sequences, self._answer_ids, progress=self.progress)
        at = {one: position for position, one in enumerate(distinct)}
        rows = [at[one] for one in inputs]
        lengths = [len(sequences[row]) + 1 for row in rows]
        return logits[rows].astype(np.float64), lengths, [truncated[row] for row in rows]

    def _sequence(self, query: "Tokens", documents: "list[Tokens]") -> "tuple[npt.NDArray[np.int32], bool]":
        """Put the prompt together; the documents are cut at their ends, so that what asks for the answer stays."""
        n_query = min(query.length, max(self._room - self._room // 4, self._room - sum(d.length for d in documents)))
        n_document = (self._room - n_query) // len(documents)
        before_query, *before, end = self._fixed
        parts = [before_query, query.ids[:n_query]]
        for fixed, document in zip(before, documents, strict=True):
            parts += [fixed, document.ids[:n_document]]
        cut = query.length > n_query or any(document.length > n_document for document in documents)
        return np.concatenate([*parts, end]), cut

    def _trace(self, lengths: Sequence[int], truncated: Sequence[bool], scored: int, notes: _Texts = ()) -> Trace:
        counts = {"pairs": len(lengths), "pairs_scored": scored, "tokens": sum(lengths), "truncated": sum(truncated)}
        if counts["truncated"]:
            cut = (
                f"{counts['truncated']} of {len(lengths)} inputs were cut to fit into {self.t5_model.max_length} tokens"
            )
            notes = (*notes, cut)
            if not self._warned:
                self._warned = True
                warn(f"{self.model}: {cut} (shown once; the trace counts them)", TruncationWarning)
        return Trace(counts=counts, notes=notes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r})"


class _PointwiseT5Reranker(_T5Reranker):
    pointwise = True

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        long_documents: LongDocuments = "windows",
        progress: bool = False,
        **loading: Unpack[T5Settings],
    ) -> None:
        self.long_documents = long_documents
        check(self, long_documents=OneOf(*LONG_DOCUMENTS))
        super().__init__(model, progress=progress, **loading)

    @property
    def fingerprint(self) -> str:
        """The identity of the weights, and of all settings that can change a score."""
        how = [self.long_documents] if self.long_documents == "windows" else []
        return digest([self.registry_name, self.t5_model.fingerprint, *how])

    @property
    def tokenization(self) -> ModelTokenization:
        """How the model counts tokens, and how many it takes: what a `PassageReranker` asks for."""
        return ModelTokenization(self.t5_model.tokenizer, self._room)

    @abstractmethod
    def _values(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the scores, shape (n,), of the answers' logits, shape (n, n_answers)."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        if self.long_documents == "truncate":
            return self._scored(requests)
        return Windows().scores(requests, self._scored, self.tokenization)

    def _scored(self, requests: Sequence[Request]) -> list[Scores]:
        inputs = [(request.query, text) for request in requests for text in request.texts]
        logits, lengths, truncated = self._logits(inputs)
        values = self._values(logits)
        seen: set[_Texts] = set()
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
    Weights are read from safetensors only: where a repository only has pickles, convert them where you trust
    them (``model.save_pretrained(folder)``), next to the ``tokenizer.json`` of the T5 they were trained from.

    Args:
        model: a folder, or a repository on the Hugging Face hub.
        long_documents: what happens to a document that is longer than ``max_length`` leaves room for: it is scored by
            its ``windows``, as a `CrossEncoderReranker` does it, or ``truncate`` cuts it, which is counted and warned
            about once.
        progress: show a bar when it takes longer than a second.
        loading: where the model is taken from and how it runs: see `T5Settings`.

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
    log_odds = False
    _prompt: ClassVar[tuple[str, ...]] = ("Query:", "Document:", "")
    _answers: ClassVar[tuple[str, ...]] = ("<extra_id_10>",)

    def _values(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return logits[:, 0]


class DuoT5Reranker(_T5Reranker):
    """Compares every document with every other one (Pradeep et al. 2021, arXiv:2101.05667).

    A document's score is the mean probability, over the others and both orders, that it is the more relevant
    one (their symmetric sum, divided by the number of comparisons). ``n`` documents take ``n * (n - 1)`` pairs,
    so only the best ``max_documents`` by the first stage's scores (or the first ones, if there are none) are
    compared; the others follow in the first stage's order, with scores below 0. ``compared`` in the ranking's
    explanations tells them apart. On the hub: ``castorini/duot5-base-msmarco``, ``castorini/duot5-3b-msmarco``.

    Args:
        model: as for `MonoT5Reranker`, like the errors.
        max_documents: how many of a request's documents are compared.
        progress: show a bar when it takes longer than a second.
        loading: see `T5Settings`; two documents share the ``max_length`` evenly.
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
        progress: bool = False,
        **loading: Unpack[T5Settings],
    ) -> None:
        self.max_documents = max_documents
        check(self, max_documents=Whole(at_least=1))
        super().__init__(model, progress=progress, **loading)

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
