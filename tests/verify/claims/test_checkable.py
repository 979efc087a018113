"""What is not checkable, and that nothing false gets away as such."""

import pytest

from secondpass.verify.claims.checkable import why_no_heading, why_not
from secondpass.verify.claims.split import ClaimStream, split_claims


@pytest.mark.parametrize(
    ("reason", "texts"),
    [
        (
            "it is a question",
            [
                "What is Paris?",
                "So, why is that?",
                "Would you like me to explain more?",
                "Hello, how can I help?",
                "Of course, what is your order number?",
                "Yes, how can I help you?",
                "Q: How long does the guarantee last?",
                "Question 2: Is it free?",
                "Agent: Hello, how can I help you today?",
                "\U0001f914 What do you want to know?",
            ],
        ),
        (
            "it is a greeting, thanks or a closing",
            [
                "Let me explain.",
                "Hi there!",
                "Thank you for your question!",
                "You're welcome!",
                "I hope this helps!",
                "Great question!",
                "Sure!",
                "\U0001f389 Great news!",
                "\U0001f44b\U0001f3fd Hi there!",
                "(Hope this helps!)",
                "Customer: Thanks!",
                "Alright, let's look at it.",
                "Okay.",
                "No problem at all!",
            ],
        ),
        (
            "it is an offer or a request to the reader",
            [
                "Let me know if you have any other questions.",
                "Please let me know if anything is unclear.",
                "If you have any further questions, feel free to ask.",
                "I'd be happy to help with anything else.",
                "See the documentation for more details.",
                "For more information on fees, see the documentation.",
                "\U0001f449 Let me know if anything is unclear.",
                "Please don't hesitate to reach out!",
                "If you need more, just ask.",
                "If you have questions, please contact me.",
                "If you'd like, I can explain it.",
                "Please provide more details.",
                "Could you share some additional context.",
                "Send me the text.",
                "Please rephrase your question.",
                "Sure, let me know if you have any other questions.",
            ],
        ),
        ("it is an opinion", ["In my opinion, Paris is beautiful.", "I think Rome is the most beautiful city."]),
        ("it is an opinion or advice", ["I love Paris.", "I think you should visit it.", "I'd recommend Rome."]),
        (
            "it says that the answer is not known",
            [
                "I don't know.",
                "I\u2019m not sure.",
                "Based on the provided context, I cannot answer this question.",
                "The provided context does not contain information about the population in 1990.",
                "Unfortunately, the passages do not mention his birthplace.",
                "There is no information about this in the context.",
                "The sources that were found do not support an answer.",
                "I don't have that information.",
                "I'm sorry, but the sources don't contain that information.",
                "The passages do not answer that question!",
                "The passages say nothing about fees.",
                "There is nothing on fees.",
                "There isn't anything about this in the sources.",
                "There is no word on the price in the documents.",
                "None of the documents mention the price.",
                "The answer cannot be determined from the context.",
                "This is not covered in the provided context.",
                "It isn't stated.",
                "Well, I don't know the price.",
                "Yes, the passages do not mention it.",
                "The context lacks information about fees.",
                "No information was found.",
                "Not enough information.",
                "N/A",
                "Unknown.",
                "\u26a0\ufe0f I don't have information about this.",
                "(No further information is available.)",
                "[No answer found]",
                "I couldn't find any information on that in the documents.",
            ],
        ),
        (
            "it only introduces what follows",
            [
                "Here are the main points:",
                "Key facts:",
                "Overview",
                "[!NOTE]",
                "To reset the pump, follow these steps:",
                "You can reset it by doing the following:",
                "The steps are as follows:",
                "Based on the provided context, here are the key points:",
                "What is included:",
                "How it works:",
            ],
        ),
        ("there are no words in it", ["\U0001f600", "...", "\u2014"]),
    ],
)
def test_says_why_not(reason: str, texts: list[str]) -> None:
    """Each kind of sentence that claims nothing is named."""
    assert {text: why_not(text) for text in texts} == dict.fromkeys(texts, reason)


@pytest.mark.parametrize(
    "text",
    [
        "I wasn't able to find a date in the documents.",
        "I found no details about the bridge.",
        "I did not see any mention of a tunnel.",
        "I have no information on that.",
        "I lack the context to answer.",
        "There's nothing in the passages about tolls.",
        "There isn't enough context to say.",
        "The toll is not mentioned in the documents.",
        "The depth is not specified.",
        "The harbour's depth isn't mentioned.",
        "The exact depth of the harbour remains unspecified.",
        "No depth is stated.",
        "A maximum age is never mentioned.",
        "Depth: not specified",
        "Depth: N/A",
        "The leaflet does not mention whether you can drink alcohol while taking it.",
        "Unfortunately, the architect's name wasn't given in the text.",
        "Whether cyclists pay isn't stated.",
        "The answer to your question cannot be found in the provided context.",
        "The height can't be inferred from the sources.",
        "It is not possible to answer this from the passages.",
        "It's impossible to tell from the text.",
        "Based on the passages alone, it is unclear whether a toll is due.",
        "No details about the tolls are given in the sources.",
        "No mention of a toll was found.",
        "Neither document mentions a toll.",
        "Nothing in the sources says how high it is.",
        "Nothing about tolls is stated in the context.",
        "The documents fail to mention tolls.",
        "The passages make no reference to tolls.",
        "The context is insufficient to answer this.",
        "The sources you shared do not include the height.",
        "The information provided is not enough to answer.",
        "The documents do not say who built it.",
        "The passages do not tell us where to pay.",
        "Sorry, but I can't help with that based on these texts.",
        "Sorry, I can't answer that from the given context.",
        "I was unable to find that in the documents.",
        "I cannot tell from the text who built it.",
        "Nothing in the passages suggests a toll.",
        "Insufficient context to answer.",
        "Based on the passages, there is no way to tell who built it.",
        "Passage 1 does not mention a toll.",
        "Neither passage 1 nor passage 2 mentions a toll.",
        "The builder is not named in any of the passages.",
        "The text gives no date.",
        "The text never says who built it.",
        "The passage leaves open who built it.",
        "That information is missing from the passages.",
        "No mention is made of a toll.",
        "The policy does not mention pets.",
        "The user manual does not explain how to reset it.",
        "No idea.",
        "It does not say.",
        "The text does not explicitly state the date.",
        "The provided documents do not seem to mention a toll.",
        "The policy doesn't specifically mention pets.",
        "The lease does not mention pets.",
    ],
)
def test_every_form_of_a_refusal(text: str) -> None:
    """It may name what is not told, the sources, or neither."""
    assert why_not(text) == "it says that the answer is not known"


@pytest.mark.parametrize(
    "text",
    [
        "No data is stored on our servers.",
        "No information about members is sold to others.",
        "No evidence was heard at the trial.",
        "None of the documents was signed.",
        "The material does not contain lead.",
        "The information was not given to the police.",
        "It is not possible to cancel online.",
        "It is unclear whether the drug prevents strokes.",
        "The fee is not included in the price.",
        "Theft is not covered by the policy.",
        "Lunch is free and tea is not mentioned in the documents.",
        "Lunch is free and tea is not mentioned.",
        "The first page comes if the size is not specified.",
        "Used when no size is specified.",
        "Towels are not provided.",
        "Parking: not available",
        "The price is not stated but it opens at nine.",
        "The documents are not available in English.",
        "The documents do not say who runs it because it is closed.",
        "I have no siblings.",
        "The policy does not cover pets.",
        "The document gives no right to a refund.",
        "There is no way to tell the twins apart.",
        "The documents are missing from the archive.",
    ],
)
def test_what_only_sounds_like_a_refusal_is_checked(text: str) -> None:
    """What there is none of, or what has not been done, may be a fact."""
    assert why_not(text) == ""


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("I think Paris has 9 million people.", "Paris has 9 million people."),
        ("Here is what I found: the city is old.", "The city is old."),
        ("According to the manual, the city is old.", "The city is old."),
        ("As mentioned in the second passage, it is old.", "It is old."),
        ("As stated in source 2, iOS is old.", "iOS is old."),
        ("Unfortunately I can't answer that, but the city is old.", "The city is old."),
        ("Good news: the city is old.", "The city is old."),
        ("\U0001f389 Good news: the city is old.", "The city is old."),
        ("Quick answer \u2014 the city is old.", "The city is old."),
        ("**Final answer:** the city is old.", "The city is old."),
        ("Please note: the city is old.", "The city is old."),
        ("So, to answer your question: the city is old.", "The city is old."),
        ("Regarding your question, the city is old.", "The city is old."),
        ("Looking at the documents you shared, the city is old.", "The city is old."),
        ("The text that you gave me states that the city is old.", "The city is old."),
        ("In passage 2, it says that the city is old.", "The city is old."),
        ("The key point is that the city is old.", "The city is old."),
        ("I found that the city is old.", "The city is old."),
        ("To summarize: the city is old.", "The city is old."),
        ("As requested, the city is old.", "The city is old."),
        ("According to section 4 of the law, the city is old.", "According to section 4 of the law, the city is old."),
        ("In other words, the city is old.", "The city is old."),
        ("The short answer is yes: the city is old.", "The city is old."),
        ("So the answer is no, the city is old.", "The city is old."),
        ("According to [1], the city is old.", "The city is old."),
        ("According to [1] and [2], the city is old.", "The city is old."),
        ("According to the manual [1], the city is old.", "The city is old."),
        ("Document [1] states that the city is old.", "The city is old."),
        ("[1] states that the city is old.", "The city is old."),
        ("In my opinion, Paris is the capital of Spain.", "Paris is the capital of Spain."),
        ("As far as I know, Paris is in Spain.", "Paris is in Spain."),
        ("Did you know that Paris has 9 million people?", "Paris has 9 million people."),
        ("According to the context, Paris is in Spain.", "Paris is in Spain."),
        ("The context says that Paris is in Spain.", "Paris is in Spain."),
        ("Yes, Paris is in Spain.", "Paris is in Spain."),
        ("It is worth noting that Paris is in Spain.", "Paris is in Spain."),
    ],
)
def test_a_hedge_goes_and_the_rest_is_checked(sentence: str, text: str) -> None:
    """What says only whose a claim is, or how sure, is taken off; the claim stands where the whole sentence does."""
    (claim,) = split_claims(sentence)
    assert (claim.text, claim.checkable, claim.start, claim.end) == (text, True, 0, len(sentence))


@pytest.mark.parametrize(
    "text",
    [
        "Paris has 9 million people, right?",
        "Isn't Paris the capital of Spain?",
        "Are you aware that Paris has nine million people?",
        "Thanks for asking, Paris has nine million people.",
        "Hope this helps, Paris has nine million people.",
        "Let me know if you need more, since Paris has nine million people.",
        "Let me know if you have questions, Paris has nine million people.",
        "If you want to know more, I can tell you Paris is in Spain.",
        "Feel free to visit Paris, which has nine million people.",
        "Hello, Paris has nine million people!",
        "I don't know, but Paris has nine million people.",
        "The documents do not mention Paris, but it is in Spain.",
        "I love that Paris has nine million people.",
        "I don't think Paris has nine million people.",
        "Here is why: Paris has nine million people.",
        "It is not available in stores.",
        "This is not included.",
        "There is no charge for delivery.",
        "There is no evidence that Paris is in Spain.",
        "We cannot guarantee delivery.",
        "A reset deletes your files and takes the following steps:",
        "Python has three kinds of loops:",
        "Set the timeout to thirty seconds.",
        "You should set the timeout to thirty seconds.",
        "The function does not return a list.",
        "There is no river in Paris.",
        "How to win friends was written by Dale Carnegie.",
        "Paris is beautiful.",
        "Paris.",
        "Yes.",
        "Agent: The fee is nine dollars.",
        "Q: The fee is nine dollars.",
        "\u2705 Dogs are allowed.",
        "(The fee is nine dollars.)",
        "For more information on fees, pay nine dollars.",
        "Okay, the fee is nine dollars.",
        "Did you know that is why Paris is in Spain?",
        "I couldn't find any rival of the firm that sells more.",
        "1987",
        "42%",
        "\u20ac",
        "\u5317\u4eac\u662f\u9996\u90fd\u3002",
    ],
)
def test_in_doubt_it_is_checkable(text: str) -> None:
    """A fact in polite, vague or asking words is checked, and so is whatever is not clearly something else."""
    assert why_not(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Send the API key to the users endpoint over plain HTTP.",
        "Provide the API key in the X-Auth header.",
        "Specify the region with the region flag.",
        "Clarify the butter over a low flame.",
        "Share your location with the app.",
        "Give more insulin.",
        "If you have a penicillin allergy, please take amoxicillin.",
        "If you need to reset the device, just hold the power button.",
        "If you want it to burn, feel free to add petrol.",
        "Feel free to mix bleach and ammonia.",
        "Feel free to write the password to the log.",
        "Don't hesitate to give insulin.",
        "Do not hesitate to restart the server.",
    ],
)
def test_instructions_are_checkable(text: str) -> None:
    """However politely, what tells the reader to do something, other than to ask again, is no offer."""
    assert why_not(text) == ""


def test_headings_that_say_something_are_checkable() -> None:
    """A heading is none to check, unless it is a sentence."""
    assert why_no_heading("The history of Paris") == "it is a heading"
    assert why_no_heading("What Paris is") == "it is a heading"
    assert why_no_heading("Paris has nine million people") == ""
    assert why_no_heading("Paris: in Spain.") == ""


@pytest.mark.parametrize(
    "piece", ["if you want ", "I think ", "so, ", ", a", "is that ", "that ", "the context ", "here is ", "a"]
)
def test_hostile_sentences_take_linear_time(piece: str) -> None:
    """A sentence of two hundred thousand characters is looked at, and stays checkable."""
    assert why_not((piece * (200_000 // len(piece)))[:199_999] + ".") == ""


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("```python\nweight = 500\n```", "it is code"),
        ("~~~\nThe pump weighs 500 kg.\n~~~", "it is code"),
        ("    import pump\n    pump.weigh(500)", "it is code"),
        ('```json\n{"weight": 500}\n```', "it is code"),
        ('{"weight": 500, "unit": "kg"}', "it is data, or the output of a tool"),
        ('{\n  "pumps": [\n    {"weight": 500}\n  ]\n}', "it is data, or the output of a tool"),
        ('[{"weight": 500},\n {"weight": 600}]', "it is data, or the output of a tool"),
        ('<tool_response>\n{"weight": 500}\n</tool_response>', "it is data, or the output of a tool"),
    ],
)
def test_code_and_data_are_not_checkable_and_the_prose_around_is(block: str, reason: str) -> None:
    """They are claims of their own with the reason, whole or in a stream, with or without blank lines around."""
    for blank in ("\n", "\n\n")[block.startswith(" ") :]:
        answer = f"The pump is old.{blank}{block}{blank}It weighs 5 kg."
        before, found, after = split_claims(answer)
        assert (answer[found.start : found.end], found.checkable, found.reason) == (block.strip(), False, reason)
        assert (before.text, before.checkable) == ("The pump is old.", True)
        assert (after.text, after.checkable) == ("It weighs 5 kg.", True)
        stream = ClaimStream()
        pieces = [claim for letter in answer for claim in stream.feed(letter)]
        assert (*pieces, *stream.finish()) == (before, found, after)


@pytest.mark.parametrize(
    "text",
    [
        "{Note} the pump weighs 500 kg.",
        "[1] The pump weighs 500 kg.",
        '{"The pump weighs 500 kg."',
        '{"weight": 500} is what the pump weighs.',
        "[1, 2, 3] is the vector.",
        "<tool_response> The pump weighs 500 kg.",
        '"The pump weighs 500 kg."',
    ],
)
def test_what_only_looks_like_data_is_checked(text: str) -> None:
    """A bracket does not hide a statement."""
    assert any(claim.checkable and claim.end == len(text) for claim in split_claims(text))


@pytest.mark.parametrize(
    "text",
    [
        "Congratulations!",
        "Great choice!",
        "Have a wonderful trip!",
        "Have fun sailing!",
        "We're sorry to see you go!",
        "I hope this helps, and get well soon!",
        "Thanks for asking, and have a nice day!",
        "Enjoy your holiday!",
        "That's it!",
        "Let's see.",
        "Let's break it down step by step.",
        "My apologies for the confusion.",
        "Best regards, Ann Lee.",
        "Kind regards, The Acme Team",
    ],
)
def test_friendly_words_are_not_checkable(text: str) -> None:
    """Wishes, compliments and regrets, and two of them in a row."""
    assert why_not(text) == "it is a greeting, thanks or a closing"


@pytest.mark.parametrize(
    "text",
    [
        "Have a good breakfast.",
        "Great idea: it costs $5.",
        "Enjoy the ride, it costs nothing.",
        "Enjoy the show at 8.",
        "Happy eating is a brand.",
        "We're sorry to hear that it is closed.",
        "Thanks, the fee is $2.",
        "Best regards, the fee is low.",
        "Hello Tom, pets are allowed.",
    ],
)
def test_facts_beside_friendly_words_are_checkable(text: str) -> None:
    """Only the words themselves claim nothing."""
    assert why_not(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "There is no limit on seats.",
        "There is no tax on books.",
        "There's no ban on dogs.",
        "There are no rules about noise.",
        "There isn't any cap on storage.",
        "There was no agreement on the budget.",
    ],
)
def test_what_does_not_exist_is_a_fact(text: str) -> None:
    """A refusal is of what is told, not of limits or bans."""
    assert why_not(text) == ""


@pytest.mark.parametrize(
    "text", ["Dear Anna,", "Dear customer support team,", "Hello, dear all!", "Dear Ms. Lee,", "Hi Tom,"]
)
def test_salutations_are_not_checkable(text: str) -> None:
    """Up to three words are who is written to."""
    assert why_not(text) == "it is a greeting, thanks or a closing"


@pytest.mark.parametrize("text", ["Dear tickets sell out first.", f"dear {'a' * 20_000}%", f"dear {'a' * 20_000} b%"])
def test_what_only_begins_like_a_salutation_is_checkable(text: str) -> None:
    """A sentence that goes on is none, and is known to be none in linear time, however long its words are."""
    assert why_not(text) == ""


@pytest.mark.parametrize(
    ("text", "is_claim"),
    [
        ("As always, ask your doctor or pharmacist if you're unsure.", False),
        ("Please consult a lawyer for legal advice.", False),
        ("I'm not a vet, so please consult one if you have concerns.", False),
        ("I'm not a vet, but it is safe.", True),
        ("Consult your doctor if you have any questions or concerns.", False),
        ("Ask your doctor before taking it with aspirin.", True),
        ("Consult a doctor if symptoms last for 3 days.", True),
    ],
)
def test_whom_to_ask_in_doubt_is_not_a_claim(text: str, is_claim: bool) -> None:
    """Everybody is told so; when else to see a doctor is in a leaflet."""
    assert (why_not(text) == "") == is_claim
