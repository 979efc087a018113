"""What the history of a training shows: one function for each thing that may be wrong."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from secondpass.counts import counted
from secondpass.learn.data.findings import Finding
from secondpass.learn.training.run import TrainingRun

__all__ = ["CHECKS"]

_FALL = 0.03  # share of the first losses by which the last ones have to lie below them
_SMALL_STEP = 1e-6  # learning rates below move nothing within a few thousand steps
_NO_GRADIENT = 1e-7
_LEAP = 50.0  # times the median that a gradient's norm is when it explodes
_LOST = 0.01  # of the dev measure, after its best
_APART = 0.15  # by which training examples are ranked better than dev examples, more than before
_NOTHING = 0.002  # a difference of the dev measure that is none


def _diverged(run: TrainingRun) -> Iterator[Finding]:
    steps = [int(entry["step"]) for entry in run.history if not math.isfinite(entry.get("loss", 0.0))]
    if steps:
        yield Finding(
            "diverged",
            f"from step {steps[0]} of {run.steps} on the loss is no number",
            f"take a learning rate well below {run.settings.learning_rate:g}, a longer warm-up, or float32 rather than "
            f"float16",
            severe=True,
        )


def _flat_loss(run: TrainingRun) -> Iterator[Finding]:
    losses = [loss for loss in _values(run, "loss") if math.isfinite(loss)]
    if len(losses) < 6:
        return
    first, last, noise = _ends(losses)
    if first - last > max(_FALL * abs(first), noise):
        return
    gradients = _values(run, "grad_norm")
    rate = run.settings.learning_rate
    if gradients and max(gradients) < _NO_GRADIENT:
        advice = "no gradient reaches the weights: set frozen_layers lower, or take another loss"
    elif rate < _SMALL_STEP:
        advice = f"the learning rate of {rate:g} moves nothing: try 2e-5; probe() measures several"
    else:
        advice = (
            f"see with probe() whether {run.loss!r} can learn a few examples by heart: if so, try other learning rates "
            f"than {rate:g} and more epochs; if not, the labels contradict each other, or the loss does not fit them"
        )
    grown = f", with gradients of norm {np.median(gradients):.2g}" if gradients else ""
    yield Finding(
        "flat_loss",
        f"the loss does not fall: {first:.3f} at first, {last:.3f} at last, over {counted(run.steps, 'step')}{grown}",
        advice,
        severe=True,
    )


def _exploding(run: TrainingRun) -> Iterator[Finding]:
    gradients = [norm for norm in _values(run, "grad_norm") if math.isfinite(norm)]
    if len(gradients) < 6:
        return
    median, highest = float(np.median(gradients)), max(gradients)
    if median > 0 and highest > _LEAP * median:
        yield Finding(
            "exploding_gradients",
            f"the gradient's norm leaps to {highest:.3g}, where it is {median:.3g} as a rule",
            f"look for texts or labels that are damaged, and take a longer warm-up or a rate below "
            f"{run.settings.learning_rate:g}",
        )


def _overfitting(run: TrainingRun) -> Iterator[Finding]:
    measured = [entry for entry in run.history if "dev" in entry]
    if len(measured) < 3 or run.best is None:
        return
    last = measured[-1]
    fallen = run.best - last["dev"]
    gaps = [entry["seen"] - entry["dev"] for entry in measured if "seen" in entry]
    widened = gaps[-1] - gaps[0] if len(gaps) == len(measured) else 0.0
    forgets = fallen >= _LOST and (not gaps or widened >= _LOST)
    remembers = widened > _APART and last["dev"] < measured[0]["dev"] + _NOTHING
    if not forgets and not remembers:
        return
    seen = f", while on its own examples it rose from {measured[0]['seen']:.3f} to {last['seen']:.3f}" if gaps else ""
    yield Finding(
        "overfitting",
        f"{run.measure} on the dev set was {run.best:.3f} at step {run.best_step}, and is {last['dev']:.3f} at step "
        f"{int(last['step'])}{seen}: what came after was learned by heart",
        "the weights of the best step are kept; to get further, add examples, train fewer epochs at a lower rate, or "
        "set frozen_layers and dropout",
    )


def _against_base(run: TrainingRun) -> Iterator[Finding]:
    if run.base is None or run.best is None:
        return
    if run.best < run.base - _NOTHING:
        yield Finding(
            "worse_than_base",
            f"at its best, {run.measure} on the dev set is {run.best:.3f}, and that of the start was {run.base:.3f}",
            f"keep the start; a rate below {run.settings.learning_rate:g}, layer_decay, harder and cleaner negatives "
            f"(false ones among them teach the wrong thing) or more examples may help",
            severe=True,
        )
    elif run.best < run.base + _NOTHING:
        yield Finding(
            "no_better_than_base",
            f"{run.measure} on the dev set is {run.best:.3f}, as that of the start ({run.base:.3f})",
            "look whether the dev set has room to improve, and whether the negatives are hard enough to learn from",
        )


def _not_done(run: TrainingRun) -> Iterator[Finding]:
    measured = [entry["dev"] for entry in run.history if "dev" in entry]
    if len(measured) >= 4 and measured[-1] == max(measured) and measured[-1] - measured[-2] > _LOST:
        yield Finding(
            "not_done",
            f"{run.measure} on the dev set still rose at the end, from {measured[-2]:.3f} to {measured[-1]:.3f}",
            f"train more than {run.settings.epochs} epochs",
        )


CHECKS: tuple[Callable[[TrainingRun], Iterator[Finding]], ...] = (
    _diverged,
    _flat_loss,
    _exploding,
    _overfitting,
    _against_base,
    _not_done,
)


def _values(run: TrainingRun, name: str) -> list[float]:
    return [float(entry[name]) for entry in run.history if name in entry]


def _ends(losses: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of the first and of the last third, and how far these may differ by chance."""
    third = max(2, len(losses) // 3)
    first, last = np.array(losses[:third]), np.array(losses[-third:])
    noise = math.sqrt((first.var(ddof=1) + last.var(ddof=1)) / third)
    return float(first.mean()), float(last.mean()), noise
