"""Splits by query or group: what belongs together stays on one side, so that a test measures and does not repeat."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal

import numpy as np

from secondpass.errors import ConfigError, InputError
from secondpass.learn.data.example import E, LabelledPair, LabelledText, checked_examples
from secondpass.learn.data.near import clusters
from secondpass.learn.data.union import Union
from secondpass.validation import Number, OneOf, Whole

__all__ = ["Split", "split"]

_PARTS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True, repr=False)
class Split(Generic[E]):
    """Examples to train on, to choose by (early stopping, calibration), and to measure on.

    Attributes:
        train: examples.
        dev: examples; empty if none were asked for.
        test: examples; empty if none were asked for.
    """

    train: tuple[E, ...]
    dev: tuple[E, ...]
    test: tuple[E, ...]

    def __repr__(self) -> str:
        return f"Split({len(self.train)} train, {len(self.dev)} dev, {len(self.test)} test)"


def split(
    examples: Iterable[E],
    *,
    dev: float = 0.1,
    test: float = 0.2,
    by: Literal["group", "query"] = "group",
    similarity: float | None = 0.8,
    seed: int = 0,
) -> Split[E]:
    """Split examples at random, the same way each time, without a leak.

    Examples of one query stay together, and so do those of queries that differ in case and punctuation only, or hardly
    at all. Labelled texts and pairs are split label by label, so that each part has its share of every label.

    Args:
        examples: of one kind.
        dev: the share for choosing, in [0, 1).
        test: the share for measuring, in [0, 1).
        by: ``group`` also keeps examples of one group together, where they have one; ``query`` looks at queries alone
            (the text of a `LabelledText`, the first of a `LabelledPair`).
        similarity: from which Jaccard similarity queries stay together, in (0, 1]; None to look at normalised texts
            only, which needs no datasketch.
        seed: of the order.

    Raises:
        InputError: there are too few examples, or groups, for a part.
        ConfigError: a share is out of range, or nothing would be left to train on.
        MissingExtraError: datasketch is not installed.
    """
    shares = {"dev": dev, "test": test}
    shares = {name: Number(at_least=0, below=1).checked(share, name) for name, share in shares.items()}
    if sum(shares.values()) >= 1:
        raise ConfigError(f"dev and test ({dev} and {test}) leave nothing to train on: their sum must be below 1")
    OneOf("group", "query").checked(by, "by")
    (Number(above=0, at_most=1) | None).checked(similarity, "similarity")
    found = checked_examples(examples)
    together = _together(found, by == "group", similarity)
    wanted = {"train": 1 - sum(shares.values()), **shares}
    parts: dict[str, list[E]] = {name: [] for name in _PARTS}
    order = np.random.default_rng(Whole(at_least=0).checked(seed, "seed")).permutation(len(together))
    needs: dict[str, dict[str, float]] = {}
    # The largest first, each where most is missing: so all parts come out as large as they can.
    for members in sorted((together[at] for at in order), key=len, reverse=True):
        label = _label(found[members[0]])
        need = needs.setdefault(label, {name: share * _count(found, label) for name, share in wanted.items()})
        part = max(need, key=lambda name: need[name])
        need[part] -= len(members)
        parts[part] += (found[at] for at in members)
    for name, share in wanted.items():
        if share and not parts[name]:
            raise InputError(
                f"{len(found)} examples in {len(together)} groups that stay together are too few to have some in "
                f"{name}: take a larger share, or more examples"
            )
    return Split(*(tuple(parts[name]) for name in _PARTS))


def _together(examples: Sequence[E], by_group: bool, similarity: float | None) -> list[list[int]]:
    """Return positions that stay together: those that share a query or, if that counts, a group."""
    together = Union(len(examples))
    for at, cluster in enumerate(clusters([example.key for example in examples], similarity)):
        together.join(at, cluster)
    first: dict[str, int] = {}
    for at, example in enumerate(examples):
        if by_group and example.group:
            together.join(at, first.setdefault(example.group, at))
    return together.sets()


def _label(example: object) -> str:
    return example.label if isinstance(example, LabelledPair | LabelledText) else ""


def _count(examples: Sequence[object], label: str) -> int:
    return sum(_label(example) == label for example in examples)
