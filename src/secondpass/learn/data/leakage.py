"""Leaks: what is tested on and was trained on as well, to the letter or nearly so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from secondpass.errors import InputError
from secondpass.learn.data.example import E, Example, TrainingExample, checked_examples
from secondpass.learn.data.findings import Finding
from secondpass.learn.data.near import NearIndex
from secondpass.learn.data.normalised import normalised
from secondpass.types import shortened
from secondpass.validation import Flag, Number

__all__ = ["Leak", "LeakReport", "find_leaks"]


@dataclass(frozen=True, slots=True)
class Leak:
    """A test example that training has seen.

    Attributes:
        kind: ``exact``, ``normalised`` (but for case, width, spaces and punctuation) or ``near``.
        part: whether it is the ``query`` (of labelled texts and pairs, the text) or a relevant ``document``.
        train: the position of the training example.
        test: the position of the test example.
        similarity: the Jaccard similarity of the two; 1.0 for what is the same.
        text: what leaked, as it stands in the test example.
    """

    kind: Literal["exact", "normalised", "near"]
    part: Literal["query", "document"]
    train: int
    test: int
    similarity: float
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class LeakReport:
    """What leaked from test examples into training examples.

    Attributes:
        leaks: for each test example and part at most one, the closest, in the order of the test examples.
        n_train: how many training examples there are.
        n_test: how many test examples.
    """

    leaks: tuple[Leak, ...]
    n_train: int
    n_test: int

    @property
    def ok(self) -> bool:
        """Whether nothing leaked."""
        return not self.leaks

    @property
    def finding(self) -> Finding | None:
        """What it comes to, for a report; None if nothing leaked. Its examples are those of training."""
        if not self.leaks:
            return None
        n = len({leak.test for leak in self.leaks})
        kinds = ", ".join(f"{sum(leak.kind == kind for leak in self.leaks)} {kind}" for kind in _KINDS)
        return Finding(
            "leak",
            f"{n} of {self.n_test} test examples are in the training data as well ({kinds}), such as "
            f"{shortened(self.leaks[0].text, 60)!r}",
            "measured on these, a model shows what it remembers: split again with split(), or train without them",
            tuple(sorted({leak.train for leak in self.leaks})),
            severe=True,
        )

    def raise_if_any(self) -> None:
        """Raise an error if something leaked.

        Raises:
            InputError: something did.
        """
        if self.finding:
            raise InputError(str(self.finding))

    def without(self, test: Sequence[E]) -> list[E]:
        """Return the test examples that training has not seen.

        Raises:
            InputError: these are not as many as were looked at.
        """
        if len(test) != self.n_test:
            raise InputError(f"the report is about {self.n_test} test examples, and these are {len(test)}")
        leaked = {leak.test for leak in self.leaks}
        return [example for at, example in enumerate(test) if at not in leaked]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {"n_train": self.n_train, "n_test": self.n_test, "leaks": [asdict(leak) for leak in self.leaks]}

    def __repr__(self) -> str:
        found = self.finding
        return f"LeakReport({'no leak' if found is None else found.message})"


_KINDS: tuple[Literal["exact", "normalised", "near"], ...] = ("exact", "normalised", "near")


def find_leaks(
    train: Iterable[E], test: Iterable[E], *, similarity: float | None = 0.8, documents: bool = False
) -> LeakReport:
    """Find test examples that are in the training data: the same, the same but for case and the like, or nearly.

    Near-duplicates are found by MinHash over runs of five characters of the normalised texts, and then measured
    exactly.

    Args:
        train: what is trained on.
        test: what is measured on, of the same kind.
        similarity: from which Jaccard similarity texts are near-duplicates, in (0, 1]; None not to look for them.
        documents: whether to look at relevant documents as well. Where all queries search one corpus, train and test
            share documents, and that is no leak; where each document has its own query, it is one.

    Raises:
        InputError: there are no examples, or they are of two kinds.
        ConfigError: a setting is out of range.
        MissingExtraError: datasketch is not installed.
    """
    (Number(above=0, at_most=1) | None).checked(similarity, "similarity")
    Flag().checked(documents, "documents")
    trained, tested = checked_examples(train), checked_examples(test)
    if type(trained[0]) is not type(tested[0]):
        raise InputError(f"train has a {type(trained[0]).__name__}, and test a {type(tested[0]).__name__}")
    leaks = list(_leaks("query", _keys(trained), _keys(tested), similarity))
    if documents:
        leaks += _leaks("document", _positives(trained), _positives(tested), similarity)
    return LeakReport(tuple(sorted(leaks, key=lambda leak: leak.test)), len(trained), len(tested))


Texts = Sequence[tuple[int, str]]


def _leaks(part: Literal["query", "document"], train: Texts, test: Texts, similarity: float | None) -> Iterator[Leak]:
    exact: dict[str, int] = {}
    plain: dict[str, int] = {}
    index = None if similarity is None else NearIndex(similarity)
    for number, text in train:
        exact.setdefault(text, number)
        key = normalised(text)
        if key not in plain and index is not None:
            index.near(text, add_as=number)
        plain.setdefault(key, number)
    for number, text in test:
        if text in exact:
            yield Leak("exact", part, exact[text], number, 1.0, text)
        elif normalised(text) in plain:
            yield Leak("normalised", part, plain[normalised(text)], number, 1.0, text)
        elif index is not None and (near := index.near(text)):
            yield Leak("near", part, near[0][0], number, near[0][1], text)


def _keys(examples: Sequence[Example]) -> Texts:
    return [(at, example.key) for at, example in enumerate(examples)]


def _positives(examples: Sequence[Example]) -> Texts:
    return [
        (at, text)
        for at, example in enumerate(examples)
        if isinstance(example, TrainingExample)
        for text in example.positives
    ]
