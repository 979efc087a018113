"""`SecondPassVerifier` in real pipelines."""

import asyncio
import threading
from typing import Any

import pytest
from haystack import Pipeline, SuperComponent, component
from haystack.components.builders import AnswerBuilder, ChatPromptBuilder, PromptBuilder
from haystack.components.joiners import BranchJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.components.routers import ConditionalRouter
from haystack.core.errors import PipelineConnectError, PipelineRuntimeError
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore

from haystack_integrations.components.validators.secondpass import SecondPassVerifier
from secondpass.errors import VerificationFailedError
from secondpass.verify.types import Verdict
from secondpass.verify.verifier import FactVerifier
from tests.integrations.haystack.answers import MESSAGE, QUESTION, RIGHT, SETTINGS, WRONG, Recording, documents
from tests.integrations.haystack.documents import AsyncPipeline


@component
class Answers:
    """Stands for a generator: whatever the prompt, it gives the replies that it was built with."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.prompts: list[Any] = []
        kind = list[ChatMessage] if replies and isinstance(replies[0], ChatMessage) else list[str]
        component.set_output_types(self, replies=kind)

    def run(self, prompt: Any) -> dict[str, Any]:
        self.prompts.append(prompt)
        return {"replies": self.replies}


def make_pipeline(verifier: SecondPassVerifier, *replies: Any, kind: type[Any] = Pipeline) -> Any:
    """Return a pipeline of retriever, prompt, what stands for a generator, the verifier and an AnswerBuilder."""
    store = InMemoryDocumentStore()
    store.write_documents(documents())
    pipeline = kind()
    template = "{% for d in documents %}[{{ loop.index }}] {{ d.content }}\n{% endfor %}{{ query }}"
    builder: Any = PromptBuilder(template, required_variables="*")
    if isinstance(replies[0], ChatMessage):
        builder = ChatPromptBuilder([ChatMessage.from_user(template)], required_variables="*")
    pipeline.add_component("retriever", InMemoryBM25Retriever(store, top_k=3))
    pipeline.add_component("prompt", builder)
    pipeline.add_component("generator", Answers(*replies))
    pipeline.add_component("verifier", verifier)
    pipeline.add_component("answers", AnswerBuilder())
    pipeline.connect("retriever.documents", "prompt.documents")
    pipeline.connect("prompt", "generator.prompt")
    pipeline.connect("generator.replies", "verifier.replies")
    pipeline.connect("retriever.documents", "verifier.documents")
    pipeline.connect("verifier.replies", "answers.replies")
    pipeline.connect("retriever.documents", "answers.documents")
    return pipeline


def asking(query: str = QUESTION) -> dict[str, Any]:
    """Return the input of such a pipeline."""
    return {name: {"query": query} for name in ("retriever", "prompt", "verifier", "answers")}


def test_a_pipeline_up_to_the_answer(make: Any) -> None:
    """Retriever, prompt, replies, verifier and answers: the answer is the verified one, a citation is by rank."""
    pipeline = make_pipeline(make(policy="drop"), f"{RIGHT[:-1]} [2]. {WRONG}")
    output = pipeline.run(asking(), include_outputs_from={"retriever"})
    retrieved = [document.id for document in output["retriever"]["documents"]]
    assert retrieved[:2] == ["d2", "d1"]
    (answer,) = output["answers"]["answers"]
    assert (answer.data, answer.query) == (f"{RIGHT[:-1]} [2].", QUESTION)
    assert [document.id for document in answer.documents] == retrieved
    (verification,) = output["verifier"]["verifications"]
    assert output["verifier"]["passed"] is False
    assert [claim.verdict for claim in verification] == [Verdict.SUPPORTED, Verdict.CONTRADICTED]
    assert verification.claims[0].citations[0].supports is True


def test_a_chat_pipeline_carries_the_verification(make: Any) -> None:
    """A message's meta takes the verification into the answer; a role and its meta stay."""
    reply = ChatMessage.from_assistant(WRONG, meta={"model": "m"})
    (answer,) = make_pipeline(make(policy="abstain"), reply).run(asking())["answers"]["answers"]
    assert answer.data == MESSAGE and answer.meta["model"] == "m"
    assert (answer.meta["verification"]["passed"], answer.meta["verification"]["answer"]) == (False, WRONG)


def test_a_pipeline_runs_asynchronously(make: Any) -> None:
    """An asynchronous run gives what a run gives, verified in another thread."""
    verifier = make(Recording)
    expected = make_pipeline(make(), RIGHT).run(asking())
    output = asyncio.run(make_pipeline(verifier, RIGHT, kind=AsyncPipeline).run_async(asking()))
    assert output["answers"] == expected["answers"]
    assert output["verifier"]["verifications"][0].claims == expected["verifier"]["verifications"][0].claims
    assert len(verifier.verifier.threads) == 1 and threading.get_ident() not in verifier.verifier.threads


def test_a_router_sends_on_what_passed(make: Any) -> None:
    """The passed output decides a branch, as a router's condition."""
    routes = [
        {"condition": "{{ passed }}", "output": "{{ replies }}", "output_name": "good", "output_type": list[str]},
        {"condition": "{{ not passed }}", "output": "{{ replies }}", "output_name": "bad", "output_type": list[str]},
    ]
    for reply, branch in ((RIGHT, "good"), (WRONG, "bad")):
        pipeline = Pipeline()
        pipeline.add_component("verifier", make(policy="flag"))
        pipeline.add_component("router", ConditionalRouter(routes, unsafe=True))
        pipeline.connect("verifier.passed", "router.passed")
        pipeline.connect("verifier.replies", "router.replies")
        output = pipeline.run({"verifier": {"replies": [reply], "documents": documents()}})
        assert output["router"] == {branch: [reply]}


@pytest.mark.parametrize(("reply_type", "receiver"), [("chat", list[ChatMessage]), ("text", list[str])])
def test_a_reply_type_fits_what_takes_one_type_only(make: Any, reply_type: str, receiver: Any) -> None:
    """Without it, Haystack refuses the connection when the pipeline is built."""
    pipelines = {}
    for given in (None, reply_type):
        pipelines[given] = Pipeline()
        pipelines[given].add_component("verifier", make(reply_type=given))
        pipelines[given].add_component("joiner", BranchJoiner(receiver))
    with pytest.raises(PipelineConnectError):
        pipelines[None].connect("verifier.replies", "joiner.value")
    pipelines[reply_type].connect("verifier.replies", "joiner.value")
    output = pipelines[reply_type].run({"verifier": {"replies": [RIGHT], "documents": documents()}})
    (reply,) = output["joiner"]["value"]
    assert (reply.text if reply_type == "chat" else reply) == RIGHT


def test_a_pipeline_goes_through_yaml() -> None:
    """`dumps` and `loads` give a pipeline that loads its verifier by itself and verifies the same."""
    pipeline = Pipeline()
    config = {"policy": "drop", **SETTINGS}
    pipeline.add_component("verifier", SecondPassVerifier(config, meta_fields=["page"], reply_type="text"))
    pipeline.add_component("answers", AnswerBuilder())
    pipeline.connect("verifier.replies", "answers.replies")
    text = pipeline.dumps()
    assert "policy: drop" in text and "reply_type: text" in text
    restored = Pipeline.loads(text)
    assert restored.dumps() == text
    found = {"replies": [f"{RIGHT} {WRONG}"], "documents": documents()}
    output = restored.run({"verifier": found, "answers": {"query": QUESTION}})
    assert output["answers"]["answers"][0].data == RIGHT


def test_an_instance_goes_through_yaml() -> None:
    """A pipeline whose verifier was an instance is written with its configuration, and read without loading it."""
    pipeline = Pipeline()
    pipeline.add_component("verifier", SecondPassVerifier(FactVerifier(policy="abstain", **SETTINGS)))
    verifier = Pipeline.loads(pipeline.dumps()).get_component("verifier")
    assert verifier._loaded is None
    assert verifier.run([WRONG], documents())["replies"] == [MESSAGE]


def test_a_super_component_can_hold_it(make: Any) -> None:
    """The whole pipeline wrapped as one component is warmed up and run as one."""
    inputs = [f"{name}.query" for name in asking()]
    answering = SuperComponent(
        make_pipeline(make(), RIGHT),
        input_mapping={"query": inputs},
        output_mapping={"verifier.passed": "passed", "answers.answers": "answers"},
    )
    answering.warm_up()
    output = answering.run(query=QUESTION)
    assert (output["passed"], output["answers"][0].data) == (True, RIGHT)


def test_a_policy_that_raises(make: Any) -> None:
    """Its error comes through, and in a pipeline is the cause of Haystack's, which names the component."""
    with pytest.raises(VerificationFailedError):
        make(policy="raise").run([RIGHT, WRONG], documents())
    with pytest.raises(VerificationFailedError):
        asyncio.run(make(policy="raise").run_async([WRONG], documents()))
    with pytest.raises(PipelineRuntimeError, match=r"verifier[\s\S]*did not pass") as caught:
        make_pipeline(make(policy="raise"), WRONG).run(asking())
    assert isinstance(caught.value.__cause__, VerificationFailedError)
    assert caught.value.__cause__.verification.answer == WRONG
