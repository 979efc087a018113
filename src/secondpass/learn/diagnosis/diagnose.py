"""All that can be said about a training: its history, its data, and what it does to other sets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from secondpass.counts import counted
from secondpass.errors import ConfigError
from secondpass.evaluate.statistics import Difference
from secondpass.learn.data.checks import CHECKS as DATA_CHECKS
from secondpass.learn.data.example import TrainingExample
from secondpass.learn.data.findings import DataReport, Finding
from secondpass.learn.data.leakage import find_leaks
from secondpass.learn.diagnosis.history import CHECKS as HISTORY_CHECKS
from secondpass.learn.diagnosis.shift import text_shift
from secondpass.learn.training.run import TrainingRun
from secondpass.validation import shown

__all__ = ["diagnose"]


def diagnose(
    run: TrainingRun,
    examples: Sequence[Any] = (),
    dev: Sequence[Any] = (),
    *,
    queries: Iterable[str] = (),
    against: Mapping[str, Difference] | None = None,
    tolerance: float = 0.01,
) -> DataReport:
    """Say what is wrong with a training, each by its name and with what to do.

    From the history: ``flat_loss``, ``diverged``, ``exploding_gradients``, ``overfitting``, ``worse_than_base``,
    ``no_better_than_base`` and ``not_done``. From the data: what `secondpass.learn.check_data` finds (imbalance among
    it), ``leak`` and ``domain_shift``. From other sets: ``worse_on_NAME``.

    Args:
        run: the training.
        examples: what it was trained on, to look at.
        dev: what it was measured on.
        queries: those that it is for, such as last week's, to see whether the training's are like them.
        against: by name, how far the trained model lies above the one before on other sets, such as ``old data``.
        tolerance: how much may be lost on these.

    Raises:
        ConfigError: ``run`` is not a training.
    """
    if not isinstance(run, TrainingRun):
        raise ConfigError(f"diagnose takes what train returned, not {shown(run)}")
    found = [finding for check in HISTORY_CHECKS for finding in check(run)]
    found += _of_data(examples, dev)
    found += _of_queries(examples, list(queries))
    found += _of_sets(against or {}, tolerance)
    return DataReport.of(found, len(examples))


def _of_data(examples: Sequence[Any], dev: Sequence[Any]) -> Iterator[Finding]:
    if not examples:
        return
    for check in DATA_CHECKS:
        yield from check(examples)
    leak = find_leaks(examples, dev).finding if dev else None
    if leak:
        yield leak


def _of_queries(examples: Sequence[Any], queries: list[str]) -> Iterator[Finding]:
    if not examples or not queries:
        return
    trained = [example.query if isinstance(example, TrainingExample) else example.texts[0] for example in examples]
    shift = text_shift(trained, queries)
    if shift.shifted:
        yield Finding(
            "domain_shift",
            f"the queries have other words than those of training: their divergence is {shift.divergence:.2f}, where "
            f"chance makes {shift.by_chance:.2f}; new are {', '.join(shift.new_words[:5])}",
            "add examples of these queries; retrain_or_update says whether that is enough",
        )


def _of_sets(against: Mapping[str, Difference], tolerance: float) -> Iterator[Finding]:
    for name, difference in against.items():
        if difference.verdict == "worse" or difference.value < -tolerance:
            yield Finding(
                f"worse_on_{name.replace(' ', '_')}",
                f"on {name} it is {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}] against the "
                f"model before, worse on {counted(difference.worse, 'query')} and better on {difference.better}",
                "mix more of the old examples among the new ones (with_replay), or take a lower rate and fewer epochs",
                severe=difference.verdict == "worse",
            )
