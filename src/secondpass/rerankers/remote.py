"""Rerank on a server: Cohere, Jina, Voyage, vLLM, Infinity, text-embeddings-inference."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from secondpass.base import Reranker
from secondpass.config import digest
from secondpass.errors import ConfigError, MissingExtraError, ScoringError
from secondpass.network import CallError, Retries, Slots, Stop, side_by_side
from secondpass.remote.settings import checked_body, checked_url, is_at_home
from secondpass.remote.shapes import SHAPES
from secondpass.secret import Secret, without_query
from secondpass.types import Request, Scale, Scores, Trace
from secondpass.validation import Flag, Number, OneOf, Text, Whole, check

__all__ = ["RemoteReranker"]

_log = logging.getLogger(__name__)

_LONGEST_S = 1e6  # a system's wait takes no more than some centuries
_HINTS = {
    400: "the server does not understand the request: check shape, model and extra_body",
    404: "there is no such endpoint or model: check the path of the URL, shape and model",
    405: "the endpoint does not accept POST: check the path of the URL and shape",
    413: "the request is too large: lower batch_size, or shorten the documents (PassageReranker splits them)",
    422: "the server can't process the request: check shape, model and extra_body; a text may be empty or too long",
    424: "the server's model is not a reranker",
}

# Activations in half precision may end a hair outside.
_SLACK = 1e-3


class _Call(NamedTuple):
    """One HTTP call: some texts of one request."""

    request: int
    query: str
    texts: list[str]


class _Answer(NamedTuple):
    """The data that answers a call, and why each attempt before the last one failed."""

    payload: Any
    retries: tuple[str, ...]


class RemoteReranker(Reranker):
    """Scores documents on a server that offers ``/rerank``.

    Each call holds one query and up to ``batch_size`` of its documents; equal documents are sent once. Scores are
    matched to documents by ``index``, and every document must get exactly one. Temporary failures (429, 408, 5xx,
    time-outs, lost connections) are retried after a random wait whose limit doubles each time, on top of the server's
    ``Retry-After``; other failures raise at once, with an error that says what to do.

    Servers do not report that they cut a document which is too long for their model, so no trace can count it: wrap
    this in a `PassageReranker`, or pass ``truncate=False`` where the server can refuse such documents.

    Args:
        url: the endpoint, such as ``https://api.cohere.com/v2/rerank``. If it names only the server
            (``http://localhost:8080``), the shape's own path is added. It must not contain a key.
        shape: the dialect that the server speaks. For a compatible server, pass the name of the one that it imitates.
        model: the model that scores; required for Cohere, Jina and Voyage. TEI serves a single model, so the name is
            not sent and only takes part in the fingerprint.
        api_key: sent as a bearer token, to ``url`` only, and never saved or pickled. By default it is read from
            ``api_key_variable``.
        api_key_variable: the environment variable with the key, read at each call. By default ``VLLM_API_KEY``,
            ``INFINITY_API_KEY`` or ``TEI_API_KEY``; and ``CO_API_KEY``, ``JINA_API_KEY`` or ``VOYAGE_API_KEY`` if the
            URL is in that provider's own domain, so that no other server gets its key.
        timeout_s: the limit for one attempt, by the clock on the wall.
        max_retries: further attempts for each call.
        backoff_s: the longest random wait before the second attempt.
        max_wait_s: the longest random wait before any; a server that asks for more is not tried again.
        batch_size: documents in a call; by default 100, and 32 for TEI, whose own default limit that is.
        concurrency: calls at the same time, over all threads.
        truncate: have documents that are too long for the model cut rather than refused. False works with vLLM, TEI
            and Voyage.
        raw_scores: ask for scores before the activation (vLLM, Infinity, TEI); these are logits.
        scale: what the scores mean, if you know better than the shape does. Cohere documents [0, 1], and Infinity and
            TEI apply a sigmoid, so theirs count as probabilities (uncalibrated ones); the others promise no range, so
            theirs count as logits.
        pointwise: whether a document's score is independent of those it is sent with. By default False for
            jina-reranker-v3, which reads all documents of a call together, so that a request is one call whatever
            ``batch_size`` says; else True.
        extra_body: further fields of the request, such as ``{"max_tokens_per_doc": 1024}``.

    Raises:
        ConfigError: a setting is unknown or out of range; while scoring, the key can't be sent.
        MissingExtraError: httpx is not installed.
        ScoringError: while scoring, a call failed for good, or its answer does not score each document once.
    """

    registry_name: ClassVar[str] = "remote"
    plain_settings: ClassVar[frozenset[str]] = frozenset({"extra_body"})

    def __init__(
        self,
        url: str,
        *,
        shape: Literal["cohere", "jina", "vllm", "infinity", "tei", "voyage"] = "cohere",
        model: str | None = None,
        api_key: str | Secret | None = None,
        api_key_variable: str | None = None,
        timeout_s: float = 30.0,
        max_retries: int = 2,
        backoff_s: float = 0.5,
        max_wait_s: float = 30.0,
        batch_size: int | None = None,
        concurrency: int = 4,
        truncate: bool = True,
        raw_scores: bool = False,
        scale: Scale | str | None = None,
        pointwise: bool | None = None,
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        self.shape = OneOf(*SHAPES).checked(shape, "RemoteReranker: shape")
        form = SHAPES[shape]
        self.url, self.model = checked_url(url, form), model
        if form.needs_model and not model:
            raise ConfigError(f"RemoteReranker: shape={shape!r} needs the name of a model: pass model")
        self.truncate, self.raw_scores = truncate, raw_scores
        self.timeout_s, self.backoff_s, self.max_wait_s = timeout_s, backoff_s, max_wait_s
        self.max_retries, self.concurrency = max_retries, concurrency
        default = Scale.LOGIT if raw_scores else form.scale
        self.batch_size = form.batch_size if batch_size is None else batch_size
        self.scale = OneOf(*Scale).checked(default if scale is None else scale, "RemoteReranker: scale")
        check(self, model=Text() | None)
        self.pointwise = "jina-reranker-v3" not in (model or "") if pointwise is None else pointwise
        wait, at_least_one = Number(at_least=0, at_most=_LONGEST_S, unit="seconds"), Whole(at_least=1)
        check(self, truncate=Flag(), raw_scores=Flag(), pointwise=Flag())
        check(self, timeout_s=Number(above=0, at_most=_LONGEST_S, unit="seconds"), backoff_s=wait, max_wait_s=wait)
        check(self, max_retries=Whole(at_least=0), batch_size=at_least_one, concurrency=at_least_one)
        if raw_scores and form.raw is None:
            raise ConfigError(f"RemoteReranker: servers of shape={shape!r} can't be asked for raw scores")
        if not truncate and form.not_truncating is None:
            raise ConfigError(f"RemoteReranker: servers of shape={shape!r} can't be asked not to truncate")
        if api_key_variable is None:
            api_key_variable = form.variable if is_at_home(self.url, form) else ""
        self.api_key = Secret(api_key, variable=api_key_variable)
        self.api_key_variable = self.api_key.variable
        self.extra_body = checked_body(extra_body, form)
        self._open()

    @property
    def fingerprint(self) -> str:
        """The identity of the server, the model and all settings that can change a score.

        A server can replace its model without notice; this can't tell.
        """
        asked = [self.url, self.shape, self.model, self.truncate, self.raw_scores, dict(self.extra_body or {})]
        return digest([self.registry_name, *asked, self.scale, self.pointwise])

    def close(self) -> None:
        """Close idle connections; the next call opens new ones. Also done at the end of a ``with`` block."""
        self._endpoint.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        try:
            from secondpass.network.endpoint import Endpoint  # imports httpx, so that it is missed now
        except ImportError as exc:
            raise MissingExtraError.of("remote", "RemoteReranker") from exc
        self._endpoint = Endpoint(self.url, self.api_key, hints=_HINTS)
        self._slots = Slots(self.concurrency)
        self._retries = Retries(self.max_retries, self.backoff_s, max_wait_s=self.max_wait_s)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_endpoint", "_slots")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open()

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        # Equal documents of a request are sent once, unless the model reads them all together.
        uniques = [list(dict.fromkeys(r.texts)) if self.pointwise else list(r.texts) for r in requests]
        calls = list(self._calls(requests, uniques))
        answered: dict[int, list[tuple[_Answer, np.ndarray]]] = defaultdict(list)
        for call, answer in zip(calls, self._post(calls), strict=True):
            answered[call.request].append((answer, self._values(answer.payload, len(call.texts))))
        results = []
        for at, (request, texts) in enumerate(zip(requests, uniques, strict=True)):
            values = np.concatenate([part for _, part in answered[at]])
            if self.pointwise:
                place = {text: position for position, text in enumerate(texts)}
                values = values[[place[text] for text in request.texts]]
            trace = _trace(len(request), len(texts), [answer for answer, _ in answered[at]])
            results.append(Scores(values, trace=trace))
        return results

    def _calls(self, requests: Sequence[Request], uniques: Sequence[list[str]]) -> Iterator[_Call]:
        for at, (request, texts) in enumerate(zip(requests, uniques, strict=True)):
            size = self.batch_size if self.pointwise else len(texts)
            for start in range(0, len(texts), size):
                yield _Call(at, request.query, texts[start : start + size])

    def _post(self, calls: Sequence[_Call]) -> list[_Answer]:
        """Send the calls, several at once, and return the answers in their order; the first failure ends all."""
        form, stop = SHAPES[self.shape], Stop()
        fixed = form.settings(self.model, raw_scores=self.raw_scores, truncate=self.truncate)
        fixed.update(self.extra_body or {})

        def post(call: _Call) -> _Answer:
            return self._posted(call, form.request(call.query, call.texts, fixed), stop)

        return side_by_side(post, calls, workers=self.concurrency, stop=stop)

    def _posted(self, call: _Call, body: Mapping[str, Any], stop: Stop) -> _Answer:
        reasons: list[str] = []
        # Some servers send the documents back, with up to 12 bytes a character.
        max_bytes = 2**20 + 1024 * len(call.texts) + 16 * sum(map(len, call.texts))

        def attempt() -> Any:
            with self._slots.taken(stop):
                return self._endpoint.post(body, timeout_s=self.timeout_s, stop=stop, max_bytes=max_bytes)

        def on_retry(exc: CallError, wait_s: float) -> None:
            reasons.append(str(exc))
            _log.warning("%s; next attempt in %.1f s", exc, wait_s)

        return _Answer(self._retries.call(attempt, stop=stop, on_retry=on_retry), tuple(reasons))

    def _values(self, payload: object, n_documents: int) -> np.ndarray:
        """Return the checked scores of an answer, in the order of the documents that were sent."""
        values, problem = None, ""
        try:
            values = SHAPES[self.shape].scores(payload, n_documents)
        except ScoringError as exc:  # it quotes the answer in part
            problem = "the answer has no scores, and repeats the key" if self.api_key.is_in(repr(payload)) else str(exc)
        if values is None:
            raise ScoringError(f"{self._where}: {problem}")
        if self.scale is not Scale.PROBABILITY:
            return values
        low, high = float(values.min()), float(values.max())
        if low < -_SLACK or high > 1 + _SLACK:
            raise ScoringError(
                f"{self._where}: scores from {low:g} to {high:g} are not probabilities; pass scale='logit'"
            )
        return np.clip(values, 0.0, 1.0)

    @property
    def _where(self) -> str:
        return without_query(self.url)

    def __repr__(self) -> str:
        model = f", model={self.model!r}" if self.model else ""
        return f"RemoteReranker({self._where!r}, shape={self.shape!r}{model})"


def _trace(n_documents: int, n_sent: int, answers: Sequence[_Answer]) -> Trace:
    retries = Counter(reason for answer in answers for reason in answer.retries)
    counts = {"pairs": n_documents, "pairs_scored": n_sent, "calls": len(answers), "retries": retries.total()}
    usages = [answer.payload.get("usage") for answer in answers if isinstance(answer.payload, Mapping)]
    tokens = [usage.get("total_tokens") for usage in usages if isinstance(usage, Mapping)]
    whole = [count for count in tokens if isinstance(count, int)]
    if whole:
        counts["tokens"] = sum(whole)
    notes = tuple(f"tried again ({times}x): {reason}" for reason, times in retries.items())
    return Trace(counts=counts, notes=notes)
