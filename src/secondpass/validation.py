"""Checks of settings: what each may be is declared once, and every error has the same wording.

A constraint says what a setting takes. A constructor keeps its arguments in attributes and then checks them by name:

```python
class Windows(Configured):
    def __init__(self, *, max_tokens=256, overlap=0.25, unit="tokens", ttl_s=None):
        self.max_tokens, self.overlap, self.unit, self.ttl_s = max_tokens, overlap, unit, ttl_s
        check(
            self,
            max_tokens=Whole(at_least=16),
            overlap=Number(at_least=0, below=1),
            unit=OneOf("tokens", "words"),
            ttl_s=SECONDS | None,
        )
```

``Windows(max_tokens="256")`` then raises a `ConfigError`: "Windows: max_tokens must be a whole number of at least 16,
not '256' (a str; write the number without quotes)". A single value, such as a function's argument, is checked by
``SHARE.checked(alpha, "alpha")``, which returns it. What depends on two settings is left to the constructor, which
raises ``ConfigError(must_be(...))`` where this wording fits.

Numbers of numpy's are accepted and become Python's; a bool is not a number, and text never is.
"""

import math
import re
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from numbers import Integral, Real
from operator import index as as_index
from typing import Any, Generic, TypeVar, overload

from secondpass.errors import ConfigError, InputError, SecondPassError

__all__ = [
    "BAND",
    "NOT_NEGATIVE",
    "OPEN_SHARE",
    "POSITIVE",
    "SECONDS",
    "SHARE",
    "THRESHOLD",
    "Band",
    "Constraint",
    "Flag",
    "Function",
    "Number",
    "OneOf",
    "Text",
    "Whole",
    "check",
    "check_names",
    "checked_k",
    "did_you_mean",
    "must_be",
    "nearest",
    "shown",
]

T = TypeVar("T")
U = TypeVar("U")


class _Refused(Exception):  # noqa: N818  # never seen outside of this file
    """A value does not fit."""


class Constraint(ABC, Generic[T]):
    """What a setting may be. ``constraint | None`` takes None as well, ``one | other`` what either of them takes."""

    @abstractmethod
    def __str__(self) -> str:
        """Say what it takes, as the end of "max_tokens must be ..."."""

    @abstractmethod
    def _accepted(self, value: Any) -> T:
        """Return the value as it is kept; raise `_Refused` for one that does not fit."""

    def checked(self, value: object, name: str, *, error: type[SecondPassError] = ConfigError) -> T:
        """Return a value that fits, a number of numpy's as one of Python's.

        Args:
            value: what was given.
            name: what the setting is called in the error.
            error: the class of the error.

        Raises:
            SecondPassError: of the class ``error``, if the value does not fit.
        """
        try:
            return self._accepted(value)
        except _Refused:
            raise error(must_be(name, self, value)) from None

    @overload
    def __or__(self, other: None) -> "Constraint[T | None]": ...
    @overload
    def __or__(self, other: "Constraint[U]") -> "Constraint[T | U]": ...
    def __or__(self, other: "Constraint[Any] | None") -> "Constraint[Any]":
        return _Optional(self) if other is None else _Either(self, other)


class _Either(Constraint[Any]):
    def __init__(self, *choices: Constraint[Any]) -> None:
        self.choices = choices

    def __str__(self) -> str:
        return ", or ".join(map(str, self.choices))

    def _accepted(self, value: Any) -> Any:
        for choice in self.choices:
            with suppress(_Refused):
                return choice._accepted(value)
        raise _Refused


class _Optional(Constraint[T | None]):
    def __init__(self, inner: Constraint[T]) -> None:
        self.inner = inner

    def __str__(self) -> str:
        return f"{self.inner}, or None"

    def _accepted(self, value: Any) -> T | None:
        return None if value is None else self.inner._accepted(value)


class _Range(Constraint[T]):
    """A number between bounds.

    Args:
        at_least: the lowest that is taken.
        above: what it must be greater than.
        at_most: the highest that is taken.
        below: what it must be less than.
        unit: what is counted, in the plural, for the error.
    """

    def __init__(
        self,
        *,
        at_least: float | None = None,
        above: float | None = None,
        at_most: float | None = None,
        below: float | None = None,
        unit: str = "",
    ) -> None:
        self.at_least, self.above, self.at_most, self.below, self.unit = at_least, above, at_most, below, unit

    def __str__(self) -> str:
        what = f"{self._noun} of {self.unit}" if self.unit else self._noun
        if self.at_least is not None and self.at_most is not None:
            return f"{what} between {self.at_least} and {self.at_most}"
        if self.above is not None and self.below is not None:
            return f"{what} between {self.above} and {self.below}, both excluded"
        bounds = {"at least": self.at_least, "above": self.above, "at most": self.at_most, "below": self.below}
        said = " and ".join(f"{words} {bound}" for words, bound in bounds.items() if bound is not None)
        if not said:
            return what
        between = " " if said.startswith(("above", "below")) else ", " if self.unit else " of "
        return f"{what}{between}{said}"

    @property
    @abstractmethod
    def _noun(self) -> str: ...

    def _within(self, value: float) -> bool:
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )


class Whole(_Range[int]):
    """A whole number, of any type that counts as one but bool."""

    @property
    def _noun(self) -> str:
        return "a whole number"

    def _accepted(self, value: Any) -> int:
        try:
            number = as_index(value)
        except TypeError:
            raise _Refused from None
        if isinstance(value, bool) or not self._within(number):
            raise _Refused
        return number


class Number(_Range[float]):
    """A finite number, whole or not; a whole one stays an int."""

    @property
    def _noun(self) -> str:
        unbounded = self.at_least is self.above is self.at_most is self.below is None
        return "a finite number" if unbounded and not self.unit else "a number"

    def _accepted(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise _Refused
        try:
            number = int(value) if isinstance(value, Integral) else float(value)
            finite = math.isfinite(number)
        except OverflowError:  # a whole number or a fraction beyond what a float can hold
            raise _Refused from None
        if not finite or not self._within(number):
            raise _Refused
        return number


class OneOf(Constraint[Any]):
    """One of a few values; the one that was declared is kept, so that a text becomes its enum's member."""

    def __init__(self, *choices: Any) -> None:
        self.choices = choices

    def __str__(self) -> str:
        *most, last = [f"'{choice}'" if isinstance(choice, str) else repr(choice) for choice in self.choices]
        return f"{', '.join(most)} or {last}" if most else last

    def _accepted(self, value: Any) -> Any:
        if isinstance(value, str | Integral) and not isinstance(value, bool):
            for choice in self.choices:
                if value == choice:
                    return choice
        raise _Refused


class Text(Constraint[str]):
    """A string.

    Args:
        empty: whether it may be empty.
    """

    def __init__(self, *, empty: bool = False) -> None:
        self.empty = empty

    def __str__(self) -> str:
        return "a str" if self.empty else "a str that is not empty"

    def _accepted(self, value: Any) -> str:
        if not isinstance(value, str) or not (value or self.empty):
            raise _Refused
        return value


class Flag(Constraint[bool]):
    """True or False, and nothing that only counts as one of them."""

    def __str__(self) -> str:
        return "True or False"

    def _accepted(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise _Refused
        return value


class Band(Constraint[tuple[float, float]]):
    """Two probabilities, the lowest and the highest of a range; kept as a tuple."""

    def __str__(self) -> str:
        return "the lowest and the highest of a range of probabilities, such as (0.3, 0.7)"

    def _accepted(self, value: Any) -> tuple[float, float]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise _Refused
        lowest, highest = (SHARE._accepted(bound) for bound in value)
        if lowest > highest:
            raise _Refused
        return lowest, highest


class Function(Constraint[Callable[..., Any]]):
    """Something that can be called.

    Args:
        purpose: from what to what, for the error: "from a list of texts to their translations".
    """

    def __init__(self, purpose: str = "") -> None:
        self.purpose = purpose

    def __str__(self) -> str:
        return f"a function {self.purpose}".rstrip()

    def _accepted(self, value: Any) -> Callable[..., Any]:
        if not callable(value):
            raise _Refused
        result: Callable[..., Any] = value
        return result


POSITIVE = Number(above=0)
NOT_NEGATIVE = Number(at_least=0)
SHARE = Number(at_least=0, at_most=1)
OPEN_SHARE = Number(above=0, below=1)
SECONDS = Number(above=0, unit="seconds")
THRESHOLD = Number() | None
BAND = Band()


def checked_k(k: object, name: str = "k", *, error: type[SecondPassError] = InputError) -> int | None:
    """Return how many documents are wanted, or None for all; in adapters under the ``name`` that it has there.

    Raises:
        InputError: it is not a whole number, or it is below 1; or the ``error`` that was given.
    """
    return _K.checked(k, name, error=error)


def check(owner: Any, **constraints: Constraint[Any]) -> None:
    """Check attributes by name, and keep each as its constraint returns it.

    Args:
        owner: the object, frozen or not, whose class stands in the error.
        constraints: what each attribute may be.

    Raises:
        ConfigError: one does not fit; the message names it, what it takes and what it got.
    """
    for name, constraint in constraints.items():
        value = getattr(owner, name)
        checked = constraint.checked(value, f"{type(owner).__name__}: {name}")
        if checked is not value:
            object.__setattr__(owner, name, checked)


def check_names(given: Mapping[str, Any], known: Collection[str], owner: str) -> None:
    """Check the names in ``**settings``, as Python does for named parameters.

    Args:
        given: the settings.
        known: the names that there are: ``LoadSettings.__annotations__``.
        owner: whose they are, for the error.

    Raises:
        ConfigError: a name is not known; the message has the nearest one that is.
    """
    for name in given:
        if name not in known:
            raise ConfigError(f"{owner} has no setting {name!r}{nearest(name, known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """Return the end of the error for an unknown name: what may have been meant, and all that there is."""
    return f"{did_you_mean(name, known)}; its settings are: {', '.join(known) or 'none'}"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return " (did you mean 'max_tokens'?)" for a name that is like a known one, else nothing.

    Case, and what stands between the words, makes no difference.
    """
    from difflib import get_close_matches  # not with the module: only errors need it

    plain = {_PUNCTUATION.sub("", each.lower()): each for each in reversed(list(known))}
    close = get_close_matches(_PUNCTUATION.sub("", name.lower())[:_LONGEST_NAME], plain, n=1, cutoff=0.7)
    return f" (did you mean {plain[close[0]]!r}?)" if close else ""


def must_be(name: str, takes: object, value: object) -> str:
    """Return the message for a setting that does not fit.

    Args:
        name: the setting, behind its owner: "MemoryCache: max_bytes".
        takes: what it may be: "a whole number of at least 1", or a constraint, which says that.
        value: what it got.
    """
    hint = ""
    if isinstance(value, str) and "number" in str(takes) and _is_numeral(value):
        hint = " (a str; write the number without quotes)"
    elif isinstance(value, bool):
        hint = " (a bool)"
    return f"{name} must be {takes}, not {shown(value)}{hint}"


def shown(value: object) -> str:
    """Return a value as an error shows it: short, however large, deep or often referred to what is in it may be."""
    try:
        text = _REPR.repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits
        text = f"a {type(value).__name__} too large to be shown"
    return text if len(text) <= 200 else f"{text[:199]}…"


def _is_numeral(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_K = Whole(at_least=1) | None
_PUNCTUATION = re.compile(r"[\W_]+")
_LONGEST_NAME = 100  # comparing takes the product of the lengths
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother, _REPR.maxlong = 3, 80, 80, 40
