"""Bare answers to questions, as sentences."""

import pytest

from secondpass.verify.claims.replies import as_statement, needs_question


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Is membership free for residents?", "Membership is free for residents."),
        ("Are pets allowed in the hall?", "Pets are allowed in the hall."),
        ("Is the price of the ticket 5 euros?", "The price of the ticket is 5 euros."),
        ("Can I return an item?", "I can return an item."),
        ("Was Anna Berg the director?", "Anna Berg was the director."),
        ("Has the old bridge been closed?", "The old bridge has been closed."),
        ("Is Paris the capital of France?", "Paris is the capital of France."),
        ("Will it be open in May?", "It will be open in May."),
        ("So, does it rain?", "It rains."),
        ("Does the lift stop in the cellar?", "The lift stops in the cellar."),
        ("Does a ticket of the second class cost 9 euros?", "A ticket of the second class costs 9 euros."),
        ("Does the lease cover repairs?", "The lease covers repairs."),
        ("Does this apply to guests?", "This applies to guests."),
        ("Does the shop still have bread?", "The shop still has bread."),
        ("Do most trains run on time?", "Most trains run on time."),
        ("Did Anna Berg paint the bridge?", "Anna Berg painted the bridge."),
        ("Did the Danes build it?", "The Danes built it."),
        ("Does the pump switch off at 40 bar?", "The pump switches off at 40 bar."),
        ("Isn't the pool heated?", "The pool is heated."),
        ("Can\u2019t I pay in cash?", "I can pay in cash."),
        ("Was the tower built in 1889?", "The tower was built in 1889."),
        ("Are the tickets sold online?", "The tickets are sold online."),
        ("Is the data set free?", "The data set is free."),
        ("Are Tom and the Bergs married?", "Tom and the Bergs are married."),
        ("Is the tower taller than the bridge?", "The tower is taller than the bridge."),
        ("Is this covered by the lease?", "This is covered by the lease."),
        ("Is that the right form?", "That is the right form."),
        ("Is this building open?", "This building is open."),
        ("Is water damage covered?", "Water damage is covered."),
        ("Is tap water safe to drink?", "Tap water is safe to drink."),
        ("Is beer best served cold?", "Beer is best served cold."),
        ("Can late fees be charged?", "Late fees can be charged."),
        ("Is Windows 11 free?", "Windows 11 is free."),
        ("Is the iPhone 15 waterproof?", "The iPhone 15 is waterproof."),
        ("Is the VAT 19 percent?", "The VAT is 19 percent."),
        ("Are there any fees?", "There are fees."),
    ],
)
@pytest.mark.parametrize(
    "reply", ["Yes", "yes.", "Correct.", "That's right!", "Yes, it is.", "You can.", "Certainly!", "Yes, absolutely."]
)
def test_yes_is_what_was_asked(question: str, statement: str, reply: str) -> None:
    """The verb goes behind its subject, and "do" goes."""
    assert as_statement(question, reply) == statement


@pytest.mark.parametrize(
    "reply", ["No", "No.", "That is not true.", "No, it isn't.", "It does not.", "They can\u2019t.", "No, not at all."]
)
def test_no_denies_it(reply: str) -> None:
    """The verb is denied, and "do" stays with its "not"."""
    assert as_statement("Is the hall open?", reply) == "The hall is not open."
    assert as_statement("Is Paris in Spain?", reply) == "Paris is not in Spain."
    assert as_statement("Do dogs travel free?", reply) == "Dogs do not travel free."
    assert as_statement("Does the lift stop in the cellar?", reply) == "The lift does not stop in the cellar."
    assert as_statement("Didn't the Danes build it?", reply) == "The Danes did not build it."


def test_who_it_is_stands_before_the_verb() -> None:
    """The reply takes the place of "who", where that is the subject."""
    assert as_statement("Who founded the company?", "Johan Brekke.") == "Johan Brekke founded the company."
    assert as_statement("Who may apply?", "All members") == "All members may apply."
    assert as_statement("Who was Anna Berg?", "A painter.") == "Anna Berg was a painter."
    assert as_statement("Who was Lord Mayor?", "Anna Berg") == "Anna Berg was Lord Mayor."
    assert as_statement("Who did they hire?", "Anna Berg") == ""
    assert as_statement("Who was she married to?", "Anna Berg") == ""
    assert as_statement("Who founded it?", "It was founded by a man from Oslo.") == ""


@pytest.mark.parametrize(
    "reply", ["Unknown.", "Not stated.", "I don't know.", "It was Berg.", "Berg did.", "Berg founded it.", "Thanks!"]
)
def test_who_it_is_is_no_sentence_and_no_refusal(reply: str) -> None:
    """Only a name, or other words for somebody, stand before the verb: a refusal is none."""
    assert as_statement("Who founded it?", reply) == ""
    assert as_statement("Who founded it?", "Those who signed first.") == "Those who signed first founded it."


def test_what_announces_an_answer_is_none_of_it() -> None:
    """It is read as what stands behind it: yes, no, or who it is."""
    assert as_statement("Is it open?", "The answer is no.") == "It is not open."
    assert as_statement("Is it open?", "Answer: **Yes**") == "It is open."
    assert as_statement("Who founded it?", "So the answer is Anna Berg.") == "Anna Berg founded it."
    assert as_statement("Who knows?", "The answer is, of course, unclear here to all.") == ""


def test_what_must_not_be_done_is_another_thing() -> None:
    """Whoever does not have to pay may."""
    assert as_statement("Must guests pay a deposit?", "No.") == "Guests need not pay a deposit."
    assert as_statement("Must guests pay a deposit?", "Yes.") == "Guests must pay a deposit."


@pytest.mark.parametrize(
    ("reply", "statement"),
    [
        ("Yes, at 9:30 a.m.", "It opens on Sunday, at 9:30 a.m."),
        ("Yes \u2013 for members only!", "It opens on Sunday, for members only."),
        ("No, not before ten.", "It does not open on Sunday, not before ten."),
        ("Yes: 10 to 12", "It opens on Sunday, 10 to 12."),
    ],
)
def test_what_is_added_to_yes_or_no_stays_with_it(reply: str, statement: str) -> None:
    """A part of a sentence alone would be true of too much."""
    assert as_statement("Does it open on Sunday?", reply) == statement


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("When does it close?", "Yes."),
        ("Is it open?", "At ten."),
        ("Could you please explain the rule?", "Certainly!"),
        ("Can you tell me whether it is open?", "Yes."),
        ("Is it open?", "Yes, members get in at ten."),
        ("Is it open?", "Yes, on all days of the week but Monday and Tuesday."),
        ("Is it open?", "Perhaps, at ten."),
        ("It is open?", "Yes."),
        ("Is?", "Yes."),
        ("Does the customer support team answer calls?", "Yes."),
        ("", "Yes."),
        ("Is " + "a" * 500 + "?", "Yes."),
    ],
)
def test_anything_else_is_none(question: str, reply: str) -> None:
    """Other questions, and replies that say something by themselves, are left alone."""
    assert as_statement(question, reply) == ""


@pytest.mark.parametrize(
    ("question", "reply", "needed"),
    [
        ("When is it open?", "Ten to six", True),
        ("Is it open?", "Only in May", True),
        ("When is it open?", "From May to the end of June", True),
        ("In which months is it open?", "May, June and the first half of July.", True),
        ("Why was it closed?", "Because of the fire in the attic", True),
        ("Is it open?", "From May to the end of June", False),
        ("When is it open?", "In May it is open daily.", False),
        ("When is it open?", "The gate opens at ten.", False),
        ("How do I open it?", "On the back, press the blue button.", False),
        ("When is it open?", "In May: ten to six", False),
        ("What does it cost?", "With annual billing you save 20%.", False),
        ("Who is it for?", "For you and all of your friends", True),
        ("When is it open?", "From 9:30 to 17:00 every day", True),
        ("When is it open?", "From May to the end of June and from August to October", False),
        ("", "In May", False),
        ("What is the capital?", "The answer is Oslo.", True),
        ("What is the capital?", "Final answer: it is Oslo.", True),
        ("What is the capital?", "The answer to that is Oslo.", False),
        ("", "The answer is Oslo.", False),
    ],
)
def test_what_is_no_sentence_needs_its_question(question: str, reply: str, needed: bool) -> None:
    """Few words always do, and some more if they are a part of a sentence that the question begins."""
    assert needs_question(question, reply) is needed


@pytest.mark.parametrize(
    ("question", "statement"),
    [
        ("Is the fee for late payment 5 euros?", "The fee for late payment is 5 euros."),
        ("Is the fee in May 5 euros?", "The fee in May is 5 euros."),
        ("Are the opening hours on Sundays 10 to 4?", "The opening hours on Sundays are 10 to 4."),
        ("Is the deadline for applications 30 June?", "The deadline for applications is 30 June."),
        ("Is the warranty on the battery two years?", "The warranty on the battery is two years."),
        ("Is the charge for a second bag $30?", "The charge for a second bag is $30."),
        ("Is the room on floor 3 free?", "The room on floor 3 is free."),
        ("Are children under 12 free?", "Children under 12 are free."),
        ("Is the entrance to the old swimming pool free?", "The entrance to the old swimming pool is free."),
        ("Is the person in the room a doctor?", "The person in the room is a doctor."),
        ("Was the bridge over the river built in 1912?", "The bridge over the river was built in 1912."),
        ("Has the fee for members gone up?", "The fee for members has gone up."),
        ("Is the price for adults higher than that for men?", "The price for adults is higher than that for men."),
        ("Is the bus to the old town late?", "The bus to the old town is late."),
        ("Should the tenant of the flat pay for water?", "The tenant of the flat should pay for water."),
        ("Can guests with dogs enter the garden?", "Guests with dogs can enter the garden."),
        ("Can the deposit for the flat be refunded?", "The deposit for the flat can be refunded."),
        # All there is behind the noun is what is said.
        ("Is the office in the new building?", "The office is in the new building."),
        ("Is the meeting on May 5?", "The meeting is on May 5."),
        ("Is the meeting on Monday 5 May?", "The meeting is on Monday 5 May."),
        ("Is Anna in Paris on business?", "Anna is in Paris on business."),
        ("Is the book by Tom Hansen from 2012?", "The book is by Tom Hansen from 2012."),
    ],
)
def test_phrases_between_a_noun_and_what_is_said_of_it(question: str, statement: str) -> None:
    """They belong to the noun if something else follows that can be said of it."""
    assert as_statement(question, "Yes.") == statement


def test_what_limits_a_yes_goes_with_it() -> None:
    """A part of a sentence behind "but" is one as well."""
    statement = as_statement("Can guests use the sauna?", "Yes, but only for an hour.")
    assert statement == "Guests can use the sauna, but only for an hour."


@pytest.mark.parametrize(
    ("question", "reply", "statement"),
    [
        ("When was the museum founded?", "2004", "The museum was founded in 2004."),
        ("When was Anna Berg born?", "In 1951.", "Anna Berg was born in 1951."),
        ("In what year did the war end?", "1945", "The war ended in 1945."),
        ("When did the caf\u00e9 open?", "May 2004", "The caf\u00e9 opened in May 2004."),
        ("When did the caf\u00e9 open?", "5 May 2004", "The caf\u00e9 opened on 5 May 2004."),
        ("When does it close?", "14:00", "It closes at 14:00."),
        ("On which day is the mill closed?", "Sunday", "The mill is closed on Sunday."),
        ("Which days does it open late?", "Tuesdays", "It opens late on Tuesdays."),
        ("In which month did the war end?", "May", "The war ended in May."),
        ("What date is the deadline?", "30 June", "The deadline is on 30 June."),
        ("Which day is best?", "Sunday", ""),
        ("When is it open?", "May to October", "It is open May to October."),
        ("Where does Tom live?", "Oslo", "Tom lives in Oslo."),
        ("Where is the old mill?", "Near Bern", "The old mill is near Bern."),
        ("How long is the bridge?", "310 m", "The bridge is 310 m long."),
        ("How long does it take?", "Two days", "It takes two days."),
        ("How often does the bus run?", "Every hour", "The bus runs every hour."),
        ("How much does coffee cost?", "3 euros", "Coffee costs 3 euros."),
        ("How many rooms does the house have?", "12", "The house has 12 rooms."),
        ("How many rooms does it have in the attic?", "Two rooms", ""),
        ("What does the shop sell?", "Prints", "The shop sells Prints."),
        ("What is the default timeout?", "30 seconds", "The default timeout is 30 seconds."),
        ("What is the price of the ticket?", "3 euros", ""),
        ("What happens if it fails?", "A retry", ""),
        ("How many people came?", "12", ""),
        ("When does it close?", "Yes.", ""),
        ("When does it close?", "It closes at two.", ""),
        ("When does it close?", "In May: at two", ""),
        ("When does it close?", "I don't know.", ""),
    ],
)
def test_a_few_words_stand_in_the_place_of_what_was_asked_for(question: str, reply: str, statement: str) -> None:
    """A year, a place or a number is said of what the question is about, where it is clear what that is."""
    assert as_statement(question, reply) == statement
