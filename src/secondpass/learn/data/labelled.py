"""Training examples from labelled texts, such as tickets by category."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from secondpass.counts import counted
from secondpass.errors import InputError
from secondpass.learn.data.example import LabelledText, TrainingExample, checked_examples
from secondpass.validation import OneOf, Text, Whole, shown

__all__ = ["from_labelled_texts", "labelled_texts"]


def labelled_texts(
    texts: Iterable[Any], labels: Iterable[Any], *, groups: Iterable[str] | None = None
) -> list[LabelledText]:
    """Return labelled texts from columns.

    Args:
        texts: the texts.
        labels: a label for each text; all are texts, or all are whole numbers, which become texts.
        groups: for each text, what it has to stay with in a split.

    Raises:
        InputError: the columns are not equally long or are empty, or something in them is of another type.
    """
    columns = [_column(texts, "texts"), _column(labels, "labels")]
    columns.append([""] * len(columns[0]) if groups is None else _column(groups, "groups"))
    if len(set(map(len, columns))) != 1:
        raise InputError(
            f"there are {counted(len(columns[0]), 'text')}, {counted(len(columns[1]), 'label')} and "
            f"{len(columns[2])} groups"
        )
    if not columns[0]:
        raise InputError("there are no texts")
    takes = Text(empty=True) if isinstance(columns[1][0], str) else Whole()
    return [
        LabelledText(
            Text(empty=True).checked(text, f"texts[{at}]", error=InputError),
            str(takes.checked(label, f"labels[{at}]", error=InputError)),
            Text(empty=True).checked(group, f"groups[{at}]", error=InputError),
        )
        for at, (text, label, group) in enumerate(zip(*columns, strict=True))
    ]


def from_labelled_texts(
    texts: Iterable[LabelledText],
    *,
    against: Literal["texts", "labels"] = "texts",
    descriptions: Mapping[str, str] | None = None,
    n_positives: int = 1,
    n_negatives: int = 4,
    seed: int = 0,
) -> list[TrainingExample]:
    """Return an example for each labelled text: with other texts of its label and of other labels, or with the labels.

    Args:
        texts: what `labelled_texts` returns.
        against: ``texts`` for models that tell whether two texts belong together (similar tickets); ``labels`` for
            those that rank labels for a text: then each example has all labels as documents, and the right one is
            relevant.
        descriptions: from a label to the text that stands for it; by default the label itself. For ``labels`` only.
        n_positives: how many texts of the same label each gets at most. For ``texts`` only.
        n_negatives: how many of other labels.
        seed: of the drawing.

    Raises:
        InputError: there are no texts, all have one label, no label has two texts, or a label has no description.
        ConfigError: a setting is out of range.
    """
    OneOf("texts", "labels").checked(against, "against")
    Whole(at_least=1).checked(n_positives, "n_positives")
    Whole(at_least=0).checked(n_negatives, "n_negatives")
    found = checked_examples(texts)
    if not isinstance(found[0], LabelledText):
        raise InputError(f"labelled texts are needed, as labelled_texts returns them, not {shown(found[0])}")
    members: dict[str, list[int]] = {}
    for at, each in enumerate(found):
        members.setdefault(each.label, []).append(at)
    if len(members) == 1:
        label = shown(found[0].label)
        raise InputError(f"all {len(found)} texts have the label {label}: there is nothing to tell apart")
    if against == "labels":
        return _against_labels(found, list(members), descriptions or {})
    random = np.random.default_rng(Whole(at_least=0).checked(seed, "seed"))
    examples = []
    for at, each in enumerate(found):
        positives = _drawn(found, members[each.label], at, n_positives, random)
        if positives:
            negatives = _drawn_others(found, each, n_negatives, random)
            examples.append(TrainingExample.of(each.text, positives, negatives, group=each.group))
    if not examples:
        raise InputError(
            f"no label has two texts ({counted(len(members), 'label')} of {len(found)} texts): are the columns of "
            "texts and "
            "labels swapped?"
        )
    return examples


def _against_labels(
    texts: list[LabelledText], labels: list[str], descriptions: Mapping[str, str]
) -> list[TrainingExample]:
    missing = [label for label in labels if descriptions and label not in descriptions]
    if missing:
        raise InputError(f"descriptions has none of the label {missing[0]!r}")
    takes = Text()
    said = [takes.checked(descriptions.get(label, label), f"the label {label!r}", error=InputError) for label in labels]
    return [
        TrainingExample(each.text, tuple(said), tuple(float(label == each.label) for label in labels), group=each.group)
        for each in texts
    ]


def _drawn(texts: list[LabelledText], members: list[int], at: int, n: int, random: np.random.Generator) -> list[str]:
    """Draw texts of the same label; of a large one only some are looked at, so that all takes linear time."""
    some = members if len(members) <= 4 * n + 4 else random.choice(members, size=4 * n + 4, replace=False).tolist()
    others = [texts[other].text for other in random.permutation(some).tolist() if other != at]
    return list(dict.fromkeys(text for text in others if text != texts[at].text))[:n]


def _drawn_others(texts: list[LabelledText], own: LabelledText, n: int, random: np.random.Generator) -> list[str]:
    drawn: dict[str, None] = {}
    for at in random.integers(
        len(texts), size=20 * n + 20
    ).tolist():  # of a label with nearly all texts, fewer are found
        if len(drawn) == n:
            break
        if texts[at].label != own.label:
            drawn[texts[at].text] = None
    return [text for text in drawn if text != own.text]


def _column(values: object, what: str) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"{what} must be a list, not {shown(values)}")
    return list(values)
