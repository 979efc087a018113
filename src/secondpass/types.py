"""What goes into a reranker and what comes out of it: frozen, and free of any framework."""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from secondpass.errors import ConfigError, InputError, ScoringError
from secondpass.validation import SHARE, THRESHOLD, Text, checked_k

__all__ = ["Document", "Qrels", "RankedDocument", "Ranking", "Request", "Run", "Scale", "Scores", "Trace"]

Document = str | Mapping[str, Any]
"""A text, or a mapping with ``text`` and, if you like, ``id`` and ``metadata``; it comes back untouched."""

Qrels = Mapping[str, Mapping[str, int]]
"""Relevance judgements: query id to document id to grade, where 0, or no entry, means not relevant."""

Run = Mapping[str, Sequence[str]]
"""What a system returned: query id to document ids, best first."""

HOW_TO_CALIBRATE = (
    "none come ready for this model; fit them on judged documents by CalibratedReranker(...).fit(examples), or compare "
    "the scores with a threshold"
)

_SURROGATES = re.compile("[\ud800-\udfff]")
# All controls but tabs and newlines, lone surrogates, and what turns the direction of the text behind it.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Hangul fillers count as letters, and the empty Braille pattern as a symbol, but show nothing.
_LETTER_OR_DIGIT = re.compile("[^\\W_\u115f\u1160\u3164\uffa0]")
# Symbols that only draw: rules, the lines of tables, boxes, bullets, and the pattern of Braille without a dot.
_DRAWN = re.compile("[|=~^`\u2500-\u25ff\u2800]|[+](?=[-=])|(?<=[-=])[+]")


class Scale(StrEnum):
    """What a reranker's scores mean, and therefore what can be done with them."""

    LOGIT = "logit"
    """Unbounded; higher is more relevant. Comparable between documents and queries of one model only."""
    PROBABILITY = "probability"
    """In [0, 1]: the estimated probability that the document is relevant."""
    ORDINAL = "ordinal"
    """Only the order within one request means anything."""


@dataclass(frozen=True, slots=True)
class Request:
    """A query with its candidate documents: the unit that every reranker scores.

    Args:
        query: what the user asked; not empty.
        documents: the candidates, in the first stage's order; duplicates and an empty list are fine.
        k: how many results the caller wants; None for all. A reranker may use it to stop early, but
            still scores every document.
        initial_scores: the first stage's score of each document, on any scale; None if unknown.
        instruction: what counts as relevant, in a sentence, for models that were trained to be told; a reranker that
            takes none refuses it.
        unit: who asks (a user, a session, a tenant), by which an `ABTestReranker` chooses; it changes nothing else.

    Attributes:
        texts: the documents' texts, one for each, as models can take them: a lone surrogate, which no
            encoding can hold, is replaced by U+FFFD, so that character offsets stay right.
        blank: for each document whether it says nothing, see `is_blank`. No model and no server is asked about these;
            they come last.

    Raises:
        InputError: a field has the wrong type or value; the message says which.
    """

    query: str
    documents: Sequence[Document]
    k: int | None = None
    initial_scores: Sequence[float] | None = None
    instruction: str | None = None
    unit: str | None = None
    texts: tuple[str, ...] = field(init=False, repr=False, compare=False)
    blank: tuple[bool, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.query, str):
            raise InputError(f"the query must be a str, not {type(self.query).__name__}")
        if not self.query.strip():
            raise InputError("the query is empty: there is nothing to rank by; keep the documents in their order")
        if isinstance(self.documents, str | bytes | Mapping) or not isinstance(self.documents, Iterable):
            raise InputError(f"documents must be a list of documents, not {type(self.documents).__name__}")
        if isinstance(self.documents, set | frozenset):
            raise InputError(
                "documents must be a list of documents, not a set: without an order no index says which is meant"
            )
        if self.instruction is not None:
            instruction = Text().checked(self.instruction, "instruction", error=InputError)
            object.__setattr__(self, "instruction", well_formed(instruction))
        (Text() | None).checked(self.unit, "unit", error=InputError)
        documents = tuple(self.documents)
        texts = tuple(well_formed(document_text(document, at)) for at, document in enumerate(documents))
        object.__setattr__(self, "query", well_formed(self.query))
        object.__setattr__(self, "documents", documents)
        object.__setattr__(self, "k", checked_k(self.k))
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "blank", tuple(map(is_blank, texts)))
        if self.initial_scores is not None:
            object.__setattr__(self, "initial_scores", _checked_initial_scores(self.initial_scores, len(documents)))

    def __len__(self) -> int:
        return len(self.documents)

    def subset(self, indices: Iterable[int]) -> "Request":
        """Return a request for some of the documents, in the order of ``indices``, without ``k``."""
        chosen = [int(index) for index in indices]
        initial = None if self.initial_scores is None else [self.initial_scores[index] for index in chosen]
        documents = [self.documents[index] for index in chosen]
        return Request(self.query, documents, initial_scores=initial, instruction=self.instruction, unit=self.unit)

    def without_blanks(self) -> "Request":
        """Return a request for the documents that are not blank, with its ``k``; itself if none is."""
        if not any(self.blank):
            return self
        kept = self.subset(index for index, blank in enumerate(self.blank) if not blank)
        return replace(kept, k=self.k)


def document_text(document: object, position: int) -> str:
    """Return the text of a document; ``position`` is only for the error."""
    if isinstance(document, str):
        return document
    if isinstance(document, Mapping):
        text = document.get("text")
        if isinstance(text, str):
            return text
        raise InputError(f"documents[{position}] is a mapping without a str under 'text' (found {type(text).__name__})")
    kind = type(document).__name__
    raise InputError(
        f"documents[{position}] is of type {kind}; a document is a str, or a mapping with a str under 'text'"
    )


def _checked_initial_scores(scores: Iterable[float], n_documents: int) -> tuple[float, ...]:
    try:
        checked = tuple(float(score) for score in scores)
    except (TypeError, ValueError, OverflowError) as exc:
        raise InputError(f"initial_scores must be numbers, one for each document, or None: {exc}") from exc
    if len(checked) != n_documents or not all(map(math.isfinite, checked)):
        raise InputError(f"initial_scores must be {n_documents} finite numbers, one for each document, or None")
    return checked


def well_formed(text: str) -> str:
    """Return a text with U+FFFD for each lone surrogate: neither tokenizers nor UTF-8 accept them."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def is_blank(text: str) -> bool:
    """Return whether a text has no letter, digit or symbol that says something.

    Spaces, punctuation, marks, controls and what draws lines and bullets say nothing.
    """
    if _LETTER_OR_DIGIT.search(text):
        return False
    return not any(unicodedata.category(character)[0] == "S" for character in _DRAWN.sub("", text))


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened while one request was answered.

    Attributes:
        name: the reranker or stage that it describes.
        latency_s: wall-clock seconds of the call. Requests that are scored together share one call,
            and so show the same time.
        counts: how often each event happened, such as ``pairs`` (asked for), ``pairs_scored`` (that reached
            the model; identical ones reach it once), ``tokens`` (of the pairs asked for),
            ``truncated`` (documents that the model saw only the beginning of), ``cache_hits``,
            ``fallbacks``.
        notes: remarks for a person to read, in sentences.
        stages: the traces of the calls made within this one.
    """

    name: str = ""
    latency_s: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stages: "tuple[Trace, ...]" = ()

    def total(self, count: str) -> int:
        """Return a count summed over this and every stage within it."""
        return self.counts.get(count, 0) + sum(stage.total(count) for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {
            "name": self.name,
            "latency_s": self.latency_s,
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "stages": [stage.to_dict() for stage in self.stages],
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one request's documents, in the order of the documents.

    Args:
        values: shape (n_documents,), converted to float64; on the reranker's `Scale`.
        explanations: what explains the scores, in columns: a name (``passage``, ``spread``, ``stage``)
            to one value for each document.
        trace: what happened; the base class fills in the name and the time.

    Raises:
        ScoringError: the values are not numbers.
    """

    values: npt.NDArray[np.float64]
    explanations: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)

    def __post_init__(self) -> None:
        try:
            values = np.asarray(self.values, dtype=np.float64)
        except (TypeError, ValueError, OverflowError, RuntimeError) as exc:  # the last one of a tensor with a gradient
            raise ScoringError(f"the values of Scores must be numbers, one for each document: {exc}") from exc
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    def rescored(
        self,
        values: npt.NDArray[np.float64],
        *,
        counts: Mapping[str, int] | None = None,
        notes: tuple[str, ...] = (),
        **explanations: Sequence[Any],
    ) -> "Scores":
        """Return a wrapper's new scores: these explanations are kept, and this trace becomes a stage.

        Args:
            values: the new scores, shape (n_documents,).
            counts: the wrapper's own counts; those of the wrapped reranker stay in its stage.
            notes: the wrapper's own remarks, in sentences.
            explanations: further columns, by name.
        """
        trace = Trace(counts=counts or {}, notes=notes, stages=(self.trace,))
        return Scores(values, {**self.explanations, **explanations}, trace)


@dataclass(frozen=True, slots=True)
class RankedDocument:
    """A document in its place.

    Attributes:
        index: its position in the request's documents, from 0.
        rank: its place in the ranking, from 1.
        score: on the ranking's scale; a Python float.
        document: the object that was passed in.
        explanation: what explains the score, by name; empty if there is nothing to explain.
    """

    index: int
    rank: int
    score: float
    document: Document
    explanation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def probability(self) -> float | None:
        """The calibrated probability that the document is relevant; None if nothing calibrates the reranker.

        0.0 of a blank document.
        """
        return 0.0 if self.explanation.get("blank") else self.explanation.get("probability")

    @property
    def text(self) -> str:
        """The document's text, as it was passed in."""
        return self.document if isinstance(self.document, str) else self.document["text"]

    @property
    def id(self) -> Any:
        """The ``id`` of a document that was passed as a mapping, else None."""
        return None if isinstance(self.document, str) else self.document.get("id")

    @property
    def metadata(self) -> Any:
        """The ``metadata`` of a document that was passed as a mapping, else an empty mapping."""
        return {} if isinstance(self.document, str) else self.document.get("metadata") or {}

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the document's own metadata is."""
        plain: dict[str, Any] = {"rank": self.rank, "index": self.index, "score": self.score, "text": self.text}
        optional = {"id": self.id, "metadata": self.metadata, "explanation": dict(self.explanation)}
        return plain | {
            key: value
            for key, value in optional.items()
            if not (value is None or (isinstance(value, Mapping) and not value))
        }


@dataclass(frozen=True, slots=True, repr=False)
class Ranking(Sequence[RankedDocument]):
    """The documents of one request, best first; equal scores keep the order in which they came.

    Attributes:
        query: what was asked.
        documents: the ranked documents.
        scale: what the scores mean.
        trace: what happened while it was made.
        answerable: the calibrated probability that one of the candidates answers the query, also of those that were
            not kept; None if nothing calibrates the reranker.
    """

    query: str
    documents: tuple[RankedDocument, ...]
    scale: Scale
    trace: Trace = field(default_factory=Trace)
    answerable: float | None = None

    @overload
    def __getitem__(self, at: int) -> RankedDocument: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[RankedDocument, ...]: ...
    def __getitem__(self, at: int | slice) -> RankedDocument | tuple[RankedDocument, ...]:
        return self.documents[at]

    def __len__(self) -> int:
        return len(self.documents)

    def __iter__(self) -> Iterator[RankedDocument]:
        return iter(self.documents)

    @property
    def texts(self) -> list[str]:
        """The texts, best first."""
        return [document.text for document in self.documents]

    def top(self, k: int | None) -> "Ranking":
        """Return the ``k`` best; all for None.

        Raises:
            InputError: ``k`` is below 1 or not a whole number.
        """
        return replace(self, documents=self.documents[: checked_k(k)])

    def above(self, threshold: float | None = None, *, probability: float | None = None) -> "Ranking":
        """Return the documents that score at least ``threshold`` and are relevant with at least ``probability``.

        On logits a threshold holds for one model only, on probabilities for any calibrated one. Where the model does
        not read the language, so that the order stands, documents have no probability, and all are kept.

        Args:
            threshold: for `RankedDocument.score`; None for no limit.
            probability: for `RankedDocument.probability`, from 0 to 1; None for no limit.

        Raises:
            ConfigError: the scores are ordinal, and so can't be compared with a number; there are no probabilities; or
                a limit is not a number of its kind.
        """
        threshold = THRESHOLD.checked(threshold, "threshold")
        probability = (SHARE | None).checked(probability, "probability")
        kept = self.documents
        if threshold is not None:
            if self.scale is Scale.ORDINAL:
                raise ConfigError(
                    "ordinal scores can't be compared with a threshold, as they only give an order: use k"
                )
            kept = tuple(document for document in kept if document.score >= threshold)
        if probability is not None and not self.trace.total("unread"):
            of_each = [document.probability for document in kept]
            if None in of_each:
                raise ConfigError(f"the documents have no calibrated probabilities: {HOW_TO_CALIBRATE}")
            kept = tuple(
                document for document, of in zip(kept, of_each, strict=True) if of is not None and of >= probability
            )
        return replace(self, documents=kept)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; JSON-ready if the documents' own metadata is."""
        documents = [document.to_dict() for document in self.documents]
        plain = {"query": self.query, "scale": str(self.scale), "documents": documents, "trace": self.trace.to_dict()}
        return plain if self.answerable is None else plain | {"answerable": self.answerable}

    def __repr__(self) -> str:
        lines = [f"Ranking of {len(self)} for {self.query!r} ({self.scale})"]
        lines += [f"{d.rank:>4}  {d.score:>9.4f}  [{d.index}] {shortened(d.text, 80)}" for d in self.documents[:10]]
        return "\n".join(lines + ([f"      and {len(self) - 10} more"] if len(self) > 10 else []))

    def _repr_html_(self) -> str:
        import html  # not with the module: only notebooks need it

        query = html.escape(shortened(self.query, 200))
        head = f"<caption>{query}</caption><tr><th>rank<th>{self.scale}<th>index<th>document"
        rows = (
            f"<tr><td>{d.rank}<td>{d.score:.4f}<td>{d.index}"
            f"<td style='text-align:left'>{html.escape(shortened(d.text, 200))}"
            for d in self.documents
        )
        return f"<table>{head}{''.join(rows)}</table>"


def printable(text: str) -> str:
    """Return a text with U+FFFD for control characters, those of direction included.

    A retrieved document must neither steer the terminal that it is shown in nor reorder what stands beside it.
    """
    return _CONTROLS.sub("\ufffd", text)


def shortened(text: str, width: int) -> str:
    """Return a text on one line of at most ``width`` characters, printable; it ends in "…" if something is missing."""
    line = printable(" ".join(text[: 4 * width].split()))
    return line if len(line) <= width and len(text) <= 4 * width else line[: width - 1] + "…"
