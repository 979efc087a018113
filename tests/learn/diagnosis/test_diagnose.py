"""What is wrong with a training, found by its history and its data."""

from pathlib import Path

import pytest

from secondpass.errors import ConfigError
from secondpass.evaluate.statistics import Difference
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.diagnosis.diagnose import diagnose
from secondpass.learn.training.run import TrainingRun
from secondpass.learn.training.settings import TrainSettings

FALLING = [1.0, 0.9, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.28]
EXAMPLES = [TrainingExample.of(f"how do I do thing {at}", [f"so {at}"], [f"not {at}"]) for at in range(60)]


def training(
    losses: list[float], dev: tuple[float, ...] = (), seen: tuple[float, ...] = (), **changed: object
) -> TrainingRun:
    """Return a training with a history: losses at steps 1, 2, ..., and measures at 0, 10, 20, ..."""
    norm = changed.pop("grad_norm", 1.0)
    history: list[dict[str, float]] = [
        {"step": at + 1, "loss": loss, "grad_norm": norm, "learning_rate": 1e-5}  # type: ignore[dict-item]
        for at, loss in enumerate(losses)
    ]
    for at, value in enumerate(dev):
        history.append({"step": 10 * at, "dev": value, **({"seen": seen[at]} if seen else {})})
    best = max(dev[1:], default=None)
    return TrainingRun(
        folder=Path("run"), task="rerank", loss="lambda", settings=TrainSettings(**changed), measure="nDCG@10",  # type: ignore[arg-type]
        n_examples=60, data="", history=tuple(history), base=dev[0] if dev else None, best=best,
        best_step=None if best is None else 10 * dev.index(best, 1), steps=len(losses), seconds=1.0,
    )  # fmt: skip


def test_a_good_training_has_no_findings() -> None:
    """A loss that falls and a measure that rises and stays are nothing to report."""
    report = diagnose(training(FALLING, dev=(0.5, 0.6, 0.65, 0.65), seen=(0.5, 0.62, 0.68, 0.7)))

    assert report.names == () and report.ok


@pytest.mark.parametrize(
    ("run", "name", "advice"),
    [
        (training([0.7, 0.69, 0.71, 0.7, 0.69, 0.7, 0.71, 0.7, 0.7]), "flat_loss", "probe"),
        (training([0.7] * 9, learning_rate=1e-8), "flat_loss", "the learning rate of 1e-08 moves nothing"),
        (training([0.7] * 9, grad_norm=0.0), "flat_loss", "no gradient reaches the weights"),
        (training([1.0, 0.9, float("nan")]), "diverged", "below 2e-05"),
        (training(FALLING, dev=(0.5, 0.7, 0.64, 0.6), seen=(0.5, 0.8, 0.9, 0.99)), "overfitting", "add examples"),
        (training(FALLING, dev=(0.7, 0.6, 0.5, 0.55)), "worse_than_base", "keep the start"),
        (training(FALLING, dev=(0.7, 0.7, 0.69, 0.7)), "no_better_than_base", "room to improve"),
        (training(FALLING, dev=(0.5, 0.6, 0.7, 0.8)), "not_done", "more than 2 epochs"),
    ],
)
def test_what_the_history_shows(run: TrainingRun, name: str, advice: str) -> None:
    """Each fault is found under its name, with what to do about it."""
    found = {finding.name: finding for finding in diagnose(run)}

    assert name in found
    assert advice in found[name].advice


def test_leaps_of_the_gradient() -> None:
    """One gradient that is a thousand times the others is named."""
    run = training(FALLING)
    run.history[4]["grad_norm"] = 1000.0  # type: ignore[index]

    assert diagnose(run).names == ("exploding_gradients",)


def test_a_planted_leak_and_another_domain() -> None:
    """Dev queries among the training's, and queries with other words, are both found."""
    other = [f"where is my parcel number {at}" for at in range(60)]
    report = diagnose(training(FALLING), EXAMPLES, EXAMPLES[:3], queries=other)
    shift = next(finding for finding in report if finding.name == "domain_shift")

    assert not report.ok and "leak" in report.names
    assert "parcel" in shift.message


def test_worse_on_old_data() -> None:
    """A set on which the model got worse gives its name to the finding."""
    worse = Difference(-0.08, -0.12, -0.04, 0.001, 0.001, 2, 20, 0.95)
    better = Difference(0.05, 0.01, 0.09, 0.01, 0.01, 9, 1, 0.95)
    report = diagnose(training(FALLING), against={"old data": worse, "new data": better})

    assert report.names == ("worse_on_old_data",) and not report.ok
    assert "with_replay" in report[0].advice


def test_something_that_is_no_training() -> None:
    """A path is not what train returned."""
    with pytest.raises(ConfigError, match="diagnose takes what train returned"):
        diagnose("runs/faq")  # type: ignore[arg-type]
