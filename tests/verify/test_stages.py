"""Claims on their way: what is read first and then, what is cited, and how a reply becomes a statement."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from secondpass.models.nli import NliOutput
from secondpass.verify.claims.citations import CitationMarker
from secondpass.verify.entailment import entail
from secondpass.verify.evidence import Window
from secondpass.verify.stages import Planned, Scored, Stated, merged, still_open, without_evidence
from secondpass.verify.types import CheckedClaim, Claim, Verdict

CLAIM = Claim("It is so.", 0, 9, 0)
WINDOWS = tuple(Window(at, 0, 3, f"w{at}") for at in range(3))
CITED = tuple(Window(at, 0, 3, f"c{at}") for at in (7, 8))


def stated(text: str = "It is so.", question: str = "", numbers: tuple[int, ...] = (), n_passages: int = 3) -> Stated:
    """Return a claim of an answer with so many passages."""
    markers = tuple(CitationMarker(0, 3, f"[{number}]", (number,)) for number in numbers)
    return Stated(Claim(text, 0, len(text), 0), [""] * n_passages, question, markers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "text", "hypothesis"),
    [
        ("Is it free?", "Yes.", "It is free."),
        ("How long is it?", "Two old years.", "How long is it? Two old years."),
        ("How long is it?", "Two very old years.", "How long is it? Two very old years."),
        ("How long is it?", "It is two years.", "It is two years."),
        ("", "Two years.", "Two years."),
        ("Why " + "x" * 396, "Two years.", "Why " + "x" * 396 + " Two years."),
        ("Why " + "x" * 397, "Two years.", "Two years."),
    ],
)
def test_short_replies_are_read_with_their_question(question: str, text: str, hypothesis: str) -> None:
    """Of few words, or of a part of a sentence, and of four hundred characters of question."""
    assert stated(text, question).hypothesis == hypothesis


@pytest.mark.parametrize(
    ("question", "text", "sentence", "hypothesis"),
    [
        ("Is it free?", "For club members.", "Yes, for club members", "It is free, for club members."),
        (
            "Is it free?",
            "For members of the club.",
            "No, for members of the club.",
            "It is not free, for members of the club.",
        ),
        ("Is it free?", "All members pay nothing.", "Yes, all members pay nothing.", "All members pay nothing."),
        ("Is it free?", "Guests pay.", "Yes, for members, and guests pay.", "Is it free? Guests pay."),
        ("Is it free?", "It is free for members.", "Yes, for members.", "It is free for members."),
        ("How long can I keep my copy?", "Two weeks.", "Two weeks.", "How long can you keep your copy? Two weeks."),
        ("Am I allowed to park?", "Yes.", "Yes.", "You are allowed to park."),
    ],
)
def test_a_reply_is_read_as_it_was_meant(question: str, text: str, sentence: str, hypothesis: str) -> None:
    """With the yes or no that opened its sentence, and to whoever asks: "I" would be who answers."""
    assert replace(stated(text, question), sentence=sentence).hypothesis == hypothesis


def test_cited_passages_exist_and_are_few() -> None:
    """Numbers from 1 to the last passage, each once, eight at most."""
    assert stated(numbers=(3, 0, 1, 4, 3)).cited == (2, 0)
    assert stated(numbers=tuple(range(1, 12)), n_passages=20).cited == tuple(range(8))


def said_beside(premise: str) -> str:
    """Return the claim in the words of a premise."""
    return f"claim beside {premise}"


def with_claims(*premises: str) -> list[tuple[str, str]]:
    """Return what the model reads of premises."""
    return [(premise, said_beside(premise)) for premise in premises]


def planned(joined: str = "both", *, contested: bool = True, verbatim: bool = False, n: int = 3) -> Planned:
    """Return what is read for a claim: so many windows, two cited ones and a joined one."""
    return Planned(stated(), WINDOWS[:n], joined, CITED, verbatim, said_beside, contested)


def test_the_opening_and_the_remainder_are_all() -> None:
    """The first window and the cited ones; the other windows and the joined one: each with its wording."""
    assert planned().pairs == with_claims("w0", "w1", "w2", "c7", "c8", "both")
    assert planned().opening.pairs == with_claims("w0", "c7", "c8")
    assert planned().remainder.pairs == with_claims("w1", "w2", "both")
    assert planned("").remainder.premises == ["w1", "w2"] and planned("", n=1).remainder.premises == []
    assert [claim for _, claim in Planned(stated(), WINDOWS, "both", CITED).pairs] == ["It is so."] * 6


def test_a_claim_is_worded_only_for_what_is_read() -> None:
    """What its opening settles costs nothing for the other windows."""
    worded: list[str] = []

    def wording(premise: str) -> str:
        worded.append(premise)
        return said_beside(premise)

    claim = replace(planned(contested=False), wording=wording)
    entail(Model({"w0": (0.9, 0.1, 0.0)}, {}), [claim])
    assert worded == ["w0", "c7", "c8"]


class Model:
    """Gives the entailment that the premises were given, and notes what it reads."""

    def __init__(self, rows: dict[str, tuple[float, float, float]], truncated: dict[str, tuple[bool, bool]]) -> None:
        self.rows, self.truncated = rows, truncated
        self.read: list[list[str]] = []

    def run(self, pairs: list[tuple[str, str]]) -> NliOutput:
        """Return a row for each pair; each has five tokens."""
        self.read.append([premise for premise, _ in pairs])
        rows = np.array([self.rows.get(premise, (0.1, 0.8, 0.1)) for premise, _ in pairs])
        cut = np.array([self.truncated.get(premise, (False, False)) for premise, _ in pairs])
        return NliOutput(rows, np.full(len(pairs), 5), cut, np.arange(len(pairs)) % 2 == 1)


@pytest.mark.parametrize(
    ("claim", "entailment", "is_read"),
    [
        (planned(contested=False), 0.8, False),
        (planned(contested=False), 0.79, True),
        (planned(contested=False, verbatim=True), 0.0, False),
        (planned(verbatim=True), 0.95, True),
        (planned("", n=1), 0.0, False),
    ],
)
def test_what_the_opening_settles_is_read_no_further(claim: Planned, entailment: float, is_read: bool) -> None:
    """Where it is as good as sure, or word for word, unless another passage speaks of the same."""
    model = Model({"w0": (entailment, 1 - entailment, 0.0)}, {})
    (scored,) = entail(model, [claim]).claims
    assert len(model.read) == 1 + is_read and isinstance(scored, Scored)
    assert scored.windows.shape == (len(claim.windows) if is_read else 1, 3) and scored.cited.shape == (2, 3)
    assert (scored.joined is not None) == is_read
    assert scored.windows[0].tolist() == pytest.approx([entailment, 1 - entailment, 0.0])


def test_what_is_counted() -> None:
    """Pairs, those that were scored, and tokens, over both calls."""
    found = entail(Model({}, {}), [planned(), planned(contested=False)])
    assert found.counts == {"pairs": 12, "pairs_scored": 6, "tokens": 60}


def test_a_joined_premise_that_is_cut_is_none() -> None:
    """And a claim that is cut is an error; certainty is none."""
    (scored,) = entail(Model({}, {"both": (True, False)}), [planned()]).claims
    assert isinstance(scored, Scored) and scored.joined is None and scored.windows.shape == (3, 3)
    (scored,) = entail(Model({}, {"w1": (True, False)}), [planned()]).claims
    assert isinstance(scored, Scored) and scored.joined is not None
    (failed,) = entail(Model({}, {"w1": (False, True)}), [planned()]).claims
    assert isinstance(failed, CheckedClaim) and "does not fit" in failed.reason
    (scored,) = entail(Model({"w1": (1.0, 0.0, 0.0)}, {}), [planned()]).claims
    assert isinstance(scored, Scored)


def test_a_model_of_another_shape_is_an_error() -> None:
    """Whose rows are not three probabilities."""
    model = SimpleNamespace(run=lambda pairs: NliOutput(np.zeros((len(pairs), 2)), *[np.zeros(len(pairs))] * 3))
    (failed,) = entail(model, [planned()]).claims
    assert isinstance(failed, CheckedClaim) and "shape (3, 2) for 3 pairs" in failed.reason
    assert entail(model, []).claims == []


def test_what_has_its_verdict_is_passed_on() -> None:
    """The others take what was made of them, in their order."""
    early = without_evidence(CLAIM, Verdict.NOT_CHECKABLE, "so")
    assert (early.verdict, early.reason) == (Verdict.NOT_CHECKABLE, "so")
    items = [planned(), early, planned("")]
    assert still_open(items) == [items[0], items[2]]
    assert merged(items, ["a", "b"]) == ["a", early, "b"]


def widened(*, partner: bool = False, contested: bool = False) -> Planned:
    """Return what is read for a claim whose two best windows are of one passage."""
    windows = (Window(0, 0, 3, "w0"), Window(0, 9, 12, "w1"), Window(1, 0, 3, "w2"))
    kept, left = ((windows[0], windows[2]), windows[1]) if partner else (windows, None)
    return Planned(stated(), kept, "both", CITED, wording=said_beside, contested=contested, partner=left)


def test_two_windows_of_one_passage_are_opened_together() -> None:
    """With the cited windows; then what is left, each with its wording."""
    claim = widened()
    assert claim.widened and widened(partner=True).widened and not planned().widened and not planned("").widened
    assert claim.opening.pairs == with_claims("c7", "c8", "both")
    assert claim.remainder.pairs == with_claims("w0", "w1", "w2")
    assert claim.others.pairs == with_claims("w1", "w2")
    assert widened(partner=True).opening.pairs[-1] == ("both", "claim beside both")


@pytest.mark.parametrize(("entailment", "read"), [(0.19, ["w1", "w2"]), (0.2, ["w0", "w1", "w2"])])
@pytest.mark.parametrize("contested", [True, False])
def test_a_window_is_not_read_alone_where_it_says_little_with_another_one(
    entailment: float, read: list[str], contested: bool
) -> None:
    """Its row is then that of both; where they may say the claim, it has its own."""
    both = (entailment, 1 - entailment, 0.0)
    model = Model({"both": both, "w0": (0.3, 0.6, 0.1), "w1": (0.5, 0.4, 0.1)}, {})
    (scored,) = entail(model, [widened(contested=contested)]).claims
    assert model.read == [["c7", "c8", "both"], read] and isinstance(scored, Scored)
    assert scored.windows[:2, 0].tolist() == [both[0] if read[0] == "w1" else 0.3, 0.5]
    assert scored.windows.shape == (3, 3) and scored.cited.shape == (2, 3)
    assert scored.joined is not None and scored.joined.tolist() == list(both)


def test_two_windows_that_are_far_from_a_claim_may_be_all_that_is_read() -> None:
    """There is no second call where nothing is left to read."""
    claim = Planned(stated(), (Window(0, 0, 3, "w0"),), "both", partner=Window(0, 9, 12, "w1"))
    model = Model({}, {})
    (scored,) = entail(model, [claim]).claims
    assert model.read == [["both"]] and isinstance(scored, Scored) and scored.planned == claim
    assert scored.windows.tolist() == [[0.1, 0.8, 0.1]]
    cut = Model({}, {"both": (True, False)})
    (scored,) = entail(cut, [claim]).claims
    assert cut.read == [["both"], ["w0"]] and isinstance(scored, Scored) and scored.joined is None


@pytest.mark.parametrize(("alone", "counts"), [(0.8, True), (0.79, False)])
def test_a_doubted_window_with_all_words_is_read_once_more_without_the_others(alone: float, counts: bool) -> None:
    """What is left of it counts beside it only where that settles the claim."""
    text = "It is old. It is so."
    claim = Planned(stated("It is old."), (Window(0, 0, 20, text),))
    model = Model({text: (0.3, 0.6, 0.1), "It is old.": (alone, 1 - alone, 0.0)}, {})
    (scored,) = entail(model, [claim]).claims
    assert isinstance(scored, Scored)
    assert [window.text for window in scored.planned.windows] == [text, *(["It is old."] if counts else [])]
    assert scored.windows[:, 0].tolist() == ([0.3, 0.8] if counts else [0.3])
