"""Money and memory: what was counted times what it costs, and the peak of a process of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import secondpass as sp
from secondpass.base import Reranker
from secondpass.errors import ConfigError
from secondpass.evaluate.comparison import compare
from secondpass.evaluate.prices import Price, used
from secondpass.retrieve import BM25Retriever, RetrieveRerank
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores, Trace
from tests.evaluate.example import example


class Server(Reranker):
    """Says that it made two calls with 500 tokens for each query, as `RemoteReranker` does."""

    registry_name = "server"

    def __init__(self, micros: int = 0) -> None:
        self.micros = micros

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        counts = {"calls": 2, "tokens": 500} | ({"cost_micros": self.micros} if self.micros else {})
        return [Scores(np.arange(float(len(r))), trace=Trace(counts=counts)) for r in requests]


def test_prices_are_multiplied_with_what_was_counted() -> None:
    """Calls and tokens of servers, in stages too; those of models on this machine cost nothing."""
    stages = (Trace(counts={"calls": 3, "tokens": 2000}), Trace(counts={"tokens": 9000, "pairs": 10}))
    usage = used(Trace(counts={"pairs": 10}, stages=stages))
    assert usage == {"calls": 3, "tokens": 2000} and used(None) == {}
    price = Price(query=0.5, call=0.1, million_tokens=100, hour=7.2)
    assert price.of(usage, 2, 10.0) == pytest.approx(2 * 0.5 + 3 * 0.1 + 0.2 + 0.02)


def test_a_comparison_has_the_cost_of_a_thousand_queries() -> None:
    """By the user's prices, or by a budget that has some; no price, no figure."""
    systems = {"first": None, "server": Server(), "budget": Server(250), "local": FakeReranker()}
    comparison = compare(
        systems, example(5), depth=6, measures=("RR",), prices={"server": "0.001/call + 2/Mtok"}, n_samples=200
    )
    assert [each.cost for each in comparison][:3] == [None, pytest.approx(2 + 1), pytest.approx(0.25)]
    assert comparison["local"].cost is None and comparison["server"].usage == {"calls": 10, "tokens": 2500}
    lines = repr(comparison).splitlines()
    assert any(line.startswith("time a query") and line.endswith("cost of 1,000") for line in lines)
    assert any(line.startswith("server") and line.endswith("3.00") for line in lines)


def test_stages_of_a_cascade_are_paid_for() -> None:
    """What a server did within it counts; times cost what the machine does."""
    cascade = sp.CascadeReranker([FakeReranker(), Server()], keep=[3])
    prices = {"cascade": Price(call=0.01), "local": Price(hour=3600)}
    comparison = compare(
        {"local": "fake", "cascade": cascade}, example(4), depth=6, measures=("RR",), prices=prices, n_samples=200
    )
    assert comparison["cascade"].cost == pytest.approx(20)
    local = comparison["local"]
    assert local.cost is not None and local.latency is not None and local.cost >= 500 * local.latency.p50_s


def test_a_price_that_counts_nothing_is_noted() -> None:
    """Such as one for calls of what calls nobody."""
    comparison = compare(
        {"first": None, "fake": "fake"}, example(4), depth=10, prices={"fake": "1/call"}, n_samples=200
    )
    assert comparison.notes[-1] == "fake has a price for calls, and no server counted any, so its cost lacks that part."


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"other": "1/call"}, "prices has 'other', which is not one of the systems: first, fake"),
        ({"fake": "1"}, "a price must be an amount and its unit: 0.002/call"),
        ({"fake": "x/call"}, "a price must be"),
        ({"fake": "1/day"}, "a price must be"),
        ({"fake": "-1/call"}, "Price: call must be a number of at least 0"),
        ({"fake": 3}, "the price of 'fake' must be a Price, or a text such as '0.002/call', not 3"),
        ("1/call", "prices must be a mapping"),
    ],
)
def test_what_is_no_price_is_said(prices: Any, message: str) -> None:
    """Before anything is measured."""
    with pytest.raises(ConfigError, match=message):
        compare({"first": None, "fake": "fake"}, example(3), prices=prices)


def test_memory_is_that_of_a_process_of_its_own() -> None:
    """For what is plain data; of what can't be started again it is said why not."""
    search = RetrieveRerank(BM25Retriever(), FakeReranker(), depth=5)
    systems = {"search": search, "server": Server(), "function": lambda query: ["d0-0"]}
    comparison = compare(systems, example(4), depth=10, memory=True, n_samples=200)
    search_mb, server_mb, function_mb = (each.memory_mb for each in comparison)
    assert search_mb is not None and 30 < search_mb < 1000 and server_mb is function_mb is None
    assert any(note.startswith("server: its memory was not measured: its process failed") for note in comparison.notes)
    assert any(line.startswith("time a query") and line.split()[-1] == "MB" for line in repr(comparison).splitlines())


def test_servers_are_not_asked_for_the_sake_of_memory() -> None:
    """A process of its own would pay for the same calls again."""
    remote = sp.RemoteReranker("http://127.0.0.1:9/rerank", model="m")
    chain = sp.FallbackReranker([remote, FakeReranker()])
    comparison = compare({"first": None, "chain": chain}, example(3), depth=10, memory=True, n_samples=200)
    assert comparison["chain"].memory_mb is None
    assert "chain: its memory was not measured: it asks a server, and the process would do so again" in comparison.notes
