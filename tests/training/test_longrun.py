"""The long training run, with a tiny encoder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from secondpass.models.nli import NliModel  # noqa: E402
from training import export  # noqa: E402
from training.longrun import Settings, Trainer, loss_of, main, train  # noqa: E402
from training.mixing import save  # noqa: E402
from training.pairs import SOURCES, Label, Pair  # noqa: E402

COLOURS = ["red", "green", "blue", "black", "white", "brown", "pink", "grey"]
LABELS: tuple[Label, ...] = ("entailment", "neutral", "contradiction", "not_entailment")


def _pairs() -> list[Pair]:
    pairs = []
    for n in range(240):
        colour, other = COLOURS[n % 8], COLOURS[(n + 3) % 8]
        premise = f"The door of house number {n + 2} in that long street was painted {colour}."
        claims = (
            f"It was painted {colour}.",
            f"Its owner likes {other}.",
            f"It was painted {other}.",
            f"It is {other}.",
        )
        pairs += [Pair(premise, c, label, "written", premise) for c, label in zip(claims, LABELS, strict=True)]
    return pairs


@pytest.fixture(scope="module")
def start(tiny_bert: Callable[..., Path]) -> Path:
    """Return a random checkpoint of two layers."""
    return tiny_bert((f"{pair.premise} {pair.hypothesis}" for pair in _pairs()), num_hidden_layers=2)


@pytest.fixture
def trainer(start: Path, tmp_path: Path) -> Callable[[str], Trainer]:
    """Return a function that makes a trainer with a folder of its own."""
    settings = Settings(batch=16, part_tokens=200, learning_rate=2e-3, warm_up=5, bfloat16=False)
    return lambda name: Trainer(start, _pairs(), tmp_path / name, settings)


def test_loss_of_two_labels() -> None:
    """Where only entailed or not is known, it does not matter which of the other labels is given."""
    pair = Pair("P.", "H.", "not_entailment", "written", "g")
    logits = torch.tensor([[-1.0, 4.0, 0.0], [-1.0, 0.0, 4.0], [4.0, 0.0, -1.0]])

    one, other, wrong = (loss_of(row[None], [pair], Settings()).item() for row in logits)

    assert one == pytest.approx(other)
    assert wrong > one + 2


def test_loss_of_twins() -> None:
    """Twins cost more when the entailed one is not ahead, beyond what each costs by itself."""
    pairs = [Pair("P.", "H.", label, "written", "g") for label in ("entailment", "neutral")]
    logits = torch.zeros(2, 3)
    alone = sum(loss_of(logits[at : at + 1], [pair], Settings()).item() for at, pair in enumerate(pairs))

    assert loss_of(logits, pairs, Settings()).item() == pytest.approx(alone + 0.2 * 2.0)
    assert SOURCES["written"].smoothing > 0


@pytest.mark.slow
def test_resumed(trainer: Callable[[str], Trainer]) -> None:
    """A run that was left in the middle ends in the same weights as one that was not."""
    whole = trainer("whole")
    train(whole, steps=8, seconds=None, save_every=1e9)
    first = trainer("parts")
    train(first, steps=5, seconds=None, save_every=1e9)
    second = trainer("parts")
    second.resume(second.out / "state")
    train(second, steps=3, seconds=None, save_every=1e9)

    assert (second.step, second.position) == (whole.step, whole.position)
    for one, other in zip(whole.parameters, second.parameters, strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(whole.mean, second.mean, strict=True):
        torch.testing.assert_close(one, other)


def test_bfloat16_learns_what_float32_does(start: Path, tmp_path: Path) -> None:
    """A step in bfloat16 has nearly the same loss and gradients, and the weights themselves stay in float32."""
    steps = []
    for bfloat16 in (False, True):
        settings = Settings(batch=16, part_tokens=200, learning_rate=2e-3, bfloat16=bfloat16)
        trainer = Trainer(start, _pairs(), tmp_path / str(bfloat16), settings)
        groups = trainer.groups()
        losses = [trainer.update(groups, 2e-3)[0] for _ in range(3)]
        steps.append((losses, [p.grad.flatten() for p in trainer.parameters if p.grad is not None]))
        assert {p.dtype for p in trainer.parameters} == {torch.float32}
    (losses, exact), (in_bfloat16, rough) = steps
    assert in_bfloat16 == pytest.approx(losses, rel=0.02) and in_bfloat16 != losses
    assert torch.cosine_similarity(torch.cat(exact), torch.cat(rough), dim=0) > 0.95


def test_frozen_layers_stay_as_they_are(trainer: Callable[[str], Trainer], start: Path, tmp_path: Path) -> None:
    """Embeddings and the first layer are not changed; a run without frozen layers can go on with them."""
    free = trainer("free")
    train(free, steps=2, seconds=None, save_every=1e9)
    settings = Settings(batch=16, part_tokens=200, learning_rate=2e-3, warm_up=5, bfloat16=False, frozen=1)
    frozen = Trainer(start, _pairs(), tmp_path / "frozen", settings)
    frozen.resume(free.out / "state")
    before = {name: p.detach().clone() for name, p in frozen.model.named_parameters()}
    train(frozen, steps=2, seconds=None, save_every=1e9)

    changed = {name for name, p in frozen.model.named_parameters() if not torch.equal(p, before[name])}
    assert changed == set(frozen.names)
    assert {".".join(name.split(".")[1:4]) for name in changed if "encoder" in name} == {"encoder.layer.1"}
    assert not any("embeddings" in name for name in changed)


@pytest.mark.slow
def test_trained_decayed_and_exported(start: Path, tmp_path: Path) -> None:
    """The command trains, ends a run with a falling rate in another folder, and leaves what the export reads."""
    save(_pairs(), tmp_path / "pairs.jsonl")
    common = ["--pairs", str(tmp_path / "pairs.jsonl"), "--start", str(start), "--learning-rate", "2e-3"]

    main([*common, "--out", str(tmp_path / "run"), "--steps", "90"])
    main([*common, "--out", str(tmp_path / "end"), "--from", str(tmp_path / "run" / "state"), "--decay", "30"])
    export.export(tmp_path / "end", tmp_path / "onnx")

    assert json.loads((tmp_path / "run" / "state" / "place.json").read_text())["step"] == 90
    model = NliModel(tmp_path / "onnx", smoke_test=False)
    pairs = _pairs()[:200]
    rows = model.run([(pair.premise, pair.hypothesis) for pair in pairs]).probabilities
    true = rows[[pair.label == "entailment" for pair in pairs], 0]
    false = rows[[pair.label != "entailment" for pair in pairs], 0]
    assert (true[:, None] > false[None, :]).mean() > 0.8
