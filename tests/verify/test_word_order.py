"""Claims that have words of a sentence in each other's place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.verify.word_order import Turned, misplaces, swaps, turns


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The bank sued the broker.", "The broker sued the bank over the loan."),
        ("The broker was sued by the bank.", "The bank was sued by the broker."),
        ("Visitors may bring two members.", "Members may bring two visitors, and visitors bring nobody."),
        ("Peru sold Chile the ship that Spain had built.", "Spain sold Chile the ship that Peru had built."),
        ("Before she was a judge, Ana had been a senator.", "Before she was a senator, Ana had been a judge."),
        ("The cat bit the old dog.", "It rained. The old dog bit the cat."),
        ("Salt was dearer in 1803 than in 1802.", "Salt was dearer in 1802 than in 1803."),
        ("Bank in Lisbon sued broker.", "Broker sued bank in Lisbon."),
        ("Wages rose faster than rents.", "Rents rose faster than wages last year."),
    ],
)
def test_who_did_it_to_whom_is_seen(claim: str, evidence: str) -> None:
    """All words are there, but two have changed places around another one."""
    assert swaps(claim, evidence)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The bank sued the broker.", "The bank sued the broker over the loan."),
        ("The bank sued the broker.", "The broker was sued by the bank."),
        ("The broker was sued by the bank.", "The bank sued the broker."),
        ("The bank sued the broker.", "The broker sued the bank. Then the bank sued the broker."),
        ("The bank blamed the broker.", "The broker sued the bank."),
        ("Ana married Ben.", "Ben married Ana."),
        ("Peru has a border with Chile.", "Chile has a border with Peru."),
        ("31% of 900 people asked agreed.", "When 900 people were asked, 31% of them agreed."),
        ("In May the shop opened.", "The shop opened in May."),
        ("Riots resulted from high prices.", "High prices resulted in riots."),
        ("Salt was not dearer in 1803 than in 1802.", "Salt was dearer in 1802 than in 1803."),
        ("More than 40 of the 60 members came.", "Of the 60 members, more than 40 came."),
        ("In 1802 salt was dearer than flour.", "Salt was dearer than flour in 1802."),
        ("Dogs bite.", "Bite dogs."),
        ("Ann, the CEO of Acme, founded Beta.", "Acme CEO Ann founded Beta."),
        ("The Oslo hotel manager called.", "The manager of the hotel in Oslo called."),
        ("It closes at 14:00 on Saturday.", "Day: Saturday; Opens: 10:00; Closes: 14:00."),
        ("", "The bank sued the broker."),
        ("The bank sued the broker.", ""),
    ],
)
def test_what_says_the_same_is_none(claim: str, evidence: str) -> None:
    """Another voice, what is true of both, numbers but for compared ones, denials, and any sentence in its order."""
    assert not swaps(claim, evidence)


@given(st.lists(st.sampled_from(["bank", "broker", "sued", "the", "by", "was", ".", "2"]), max_size=24).map(" ".join))
def test_no_text_swaps_itself(text: str) -> None:
    """A text has its own words in their order."""
    assert not swaps(text, text)


HOURS = "The shop opens at 9 a.m. and closes at 6 p.m. every day."
LIFE = "The bridge was begun in 1933 and was opened in 1937."


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The shop closes at 9 a.m.", HOURS),
        ("It opens at 6.", HOURS),
        ("The bridge was begun in 1937.", f"It is long. {LIFE}"),
        (
            "Rents rose by 4%.",
            "The rents rose by 2%, and the wages fell by 4%.",
        ),
        ("He became its director in 2001.", "He joined the firm in 2001 and became its director in 2010."),
    ],
)
def test_a_number_of_another_part_is_seen(claim: str, evidence: str) -> None:
    """The part with the claim's words has a number of its own in its place."""
    assert misplaces(claim, evidence)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The shop closes at 6 p.m.", HOURS),
        ("The shop closes at 9 a.m.", f"{HOURS} In winter the shop closes at 9 a.m."),
        ("The shop closes at 8 p.m.", HOURS),
        ("The shop closes 6 hours after 9.", HOURS),
        ("The shop closes.", HOURS),
        ("Sales rose from 4 million.", "Sales were 4 million in 2022 and rose to 5 million in 2023."),
        ("Ana founded and sold the firm in 2010.", "Ana founded the firm in 1998 and sold it in 2010."),
        ("It was opened in 40 countries.", "It was begun in 40 countries and was opened in 1937."),
        ("The bridge was begun in 1937.", "The bridge was begun in haste and was opened in 1937."),
        ("", HOURS),
        ("It closes at 9.", ""),
    ],
)
def test_a_number_in_its_place_is_none(claim: str, evidence: str) -> None:
    """Nor is one that no part has, one of several, and one that the other part has no like of."""
    assert not misplaces(claim, evidence)


@pytest.mark.parametrize(
    ("active", "passive"),
    [
        ("The bank sued the broker.", "The broker was sued by the bank in March."),
        (
            "Knut Lie founded the museum.",
            "It is old. The Harbour Museum was founded in 1962 by the shipowner Knut Lie.",
        ),
        ("Owen Rees translated the novel.", "The novel, written by Ann Lee, was translated into Welsh by Owen Rees."),
        ("The minister approved the report.", "The report was reviewed by the board and approved by the minister."),
        ("A wolf bit the dog.", "The dog has been bitten by a wolf. The cat was seen by a dog."),
        ("Holm beat the champion.", "The champion was beaten by Holm in May."),
        ("Dr. Berg supervised the study.", "The study of 2019 was supervised by Dr. Berg."),
    ],
)
def test_who_did_it_is_the_same_in_the_other_voice(active: str, passive: str) -> None:
    """Whichever of the two the claim has; and it is another one if the words stay where they are."""
    assert turns(active, passive) is turns(passive, active) is Turned.RIGHTLY
    left, verb, right = active.removesuffix(".").partition(f" {active.split()[-3]} ")
    turned = f"{right} {verb.strip()} {left}.".capitalize()
    assert turns(turned, passive) is turns(passive, turned) is Turned.WRONGLY


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        # What is done has "by" of its own behind it, or a part of both.
        ("The buyer was warned by the seller.", "The buyer warned the seller against claims by third parties."),
        ("Dr. Berg was consulted by Dr. Lund.", "Dr. Berg consulted Dr. Lund."),
        # Who did it stands behind somebody else.
        ("The patient was sent to Dr. Berg by Dr. Lund.", "Dr. Berg sent the patient to Dr. Lund, who was away."),
        ("Dr. Berg's book was reviewed by Ann Lee.", "Dr. Berg reviewed the book of Ann Lee."),
    ],
)
def test_somebody_else_did_it(claim: str, evidence: str) -> None:
    """Also where the words that tell are not all of those around the verb."""
    assert turns(claim, evidence) is Turned.WRONGLY


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The minister reviewed the report.", "The report was reviewed by the board and approved by the minister."),
        ("The broker was sued by the bank.", "The bank was sued by the broker."),
        ("The bank sued the broker.", "The broker sued the bank."),
        ("The bank sued.", "The broker was sued by the bank."),
        ("The bank and the broker sued the bank.", "The broker was sued by the bank."),
        ("The bank sued the broker.", "The bank was sued by the broker. The broker was sued by the bank."),
        ("The broker was sued by the bank.", "The broker, sued by the bank in March, paid."),
        ("The broker sued by the bank paid.", "The broker was sued in March by the bank."),
        ("The hall stood by the river.", "The river was crossed by the hall."),
        ("The heating is paid by the tenant.", "The landlord pays for repairs, the tenant for the heating."),
        ("The clerk refused labels.", "Labels are refused by machines, not by the clerk."),
        ("The film was directed by Ann Lee.", "In May she directed the film of Ann Lee."),
        ("The film was made by using dolls.", "Lee made a film using dolls."),
        ("", "The broker was sued by the bank."),
        ("The bank sued the broker.", ""),
    ],
)
def test_no_voice_is_turned(claim: str, evidence: str) -> None:
    """Of another verb, in one voice, where somebody is on both sides, or where sentences say both."""
    assert turns(claim, evidence) is None
