"""`SecondPassVerifier` alone: replies, documents, settings and data."""

import asyncio
import copy
import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from haystack.dataclasses import ByteStream, ChatMessage, ToolCall

from haystack_integrations.components.validators.secondpass import SecondPassVerifier
from secondpass.cancellation import WorkCancelledError, check_cancelled
from secondpass.errors import ConfigError, InputError
from secondpass.verify.types import Verdict, Verification
from secondpass.verify.verifier import FactVerifier
from tests.integrations.haystack.answers import MESSAGE, QUESTION, RIGHT, WRONG, Recording, documents


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


def test_work_that_is_given_up_stops(make: Any) -> None:
    """Once the task is cancelled, the verifier ends at its next step."""
    began, stopped = threading.Event(), threading.Event()

    class Stepping(FactVerifier):
        def verify_many(self, items: Any) -> list[Verification]:
            began.set()
            try:
                for _ in range(3000):
                    check_cancelled()
                    time.sleep(0.01)
            except WorkCancelledError:
                stopped.set()
                raise
            return super().verify_many(items)

    async def given_up() -> None:
        component = SecondPassVerifier(Stepping(make().verifier.nli))
        task = asyncio.create_task(component.run_async([RIGHT], documents()))
        await asyncio.to_thread(began.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(stopped.wait, 60)

    asyncio.run(given_up())


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
        ({"replies": RIGHT}, "replies must be a list, not str"),
        ({"replies": None}, "replies must be a list, not NoneType"),
        ({"documents": ["a text"]}, r"documents\[0\] must be a haystack Document, not str"),
        ({"documents": None}, "documents must be a list, not NoneType"),
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


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ([3], {}, "verifier must be a model's name, a mapping or a FactVerifier, not int"),
        ([None], {}, "not NoneType"),
        ([FactVerifier], {}, "not type"),
        ([], {"reply_type": "message"}, "reply_type must be 'chat', 'text' or None, not 'message'"),
        ([], {"meta_fields": "title"}, r"meta_fields must be a list: \['title'\]"),
        ([], {"meta_fields": [None]}, r"meta_fields must be a list of names of fields, not \[None\]"),
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

    monkeypatch.setattr("secondpass.verify.load.FactVerifier", Slow)
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


def test_no_key_is_written() -> None:
    """The judge's key is in no file of a pipeline; the component itself has it."""
    judge = {"model": "m", "base_url": "http://localhost:8080/v1", "api_key": "sk-secret"}
    verifier = SecondPassVerifier({"judge": judge})
    data = verifier.to_dict()
    expected = {"model": "m", "base_url": "http://localhost:8080/v1"}
    assert data["init_parameters"]["verifier"] == {"judge": expected}
    assert verifier.verifier == {"judge": judge}


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
