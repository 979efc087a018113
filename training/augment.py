"""More examples for the verifier model, made of others: with them, counting shared words helps a model less.

Whatever changes a premise does so for all claims about it, whatever their labels: it gives none of them away.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from secondpass.models.embedding import EmbeddingModel
from secondpass.verify.words import overlap
from training.backtranslate import there_and_back
from training.examples import Example, grouped
from training.twins import Label

__all__ = ["in_other_words", "in_windows", "joined", "nearest", "neighbours", "verbatim"]

_MOST = 6000  # that neighbours in meaning are looked for
_SHORTEST, _LONGEST = 60, 400  # characters of theirs
_SAME_MEANING, _SAME_WORDS = 0.95, 0.7  # cosine and overlap from which on a neighbour may say it after all
_SENTENCE_BORDER = re.compile(r"(?<=[.!?]) +(?=[A-Z])")


def nearest(examples: Sequence[Example], model: EmbeddingModel, rng: random.Random) -> list[Example]:
    """Return sentences with the one to three others that are nearest in meaning as premises: they leave it open."""
    true = [e for e in examples if e.kind in ("same", "given") and e.label == "entailment"]
    true = [example for example in true if _SHORTEST < len(example.premise) < _LONGEST]
    claims = list({example.premise: example for example in rng.sample(true, len(true))}.values())[:_MOST]
    vectors = model.encode_documents([example.premise for example in claims])
    found = []
    for example, row in zip(claims, vectors, strict=True):
        cosines = vectors @ row
        near = [claims[at].premise for at in np.argsort(-cosines)[1:9] if cosines[at] < _SAME_MEANING]
        near = [premise for premise in near if overlap(example.hypothesis, premise) < _SAME_WORDS]
        if near:
            premise = " ".join(near[: rng.randint(1, 3)])
            found.append(replace(example, premise=premise, label="neutral", kind="nearest"))
    return found


def in_windows(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    """Return examples again, with another premise before or after their own."""
    premises = list(dict.fromkeys(example.premise for example in examples))
    rng.shuffle(premises)
    windows = {}
    for premise, other in zip(premises, premises[1:] + premises[:1], strict=True):
        windows[premise] = f"{other} {premise}" if rng.random() < 0.5 else f"{premise} {other}"
    return [replace(example, premise=windows[example.premise]) for example in examples]


def in_other_words(examples: Sequence[Example], share: float) -> list[Example]:
    """Put what comes back from Spanish for a share of the premises: for all claims about one, so none gives it away."""
    chosen = [p for p in dict.fromkeys(e.premise for e in examples) if random.Random(f"es {p}").random() < share]
    back = dict(zip(chosen, there_and_back(chosen) if chosen else (), strict=True))
    return [replace(example, premise=back.get(example.premise) or example.premise) for example in examples]


def verbatim(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    """Return for each premise one of its sentences as a claim: it follows."""
    first = {example.premise: example for example in examples}
    return [
        replace(example, hypothesis=rng.choice(_SENTENCE_BORDER.split(premise)), label="entailment", kind="same")
        for premise, example in first.items()
    ]


def joined(examples: Sequence[Example], share: float, rng: random.Random) -> list[Example]:
    """Return claims of two sentences, for a share of the premises: what follows, and nothing, or one thing, else.

    Of each premise with a claim that follows, three: with one of its own sentences, which follows too; with a sentence
    of another premise, or a claim that is left open; and with a claim that it contradicts, where there is one.
    """
    groups = grouped(examples)
    found = []
    for group in groups:
        true = [example for example in group if example.label == "entailment"]
        if not true or rng.random() >= share:
            continue
        own = rng.choice(_SENTENCE_BORDER.split(group[0].premise))
        other = rng.choice(groups)
        foreign = [] if other is group else [rng.choice(_SENTENCE_BORDER.split(other[0].premise))]
        others: dict[Label, list[str]] = {"entailment": [own], "neutral": foreign, "contradiction": []}
        for example in group:
            if example.label != "entailment":
                others[example.label].append(example.hypothesis)
        for label, texts in others.items():
            if texts:
                first = rng.choice(true)
                parts = [rng.choice([first.hypothesis, own]), rng.choice(texts)]
                if label == "entailment":
                    parts[0] = first.hypothesis
                rng.shuffle(parts)
                found.append(replace(first, hypothesis=_sentences(parts), label=label, kind="joined"))
    return [example for example in found if len(example.hypothesis) <= _LONGEST]


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)


def neighbours(sentences: Sequence[str], rng: random.Random, *, most: int = 3) -> list[list[str]]:
    """Return for each sentence one to ``most`` others: similar ones (BM25) for half of them, else any."""
    import bm25s

    tokens = bm25s.tokenize(list(sentences), stopwords="en", show_progress=False)
    index = bm25s.BM25()
    index.index(tokens, show_progress=False)
    similar, _ = index.retrieve(tokens, k=min(most + 3, len(sentences)), show_progress=False)
    found = []
    for at, sentence in enumerate(sentences):
        if rng.random() < 0.5:
            near = [sentences[i] for i in similar[at] if sentences[i] != sentence]
        else:
            near = [sentences[rng.randrange(len(sentences))] for _ in range(most + 1)]
        found.append([other for other in near if other != sentence][: rng.randint(1, most)])
    return found
