"""Trainings that are begun, stopped and gone on with, on tiny models."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("datasets")

from safetensors.numpy import load_file

from secondpass.errors import ConfigError, InputError, ModelFormatError, ModelNotFoundError, SecondPassWarning
from secondpass.learn.data.example import LabelledPair, TrainingExample
from secondpass.learn.training.run import TrainingRun, train

pytestmark = pytest.mark.slow

FAST = {"learning_rate": 2e-3, "epochs": 3, "batch": 8, "evaluations": 3, "precision": "float32"}
PLAIN = {**FAST, "dropout": 0.0}
Tiny = Callable[..., Path]
Questions = Callable[..., list[TrainingExample]]


def _weights(run: TrainingRun) -> dict[str, np.ndarray]:
    return load_file(run.checkpoint / "model.safetensors")


def _furthest(one: TrainingRun, other: TrainingRun) -> float:
    a, b = _weights(one), _weights(other)
    assert a.keys() == b.keys()
    return max(float(np.abs(a[name] - b[name]).max()) for name in a)


@pytest.fixture(scope="module")
def run(tiny: Tiny, questions: Questions, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A training with dropout and a dev set."""
    folder = tmp_path_factory.mktemp("run")
    return train(tiny(), questions(40), folder, dev=questions(16, seed=1), settings=FAST)


def test_training_learns(run: TrainingRun) -> None:
    """The dev measure rises above that of the random start, the loss falls, and the best weights are kept."""
    losses = [entry["loss"] for entry in run.history if "loss" in entry]

    assert run.best is not None and run.base is not None and run.best > run.base + 0.05
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert run.best == max(entry["dev"] for entry in run.history if "dev" in entry)
    assert run.loss == "binary-cross-entropy" and run.steps == 45
    assert TrainingRun.load(run.folder) == run


def test_nothing_is_pickled_in_the_model(run: TrainingRun) -> None:
    """The folder of the weights has safetensors and JSON, and no file of Python's."""
    assert {path.suffix for path in run.checkpoint.rglob("*") if path.is_file()} == {".safetensors", ".json"}


def test_killed_training_ends_with_the_same_weights(run: TrainingRun, tmp_path: Path) -> None:
    """A process that is killed while it writes a checkpoint goes on, and ends with the weights of one that was not.

    As the other one runs in this process, it is also two trainings with one seed that give equal weights.
    """
    for name in ("run.json", "examples.jsonl", "dev.jsonl"):
        shutil.copy(run.folder / name, tmp_path)
    command = [sys.executable, "-m", "secondpass.learn.training", str(tmp_path), "--quiet"]
    process = subprocess.Popen(command)
    until = time.monotonic() + 200
    # The second one is begun: the first is whole.
    while not (tmp_path / "checkpoints" / "checkpoint-30" / "config.json").exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "result.json").exists()

    subprocess.run(command, check=True)

    resumed = TrainingRun.load(tmp_path)
    assert _furthest(run, resumed) == 0
    assert resumed.history == run.history


def test_two_processes_equal_one(tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """The same batch shared by two processes of torchrun gives the same weights, up to rounding."""
    examples, dev = questions(24), questions(8, seed=1)
    settings = {**PLAIN, "epochs": 1}
    one = train(tiny(), examples, tmp_path / "one", dev=dev, settings=settings)
    two = train(tiny(), examples, tmp_path / "two", dev=dev, settings=settings, processes=2)

    assert _furthest(one, two) < 1e-5
    assert two.steps == one.steps and two.best == pytest.approx(one.best, abs=1e-6)


@pytest.mark.parametrize("loss", ["lambda", "list-net", "multiple-negatives", "margin-mse"])
def test_losses_of_rankings(loss: str, tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """Each loss of a cross-encoder falls, and moves the weights."""
    examples = [
        TrainingExample(each.query, each.documents, each.labels, scores=tuple(3.0 * label for label in each.labels))
        for each in questions(24)
    ]
    done = train(tiny(), examples, tmp_path, settings={**PLAIN, "epochs": 4, "loss": loss})
    losses = [entry["loss"] for entry in done.history if "loss" in entry]

    assert done.loss == loss and done.base is None
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


@pytest.mark.parametrize("loss", ["multiple-negatives", "contrastive", "triplet"])
def test_bi_encoders(loss: str, tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """Each loss of a bi-encoder falls, also of vectors that are cut, and its prefixes are kept with it."""
    from secondpass.models.backends.load import load_embedding_model

    settings = {**PLAIN, "loss": loss, "matryoshka": [32, 16], "query_prefix": "who ", "document_prefix": "and "}
    done = train(tiny(0), questions(40), tmp_path, dev=questions(16, seed=1), task="embed", settings=settings)
    model = load_embedding_model(str(done.checkpoint))

    losses = [entry["loss"] for entry in done.history if "loss" in entry]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) and done.measure == "nDCG@10" and done.base is not None
    assert (model.query_prefix, model.document_prefix) == ("who ", "and ")


def test_entailment(tiny: Tiny, tmp_path: Path) -> None:
    """A new head of three labels is learned, and its outputs have the names of the labels."""
    from secondpass.models.sources.config import read_config

    told = [("not a cat", "contradiction"), ("a cat", "entailment"), ("a dog", "neutral")]
    pairs = [LabelledPair("the cat is red", text, label) for text, label in told] * 16
    done = train(tiny(), pairs, tmp_path, dev=pairs[:3], task="nli", settings={**PLAIN, "epochs": 20, "patience": 0})

    assert (done.best, done.measure) == (1.0, "balanced accuracy")
    assert read_config(done.checkpoint).labels == ("entailment", "neutral", "contradiction")


def test_layers_that_stay_as_they_are(tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """A frozen layer and the embeddings keep their weights, and the layer above moves."""
    done = train(
        tiny(), questions(8), tmp_path, settings={**PLAIN, "epochs": 1, "frozen_layers": 1, "layer_decay": 0.5}
    )
    before, after = load_file(tiny() / "model.safetensors"), _weights(done)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}

    assert not any(".layer.0." in name or "embeddings" in name for name in moved)
    assert any(".layer.1." in name for name in moved) and any("classifier" in name for name in moved)


def test_errors_before_anything_is_trained(run: TrainingRun, tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """What can't be trained is an error that says why, and leaves no training behind."""
    with pytest.raises(InputError, match="there are no examples"):
        train(tiny(), [], tmp_path / "none")
    with pytest.raises(ModelNotFoundError, match="no-such-model"):
        train("no-such-model", questions(4), tmp_path / "none")
    with pytest.raises(ConfigError, match=r"frozen_layers is 2, but the model has 2 layers"):
        train(tiny(), questions(4), tmp_path / "frozen", settings={**PLAIN, "frozen_layers": 2})
    without = shutil.copytree(tiny(), tmp_path / "without")
    (without / "tokenizer.json").unlink()
    (without / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    with pytest.raises(ModelFormatError, match="has no tokenizer"):
        train(without, questions(4), tmp_path / "untold", settings=PLAIN)
    with pytest.raises(ConfigError, match=r"holds another training \(data.*choose another folder"):
        train(tiny(), questions(5), run.folder, dev=questions(16, seed=1), settings=FAST)
    with pytest.raises(ConfigError, match="holds no training that is done"):
        TrainingRun.load(tmp_path / "frozen")
    assert not (tmp_path / "none" / "run.json").exists()


@pytest.mark.parametrize(
    ("examples", "dev", "settings", "error", "message"),
    [
        (
            [TrainingExample.of("q", [], ["a", "b"])],
            [],
            {},
            InputError,
            r"are irrelevant.*: label some of them above 0",
        ),
        (None, [TrainingExample.of("q", [], ["a"])], {}, InputError, "no query of the dev set has a relevant document"),
        (None, None, {"measure": "nDCG@ten"}, ConfigError, "are not all measures of ir-measures"),
        (None, [LabelledPair("a", "b", "maybe")], {"task": "nli"}, InputError, r"dev\[0\] has the label 'maybe'"),
    ],
)
def test_what_cannot_be_learned_or_measured_leaves_no_training(
    examples: Any, dev: Any, settings: Any, error: Any, message: str, tiny: Tiny, questions: Questions, tmp_path: Path
) -> None:
    """It is said first: the same folder takes the data that were mended."""
    is_nli = settings.get("task") == "nli"
    right: Any = [LabelledPair("a", "b", label) for label in ("neutral", "entailment")] if is_nli else questions(4)
    checkpoint = tiny(3 if is_nli else 1)
    with pytest.raises(error, match=message):
        train(checkpoint, examples or right, tmp_path, dev=questions(2) if dev is None else dev, **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"scores": (3e38, 3e38, -3e38)}, {"labels": (1e300, 0.0, 0.0)}])
def test_weights_that_are_no_numbers_are_not_a_training_that_is_done(
    wrong: dict[str, Any], tiny: Tiny, questions: Questions, tmp_path: Path
) -> None:
    """Whether the loss shows it, as with scores that are too large, or not, as with grades that are."""
    examples = [replace(example, **wrong) for example in questions(8)]
    settings = {**PLAIN, "epochs": 1, "loss": "margin-mse" if "scores" in wrong else "lambda"}
    with pytest.raises(InputError, match="came apart: weights are no numbers any more after step"):
        train(tiny(), examples, tmp_path, settings=settings)
    assert not (tmp_path / "model").exists() and not (tmp_path / "result.json").exists()


def test_a_loss_that_is_no_number_is_told(tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """The weights are those from before, as far as they came."""
    examples = [replace(example, scores=(3e38, -3e38, 0.0)) for example in questions(8)]
    with pytest.warns(SecondPassWarning, match="the loss is no number at step 1, where the training ended"):
        run = train(tiny(), examples, tmp_path, settings={**PLAIN, "loss": "margin-mse"})
    assert run.steps == 1 and all(np.isfinite(array).all() for array in _weights(run).values())


def test_lone_surrogates_are_read_as_elsewhere(tiny: Tiny, tmp_path: Path) -> None:
    """As U+FFFD, in what is learned from and in what is measured on."""
    examples = [TrainingExample.of("\ud800 is", ["a \udfff"], ["the"])] * 2
    assert train(tiny(), examples, tmp_path, dev=examples, settings={**PLAIN, "epochs": 1}).steps == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
def test_a_full_disk_is_said_and_gone_on_from(tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """Wherever it happens: while the data, the weights or the optimizer's state are written."""
    import resource

    before, unlimited = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.RLIM_INFINITY
    settings = {**PLAIN, "epochs": 1}
    try:
        for limit in (500, 60_000, 150_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited))
            with pytest.raises(InputError, match=r"can't (be written|read or write a file)"):
                train(tiny(), questions(12), tmp_path / str(limit), dev=questions(4, seed=1), settings=settings)
            resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
            train(tiny(), questions(12), tmp_path / str(limit), dev=questions(4, seed=1), settings=settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
        signal.signal(signal.SIGXFSZ, before)


def test_a_start_that_was_written_before_a_process_was_killed_is_written_again(
    questions: Questions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedded model's, which is made of its ONNX file before there is a run.json."""

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("secondpass.learn.training.run.write_examples", killed)
    with pytest.raises(KeyboardInterrupt):
        train("ms-marco-MiniLM-L12-v2", questions(2), tmp_path)
    assert (tmp_path / "start").is_dir()
    monkeypatch.undo()
    monkeypatch.setattr("secondpass.learn.training.run.go_on", killed)
    with pytest.raises(KeyboardInterrupt):
        train("ms-marco-MiniLM-L12-v2", questions(2), tmp_path)
    assert (tmp_path / "run.json").is_file()


def test_vectors_are_cut_to_no_more_than_they_have(tiny: Tiny, questions: Questions, tmp_path: Path) -> None:
    """The tiny model's have 32 dimensions."""
    with pytest.raises(ConfigError, match="matryoshka has the size 64, but the model's vectors have 32 dimensions"):
        train(tiny(0), questions(8), tmp_path, task="embed", settings={**PLAIN, "matryoshka": (64, 16)})


def test_a_training_that_is_done_is_not_repeated(run: TrainingRun, tiny: Tiny, questions: Questions) -> None:
    """Called again with the same data, it is read from its folder."""
    again = train(tiny(), questions(40), run.folder, dev=questions(16, seed=1), settings=FAST)

    assert again == run
