"""Team draft: fair, complete, and with the credit where it belongs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import secondpass as sp
from secondpass.composition import experiment_unit
from secondpass.composition.experiment.interleaving import preference, team_draft
from secondpass.testing import FakeReranker

_SCORES = st.lists(st.floats(-5, 5, allow_nan=False), min_size=1, max_size=12)


@given(_SCORES, st.randoms(use_true_random=False), st.integers(0, 2**64 - 1))
def test_each_pair_of_turns_has_one_pick_of_each(first: list[float], random: object, seed: int) -> None:
    """Every document stands once, and each pick is the best that its team had left."""
    second = sorted(first, key=lambda _: random.random())  # type: ignore[attr-defined]
    a, b = np.array(first), np.array(second)
    values, by_second = team_draft(a, b, seed)
    order = np.argsort(-values).tolist()
    assert sorted(values.tolist()) == list(range(1, len(first) + 1))
    teams = [by_second[at] for at in order]
    assert all(teams[at] != teams[at + 1] for at in range(0, len(teams) - 1, 2))
    for place, (at, team) in enumerate(zip(order, teams, strict=True)):
        left = order[place:]
        scores = b if team else a
        assert scores[at] == max(scores[other] for other in left)
    again, _ = team_draft(a, b, seed)
    assert (again == values).all()


def test_neither_team_is_preferred() -> None:
    """Over many coins, each has the first place about as often, whichever ranking is which."""
    scores = np.arange(4.0)
    firsts = [team_draft(scores, scores[::-1].copy(), seed)[0].argmax() for seed in range(2_000)]
    assert abs(firsts.count(3) / 2_000 - 0.5) < 0.05


@pytest.mark.parametrize(
    ("teams", "preferred"), [([], 0), (["t"], 1), (["c"], -1), (["c", "t"], 0), (["c", "t", "t"], 1)]
)
def test_more_clicks_are_a_preference(teams: list[str], preferred: int) -> None:
    """As many for both are none."""
    assert preference(teams, "c") == preferred


def test_clicks_on_a_ranking_are_counted() -> None:
    """Documents or their teams; a unit that saw the control alone says nothing; what is no click is refused."""
    arms = {"control": FakeReranker(), "treatment": FakeReranker(scale="logit")}
    test = sp.ABTestReranker(arms, {"control": 50, "treatment": 50}, mode="interleave")
    documents = ["copy a file", "a file", "move", "copy"]
    assert test.scale is sp.Scale.ORDINAL and test.calibration is None
    treated = next(f"user {at}" for at in range(99) if test.arm_of(f"user {at}") == "treatment")
    other = next(f"user {at}" for at in range(99) if test.arm_of(f"user {at}") == "control")
    with experiment_unit(treated):
        ranking = test.rerank("copy a file", documents, k=3)
        assert ranking.trace.counts == {"arm.control": 1, "arm.treatment": 1} and len(ranking.trace.stages) == 2
        teams = [document.explanation["team"] for document in ranking]
        assert len(ranking) == 3 and set(teams) == {"control", "treatment"}
        clicked = [document for document in ranking if document.explanation["team"] == "treatment"][:1]
        assert test.record_clicks(clicked) == 1
    assert test.record_clicks(["control"], unit=treated) == -1
    assert test.record_clicks([], unit=treated) == 0
    with experiment_unit(other):
        alone = test.rerank("copy a file", documents)
        assert {document.explanation["team"] for document in alone} == {"control"}
        assert [document.score for document in alone] == [4.0, 3.0, 2.0, 1.0]
        test.record_clicks(list(alone))
    assert test.outcomes.values("control 50, treatment 50", "preference", "treatment").tolist() == [0.0]
    with pytest.raises(sp.InputError, match="a click is on a document of an interleaved ranking"):
        test.record_clicks(["nobody"], unit=treated)
    for clicked in (alone[0], "control", None):
        with pytest.raises(sp.InputError, match="clicks are a list"):
            test.record_clicks(clicked, unit=treated)  # type: ignore[arg-type]
    with pytest.raises(sp.InputError, match="a click is on a document"):
        test.record_clicks([["control"]], unit=treated)  # type: ignore[list-item]
    with pytest.raises(sp.ConfigError, match="record_clicks is for mode='interleave'"):
        sp.ABTestReranker(arms, mode="shadow").record_clicks([], unit=treated)


def test_it_takes_two_arms() -> None:
    """Three rankings can't be drafted in pairs of turns."""
    arms = dict.fromkeys(("a", "b", "c"), FakeReranker())
    with pytest.raises(sp.CompositionError, match="interleaves two arms, a control and a treatment, not 3"):
        sp.ABTestReranker(arms, mode="interleave")
