"""Whether passages answer a question, and agree."""

import asyncio
import json

import pytest

import secondpass as sp
from secondpass.errors import ConfigError, InputError
from secondpass.testing import FakeReranker
from secondpass.verify.sufficiency import DECISIONS, SufficiencyCheck, sufficiency
from secondpass.verify.verifier import FactVerifier
from tests.verify.guarantees import FIVE, OTHER, QUESTION, TWO


@pytest.fixture(scope="module")
def check() -> SufficiencyCheck:
    """Return the default check, loaded once."""
    return SufficiencyCheck()


def test_one_answers(check: SufficiencyCheck) -> None:
    """A passage with the answer is enough, whatever stands beside it."""
    found = check.check(QUESTION, [OTHER, TWO])
    assert (found.decision, found.sufficient, found.disagreements) == ("answer", True, ())
    assert found.probability == found.ranking.answerable > 0.5 and found.ranking[0].index == 1


@pytest.mark.parametrize(
    ("question", "passages"), [(QUESTION, [OTHER]), ("Who is the director?", [TWO, OTHER]), (QUESTION, [])]
)
def test_none_answers(check: SufficiencyCheck, question: str, passages: list[str]) -> None:
    """Nothing is compared where nothing answers, and no passages answer nothing."""
    found = check.check(question, passages)
    assert (found.decision, found.sufficient, found.disagreements) == ("search_again", False, ())
    assert found.probability < 0.5


def test_they_disagree(check: SufficiencyCheck) -> None:
    """The sentences about the question are compared, and stand where they do in their passages."""
    passages = [OTHER, {"text": TWO, "id": "a"}, {"text": f"As we said: {FIVE}", "id": "b"}]
    found = check.check(QUESTION, passages)
    assert found.decision == "disagree" and found.sufficient
    first = next(each for each in found.disagreements if each.passage == 1)
    assert (
        TWO[first.start : first.end] == "The guarantee on the Aurel kettle lasts two years from the date of purchase."
    )
    assert (first.against.passage, first.against.id) == (2, "b") and first.probability < 0.34
    assert "[2]" in str(found) and "[3]" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["decision"] == "disagree"


def test_what_says_the_same_agrees(check: SufficiencyCheck) -> None:
    """Two passages with one answer don't contradict one another."""
    assert check.check(QUESTION, [TWO, f"{TWO} Keep the receipt."]).decision == "answer"
    assert asyncio.run(check.acheck(QUESTION, [TWO])).decision == "answer"


def test_settings(check: SufficiencyCheck) -> None:
    """A threshold decides, nothing is compared without a verifier, and a configuration says it all."""
    strict = SufficiencyCheck(check.reranker, verifier=None, threshold=0.999)
    assert strict.check(QUESTION, [TWO, FIVE]).decision == "search_again"
    assert SufficiencyCheck(check.reranker, verifier=None).check(QUESTION, [TWO, FIVE]).decision == "answer"
    config = SufficiencyCheck(check.reranker, verifier=None, threshold=0.7, most=3).to_config()
    assert config["type"] == "sufficiency" and SufficiencyCheck.from_config(config).to_config() == config
    assert sufficiency(QUESTION, [TWO]).decision in DECISIONS and sp.sufficiency is sufficiency


def test_what_can_not_be_used(check: SufficiencyCheck) -> None:
    """A reranker without probabilities, settings out of range and passages that are no texts are refused."""
    with pytest.raises(ConfigError, match="knows the probability that a passage answers"):
        SufficiencyCheck(FakeReranker(scale="logit"), verifier=None)
    with pytest.raises(ConfigError, match="threshold"):
        SufficiencyCheck(check.reranker, verifier=None, threshold=2)
    with pytest.raises(ConfigError, match="most"):
        SufficiencyCheck(check.reranker, verifier=None, most=1)
    with pytest.raises(InputError):
        check.check(QUESTION, [3])  # type: ignore[list-item]


def test_a_verifier_that_raises_is_refused(check: SufficiencyCheck) -> None:
    """Passages that do not support one another are not a failure, but would be an error in each call."""
    assert isinstance(check.verifier, FactVerifier)
    raising = FactVerifier(check.verifier.nli, policy="raise")
    with pytest.raises(ConfigError, match="the policy 'raise' has no meaning here"):
        SufficiencyCheck(check.reranker, verifier=raising)


def test_it_says_what_it_is_made_of() -> None:
    """As traces and logs show it."""
    assert repr(SufficiencyCheck(FakeReranker(), verifier=None, threshold=0.6)) == (
        "SufficiencyCheck(FakeReranker(), verifier=None, threshold=0.6)"
    )
