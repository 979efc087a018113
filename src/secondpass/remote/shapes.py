"""The request and the answer of each kind of reranking server, as one table.

Checked against each one's documentation and, where it is open, its source, in 2026.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from secondpass.errors import ScoringError
from secondpass.types import Scale

__all__ = ["SHAPES", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The request and the response of one kind of server.

    Attributes:
        name: what `RemoteReranker` calls it.
        path: the endpoint's path, for a URL that names only the server.
        host: the provider's own domain; empty for software that people host themselves.
        variable: the environment variable with its key.
        scale: what its scores mean, by its documentation; logits where that promises no range.
        batch_size: documents in a call by default, within what the server accepts by default.
        documents: the request's key for the texts.
        results: the response's key for the list of results; empty if the response is that list.
        score: a result's key for the score.
        needs_model: whether a request must name a model.
        sends_model: whether a request can name one.
        always: fields of every request.
        raw: fields that ask for scores before the activation; None if the server can't give them.
        truncating: fields that ask for long documents to be cut, where that is not the default.
        not_truncating: fields that ask for long documents to be refused; None if the server can't.
    """

    name: str
    path: str
    variable: str
    scale: Scale
    batch_size: int = 100
    host: str = ""
    documents: str = "documents"
    results: str = "results"
    score: str = "relevance_score"
    needs_model: bool = False
    sends_model: bool = True
    always: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] | None = None
    truncating: Mapping[str, Any] = field(default_factory=dict)
    not_truncating: Mapping[str, Any] | None = None

    def request(self, query: str, texts: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a request; ``settings`` is what `Shape.settings` returned."""
        return {"query": query, self.documents: list(texts), **settings}

    def settings(self, model: str | None, *, raw_scores: bool, truncate: bool) -> dict[str, Any]:
        """Return the fields that all requests have in common."""
        body = dict(self.always)
        if model is not None and self.sends_model:
            body["model"] = model
        body |= (self.truncating if truncate else self.not_truncating) or {}
        body |= self.raw if raw_scores and self.raw else {}
        return body

    def scores(self, payload: object, n_documents: int) -> npt.NDArray[np.float64]:
        """Return the scores of an answer in the order of the documents, matched by ``index``.

        Args:
            payload: the parsed JSON.
            n_documents: how many documents were sent.

        Raises:
            ScoringError: the answer is not of this shape, or does not score each document exactly once.
        """
        results = payload.get(self.results) if self.results and isinstance(payload, Mapping) else payload
        if not isinstance(results, list):
            where = f"no list under {self.results!r}" if self.results else "no list"
            raise ScoringError(f"the answer has {where}{_said(payload)}; check that shape={self.name!r} is right")
        values = np.full(n_documents, np.nan)
        seen: set[int] = set()
        for result in results:
            index, value = self._result(result)
            if not 0 <= index < n_documents:
                raise ScoringError(f"the answer scores document {index}, but only {n_documents} were sent (from 0)")
            if index in seen:
                raise ScoringError(f"the answer scores document {index} twice")
            seen.add(index)
            values[index] = value
        if len(seen) < n_documents:
            missing = next(index for index in range(n_documents) if index not in seen)
            raise ScoringError(
                f"the answer scores {len(seen)} of {n_documents} documents; the first without a score is {missing}"
            )
        return values

    def _result(self, result: object) -> tuple[int, float]:
        index, value = (result.get("index"), result.get(self.score)) if isinstance(result, Mapping) else (None, None)
        # A bool is an int to Python, but not to JSON.
        if not isinstance(index, int) or isinstance(index, bool):
            raise ScoringError(f"a result in the answer has no whole number under 'index': {_short(result)}")
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ScoringError(f"a result in the answer has no number under {self.score!r}: {_short(result)}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ScoringError(f"the answer gives document {index} the score {number}, which is not finite")
        return index, number


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"


def _said(payload: object) -> str:
    if isinstance(payload, Mapping):
        return f" (its keys: {_short(', '.join(map(str, payload)) or 'none')})"
    return f" (it is a JSON {type(payload).__name__})"


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        # docs.cohere.com/reference/rerank: "normalized to be in the range [0, 1]"; all are returned without top_n. A
        # hundred documents are one billed search unit.
        Shape(
            name="cohere",
            path="/v2/rerank",
            host="cohere.com",
            variable="CO_API_KEY",
            scale=Scale.PROBABILITY,
            needs_model=True,
        ),
        # api.jina.ai: no range is promised, and the scores of jina-reranker-v3 are cosines.
        Shape(
            name="jina",
            path="/v1/rerank",
            host="jina.ai",
            variable="JINA_API_KEY",
            scale=Scale.LOGIT,
            needs_model=True,
            always={"return_documents": False},
        ),
        # docs.vllm.ai: the activation is the model's own, so no range is promised; -1 cuts to what the model takes,
        # without it a long document is an error.
        Shape(
            name="vllm",
            path="/rerank",
            variable="VLLM_API_KEY",
            scale=Scale.LOGIT,
            raw={"use_activation": False},
            truncating={"truncate_prompt_tokens": -1},
            not_truncating={},
        ),
        # Infinity (michaelfeil/infinity): sigmoid unless raw_scores; cuts by itself.
        Shape(
            name="infinity",
            path="/rerank",
            variable="INFINITY_API_KEY",
            scale=Scale.PROBABILITY,
            always={"return_documents": False},
            raw={"raw_scores": True},
        ),
        # huggingface/text-embeddings-inference: probabilities unless raw_scores; --max-client-batch-size is 32. It
        # serves one model, so none is named.
        Shape(
            name="tei",
            path="/rerank",
            variable="TEI_API_KEY",
            scale=Scale.PROBABILITY,
            batch_size=32,
            documents="texts",
            results="",
            score="score",
            sends_model=False,
            raw={"raw_scores": True},
            truncating={"truncate": True},
            not_truncating={"truncate": False},
        ),
        # docs.voyageai.com/reference/reranker-api: no range is promised; at most 1,000 documents.
        Shape(
            name="voyage",
            path="/v1/rerank",
            host="voyageai.com",
            variable="VOYAGE_API_KEY",
            scale=Scale.LOGIT,
            results="data",
            needs_model=True,
            truncating={"truncation": True},
            not_truncating={"truncation": False},
        ),
    )
}
