"""Pairs that rules make of the sentences of real passages, in windows as the verifier reads them.

What NLI models get wrong in answers that repeat their sources: a sentence word for word inside a long window
is entailed, the window without that sentence leaves it open, and so does one that only asks; the window's own names and
numbers in each other's place are not entailed, though each word is there.
"""

import random
import re
from collections.abc import Iterator, Sequence

from secondpass.verify.words import overlap
from secondpass.windows import Tokenization
from training.pairs import Label, Pair
from training.twins import Change, changes, distractor_names
from training.windows import windows_of

__all__ = ["from_windows", "question_of", "recombined", "sentences_of"]

_SENTENCE_BORDER = re.compile(r"(?<=[a-z0-9\"')][.!?])\s+(?=[A-Z\"'(])|\n+")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w'-]+(?: [A-Z][\w'-]+)*")
_NUMBER = re.compile(r"(?<![\w.,-])[$£€]?\d+(?:[.,]\d+)*%?(?![\w-])")
_DETERMINERS = ("The", "A", "An", "This", "His", "Her", "Its", "Their", "Our")
_COPULA = re.compile(r"^([\w' -]{2,60}?) (is|are|was|were|can|will|has been) (?!not\b)(.+)\.$")
_JOINING = re.compile(r"^(.{20,160}?) (is|are|was|were|has|have|had|can|will) (.+)$")
_SIZES = (64, 96, 96, 128, 150)
_CERTAIN_CONTRADICTIONS = frozenset({"number", "negation", "affirmation", "month"})


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text that are neither short nor long, nor rows of a table."""
    parts = (part.strip() for part in _SENTENCE_BORDER.split(text))
    return [part for part in parts if 6 <= len(part.split()) <= 45 and "|" not in part and part[-1] in ".!?"]


def recombined(sentence: str, window: str, rng: random.Random) -> str | None:
    """Put another name or number of the same window in the place of one of the sentence's."""
    kinds = [_NAME, _NUMBER]
    rng.shuffle(kinds)
    for kind in kinds:
        own = list(kind.finditer(sentence))
        texts = {match.group() for match in own}
        words = {word for text in texts for word in text.split()}
        found = [match.group() for match in kind.finditer(window)]
        others = [other for other in found if other not in sentence and not words & set(other.split())]
        if kind is _NUMBER:
            others = [other for other in others if _same_form(other, own[0].group())] if own else []
        if own and others:
            match = own[0] if kind is _NUMBER else rng.choice(own)
            return sentence[: match.start()] + rng.choice(others) + sentence[match.end() :]
        if len(own) >= 2 and kind is _NAME:
            first, second = own[0], own[-1]
            between = sentence[first.end() : second.start()]
            if " and " not in between and "," not in between and first.group() != second.group():
                return sentence[: first.start()] + second.group() + between + first.group() + sentence[second.end() :]
    return None


def question_of(sentence: str) -> str | None:
    """Return the question that a simple sentence answers."""
    match = _COPULA.match(sentence)
    if not match or len(sentence.split()) > 25 or ", " in match.group(1):
        return None
    subject, verb, rest = match.groups()
    if subject.split()[0] in _DETERMINERS:
        subject = subject[0].lower() + subject[1:]
    first, _, second = verb.partition(" ")
    return f"{first.capitalize()} {subject} {second + ' ' if second else ''}{rest}?"


def from_windows(passages: Sequence[str], tokenization: Tokenization, rng: random.Random, most: int) -> Iterator[Pair]:
    """Yield groups of pairs on windows of passages."""
    names = distractor_names(passages)
    rules = changes(names)
    true = [rule for rule in rules if rule.label == "entailment"]
    false = [rule for rule in rules if rule.label == "contradiction"]
    open_ = [rule for rule in rules if rule.label == "neutral"]
    n = 0
    for passage in rng.sample(list(passages), len(passages)):
        windows = windows_of(passage, rng.choice(_SIZES), tokenization)
        rng.shuffle(windows)
        for window in windows[:2]:
            sentences = sentences_of(window.text)
            if len(sentences) < 2:
                continue
            found = list(_on_window(window.text, sentences, passage, true, false, open_, rng))
            if found:
                n += 1
                yield from found
        if n >= most:
            return


def _on_window(
    window: str, sentences: Sequence[str], passage: str, true: Sequence[Change], false: Sequence[Change],
    open_: Sequence[Change], rng: random.Random,
) -> Iterator[Pair]:  # fmt: skip
    sentence = rng.choice(sentences)

    def pair(claim: str, label: Label, kind: str, premise: str = window) -> Pair:
        return Pair(premise, claim, label, "made_windows", window, kind)

    follows, kind = sentence, "verbatim"
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        changed = _applied(follows, true, rng)
        if changed:
            follows, kind = changed[1], changed[0]
    yield pair(follows, "entailment", kind)
    if rng.random() < 0.2:
        other = rng.choice(sentences)
        if other != sentence:
            yield pair(
                f"{other} {follows}" if rng.random() < 0.5 else f"{follows} {other}", "entailment", "two sentences"
            )

    base = follows if rng.random() < 0.4 else sentence
    draw = rng.random()
    if draw < 0.45:
        wrong = recombined(base, window, rng)
        if wrong:
            yield pair(wrong, "not_entailment", "recombined")
    if draw >= 0.35:
        changed = _applied(base, false, rng)
        if changed:
            label: Label = "contradiction" if changed[0] in _CERTAIN_CONTRADICTIONS else "not_entailment"
            yield pair(changed[1], label, changed[0])
    draw = rng.random()
    if draw < 0.3 and window.count(sentence) == 1:
        rest = window.replace(sentence, " ").strip()
        if overlap(follows, rest) < 0.75:
            yield pair(follows, "neutral", "removed", rest)
    elif draw < 0.45 and (question := question_of(sentence)) and window.count(sentence) == 1:
        yield pair(sentence, "neutral", "asked", window.replace(sentence, question))
    elif draw < 0.6 and (changed := _applied(sentence, open_, rng)):
        yield pair(changed[1], "neutral", changed[0])
    elif draw < 0.75:
        outside = [s for s in sentences_of(passage) if s not in window]
        if outside and overlap(one := rng.choice(outside), window) < 0.6:
            yield pair(one, "neutral", "elsewhere in the text")
    elif draw < 0.9 and len(sentences) > 1:
        spliced = _spliced(sentence, rng.choice([s for s in sentences if s != sentence] or [sentence]))
        if spliced:
            yield pair(spliced, "not_entailment", "spliced")


def _spliced(one: str, other: str) -> str | None:
    first, second = _JOINING.match(one), _JOINING.match(other)
    if (
        not first
        or not second
        or one == other
        or first.group(2) != second.group(2)
        or first.group(1) == second.group(1)
    ):
        return None
    return f"{first.group(1)} {first.group(2)} {second.group(3)}"


def _applied(sentence: str, rules: Sequence[Change], rng: random.Random) -> tuple[str, str] | None:
    for rule in rng.sample(list(rules), len(rules)):
        changed = rule.apply(sentence, rng)
        if changed and changed != sentence:
            return rule.kind, changed
    return None


def _same_form(one: str, other: str) -> bool:
    return (one[0] in "$£€") == (other[0] in "$£€") and ("%" in one) == ("%" in other) and one != other
