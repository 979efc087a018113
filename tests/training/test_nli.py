"""Training the verifier model, end to end, with a tiny encoder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from secondpass.models.nli import NliModel
from training import export, measure, nli
from training.examples import Example
from training.fit import Settings, fit
from training.nli import collect
from training.quality import overlap_probabilities, quality

pytestmark = pytest.mark.slow
COLOURS = ["red", "green", "blue", "black", "white", "brown", "pink", "grey"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a file of labelled pairs and one of rewrites, on colours of things that were painted."""
    folder = tmp_path_factory.mktemp("pairs")
    labelled, rewrites = ["Premise\tHypothesis\tLabel"], ["sentence\tnegated"]
    for n in range(300):
        colour, other = COLOURS[n % 8], COLOURS[(n + 3) % 8]
        thing = f"The door of house number {n + 2} in that long street was painted {colour}"
        labelled.append(f"{thing}.\tIt was painted {colour}.\tentailment")
        labelled.append(f"{thing}.\tIt was painted {other}.\tcontradiction")
        labelled.append(f"{thing}.\tIts owner likes {other}.\tneutral")
        rewrites.append(f"{thing} in May.\t{thing.replace(colour, other)} in May.")
    paths = [folder / "labelled.tsv", folder / "rewrites.tsv"]
    for path, lines in zip(paths, (labelled, rewrites), strict=True):
        path.write_text("\n".join(lines), encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, pairs: list[Path]) -> Path:
    """Return a checkpoint of a random BERT of two layers with word pieces for these texts."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("start")
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train(
        [str(path) for path in pairs],
        vocab_size=600,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]"],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, num_labels=3,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_collect(pairs: list[Path]) -> None:
    """Every source is there, no group is on both sides, and kinds that are held out are not trained on."""
    data = collect(pairs, None)
    assert {"labelled", "rewrites", "rules", "stdlib"} <= {example.source for example in data.train}
    assert not {example.group for example in data.train} & {example.group for example in data.dev + data.held_out}
    assert {example.label for example in data.held_out} == {"entailment", "neutral", "contradiction"}
    assert not {"role", "unit", "spliced"} & {example.kind for example in data.train + data.dev}
    assert len(collect(pairs, None, limit=50).train) == 50


@pytest.mark.usefixtures("apertium")
def test_collect_other_words(pairs: list[Path]) -> None:
    """Training alone changes: premises go to Spanish and back for all of their claims, neighbours are neutral."""
    plain, data = collect(pairs, None), collect(pairs, None, embedding="bge-small-en-v1.5", translated=0.5)
    assert (data.dev, data.held_out) == (plain.dev, plain.held_out)
    # Which claims become parts of longer ones is left to chance, and differs.
    before = [example for example in plain.train if example.source != "written" and example.kind != "joined"]
    after = [example for example in data.train if example.source != "written" and example.kind != "joined"]
    near = [example for example in after if example.kind == "nearest"]
    assert len(near) > 100
    assert {example.label for example in near} == {"neutral"}
    assert len(after) == len(before) + len(near)
    premises = {example.premise for example in before}
    kept = {example.premise for example in after if example.kind != "nearest"}
    assert 0.3 < len(kept & premises) / len(premises) < 0.8  # some texts come back unchanged, or without a number
    labels: dict[str, set[str]] = {}
    for example in after:
        labels.setdefault(example.premise, set()).add(example.label)
    assert sum(len(labels[premise]) > 1 for premise in kept - premises) > 100


def test_written_pairs_come_first(pairs: list[Path]) -> None:
    """A limit leaves the written pairs in, alone, in windows and with rules; they can be left out."""
    limited = collect(pairs, None, limit=17_000)
    assert {example.source for example in limited.train} == {"written"}
    assert {"given", "same", "negation"} <= {example.kind for example in limited.train}
    assert any(example.source == "written" for example in limited.dev)
    assert not {example.group for example in limited.train} & {example.group for example in limited.dev}
    assert "written" not in {example.source for example in collect(pairs, None, written=False).train}


def test_train_export_measure(
    pairs: list[Path], start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands write a checkpoint, an ONNX file that loads, and a table of figures; int8 agrees with float."""
    files = [str(path) for path in pairs]
    trained, exported = tmp_path / "trained", tmp_path / "exported"
    nli.main(
        ["--pairs", *files, "--start", str(start), "--out", str(trained), "--limit", "64", "--evaluate-every", "2"]
    )
    report = json.loads((trained / "training.json").read_text())
    assert report["steps"] == 2
    assert report["history"][-1]["step"] == 2

    export.main([str(trained), str(exported)])
    kept = json.loads((exported / "tokenizer.json").read_text())["model"]["vocab"]
    assert "[unused0]" not in kept
    assert sorted(kept.values()) == list(range(len(kept)))
    claims = [
        ("The door was painted red.", "It was painted red."),
        ("The door was painted red.", "It was painted blue."),
    ]
    small = NliModel(str(exported), smoke_test=False)
    whole = NliModel(str(trained), backend="torch", smoke_test=False)
    assert np.abs(small.run(claims).probabilities - whole.run(claims).probabilities).max() < 0.02

    alone = tmp_path / "alone"
    alone.symlink_to(exported)
    models = ["--models", str(exported), "--hypothesis-only", str(alone)]
    measure.main([*models, "--pairs", *files, "--most", "20"])
    lines = capsys.readouterr().out.splitlines()
    rows = {name: [line.split("|")[2:] for line in lines if f"{name} |" in line] for name in (alone, exported)}
    assert len(rows[alone]) == len(rows[exported]) >= 4
    assert rows[alone] != rows[exported]
    assert sum(line.startswith("| word overlap |") for line in lines) >= 4
    assert any("no premise" in line for line in lines)


def test_runs_start_with_the_same_head(start: Path, tmp_path: Path) -> None:
    """A head that the start lacks has the same first weights for each seed, so that runs can be averaged."""
    from safetensors.numpy import load_file
    from transformers import AutoModel

    bare = tmp_path / "bare"
    AutoModel.from_pretrained(start).save_pretrained(bare)
    shutil.copy(start / "tokenizer.json", bare)
    examples = [Example(f"It is {c}.", f"It was {c}.", "entailment", "test", "test", c) for c in COLOURS]
    heads = []
    for seed in (0, 1):
        fit(bare, examples, examples, tmp_path / f"{seed}", Settings(learning_rate=0, batch=4, seed=seed))
        heads.append(load_file(tmp_path / f"{seed}" / "model.safetensors")["classifier.weight"])
    assert heads[0].shape == (3, 32)
    assert np.array_equal(heads[0], heads[1])


def test_quality() -> None:
    """Accuracy, and macro-F1 over the labels that occur."""
    examples = [
        Example("p", "h", label, kind, "s", "g")  # type: ignore[arg-type]
        for label, kind in [("entailment", "a"), ("entailment", "b"), ("neutral", "b")]
    ]
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    found = quality(examples, probabilities)
    assert (found.n, found.accuracy) == (3, pytest.approx(2 / 3))
    assert found.macro_f1 == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_overlap_baseline() -> None:
    """Where overlap decides, the baseline finds it."""
    same = [Example("a b c d", "a b c d", "entailment", "k", "s", "g")] * 30
    other = [Example("a b c d", "x y z", "neutral", "k", "s", "g")] * 30
    found = overlap_probabilities(same + other, [same[0], other[0]])
    assert found.argmax(axis=1).tolist() == [0, 1]
