"""Whether texts are about other things."""

import pytest

from secondpass.errors import InputError
from secondpass.learn.diagnosis.shift import text_shift

OLD = [f"how do I copy the file number {at}" for at in range(40)]
NEW = [f"where does my parcel number {at} stay" for at in range(40)]


def test_the_same_kind_of_texts() -> None:
    """Two halves of one set differ as chance makes them differ."""
    shift = text_shift(OLD[::2], OLD[1::2])

    assert not shift.shifted
    assert shift.divergence == pytest.approx(shift.by_chance, rel=0.3)


def test_other_texts() -> None:
    """Other words are found, and named, the most frequent first."""
    shift = text_shift(OLD, NEW)

    assert shift.shifted and shift.p < 0.02
    assert shift.divergence > 2 * shift.by_chance
    assert {"where", "does", "my", "parcel", "stay"} <= set(shift.new_words)


def test_no_words_at_all() -> None:
    """Two disjoint sets have a divergence of 1 bit; an empty one can't be compared."""
    assert text_shift(["a"], ["b"]).divergence == pytest.approx(1.0)
    with pytest.raises(InputError, match="no words to compare"):
        text_shift(["a"], ["..."])
