"""What is done with each row: which columns it reads, and which it adds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import pyarrow as pa

from secondpass.base import Reranker
from secondpass.errors import ConfigError, InputError
from secondpass.loading import load
from secondpass.scale.formats import Column
from secondpass.types import Document, Ranking, Request, document_text
from secondpass.validation import shown
from secondpass.verify.load import load_verifier
from secondpass.verify.types import Verification
from secondpass.windows import ApproximateTokenization

__all__ = ["Answered", "Pairs", "Requests", "Task", "Verifications", "task_of"]

Row = Mapping[str, Any]
Item = TypeVar("Item")

_CLAIM = pa.struct(
    [
        ("text", pa.string()),
        ("verdict", pa.string()),
        ("probability", pa.float64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("reason", pa.string()),
    ]
)
_ERROR = "error"


@dataclass(slots=True)
class Answered:
    """What was found out about some rows.

    Attributes:
        columns: to add to them.
        pairs: of a query and a document, or an answer and a passage, that the rows have.
        tokens: that the model was given.
        errors: rows that could not be used.
    """

    columns: list[Column] = field(default_factory=list)
    pairs: int = 0
    tokens: int = 0
    errors: int = 0


class Task(ABC):
    """What is done with each row; in a worker, with the model loaded.

    Args:
        model: its name or configuration.
        columns: our names of columns to those of the files, where they differ.
        batch_tokens: tokens, counted roughly, that the model is asked about at once.
        record_errors: whether a row that can't be used gets its error in a column, instead of ending the run.
    """

    kind: ClassVar[str]
    needed: ClassVar[tuple[str, ...]]
    optional: ClassVar[tuple[str, ...]] = ()
    added: ClassVar[Mapping[str, pa.DataType]]
    usual_rows: ClassVar[int]

    def __init__(self, model: Any, columns: Mapping[str, str], batch_tokens: int, record_errors: bool) -> None:
        self.model, self.batch_tokens, self.record_errors = model, batch_tokens, record_errors
        self.columns = dict(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return what `task_of` makes it of, as plain JSON-ready data."""
        return {
            "kind": self.kind,
            "model": self.model,
            "columns": self.columns,
            "batch_tokens": self.batch_tokens,
            "record_errors": self.record_errors,
        }

    def name(self, ours: str) -> str:
        """Return what a column is called in the files."""
        return self.columns.get(ours, ours)

    def require_columns(self, present: Collection[str]) -> None:
        """Check the columns of the files.

        Raises:
            ConfigError: one is missing, or one that is to be added is there.
        """
        known = {*self.needed, *self.optional, *self.added, _ERROR}
        for ours in self.columns:
            if ours not in known:
                raise ConfigError(f"columns: {shown(ours)} is none of {', '.join(sorted(known))}")
        missing = [self.name(ours) for ours in self.needed if self.name(ours) not in present]
        if missing:
            raise ConfigError(
                f"the files have no column {missing[0]!r}, only {', '.join(sorted(present))}: "
                f'say which it is by columns={{"{missing[0]}": ...}}'
            )
        taken = [ours for ours in self._written() if self.name(ours) in present]
        if taken:
            raise ConfigError(
                f"the files have a column {self.name(taken[0])!r} already, which would be written: "
                f'name ours otherwise by columns={{"{taken[0]}": ...}}'
            )

    def _written(self) -> list[str]:
        return [*self.added, *([_ERROR] if self.record_errors else [])]

    @abstractmethod
    def load(self) -> None:
        """Load the model."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """The identity of the loaded model."""

    def read_names(self) -> list[str]:
        """Return the columns that are read, as the files call them."""
        return [self.name(ours) for ours in (*self.needed, *self.optional)]

    def answer(self, rows: Sequence[Row], place: Callable[[int], str]) -> Answered:
        """Return the columns to add to rows.

        Args:
            rows: as `ShardRows.columns` gives them for `read_names`.
            place: where a row stands, for errors.

        Raises:
            InputError: a row can't be used.
            SecondPassError: the model failed.
        """
        answered = Answered()
        values: dict[str, list[Any]] = {ours: [None] * len(rows) for ours in self._written()}

        def refuse(at: int, exc: InputError) -> None:
            if not self.record_errors:
                raise InputError(f"{place(at)}: {exc}") from exc
            answered.errors += 1
            values[_ERROR][at] = str(exc)

        def items() -> Iterator[tuple[int, Any]]:
            for at, row in enumerate(rows):
                try:
                    yield at, self._item({ours: row.get(self.name(ours)) for ours in (*self.needed, *self.optional)})
                except InputError as exc:
                    refuse(at, exc)

        for batch in self._batches(items()):
            for at, outcome in self._each(batch):
                if isinstance(outcome, InputError):
                    refuse(at, outcome)
                    continue
                found, pairs, tokens = outcome
                answered.pairs, answered.tokens = answered.pairs + pairs, answered.tokens + tokens
                for ours, value in found.items():
                    values[ours][at] = value
        types = {**self.added, _ERROR: pa.string()}
        answered.columns = [Column(self.name(ours), types[ours], values[ours]) for ours in values]
        return answered

    def _batches(self, items: Iterator[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
        batch: list[tuple[int, Any]] = []
        tokens = 0
        for at, item in items:
            n = sum(ApproximateTokenization().lengths(self._texts(item)))
            if batch and tokens + n > self.batch_tokens:
                yield batch
                batch, tokens = [], 0
            batch.append((at, item))
            tokens += n
        if batch:
            yield batch

    def _each(self, batch: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        try:
            yield from zip([at for at, _ in batch], self._ask([item for _, item in batch]), strict=True)
        except InputError as exc:
            if len(batch) == 1:
                yield batch[0][0], exc
                return
            for each in batch:  # one that the model refuses must not take the others with it
                yield from self._each([each])

    @abstractmethod
    def _item(self, row: Row) -> Any:
        """Return what the model is asked for a row with our names; raise an `InputError` if that is not possible."""

    @abstractmethod
    def _texts(self, item: Any) -> list[str]:
        """Return the texts that the model reads for an item, the query once for each document."""

    @abstractmethod
    def _ask(self, items: Sequence[Any]) -> list[tuple[dict[str, Any], int, int]]:
        """Return the added values of each item, its pairs and its tokens."""


class _Reranking(Task):
    reranker: Reranker

    def load(self) -> None:
        """Load the reranker."""
        self.reranker = load(self.model)

    @property
    def fingerprint(self) -> str:
        """That of the reranker."""
        return self.reranker.fingerprint

    def _texts(self, item: Request) -> list[str]:
        return [item.query] * len(item) + list(item.texts)

    def _ask(self, items: Sequence[Request]) -> list[tuple[dict[str, Any], int, int]]:
        rankings = self.reranker.rerank_many(items)
        return [
            (self._found(ranking), len(item), ranking.trace.total("tokens"))
            for item, ranking in zip(items, rankings, strict=True)
        ]

    @abstractmethod
    def _found(self, ranking: Ranking) -> dict[str, Any]:
        """Return the added values of a request."""


class Pairs(_Reranking):
    """A row is a pair of a query and a document, and gets its score."""

    kind = "pairs"
    needed = ("query", "document")
    added: ClassVar[Mapping[str, pa.DataType]] = {
        "score": pa.float64(),
        "probability": pa.float64(),
        "unread": pa.bool_(),
    }
    usual_rows = 10_000

    def load(self) -> None:
        """Load the reranker, which has to score documents alone."""
        super().load()
        if not self.reranker.pointwise:
            raise ConfigError(
                f"{self.reranker!r} scores the documents of a query together: give it rows with a query and its "
                f"list of 'documents'"
            )

    def _item(self, row: Row) -> Request:
        return Request(row["query"], [_given(row["document"])])

    def _found(self, ranking: Ranking) -> dict[str, Any]:
        (document,) = ranking
        unread = bool(ranking.trace.total("unread"))
        return {"score": document.score, "probability": document.probability, "unread": unread}


class Requests(_Reranking):
    """A row is a query with its documents, and gets their scores and ranks."""

    kind = "requests"
    needed = ("query", "documents")
    optional = ("initial_scores",)
    added: ClassVar[Mapping[str, pa.DataType]] = {
        "scores": pa.list_(pa.float64()),
        "ranks": pa.list_(pa.int64()),
        "probabilities": pa.list_(pa.float64()),
        "unread": pa.bool_(),
    }
    usual_rows = 100

    def _item(self, row: Row) -> Request:
        return Request(row["query"], _listed(row["documents"], "documents"), initial_scores=row["initial_scores"])

    def _found(self, ranking: Ranking) -> dict[str, Any]:
        documents = sorted(ranking, key=lambda document: document.index)
        return {
            "scores": [document.score for document in documents],
            "ranks": [document.rank for document in documents],
            "probabilities": [document.probability for document in documents],
            "unread": bool(ranking.trace.total("unread")),
        }


class Verifications(Task):
    """A row is an answer with its passages, and gets its claims with their verdicts."""

    kind = "verifications"
    needed = ("answer", "passages")
    optional = ("question",)
    added: ClassVar[Mapping[str, pa.DataType]] = {
        "passed": pa.bool_(),
        "answer_probability": pa.float64(),
        "claims": pa.list_(_CLAIM),
    }
    usual_rows = 100

    def load(self) -> None:
        """Load the verifier."""
        self.verifier = load_verifier(self.model, policy="flag")
        if getattr(self.verifier, "policy", None) == "raise":
            raise ConfigError("the policy 'raise' would end the run at the first answer that does not pass: use 'flag'")

    @property
    def fingerprint(self) -> str:
        """That of the verifier."""
        return self.verifier.fingerprint

    def _item(self, row: Row) -> tuple[str, Sequence[Document], str | None]:
        if not isinstance(row["answer"], str):
            raise InputError(f"the answer must be a str, not {shown(row['answer'])}")
        if not isinstance(row["question"], str | None):
            raise InputError(f"the question must be a str, or nothing, not {shown(row['question'])}")
        passages = _listed(row["passages"], "passages")
        for at, passage in enumerate(passages):
            document_text(passage, at)  # which raises what is wrong with it
        return row["answer"], passages, row["question"]

    def _texts(self, item: tuple[str, Sequence[Document], str | None]) -> list[str]:
        answer, passages, _ = item
        return [answer] * len(passages) + [document_text(each, at) for at, each in enumerate(passages)]

    def _ask(
        self, items: Sequence[tuple[str, Sequence[Document], str | None]]
    ) -> list[tuple[dict[str, Any], int, int]]:
        found = self.verifier.verify_many(items)
        # Answers that are verified together share the model's counts.
        tokens = [found[0].trace.total("tokens"), *([0] * (len(found) - 1))]
        return [(_verdicts(each), len(item[1]), n) for each, item, n in zip(found, items, tokens, strict=True)]


def _verdicts(verification: Verification) -> dict[str, Any]:
    claims = [
        {
            "text": each.claim.text,
            "verdict": str(each.verdict),
            "probability": each.probability,
            "start": each.claim.start,
            "end": each.claim.end,
            "reason": each.reason or each.claim.reason,
        }
        for each in verification.claims
    ]
    return {"passed": verification.passed, "answer_probability": verification.probability, "claims": claims}


def _given(document: Any) -> Any:
    """Return a document without the columns of a Parquet struct that it has nothing in."""
    if not isinstance(document, Mapping):
        return document
    return {name: value for name, value in document.items() if value is not None}


def _listed(documents: Any, name: str) -> list[Any]:
    if not isinstance(documents, list):
        raise InputError(f"{name} must be a list, not {shown(documents)}")
    return [_given(document) for document in documents]


_TASKS: Mapping[str, type[Task]] = {each.kind: each for each in (Pairs, Requests, Verifications)}


def task_of(data: Mapping[str, Any]) -> Task:
    """Return the task that `Task.to_dict` wrote down."""
    settings = dict(data)
    return _TASKS[settings.pop("kind")](**settings)
