"""Checks of training data that need no model: one function for each thing that may be wrong, all over one list."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from secondpass.counts import counted
from secondpass.learn.data.example import Example, LabelledPair, LabelledText, TrainingExample
from secondpass.learn.data.findings import Finding
from secondpass.learn.data.normalised import normalised
from secondpass.types import is_blank, shortened

__all__ = ["CHECKS"]

_FEW = 50  # examples, below which training makes little of them
_IMBALANCE = 10  # times as many examples of the most frequent label as of the rarest
_FEWEST_OF_A_LABEL = 5
_LONG_WORDS = 350  # about 512 tokens, with the query
_LONG_SHARE = 0.1
_SHORTCUT = 0.85  # how often the longer document of two is the relevant one, or the shorter
_QUESTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        "how what which who whose whom when where why is are was were do does did can could should will would may "
        "wie was welche welcher welches wer wem wen wann wo warum wieso kann darf muss "
        "comment quel quelle quels quelles qui quand où pourquoi est-ce "
        "cómo qué cuál cuáles quién cuándo dónde",
    )
)


def _empty(examples: Sequence[Example]) -> Iterator[Finding]:
    at = [number for number, example in enumerate(examples) if any(map(is_blank, example.texts))]
    if at:
        yield Finding(
            "empty",
            f"{len(at)} of {len(examples)} examples have a text that says nothing, the first at position {at[0]}",
            "leave them out",
            tuple(at),
            severe=True,
        )


def _duplicate(examples: Sequence[Example]) -> Iterator[Finding]:
    seen: dict[Any, int] = {}
    at = []
    for number, example in enumerate(examples):
        if seen.setdefault(_content(example), number) != number:
            at.append(number)
    if at:
        yield Finding(
            "duplicate",
            f"{len(at)} of {len(examples)} examples repeat an earlier one, such as {_shown(examples[at[0]].key)}",
            "leave them out, unless they are meant to weigh more",
            tuple(at),
        )


def _contradiction(examples: Sequence[Example]) -> Iterator[Finding]:
    labels: dict[tuple[str, ...], set[Any]] = {}
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, example in enumerate(examples):
        for texts, label in _labelled(example):
            labels.setdefault(texts, set()).add(label)
            holders.setdefault(texts, []).append(number)
    wrong = [texts for texts, found in labels.items() if len(found) > 1]
    if wrong:
        both = " and ".join(sorted(map(str, labels[wrong[0]]))[:2])
        yield Finding(
            "contradiction",
            f"{len(wrong)} texts have two labels, such as {_shown(' / '.join(wrong[0]))}, which is {both}",
            "decide which one is right, or leave them out",
            tuple(sorted({number for texts in wrong for number in holders[texts]})),
        )


def _one_class(examples: Sequence[Example]) -> Iterator[Finding]:
    if isinstance(examples[0], TrainingExample):
        ranking = [example for example in examples if isinstance(example, TrainingExample)]
        # What a teacher scored needs no labels.
        without = [at for at, example in enumerate(ranking) if not example.positives and example.scores is None]
        if len(without) == len(examples):
            yield Finding("one_class", "no query has a relevant document", "label some documents above 0", severe=True)
        elif without:
            message = f"{len(without)} of {len(examples)} queries have no relevant document"
            yield Finding("no_positive", message, "leave them out, or label more", tuple(without))
        if not any(example.negatives for example in ranking):
            message = "no query has a document that is not relevant"
            yield Finding("no_negatives", message, "find some with mine_negatives, or take a loss that needs none")
        return
    labels = Counter(_label(example) for example in examples)
    if len(labels) == 1:
        message = f"all {len(examples)} examples have the label {_shown(next(iter(labels)))}"
        yield Finding("one_class", message, "there is nothing to tell apart: add examples of other labels", severe=True)


def _imbalance(examples: Sequence[Example]) -> Iterator[Finding]:
    if isinstance(examples[0], TrainingExample):
        return
    labels = Counter(_label(example) for example in examples)
    (most, n_most), (least, n_least) = labels.most_common()[0], labels.most_common()[-1]
    if len(labels) > 1 and (n_most > _IMBALANCE * n_least or n_least < _FEWEST_OF_A_LABEL):
        rare = {label for label, n in labels.items() if n_most > _IMBALANCE * n or n < _FEWEST_OF_A_LABEL}
        yield Finding(
            "imbalance",
            f"{n_most} examples have the label {_shown(most)}, and {n_least} have {_shown(least)} ({len(rare)} of "
            f"{len(labels)} labels are that rare)",
            "use undersample, oversample or sample_weights, or collect more of the rare ones",
        )


def _few(examples: Sequence[Example]) -> Iterator[Finding]:
    if len(examples) < _FEW:
        message = f"there {'is' if len(examples) == 1 else 'are'} {counted(len(examples), 'example')}"
        yield Finding("few", message, f"below {_FEW}, what is learnt is mostly chance: collect or augment more")


def _length(examples: Sequence[Example]) -> Iterator[Finding]:
    long = [n for n, example in enumerate(examples) if max(_words(text) for text in example.texts) > _LONG_WORDS]
    if len(long) > _LONG_SHARE * len(examples):
        yield Finding(
            "length",
            f"{len(long)} of {len(examples)} examples have a text of more than {_LONG_WORDS} words, of which a model "
            "with 512 tokens sees the beginning",
            "cut them into passages, and keep those that matter",
            tuple(long),
        )


def _length_shortcut(examples: Sequence[Example]) -> Iterator[Finding]:
    longer = shorter = 0
    for example in examples:
        if isinstance(example, TrainingExample) and example.negatives and example.positives:
            relevant, other = (median(map(_words, texts)) for texts in (example.positives, example.negatives))
            longer, shorter = longer + (relevant > other), shorter + (relevant < other)
    n = longer + shorter
    if n >= 20 and max(longer, shorter) > _SHORTCUT * n:
        how = "longer" if longer > shorter else "shorter"
        yield Finding(
            "length_shortcut",
            f"the relevant documents are {how} than the others for {max(longer, shorter)} of {n} queries",
            "a model would learn the length: take negatives of the same kind, as mine_negatives finds them",
        )


def _swapped_columns(examples: Sequence[Example]) -> Iterator[Finding]:
    if isinstance(examples[0], LabelledText):
        texts, labels = ([read(each) for each in examples] for read in (lambda each: each.key, _label))
        if len(examples) >= 10 and len(set(labels)) > 0.9 * len(labels) and len(set(texts)) < 0.5 * len(texts):
            yield Finding(
                "swapped_columns",
                f"there are {counted(len(set(labels)), 'different label')} and "
                f"{counted(len(set(texts)), 'different text')}",
                "the columns of texts and labels look swapped: pass them the other way round",
                severe=True,
            )
        return
    columns = _columns(examples)
    if not columns:
        return
    asked, answered = ([_is_question(text) for text in column] for column in columns)
    question_shares = sum(asked) / len(asked), sum(answered) / len(answered)
    n_words = tuple(median(map(_words, column)) for column in columns)
    questions_are_behind = question_shares[1] > question_shares[0] + 0.3
    longer_in_front = isinstance(examples[0], TrainingExample) and n_words[0] > max(20, 3 * n_words[1])
    if questions_are_behind or longer_in_front:
        yield Finding(
            "swapped_columns",
            f"{question_shares[1]:.0%} of the relevant documents are questions, and {question_shares[0]:.0%} of the "
            f"queries; documents have {n_words[1]:g} words and queries {n_words[0]:g} (medians)",
            "the columns look swapped: pass the question first, then what answers it",
            severe=questions_are_behind and longer_in_front,
        )


CHECKS: tuple[Callable[[Sequence[Example]], Iterator[Finding]], ...] = (
    _empty,
    _duplicate,
    _contradiction,
    _one_class,
    _imbalance,
    _few,
    _length,
    _length_shortcut,
    _swapped_columns,
)
"""Each yields what it found in examples of one kind, of which there is at least one."""


def _content(example: Example) -> Any:
    if isinstance(example, TrainingExample):
        judged = zip(map(normalised, example.documents), example.labels, strict=True)
        return normalised(example.query), tuple(sorted(judged))
    return (*map(normalised, example.texts), example.label)


def _labelled(example: Example) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(example, TrainingExample):
        query = normalised(example.query)
        for document, label in zip(example.documents, example.labels, strict=True):
            yield (query, normalised(document)), "relevant" if label > 0 else "not relevant"
    else:
        yield tuple(map(normalised, example.texts)), example.label


def _columns(examples: Sequence[Example]) -> tuple[list[str], list[str]] | None:
    pairs = [
        (example.query, document)
        for example in examples
        if isinstance(example, TrainingExample)
        for document in example.positives[:1]
    ]
    return ([query for query, _ in pairs], [document for _, document in pairs]) if pairs else None


def _label(example: Example) -> str:
    return example.label if isinstance(example, LabelledPair | LabelledText) else ""


def _is_question(text: str) -> bool:
    head = text.lstrip()[:40].casefold().split(maxsplit=1)
    return text.rstrip()[-1:] in ("?", "？", "؟") or bool(head and head[0].strip("¿") in _QUESTION_WORDS)  # noqa: RUF001


def _words(text: str) -> int:
    return len(text.split())


def _shown(text: str) -> str:
    return repr(shortened(text, 60))
