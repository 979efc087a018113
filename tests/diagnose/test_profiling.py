"""A profile adds up, and its advice follows from the figures."""

import json
from dataclasses import replace
from typing import Any

import pytest

import secondpass as sp
from secondpass.diagnose import profile
from secondpass.diagnose.advice import advice_on, slow_members
from secondpass.diagnose.peak import peak_rate
from secondpass.diagnose.profiling import ModelProfile, Profile
from secondpass.testing import FakeReranker

_MODEL = ModelProfile("m", 0.05, 0.9, 0.05, 0.0, 0.0, 0.0, 100.0, 512, 2, "int8", 0.5)
_PROFILE = Profile("r", 10, 1.0, 10.0, 1000.0, 2, 1e11, 1e10, {}, (_MODEL,), 1, 100)


def test_the_figures_add_up(cross_encoder: sp.CrossEncoderReranker) -> None:
    """Shares sum to 1; pairs, tokens and repetitions are what they are."""
    texts = ["shutil.copy copies a file", "os.remove deletes a file", "shutil.copy copies a file", "knead the dough"]
    found = profile(cross_encoder, [("copy a file", texts)], rounds=1, peak=False)
    (model,) = found.models
    assert found.pairs == 4 and found.pairs_per_s == pytest.approx(4 / found.seconds)
    assert model.tokenizer + model.model + model.scheduler == pytest.approx(1)
    assert min(model.tokenizer, model.model, model.scheduler) >= 0 and model.repeated == 0.25
    assert (model.padding, model.truncated, model.precision, model.reached) == (0.0, 0.0, "int8", None)
    assert model.threads == cross_encoder.pair_model._runner.workers and found.stages.keys() == {"CrossEncoderReranker"}
    assert json.loads(json.dumps(found.to_dict()))["models"][0]["max_length"] == 512
    assert "4 pairs in " in repr(found) and "padding 0.0%, repeated 25.0%" in repr(found)


def test_padding_and_truncation_are_seen(cross_encoder: sp.CrossEncoderReranker) -> None:
    """A short document in a batch with a long one is filled up; a long one is cut."""
    files = cross_encoder.pair_model.files  # type: ignore[attr-defined]
    padded = type(cross_encoder.pair_model)(files, precision="exported", batch_tokens=2_000)  # type: ignore[call-arg]
    reranker = sp.CrossEncoderReranker(padded, long_documents="truncate")
    found = profile(reranker, [("q", ["word " * 600, "word"])], rounds=1, peak=False)
    (model,) = found.models
    lengths = [512, padded.tokenizer.pair_length(*padded.tokenizer.tokenize(["q", "word"]))]
    assert model.padding == pytest.approx(1 - sum(lengths) / (2 * 512)) and model.truncated == 0.5
    assert {finding.name for finding in found.advice} >= {"padding", "truncated"}


def test_the_peak_is_measured(cross_encoder: sp.CrossEncoderReranker) -> None:
    """The rates are those of a processor, and the work of the model is set against them."""
    rate, rows = peak_rate("float32", size=128, rounds=1, operations=1e7)
    assert 1e8 < rate < 1e14 and rows >= 100
    found = profile(cross_encoder, [("copy a file", ["shutil.copy copies a file"] * 2)], rounds=1)
    assert found.int8_rate is not None and found.float32_rate is not None and found.models[0].reached is not None
    assert 0 < found.models[0].reached < 10 and "of the machine's peak" in repr(found)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, []),
        ({"truncated": 0.3}, ["truncated"]),
        ({"padding": 0.5}, ["padding"]),
        ({"repeated": 0.5}, ["repeated"]),
        ({"tokenizer": 0.4}, ["tokenizer"]),
        ({"scheduler": 0.4}, ["scheduler"]),
        ({"threads": 1}, ["threads"]),
        ({"precision": "float32"}, ["float32"]),
        ({"reached": 0.1}, ["below-peak"]),
        ({"reached": 1.2}, ["noisy"]),
        ({"reached": None}, []),
    ],
)
def test_advice_follows_from_the_figures(changed: dict[str, Any], named: list[str]) -> None:
    """Each figure that is out of the ordinary has its advice, and no other."""
    found = replace(_PROFILE, models=(replace(_MODEL, **changed),))
    assert [finding.name for finding in advice_on(found)] == named


def test_memory_and_members() -> None:
    """Memory near its limit; a member that takes far longer than those beside it, and no other."""
    assert [finding.name for finding in advice_on(replace(_PROFILE, memory_bytes=95))] == ["memory-full"]
    even = {"E": 1.0, "E/A": 0.3, "E/B": 0.4, "E/C": 0.3}
    assert list(slow_members(even)) == [] == list(slow_members({"E": 1.0, "E/A": 1.0}))
    (finding,) = slow_members(even | {"E/B": 3.0})
    assert finding.name == "slow-member" and "E/B takes 3000.0 ms, and those beside it 300.0 ms" in finding.what


def test_what_can_not_be_measured_is_refused() -> None:
    """Nothing to score, or no rounds; a reranker without a model has no part of one."""
    with pytest.raises(sp.InputError, match="there is nothing to measure"):
        profile(FakeReranker(), [("q", [])])
    with pytest.raises(sp.ConfigError, match="what is measured must be a Reranker, not 'fake'"):
        profile("fake")  # type: ignore[arg-type]
    with pytest.raises(sp.ConfigError, match="rounds must be a whole number"):
        profile(FakeReranker(), [("q", ["a"])], rounds=0)
    found = profile(FakeReranker(), [("q", ["a"])], rounds=1, peak=False)
    assert found.models == () and found.tokens_per_s is None
