"""Random compositions of rerankers: the valid ones keep what all promise, the invalid ones say why they don't fit."""

from contextlib import ExitStack
from typing import Any

import numpy as np
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import secondpass as sp
from secondpass.errors import CompositionError

Config = dict[str, Any]

_QUERY = "copy a file to a folder"
_DOCUMENTS = [
    "copy a file",
    "a folder holds files",
    "",
    "copy a file",
    "to be or not to be. that is a question about a file and a folder. " * 4,
    "Unrelated words only.",
]
_INITIAL = [0.9, 0.1, 0.0, 0.9, 0.4, 0.2]


def _leaf() -> st.SearchStrategy[Config]:
    return st.fixed_dictionaries(
        {
            "type": st.just("fake"),
            "scale": st.sampled_from(["logit", "probability", "ordinal"]),
            "pointwise": st.booleans(),
        }
    )


def _wrap(inner: st.SearchStrategy[Config]) -> st.SearchStrategy[Config]:
    """Return configurations of every wrapper, around whatever comes, fitting or not."""
    several = st.lists(inner, min_size=1, max_size=3)
    calibrator = st.sampled_from(
        [{"type": "platt", "slope": 1.5, "intercept": -0.5}, {"type": "temperature", "temperature": 2.0}]
    )
    return st.one_of(
        _of(
            "passage",
            wrapped=inner,
            max_tokens=st.just(6),
            overlap=st.just(2),
            pool=st.sampled_from(["max", "first", "mean", "top_mean", "decayed_sum"]),
        ),
        _of("calibrated", wrapped=inner, calibrator=calibrator),
        _of("ensemble", members=several, method=st.sampled_from(["mean", "zscore", "minmax", "rrf", "convex"])),
        _of("prior", wrapped=inner, weight=st.sampled_from([0.0, 2.0])),
        _of("blended", wrapped=inner, weight=st.sampled_from([0.0, 0.3, 1.0])),
        _of("cached", wrapped=inner, cache=st.just({"type": "memory"})),
        _of("coalescing", wrapped=inner, max_wait_ms=st.just(0.0)),
        _of("monitored", wrapped=inner, sinks=st.just(["window"])),
        _of(
            "ab-test",
            arms=st.fixed_dictionaries({"a": inner, "b": inner}),
            mode=st.sampled_from(["split", "interleave"]),
        ),
        _of("diverse", wrapped=inner, depth=st.sampled_from([2, 50])),
        _of("recent", wrapped=inner),
        _of("boosted", wrapped=inner, boosts=st.just({"source": {"a": 0.2}})),
        _of("budget", wrapped=inner, max_tokens=st.sampled_from([3, 1000])),
        _of("lost-in-the-middle", wrapped=inner),
        _of("fallback", wrapped=several),
        _of("fallback", wrapped=inner, judge=inner, band=st.just([0.2, 0.8])),
        several.flatmap(lambda stages: _of("cascade", stages=st.just(stages), keep=st.just([3] * (len(stages) - 1)))),
        st.tuples(inner, inner).map(
            lambda pair: {"type": "routed", "routes": {"40": pair[0], "inf": pair[1]}, "route": "length"}
        ),
    )


def _of(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Config]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


_COMPOSITIONS = st.recursive(_leaf(), _wrap, max_leaves=6)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(_COMPOSITIONS)
def test_a_composition_works_or_says_why_not(config: Config) -> None:
    """Valid: every document once, in the range of the scale, equal for the same input, and again from its YAML."""
    with ExitStack() as open_rerankers:
        reranker = _built_or_refusal(config, open_rerankers)
        if isinstance(reranker, CompositionError):
            # Outer and inner class are named, with the trait between them.
            assert sum(str(reranker).count(name) for name in _NAMES) >= 2, str(reranker)
            assert any(word in str(reranker) for word in _TRAITS), str(reranker)
            return
        first = reranker.rerank(_QUERY, _DOCUMENTS, initial_scores=_INITIAL)
        assert sorted(document.index for document in first) == list(range(len(_DOCUMENTS)))
        scores = [document.score for document in first]
        assert np.isfinite(scores).all() and scores == sorted(scores, reverse=True)
        if reranker.scale is sp.Scale.PROBABILITY:
            assert min(scores) >= 0 and max(scores) <= 1
        again = reranker.rerank(_QUERY, _DOCUMENTS, initial_scores=_INITIAL)
        written = yaml.safe_dump(reranker.to_config())
        restored = _built(yaml.safe_load(written), open_rerankers)
        assert restored.fingerprint == reranker.fingerprint and restored.scale is reranker.scale
        for other in (again, restored.rerank(_QUERY, _DOCUMENTS, initial_scores=_INITIAL)):
            assert [(d.index, d.score) for d in other] == [(d.index, d.score) for d in first]


def _built_or_refusal(config: Config, stack: ExitStack) -> sp.Reranker | CompositionError:
    try:
        return _built(config, stack)
    except CompositionError as exc:
        return exc


def _built(config: Config, stack: ExitStack) -> sp.Reranker:
    reranker = sp.from_config(config)
    _close_later(reranker, stack)
    return reranker


def _close_later(reranker: object, stack: ExitStack) -> None:
    """Let threads end with the example: coalescing rerankers own one each, however deep they stand."""
    if isinstance(reranker, sp.CoalescingReranker):
        stack.callback(reranker.close)
    for value in vars(reranker).values() if isinstance(reranker, sp.Reranker) else ():
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        ):
            _close_later(inner, stack)


_TRAITS = ("scale", "logit", "probability", "ordinal", "depend")
_NAMES = {
    *("FakeReranker", "PassageReranker", "CalibratedReranker", "EnsembleReranker", "BlendedReranker", "CachedReranker"),
    *("ABTestReranker", "MonitoredReranker", "DiverseReranker", "RecentReranker", "BoostedReranker", "BudgetReranker"),
    *(
        "LostInTheMiddleReranker",
        "CoalescingReranker",
        "FallbackReranker",
        "CascadeReranker",
        "RoutedReranker",
        "PriorReranker",
    ),
}
