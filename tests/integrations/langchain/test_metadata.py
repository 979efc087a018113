"""What rerankers and sinks see of LangChain's documents besides their text."""

from langchain_core.documents import Document

import secondpass as sp
from langchain_secondpass import SecondPassReranker, SecondPassVerifier
from secondpass.monitor import WindowSink
from secondpass.testing import FakeReranker
from secondpass.verify import MonitoredVerifier


def test_rerankers_see_metadata_and_ids() -> None:
    """A boost by a source has its effect, and events have the documents' ids."""
    window = WindowSink()
    boosted = sp.BoostedReranker(FakeReranker(), boosts={"source": {"handbook": 0.5}})
    step = SecondPassReranker(reranker=sp.MonitoredReranker(boosted, [window], texts=True), top_n=None)
    documents = [
        Document("copy a file", metadata={"source": "forum"}, id="a"),
        Document("copy a file.", metadata={"source": "handbook"}, id="b"),
    ]
    best, second = step.compress_documents(documents, "copy a file")
    assert (best.id, second.id) == ("b", "a") and best.metadata["source"] == "handbook"
    (event,) = window.events()
    assert [text.id for text in event.texts] == ["b", "a"]


def test_a_monitored_verifier_is_a_verifier() -> None:
    """It is taken as it is, tells of each answer, and is written as a configuration that builds it again."""
    window = WindowSink()
    watched = MonitoredVerifier(sp.FactVerifier(policy="flag"), [window])
    step = SecondPassVerifier(verifier=watched)
    passages = [Document("The bridge was built in 1932.")]
    said = {"answer": "The bridge was built in 1932.", "context": passages}
    assert step.invoke(said)["verification"].passed and len(step.batch([said, said])) == 2
    assert [event.kind for event in window.events()] == ["verify"] * 3
    restored = SecondPassVerifier(**step.model_dump(include={"verifier"}))
    assert isinstance(restored.verifier, MonitoredVerifier) and restored.verifier.policy == "flag"
    assert restored.verifier.message == watched.message
