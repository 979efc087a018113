"""Dates, as precise as they are written, and whether one says what another says."""

from dataclasses import dataclass, replace

__all__ = ["Date", "agree"]


@dataclass(frozen=True, slots=True)
class Date:
    """A date, a part of one, or a span of years.

    Attributes:
        first: the index of its first token.
        end: the index of the token after it.
        years: the first and the last year, equal for a single one and negative before Christ; None if not said.
        month: from 1, or None.
        day: of the month, or None.
        weekday: from 0 for Monday, or None.
        days: of a date in figures that may be read both ways, the two of (month, day); else empty.
        is_span: whether it stands for the time between two years, or two days, that are dates themselves.
    """

    first: int
    end: int
    years: tuple[int, int] | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    days: frozenset[tuple[int, int]] = frozenset()
    is_span: bool = False


def agree(claim: Date, evidence: Date) -> bool | None:
    """Return whether the evidence's date says what the claim's says: True, False, or None if it leaves it open.

    It is left open where they have no part in common, and where the claim's is the more precise one.
    """
    if claim.days or evidence.days:
        claim, evidence = _read_alike(claim, evidence)
    open_ = common = False
    for part in ("month", "day", "weekday"):
        said, held = getattr(claim, part), getattr(evidence, part)
        if said is not None and held is not None:
            common = True
            if said != held:
                return False
        elif said is not None:
            open_ = True
    if claim.years and evidence.years:
        common = True
        (low, high), (held_low, held_high) = claim.years, evidence.years
        if high < held_low or held_high < low:
            return False
        open_ = open_ or low > held_low or high < held_high
    elif claim.years:
        open_ = True
    return None if open_ or not common else True


def _read_alike(claim: Date, evidence: Date) -> tuple[Date, Date]:
    """Return two dates with the reading of figures (3/4: March or April) under which they agree, if there is one."""
    ours = claim.days or {(claim.month, claim.day)}
    theirs = evidence.days or {(evidence.month, evidence.day)}
    fitting = [
        (mine, yours)
        for mine in ours
        for yours in theirs
        if all(a == b or a is None or b is None for a, b in zip(mine, yours, strict=True))
    ]
    mine, yours = fitting[0] if fitting else (min(ours), min(theirs))
    return replace(claim, month=mine[0], day=mine[1]), replace(evidence, month=yours[0], day=yours[1])
