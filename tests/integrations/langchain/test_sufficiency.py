"""The step that says whether the context answers."""

import asyncio

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableBranch

from langchain_secondpass import SecondPassSufficiency
from secondpass.errors import ConfigError, InputError
from tests.verify.guarantees import FIVE, OTHER, QUESTION, TWO


@pytest.fixture(scope="module")
def step() -> SecondPassSufficiency:
    """Return the step, loaded once."""
    return SecondPassSufficiency()


def test_a_branch_goes_by_the_decision(step: SecondPassSufficiency) -> None:
    """The mapping goes on, with what was found."""
    chain = step | RunnableBranch(
        (lambda found: found["sufficiency"].decision == "answer", lambda found: f"from {len(found['context'])}"),
        (lambda found: found["sufficiency"].decision == "disagree", lambda _: "they differ"),
        lambda _: "not found",
    )
    two, five, other = (Document(text) for text in (TWO, FIVE, OTHER))
    assert chain.invoke({"question": QUESTION, "context": [two, other]}) == "from 2"
    assert chain.invoke({"question": QUESTION, "context": [two, five]}) == "they differ"
    assert asyncio.run(chain.ainvoke({"question": QUESTION, "context": [other]})) == "not found"
    assert chain.batch([{"question": QUESTION, "context": TWO}, {"question": QUESTION, "context": []}]) == [
        "from 105",
        "not found",
    ]


def test_settings(step: SecondPassSufficiency) -> None:
    """Keys may be named otherwise, a check may be given by its settings, and all of it is data."""
    own = SecondPassSufficiency(check=step.check, context_key="documents", question_key="input")
    assert own.invoke({"input": QUESTION, "documents": [TWO]})["sufficiency"].decision == "answer"
    dumped = own.model_dump()
    assert (dumped["context_key"], dumped["check"]["type"], dumped["check"]["threshold"]) == (
        "documents",
        "sufficiency",
        0.5,
    )
    assert own.get_input_jsonschema() and own.get_output_jsonschema()
    with pytest.raises(ConfigError, match="threshold"):
        SecondPassSufficiency(check={"threshold": 7})
    with pytest.raises(ConfigError, match="SufficiencyCheck or its settings"):
        SecondPassSufficiency(check="strict")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'question' and 'context'"):
        step.invoke({"question": QUESTION})


def test_errors_name_the_settings_that_there_are(step: SecondPassSufficiency) -> None:
    """A missing question is a matter of ``question_key``, and keys are refused as those of the verifier are."""
    with pytest.raises(InputError, match="question_key and context_key say where they are in yours"):
        step.invoke({"query": QUESTION, "context": [TWO]})
    with pytest.raises(ConfigError, match="context_key, question_key and 'sufficiency' must differ"):
        SecondPassSufficiency(check=step.check, context_key="question")
    with pytest.raises(ConfigError, match="must differ"):
        SecondPassSufficiency(check=step.check, context_key="sufficiency")
    with pytest.raises(ConfigError, match="question_key must be a str that is not empty, not 5"):
        SecondPassSufficiency(check=step.check, question_key=5)  # type: ignore[arg-type]
