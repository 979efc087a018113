r"""Trains the verifier model: ``python -m training.nli --pairs FILE... --start FOLDER --out FOLDER``.

    python -m training.nli \
        --pairs conjnli_adversarial_train.tsv wikifactcheck_0.tsv ... sem_anto_neg.tsv \
        --wordnet /usr/share/wordnet --embedding bge-small-en-v1.5 --translated 0.3 \
        --start all-MiniLM-L6-v2 --out trained

makes the examples, trains and writes a checkpoint that transformers and sentence-transformers load;
``python -m training.average`` takes the mean of several, and ``python -m training.export`` makes the
small ONNX file of one. What is made by rules is made of the pairs' own sentences and of the documentation of Python's
standard library. Two things keep a model from counting shared words: sentences that are about nearly the same and say
something else (``--embedding`` finds them), and premises that went to Spanish and back (``--translated``, for a share
of them and all of their claims alike).

Needs: pip install "secondpass[train]"
"""

import argparse
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from secondpass.models.backends.load import load_embedding_model
from training.augment import in_other_words, in_windows, joined, nearest, neighbours, verbatim
from training.examples import (
    HELD_OUT_KINDS,
    Example,
    grouped,
    made_by_rules,
    read_pairs,
    split,
    stdlib_sentences,
    with_shuffled_premises,
    without_premises,
    written_examples,
)
from training.start import checkpoint_of
from training.templates import from_templates
from training.twins import Change, changes, distractor_names
from training.wordnet import WordNet

__all__ = ["Data", "collect", "main"]

_DEV_SHARE = 0.1
_EVALUATED = 400  # of the kinds that are held out, and of the written pairs: the best state is chosen by both
_TWINS = 3  # given pairs with one premise: some files have dozens of variations of one sentence
_BASES, _PAGE_SENTENCES = 6000, 3000  # that rules are applied to
_JOINED = 0.25  # of the premises, which get claims of two sentences
_TIMES = 100  # that a template is filled
_SHORTEST, _LONGEST = 60, 400  # characters of a text that something is made of, and of a hypothesis


@dataclass(frozen=True, slots=True)
class Data:
    """The examples of a training run.

    Attributes:
        train: to learn from.
        dev: of the same sources and kinds, of texts that are not in ``train``.
        held_out: kinds of change that ``train`` does not show, of texts that are not in ``train``.
    """

    train: list[Example]
    dev: list[Example]
    held_out: list[Example]


def collect(
    pairs: Sequence[Path],
    wordnet: Path | None,
    *,
    embedding: str | None = None,
    translated: float = 0.0,
    written: bool = True,
    limit: int | None = None,
    seed: int = 0,
) -> Data:
    """Return examples from files of pairs and those that rules make of their sentences.

    Args:
        pairs: files for `training.examples.read_pairs`.
        wordnet: folder of WordNet's database; without it those rules are left out.
        embedding: a bi-encoder that finds, for training, sentences that are nearly about the same.
        translated: the share of training premises that go to Spanish and back.
        written: whether the pairs written for this model are trained on.
        limit: at most so many training examples, those written for this among them.
        seed: of everything random.
    """
    rng = random.Random(seed)  # nothing secret
    given = [example for path in pairs for example in read_pairs(path)]
    rewrites = _refuted_only(given)
    labelled = [
        example for group in grouped(e for e in given if e.source not in rewrites) for example in group[:_TWINS]
    ]
    # A rewrite is as good a premise as the sentence itself: so "not" in a claim gives nothing away.
    refuted = [_turned(example) if rng.random() < 0.5 else example for example in given if example.source in rewrites]
    bases = list({example.premise: example for example in labelled if len(example.premise) > _SHORTEST}.values())
    rng.shuffle(bases)
    names = distractor_names([example.premise for example in chain(bases, refuted)])
    rules = changes(WordNet(wordnet) if wordnet else None, names)
    made = _made(refuted, bases[:_BASES], rules, rng)
    # The groups of rule-made examples are those of the pairs that gave the sentence, so that no text is on both sides.
    known = {example.premise: example.group for example in given} | {e.hypothesis: e.group for e in refuted}
    known |= {e.premise: e.group for e in refuted}
    made = [replace(example, group=known.get(example.group.partition(":")[2], example.group)) for example in made]
    usable = [e for e in chain(labelled, made) if 0 < len(e.hypothesis) <= _LONGEST and len(e.premise) > 0]
    ours, ours_dev = split(written_examples(), _DEV_SHARE)
    train, dev = split(usable, _DEV_SHARE)
    held_out = [example for example in dev if example.kind in HELD_OUT_KINDS]
    paired = {example.premise for example in held_out}
    held_out += [example for example in dev if example.premise in paired and example.label == "entailment"]
    train = [example for example in train if example.kind not in HELD_OUT_KINDS]
    if embedding:
        train += nearest(train, load_embedding_model(embedding), rng)
    train += joined(train, _JOINED, rng)
    groups = grouped(train)
    rng.shuffle(groups)
    ours = _with_their_words(ours, rules, rng) if written else []
    train = [*ours, *chain.from_iterable(groups)][:limit]
    dev = [example for example in dev if example.kind not in HELD_OUT_KINDS] + ours_dev
    return Data(in_other_words(train, translated), dev, list(dict.fromkeys(held_out)))


def _made(
    refuted: Sequence[Example], bases: Sequence[Example], rules: Sequence[Change], rng: random.Random
) -> list[Example]:
    """Return what rules make of the sentences of pairs and of the standard library's documentation."""
    pages = stdlib_sentences()
    sentences = [sentence for page in pages for sentence in page][:_PAGE_SENTENCES]
    around = [[other for other in page if other is not sentence][:3] for page in pages for sentence in page]
    rewritten, originals = [e.premise for e in refuted], [e.premise for e in bases]
    source = refuted[0].source if refuted else ""
    near = neighbours(rewritten, rng)
    found = list(made_by_rules(rewritten, rules, source, rng, contexts=near, refuted=[e.hypothesis for e in refuted]))
    found += made_by_rules(originals, rules, "rules", rng, contexts=neighbours(originals, rng))
    found += made_by_rules(sentences, rules, "stdlib", rng, contexts=around)
    found += from_templates(rng, times=_TIMES, around=originals)
    return found


def _with_their_words(examples: Sequence[Example], rules: Sequence[Change], rng: random.Random) -> list[Example]:
    """Return examples with others on their premises, in windows and in the premises' own words.

    Without them a model learns from natural claims that what is said in the premise's own words does not follow.
    """
    premises = list(dict.fromkeys(example.premise for example in examples))
    found = made_by_rules(premises, rules, "written", rng, contexts=neighbours(premises, rng))
    made = [example for example in found if example.kind not in HELD_OUT_KINDS and len(example.hypothesis) <= _LONGEST]
    examples = [*examples, *verbatim(examples, rng), *joined(examples, _JOINED, rng)]
    return [*examples, *in_windows(examples, rng), *made]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True)
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--embedding", help="a bi-encoder's name")
    parser.add_argument("--translated", type=float, default=0.0, help="share of premises")
    parser.add_argument("--start", required=True, help="a model's name, or the folder of a checkpoint")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ablation", choices=("hypothesis-only", "shuffled-premise", "without-written"))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--learning-rate", type=float, default=6e-5)
    parser.add_argument("--evaluate-every", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    from training.fit import Settings, fit

    data = collect(
        asked.pairs, asked.wordnet, embedding=asked.embedding, translated=asked.translated,
        written=asked.ablation != "without-written", limit=asked.limit, seed=asked.seed,
    )  # fmt: skip
    rng = random.Random(asked.seed)
    written = [example for example in data.dev if example.source == "written"]
    train, held_out = data.train, [*_some(data.held_out, rng), *_some(written, rng)]
    if asked.ablation == "hypothesis-only":
        train, held_out = without_premises(train), without_premises(held_out)
    elif asked.ablation == "shuffled-premise":
        train = with_shuffled_premises(train, rng)
    logging.info("%d to train on: %s", len(train), Counter(example.label for example in train))
    logging.info("kinds: %s", Counter(example.kind for example in train).most_common())
    settings = Settings(
        epochs=asked.epochs, learning_rate=asked.learning_rate, seed=asked.seed, evaluate_every=asked.evaluate_every
    )
    report = fit(checkpoint_of(asked.start, asked.out / "start"), train, held_out, asked.out, settings)
    logging.info("%s", json.dumps(report["history"]))


def _some(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    return rng.sample(examples, min(_EVALUATED, len(examples)))


def _refuted_only(examples: Sequence[Example]) -> set[str]:
    """Return the sources that hold nothing but sentences and refuted forms of them."""
    labels: dict[str, set[str]] = {}
    for example in examples:
        labels.setdefault(example.source, set()).add(example.label)
    return {source for source, found in labels.items() if found == {"contradiction"}}


def _turned(example: Example) -> Example:
    return replace(example, premise=example.hypothesis, hypothesis=example.premise)


if __name__ == "__main__":
    main()
