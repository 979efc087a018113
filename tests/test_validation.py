"""Checks of settings: what fits, what does not, and how the error says so."""

from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import ConfigError, InputError
from secondpass.validation import (
    NOT_NEGATIVE,
    OPEN_SHARE,
    POSITIVE,
    SECONDS,
    SHARE,
    Constraint,
    Flag,
    Function,
    Number,
    OneOf,
    Text,
    Whole,
    check,
    check_names,
    shown,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Owner:
    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(settings)


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (Whole(), "a whole number"),
        (Whole(at_least=1), "a whole number of at least 1"),
        (Whole(at_least=1) | None, "a whole number of at least 1, or None"),
        (Whole(at_least=200_000, unit="bytes"), "a whole number of bytes, at least 200000"),
        (Whole(at_least=2_000_000), "a whole number of at least 2000000"),
        (Whole(at_least=8, at_most=512), "a whole number between 8 and 512"),
        (Number(), "a finite number"),
        (POSITIVE, "a number above 0"),
        (NOT_NEGATIVE, "a number of at least 0"),
        (Number(at_least=0, below=1), "a number of at least 0 and below 1"),
        (SHARE, "a number between 0 and 1"),
        (OPEN_SHARE, "a number between 0 and 1, both excluded"),
        (SECONDS, "a number of seconds above 0"),
        (OneOf("a", "b", 3), "'a', 'b' or 3"),
        (OneOf("a"), "'a'"),
        (OneOf(*Colour), "'red' or 'blue'"),
        (SHARE | OneOf("low", "high"), "a number between 0 and 1, or 'low' or 'high'"),
        (Text(), "a str that is not empty"),
        (Text(empty=True), "a str"),
        (Flag(), "True or False"),
        (Function(), "a function"),
        (Function("from a query to a route"), "a function from a query to a route"),
    ],
)
def test_a_constraint_says_what_it_takes(constraint: Constraint[Any], said: str) -> None:
    """As the end of "must be ...", which every error has."""
    assert str(constraint) == said
    with pytest.raises(ConfigError) as caught:
        constraint.checked(b"?", "it")
    assert str(caught.value) == f"it must be {said}, not b'?'"


@pytest.mark.parametrize(
    ("constraint", "given", "kept"),
    [
        (Whole(at_least=1), np.int32(3), 3),
        (Whole(at_least=1) | None, None, None),
        (Number(), np.float32(0.5), 0.5),
        (Number(), np.int64(2), 2),
        (Number(), 2, 2),
        (SHARE, 0, 0),
        (SHARE, 1.0, 1.0),
        (OneOf(3, 10), np.int64(3), 3),
        (OneOf(*Colour), "red", Colour.RED),
        (SHARE | OneOf("low", "high"), "low", "low"),
        (SHARE | OneOf("low", "high"), np.float64(0.25), 0.25),
        (Text(empty=True), "", ""),
        (Flag(), False, False),
        (Function(), len, len),
    ],
)
def test_what_fits_is_kept_as_pythons(constraint: Constraint[Any], given: object, kept: object) -> None:
    """Numbers of numpy's become Python's, names of an enum its members, and all else stays what it is."""
    found = constraint.checked(given, "it")
    assert found == kept and type(found) is type(kept)


@pytest.mark.parametrize(
    ("constraint", "bad", "ending"),
    [
        (Whole(at_least=8), "256", "not '256' (a str; write the number without quotes)"),
        (Number(), "1e3", "not '1e3' (a str; write the number without quotes)"),
        (Number(), "many", "not 'many'"),
        (Whole(), True, "not True (a bool)"),
        (Number(), np.True_, "not np.True_"),
        (Whole(), 2.0, "not 2.0"),
        (Whole(at_least=1), 0, "not 0"),
        (Whole(at_most=3), 4, "not 4"),
        (Number(), float("nan"), "not nan"),
        (NOT_NEGATIVE, float("inf"), "not inf"),
        (NOT_NEGATIVE, -1e-9, "not -1e-09"),
        (OPEN_SHARE, 0, "not 0"),
        (OPEN_SHARE, 1.0, "not 1.0"),
        (OneOf(0, 1), True, "not True (a bool)"),
        (SHARE | OneOf("low", "high"), "middling", "not 'middling'"),
        (OneOf("a"), ["a"], "not ['a']"),
        (OneOf("a"), np.array(["a", "b"]), "not array(['a', 'b'], dtype='<U1')"),
        (Text(), "", "not ''"),
        (Flag(), 1, "not 1"),
        (Function(), None, "not None"),
    ],
)
def test_what_does_not_fit_is_shown(constraint: Constraint[Any], bad: object, ending: str) -> None:
    """The error ends in what was given; a numeral in quotes, the commonest slip in YAML, is named."""
    with pytest.raises(ConfigError) as caught:
        constraint.checked(bad, "it")
    assert str(caught.value) == f"it must be {constraint}, {ending}"


@given(st.integers(-5, 5), st.integers(-5, 5), st.floats(-10, 10))
def test_bounds_are_those_that_are_named(low: int, high: int, value: float) -> None:
    """Each of the four bounds includes or excludes itself, as its name says."""
    for constraint, fits in (
        (Number(at_least=low, at_most=high), low <= value <= high),
        (Number(above=low, below=high), low < value < high),
    ):
        try:
            constraint.checked(value, "it")
        except ConfigError:
            assert not fits
        else:
            assert fits


def test_check_names_the_owner_and_keeps_what_it_returns() -> None:
    """Attributes are read and kept by name; the first that does not fit is the error's."""
    owner = Owner(size=np.int64(3), colour="blue", ttl_s=None)
    check(owner, size=Whole(at_least=1), colour=OneOf(*Colour), ttl_s=SECONDS | None)
    assert type(owner.size) is int and owner.colour is Colour.BLUE and owner.ttl_s is None
    with pytest.raises(ConfigError, match=r"^Owner: size must be a whole number of at least 4, not 3$"):
        check(owner, size=Whole(at_least=4), colour=Whole())


def test_the_error_may_be_of_another_class() -> None:
    """What is not a setting, such as `k`, is an input."""
    with pytest.raises(InputError, match="k must be"):
        Whole(at_least=1).checked(0, "k", error=InputError)


def test_an_unknown_name_is_an_error_with_the_nearest_one() -> None:
    """The names that there are follow."""
    check_names({"device": "cpu"}, {"device", "dtype"}, "Model")
    with pytest.raises(
        ConfigError,
        match=r"^Model has no setting 'devcie' \(did you mean 'device'\?\); its settings are: device, dtype$",
    ):
        check_names({"devcie": "cpu"}, ["device", "dtype"], "Model")
    with pytest.raises(ConfigError, match=r"^Model has no setting 'x'; its settings are: device$"):
        check_names({"x": 1}, ["device"], "Model")


def test_a_value_is_shown_in_few_words() -> None:
    """However large or endless it is."""
    bomb: list[Any] = ["boom"]
    for _ in range(50):
        bomb = [bomb] * 10
    endless: list[Any] = []
    endless.append(endless)
    assert all(len(shown(value)) < 400 for value in (bomb, endless, "x" * 10_000, 10**300, {"a": bomb}))


def test_a_number_beyond_any_float_is_refused() -> None:
    """Whole or a fraction; one of more digits than Python writes is not shown."""
    for constraint, bad, ending in (
        (Number(), 10**400, "a finite number, not 100000000000000000...0000000000000000000"),
        (Number(), 10**5000, "a finite number, not a int too large to be shown"),
        (Whole(at_most=3), 10**5000, "a whole number of at most 3, not a int too large to be shown"),
    ):
        with pytest.raises(ConfigError) as caught:
            constraint.checked(bad, "it")
        assert str(caught.value) == f"it must be {ending}"
    with pytest.raises(ConfigError, match="it must be a number between 0 and 1, not Fraction"):
        SHARE.checked(Fraction(10**400, 3), "it")
