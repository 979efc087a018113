"""Entries of data as they are read."""

import pytest

from secondpass.verify.record import fields_of, written


@pytest.mark.parametrize(
    "fields",
    [
        [("Room", "Suite"), ("Price", "180 euros")],
        [("", "Sales"), ("2021", "5 million")],
        [("Note", "at 9:30; or later: ask"), ("Floor", "2")][1:],
        [("Hours", "9; 12; 15"), ("Day", "Monday")],
    ],
)
def test_what_is_written_is_read_again(fields: list[tuple[str, str]]) -> None:
    """With blanks behind a semicolon, and without a name as well."""
    assert fields_of(written(fields)) == fields


def test_an_entry_ends_with_one_full_stop() -> None:
    """Also where its last value does."""
    assert [written([("to", "Acme Ltd.")]), written([("to", "Acme")])] == ["to: Acme Ltd.", "to: Acme."]
