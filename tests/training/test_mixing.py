"""The stream of pairs."""

from collections import Counter
from itertools import chain, islice
from pathlib import Path

from secondpass.windows import ApproximateTokenization
from training.mixing import build, load, save, stream
from training.pairs import Label, Pair


def _pairs() -> list[Pair]:
    labels: tuple[Label, ...] = ("entailment", "neutral", "contradiction")
    return [
        Pair(f"{source} premise {n}.", f"{label} {n}.", label, source, f"{source} {n}")
        for source, many in (("snli_subsets", 300), ("made_windows", 30))
        for n in range(many)
        for label in labels
    ]


def test_position() -> None:
    """The stream can be entered anywhere, and is the same for a seed."""
    whole = list(islice(stream(_pairs(), seed=3), 500))

    assert list(islice(stream(_pairs(), seed=3, start=180), 320)) == whole[180:]
    assert list(islice(stream(_pairs(), seed=4), 500)) != whole


def test_shares() -> None:
    """Sources are drawn by their shares, however many pairs they have."""
    drawn = Counter(pair.source for pair in chain.from_iterable(islice(stream(_pairs(), seed=0), 2000)))

    assert 3 < drawn["made_windows"] / drawn["snli_subsets"] < 6  # 18 to 4, though it has a tenth of the pairs


def test_twins() -> None:
    """An entailed and another pair of a text come together, and all pairs in their turn."""
    groups = list(islice(stream(_pairs(), seed=0), 3000))

    assert all(one.label == "entailment" != other.label and one.premise == other.premise for one, other in groups)
    assert {pair.label for group in groups for pair in group} == {"entailment", "neutral", "contradiction"}


def test_built(tmp_path: Path) -> None:
    """Pairs are built of folders, the same for a seed, and survive a file."""
    text = " ".join(f"In {1900 + n} the town of Aberlour built {n + 2} new houses beside the river." for n in range(30))
    line = (
        '{"premise": "%s", "hypothesis": "In 1904 the town of Aberlour built 6 new houses.", "label": "entailment"}\n'
    )
    (tmp_path / "qa_condaqa.jsonl").write_text("".join(line % text.replace("river", f"river {n}") for n in range(40)))

    pairs = build([tmp_path], ApproximateTokenization(), draws=100_000, made=20, seed=0)
    save(pairs, tmp_path / "pairs.jsonl")

    assert {"qa_condaqa", "made_windows", "made_notation", "made_siblings"} == {pair.source for pair in pairs}
    assert load(tmp_path / "pairs.jsonl") == pairs
    assert pairs == build([tmp_path], ApproximateTokenization(), draws=100_000, made=20, seed=0)
    few = build([tmp_path], ApproximateTokenization(), draws=20, made=20, seed=0)
    assert sum(pair.source == "qa_condaqa" for pair in few) < sum(pair.source == "qa_condaqa" for pair in pairs)
