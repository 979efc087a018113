"""Signals of whole answers, and a combination fitted on them."""

import json
from pathlib import Path

import numpy as np
import pytest

from secondpass.verify.combination import SignalCombination
from secondpass.verify.signals import FEATURES
from secondpass.verify.verifier import FactVerifier
from tests.verify.conftest import FakeNli
from training.signals import AnswerSignals, dump, fit, main, weakest

MAX_ENTAILMENT, MAX_CONTRADICTION = FEATURES.index("max_entailment"), FEATURES.index("max_contradiction")


def made_up(n: int) -> AnswerSignals:
    """Return answers of two claims each; of the false ones the second claim is not entailed, or is contradicted."""
    rng = np.random.default_rng(0)
    answers = np.repeat(np.arange(n), 2)
    labels = answers % 2 == 0
    features = rng.normal(size=(2 * n, len(FEATURES))) * 0.1
    false = ~labels & (np.arange(2 * n) % 2 == 1)
    features[:, MAX_ENTAILMENT] += np.where(false, -3.0, 3.0)
    features[:, MAX_CONTRADICTION] += np.where(false & (answers % 3 == 0), 2.0, -4.0)
    sets = np.where(answers % 4 < 2, "a", "b")
    return AnswerSignals(features, answers, labels, sets, "m")


def test_the_claims_of_answers_are_measured(tmp_path: Path) -> None:
    """Each checkable claim has its row, with the number, label and set of its answer."""
    passages = ["The tower was built in 1889. It is tall."]
    lines = [
        {
            "claim": "The tower was built in 1889. The museum sells coffee. Shall I go on?",
            "passages": passages,
            "label": 0,
        },
        {"claim": "The tower was built in 1889.", "passages": passages, "label": 1},
        {"claim": "The tower was built in 1889.", "passages": [], "label": 0},
    ]
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = dump(FactVerifier(FakeNli()), [tmp_path / "one.jsonl", tmp_path / "two.jsonl"])
    assert found.answers.tolist() == [0, 0, 1, 3, 3, 4]
    assert found.labels.tolist() == [False, False, True] * 2
    assert found.sets.tolist() == ["one"] * 3 + ["two"] * 3
    assert found.features[0, MAX_ENTAILMENT] > 0 > found.features[1, MAX_ENTAILMENT]
    assert found.model == FakeNli().fingerprint


def test_an_answer_is_as_good_as_its_weakest_claim() -> None:
    """Of each answer, the claim with the lowest probability is taken."""
    signals = made_up(30)
    chosen = weakest(signals, SignalCombination.load())
    assert chosen.answers.tolist() == list(range(30))
    assert (chosen.features[1::2, MAX_ENTAILMENT] < 0).all()


def test_a_fit_tells_answers_apart() -> None:
    """Supported answers are, and the others are contradicted or not found, as the model says."""
    signals = made_up(200)
    fitted = fit(signals, SignalCombination.load())
    probabilities = fitted.probabilities(weakest(signals, fitted).features)
    assert ((probabilities[:, 0] > 0.5) == (np.arange(200) % 2 == 0)).all()
    assert ((probabilities.argmax(axis=1) == 1) == (np.arange(200) % 6 == 3)).all()
    assert fitted.model == "m"


def test_the_command_leaves_out_one_set_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a row for each set, and writes what was fitted on all."""
    signals = made_up(120)
    kept = {name: getattr(signals, name) for name in ("features", "answers", "labels", "sets")}
    np.savez(tmp_path / "signals.npz", model=np.array("m"), **kept)
    main(["fit", str(tmp_path / "signals.npz"), "--out", str(tmp_path / "c.json")])
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["a", "b", "mean"]
    assert rows[2].split("|")[6].strip() == "1.000"  # AUC, refitted without the set
    assert SignalCombination.load(tmp_path / "c.json") == fit(signals, SignalCombination.load())
