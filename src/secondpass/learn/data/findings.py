"""What was found in data or in a training run: by its name, with what to do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from secondpass.counts import counted
from secondpass.errors import InputError
from secondpass.learn.data.example import E

__all__ = ["DataReport", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stands in the way of learning.

    Attributes:
        name: what it is, such as ``duplicate`` or ``swapped_columns``.
        message: what was found, with numbers and an example.
        advice: what to do about it.
        examples: the positions of the examples that it is about; empty if it is about all of them.
        severe: whether training makes no sense before it is settled.
    """

    name: str
    message: str
    advice: str
    examples: tuple[int, ...] = ()
    severe: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.message}; {self.advice}"


@dataclass(frozen=True, slots=True, repr=False)
class DataReport(Sequence[Finding]):
    """What was found in examples; a sequence of `Finding`.

    Attributes:
        findings: the severe ones first.
        n_examples: how many examples were looked at.
    """

    findings: tuple[Finding, ...]
    n_examples: int

    @classmethod
    def of(cls, findings: Iterable[Finding], n_examples: int) -> "DataReport":
        """Return the report of findings, the severe ones first."""
        return cls(tuple(sorted(findings, key=lambda finding: not finding.severe)), n_examples)

    def __getitem__(self, at: Any) -> Any:
        return self.findings[at]

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def ok(self) -> bool:
        """Whether nothing severe was found."""
        return not any(finding.severe for finding in self.findings)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the findings, each once."""
        return tuple(dict.fromkeys(finding.name for finding in self.findings))

    def raise_if_severe(self) -> None:
        """Raise an error for what is severe.

        Raises:
            InputError: something is.
        """
        severe = [str(finding) for finding in self.findings if finding.severe]
        if severe:
            raise InputError("; ".join(severe))

    def without(self, examples: Sequence[E], *names: str) -> list[E]:
        """Return the examples that no finding of these names is about; of all names, if none is given.

        Args:
            examples: those that were looked at.
            names: of findings, such as ``"duplicate"``.

        Raises:
            InputError: these are not as many examples as were looked at.
        """
        if len(examples) != self.n_examples:
            raise InputError(
                f"the report is about {counted(self.n_examples, 'example')}, and these are {len(examples)}"
            )
        left_out = {at for finding in self.findings if not names or finding.name in names for at in finding.examples}
        return [example for at, example in enumerate(examples) if at not in left_out]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {"n_examples": self.n_examples, "ok": self.ok, "findings": [asdict(finding) for finding in self]}

    def __repr__(self) -> str:
        lines = [f"{counted(self.n_examples, 'example')}, {counted(len(self), 'finding')}"]
        return "\n".join(lines + [f"{'!' if finding.severe else '-'} {finding}" for finding in self])
