"""What the adapters share."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secondpass.adapters import check_named, known_scores, load_reranker, load_verifier, without_secrets
from secondpass.errors import ConfigError
from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.secret import Secret
from secondpass.testing import FakeReranker
from secondpass.verify.verifier import FactVerifier


def test_all_ways_of_naming_a_cross_encoder_give_the_same() -> None:
    """By its kind, by its model (its former name too), by a configuration, and as other packages have it."""
    long = "The weather will be sunny all week. " * 100 + "shutil.copy copies a file."
    ways = [
        load_reranker(),
        load_reranker("cross-encoder"),
        load_reranker("cross-encoder/ms-marco-MiniLM-L-12-v2"),
        load_reranker({"type": "cross-encoder"}),
        load_reranker(model="cross-encoder/ms-marco-MiniLM-L12-v2", device="cpu"),
    ]
    assert {way.fingerprint for way in ways} == {CrossEncoderReranker().fingerprint}
    scores = {way.score("how do I copy a file?", [long])[0] for way in ways}
    assert len(scores) == 1 and scores.pop() > load_reranker().score("how do I copy a file?", [long[:2000]])[0] + 1
    fake = FakeReranker()
    assert load_reranker(fake) is fake


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reranker": 3}, 'must be a name \\("cross-encoder"\\), a mapping or a Reranker, not int'),
        ({"model": FakeReranker()}, "not FakeReranker: reranker= takes other things"),
        ({"model": "a", "reranker": "b"}, "pass reranker or model, not both: model='a'"),
        ({"reranker": {"type": "cross-encoder"}, "device": "cpu"}, "device goes with the name of a model"),
        ({"reranker": FakeReranker(), "device": "cpu"}, "device goes with the name of a model"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], message: str) -> None:
    """Before anything is loaded, so that Haystack's ranker says it in its constructor."""
    for call in (
        lambda: load_reranker(**given),
        lambda: check_named(given.get("reranker"), given.get("model"), given.get("device")),
    ):
        with pytest.raises(ConfigError, match=message):
            call()


def test_a_verifier_by_name_by_folder_by_settings_and_as_it_is() -> None:
    """What is usual holds for one that is only named; settings and an object are the caller's decision."""
    by_name = load_verifier("secondpass-nli-minilm", policy="flag")
    assert isinstance(by_name, FactVerifier) and by_name.policy == "flag"
    assert load_verifier(by_name, policy="drop") is by_name and by_name.policy == "flag"
    folder = Path(by_name.nli.pair_model.files.folder)
    by_folder = load_verifier(folder, policy="drop")
    assert (by_folder.model, by_folder.policy) == (str(folder), "drop")
    by_settings = load_verifier({"type": "fact", "windows_per_claim": 2}, policy="drop")
    assert (by_settings.policy, by_settings.windows_per_claim) == ("annotate", 2)
    with pytest.raises(ConfigError, match="verifier must be a model's name, a mapping or a FactVerifier, not int"):
        load_verifier(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "known"),
    [
        ([1, 0.5, np.float32(0.25)], [1.0, 0.5, 0.25]),
        ([], []),
        ([1.0, None], None),
        ([1.0, "0.5"], None),
        ([True], None),
        ([float("nan")], None),
        ([float("inf")], None),
        ([1.0, 10**400], None),
    ],
)
def test_scores_are_known_if_all_are_numbers(scores: list[object], known: list[float] | None) -> None:
    """One that is missing or no finite number makes all unknown."""
    assert known_scores(scores) == known


def test_a_configuration_that_contains_itself_is_refused() -> None:
    """As it is where it would be built."""
    config: dict[str, object] = {"type": "passage"}
    config["wrapped"] = config
    with pytest.raises(ConfigError, match="contains itself"):
        without_secrets(config)


def test_a_configuration_without_its_secrets() -> None:
    """Keys and passwords go, however deep they lie; what only has such a name, and the argument, stay."""
    remote = {"type": "remote", "url": "http://host", "api_key": "sk-hidden", "api_key_variable": "MY_KEY"}
    cache = {"type": "redis", "url": "redis://user:hidden@host/0", "password": Secret("hidden")}
    config = {"type": "routed", "routes": {"password": {"type": "cached", "wrapped": remote, "cache": cache}}, "n": 1}
    kept = {
        "type": "cached",
        "wrapped": {"type": "remote", "url": "http://host", "api_key_variable": "MY_KEY"},
        "cache": {"type": "redis", "url": "redis://user@host/0"},
    }
    assert without_secrets(config) == {"type": "routed", "routes": {"password": kept}, "n": 1}
    assert without_secrets([remote, "name", {"api_key": None}]) == [kept["wrapped"], "name", {"api_key": None}]
    assert remote["api_key"] == "sk-hidden" and cache["url"] == "redis://user:hidden@host/0"
