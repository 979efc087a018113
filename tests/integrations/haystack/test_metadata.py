"""What rerankers and sinks see of Haystack's documents besides their content."""

from haystack import Document

import secondpass as sp
from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from haystack_integrations.components.validators.secondpass import SecondPassVerifier
from secondpass.monitor import WindowSink
from secondpass.testing import FakeReranker
from secondpass.verify import MonitoredVerifier


def test_rankers_see_the_meta() -> None:
    """A boost by a source has its effect."""
    boosted = sp.BoostedReranker(FakeReranker(), boosts={"source": {"handbook": 0.5}})
    documents = [
        Document(id="a", content="copy a file", meta={"source": "forum"}),
        Document(id="b", content="copy a file.", meta={"source": "handbook"}),
    ]
    ranked = SecondPassRanker(boosted).run("copy a file", documents)["documents"]
    assert [document.id for document in ranked] == ["b", "a"]


def test_a_monitored_verifier_is_a_verifier() -> None:
    """It is taken as it is, tells of each reply, and is written as a configuration that builds it again."""
    window = WindowSink()
    component = SecondPassVerifier(MonitoredVerifier(sp.FactVerifier(policy="flag"), [window]))
    documents = [Document(content="The bridge was built in 1932.")]
    assert component.run(replies=["The bridge was built in 1932."], documents=documents)["passed"]
    assert [event.kind for event in window.events()] == ["verify"]
    restored = SecondPassVerifier.from_dict(component.to_dict())
    restored.warm_up()
    assert isinstance(restored._loaded, MonitoredVerifier) and restored._loaded.policy == "flag"
