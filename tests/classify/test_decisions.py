"""What typed decisions are made of."""

import pytest

from secondpass.classify.decisions import by_option, expected_level, statements_of
from secondpass.errors import InputError


def test_options_by_their_statements() -> None:
    """In the order of the options, whatever the order of the scores."""
    options = {"a": "It rains.", "b": "It snows."}
    assert statements_of(options) == ["It rains.", "It snows."]
    found = by_option(options, {"It snows.": 0.75, "It rains.": 0.25})
    assert list(found.items()) == [("a", 0.25), ("b", 0.75)]
    with pytest.raises(InputError, match="say the same"):
        statements_of({"a": "It rains.", "b": "It rains."})


def test_the_expected_level_lies_between_levels() -> None:
    """Levels are numbers, and need not be whole or in order."""
    assert expected_level({"10": 0.25, "-2": 0.5, "0.5": 0.25}) == pytest.approx(1.625)
