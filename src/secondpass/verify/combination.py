"""The combination of a claim's signals into one calibrated probability."""

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from secondpass.calibration.folds import split_by_query
from secondpass.config import digest
from secondpass.errors import ConfigError, InputError
from secondpass.forking import product
from secondpass.logistic import FloatArray, fit_multinomial, fit_temperature, sigmoid
from secondpass.validation import POSITIVE
from secondpass.verify.signals import FEATURES

__all__ = ["CLASSES", "OPERATING_POINTS", "SignalCombination", "nli_probabilities"]

CLASSES = ("supported", "contradicted", "not_enough_info")
"""The order of the columns of the probabilities."""

OPERATING_POINTS = ("strict", "balanced", "lenient")
"""Names of thresholds: few wrong claims pass; three in four of the right ones pass; few right ones are stopped."""

# Which way a signal may move the weight of "supported". Claims that were made to mislead (few shared words in what
# follows, many in what does not) would teach otherwise, and a text would not be supported by itself.
_DIRECTIONS = {name: -1 for name in FEATURES if name.endswith(("_mismatch", "_missing"))}
_DIRECTIONS |= {"first_person": -1, "overlap": 1, "pair_overlap": 1, "contained": 1, "facts_found": 1}
_STEPS = 2  # supported or not, and if not, contradicted or left open
_SUPPORTED, _CONTRADICTED = 0, 1  # of CLASSES
_NEGLIGIBLE = 1e-9  # Newton's method leaves no weight at exactly 0

_SHIPPED = Path(__file__).parent / "data" / "combination.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCombination:
    """Two logistic regressions over the signals of a claim, with a temperature.

    The first tells supported claims from others, and the second, of the others, contradicted ones from those that are
    left open: so what makes a contradiction of a claim that is not supported takes no part in whether it is.

    More shared words never speak against support, and no mismatch speaks for it: a signal whose weight would, counts
    for nothing. The temperature is fitted on the logits of held-out folds, after everything is combined, so that it is
    the final probability that is calibrated.

    Args:
        weights: one number for each signal, for signals of mean 0 and deviation 1; of the log-odds that a claim is
            supported, and of those that it is contradicted where it is not supported.
        intercepts: one for each of these.
        means: of the signals.
        deviations: of the signals, above 0.
        temperature: what the log-odds are divided by, above 0.
        model: the fingerprint of the NLI model whose signals it was fitted on; empty if it was for none.
        thresholds: the lowest probability of a supported claim at each of `OPERATING_POINTS`, in falling order.
        fitted: whether it was fitted; else the weights were set by hand, and the probabilities are not calibrated.
        features: the names of the signals; those of `FEATURES`.

    Raises:
        ConfigError: a number is missing or out of range, or it is for other signals than those of this version.
    """

    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    temperature: float = 1.0
    model: str = ""
    thresholds: tuple[float, ...] = (0.9, 0.5, 0.2)
    fitted: bool = True
    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        for name in ("intercepts", "means", "deviations", "thresholds", "features"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "weights", tuple(tuple(row) for row in self.weights))
        if self.features != FEATURES:
            raise ConfigError(
                f"the combination is for the signals {', '.join(self.features)}, but this version of secondpass has "
                f"{', '.join(FEATURES)}: fit it again"
            )
        shapes = (np.shape(self.weights), np.shape(self.intercepts), np.shape(self.means), np.shape(self.deviations))
        wanted = ((_STEPS, len(FEATURES)), (_STEPS,), (len(FEATURES),), (len(FEATURES),))
        numbers = [*self.intercepts, *self.means, *self.deviations, self.temperature]
        if shapes != wanted or not np.isfinite([*numbers, *np.ravel(self.weights)]).all():
            raise ConfigError(f"a combination needs finite numbers of the shapes {wanted}, not {shapes}")
        falling = all(high >= low for high, low in pairwise((1.0, *self.thresholds)))
        if len(self.thresholds) != len(OPERATING_POINTS) or not falling or not self.thresholds[-1] > 0:
            raise ConfigError(
                f"a combination needs {len(OPERATING_POINTS)} thresholds, for {', '.join(OPERATING_POINTS)}: falling "
                f"probabilities above 0, not {self.thresholds}"
            )
        if min(*self.deviations, self.temperature) <= 0:
            raise ConfigError("the deviations and the temperature of a combination must be above 0")

    @classmethod
    def fit(
        cls,
        features: npt.ArrayLike,
        labels: Sequence[str] | npt.ArrayLike,
        groups: Sequence[Hashable] | npt.ArrayLike,
        *,
        l2: float = 1.0,
        folds: int = 5,
        seed: int = 0,
        model: str = "",
        without: Collection[str] = (),
    ) -> Self:
        """Learn the weights, and then the temperature on folds that were held out.

        Args:
            features: the signals of each claim, shape (n, len(FEATURES)).
            labels: of `CLASSES`, by name, shape (n,); each occurs.
            groups: what is alike and must not be split between folds (a source text), shape (n,).
            l2: the penalty on squared weights, above 0.
            folds: how many, at least 2; as many as there are groups at most.
            seed: of the split.
            model: the fingerprint of the NLI model.
            without: signals that count for nothing, of `FEATURES`.

        Raises:
            InputError: shapes don't fit, a signal is not finite, or a class or a second group is missing.
            ConfigError: a setting is out of range.
        """
        POSITIVE.checked(l2, "l2")
        if unknown := set(without) - set(FEATURES):
            raise ConfigError(f"without names {', '.join(sorted(unknown))}, but the signals are {', '.join(FEATURES)}")
        x = _checked_features(features)
        y = _checked_labels(np.asarray(labels), len(x))
        fold_of = split_by_query(_numbered(list(np.asarray(groups, dtype=object)), len(x)), folds, seed)
        fitted = cls._of(x, y, l2, model, without)
        odds = np.empty(len(x))
        for fold in range(int(fold_of.max()) + 1):
            held_out = fold_of == fold
            if len(np.unique(y[~held_out])) < len(CLASSES):
                raise InputError("without one fold, a class has no claim: give claims of more groups, or fewer folds")
            odds[held_out] = cls._of(x[~held_out], y[~held_out], l2, model, without).log_odds(x[held_out])[:, 0]
        two = np.stack([odds, np.zeros(len(odds))], axis=1)
        return replace(fitted, temperature=fit_temperature(two, (y != _SUPPORTED).astype(np.intp)))

    @classmethod
    def _of(cls, x: FloatArray, y: npt.NDArray[np.intp], l2: float, model: str, without: Collection[str]) -> Self:
        means, deviations = x.mean(axis=0), x.std(axis=0)
        deviations[deviations < 1e-9] = 1.0  # a signal that never changes says nothing
        x = (x - means) / deviations
        ignored = [FEATURES.index(name) for name in without]
        while True:
            x[:, ignored] = 0.0  # the penalty then makes their weights 0
            weights, intercept = _logistic(x, y == _SUPPORTED, l2)
            ignored = [at for at, name in enumerate(FEATURES) if weights[at] * _DIRECTIONS.get(name, 0) < -_NEGLIGIBLE]
            if not ignored:
                break
        others = y != _SUPPORTED
        of_others, intercept_of_others = _logistic(x[others], y[others] == _CONTRADICTED, l2)
        return cls(
            weights=(tuple(weights.tolist()), tuple(of_others.tolist())),
            intercepts=(intercept, intercept_of_others),
            means=tuple(means.tolist()),
            deviations=tuple(deviations.tolist()),
            model=model,
        )

    def log_odds(self, features: npt.ArrayLike) -> FloatArray:
        """Return the log-odds that claims are supported, and those that they are contradicted if they are not.

        Args:
            features: shape (n, len(FEATURES)).

        Returns:
            Shape (n, 2), float64, the temperature applied.
        """
        x = (_checked_features(features) - np.array(self.means)) / np.array(self.deviations)
        return np.asarray((product(x, np.array(self.weights).T) + np.array(self.intercepts)) / self.temperature)

    def probabilities(self, features: npt.ArrayLike) -> FloatArray:
        """Return the probabilities of `CLASSES`, rows summing to 1.

        Args:
            features: shape (n, len(FEATURES)).

        Returns:
            Shape (n, 3), float64.
        """
        supported, contradicted = self.log_odds(features).T
        rest = sigmoid(-supported)
        return np.stack([sigmoid(supported), rest * sigmoid(contradicted), rest * sigmoid(-contradicted)], axis=1)

    def threshold(self, point: str) -> float:
        """Return the lowest probability of a supported claim at one of `OPERATING_POINTS`."""
        return self.thresholds[OPERATING_POINTS.index(point)]

    @property
    def fingerprint(self) -> str:
        """The identity of all of its numbers."""
        return digest(self.to_config())

    def to_config(self) -> dict[str, Any]:
        """Return it as plain data; `from_config` builds it again."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build it from what `to_config` wrote.

        Raises:
            ConfigError: it is something else.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(config, Mapping) or not set(config) <= known:
            raise ConfigError(f"a combination is a mapping of {', '.join(sorted(known))}")
        try:
            return cls(**config)
        except (TypeError, ValueError) as exc:
            raise ConfigError(f"not a combination: {exc}") from exc

    def save(self, path: str | Path) -> None:
        """Write it to a JSON file."""
        Path(path).expanduser().write_text(json.dumps(self.to_config(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Read it from a JSON file; the one that comes with secondpass for None.

        Raises:
            ConfigError: the file is missing, or is not a combination.
        """
        try:
            path = _SHIPPED if path is None else Path(path).expanduser()
            config = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, TypeError, ValueError) as exc:
            raise ConfigError(f"no combination can be read from {path}: {exc}") from exc
        return cls.from_config(config)


def nli_probabilities(features: npt.ArrayLike) -> FloatArray:
    """Return probabilities of `CLASSES` by the entailment model alone: nothing in it is fitted.

    The largest probability of entailment over the windows, single and joined, against the largest one of
    contradiction; the smaller of the two gets at most what the larger leaves.

    Args:
        features: shape (n, len(FEATURES)).

    Returns:
        Shape (n, 3), float64.
    """
    x = _checked_features(features)
    column = {name: x[:, at] for at, name in enumerate(FEATURES)}
    entailed = sigmoid(np.maximum(column["max_entailment"], column["joined_entailment"]))
    denied = sigmoid(np.maximum(column["max_contradiction"], column["joined_contradiction"]))
    supported = np.where(entailed >= denied, entailed, np.minimum(entailed, 1 - denied))
    contradicted = np.minimum(denied, 1 - supported)
    return np.stack([supported, contradicted, np.maximum(1 - supported - contradicted, 0.0)], axis=1)


def _logistic(x: FloatArray, positive: npt.NDArray[np.bool_], l2: float) -> tuple[FloatArray, float]:
    """Return the weights and the intercept of the log-odds of what is positive."""
    weights, intercepts = fit_multinomial(x, (~positive).astype(np.intp), 2, l2)
    return weights[0] - weights[1], float(intercepts[0] - intercepts[1])


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _checked_features(features: npt.ArrayLike) -> FloatArray:
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != len(FEATURES) or not np.isfinite(x).all():
        raise InputError(f"the signals must be finite numbers of shape (n, {len(FEATURES)}), not {x.shape}")
    return x


def _checked_labels(labels: npt.NDArray[Any], n: int) -> npt.NDArray[np.intp]:
    names = [str(label) for label in labels.tolist()] if labels.ndim == 1 else []
    if len(names) != n or set(names) != set(CLASSES):
        raise InputError(f"labels must be {n} of {', '.join(CLASSES)}, and each of them must occur")
    return np.array([CLASSES.index(name) for name in names], dtype=np.intp)


def _numbered(groups: list[Any], n: int) -> npt.NDArray[np.intp]:
    positions: dict[Any, int] = {}
    of = np.array([positions.setdefault(group, len(positions)) for group in groups], dtype=np.intp)
    if len(of) != n or len(positions) < 2:
        raise InputError(f"groups must be {n} values, of at least two different ones")
    return of
