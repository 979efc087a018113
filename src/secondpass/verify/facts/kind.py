"""What a kind of fact is: how it is found in a text, and how a claim's are compared with those of its evidence."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from secondpass.errors import ConfigError
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch

__all__ = ["FactKind", "Kinds", "Placed", "finding"]


class Placed(Protocol):
    """A fact that stands somewhere in a text: at the tokens from ``first`` to before ``end``."""

    @property
    def first(self) -> int:
        """The index of its first token."""

    @property
    def end(self) -> int:
        """The index of the token after it."""


Fact = TypeVar("Fact", bound=Placed)


def finding(kind: str, claim: Facts, fact: Placed, evidence: Facts, other: Placed | None) -> Mismatch:
    """Return what came of a claim's fact: the words of both sides, or that the evidence has nothing in its place."""
    there = "" if other is None else evidence.read.words(other.first, other.end)
    return Mismatch(kind, claim.read.words(fact.first, fact.end), there)


class FactKind(ABC, Generic[Fact]):
    """A kind of fact, such as dates.

    A new kind is a class of its own with `find` and `compare`, registered with `Kinds.register`: what its findings
    are counted under in the features, and whether they forbid support, follows from its attributes.

    Attributes:
        name: what it is called.
        reports: the kinds of `Mismatch` that it yields; its name alone if empty.
        counts_as: the name under which its findings are counted in the features; its own if empty.
        precedence: kinds with a lower one are read first, and what is theirs is not read again.
        is_hard: whether a claim that it finds otherwise in its evidence is never supported, whatever a model says.
        is_sought: whether its facts are looked for in the evidence, so that one can be missing there, and counts in
            the share that is found.
        reads_figures: whether the figures within its facts are read, and so compared.
        deferring: names of kinds: where a fact of one of these is not found, one of this kind denies nothing.
    """

    name: ClassVar[str]
    reports: ClassVar[tuple[str, ...]] = ()
    counts_as: ClassVar[str] = ""
    precedence: ClassVar[int] = 100
    is_hard: ClassVar[bool] = False
    is_sought: ClassVar[bool] = True
    reads_figures: ClassVar[bool] = False
    deferring: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def find(self, text: Text) -> Sequence[Fact]:
        """Return the facts of this kind in a text, in order; in time linear in its length."""

    @abstractmethod
    def compare(self, claim: Facts, evidence: Facts) -> Iterator[Mismatch]:
        """Yield the facts of a claim that the evidence does not have.

        What it has otherwise comes with its words; what it does not have at all, with an empty ``evidence``.
        """

    def takes(self, fact: Fact) -> Iterable[int]:
        """Return the indices of tokens that no other kind may read; none by default."""
        return ()

    def values(self, fact: Fact) -> Iterable[float]:
        """Return the plain numbers that a fact may be read as; none by default."""
        return ()

    def is_checked(self, fact: Fact) -> bool:
        """Return whether a fact of a claim is one that `compare` looks for, which all are by default."""
        return True

    def is_needed(self, words: str, evidence: Facts) -> bool:
        """Return whether a claim is not supported by evidence that lacks a fact of these words, if the kind is hard.

        By default what is written in digits is: "two" may be counted from what the evidence has.
        """
        return any(map(str.isdigit, words))

    def of(self, facts: Facts) -> Sequence[Fact]:
        """Return the facts of this kind among all that were found."""
        return facts.found[self.name]


class Kinds:
    """Kinds of facts, in the order in which their findings are listed.

    Args:
        kinds: the first ones; others are added with `register`.
    """

    def __init__(self, kinds: Iterable[FactKind[Any]] = ()) -> None:
        self._kinds: dict[str, FactKind[Any]] = {}
        for kind in kinds:
            self.register(kind)

    def register(self, kind: FactKind[Any]) -> None:
        """Add a kind, whose facts are read and compared from then on.

        Raises:
            ConfigError: there is another kind of that name.
        """
        if kind.name in self._kinds:
            raise ConfigError(f"there is a kind of fact named {kind.name!r} already")
        self._kinds[kind.name] = kind

    def __iter__(self) -> Iterator[FactKind[Any]]:
        return iter(tuple(self._kinds.values()))

    def by_precedence(self) -> list[FactKind[Any]]:
        """Return the kinds in the order in which a text is read for them."""
        return sorted(self._kinds.values(), key=lambda kind: kind.precedence)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what `FactCheck.features` returns: counts by kind, and the share that is found."""
        names: dict[str, None] = {}
        for kind in self._kinds.values():
            counted = kind.counts_as or kind.name
            names[f"{counted}_mismatch"] = None
            if kind.is_sought:
                names[f"{counted}_missing"] = None
        return (*names, "facts_found")

    @property
    def counted(self) -> dict[str, str]:
        """Under which name in the features a finding counts, by its kind."""
        return {report: kind.counts_as or kind.name for kind in self for report in kind.reports or (kind.name,)}

    @property
    def hard(self) -> frozenset[str]:
        """The kinds of findings that no model may overrule."""
        return frozenset(report for kind in self if kind.is_hard for report in kind.reports or (kind.name,))

    @property
    def sought(self) -> frozenset[str]:
        """The kinds of findings that tell of facts that are not found."""
        return frozenset(report for kind in self if kind.is_sought for report in kind.reports or (kind.name,))
