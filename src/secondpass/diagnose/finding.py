"""What a check found."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Finding", "listed"]

Level = Literal["fault", "warning", "note"]
_ORDER: tuple[Level, ...] = ("fault", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found.

    Attributes:
        name: what it is, for programs: ``double-sigmoid``, ``truncated``.
        level: ``fault`` if results are wrong, ``warning`` if they may be or if much is lost, ``note`` else.
        what: what was seen, with its figures.
        advice: what to do.
    """

    name: str
    level: Level
    what: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def __str__(self) -> str:
        said = f"{self.level}: {self.name}: {self.what}"
        return f"{said}; {self.advice}" if self.advice else said


def listed(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings, the worst first."""
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.level)))
