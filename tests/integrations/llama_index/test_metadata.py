"""What rerankers and sinks see of LlamaIndex's nodes besides their text."""

from llama_index.core.schema import NodeWithScore, TextNode

import secondpass as sp
from llama_index.postprocessor.secondpass import SecondPassEvaluator, SecondPassRerank
from secondpass.monitor import WindowSink
from secondpass.testing import FakeReranker
from secondpass.verify import MonitoredVerifier


def test_rerankers_see_metadata_and_ids() -> None:
    """A boost by a source has its effect, also where the text that is read leaves the source out."""
    boosted = sp.BoostedReranker(FakeReranker(), boosts={"source": {"handbook": 0.5}})
    nodes = [
        NodeWithScore(
            node=TextNode(id_=id_, text=text, metadata={"source": source}, excluded_embed_metadata_keys=["source"])
        )
        for id_, text, source in (("a", "copy a file", "forum"), ("b", "copy a file.", "handbook"))
    ]
    ranked = SecondPassRerank(reranker=boosted).postprocess_nodes(nodes, query_str="copy a file")
    assert [node.node_id for node in ranked] == ["b", "a"]


def test_a_monitored_verifier_is_a_verifier() -> None:
    """It is taken as it is, or as its configuration, and tells of each response."""
    window = WindowSink()
    watched = MonitoredVerifier(sp.FactVerifier(), [window])
    said = "The bridge was built in 1932."
    assert SecondPassEvaluator(watched).evaluate(response=said, contexts=[said]).passing
    assert [event.kind for event in window.events()] == ["verify"]
    built = SecondPassEvaluator({"type": "monitored", "wrapped": {"type": "fact"}, "sinks": ["window"]})
    assert isinstance(built.verifier, MonitoredVerifier) and built.verifier.wrapped.policy == "annotate"
