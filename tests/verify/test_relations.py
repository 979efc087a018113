"""Relations that a claim turns round."""

import time

import pytest

from secondpass.verify import FactVerifier, Verdict
from secondpass.verify.relations import reverses

_SIDES = [
    # (what a source says, what says the same, what has it the other way round)
    ("Lumen is a subsidiary of Orbis.", "Orbis owns Lumen.", "Orbis belongs to Lumen."),
    ("Orbis owns Lumen.", "Lumen is owned by Orbis.", "Orbis is a subsidiary of Lumen."),
    ("The clerk reports to the treasurer.", "The treasurer manages the clerk.", "The clerk supervises the treasurer."),
    ("Malmo beat Turku in the cup.", "Turku lost to Malmo in the cup.", "Malmo lost to Turku in the cup."),
    ("Turku lost to Malmo.", "Turku was beaten by Malmo.", "Turku defeated Malmo."),
    ("Holt was succeeded by Kirk in 2019.", "Kirk replaced Holt in 2019.", "Holt took over from Kirk in 2019."),
    ("Lang taught Eva Roth.", "Eva Roth was a student of Lang.", "Lang was a student of Eva Roth."),
    ("The fall in prices caused the strike.", "The strike resulted from the fall.", "The strike led to the fall."),
    ("Ines is the daughter of Marta.", "Marta is the mother of Ines.", "Ines is the mother of Marta."),
    ("The parser depends on the cache.", "The cache is required by the parser.", "The cache requires the parser."),
]


@pytest.mark.parametrize(("source", "same", "reversed_"), _SIDES)
def test_who_stands_on_which_side(source: str, same: str, reversed_: str) -> None:
    """In either voice, and whichever of the two words the source has."""
    assert not reverses(same, source)
    assert not reverses(source, same)
    assert reverses(reversed_, source)
    assert reverses(source, reversed_)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Orbis does not belong to Lumen.", "Orbis owns Lumen."),
        ("Lumen owns Orbis.", "Orbis does not own Lumen."),
        ("Lumen belongs to Orbis.", "Orbis belongs to Tavel. Orbis owns Lumen."),
        ("Malmo beat Turku.", "Turku beat Malmo in May. In June Turku lost to Malmo."),
        ("Denmark beat Norway.", "Norway beat Sweden and lost to Denmark."),
        ("Lumen owns the yard.", "The yard is a part of Lumen."),
        ("Parents support the child.", "The child has parents of its own support."),
        ("Orbis owns Lumen.", ""),
        ("", "Orbis owns Lumen."),
    ],
)
def test_what_is_not_turned_round(claim: str, evidence: str) -> None:
    """Nothing that one of the two denies, or that another sentence says, or that is of another relation."""
    assert not reverses(claim, evidence)


def test_one_side_alone_is_no_answer() -> None:
    """A sentence that has one of two sides in its place, with another thing on the other one, says nothing of both."""
    chain = "The drought led to a poor harvest, and the poor harvest caused prices to rise."
    assert reverses("The poor harvest caused the drought.", chain)
    assert not reverses("Malmo beat Turku.", "Turku beat Malmo in May. In June Malmo beat them.")


def test_what_is_turned_round_is_not_supported() -> None:
    """Though a model takes it for the same."""
    verifier = FactVerifier()
    results = verifier.verify_many([(reversed_, [source]) for source, _, reversed_ in _SIDES])
    assert Verdict.SUPPORTED not in {result.claims[0].verdict for result in results}


def test_relations_take_linear_time() -> None:
    """Sentences of nothing but relations as well."""
    start = time.perf_counter()
    for piece in ("owns ", "was owned by ", "belongs to Orbis ", "parent company of "):
        assert not reverses("Orbis owns Lumen.", piece * 20_000)
    assert time.perf_counter() - start < 20
