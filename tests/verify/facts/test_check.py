"""Facts of a claim against a text: found, different, missing."""

import pickle
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpass.errors import InputError
from secondpass.verify.facts.check import FEATURES, FactCheck, Facts, check_facts, facts_of, read_facts
from secondpass.verify.types import Mismatch
from tests.verify.steps import steps

ANY_TEXT = st.text(st.characters(), max_size=300)
# Texts made of what the rules look at reach further into them than random characters do.
WORDS = (
    "in 1990 May 12 , . ; ( ) - \u2013 to from and or half a hundred dozen third 5 3.5 1,000 km % $ \u20ac \u00b0C "
    "not no n't never fail unknown known Alice Smith J. U.S. NASA of de Python 3.11 World War II century BC at "
    "least more than about first second [1] COVID-19 10:30 '90s s \u00bd / + \ud800 \u00e9 \u6771\u4eac The is "
    "wasn't able unable a quarter hour point points couple several hundreds million twice once times per day odd plus"
)
PIECES = st.lists(
    st.sampled_from([*WORDS.split(), "\n\n"]),
    max_size=40,
).map(" ".join)


def _found(claim: str, evidence: str) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    check = check_facts(claim, evidence)
    mismatches = [(item.kind, item.claim, item.evidence) for item in check.mismatches]
    return mismatches, [(item.kind, item.claim) for item in check.missing]


class TestMismatches:
    @pytest.mark.parametrize(
        ("claim", "evidence", "expected"),
        [
            ("The tower is 300 m tall.", "The old tower is 324 metres tall.", ("number", "300 m", "324 metres")),
            ("The cart has four wheels.", "The cart has six wheels.", ("number", "four", "six")),
            ("The path is 5 km long.", "The path is 5 miles long.", ("unit", "5 km", "5 miles")),
            (
                "The bank cut its rate by two points.",
                "The bank cut its rate by half a point.",
                ("number", "two", "half"),
            ),
            (
                "The film lasts two hours.",
                "The film lasts an hour and a half.",
                ("number", "two hours", "an hour and a half"),
            ),
            (
                "The board meets once a year.",
                "The board meets every six months.",
                ("number", "once", "every six months"),
            ),
            ("It closes at half past seven.", "It closes at 18:30.", ("number", "half past seven", "18:30")),
            (
                "The pump is oiled every 6 weeks.",
                "The pump is oiled every 6 days.",
                ("unit", "every 6 weeks", "every 6 days"),
            ),
            ("The house costs 1.2m euros.", "The house costs 1.3m euros.", ("number", "1.2m euros", "1.3m euros")),
            ("Take one pill twice a day.", "Take one pill three times a day.", ("number", "twice", "three times")),
            ("The cart has four wheels.", "The cart has six wheels and several seats.", ("number", "four", "six")),
            ("The stone weighs 5 kg.", "The stone weighs 5 pounds.", ("unit", "5 kg", "5 pounds")),
            ("She came in third in the race.", "She came in fourth in the race.", ("number", "third", "fourth")),
            ("It was built in 1950.", "It was built in 1951 by monks.", ("date", "1950", "1951")),
            ("The shop opened in May 2019.", "The shop opened in June 2019.", ("date", "May 2019", "June 2019")),
            ("They met on Monday.", "They met on Tuesday.", ("date", "Monday", "Tuesday")),
            ("The town lies in Italy.", "The town lies in Spain.", ("name", "Italy", "Spain")),
            (
                "Old big red towns lie in Italy.",  # three words of five are shared
                "Red towns lie in Spain.",
                ("name", "Italy", "Spain"),
            ),
            ("He wrote to Jane Smith daily.", "He wrote to John Smith daily.", ("name", "Jane Smith", "John Smith")),
            ("It came with Python 3.11.", "It came with Python 3.10.", ("number", "Python 3.11", "Python 3.10")),
            ("They fought in World War II.", "They fought in World War I.", ("number", "War II", "War I")),
        ],
    )
    def test_another_fact_in_the_same_place(self, claim: str, evidence: str, expected: tuple[str, str, str]) -> None:
        """Each kind is found, with the words of both sides."""
        assert _found(claim, evidence) == ([expected], [])

    @pytest.mark.parametrize(
        ("claim", "evidence", "missing"),
        [
            ("The tower is 300 m tall.", "The tower is made of iron.", ("number", "300 m")),
            ("The tower is 300 m tall.", "Its guards saw a lake 5 km wide.", ("number", "300 m")),
            ("The tower is 300 m tall.", "The tower is 250 to 350 m tall.", ("number", "300 m")),
            ("It was built in 1950.", "The monks left the valley in 1951.", ("date", "1950")),
            ("It was built on 12 May 1950.", "It was built in 1950.", ("date", "12 May 1950")),
            ("The town lies in Italy.", "The town is old.", ("name", "Italy")),
            ("The king met Alice.", "The king met her.", ("name", "Alice")),
            ("It came with Python 3.11.", "It came with a book.", ("number", "Python 3.11")),
            ("There were 450 people.", "There were hundreds of people.", ("number", "450")),
            ("Three people were hurt.", "Several people were hurt when two people fought.", ("number", "Three")),
            ("The bank cut it by half a point.", "The bank cut it by 50 basis points.", ("number", "half")),
            ("Take one pill twice a day.", "Take one pill 13 times a week.", ("number", "twice")),
            ("They left at 8:50 in the morning.", "They left in the morning.", ("number", "8:50 in the morning")),
            ("There were 250 people there.", "There were two or three hundred people there.", ("number", "250")),
            ("40% of the team was ill.", "Half the team was ill.", ("number", "40%")),
            ("It was built in 1950 and sold in 1960.", "It was built in 1960.", ("date", "1950")),
            ("The king met Alice.", "The king saw Bob.", ("name", "Alice")),
            ("It fell in the 1700s.", "1700 people saw it.", ("date", "1700s")),
        ],
    )
    def test_what_is_not_there_is_missing(self, claim: str, evidence: str, missing: tuple[str, str]) -> None:
        """Without another fact in the same place, or with a vaguer one, nothing is denied."""
        mismatches, found = _found(claim, evidence)
        assert mismatches == []
        assert missing in found

    @pytest.mark.parametrize(
        ("claim", "evidence"),
        [
            ("She ran 1 km.", "She ran 1000 metres."),
            ("About 1.2 million people live there.", "There live 1,234,567 people."),
            ("It took between 5 and 10 days.", "It took 5 days in summer and 10 days in winter."),
            ("In 2019 it rained.", "On 12 May 2019 it rained."),
            ("It fell in 1700.", "1700 people saw it fall."),
            ("On 12 May 2019 it rained.", "In 2019 we met. On 12 May it rained."),
            ("He died in 1990.", "He was born in 1950 and died in 1990."),
            ("From 1990 to 1995 she taught.", "She taught in 1990-95."),
            ("There were 2,000 guests in the hall.", "There were 2000 in the hall."),
            ("The U.S. army left.", "The United States army left."),
            ("They drove Alice's car.", "It is the car of Alice."),
            ("It came with Python 3.11.", "Version 3.11 of Python was there."),
            ("She saw one of them.", "She saw two of them."),
            ("It lies 20 miles away.", "It lies 32 km (20 mi) away."),
            ("Use utf-8 and os.path.", "Use utf-16 and os.walk."),
            ("The film lasts one and a half hours.", "The film lasts one-and-a-half hours."),
            ("He waited 15 minutes at the gate.", "He waited a quarter of an hour at the gate."),
            ("The town has 250,000 people.", "The town has a quarter of a million people."),
            ("They left at a quarter to nine in the morning.", "They left at 8:45 in the morning."),
            ("They left at 8:45 in the morning.", "They left at a quarter to nine in the morning."),
            ("It closes at half past six in the evening.", "It closes at 18:30."),
            ("It closes at six o'clock.", "It closes at 6 p.m."),
            ("Reports are due every quarter.", "Reports are due every three months."),
            ("The number of users grew to 3.5m.", "The number of users grew to 3.5 million."),
            ("Reports are due every quarter.", "Reports are due four times a year."),
            ("Take one pill twice a day.", "Take one pill 14 times a week."),
            ("The house costs 1.2m euros.", "The house costs \u20ac1,200,000."),
            ("The total was 1,250 euros.", "The total was 1 , 250 euros ."),
            ("It took two days.", "It took a couple of days."),
            ("It took a couple of days.", "It took nine days."),
            ("There were hundreds of people in the hall.", "There were 3 people in the hall."),
            ("Half the team was ill.", "40% of the team was ill."),
            ("50% of the team was ill.", "Half of the team was ill."),
            ("It takes a second to load the page.", "The first time it takes a while to load the page."),
            ("Help is there 24/7.", "Help is there 24 hours a day, seven days a week."),
            ("Help is there 24 hours a day, 7 days a week.", "Help is there 24/7."),
            ("Open 24/7.", "Open 24 hours a day, seven days a week."),
            ("It is open from 9 to 5 pm.", "It is open from 9am to 5pm."),
            ("It is open from 8 to 10 am.", "It is open from 8am to 10am."),
            ("It is open 8am-10am.", "It is open 8-10am."),
            ("It opens at 9.", "It opens at 09:00."),
            ("It is served from 7 to 10:30 am.", "It is served 7:00 - 10:30."),
            ("It has 4x more memory.", "It has four times more memory."),
            ("It has four times more memory.", "It has 4x more memory."),
            ("It runs at 2x speed.", "It runs at twice the speed."),
            ("Add two eggs.", "Add 2x eggs."),
            ("It has 4.5 out of 5 stars.", "It has 4.5/5 stars."),
            ("It has 4.5/5 stars.", "It has 4.5 out of 5 stars."),
            ("It is open Mon-Fri 9-5.", "It is open Monday to Friday, 9 am to 5 pm."),
            ("It was built in the 80s.", "It was built in the 1980s."),
            ("Bake it at 180 C.", "Bake it at 356 \u00b0F."),
            ("The desk is 120 x 60 cm.", "The desk has a width of 120 cm and a depth of 60 cm."),
        ],
    )
    def test_what_is_there_is_found(self, claim: str, evidence: str) -> None:
        """Other units, roundings, parts and spellings are the same facts."""
        assert _found(claim, evidence) == ([], [])

    @pytest.mark.parametrize(
        ("claim", "evidence", "other"),
        [
            ("It is open from 8 to 5 pm.", "It is open from 9am to 5pm.", "8"),
            ("It has 10x more memory.", "It has twelve times more memory.", "10"),
            ("It has 10x more memory.", "It takes 10 days.", "10"),
            ("It is rated 4.5/5.", "It is rated 4.7 out of 5.", "4.5/5"),
            ("It is rated 4.5 out of 5.", "It is rated 4.7/5.", "4.5"),
            ("It is open Mon-Fri 8-5.", "It is open Monday to Friday, 9 am to 5 pm.", "8"),
            ("The desk is 130 x 60 cm.", "The desk has a width of 120 cm and a depth of 60 cm.", "130"),
        ],
    )
    def test_other_hours_factors_ratings_and_sides_are_missing(self, claim: str, evidence: str, other: str) -> None:
        """What the evidence has otherwise, or of another thing, is not found there."""
        assert ("number", other) in _found(claim, evidence)[1]

    def test_ratings_with_decimals_are_no_rough_shares(self) -> None:
        """Unlike 2/3, which people say for 65 %, 4.5/5 is told from 4.7/5."""
        assert _found("It has 4.5/5 stars.", "It has 4.7/5 stars.")[0] == [("number", "4.5/5", "4.7/5")]

    def test_the_later_of_two_hours_is_compared(self) -> None:
        """Before its am or pm it is one of two times, and not the end of a range of numbers."""
        mismatches, _ = _found("It is open from 8 to 11 am.", "It is open from 8 to 10 am.")
        assert mismatches == [("number", "11 am", "10 am")]

    def test_numbers_of_another_time_deny_nothing(self) -> None:
        """What was counted in another year may well have been another number."""
        mismatches, missing = _found("It sold 500 boats in 1995.", "It sold 600 boats in 1996.")
        assert mismatches == [("date", "1995", "1996")]
        assert missing == [("number", "500")]

    def test_other_languages_are_compared_by_numbers_only(self) -> None:
        """Names and denials are read in English; numbers everywhere."""
        claim, evidence = "Das Auto von Anna ist schnell und kostet 5 Euro.", "Das Auto von Bernd ist nicht schnell."
        assert _found(claim, evidence) == ([], [("number", "5 Euro")])
        assert _found("東京タワーは333メートルです", "東京タワーは333メートルです") == ([], [])

    @pytest.mark.parametrize(
        ("said", "held"),
        [
            ("The tower is {} m tall.", "The tower is 900 m tall."),
            ("The tower fell in {}.", "The tower fell in 1850."),
            ("He wrote to A{} Smith daily.", "He wrote to Bb Smith daily."),
        ],
    )
    def test_of_very_many_the_first_are_looked_into(self, said: str, held: str) -> None:
        """For thirty-two of a kind it is found what stands in their place, and the rest are missing."""
        letters = "abcdefghijklmnopqrstuvwxyz"
        fillers = [f"{letters[at // 26]}{letters[at % 26]}" if "A{" in said else 1900 + at for at in range(35)]
        check = check_facts(" ".join(map(said.format, fillers)), held)
        assert (len(check.mismatches), len(check.missing)) == (32, 3)


class TestFactCheck:
    def test_features_count_by_kind(self) -> None:
        """Counts of mismatches and missing facts, and the share that was found; units count as numbers."""
        mismatches = (Mismatch("unit", "5 km", "5 miles"), Mismatch("negation", "a", "b"))
        check = FactCheck(mismatches, (Mismatch("name", "Italy"),), n_facts=4)
        assert dict(check.features()) == {
            "number_mismatch": 1.0,
            "number_missing": 0.0,
            "date_mismatch": 0.0,
            "date_missing": 0.0,
            "name_mismatch": 0.0,
            "name_missing": 1.0,
            "negation_mismatch": 1.0,
            "facts_found": 0.5,
        }
        assert tuple(check.features()) == FEATURES

    def test_no_facts_are_all_found(self) -> None:
        """A claim without facts lacks none."""
        assert check_facts("It rains a lot.", "").features()["facts_found"] == 1.0

    def test_a_text_is_read_once(self) -> None:
        """Its facts are those of `read_facts`, and the same object whenever it is asked for again."""
        read: dict[str, Facts] = {}
        facts = facts_of("It has 12 rooms.", read)
        assert facts.values == read_facts("It has 12 rooms.").values and 12.0 in facts.values["number"]
        assert facts_of("It has 12 rooms.", read) is facts and list(read) == ["It has 12 rooms."]

    def test_facts_are_read_once_for_many_claims(self) -> None:
        """What was read of a text stands for the text, also after pickling."""
        claim, evidence = "The tower is 300 m tall.", "The tower is 324 metres tall."
        read = pickle.loads(pickle.dumps(read_facts(evidence)))
        assert check_facts(read_facts(claim), read) == check_facts(claim, evidence)

    @pytest.mark.parametrize("bad", [None, 5, b"text"])
    def test_only_texts_have_facts(self, bad: object) -> None:
        """Anything else is refused, with its type."""
        with pytest.raises(InputError, match=type(bad).__name__):
            check_facts("a claim", bad)  # type: ignore[arg-type]


class TestAnyText:
    @given(ANY_TEXT | PIECES)
    def test_a_text_has_its_own_facts(self, text: str) -> None:
        """No text contradicts itself or lacks what it says."""
        check = check_facts(text, text)
        assert (check.mismatches, check.missing) == ((), ())

    @given(ANY_TEXT | PIECES, ANY_TEXT | PIECES)
    def test_any_two_texts_can_be_checked(self, claim: str, evidence: str) -> None:
        """Whatever stands in them, the features are finite, and what is found stands in the texts."""
        check = check_facts(claim, evidence)
        claim, evidence = claim.replace("\ud800", "\ufffd"), evidence.replace("\ud800", "\ufffd")
        assert 0.0 <= check.features()["facts_found"] <= 1.0
        assert all(item.evidence and item.evidence in read_facts(evidence).text for item in check.mismatches)
        assert all(item.claim in read_facts(claim).text for item in (*check.mismatches, *check.missing))

    @given(
        st.integers(2, 900),
        st.integers(2, 900),
        st.sampled_from(["km", "kg", "minutes", "%", "GB", "dollars", "°C", "litres"]),
        st.sampled_from(
            ["The old bridge near the river measures {}.", "Its value rose to {} last winter.", "{} is enough."]
        ),
    )
    def test_a_changed_number_is_found(self, said: int, held: int, unit: str, sentence: str) -> None:
        """In a sentence with a single number, another number is a mismatch, unless it is the same one rounded."""
        claim, evidence = sentence.format(f"{said} {unit}"), sentence.format(f"{held} {unit}")
        assert [item.kind for item in check_facts(claim, evidence).mismatches] == ([] if said == held else ["number"])

    @pytest.mark.parametrize(
        "piece",
        [
            "a'",
            "1,",
            "5-",
            "third or ",
            "hundreds of ",
            "A de ",
            "in 1990 Al Smith did not pay $5. ",
        ],
    )
    def test_long_texts_are_read(self, piece: str) -> None:
        """Two hundred thousand hostile characters are gone through, which only linear time allows for."""
        text = piece * (200_000 // len(piece))
        check = check_facts(text, text)
        assert (check.mismatches, check.missing) == ((), ())

    @pytest.mark.parametrize(
        ("said", "held"),
        [
            ("It holds at most {} apples. ", "It holds at most {}1 apples, not more than {}2. "),
            ("It holds at most {} apples. ", "It holds more than {} apples. "),
            ("It rose by {}1 metres. ", "It rose by {}2 metres. "),
            ("It has {}1 bedrooms. ", "bedrooms: {}1; bathrooms: {}2; "),
            ("He met A{} Smith. ", "He met B{} Smith. "),
        ],
    )
    def test_very_many_facts_are_compared_in_linear_time(self, said: str, held: str) -> None:
        """Twice as many facts on both sides cost about twice as many steps, and not four times as many."""
        counts = []
        for n_facts in (150, 300):
            letters = str.maketrans("0123456789", "bcdfghjklm")
            fillers = [str(at).translate(letters) if "Smith" in said else str(at) for at in range(200, 200 + n_facts)]
            ours, theirs = ("".join(each.replace("{}", filler) for filler in fillers) for each in (said, held))
            counts.append(steps(partial(check_facts, read_facts(ours), read_facts(theirs)), most=10**7))
        assert counts[1] <= 2.6 * counts[0], counts


RATES = "The service has a rate limit of 40 calls per second, uploads are capped at 8 MB, and a team is limited to six."


@pytest.mark.parametrize(
    ("claim", "evidence", "differs"),
    [
        ("The service allows up to 40 calls per second.", RATES, False),
        ("The rate limit is 40 calls per second.", RATES, False),
        ("Uploads may be at most 8 MB.", RATES, False),
        ("A team can have no more than six members.", RATES, False),
        ("The service allows up to 400 calls per second.", RATES, True),
        ("The rate limit is 30 calls per second.", RATES, True),
        ("Uploads may be up to 80 MB.", RATES, True),
        ("A team can have up to 60 members.", RATES, True),
        ("The trial lasts up to 30 days.", "The trial lasts 14 days.", True),
    ],
)
def test_limits_in_other_words(claim: str, evidence: str, differs: bool) -> None:
    """A limit, a cap and a maximum are one; another one, or what is no limit, does not say as much."""
    checked = check_facts(claim, evidence)
    assert [item.kind for item in (*checked.mismatches, *checked.missing)] == ["number"] * differs


@pytest.mark.parametrize(
    ("claim", "is_needed"),
    [
        ("The bridge was painted by a crew of fourteen.", True),
        ("The bridge was painted by a crew of 14.", True),
        ("The bridge was painted in two colours.", False),
    ],
)
def test_what_nobody_counts_is_needed(claim: str, is_needed: bool) -> None:
    """Two things may be counted in the evidence; of fourteen it has to speak."""
    assert bool(check_facts(claim, "The bridge was painted red and white by a crew from Graz.").lacking) is is_needed
