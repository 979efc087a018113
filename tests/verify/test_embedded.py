"""The verifier with the model that comes with secondpass: what any weights of it must hold."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import training
from secondpass.evaluate.stdlib_docs import stdlib_corpus
from secondpass.models.nli import LABELS
from secondpass.types import Document
from secondpass.verify.types import Verdict
from secondpass.verify.verifier import FactVerifier
from tests.verify.recombined import RECOMBINED
from training.pairs import read_table

PASSAGES: list[Document] = [
    "The json module encodes Python objects as JSON. The tower was built in 1889. It is 330 metres tall.",
    {"text": "The csv module reads and writes tables in CSV format. csv.reader returns an iterator.", "id": "csv"},
]


PAIRS = list(read_table(Path(training.__file__).parent / "data" / "news_and_captions.tsv", "news_and_captions"))


@pytest.fixture(scope="module")
def verifier() -> FactVerifier:
    """Return the default verifier."""
    return FactVerifier()


def test_what_a_passage_says_word_for_word_is_supported(verifier: FactVerifier) -> None:
    """A sentence of a passage is supported by it, and one with another number by nothing."""
    answer = "The csv module reads and writes tables in CSV format. The tower is 300 metres tall."
    right, wrong = verifier.verify(answer, PASSAGES).claims
    assert right.verdict is Verdict.SUPPORTED
    assert (right.evidence[0].passage, right.evidence[0].id) == (1, "csv")
    assert wrong.verdict is Verdict.CONTRADICTED and "330 metres" in wrong.reason


def test_a_stream_gives_the_verdicts_of_the_whole(verifier: FactVerifier) -> None:
    """The model's own numbers don't depend on what is verified together."""
    answer = "The json module encodes Python objects as JSON. The csv module writes XML. Cats like fish, and dogs bark."
    whole = verifier.verify(answer, PASSAGES).claims
    streamed = list(verifier.stream((answer[at : at + 11] for at in range(0, len(answer), 11)), PASSAGES))
    assert [(c.claim, c.verdict) for c in streamed] == [(c.claim, c.verdict) for c in whole]
    for one, other in zip(streamed, whole, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-4)


def test_nothing_is_ever_cut(verifier: FactVerifier) -> None:
    """Beside long claims windows shrink: what the model reads fits, for claims of all lengths that have room."""
    tokenizer = verifier.nli.pair_model.tokenizer
    passage = "The museum of the town was built by many hands over a very long time. " * 40
    for n_words in (5, 200, 380):
        claim = " ".join(["The museum was built by"] + ["very"] * n_words + ["many hands."])
        (checked,) = verifier.verify(claim, [passage]).claims
        assert checked.verdict is not Verdict.ERROR
        assert all(
            sum(tokenizer.lengths([evidence.text, claim])) <= tokenizer.pair_room for evidence in checked.evidence
        )


def test_a_text_entails_itself(verifier: FactVerifier) -> None:
    """News, captions and documentation follow from themselves, alone and beside another text."""
    texts = list(dict.fromkeys(pair.premise for pair in PAIRS)) + [
        document["text"].partition("\n")[2] for document in stdlib_corpus()[::150]
    ]
    texts = [text for text in texts if len(text.split()) > 5]
    alone = verifier.nli.run([(text, text) for text in texts]).probabilities[:, 0]
    assert np.mean(alone > 0.5) > 0.98
    beside = verifier.nli.run([(f"{one} {other}", other) for one, other in pairwise(texts)]).probabilities[:, 0]
    assert np.mean(beside > 0.5) > 0.9


def test_news_and_captions(verifier: FactVerifier) -> None:
    """On natural claims that share few words with what they follow from it is right more often than not."""
    probabilities = verifier.nli.run([(pair.premise, pair.hypothesis) for pair in PAIRS]).probabilities
    labels = np.array([LABELS.index(pair.label) for pair in PAIRS])
    assert np.mean(probabilities.argmax(axis=1) == labels) > 0.65
    assert roc_auc_score(labels == 0, probabilities[:, 0]) > 0.85


@pytest.mark.parametrize("claim", ["Model A100 costs 313 euros.", "copy2() preserves file metadata."])
def test_short_claims_in_the_words_of_a_passage_are_not_foreign(verifier: FactVerifier, claim: str) -> None:
    """A detector of languages alone takes these for another language."""
    passages = [
        "Model A100 weighs 33 kg and costs 313 euros.",
        "shutil.copy2() copies a file; it also preserves the file's metadata.",
    ]
    (checked,) = verifier.verify(claim, passages).claims
    assert checked.verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("question", "reply", "supported"),
    [
        ("When is the museum open?", "May to October", True),
        ("When was the museum founded?", "1951", True),
        ("When was the museum founded?", "2004", False),
        ("What does the caf\u00e9 sell?", "Prints", False),
    ],
)
def test_a_few_words_are_no_answer_to_another_question(
    verifier: FactVerifier, question: str, reply: str, supported: bool
) -> None:
    """They are said of what was asked about, in the language of the question."""
    passages = [
        "The museum has 12 rooms and is open from May to October. In 1987 it was moved into the old brewery.",
        "The caf\u00e9 of the museum opened in 2004 and has 40 seats. Coffee costs 3 euros.",
        "Entry costs 6 euros. The shop in Bern sells prints. The museum was founded in 1951.",
    ]
    (checked,) = verifier.verify(reply, passages, question=question).claims
    assert (checked.verdict is Verdict.SUPPORTED) == supported


def test_siblings_of_a_catalogue_are_told_apart(verifier: FactVerifier) -> None:
    """Each has its own price: another one's is never supported, and its own always, word for word or not."""
    prices = {f"Model {letter}{at}": 100 + 7 * at for letter in "ABC" for at in range(100, 110)}
    passages: list[Document] = [
        f"{name} is made of steel. {name} costs {price} euros." for name, price in prices.items()
    ]
    for name, price in list(prices.items())[::7]:
        right = verifier.verify(f"{name} costs {price} euros. The price of {name} is {price} euros.", passages)
        assert [claim.verdict for claim in right.claims] == [Verdict.SUPPORTED] * 2
        (wrong,) = verifier.verify(f"{name} costs {price + 7} euros.", passages).claims
        assert wrong.verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("Travel policy B covers rescue flights.", True),
        ("Travel policy B covers winter sports.", False),
        ("Travel policy B covers cancelled trips.", False),
    ],
)
def test_what_else_a_window_says_is_no_doubt(verifier: FactVerifier, claim: str, supported: bool) -> None:
    """An item of a list in the source's own words is read without the sentences around it."""
    passage = (
        "Travel policy B covers medical treatment abroad up to 500,000 euros, rescue flights, and dental emergencies "
        "up to 400 euros. It covers lost luggage up to 2,000 euros, but valuables only up to 500 euros. It does not "
        "cover winter sports, cancelled trips, or pre-existing conditions. Claims must be reported within 14 days."
    )
    (checked,) = verifier.verify(claim, [passage]).claims
    assert (checked.verdict is Verdict.SUPPORTED) == supported


def test_words_of_the_source_put_together_wrongly(verifier: FactVerifier) -> None:
    """Most of what a source says in other words is supported, and little of what its own words say falsely."""

    def supported(claims: list[tuple[str, list[Document]]]) -> int:
        return sum(result.passed for result in verifier.verify_many(claims))

    right = supported([(said, [source]) for source, said, _ in RECOMBINED])
    wrong = supported([(not_said, [source]) for source, _, not_said in RECOMBINED])
    assert right >= 18 and wrong <= 6, (right, wrong)
