"""Tuning: the best settings, what they are worth on other queries, and that noise is not taken for a gain."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import secondpass as sp
from secondpass.base import Reranker
from secondpass.errors import CompositionError, ConfigError, InputError
from secondpass.evaluate.dataset import Dataset
from secondpass.evaluate.tuning import tune
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scale, Scores
from tests.evaluate.example import example


class Noise(Reranker):
    """Ranks at random, another way for each seed: no seed is better than another one."""

    registry_name = "noise"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.random.default_rng([self.seed, *map(ord, r.query)]).random(len(r))) for r in requests]


class Sure(FakeReranker):
    """Gives probabilities: 0.9 to what has the query's words, 0.1 to all else."""

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.where(s.values > 0.3, 0.9, 0.1)) for s in super()._score(requests)]


def test_a_weight_that_matters_is_found() -> None:
    """The retriever has the relevant document last: the more it counts, the worse."""
    space = {"weight": (0.0, 0.5, 1.0)}
    tuned = tune(lambda weight: sp.BlendedReranker(FakeReranker(), weight=weight), space, example(), n_samples=500)
    assert tuned.settings == {"weight": 1.0} and tuned.default == {"weight": 0.0}
    assert tuned.estimate.value == 1.0 and tuned.gain.verdict == "better" and tuned.optimism == 0.0
    assert [fold.settings for fold in tuned.folds] == [{"weight": 1.0}] * 5
    assert sum(fold.n_queries for fold in tuned.folds) == 14
    assert tuned.advice[0].startswith("Use weight=1.0: nDCG@10 changes by +0.644 (+0.644 to +0.644) on queries that")


def test_noise_is_no_gain() -> None:
    """The best of forty random rankings looks better than it is, and nested cross-validation says by how much."""
    tuned = tune(Noise, {"seed": range(40)}, example(40), measure="RR", n_samples=1000)
    chance = float(np.mean([1 / rank for rank in range(1, 7)]))
    assert tuned.optimism > 0.05 and abs(tuned.estimate.value - chance) < 0.1
    assert tuned.gain.verdict == "undecided"
    assert tuned.advice[0].startswith("Stay with seed=0: nothing is better, as far as 40 queries can tell.")
    assert any(sentence.startswith("The folds do not agree:") for sentence in tuned.advice)
    best = max(each.mean.value for each in tuned.tried)
    assert tuned.optimism == pytest.approx(best - tuned.estimate.value)


def test_the_held_out_figure_is_made_without_the_folds_queries() -> None:
    """By hand: the mean over folds of what is best on the others, weighted by their queries."""
    tuned = tune(Noise, {"seed": range(8)}, example(12), measure="RR", folds=3, n_samples=200)
    assert tuned.estimate.value == pytest.approx(sum(fold.outside * fold.n_queries for fold in tuned.folds) / 12)
    assert all(fold.inside >= fold.outside - 1 for fold in tuned.folds) and len(tuned.folds) == 3


def test_depth_and_sizes_of_a_cascade_are_tuned_together() -> None:
    """Six candidates have to be reranked, and the first stage must keep the relevant one; equal ones: any that is."""
    seen = []

    def build(keep: int) -> Reranker:
        seen.append(keep)
        return sp.CascadeReranker([FakeReranker(), FakeReranker()], keep=[keep])

    tuned = tune(build, {"depth": (3, 6), "keep": (1, 3)}, example(), n_samples=200)
    assert tuned.settings["depth"] == 6 and seen == [1, 3, 1, 3]
    means = {tuple(each.settings.values()): each.mean.value for each in tuned.tried}
    assert means[6, 1] == 1.0 and means[3, 1] < 0.5


def test_a_threshold_is_tuned_by_a_measure_of_sets() -> None:
    """What is kept is one document of six; without a threshold F1 is low."""
    tuned = tune(Sure, {"threshold": (None, 0.5)}, example(), measure="SetF", n_samples=200)
    assert tuned.settings == {"threshold": 0.5} and tuned.estimate.value == 1.0
    assert tuned.tried[0].mean.value == pytest.approx(2 * (1 / 6) / (1 + 1 / 6))


def test_a_threshold_for_what_only_orders_is_refused() -> None:
    """And one for what calibrated probabilities are can be used."""
    with pytest.raises(CompositionError, match="ordinal scores, which can't be compared with a threshold"):
        tune(lambda: FakeReranker(scale=Scale.ORDINAL), {"threshold": (0.5,)}, example(), measure="SetF")


def test_what_is_too_slow_is_not_chosen() -> None:
    """Though it is better; and if everything is, that is an error with the fastest time."""
    with pytest.raises(InputError, match=r"nothing is below 1e-09 ms: the fastest combination takes .* ms \(p50\)"):
        tune(FakeReranker, {"depth": (3, 6)}, example(), latency_ms=1e-9, n_samples=200)
    tuned = tune(FakeReranker, {"depth": (3, 6)}, example(), latency_ms=1e6, n_samples=200)
    assert all(each.in_time for each in tuned.tried)


def test_a_cache_makes_it_one_scoring() -> None:
    """As the documentation has it: each pair is scored once, whatever the number of weights."""
    cached = sp.CachedReranker(FakeReranker(), cache="memory")
    tune(lambda weight: sp.PriorReranker(cached, weight=weight), {"weight": (0, 1, 2)}, example(), n_samples=200)
    assert (cached.stats().misses, cached.stats().hits) == (84, 168)


def test_it_is_shown_and_is_plain_data() -> None:
    """The best combinations with a star at the chosen one."""
    tuned = tune(Noise, {"seed": range(20)}, example(), n_samples=200)
    lines = repr(tuned).splitlines()
    assert lines[0].startswith("Tuned: 20 combinations, 14 queries, 5 folds; nDCG@10 0.")
    assert sum(line.startswith("* seed=") for line in lines) == 1 and sum("  seed=" in line for line in lines) == 9
    assert json.loads(json.dumps(tuned.to_dict()))["optimism"] == tuned.optimism
    assert tuned._repr_html_().count("<tr>") == 11


@pytest.mark.parametrize(
    ("build", "space", "settings", "error", "message"),
    [
        (Noise, {}, {}, ConfigError, "space must be a mapping of settings to the values to try"),
        (Noise, {"seed": 3}, {}, ConfigError, "the values of 'seed' must be a list of at least one, not 3"),
        (Noise, {"seed": ()}, {}, ConfigError, "the values of 'seed' must be a list of at least one"),
        (Noise, {"speed": (1,)}, {}, ConfigError, "build must be a function that takes speed and returns a Reranker"),
        (dict, {"seed": (1,)}, {}, ConfigError, "what build returns must be a Reranker|build must be a function"),
        (lambda seed: seed, {"seed": (1,)}, {}, ConfigError, "what build returns must be a Reranker, not 1"),
        (Noise, {"seed": range(2000)}, {}, ConfigError, "2000 combinations are too many"),
        (Noise, {"seed": (1, 2)}, {"default": {"seed": 3}}, ConfigError, "default must be one of the values of each"),
        (Noise, {"seed": (1, 2)}, {"folds": 1}, ConfigError, "folds must be a whole number of at least 2"),
        (
            Noise,
            {"seed": (1, 2)},
            {"folds": 15},
            InputError,
            "15 folds need at least as many queries, and there",
        ),
        (Noise, {"depth": (0,)}, {}, ConfigError, "each of 'depth' must be a whole number of at least 1"),
        (Noise, {"threshold": ("x",)}, {}, ConfigError, "each of 'threshold' must be"),
        (Noise, {"seed": (1,)}, {"measure": "nope"}, ConfigError, "not all measures of ir-measures"),
    ],
)
def test_what_can_not_be_tuned_is_said(
    build: Any, space: Any, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    """An error of ours, with what to do."""
    with pytest.raises(error, match=message):
        tune(build, space, example(), **settings)


def test_candidates_are_needed() -> None:
    """And a dataset."""
    with pytest.raises(CompositionError, match="tuning reranks candidates, and the dataset has none"):
        tune(Noise, {"seed": (1,)}, example(candidates=False))
    with pytest.raises(ConfigError, match="must be a Dataset"):
        tune(Noise, {"seed": (1,)}, "scifact")  # type: ignore[arg-type]
    assert isinstance(example(), Dataset)
