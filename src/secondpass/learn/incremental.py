"""Learning again: new examples among old ones, a check that the old is not forgotten, and whether it is time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from secondpass.counts import counted
from secondpass.errors import InputError
from secondpass.evaluate.statistics import Difference, paired_difference
from secondpass.learn.data.example import checked_examples
from secondpass.learn.diagnosis.shift import Shift, text_shift
from secondpass.learn.exporting import quality_of
from secondpass.learn.training.settings import TrainTask
from secondpass.validation import NOT_NEGATIVE, Number, Whole

__all__ = ["UpdateAdvice", "kept_quality", "retrain_or_update", "with_replay"]

_FEW, _MANY = 0.05, 0.5  # new examples as a share of the old ones
_OLD_DAYS = 365


@dataclass(frozen=True, slots=True)
class UpdateAdvice:
    """Whether a model should learn again, and how.

    Attributes:
        action: ``keep`` the model; ``update`` it, going on from its weights with the new examples and some old ones; or
            ``retrain`` from the base model, on all examples.
        reasons: why, in sentences, what decided first.
        shift: how far the words of the new queries are from those of the old ones.
    """

    action: Literal["keep", "update", "retrain"]
    reasons: tuple[str, ...]
    shift: Shift

    def __str__(self) -> str:
        return f"{self.action}: {'; '.join(self.reasons)}"


def with_replay(new: Sequence[Any], old: Sequence[Any], *, share: float = 0.5, seed: int = 0) -> list[Any]:
    """Return new examples with old ones among them, so that what was learned is not forgotten.

    Args:
        new: examples; all of them are there.
        old: examples of the same kind, of which some are drawn.
        share: of the old ones in the result, in [0, 1); there may be too few of them for it.
        seed: of the drawing and of the order.

    Raises:
        InputError: there are no new examples, or the old ones are of another kind.
        ConfigError: the share is out of range.
    """
    part = Number(at_least=0, below=1).checked(share, "share")
    fresh: list[Any] = checked_examples(new)
    before: list[Any] = checked_examples(old) if old else []
    if before and type(before[0]) is not type(fresh[0]):
        raise InputError(
            f"the new examples are of the type {type(fresh[0]).__name__}, the old ones {type(before[0]).__name__}"
        )
    draw = np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
    n = min(len(before), round(len(fresh) * part / (1 - part)))
    mixed = [*fresh, *(before[at] for at in draw.permutation(len(before))[:n])]
    return [mixed[at] for at in draw.permutation(len(mixed))]


def kept_quality(
    before: str | Path,
    after: str | Path,
    old_test: Sequence[Any],
    *,
    task: TrainTask = "rerank",
    measure: str = "nDCG@10",
    seed: int = 0,
) -> Difference:
    """Return how far a model lies above the one before on the test set of that one: below 0, it forgot something.

    Args:
        before: the folder, or the name, of the model before.
        after: of the one that learned on.
        old_test: examples that neither was trained on.
        task: what the models are for.
        measure: of rankings; for ``nli`` it is the balanced accuracy.
        seed: of the interval.

    Raises:
        InputError: there are no examples.
        ModelError: a model can't be read.
    """
    examples: list[Any] = checked_examples(old_test)
    values = [[*quality_of(Path(model), task, examples, measure).values()] for model in (after, before)]
    return paired_difference(*values, confidence=0.95, n_samples=10_000, seed=seed)


def retrain_or_update(
    old: Sequence[Any],
    new: Sequence[Any],
    *,
    age_days: float = 0.0,
    drop: Difference | None = None,
    updates: int = 0,
) -> UpdateAdvice:
    """Decide whether a model should learn again: by drift, the amount of new data, its age and what was measured.

    These are rules of thumb, with the numbers that led to them: what decides in the end is the gate, which compares the
    new version with the one before.

    Args:
        old: what the model was trained on.
        new: what came since, of the same kind.
        age_days: since it was trained.
        drop: how far its quality on new queries lies above that on old ones, or that of a base model; None if unknown.
        updates: how often it was updated since it was trained from the base model: each one forgets a little.

    Raises:
        InputError: there are no examples on a side.
        ConfigError: an age is negative.
    """
    days = NOT_NEGATIVE.checked(age_days, "age_days")
    n_updates = Whole(at_least=0).checked(updates, "updates")
    before: list[Any] = checked_examples(old)
    fresh: list[Any] = checked_examples(new)
    shift = text_shift([example.key for example in before], [example.key for example in fresh])
    share = len(fresh) / len(before)
    amount = f"there are {len(fresh)} new examples to {len(before)} old ones"
    retrain, update, keep = [], [], []
    words = f"the new queries' words differ by {shift.divergence:.2f} bits, where chance makes {shift.by_chance:.2f}"
    if shift.shifted and shift.divergence > 0.5 + 0.5 * shift.by_chance:
        retrain.append(f"{words}: these are other queries")
    elif shift.shifted:
        update.append(f"{words}, for instance by {', '.join(shift.new_words[:3])}")
    else:
        keep.append(f"{words}: there is no drift")
    if share > _MANY:
        retrain.append(f"{amount}, more than half as many")
    elif share >= _FEW:
        update.append(f"{amount}, enough to learn from")
    else:
        keep.append(f"{amount}, too few to matter")
    if drop is not None:
        said = f"its quality changed by {drop.value:+.3f} [{drop.low:+.3f}, {drop.high:+.3f}]"
        (update if drop.verdict == "worse" else keep).append(said)
    if days > _OLD_DAYS:
        retrain.append(f"it is {days:.0f} days old, and base models got better")
    elif days:
        keep.append(f"it is {days:.0f} days old")
    if n_updates >= 3:
        retrain.append(f"it was updated {counted(n_updates, 'time')}, and each time forgets something")
    # Amount alone is no reason where nothing drifted and nothing got worse.
    if len(retrain) >= 2 or (retrain and (shift.shifted or days > _OLD_DAYS or n_updates >= 3)):
        return UpdateAdvice("retrain", (*retrain, *update, *keep), shift)
    if update or retrain:
        return UpdateAdvice("update", (*update, *retrain, *keep), shift)
    return UpdateAdvice("keep", tuple(keep), shift)
