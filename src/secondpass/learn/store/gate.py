"""A gate for new versions: better where it was to get better, and not worse anywhere else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from secondpass.errors import ConfigError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.statistics import Difference
from secondpass.validation import NOT_NEGATIVE, OPEN_SHARE, Flag, Text, Whole, check, shown

__all__ = ["Gate", "GateDecision", "decide"]


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether a version may take another one's place, and why.

    Attributes:
        passed: whether it may.
        candidate: the version that is to be promoted.
        incumbent: the version, or the model, that it was compared with.
        dev: how far the candidate lies above the incumbent on the dev queries.
        guards: the same of each guard set, by name.
        reasons: what was found, in sentences, those that stand in the way first.
    """

    passed: bool
    candidate: str
    incumbent: str
    dev: Difference
    guards: Mapping[str, Difference]
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return {**asdict(self), "reasons": list(self.reasons)}

    def __str__(self) -> str:
        verdict = "passes" if self.passed else "does not pass"
        return f"{self.candidate} {verdict} against {self.incumbent}: {'; '.join(self.reasons)}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Gate:
    """Lets a version pass that is better than the one before, with significance, and not worse on guard sets.

    Better, on the dev queries, means that both the bootstrap's interval and the paired randomisation test say so.
    Worse, on a guard set, is what is worse by these, or whose mean falls by more than ``tolerance``. A guard set with
    few queries can't show a small loss; ``strict`` asks for the proof that there is none: even the interval's lower end
    must not fall by more.

    Each try costs: with a confidence of .95, one of forty versions that are not better passes. Choose by other queries
    than those of the gate, and take new ones from time to time.

    Args:
        dev: the queries on which a version has to be better, with candidates, where rerankers are compared.
        guards: by name, datasets on which it must not get worse, such as the old test set, or another language.
        measure: in the words of ir-measures.
        confidence: of the verdicts, in (0, 1).
        tolerance: how much of the measure may be lost on a guard set, at least 0.
        strict: whether a guard set has to show that no more is lost.
        depth: how many candidates are ranked.
        n_samples: of the bootstrap and of the randomisation test.
        seed: of both.

    Raises:
        ConfigError: a setting is out of range, or something is not a dataset.
    """

    dev: Dataset
    guards: Mapping[str, Dataset] = field(default_factory=dict)
    measure: str = "nDCG@10"
    confidence: float = 0.95
    tolerance: float = 0.01
    strict: bool = False
    depth: int = 100
    n_samples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.guards, Mapping):
            raise ConfigError(f"Gate: guards must be a mapping of names to datasets, not {shown(self.guards)}")
        for name, dataset in {"dev": self.dev, **self.guards}.items():
            if not isinstance(dataset, Dataset):
                raise ConfigError(f"Gate: {name} must be a Dataset, as Dataset.of and read_beir return it")
        check(self, measure=Text(), confidence=OPEN_SHARE, tolerance=NOT_NEGATIVE, strict=Flag())
        check(self, depth=Whole(at_least=1), n_samples=Whole(at_least=100), seed=Whole(at_least=0))

    def decide(self, systems: Mapping[str, Any], *, candidate: str, incumbent: str) -> GateDecision:
        """Measure two systems on all sets.

        Args:
            systems: a `Reranker`, or what else `secondpass.evaluate.compare` takes, for each of the two names.
            candidate: the name of the new one.
            incumbent: the name of the one before.

        Raises:
            ConfigError: a name is missing, or a measure unknown.
            CompositionError: a dataset has no candidates for rerankers.
        """
        if missing := [name for name in (candidate, incumbent) if name not in systems]:
            raise ConfigError(f"systems has no {missing[0]!r}, only: {', '.join(systems)}")
        pair = {incumbent: systems[incumbent], candidate: systems[candidate]}
        differences = {name: self._difference(pair, dataset) for name, dataset in {"": self.dev, **self.guards}.items()}
        dev = differences.pop("")
        return decide(candidate, incumbent, dev=dev, guards=differences, tolerance=self.tolerance, strict=self.strict)

    def _difference(self, pair: Mapping[str, Any], dataset: Dataset) -> Difference:
        result = compare(
            pair,
            dataset,
            measures=(self.measure,),
            depth=self.depth,
            confidence=self.confidence,
            n_samples=self.n_samples,
            seed=self.seed,
        )
        return result[list(pair)[1]].differences[self.measure]

    def __repr__(self) -> str:
        return f"Gate({self.measure} on {self.dev!r}, {len(self.guards)} guard sets)"


def decide(
    candidate: str,
    incumbent: str,
    *,
    dev: Difference,
    guards: Mapping[str, Difference] | None = None,
    tolerance: float = 0.01,
    strict: bool = False,
) -> GateDecision:
    """Decide by differences that were measured before: what `Gate` does with rankings, for any kind of model.

    Args:
        candidate: the name of the new version.
        incumbent: the name of the one before.
        dev: how far the new one lies above the one before, see `secondpass.evaluate.Difference`.
        guards: the same of each guard set, by name.
        tolerance: see `Gate`.
        strict: see `Gate`.

    Raises:
        ConfigError: the tolerance is below 0.
    """
    NOT_NEGATIVE.checked(tolerance, "tolerance")
    against: list[str] = []
    found: list[str] = []
    (found if dev.verdict == "better" else against).append(f"it is {_said(dev)}")
    for name, guard in (guards or {}).items():
        lost = guard.verdict == "worse" or guard.value < -tolerance or (strict and guard.low < -tolerance)
        limit = f" (at most {tolerance:g} may be lost{', which has to be shown' if strict else ''})" if lost else ""
        (against if lost else found).append(f"on {name} it is {_said(guard)}{limit}")
    return GateDecision(not against, candidate, incumbent, dev, dict(guards or {}), tuple(against + found))


def _said(difference: Difference) -> str:
    verdict = {"undecided": "neither better nor worse for sure"}.get(difference.verdict, difference.verdict)
    interval = f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    return f"{verdict}: {interval}, p = {difference.p_adjusted:.3g}"
