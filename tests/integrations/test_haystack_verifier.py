"""The Haystack adapter for verification: `SecondPassVerifier`, alone and in real pipelines."""

import asyncio
import copy
import json
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

# Read when haystack is imported: a test run sends nothing to anyone.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

import haystack
from haystack import Document, Pipeline, SuperComponent, component
from haystack.components.builders import AnswerBuilder, ChatPromptBuilder, PromptBuilder
from haystack.components.joiners import BranchJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.components.routers import ConditionalRouter
from haystack.core.errors import PipelineConnectError, PipelineRuntimeError
from haystack.dataclasses import ByteStream, ChatMessage, ToolCall
from haystack.document_stores.in_memory import InMemoryDocumentStore

from haystack_integrations.components.validators.secondpass import SecondPassVerifier
from secondpass.errors import ConfigError, InputError, MissingExtraError, VerificationFailedError
from secondpass.verify.types import Verdict, Verification
from secondpass.verify.verifier import FactVerifier

QUESTION = "What does shutil.rmtree delete, and what are the costs of a lease of the meeting room?"
RIGHT = "shutil.rmtree deletes an entire directory tree."
LEASE = "A lease of the meeting room costs 40 euros an hour."
WRONG = "A lease of the meeting room costs 70 euros an hour."
MESSAGE = "The sources that were found do not support an answer."
# Low thresholds, so that what is verbatim is supported by any model.
SETTINGS: dict[str, Any] = {"threshold": 0.2, "contradiction_threshold": 0.6}
# Since Haystack 3 every pipeline runs asynchronously as well; before, that was a class of its own.
AsyncPipeline: type[Any] = getattr(haystack, "AsyncPipeline", Pipeline)


@pytest.fixture(scope="module")
def facts() -> FactVerifier:
    """Return the embedded verifier."""
    return FactVerifier(**SETTINGS)


@pytest.fixture(scope="module")
def make(facts: FactVerifier) -> Any:
    """Return a function that makes components which share the loaded model."""

    def made(kind: type[FactVerifier] = FactVerifier, /, **settings: Any) -> SecondPassVerifier:
        own = {name: settings.pop(name) for name in ("meta_fields", "reply_type") if name in settings}
        return SecondPassVerifier(kind(model=facts.nli, **SETTINGS, **settings), **own)

    return made


def documents() -> list[Document]:
    """Return three documents; the second supports ``RIGHT``, the third contradicts ``WRONG``."""
    texts = ["os.remove deletes a file, and raises OSError for a directory.", RIGHT, LEASE]
    return [Document(id=f"d{at}", content=text, meta={"page": at}) for at, text in enumerate(texts)]


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


class Recording(FactVerifier):
    """Keeps what it was given, and in which thread."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.items: list[Any] = []
        self.threads: list[int] = []

    def verify_many(self, items: Any) -> list[Verification]:
        self.items.append(items)
        self.threads.append(threading.get_ident())
        return super().verify_many(items)


# Replies and documents


def test_strings_come_back_after_the_policy(make: Any) -> None:
    """A reply that is supported comes as it is, one with a wrong number marked; each has its verification."""
    given = [RIGHT, WRONG]
    output = make().run(given, documents(), QUESTION)
    assert output["replies"] == [RIGHT, f"{WRONG} [contradicted]"]
    assert output["passed"] is False and given == [RIGHT, WRONG]
    right, wrong = output["verifications"]
    assert (right.passed, right.supported_fraction, right.claims[0].evidence[0].id) == (True, 1.0, "d1")
    assert (wrong.passed, wrong.claims[0].verdict) == (False, Verdict.CONTRADICTED)
    assert wrong.claims[0].contradicting[0].id == "d2"
    assert make().run([RIGHT], documents())["passed"] is True


@pytest.mark.parametrize(("policy", "text"), [("flag", f"{RIGHT} {WRONG}"), ("drop", RIGHT), ("abstain", MESSAGE)])
def test_policies(make: Any, policy: str, text: str) -> None:
    """What comes out is what the verifier's policy makes of a reply."""
    assert make(policy=policy).run([f"{RIGHT} {WRONG}"], documents())["replies"] == [text]


def test_a_message_keeps_all_but_its_text(make: Any) -> None:
    """Role, name, meta, reasoning and tool calls are those that came in; the verification is in the meta."""
    call = ToolCall("search", {"q": 1})
    given = ChatMessage.from_assistant(WRONG, meta={"model": "m"}, name="bot", tool_calls=[call], reasoning="Hm.")
    before = given.to_dict()
    output = make().run([given], documents(), QUESTION)
    (message,) = output["replies"]
    assert given.to_dict() == before
    assert (message.text, message.role, message.name) == (f"{WRONG} [contradicted]", given.role, "bot")
    assert message.tool_calls == [call] and message.reasoning.reasoning_text == "Hm."
    assert message.meta == {"model": "m", "verification": output["verifications"][0].to_dict()}
    assert ChatMessage.from_dict(json.loads(json.dumps(message.to_dict()))) == message


def test_all_texts_of_a_message_are_verified(make: Any) -> None:
    """No part goes out unread: the texts are verified, and come back, as one."""
    parts = [{"text": RIGHT}, {"text": WRONG}]
    given = ChatMessage.from_dict({"role": "assistant", "content": parts, "meta": {}, "name": None})
    (message,) = make(policy="drop").run([given], documents())["replies"]
    assert [text.strip() for text in message.texts] == [RIGHT]
    assert message.meta["verification"]["answer"] == f"{RIGHT}\n{WRONG}"


def test_a_message_without_text_does_not_pass(make: Any) -> None:
    """A tool call is an empty reply, and stays a tool call."""
    call = ToolCall("search", {"q": 1})
    output = make().run([ChatMessage.from_assistant(tool_calls=[call])], documents())
    assert output["passed"] is False and output["verifications"][0].claims == ()
    assert output["replies"][0].tool_calls == [call] and output["replies"][0].texts == []


@pytest.mark.parametrize("reply", [RIGHT, ChatMessage.from_assistant(RIGHT)])
def test_reply_type(make: Any, reply: Any) -> None:
    """It turns strings into messages of the assistant, or messages into strings."""
    (message,) = make(reply_type="chat").run([reply], documents())["replies"]
    assert (message.text, message.role.value) == (RIGHT, "assistant")
    assert message.meta["verification"]["passed"] is True
    assert make(reply_type="text").run([reply], documents())["replies"] == [RIGHT]


def test_all_replies_are_verified_together(make: Any) -> None:
    """One call has all of them, with the documents in their order, their ids, and the question."""
    verifier = make(Recording)
    verifier.run([RIGHT, WRONG], documents(), QUESTION)
    verifier.run([RIGHT], documents())
    passages = [{"text": document.content, "id": document.id} for document in documents()]
    assert verifier.verifier.items == [
        [(RIGHT, passages, QUESTION), (WRONG, passages, QUESTION)],
        [(RIGHT, passages, None)],
    ]


def test_nothing_to_verify_does_not_pass(make: Any) -> None:
    """No reply, an empty one, and one without documents: nothing is called supported."""
    assert make().run([], documents()) == {"replies": [], "verifications": [], "passed": False}
    assert make().run([""], documents())["passed"] is False
    output = make().run([RIGHT], [])
    assert output["passed"] is False and output["replies"] == [f"{RIGHT} [unsupported]"]


def test_a_document_without_text_keeps_its_number(make: Any) -> None:
    """A picture supports nothing, and a citation of the document behind it is still right."""
    found = [Document(id="picture", blob=ByteStream(b"png")), *documents()]
    (verification,) = make().run([f"{RIGHT[:-1]} [3]."], found)["verifications"]
    (citation,) = verification.claims[0].citations
    assert (citation.number, citation.exists, citation.supports) == (3, True, True)


def test_documents_of_one_text_all_keep_their_numbers(make: Any) -> None:
    """Doubles are not left out, since the prompt has counted them too."""
    verifier = make(Recording)
    verifier.run([RIGHT], [*documents(), *documents()])
    assert len(verifier.verifier.items[0][0][1]) == 6


def test_meta_fields_are_read(make: Any) -> None:
    """Named values stand before the content, one a line; absent and empty ones leave no trace."""
    verifier = make(Recording, meta_fields=["page", "title"])
    found = [
        Document(content="text", meta={"title": "Copying", "page": 0}),
        Document(content="bare", meta={"title": "", "page": None}),
    ]
    verifier.run([RIGHT], found)
    assert [passage["text"] for passage in verifier.verifier.items[0][0][1]] == ["0\nCopying\ntext", "bare"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replies": [3]}, r"replies\[0\] must be a str or a ChatMessage, not int"),
        ({"replies": RIGHT}, "replies must be a list, not one str"),
        ({"replies": None}, "replies must be a list, not one NoneType"),
        ({"documents": ["a text"]}, r"documents\[0\] must be a haystack Document, not str"),
        ({"documents": None}, "documents must be a list, not one NoneType"),
        ({"query": 3}, "the question must be a str or None, not int"),
    ],
)
def test_bad_input(make: Any, arguments: dict[str, Any], message: str) -> None:
    """What a run can't use is refused with what is wrong, by both ways of running."""
    given = {"replies": [RIGHT], "documents": documents(), "query": QUESTION} | arguments
    with pytest.raises(InputError, match=message):
        make().run(**given)
    with pytest.raises(InputError, match=message):
        asyncio.run(make().run_async(**given))


# Settings


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ([3], {}, "verifier must be a model's name, a mapping or a FactVerifier, not int"),
        ([None], {}, "not NoneType"),
        ([FactVerifier], {}, "not type"),
        ([], {"reply_type": "message"}, "reply_type must be 'chat', 'text' or None, not 'message'"),
        ([], {"meta_fields": "title"}, r"meta_fields must be a list: \['title'\]"),
    ],
)
def test_bad_settings(arguments: list[Any], settings: dict[str, Any], message: str) -> None:
    """What can be seen to be wrong is refused before a pipeline is built of it."""
    with pytest.raises(ConfigError, match=message):
        SecondPassVerifier(*arguments, **settings)


@pytest.mark.parametrize("config", [{"policy": "hide"}, {"polcy": "drop"}])
def test_bad_settings_of_the_verifier(config: dict[str, Any]) -> None:
    """They are refused when it is loaded."""
    with pytest.raises(ConfigError, match=r"policy must be one of|polcy"):
        SecondPassVerifier(config).warm_up()


def test_it_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded at construction, and many threads that need it load it once."""
    built: list[Any] = []

    class Slow(FactVerifier):
        def __init__(self, **settings: Any) -> None:
            built.append(settings)
            threading.Event().wait(0.05)
            super().__init__(**settings)

    monkeypatch.setattr("secondpass.verify.verifier.FactVerifier", Slow)
    verifier = SecondPassVerifier({"policy": "flag"})
    assert built == []
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda _: verifier.run([WRONG], documents()), range(4)))
    asyncio.run(verifier.warm_up_async())
    assert built == [{"policy": "flag"}]
    assert [output["replies"] for output in outputs] == [[WRONG]] * 4


def test_the_default_and_a_folder(facts: FactVerifier, tmp_path: Path) -> None:
    """Without any argument the embedded model is loaded; a path is a model's folder."""
    verifier = SecondPassVerifier()
    assert verifier.run([RIGHT], documents())["verifications"][0].policy == "annotate"
    assert verifier._loaded is not None and verifier._loaded.nli.fingerprint == facts.nli.fingerprint
    assert SecondPassVerifier(tmp_path).to_dict()["init_parameters"]["verifier"] == str(tmp_path)  # type: ignore[arg-type]


def test_data(facts: FactVerifier) -> None:
    """A name and a mapping are written as they are, a FactVerifier as its configuration; reading loads nothing."""
    given = [
        ("secondpass-nli-minilm", "secondpass-nli-minilm"),
        ({"policy": "drop"}, {"policy": "drop"}),
        (FactVerifier(policy="drop"), FactVerifier(policy="drop").to_config()),
    ]
    for verifier, data in given:
        written = SecondPassVerifier(verifier, meta_fields=["title"], reply_type="chat").to_dict()
        assert written == {
            "type": "haystack_integrations.components.validators.secondpass.verifier.SecondPassVerifier",
            "init_parameters": {"verifier": data, "meta_fields": ["title"], "reply_type": "chat"},
        }
        read = SecondPassVerifier.from_dict(json.loads(json.dumps(written)))
        assert read._loaded is None and read.to_dict() == written


def test_what_is_no_data_cannot_be_written(facts: FactVerifier) -> None:
    """The error of `to_config` comes through."""
    with pytest.raises(ConfigError, match="policy"):
        SecondPassVerifier(FactVerifier(policy=lambda answer, claims, passed, message: answer)).to_dict()


def test_a_later_change_to_the_callers_settings_has_no_effect() -> None:
    """The component keeps copies of the mapping and the list that it was given."""
    config, fields = {"policy": "drop"}, ["title"]
    verifier = SecondPassVerifier(config, meta_fields=fields)
    config["policy"] = "flag"
    fields.append("page")
    assert verifier.to_dict()["init_parameters"] == {
        "verifier": {"policy": "drop"},
        "meta_fields": ["title"],
        "reply_type": None,
    }


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda verifier: pickle.loads(pickle.dumps(verifier))])
def test_copies(make: Any, duplicate: Any) -> None:
    """A copy, and one from a pickle, verifies the same."""
    twin = duplicate(make(policy="drop"))
    assert twin.run([f"{RIGHT} {WRONG}"], documents())["replies"] == [RIGHT]


def test_without_haystack_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the adapter where haystack is missing gives the command that installs it."""
    package = "haystack_integrations.components.validators.secondpass"
    monkeypatch.setitem(sys.modules, "haystack", None)  # makes its import fail
    for name in (package, f"{package}.verifier"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[haystack\]"') as caught:
        __import__(package)
    assert isinstance(caught.value.__cause__, ImportError)


# Pipelines


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
