"""Choose settings by cross-validation over queries: weights, depth, thresholds, sizes of a cascade."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from secondpass.base import Reranker
from secondpass.calibration.folds import split_by_query
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.figures import Latency
from secondpass.evaluate.measuring import latency, texts_by_id
from secondpass.evaluate.metrics import per_query
from secondpass.evaluate.statistics import mean_estimate, paired_difference
from secondpass.evaluate.tuned import Fold, Tried, Tuned
from secondpass.logistic import FloatArray
from secondpass.types import Document, Scale
from secondpass.validation import OPEN_SHARE, THRESHOLD, Number, Whole, checked_k, must_be, shown

__all__ = ["tune"]

_DEPTH, _THRESHOLD = "depth", "threshold"  # settings of ours, that the function which builds a reranker need not take
_MOST = 1000  # combinations
_ROUNDING = 1e-12

Settings = dict[str, Any]


def tune(
    build: Callable[..., Reranker],
    space: Mapping[str, Sequence[Any]],
    dataset: Dataset,
    *,
    default: Mapping[str, Any] | None = None,
    measure: str = "nDCG@10",
    latency_ms: float | None = None,
    k: int | None = None,
    folds: int = 5,
    confidence: float = 0.95,
    n_samples: int = 10_000,
    seed: int = 0,
    progress: bool = False,
) -> Tuned:
    """Try every combination of settings on the candidates of a dataset, and say honestly what the best one is worth.

    The mean of the best of many combinations on the queries that it was chosen by is too good to be true. So the
    figure is made by nested cross-validation over queries: in each outer fold the settings are chosen on the other
    folds' queries alone and measured on this fold's. Nothing but the settings is fitted, so the inner validation needs
    no folds of its own: a combination is as good on the inner queries as its mean there. Of combinations that are
    equally good the fastest is taken.

    ```python
    reranker = sp.CachedReranker(sp.CrossEncoderReranker(), cache="memory")  # each pair is scored once
    tuned = tune(lambda weight: sp.PriorReranker(reranker, weight=weight), {"weight": (0, 1, 2, 3)}, dataset)
    ```

    Args:
        build: from settings, by their names, to a reranker.
        space: name to the values to try. Two names are known here, and only passed on if ``build`` takes them:
            ``depth``, how many candidates are reranked (the others keep their order behind them), and ``threshold``,
            below which documents are left out, for measures of sets such as ``SetF``.
        dataset: with candidates.
        default: the settings to compare with; None for the first value of each.
        measure: what counts, in the words of ir-measures.
        latency_ms: what the median of the queries has to stay below; slower combinations are not chosen. A cache
            makes times too short.
        k: how many documents are wanted; None for all.
        folds: how many, at least 2 and at most as many as there are queries.
        confidence: of the intervals, in (0, 1).
        n_samples: of the bootstrap and of the randomisation test.
        seed: of both, and of the folds.
        progress: show a bar.

    Raises:
        ConfigError: a setting can't be used, or ``build`` does not take those of ``space``.
        CompositionError: the dataset has no candidates, or a threshold is for scores that only order.
        InputError: there are fewer queries than folds, or nothing is in time.
    """
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"the dataset must be a Dataset, as Dataset.of and read_beir return it, not {shown(dataset)}")
    if dataset.candidates is None:
        raise CompositionError("tuning reranks candidates, and the dataset has none: give it a run as candidates")
    limit_s = (Number(above=0, unit="milliseconds") | None).checked(latency_ms, "latency_ms")
    OPEN_SHARE.checked(confidence, "confidence")
    Whole(at_least=100).checked(n_samples, "n_samples")
    Whole(at_least=2).checked(folds, "folds")
    wanted, queries = checked_k(k), dataset.judged
    if len(queries) < folds:
        raise InputError(f"{folds} folds need at least as many queries, and there are {len(queries)}")
    combinations = _combinations(space)
    first = _checked_default(default, space, combinations)
    tried = _tried(build, combinations, dataset, wanted, measure, progress)
    values = np.array([[each[query] for query in queries] for each, _ in tried])
    times = [of for _, of in tried]
    allowed = np.array([limit_s is None or 1000 * of.p50_s <= limit_s for of in times])
    if not allowed.any():
        fastest = min(of.p50_s for of in times)
        raise InputError(
            f"nothing is below {latency_ms} ms: the fastest combination takes {1000 * fastest:.1f} ms (p50)"
        )
    p50_s = np.array([of.p50_s for of in times])
    fold_of = split_by_query(np.arange(len(queries)), folds, seed)
    held_out, rows = np.empty(len(queries)), []
    for fold in range(int(fold_of.max()) + 1):
        test = fold_of == fold
        chosen = _best(values[:, ~test], allowed, p50_s)
        held_out[test] = values[chosen, test]
        means = float(values[chosen, ~test].mean()), float(values[chosen, test].mean())
        rows.append(Fold(combinations[chosen], *means, int(test.sum())))
    best = _best(values, allowed, p50_s)
    settings: dict[str, Any] = {"confidence": confidence, "n_samples": n_samples, "seed": seed}
    return Tuned(
        settings=combinations[best],
        default=combinations[first],
        estimate=mean_estimate(held_out, **settings),
        gain=paired_difference(held_out, values[first], **settings),
        tried=tuple(
            Tried(each, mean_estimate(values[at], **settings), times[at], bool(allowed[at]))
            for at, each in enumerate(combinations)
        ),
        folds=tuple(rows),
        measure=measure,
        n_queries=len(queries),
        confidence=confidence,
    )


def _combinations(space: object) -> list[Settings]:
    takes = "a mapping of settings to the values to try, such as {'weight': (0, 0.5, 1)}"
    if not isinstance(space, Mapping) or not space:
        raise ConfigError(must_be("space", takes, space))
    for name, values in space.items():
        if isinstance(values, str | bytes) or not isinstance(values, Sequence) or not values:
            raise ConfigError(must_be(f"the values of {name!r}", "a list of at least one", values))
    for depth in space.get(_DEPTH, ()):
        Whole(at_least=1).checked(depth, "each of 'depth'")
    for threshold in space.get(_THRESHOLD, ()):
        THRESHOLD.checked(threshold, "each of 'threshold'")
    found = [dict(zip(space, values, strict=True)) for values in product(*space.values())]
    if len(found) > _MOST:
        raise ConfigError(f"{len(found)} combinations are too many: leave values out until there are at most {_MOST}")
    return found


def _checked_default(default: object, space: Mapping[str, Sequence[Any]], combinations: Sequence[Settings]) -> int:
    if default is None:
        return 0
    if not isinstance(default, Mapping) or dict(default) not in combinations:
        takes = f"one of the values of each of {', '.join(space)}, so that it is measured as well"
        raise ConfigError(must_be("default", takes, default))
    return combinations.index(dict(default))


def _tried(
    build: Callable[..., Reranker],
    combinations: Sequence[Settings],
    dataset: Dataset,
    k: int | None,
    measure: str,
    progress: bool,
) -> list[tuple[dict[str, float], Latency]]:
    """Return how good each combination is for each query, and how long it takes."""
    from tqdm import tqdm

    built = [_built(build, each) for each in combinations]
    texts, found = texts_by_id(dataset), []
    for each, reranker in zip(tqdm(combinations, delay=1, leave=False, disable=not progress), built, strict=True):
        if each.get(_THRESHOLD) is not None and reranker.scale is Scale.ORDINAL:
            raise CompositionError(f"{reranker!r} gives ordinal scores, which can't be compared with a threshold")
        run, seconds = {}, []
        for query in dataset.judged:
            candidates = (dataset.candidates or {}).get(query, {})
            run[query], latency_s = _ranked(reranker, each, dataset.queries[query], candidates, texts, k)
            seconds.append(latency_s)
        found.append((per_query(dataset.qrels, run, measure), latency(seconds)))
    return found


def _built(build: Callable[..., Reranker], settings: Settings) -> Reranker:
    try:
        signature = inspect.signature(build)
        takes = signature.parameters
        passed = {name: value for name, value in settings.items() if name in takes or name not in (_DEPTH, _THRESHOLD)}
        signature.bind(**passed)
    except (TypeError, ValueError) as exc:
        names = ", ".join(settings)
        raise ConfigError(f"build must be a function that takes {names} and returns a Reranker: {exc}") from exc
    reranker = build(**passed)
    if not isinstance(reranker, Reranker):
        raise ConfigError(must_be("what build returns", "a Reranker", reranker))
    return reranker


def _ranked(
    reranker: Reranker,
    settings: Settings,
    query: str,
    candidates: Mapping[str, float],
    texts: Mapping[str, Document],
    k: int | None,
) -> tuple[list[str], float]:
    """Return document ids, best first, and the seconds that it took."""
    names, scores = list(candidates), list(candidates.values())
    depth, threshold = settings.get(_DEPTH) or len(names), settings.get(_THRESHOLD)
    documents = [texts[name] for name in names[:depth]]
    ranking = reranker.rerank(query, documents, initial_scores=scores[:depth])
    kept = ranking if threshold is None else ranking.above(threshold)
    ids = [names[document.index] for document in kept]
    rest = [] if threshold is not None else names[depth:]
    return (ids + rest)[:k], ranking.trace.latency_s


def _best(values: FloatArray, allowed: np.ndarray[Any, np.dtype[np.bool_]], p50_s: FloatArray) -> int:
    """Return the combination with the highest mean, of equal ones the fastest."""
    means = np.where(allowed, values.mean(axis=1), -np.inf)
    equal = np.flatnonzero(means >= means.max() - _ROUNDING)
    return int(equal[np.argmin(p50_s[equal])])
