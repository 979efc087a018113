"""The combination of signals: its solver against scikit-learn, its calibration, its files."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from secondpass.errors import ConfigError, InputError
from secondpass.logistic import fit_multinomial, fit_temperature, softmax
from secondpass.verify.combination import CLASSES, SignalCombination, nli_probabilities
from secondpass.verify.signals import FEATURES

N_FEATURES = len(FEATURES)


def made_up(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return signals, labels drawn from a known model, and groups of five claims."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, N_FEATURES)) * np.linspace(0.5, 4, N_FEATURES) + 1.0
    truth = rng.normal(size=(3, N_FEATURES)) * 0.4
    probabilities = softmax(features @ truth.T)
    labels = np.array([CLASSES[rng.choice(3, p=row)] for row in probabilities])
    return features, labels, np.arange(n) // 5


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
def test_the_solver_finds_what_scikit_learn_finds(l2: float) -> None:
    """Weights and probabilities are those of LogisticRegression with C = 1 / l2."""
    features, labels, _ = made_up(400)
    y = np.array([CLASSES.index(label) for label in labels])
    weights, intercepts = fit_multinomial(features, y, 3, l2)
    theirs = LogisticRegression(C=1 / l2, max_iter=5000, tol=1e-10).fit(features, y)
    np.testing.assert_allclose(weights, theirs.coef_, atol=2e-4)
    ours = softmax(features @ weights.T + intercepts)
    np.testing.assert_allclose(ours, theirs.predict_proba(features), atol=2e-4)


def test_the_solver_bears_separable_and_constant_signals() -> None:
    """Classes that one signal separates, and a signal that never changes, give finite weights."""
    x = np.repeat([[-5.0, 1.0], [0.0, 1.0], [5.0, 1.0]], 20, axis=0)
    y = np.repeat([0, 1, 2], 20)
    weights, intercepts = fit_multinomial(x, y, 3, 0.01)
    assert np.isfinite(weights).all() and np.isfinite(intercepts).all()
    assert softmax(x @ weights.T + intercepts).argmax(axis=1).tolist() == y.tolist()


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found(true_temperature: float) -> None:
    """Logits that were scaled are scaled back, within the noise of the sample."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 3)) * 2
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits)])
    assert fit_temperature(logits * true_temperature, labels) == pytest.approx(true_temperature, rel=0.05)


def test_the_temperature_stays_in_its_range() -> None:
    """Logits that say nothing, or everything, give the ends of the range and no infinity."""
    labels = np.array([0, 1, 2] * 10)
    right = np.eye(3)[labels]
    assert fit_temperature(right, labels) == pytest.approx(0.05)
    assert fit_temperature(-right, labels) == pytest.approx(20.0)


def test_a_fit_calibrates_and_does_not_depend_on_units() -> None:
    """Held-out probabilities mean what they say, and a signal in another unit changes nothing."""
    features, labels, groups = made_up(3000)
    fitted = SignalCombination.fit(features[:2000], labels[:2000], groups[:2000], model="m")
    probabilities = fitted.probabilities(features[2000:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    right = labels[2000:] == np.array(CLASSES)[probabilities.argmax(axis=1)]
    assert abs(right.mean() - probabilities.max(axis=1).mean()) < 0.04
    assert fitted.fitted and fitted.model == "m"
    scaled = SignalCombination.fit(features[:2000] * 1000 + 7, labels[:2000], groups[:2000])
    np.testing.assert_allclose(scaled.probabilities(features[2000:] * 1000 + 7), probabilities, atol=1e-6)


def test_a_file_gives_the_same_again(tmp_path: Path) -> None:
    """Saved and loaded, it has the same numbers and fingerprint; another one has another fingerprint."""
    features, labels, groups = made_up(300)
    fitted = SignalCombination.fit(features, labels, groups, model="abc")
    fitted.save(tmp_path / "combination.json")
    loaded = SignalCombination.load(tmp_path / "combination.json")
    assert loaded == fitted and loaded.fingerprint == fitted.fingerprint
    assert SignalCombination.load().fingerprint != fitted.fingerprint


def test_what_is_shipped_orders_sensibly() -> None:
    """The shipped combination prefers entailment, and no mismatch counts for support."""
    shipped = SignalCombination.load()
    row = dict.fromkeys(FEATURES, 0.0) | {"facts_found": 1.0}
    entailed = row | {"entailment": 5.0, "max_entailment": 5.0, "joined_entailment": 5.0, "overlap": 1.0}
    entailed |= {"contradiction": -6.0, "max_contradiction": -5.0, "joined_contradiction": -6.0, "pair_overlap": 1.0}
    wrong, denied = entailed | {"number_mismatch": 1.0}, entailed | {"negation_mismatch": 1.0}
    nothing = row | {name: -5.0 for name in FEATURES if "entailment" in name or "contradiction" in name}
    features = np.array([[each[name] for name in FEATURES] for each in (entailed, wrong, denied, nothing)])
    probabilities = shipped.probabilities(features)
    assert probabilities[0, 0] > 0.8
    assert max(probabilities[1, 0], probabilities[2, 0]) <= probabilities[0, 0]
    assert probabilities[3].argmax() == CLASSES.index("not_enough_info")


def test_shared_words_never_speak_against_support() -> None:
    """Where what follows shares few words and has mismatches, these signals count for nothing, and the rest decides."""
    features, labels, groups = made_up(300)
    overlap, mismatch = FEATURES.index("overlap"), FEATURES.index("number_mismatch")
    supported = np.array(labels) == "supported"
    features[:, overlap] = np.where(supported, 0.1, 0.8)
    features[:, mismatch] = supported
    weights = np.array(SignalCombination.fit(features, labels, groups).weights)
    assert (weights[:, [overlap, mismatch]] == 0).all()
    features[:, overlap] = np.where(supported, 0.8, 0.1)
    assert SignalCombination.fit(features, labels, groups).weights[0][overlap] > 0.1


def test_signals_are_left_out() -> None:
    """A signal that is named counts for nothing; one that does not exist is an error with those that do."""
    features, labels, groups = made_up(300)
    at = FEATURES.index("entailment")
    weights = np.array(SignalCombination.fit(features, labels, groups, without=["entailment"]).weights)
    assert (weights[:, at] == 0).all() and (np.delete(weights, at, axis=1) != 0).any()
    with pytest.raises(ConfigError, match="without names length, but the signals are entailment"):
        SignalCombination.fit(features, labels, groups, without=["length"])


def test_what_contradicts_takes_no_part_in_what_supports() -> None:
    """Which of the other claims are contradicted changes nothing in the probability of support."""
    features, labels, groups = made_up(600)
    turned = {"contradicted": "not_enough_info", "not_enough_info": "contradicted", "supported": "supported"}
    one = SignalCombination.fit(features, labels, groups).probabilities(features)
    other = SignalCombination.fit(features, [turned[label] for label in labels], groups).probabilities(features)
    np.testing.assert_allclose(one[:, 0], other[:, 0], atol=1e-9)
    assert np.abs(one[:, 1] - other[:, 1]).max() > 0.1


def test_the_models_own_probabilities_need_no_fit() -> None:
    """The larger of entailment and contradiction is kept, the rest shares what is left; rows sum to 1."""
    rows = [dict.fromkeys(FEATURES, -10.0) | each for each in ({"max_entailment": 3.0}, {"joined_contradiction": 2.0})]
    rows.append(dict.fromkeys(FEATURES, 10.0))
    probabilities = nli_probabilities(np.array([[row[name] for name in FEATURES] for row in rows]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert probabilities[0, 0] == pytest.approx(1 / (1 + np.exp(-3)))
    assert probabilities[1, 1] == pytest.approx(1 / (1 + np.exp(-2)))
    assert probabilities[2, 0] > 0.99  # of equals, and never more than 1 in all


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("a",)},
        {"intercepts": [0.0]},
        {"temperature": 0.0},
        {"deviations": [0.0] * N_FEATURES},
        {"means": [float("nan")] * N_FEATURES},
        {"weights": [["a"]]},
        {"thresholds": [0.5]},
        {"thresholds": [0.2, 0.5, 0.9]},
        {"thresholds": [0.9, 0.5, 0.0]},
        {"unknown": 1},
    ],
)
def test_a_bad_configuration_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    """Other signals, missing numbers and unknown members are a ConfigError, from a mapping and from a file."""
    config = SignalCombination.load().to_config() | change
    with pytest.raises(ConfigError):
        SignalCombination.from_config(config)
    (tmp_path / "c.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError):
        SignalCombination.load(tmp_path / "c.json")


def test_bad_examples_are_refused() -> None:
    """Missing classes, shapes that don't fit, numbers that are none and a single group are an InputError."""
    features, labels, groups = made_up(60)
    for bad in (
        (features[:, :3], labels, groups),
        (features, labels[:5], groups),
        (features, ["supported"] * 60, groups),
        (np.full_like(features, np.nan), labels, groups),
        (features, labels, [0] * 60),
        (features, labels, groups[:5]),
    ):
        with pytest.raises(InputError):
            SignalCombination.fit(*bad)
    with pytest.raises(ConfigError, match="folds"):
        SignalCombination.fit(features, labels, groups, folds=1)
    with pytest.raises(ConfigError, match="no combination can be read"):
        SignalCombination.load("/nowhere/c.json")
