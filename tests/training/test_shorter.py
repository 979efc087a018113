"""The verifier's model with fewer layers, beside a tiny teacher."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import secondpass as sp  # noqa: E402
from secondpass.models.nli import LABELS, NliModel  # noqa: E402
from training.longrun import Settings  # noqa: E402
from training.mixing import save  # noqa: E402
from training.pairs import Pair  # noqa: E402
from training.shorter import ShorterTrainer, main  # noqa: E402

THINGS = ["red door", "green roof", "blue gate", "black fence", "white wall", "brown shed", "pink bench", "grey path"]


def _pairs() -> list[Pair]:
    return [
        Pair(f"House {n} has a {one}, and nothing else.", f"It has a {other}.", label, "written", f"House {n}")
        for n, one in enumerate(THINGS)
        for other, label in ((one, "entailment"), (THINGS[n - 1], "contradiction"))
    ]  # type: ignore[misc]


@pytest.fixture(scope="module")
def teacher(tiny_bert: Callable[..., Path]) -> Path:
    """Return a random teacher of four layers with the labels of an NLI model."""
    texts = (f"{pair.premise} {pair.hypothesis}" for pair in _pairs())
    labels = {
        "num_labels": 3,
        "id2label": dict(enumerate(LABELS)),
        "label2id": {name: at for at, name in enumerate(LABELS)},
    }
    return tiny_bert(texts, head=30, num_hidden_layers=4, initializer_range=0.1, **labels)


@pytest.fixture
def trainer(teacher: Path, tmp_path: Path) -> ShorterTrainer:
    """Return a student of two of the teacher's layers."""
    start = sp.learn.fewer_layers(teacher, tmp_path / "start", (0, 2))
    settings = Settings(batch=16, part_tokens=400, bfloat16=False, max_length=64)
    return ShorterTrainer(teacher, (0, 2), start, _pairs(), tmp_path / "run", settings)


def _distance(trainer: ShorterTrainer) -> float:
    """Return how far the student's log odds between labels are from its teacher's, as the mean of squares."""
    pairs = _pairs()
    apart = []
    for pair in pairs:
        encoded = trainer.tokenizer.encode(pair.premise, pair.hypothesis)
        inputs = {
            "input_ids": torch.tensor([encoded.ids]),
            "token_type_ids": torch.tensor([encoded.type_ids]),
            "attention_mask": torch.tensor([encoded.attention_mask]),
        }
        with torch.no_grad():
            found = trainer.model(**inputs).logits - trainer.teacher(**inputs).logits
        apart.append(float((found - found.mean()).pow(2).mean()))
    return float(np.mean(apart))


def test_loss(trainer: ShorterTrainer) -> None:
    """The loss of a part is the sum over its pairs, so padding changes nothing of what the teacher says."""
    pairs = [
        Pair("The door is red.", "It is red.", "entailment", "written", "a"),
        Pair("House 2 has a green roof, and nothing else at all.", "It has a white wall.", "neutral", "written", "b"),
    ]
    encoded = trainer.tokenizer.encode_batch([(pair.premise, pair.hypothesis) for pair in pairs])
    together = trainer.gradients(list(zip(pairs, encoded, strict=True)))[0]
    alone = [trainer.gradients([one])[0] for one in zip(pairs, encoded, strict=True)]

    assert together == pytest.approx(sum(alone), rel=1e-4)


def test_learns(trainer: ShorterTrainer) -> None:
    """With some steps the student comes nearer to its teacher."""
    groups, before = trainer.groups(), _distance(trainer)
    for _ in range(40):
        trainer.update(groups, 2e-3)

    assert _distance(trainer) < 0.6 * before


def test_labels_are_not_read(trainer: ShorterTrainer) -> None:
    """A pair with another label has the same loss."""
    encoded = trainer.tokenizer.encode("The door is red.", "It is red.")
    one, other = (
        trainer.gradients([(Pair("The door is red.", "It is red.", label, "written", "a"), encoded)])[0]
        for label in ("entailment", "contradiction")
    )

    assert one == other > 0


def test_a_student_of_all_layers_has_nothing_to_learn(teacher: Path, tmp_path: Path) -> None:
    """The loss is of the distance to the teacher alone, so its own copy has none."""
    settings = Settings(batch=16, part_tokens=400, bfloat16=False, max_length=64)
    trainer = ShorterTrainer(teacher, range(4), teacher, _pairs(), tmp_path / "run", settings)
    pair = _pairs()[0]
    encoded = trainer.tokenizer.encode(pair.premise, pair.hypothesis)

    assert trainer.gradients([(pair, encoded)])[0] == pytest.approx(0.0, abs=1e-6)


def test_command(teacher: Path, tmp_path: Path) -> None:
    """The command begins with the layers that are named, and what it ends with is an NLI model."""
    save(_pairs(), tmp_path / "pairs.jsonl")
    common = ["--teacher", str(teacher), "--pairs", str(tmp_path / "pairs.jsonl"), "--start", str(tmp_path / "start")]
    common += ["--layers", "1", "3"]

    main([*common, "--out", str(tmp_path / "run"), "--steps", "2"])
    main([*common, "--out", str(tmp_path / "end"), "--from", str(tmp_path / "run" / "state"), "--decay", "2"])

    assert json.loads((tmp_path / "run" / "state" / "place.json").read_text())["step"] == 2
    assert not (tmp_path / "start-teacher").exists()  # the teacher is a checkpoint already
    assert json.loads((tmp_path / "end" / "config.json").read_text())["num_hidden_layers"] == 2
    assert len(NliModel(str(tmp_path / "end"), smoke_test=False).run([("A door.", "A red door.")])) == 1
