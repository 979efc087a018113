"""Long premises as the verifier reads them: cut into windows, of which a claim gets the one that matches it best."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from secondpass.verify.evidence import Window, WindowIndex, joined
from secondpass.verify.words import overlap
from secondpass.windows import Tokenization, cut
from training.pairs import Pair

__all__ = ["LONGEST", "in_windows", "windows_of", "with_neighbours"]

LONGEST = 150  # tokens of a premise that is left whole
_SIZES = (64, 96, 96, 128, 150)
_ENOUGH = 0.5  # of a claim's words, which a window must hold to be taken for its evidence
_ABSENT = 0.34  # at most, of a window that is taken to leave the claim open
_ABSENT_SHARE = 0.4


def windows_of(text: str, size: int, tokenization: Tokenization) -> list[Window]:
    """Cut a text into windows of at most ``size`` tokens which share a third."""
    found = []
    for start, end in cut(text, size, size // 3, "sentence", tokenization):
        inner = text[start:end].strip()
        if inner:
            begin = start + text[start:end].index(inner)
            found.append(Window(0, begin, begin + len(inner), inner))
    return found


def in_windows(pair: Pair, tokenization: Tokenization, rng: random.Random) -> Iterator[Pair]:
    """Yield a pair with a part of its premise in the place of the whole, if that is long.

    What is entailed by the whole is entailed by a window (or by two, joined) only if most of the claim's words are
    there: else the pair is dropped. A window that has few of them leaves the claim open, and some are yielded so. What
    the whole contradicts, but not in words that one window has, is only not entailed by it.
    """
    if tokenization.lengths([pair.premise])[0] <= LONGEST:
        yield pair
        return
    windows = windows_of(pair.premise, rng.choice(_SIZES), tokenization)
    scores = WindowIndex(windows).scores(pair.hypothesis)
    order = sorted(range(len(windows)), key=lambda at: -scores[at])
    best = windows[order[0]]
    text = best.text
    if pair.label in ("entailment", "contradiction"):
        held = overlap(pair.hypothesis, text)
        if held < _ENOUGH and len(order) > 1:
            both = joined(best, windows[order[1]], pair.hypothesis)
            if overlap(pair.hypothesis, both) >= max(held + 0.15, _ENOUGH):
                text, held = both, 1.0
        if held < _ENOUGH:
            if pair.label == "contradiction":
                yield replace(pair, premise=text, label="not_entailment")
            return
    yield replace(pair, premise=text)
    if pair.label == "entailment" and rng.random() < _ABSENT_SHARE:
        others = [windows[at] for at in order[1:] if overlap(pair.hypothesis, windows[at].text) <= _ABSENT]
        if others:
            other = others[0] if rng.random() < 0.5 else rng.choice(others)
            yield replace(pair, premise=other.text, label="neutral", kind="absent")


def with_neighbours(pair: Pair, others: Sequence[str], rng: random.Random) -> Pair:
    """Return a pair with one to four other texts around its premise."""
    around = [rng.choice(others) for _ in range(rng.randint(1, 4))]
    parts = [text for text in dict.fromkeys(around) if text != pair.premise]
    parts.insert(rng.randint(0, len(parts)), pair.premise)
    ended = [part if part.rstrip().endswith((".", "!", "?", '"')) else f"{part}." for part in parts]
    return replace(pair, premise=" ".join(ended))
