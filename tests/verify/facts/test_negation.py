"""Denials of what the evidence says."""

from itertools import product

import pytest

from secondpass.verify.facts.check import check_facts


def _denies(claim: str, evidence: str) -> bool:
    return any(item.kind == "negation" for item in check_facts(claim, evidence).mismatches)


class TestNegation:
    @pytest.mark.parametrize(
        ("claim", "evidence"),
        [
            ("The bill was not passed.", "The bill was passed."),
            ("The bill was passed.", "The bill wasn\u2019t passed."),
            ("The old town has no walls.", "The old town has walls."),
            ("The engine never started.", "The engine started."),
            ("He failed to win the cup.", "He won cups. He did win the cup."),
            ("She is unable to swim.", "She is able to swim."),
            ("She no longer lives in the house.", "She lives in the house."),
            ("The cause is unknown.", "The cause is known."),
            ("The method is accurate.", "The method is inaccurate."),
            ("None of the boats sank.", "The boats sank."),
            ("The law was passed.", "The law has yet to be passed."),
            ("The hall is not yet open.", "The hall is open."),
            ("The fee is paid unless the tour is cancelled.", "If the tour is cancelled, the fee is paid."),
            ("The lake hardly freezes.", "The lake freezes."),
            ("The pass is not 5 km long.", "The pass is 5 km long."),
            ("The bill failed to pass.", "The bill did pass."),
            ("The old man is dishonest.", "The old man is honest."),
            ("The old trade is illegal.", "The old trade is legal."),
        ],
    )
    def test_is_seen(self, claim: str, evidence: str) -> None:
        """Particles, verbs of failing and prefixes deny, on either side."""
        assert _denies(claim, evidence)
        assert _denies(evidence.split(". ")[-1], claim)

    @pytest.mark.parametrize("verb", ["denied reports", "refuted", "disputed claims"])
    def test_what_somebody_denies_is_denied(self, verb: str) -> None:
        """A claim says what the evidence only says to be denied."""
        assert _denies("The mayor resigned.", f"The mayor {verb} that she had resigned.")

    @pytest.mark.parametrize(
        ("claim", "evidence"),
        [
            ("He did not fail to win the cup.", "He did win the cup."),
            ("The cause is not known.", "The cause is unknown."),
            ("It is not unfair.", "It is fair."),
            ("It is not good.", "It is bad."),
            ("The mayor denied that she had resigned.", "The mayor denied claims that she resigned."),
            ("Hard work, not luck, brought success.", "Hard work rather than luck brought success."),
            ("The law has not been passed.", "The law has yet to be passed."),
            ("The board has not yet voted on it.", "The mayor agreed, but the board has yet to vote on it."),
            ("The hall isn't open yet.", "The hall is not yet open."),
            ("The gate shuts if nobody holds the lever.", "Unless somebody holds the lever, the gate shuts."),
            ("The gate does not shut if the lever is held.", "Unless the lever is held, the gate shuts."),
            ("Guests pay unless they are members.", "Guests pay unless they are members."),
            ("Members may object to the plan.", "Unless members object, the plan is adopted."),
            ("It rained, yet the tour was held.", "The tour was held."),
            ("It is not the same boat.", "It is the other boat."),
            ("It was not only cheap but light.", "It was cheap and light."),
            ("He played in spring.", "He played in spring but did not play in autumn."),
            ("He does not smoke.", "He does not drink or smoke."),
            ("The soup has no salt.", "The soup does not contain any salt."),
            ("They may have a centre line.", "They may or may not have a centre line."),
            ("The islands have no roads or bridges.", "The islands have no roads, bridges or other works."),
            ("The house is number 5.", "The house is no. 5."),
            ("It is no. 5 of the list.", "It is 5 of the list."),
            ("The room is no 5 today.", "The room is 5 today."),
            ("The exam failed him.", "The exam did him."),
            ("The old town is inland.", "The old town is land."),
            ("The old town is distant.", "The old town is tant."),
            ("The old key is undo.", "The old key is do."),
            ("It rains without end.", "It rains with end."),
            ("The dog barked.", "Nobody in the village had heard of the new dog when the mayor left."),
            ("Le chat n'est pas noir dans la maison.", "Le chat est noir dans la maison."),
        ],
    )
    def test_is_not_seen_where_there_is_none(self, claim: str, evidence: str) -> None:
        """Two denials make none, other words may make up for one, and a denial reaches as far as its clause."""
        assert not _denies(claim, evidence)

    def test_pages_about_a_function(self) -> None:
        """A page names its function in the heading and says "it" below; a ValueError is an error."""
        page = "ZipFile.testzip()\nReads all the files. Calling it on a closed archive raises a ValueError."
        assert _denies("Calling testzip() on a closed archive does not raise an error.", page)
        assert not _denies("Calling testzip() on a closed archive raises an error.", page)
        assert not _denies("Calling extract() on a closed archive does not raise an error.", page)
        other = page.replace("Calling it", "Calling open()")
        assert not _denies("Calling testzip() on a closed archive does not raise an error.", other)

    def test_names_both_sentences(self) -> None:
        """The finding holds the claim's sentence and the one of the evidence that says otherwise."""
        (found,) = check_facts("The bill was not passed.", "It rained. The bill was passed. We left.").mismatches
        assert (found.claim, found.evidence) == ("The bill was not passed.", "The bill was passed.")

    @pytest.mark.parametrize(
        ("claim", "evidence", "denies"),
        [
            ("The drug is safe.", "The drug is unsafe.", True),
            ("The drug is unsafe.", "The drug is safe.", True),
            ("The drug is not safe.", "The drug is unsafe.", False),
            ("The rumour is untrue.", "The rumour is true.", True),
            ("The lace is united.", "The lace is ited.", False),
        ],
    )
    def test_prefixes_before_short_words(self, claim: str, evidence: str, denies: bool) -> None:
        """So "unsafe" denies "safe", though other words of so few letters are not looked for behind a prefix."""
        assert _denies(claim, evidence) is denies

    def test_very_many_denials_take_linear_time(self) -> None:
        """A sentence that denies eight thousand things is compared with one that denies and says them all."""
        things = list(map("".join, product("bcdfghjklmnpqrstvwxz", repeat=3)))
        claim = "; ".join(f"there is no {thing} in the house" for thing in things)
        assert not _denies(claim, "; ".join(f"there is a {thing} in the house, and no {thing}" for thing in things))
