"""Training examples for the verifier model: pairs that exist, and pairs that rules make of any text."""

import csv
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from secondpass.errors import InputError
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from training.twins import Change, Label

__all__ = [
    "HELD_OUT_KINDS",
    "Example",
    "grouped",
    "made_by_rules",
    "read_pairs",
    "split",
    "stdlib_sentences",
    "with_shuffled_premises",
    "without_premises",
    "written_examples",
]

HELD_OUT_KINDS = frozenset({"unit", "role", "affirmation", "weakened", "spliced"})
"""Kinds of change that no training example shows: training stops early by the accuracy on these."""

# What the columns of known files mean: premise, hypothesis, label; a file without labels holds refuted pairs.
_COLUMNS = (("Premise", "Hypothesis", "Label"), ("premise", "hypothesis", "label"), ("sentence", "negated", ""),
            ("knowledge", "response", "begin_label"))  # fmt: skip
_LABELS: dict[str, Label] = {
    "entailment": "entailment", "neutral": "neutral", "contradiction": "contradiction",
    "supports": "entailment", "refutes": "contradiction", "not_enough_info": "neutral",
    "1": "contradiction", "0": "entailment",  # of the antonym and negation pairs: 1 means negated
    "fully attributable": "entailment", "not fully attributable": "neutral",
}  # fmt: skip
_WRITTEN = Path(__file__).parent / "data" / "written.tsv"
_N_CHANGES = (0, 1, 1, 2, 2, 3)
_SENTENCE_BORDER = re.compile(r"(?<=[a-z0-9)][.!?]) +(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Example:
    """A premise and a hypothesis with what the first says of the second.

    Attributes:
        premise: the evidence.
        hypothesis: the claim.
        label: what holds.
        kind: what kind of pair it is, or the `Change` that made it.
        source: the file or text it came from.
        group: examples of one group share their text; none is in training while another is in evaluation,
            and those with one premise are twins.
    """

    premise: str
    hypothesis: str
    label: Label
    kind: str
    source: str
    group: str


def read_pairs(path: Path) -> list[Example]:
    """Read labelled pairs from a file with tabs between its columns and names in its first line.

    The columns may be called Premise, Hypothesis, Label; or premise, hypothesis, label (1 for negated, 0 for
    the same meaning); or sentence, negated, for sentences and a refuted form of each; or knowledge, response,
    begin_label.

    Raises:
        InputError: the file has none of these.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    names = set(rows[0]) if rows else set()
    columns = next((columns for columns in _COLUMNS if set(columns) - {""} <= names), None)
    if columns is None:
        raise InputError(
            f"{path} has the columns {', '.join(sorted(names))}; wanted are {' or '.join(map(str, _COLUMNS))}"
        )
    first, second, label = columns
    source = re.sub(r"_\d+$", "", path.stem)
    return [
        Example(
            row[first].strip(), row[second].strip(), _LABELS[row[label].lower()] if label else "contradiction",
            "given", source, f"{source}:{row[first].strip()}",
        )
        for row in rows
        if row[first] and row[second] and (not label or row[label].lower() in _LABELS)
    ]  # fmt: skip


def written_examples() -> list[Example]:
    """Return the groups of pairs that were written for this model: of one premise, three claims with the three labels.

    Captions, news, reference texts and passages as they are retrieved, with claims in natural other words.
    """
    found = []
    with _WRITTEN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            group = f"written:{row['premise']}"
            found += [
                Example(row["premise"], row[label], label, "given", "written", group)
                for label in ("entailment", "neutral", "contradiction")
            ]
    return found


def stdlib_sentences() -> list[list[str]]:
    """Return the sentences of the standard library's docstrings, one list for each docstring of two or more."""
    found = []
    for document in stdlib_corpus():
        paragraph = max(document["text"].split("\n\n")[1:], key=len, default="")
        text = " ".join(paragraph.split())
        if not text or ">>>" in text or not text.isascii() or len(text) > 1200:
            continue
        sentences = [sentence for sentence in _SENTENCE_BORDER.split(text) if 25 < len(sentence) < 300]
        if len(sentences) > 1:
            found.append(sentences)
    return found


def split(examples: Iterable[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Split by group: for each source, about ``share`` of the groups go into the second part, always the same ones."""
    parts: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        held = random.Random(example.group).random() < share  # no secret: a stable choice
        parts[held].append(example)
    return parts


def grouped(examples: Iterable[Example]) -> list[list[Example]]:
    """Return the examples in lists that share a premise."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.premise, []).append(example)
    return list(groups.values())


def made_by_rules(
    sentences: Sequence[str],
    rules: Sequence[Change],
    source: str,
    rng: random.Random,
    *,
    contexts: Sequence[Sequence[str]] = (),
    refuted: Sequence[str] = (),
    windowed: float = 0.4,
) -> Iterator[Example]:
    """Yield for each sentence a group of twins: one that follows, one that is refuted, one that is left open.

    The premise is the sentence, or (for a share of them) a window of several sentences that it stands in. What
    is left open is: a claim whose evidence was taken out of the window, the shorter form as premise of
    the longer one, what a rule says is neutral, or the beginning of one sentence joined to the end of another.

    Args:
        sentences: what the twins are made of.
        rules: see `training.twins.changes`.
        source: what they are said to come from.
        rng: decides everything that is random.
        contexts: for each sentence, others to put around it; none for single sentences only.
        refuted: for each sentence, one that it refutes and that people wrote, in place of a rule's.
        windowed: the share of premises that are windows.
    """
    by_label = {
        label: [rule for rule in rules if rule.label == label] for label in ("entailment", "neutral", "contradiction")
    }
    used: dict[str, int] = {}
    for at, sentence in enumerate(sentences):
        group = f"{source}:{sentence}"
        near = list(contexts[at]) if contexts else []
        around = near if rng.random() < windowed else []
        premise = _window(sentence, around, rng)

        true = ("same", sentence)
        # Several changes one after the other: what follows from what follows does too, in ever fewer of the same words.
        for _ in range(rng.choice(_N_CHANGES)):
            true = _applied(true[1], by_label["entailment"], rng, used) or true
        yield Example(premise, true[1], "entailment", true[0], source, group)

        written = refuted[at] if refuted and rng.random() < 0.5 else ""
        changed = true[1] if rng.random() < 0.5 else sentence
        false = ("rewritten", written) if written else _applied(changed, by_label["contradiction"], rng, used)
        if false:
            yield Example(premise, false[1], "contradiction", false[0], source, group)

        draw = rng.random()
        if near and draw < 0.4:
            yield Example(_window("", near, rng), true[1], "neutral", "evidence removed", source, group)
        elif draw < 0.8 and true[0] in {"shortened", "part removed", "hypernym", "everyday hypernym"}:
            yield Example(true[1], sentence, "neutral", f"{true[0]}, reversed", source, group)
        elif draw < 0.9 and (open_ := _applied(sentence, by_label["neutral"], rng, used)):
            yield Example(premise, open_[1], "neutral", open_[0], source, group)
        elif near and (spliced := _spliced(sentence, rng.choice(near))):
            yield Example(premise, spliced, "neutral", "spliced", source, group)


def _applied(
    sentence: str, rules: Sequence[Change], rng: random.Random, used: dict[str, int]
) -> tuple[str, str] | None:
    """Return the kind and the text of a change that applies, the rarest so far first, so that all kinds are seen."""
    for rule in sorted(rules, key=lambda rule: used.get(rule.kind, 0) * (0.5 + rng.random())):
        changed = rule.apply(sentence, rng)
        if changed and changed != sentence:
            used[rule.kind] = used.get(rule.kind, 0) + 1
            return rule.kind, changed
    return None


def _window(sentence: str, around: Sequence[str], rng: random.Random) -> str:
    parts = list(around)
    if sentence:
        parts.insert(rng.randint(0, len(parts)), sentence)
    return " ".join(parts)


def _spliced(one: str, other: str) -> str | None:
    """Join the subject of one sentence to what another says."""
    verb = r" (?:is|are|was|were|has|have|had|can|will) "
    first, second = re.search(verb, one), re.search(verb, other)
    if not first or not second or first.group() != second.group():
        return None
    return one[: first.start()] + other[second.start() :]


def without_premises(examples: Iterable[Example]) -> list[Example]:
    """Return the examples with empty premises: what a model does on these it does without reading any evidence."""
    return [replace(example, premise="") for example in examples]


def with_shuffled_premises(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    """Return the examples with each other's premises."""
    premises = [example.premise for example in examples]
    rng.shuffle(premises)
    return [replace(example, premise=premise) for example, premise in zip(examples, premises, strict=True)]
