"""The stream of training pairs, a fixed mix of sources: ``python -m training.mixing FOLDER... --start DIR --out FILE``.

reads the files of the folders that `training.pairs.SOURCES` names, cuts long premises into windows, adds what rules
make, and writes all of it as the file that `training.longrun` draws from.

Needs: pip install "secondpass[train]"
"""

import argparse
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from secondpass.models.tokens import EncoderTokenizer
from secondpass.windows import ModelTokenization, Tokenization
from training.made import from_windows, sentences_of
from training.notation import from_notation
from training.pairs import SOURCES, Pair, read_folder
from training.scenes import from_scenes, read_scenes
from training.siblings import from_siblings
from training.windows import in_windows, with_neighbours

__all__ = ["build", "load", "main", "save", "stream"]

_LONG_WORDS = 45  # of a passage that windows with made claims are taken from
_LONGEST_HYPOTHESIS = 90  # words
_TABLES = frozenset({"qa_fetaqa", "qa_tabfact", "qa_infotabs"})


def build(folders: Iterable[Path], tokenization: Tokenization, *, draws: int, made: int, seed: int) -> list[Pair]:
    """Return pairs to draw from: those of the folders' files, in windows, and those made of their passages.

    Args:
        folders: with files that `SOURCES` names.
        tokenization: counts the tokens of windows.
        draws: about how many pairs will be drawn: of each source at most twice its share of them is prepared.
        made: windows that claims are made of by rules.
        seed: of everything random.
    """
    rng = random.Random(seed)  # nothing secret
    given = [pair for folder in folders for pair in read_folder(folder)]
    given = [pair for pair in dict.fromkeys(given) if len(pair.hypothesis.split()) <= _LONGEST_HYPOTHESIS]
    given = _limited(given, draws, rng)
    by_source: dict[str, list[str]] = {}
    for pair in given:
        by_source.setdefault(pair.source, []).append(pair.premise)
    premises = {source: list(dict.fromkeys(texts)) for source, texts in by_source.items()}
    found = []
    for pair in given:
        for part in in_windows(pair, tokenization, rng):
            padded = SOURCES[part.source].padded
            found.append(with_neighbours(part, premises[part.source], rng) if rng.random() < padded else part)
    passages = [
        text
        for source, texts in premises.items()
        for text in texts
        if source not in _TABLES and len(text.split()) >= _LONG_WORDS
    ]
    sentences = [s for text in rng.sample(passages, min(1500, len(passages))) for s in sentences_of(text)]
    fillers = [s for s in sentences if len(s.split()) < 25]
    found += from_windows(passages, tokenization, rng, made)
    found += from_notation(fillers, rng, made // 4)
    found += from_siblings(fillers, rng, made // 4)
    for pair in from_scenes(read_scenes(), rng, made // 1000):
        padded = rng.random() < SOURCES[pair.source].padded
        found.append(with_neighbours(pair, fillers, rng) if padded else pair)
    return found


def _limited(pairs: Iterable[Pair], draws: int, rng: random.Random) -> list[Pair]:
    """Return of each source no more whole groups than give twice the pairs that its share of the draws asks for."""
    groups: dict[str, dict[str, list[Pair]]] = {}
    for pair in pairs:
        groups.setdefault(pair.source, {}).setdefault(pair.group, []).append(pair)
    whole = sum(source.share for source in SOURCES.values())
    found = []
    for source, texts in groups.items():
        most, n = 2 * draws * SOURCES[source].share / whole, 0
        for group in rng.sample(list(texts.values()), len(texts)):
            if n >= most:
                break
            found += group
            n += len(group)
    return found


def save(pairs: Iterable[Pair], path: Path) -> None:
    """Write pairs, one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for pair in pairs:
            file.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")


def load(path: Path) -> list[Pair]:
    """Read what `save` wrote."""
    with path.open(encoding="utf-8") as file:
        return [Pair(**json.loads(line)) for line in file]


def stream(pairs: Iterable[Pair], *, seed: int, start: int = 0) -> Iterator[list[Pair]]:
    """Yield groups of one or two pairs about one text without end, the same ones for a seed, from a position on.

    A source is drawn by its share, then the next text of the source's, in an order that is new in each round; of
    the text one pair that is entailed and one that is not, where there are both. Other pairs of the text come in
    later rounds.
    """
    groups: dict[str, dict[str, list[Pair]]] = {}
    for pair in pairs:
        groups.setdefault(pair.source, {}).setdefault(pair.group, []).append(pair)
    names = sorted(groups)
    shares = [SOURCES[name].share for name in names]
    rounds = {name: _rounds(list(groups[name].values()), f"{seed} {name}") for name in names}
    rng = random.Random(seed)

    def endless() -> Iterator[list[Pair]]:
        while True:
            yield next(rounds[rng.choices(names, shares)[0]])

    return islice(endless(), start, None)


def _rounds(groups: list[list[Pair]], seed: str) -> Iterator[list[Pair]]:
    for number in range(10**9):
        rng = random.Random(f"{seed} {number}")
        for at in rng.sample(range(len(groups)), len(groups)):
            true = [pair for pair in groups[at] if pair.label == "entailment"]
            false = [pair for pair in groups[at] if pair.label != "entailment"]
            chosen = [side[(number + at) % len(side)] for side in (true, false) if side]
            yield [replace(pair) for pair in chosen]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--start", type=Path, required=True, help="a checkpoint, whose tokenizer counts tokens")
    parser.add_argument("--draws", type=int, default=50_000, help="pairs that will be drawn, about")
    parser.add_argument("--made", type=int, default=5_000, help="windows that claims are made of")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    tokenizer = EncoderTokenizer(Tokenizer.from_file(str(asked.start / "tokenizer.json")), 512)
    tokenization = ModelTokenization(tokenizer, 512)
    pairs = build(asked.folders, tokenization, draws=asked.draws, made=asked.made, seed=asked.seed)
    save(pairs, asked.out)
    logging.info("%d pairs: %s", len(pairs), Counter(pair.label for pair in pairs))
    logging.info("by source: %s", Counter(pair.source for pair in pairs).most_common())
    logging.info("not found: %s", sorted(set(SOURCES) - {pair.source for pair in pairs}))


if __name__ == "__main__":
    main()
