"""The settings of a fact verifier: what is refused, pickled, and written as data."""

import json
import pickle
from dataclasses import replace
from typing import Any

import pytest

from secondpass.base import Reranker
from secondpass.errors import ConfigError
from secondpass.testing import FakeReranker
from secondpass.verify.claims.decompose import LLMDecomposer
from secondpass.verify.combination import SignalCombination
from secondpass.verify.judge import LLMJudge
from secondpass.verify.types import CheckedClaim, Claim, Verdict
from secondpass.verify.verifier import FactVerifier
from tests.verify.towers import ANSWER, PASSAGES, Make, verdicts

S, C, N, X = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_ENOUGH_INFO, Verdict.NOT_CHECKABLE


def test_it_pickles(make: Make) -> None:
    """A pickled verifier gives the same, and has the same fingerprint."""
    verifier = make(retriever=FakeReranker(), policy="drop")
    restored = pickle.loads(pickle.dumps(verifier))
    assert restored.fingerprint == verifier.fingerprint
    assert (
        restored.verify(ANSWER, PASSAGES).to_dict()["claims"] == verifier.verify(ANSWER, PASSAGES).to_dict()["claims"]
    )


def test_a_retriever_may_be_given_by_name(make: Make) -> None:
    """A name, a configuration and an object give the same; its fingerprint is part of the verifier's."""
    prints = {make(retriever=r).fingerprint for r in ("fake", {"type": "fake"}, FakeReranker())}
    assert len(prints) == 1 and make().fingerprint not in prints
    assert isinstance(make(retriever="fake").retriever, Reranker)
    assert verdicts(make(retriever="fake").verify(ANSWER, PASSAGES)) == [S, C, C, N, X]


def test_the_fingerprint_follows_what_matters(make: Make) -> None:
    """A threshold changes it."""
    assert make().fingerprint == make().fingerprint != make(threshold=0.6).fingerprint


def test_an_operating_point_is_a_threshold_of_the_combination(make: Make) -> None:
    """Its name stays in the configuration, and its number is what decides."""
    combination = replace(SignalCombination.load(), thresholds=(0.95, 0.4, 0.1))
    points = {point: make(threshold=point, combination=combination) for point in ("strict", "balanced", "lenient")}
    assert {point: verifier.support_threshold for point, verifier in points.items()} == {
        "strict": 0.95,
        "balanced": 0.4,
        "lenient": 0.1,
    }
    assert points["strict"].threshold == "strict"
    supported = [sum(verdict is S for verdict in verdicts(v.verify(ANSWER, PASSAGES))) for v in points.values()]
    assert supported == sorted(supported)


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "explode"},
        {"min_supported": 1.5},
        {"threshold": 0},
        {"threshold": True},
        {"threshold": "loose"},
        {"contradiction_threshold": 2},
        {"windows_per_claim": 0},
        {"window_tokens": 8},
        {"overlap": 60},
        {"message": None},
        {"band": (0.2, 0.8)},
        {"judge": LLMJudge("m", completion=lambda p, t: "")},
        {"judge": "m", "band": (0.2, 0.8)},
        {"judge": LLMJudge("m", completion=lambda p, t: ""), "band": (0.6, 0.8)},
        {"decomposer": "x"},
        {"combination": "/nowhere.json"},
        {"combination": 3},
        {"device": "cuda"},
        {"retriever": 3},
        {"citation_pattern": "x*"},
        {"model": 3},
        {"band": 3, "judge": LLMJudge("m", completion=lambda p, t: "")},
        {"judge": LLMJudge("m", completion=lambda p, t: ""), "band": (0.2, 0.8, 1)},
    ],
)
def test_bad_settings_are_refused(make: Make, settings: dict[str, Any]) -> None:
    """What is out of range, or does not go together, is a ConfigError when it is built."""
    with pytest.raises(ConfigError):
        make(**settings)


def test_a_loaded_model_is_no_data(make: Make) -> None:
    """A verifier on an object can't be written as a configuration, and the error names the setting."""
    with pytest.raises(ConfigError, match=r"FactVerifier\.model"):
        make().to_config()


def test_claims_can_be_printed(make: Make) -> None:
    """The report has a line for each claim with its verdict, and below it what that rests on."""
    verification = make().verify(ANSWER, PASSAGES)
    lines = repr(verification).splitlines()
    told = [line for line in lines if any(f" {str(verdict).replace('_', ' ')} " in line[:22] for verdict in Verdict)]
    assert len(told) == len(verification) == 5
    assert isinstance(make().verify(ANSWER, PASSAGES).claims[0], CheckedClaim)
    assert isinstance(make().verify(ANSWER, PASSAGES).claims[0].claim, Claim)


@pytest.mark.parametrize("kind", [FactVerifier, LLMJudge, LLMDecomposer])
def test_a_configuration_is_a_mapping_from_names(kind: Any) -> None:
    """Anything else is a ConfigError that says so."""
    with pytest.raises(ConfigError, match=f"{kind.__name__}: a configuration is a mapping, not NoneType"):
        kind.from_config(None)
    with pytest.raises(ConfigError, match="keys of a configuration are names"):
        kind.from_config({1: 2})


def test_its_configuration_builds_it_again() -> None:
    """`to_config`, through JSON and `from_config`, gives the same settings and fingerprint; keys stay out."""
    verifier = FactVerifier(
        retriever=FakeReranker(),
        policy="drop",
        threshold=0.6,
        judge=LLMJudge("j", base_url="http://localhost:1/v1", api_key="secret"),
        band=(0.4, 0.8),
        decomposer=LLMDecomposer("d", base_url="http://localhost:1/v1", api_key="secret"),
        combination=SignalCombination.load(),
    )
    config = json.loads(json.dumps(verifier.to_config()))
    assert config["type"] == "fact" and "secret" not in str(config)
    again = FactVerifier.from_config(config)
    assert again.to_config() == config and again.fingerprint == verifier.fingerprint
    with pytest.raises(ConfigError, match="its settings are"):
        FactVerifier.from_config(config | {"treshold": 1})
    named = FactVerifier.from_config({"model": {"model": "secondpass-nli-minilm", "smoke_test": False}})
    assert named.nli.fingerprint == verifier.nli.fingerprint
