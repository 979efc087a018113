"""What models learn from: queries with judged documents, labelled pairs, labelled texts."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from secondpass.errors import InputError
from secondpass.evaluate.reading import json_lines
from secondpass.files import write_whole
from secondpass.validation import shown

__all__ = [
    "Example",
    "LabelledPair",
    "LabelledText",
    "TrainingExample",
    "checked_examples",
    "data_hash",
    "read_examples",
    "write_examples",
]


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A query with documents and how relevant each of them is.

    This is the one form that all rankers' training data has; `as_pairs`, `as_triplets`, `as_tuples` and `as_lists`
    lay it out as a loss wants it.

    Attributes:
        query: what was asked.
        documents: texts, at least one.
        labels: one for each document: 0 for not relevant, above 0 for relevant, with grades if you like.
        scores: a teacher's score of each document, for distillation; None if there are none.
        group: what has to stay on one side of a split (a customer, a conversation, the page that questions were made
            from); empty if only the query has to.

    Raises:
        InputError: something is of another type, or there is not one label for each document.
    """

    query: str
    documents: tuple[str, ...]
    labels: tuple[float, ...]
    scores: tuple[float, ...] | None = None
    group: str = ""

    def __post_init__(self) -> None:
        _check_texts(self, "query", "group")
        documents = _texts(self.documents, "documents")
        if not documents:
            raise InputError(f"the example of the query {shown(self.query)} has no documents")
        object.__setattr__(self, "documents", documents)
        object.__setattr__(self, "labels", _numbers(self.labels, "labels", len(documents), at_least=0.0))
        if self.scores is not None:
            object.__setattr__(self, "scores", _numbers(self.scores, "scores", len(documents)))

    @classmethod
    def of(
        cls, query: str, positives: Sequence[str], negatives: Sequence[str] = (), *, group: str = ""
    ) -> "TrainingExample":
        """Return the example of a query with relevant documents (label 1) and others (label 0)."""
        relevant, others = _texts(positives, "positives"), _texts(negatives, "negatives")
        return cls(query, relevant + others, (1.0,) * len(relevant) + (0.0,) * len(others), group=group)

    @property
    def positives(self) -> tuple[str, ...]:
        """The relevant documents, in their order."""
        return tuple(text for text, label in zip(self.documents, self.labels, strict=True) if label > 0)

    @property
    def negatives(self) -> tuple[str, ...]:
        """The documents that are not relevant, in their order."""
        return tuple(text for text, label in zip(self.documents, self.labels, strict=True) if label == 0)

    @property
    def grades(self) -> tuple[int, ...]:
        """The labels as judgements have them: whole numbers as they are, others as relevant (1) or not (0)."""
        return tuple(int(label) if label == int(label) else int(label > 0) for label in self.labels)

    @property
    def key(self) -> str:
        """The text by which splits and leaks go: the query."""
        return self.query

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts."""
        return (self.query, *self.documents)


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two texts and how they relate, such as a premise, a hypothesis and ``entailment``.

    Attributes:
        first: the premise; of an NLI model, the evidence.
        second: the hypothesis; of an NLI model, the claim.
        label: how they relate.
        group: what has to stay on one side of a split; empty if only the first text has to.

    Raises:
        InputError: something is not a text.
    """

    first: str
    second: str
    label: str
    group: str = ""

    def __post_init__(self) -> None:
        _check_texts(self, "first", "second", "label", "group")

    @property
    def key(self) -> str:
        """The text by which splits and leaks go: the first."""
        return self.first

    @property
    def texts(self) -> tuple[str, ...]:
        """Both texts."""
        return (self.first, self.second)


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and its category, such as a ticket's.

    Attributes:
        text: the text.
        label: its category.
        group: what has to stay on one side of a split; empty if only the text has to.

    Raises:
        InputError: something is not a text.
    """

    text: str
    label: str
    group: str = ""

    def __post_init__(self) -> None:
        _check_texts(self, "text", "label", "group")

    @property
    def key(self) -> str:
        """The text by which splits and leaks go: itself."""
        return self.text

    @property
    def texts(self) -> tuple[str, ...]:
        """The one text."""
        return (self.text,)


Example = TrainingExample | LabelledPair | LabelledText
"""Anything that a model learns from."""

E = TypeVar("E", TrainingExample, LabelledPair, LabelledText)

_KINDS: tuple[type[Example], ...] = (TrainingExample, LabelledPair, LabelledText)
_NEEDED: Mapping[type[Example], tuple[str, ...]] = {
    TrainingExample: ("query", "documents", "labels"),
    LabelledPair: ("first", "second", "label"),
    LabelledText: ("text", "label"),
}


def checked_examples(examples: Iterable[E]) -> list[E]:
    """Return examples as a list, all of one kind.

    Raises:
        InputError: there are none, or one is of another kind than the first.
    """
    if isinstance(examples, str | bytes | Mapping) or not isinstance(examples, Iterable):
        raise InputError(f"examples must be a list of TrainingExample, not {shown(examples)}")
    found = list(examples)
    if not found:
        raise InputError("there are no examples: without any there is nothing to learn from")
    kind = type(found[0])
    for at, example in enumerate(found):
        if type(example) is not kind or kind not in _KINDS:
            wanted = kind.__name__ if kind in _KINDS else "TrainingExample, LabelledPair or LabelledText"
            raise InputError(f"examples[{at}] must be a {wanted}, not {shown(example)}")
    return found


def data_hash(examples: Iterable[Example]) -> str:
    """Return the SHA-256 of examples, in hexadecimal: the same for the same examples in any order.

    It tells which data a model version was trained on.
    """
    lines = sorted(hashlib.sha256(_line(example).encode()).digest() for example in examples)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def write_examples(path: str | os.PathLike[str], examples: Iterable[Example]) -> None:
    """Write examples to a JSONL file, whole or not at all.

    Raises:
        InputError: it can't be written, or there are no examples.
    """
    found: list[Example] = checked_examples(examples)  # type: ignore[type-var]  # of any kind
    try:
        write_whole(Path(path).expanduser(), "".join(f"{_line(example)}\n" for example in found).encode())
    except OSError as exc:
        raise InputError(f"{path} can't be written: {exc}") from exc


def read_examples(path: str | os.PathLike[str]) -> list[Example]:
    """Read what `write_examples` wrote, or JSONL with the same names: each line an example.

    Lines have ``query``, ``documents`` and ``labels``; or ``first``, ``second`` and ``label`` (``premise`` and
    ``hypothesis`` will do); or ``text`` and ``label``.

    Raises:
        InputError: it can't be read, is empty, or a line is something else; says which.
    """
    examples = [_example(row, f"{path}, example {at}") for at, row in enumerate(json_lines(Path(path).expanduser()))]
    found: list[Example] = checked_examples(examples)  # type: ignore[type-var]  # of any kind
    return found


def _example(row: Mapping[str, Any], where: str) -> Example:
    named = {{"premise": "first", "hypothesis": "second"}.get(name, name): value for name, value in row.items()}
    for kind in _KINDS:
        if all(name in named for name in _NEEDED[kind]):
            break
    else:
        wanted = "; or ".join(", ".join(names) for names in _NEEDED.values())
        raise InputError(f"{where}: needs {wanted}; not {shown(dict(row))}")
    optional = {name: named[name] for name in ("scores", "group") if name in kind.__slots__ and name in named}
    try:
        return kind(*(named[name] for name in _NEEDED[kind]), **optional)
    except InputError as exc:
        raise InputError(f"{where}: {exc}") from exc


def _line(example: Example) -> str:
    return json.dumps({"kind": type(example).__name__, **asdict(example)}, sort_keys=True)


def _check_texts(example: Example, *names: str) -> None:
    for name in names:
        value = getattr(example, name)
        if not isinstance(value, str):
            raise InputError(f"{type(example).__name__}: {name} must be a str, not {shown(value)}")


def _texts(values: object, what: str) -> tuple[str, ...]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"TrainingExample: {what} must be a list of texts, not {shown(values)}")
    texts = tuple(values)
    for text in texts:
        if not isinstance(text, str):
            raise InputError(f"TrainingExample: {what} must be texts, not {shown(text)}")
    return texts


def _numbers(values: object, what: str, n: int, *, at_least: float = -math.inf) -> tuple[float, ...]:
    takes = "a finite number" if at_least == -math.inf else f"a number of at least {at_least:g}"
    wrong = f"TrainingExample: {what} must be {takes} for each of the {n} documents, not {shown(values)}"
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InputError(wrong)
    numbers = tuple(_plain(values, wrong))
    if len(numbers) != n or not all(math.isfinite(number) and number >= at_least for number in numbers):
        raise InputError(wrong)
    return numbers


def _plain(values: Iterable[Any], wrong: str) -> Iterator[float]:
    for value in values:
        if isinstance(value, str | bytes) or value is None:
            raise InputError(wrong)
        try:
            yield float(value)
        except (TypeError, ValueError) as exc:
            raise InputError(wrong) from exc
