"""The student of a reranker, with a tiny teacher."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("bm25s")

import secondpass as sp  # noqa: E402
from training.longrun import Settings  # noqa: E402
from training.student import Asked, StudentTrainer, main, requests_of_kinds  # noqa: E402

THINGS = ["red door", "green roof", "blue gate", "black fence", "white wall", "brown shed", "pink bench", "grey path"]


def _pairs() -> list[Asked]:
    return [
        Asked(f"where is the {one}", f"House number {n + 2} in that street has a {other} at the front.")
        for n, one in enumerate(THINGS)
        for other in THINGS
    ]


@pytest.fixture(scope="module")
def teacher(tiny_bert: Callable[..., Path]) -> Path:
    """Return a random teacher of four layers, whose head makes logits differ."""
    return tiny_bert((" ".join(pair) for pair in _pairs()), head=30, num_hidden_layers=4, initializer_range=0.1)


@pytest.fixture
def trainer(teacher: Path, tmp_path: Path) -> StudentTrainer:
    """Return a student of two layers beside its teacher."""
    start = sp.learn.fewer_layers(teacher, tmp_path / "start", 2, keep="first")
    settings = Settings(batch=16, part_tokens=400, bfloat16=False, max_length=32)
    return StudentTrainer(str(teacher), start, _pairs(), tmp_path / "run", settings)


def test_taught(trainer: StudentTrainer, teacher: Path) -> None:
    """What the teacher gives are the logits of transformers."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(teacher).eval()
    wanted = []
    for encoded in trainer.tokenizer.encode_batch(_pairs()[:3]):
        with torch.no_grad():
            row = model(input_ids=torch.tensor([encoded.ids]), token_type_ids=torch.tensor([encoded.type_ids])).logits
        wanted.append(row.item())

    assert trainer.taught(_pairs()[:3]).tolist() == pytest.approx(wanted, abs=1e-3)


def test_loss(trainer: StudentTrainer) -> None:
    """The loss of a part is the sum over its pairs, so padding says nothing."""
    pairs = [Asked("door", "A door."), Asked("where is the red door", "House number 2 in that street has a red door.")]
    encoded = trainer.tokenizer.encode_batch(pairs)
    together = trainer.gradients(list(zip(pairs, encoded, strict=True)))[0]
    alone = [trainer.gradients([one])[0] for one in zip(pairs, encoded, strict=True)]

    assert together == pytest.approx(sum(alone), rel=1e-4)


def test_requests_of_kinds(tmp_path: Path) -> None:
    """A kind's queries get documents of the kind, and further questions those of all kinds."""
    for kind in ("houses", "ships"):
        rows = [
            {"premise": f"{kind} are described on page {n} of a long book about {kind} that " + "w" * 90 + str(n),
             "hypothesis": f"page {n} of {kind}"}
            for n in range(40)
        ]  # fmt: skip
        (tmp_path / f"{kind}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    kinds = [str(tmp_path / f"{kind}.jsonl") for kind in ("houses", "ships")]
    *of_kinds, (question, documents) = requests_of_kinds(kinds, ["what are houses and ships"], 10, random.Random(0))

    assert question == "what are houses and ships"
    assert {text.split()[0] for text in documents} == {"houses", "ships"}
    assert len(of_kinds) == 20
    assert all(len({text.split()[0] for text in texts}) == 1 for _, texts in of_kinds)


def test_learns(trainer: StudentTrainer) -> None:
    """With some steps the logits come nearer to the teacher's."""
    groups = trainer.groups()
    losses = [trainer.update(groups, 2e-3)[0] for _ in range(40)]

    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:8])


def test_command(teacher: Path, tmp_path: Path) -> None:
    """The command begins with the teacher's first layers, and ends a run with a falling rate in another folder."""
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, _pairs())))
    common = ["--teacher", str(teacher), "--pairs", str(tmp_path / "pairs.jsonl"), "--start", str(tmp_path / "start")]
    common += ["--layers", "2"]

    main([*common, "--out", str(tmp_path / "run"), "--steps", "2"])
    main([*common, "--out", str(tmp_path / "end"), "--from", str(tmp_path / "run" / "state"), "--decay", "2"])

    assert json.loads((tmp_path / "run" / "state" / "place.json").read_text())["step"] == 2
    assert json.loads((tmp_path / "end" / "config.json").read_text())["num_hidden_layers"] == 2
    assert (
        len(sp.CrossEncoderReranker(str(tmp_path / "end"), smoke_test=False).rerank("where", ["a door", "a gate"])) == 2
    )
