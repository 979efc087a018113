"""Fitting the combination on sets of answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from secondpass.verify.combination import SignalCombination
from secondpass.verify.signals import FEATURES
from training.combine import AnswerSet, balanced_accuracy, classes, fit, main, operating_points


def _set(name: str, seed: int) -> AnswerSet:
    rng = np.random.default_rng(seed)
    labels = np.array(["supported", "contradicted", "not_enough_info"] * 40)
    features = np.zeros((120, len(FEATURES)))
    features[:, FEATURES.index("entailment")] = rng.normal(np.where(labels == "supported", 2.0, -2.0))
    features[:, FEATURES.index("contradiction")] = rng.normal(np.where(labels == "contradicted", 2.0, -2.0))
    return AnswerSet(name, features, np.arange(120), labels, np.arange(120) // 3)


def test_lowest_claim() -> None:
    """An answer has the probability of its lowest claim; one without claims has none."""
    one = AnswerSet("x", np.zeros((3, len(FEATURES))), np.array([0, 0, 2]), np.array(["supported"] * 3), np.arange(3))

    assert one.lowest(np.array([0.9, 0.2, 0.7])).tolist() == [0.2, 0.0, 0.7]


def test_telling_claims() -> None:
    """All claims of a supported answer have its label, and of another one the claim that the model likes least."""
    features = np.zeros((4, len(FEATURES)))
    features[:, FEATURES.index("max_entailment")] = [3.0, 1.0, 3.0, -1.0]
    labels = np.array(["supported", "not_enough_info"])

    assert AnswerSet("x", features, np.array([0, 0, 1, 1]), labels, np.arange(2)).telling().tolist() == [
        True, True, False, True,
    ]  # fmt: skip


def test_sets_that_tell_two_classes() -> None:
    """Where no claim of a set is said to be contradicted, those are that the model finds so rather than open."""
    features = np.zeros((3, len(FEATURES)))
    for name in ("max_entailment", "joined_entailment"):
        features[:, FEATURES.index(name)] = [3.0, -4.0, -4.0]
    for name in ("max_contradiction", "joined_contradiction"):
        features[:, FEATURES.index(name)] = [-4.0, 3.0, -4.0]
    labels = np.array(["supported", "not_enough_info", "not_enough_info"])
    one = AnswerSet("x", features, np.arange(3), labels, np.arange(3))

    assert classes(one).tolist() == ["supported", "contradicted", "not_enough_info"]
    told = AnswerSet(
        "x", features, np.arange(3), np.array(["supported", "not_enough_info", "contradicted"]), np.arange(3)
    )
    assert classes(told).tolist() == told.labels.tolist()


def test_fitted_on_others() -> None:
    """What is fitted on some sets tells supported claims of another one."""
    fitted, other = fit([_set("a", 0), _set("b", 1)], "model"), _set("c", 2)

    probabilities = fitted.probabilities(other.features)[:, 0]

    assert fitted.model == "model"
    assert (
        balanced_accuracy(other.labels == "supported", probabilities) > 0.8
    )  # of few claims, under the penalty that is right for many


def test_operating_points() -> None:
    """Strict lets one in twenty wrong answers through, lenient nine in ten right ones, balanced somewhat fewer."""
    rng = np.random.default_rng(0)
    answers = []
    for _ in range(3):
        supported = rng.random(2000) < 0.5
        answers.append((supported, 1 / (1 + np.exp(-rng.normal(np.where(supported, 1.5, -1.5), 1.5)))))

    strict, balanced, lenient = operating_points(answers)

    assert strict > balanced > lenient
    assert np.mean([(p[~right] >= strict).mean() for right, p in answers]) == pytest.approx(0.05, abs=0.01)
    assert np.mean([(p[right] >= lenient).mean() for right, p in answers]) == pytest.approx(0.9, abs=0.01)
    assert np.mean([(p[right] >= balanced).mean() for right, p in answers]) == pytest.approx(0.79, abs=0.01)


@pytest.mark.slow
def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command measures answers, prints a row for each set and writes a combination for the model."""
    for name in ("one", "two"):
        lines = []
        for n in range(24):
            passage = f"The {name} bridge number {n} was built in {1900 + n} by a Danish company."
            claim = f"The {name} bridge number {n} was built in {1900 + n + 7 * (n % 3)}."
            gold = "contradiction" if n % 3 == 1 else "neutral"
            claim = f"The {name} bridge number {n} is closed on Mondays." if n % 3 == 2 else claim
            lines.append(json.dumps({"claim": claim, "passages": [passage], "label": int(n % 3 == 0), "gold3": gold}))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))

    main([str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl"), "--out", str(tmp_path / "combination.json")])

    assert "| mean | 48 |" in capsys.readouterr().out
    assert SignalCombination.load(tmp_path / "combination.json").model
