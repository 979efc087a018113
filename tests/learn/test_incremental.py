"""Learning again: replay, and whether it is time."""

import pytest

from secondpass.errors import InputError
from secondpass.evaluate.statistics import Difference
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.incremental import retrain_or_update, with_replay

OLD = [TrainingExample.of(f"how do I copy the file number {at}", [str(at)]) for at in range(100)]
ALIKE = [TrainingExample.of(f"how do I copy the file number {at}", [str(at)]) for at in range(100, 160)]
OTHER = [TrainingExample.of(f"where does my parcel {at} stay", [str(at)]) for at in range(60)]


def test_replay() -> None:
    """Half of the result is old, all that is new is there, and the order is the same each time."""
    mixed = with_replay(ALIKE[:20], OLD, seed=1)

    assert len(mixed) == 40 and all(example in mixed for example in ALIKE[:20])
    assert sum(example in OLD for example in mixed) == 20
    assert mixed == with_replay(ALIKE[:20], OLD, seed=1)
    assert len(with_replay(ALIKE[:20], OLD[:3], share=0.9)) == 23


def test_examples_of_two_kinds_are_not_mixed() -> None:
    """Pairs and queries are not trained on together."""
    with pytest.raises(InputError, match="of the type TrainingExample, the old ones LabelledPair"):
        with_replay(ALIKE, [LabelledPair("p", "h", "neutral")])


def test_keep() -> None:
    """Few examples like the old ones are no reason to learn again."""
    advice = retrain_or_update(OLD, ALIKE[:3], age_days=20)

    assert advice.action == "keep"
    assert any("3 new examples to 100 old ones, too few" in reason for reason in advice.reasons)
    assert any("there is no drift" in reason for reason in advice.reasons)


def test_update() -> None:
    """Enough examples like the old ones, or a loss of quality, ask for an update."""
    worse = Difference(-0.05, -0.08, -0.02, 0.01, 0.01, 1, 9, 0.95)

    assert retrain_or_update(OLD, ALIKE[:20]).action == "update"
    assert retrain_or_update(OLD, ALIKE[:3], drop=worse).action == "update"


def test_retrain() -> None:
    """Many other queries, or great age with many new examples, ask for a new beginning."""
    advice = retrain_or_update(OLD, OTHER)

    assert advice.action == "retrain" and "these are other queries" in advice.reasons[0]
    assert retrain_or_update(OLD, ALIKE, age_days=500).action == "retrain"
    assert retrain_or_update(OLD, ALIKE[:10], updates=4).action == "retrain"
