"""What the model reads of a claim's windows, and when it stops."""

from dataclasses import replace

import numpy as np
import pytest

from secondpass.verify.entailment import Entailed, entail
from secondpass.verify.evidence import Passages, Window
from secondpass.verify.stages import Planned, Scored, Stated
from secondpass.verify.types import CheckedClaim, Claim, Verdict
from secondpass.windows import ApproximateTokenization
from tests.verify.conftest import FakeNli

PASSAGES = ("The tower is 330 metres tall.", "The museum opens on Monday.", "Tickets for the tower cost nine euros.")


def planned(text: str, *passages: int, joined: str = "", cited: tuple[int, ...] = (), **settings: bool) -> Planned:
    """Return a claim with the windows that are planned for it: whole passages, and those that it cites."""
    given = Passages(PASSAGES, ApproximateTokenization(), 96, 0, english_only=False)
    windows = [Window(at, 0, len(PASSAGES[at]), PASSAGES[at]) for at in (*passages, *cited)]
    n = len(passages)
    return Planned(
        Stated(Claim(text, 0, len(text), 0), given), tuple(windows[:n]), joined, tuple(windows[n:]), **settings
    )


def scored(entailed: Entailed, at: int = 0) -> Scored:
    """Return what the model read for a claim."""
    found = entailed.claims[at]
    assert isinstance(found, Scored)
    return found


def test_a_first_window_that_says_it_is_all_that_is_read() -> None:
    """The other windows, and the joined ones, are left unread, and the claim's plan says so."""
    model = FakeNli()
    claim = planned("The tower is tall.", 0, 1, joined=" ".join(PASSAGES[:2]), contested=False)
    found = scored(entail(model, [claim]))
    assert model.calls == [[(PASSAGES[0], "The tower is tall.")]]
    assert found.planned.windows == claim.windows[:1] and found.joined is None
    np.testing.assert_allclose(found.windows, [[0.96, 0.03, 0.01]])


@pytest.mark.parametrize(
    ("claim", "settings"),
    [("The tower is tall.", {"contested": True}), ("The tower is red.", {"contested": False})],
)
def test_another_passage_on_the_same_and_an_open_claim_make_it_read_on(claim: str, settings: dict[str, bool]) -> None:
    """The rest is read in a second call, and the rows stand in the order of the windows."""
    model = FakeNli()
    together = f"{PASSAGES[0]} {PASSAGES[2]}"
    found = scored(entail(model, [planned(claim, 0, 2, joined=together, **settings)]))
    assert [[premise for premise, _ in call] for call in model.calls] == [[PASSAGES[0]], [PASSAGES[2], together]]
    assert found.windows.shape == (2, 3) and found.joined is not None and len(found.planned.windows) == 2
    assert found.windows[0, 0] >= found.windows[1, 0]


WIDE = ("The tower is tall.", "It was built of steel.")
WIDENED = Passages((" ".join(WIDE),), ApproximateTokenization(), 96, 0, english_only=False)


def widened(text: str, *, contested: bool = False) -> Planned:
    """Return a claim with two windows of one passage, which are read together first."""
    windows = (Window(0, 0, 18, WIDE[0]), Window(0, 19, 41, WIDE[1]))
    return Planned(Stated(Claim(text, 0, len(text), 0), WIDENED), windows, " ".join(WIDE), contested=contested)


def test_two_windows_of_a_passage_that_say_it_together_are_all_that_is_read() -> None:
    """Their row stands for the first one as well, and the second is its partner: it is not read by itself."""
    model = FakeNli()
    claim = widened("The tower is tall.")
    found = scored(entail(model, [claim]))
    assert [[premise for premise, _ in call] for call in model.calls] == [[" ".join(WIDE)]]
    assert found.planned.windows == claim.windows[:1] and found.planned.partner == claim.windows[1]
    assert found.joined is not None
    np.testing.assert_allclose(found.windows, found.joined[None])
    assert found.joined[0] >= 0.8


def test_two_windows_of_a_passage_are_read_on_where_another_one_speaks_of_the_same() -> None:
    """What they say together may be denied there, so each is read by itself too."""
    model = FakeNli()
    found = scored(entail(model, [widened("The tower is tall.", contested=True)]))
    assert [[premise for premise, _ in call] for call in model.calls] == [[" ".join(WIDE)], list(WIDE)]
    assert found.windows.shape == (2, 3) and found.planned.partner is None


def test_cited_windows_are_always_read_and_get_their_own_rows() -> None:
    """A citation is checked even where the first window settles the claim."""
    model = FakeNli()
    claims = [
        planned("The tower is tall.", 0, 1, cited=(2,), contested=False),
        planned("The tower is red.", 0, 1, cited=(2,), contested=False),
    ]
    entailed = entail(model, claims)
    assert [[premise for premise, _ in call] for call in model.calls] == [
        [PASSAGES[0], PASSAGES[2], PASSAGES[0], PASSAGES[2]],
        [PASSAGES[1]],
    ]
    assert scored(entailed).cited.shape == scored(entailed, 1).cited.shape == (1, 3)
    assert entailed.counts["pairs"] == 5


def test_each_premise_is_read_with_its_own_wording() -> None:
    """The claim in the words of a premise goes with that premise, in whichever call it is read."""
    model = FakeNli()
    claim = planned("It takes two weeks.", 0, 1, joined=PASSAGES[0], cited=(2,), contested=False)
    entail(model, [replace(claim, wording=lambda premise: f"Beside {len(premise)} characters.")])
    first, second, third = ((text, f"Beside {len(text)} characters.") for text in PASSAGES)
    assert model.calls == [[first, third], [second, first]]


def test_a_failure_in_the_second_call_takes_only_its_own_claims_along() -> None:
    """What the opening settled keeps its result."""
    model = FakeNli(fails_on="red")
    model.run = _failing_on_the_second_premise(model)  # type: ignore[method-assign]
    claims = [planned("The tower is tall.", 0, 1, contested=False), planned("The tower is red.", 0, 1)]
    settled, failing = entail(model, claims).claims
    assert isinstance(settled, Scored)
    assert isinstance(failing, CheckedClaim) and failing.verdict is Verdict.ERROR


def _failing_on_the_second_premise(model: FakeNli):  # type: ignore[no-untyped-def]
    fails_on, model.fails_on = model.fails_on, ""
    run = model.run

    def guarded(pairs):  # type: ignore[no-untyped-def]
        if any(premise == PASSAGES[1] and fails_on in hypothesis for premise, hypothesis in pairs):
            raise RuntimeError("the accelerator is gone")
        return run(pairs)

    return guarded


def test_nothing_is_read_for_no_claims() -> None:
    """The model is not called."""
    model = FakeNli()
    assert entail(model, []).claims == [] and model.calls == []
