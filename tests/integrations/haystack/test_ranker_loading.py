"""When `SecondPassRanker` loads its reranker, and what it is as a copy and as data."""

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from haystack import Document
from haystack.utils import ComponentDevice

from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from secondpass.errors import ConfigError, RegistryError, TruncationWarning
from secondpass.loading import load
from secondpass.registry import rerankers
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores
from tests.integrations.haystack.documents import FAKE, QUERY, ids, make_documents


class Slow(FakeReranker):
    """A reranker that takes a while to build, and counts how often that happens."""

    registry_name: ClassVar[str] = "haystack-adapter-slow"
    built: ClassVar[list[int]] = []

    def __init__(self, *, scale: str = "probability", pointwise: bool = True) -> None:
        super().__init__(scale=scale, pointwise=pointwise)
        self.built.append(threading.get_ident())
        threading.Event().wait(0.1)


@pytest.fixture
def slow() -> Iterator[str]:
    """Register `Slow`, with nothing built yet, and return its name."""
    rerankers.register(Slow.registry_name, Slow)
    Slow.built.clear()
    yield Slow.registry_name
    Slow.built.clear()


def test_construction_loads_nothing(slow: str) -> None:
    """A name and a configuration are loaded by warm_up, once however often it is called."""
    for reranker in (slow, {"type": slow}):
        Slow.built.clear()
        ranker = SecondPassRanker(reranker, score_threshold=0.5)
        assert Slow.built == []
        ranker.warm_up()
        ranker.warm_up()
        ranker.run(QUERY, make_documents())
        assert len(Slow.built) == 1


def test_run_loads_by_itself(slow: str) -> None:
    """Without a warm_up the first run loads, and the second does not."""
    ranker = SecondPassRanker(slow)
    assert ids(ranker.run(QUERY, make_documents()))[0] == "c"
    assert ids(ranker.run(QUERY, make_documents()))[0] == "c"
    assert len(Slow.built) == 1


def test_threads_load_once(slow: str) -> None:
    """Eight threads that run a cold ranker at once load one model and get the same."""
    ranker = SecondPassRanker(slow)
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda _: ids(ranker.run(QUERY, make_documents())), range(8)))
    assert outputs == [outputs[0]] * 8 and outputs[0][0] == "c"
    assert len(Slow.built) == 1


def test_tasks_load_once_outside_of_the_event_loop(slow: str) -> None:
    """Tasks that run a cold ranker at once load one model, in a thread that is not the loop's."""
    ranker = SecondPassRanker(slow)

    async def several() -> list[list[str]]:
        outputs = await asyncio.gather(*(ranker.run_async(QUERY, make_documents()) for _ in range(8)))
        return [ids(output) for output in outputs]

    outputs = asyncio.run(several())
    assert outputs == [outputs[0]] * 8 and outputs[0][0] == "c"
    assert len(Slow.built) == 1 and Slow.built[0] != threading.get_ident()


def test_an_unknown_name_is_reported_by_warm_up() -> None:
    """A name that nobody registered is refused with those that there are, and again on the next try."""
    ranker = SecondPassRanker("no-such-reranker")
    for _ in range(2):
        with pytest.raises(RegistryError, match=r"'no-such-reranker' is neither a reranker nor a .*cross-encoder"):
            ranker.warm_up()


def test_importing_the_adapter_loads_no_model_runtime() -> None:
    """Importing and constructing the ranker imports no ONNX Runtime, and no PyTorch unless Haystack itself does."""
    code = (
        "import sys, haystack, haystack.core.component; from haystack import Document; before = set(sys.modules);"
        "from haystack_integrations.components.rankers.secondpass import SecondPassRanker; SecondPassRanker();"
        "sys.exit(str(sorted({'onnxruntime', 'tokenizers', 'torch', 'transformers'} & (set(sys.modules) - before))))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert child.stderr.strip() == "[]"


def test_a_name_scores_long_documents_whole() -> None:
    """The reranker reads windows of what is too long for it, unless a configuration says otherwise."""
    documents = [Document(id="long", content="Bread. " * 600 + "To copy a file, use shutil.copy.")]
    documents.append(Document(id="short", content="The weather is fine."))
    for whole in (SecondPassRanker(), SecondPassRanker({"type": "cross-encoder"})):
        assert ids(whole.run("how do I copy a file", documents)) == ["long", "short"]
    with pytest.warns(TruncationWarning):
        SecondPassRanker({"type": "cross-encoder", "long_documents": "truncate"}).run("how do I copy a file", documents)


def test_a_model_and_its_device_as_other_packages_have_it() -> None:
    """By name, with a device of Haystack's own or a str; it goes through data, and what does not fit is refused."""
    ranker = SecondPassRanker(model="cross-encoder/ms-marco-MiniLM-L-12-v2", device=ComponentDevice.from_str("cpu"))
    data = ranker.to_dict()["init_parameters"]
    assert (data["reranker"], data["model"], data["device"]) == (None, "cross-encoder/ms-marco-MiniLM-L-12-v2", "cpu")
    assert (
        ids(SecondPassRanker.from_dict(ranker.to_dict()).run(QUERY, make_documents()))[0]
        == ids(SecondPassRanker().run(QUERY, make_documents()))[0]
    )
    with pytest.raises(ConfigError, match="pass reranker or model, not both"):
        SecondPassRanker("cross-encoder", model="a")


def test_first_scores_are_passed_on_if_all_have_one() -> None:
    """A reranker that combines scores gets them; one missing, or not a number, and it gets none."""

    class Recording(FakeReranker):
        def _score(self, requests: Sequence[Request]) -> list[Scores]:
            seen.extend(request.initial_scores for request in requests)
            return super()._score(requests)

    seen: list[Any] = []
    ranker = SecondPassRanker(Recording())
    ranker.run(QUERY, make_documents()[:3])
    asyncio.run(ranker.run_async(QUERY, make_documents()[:2]))
    ranker.run(QUERY, make_documents())
    ranker.run(QUERY, [Document(content="a", score=float("nan"))])
    assert seen == [(0.9, 0.8, 0.1), (0.9, 0.8), None, None]


def test_copies_rank_as_the_original() -> None:
    """A pickled or copied ranker, cold or warm, gives what the original gives."""
    warm = SecondPassRanker(FAKE, top_k=2)
    expected = warm.run(QUERY, make_documents())
    for ranker in (warm, SecondPassRanker(FAKE, top_k=2)):
        for twin in (pickle.loads(pickle.dumps(ranker)), copy.deepcopy(ranker), copy.copy(ranker)):
            assert twin.run(QUERY, make_documents()) == expected


def test_to_dict_names_every_setting() -> None:
    """The data holds the type and the settings, the reranker as its name."""
    ranker = SecondPassRanker(top_k=3, score_threshold=0.5, meta_fields_to_embed=["title"], embedding_separator=" ")
    assert ranker.to_dict() == {
        "type": "haystack_integrations.components.rankers.secondpass.ranker.SecondPassRanker",
        "init_parameters": {
            "reranker": "cross-encoder:ms-marco-MiniLM-L12-v2",
            "model": None,
            "device": None,
            "top_k": 3,
            "score_threshold": 0.5,
            "min_probability": None,
            "meta_fields_to_embed": ["title"],
            "embedding_separator": " ",
            "prior": True,
        },
    }


@pytest.mark.parametrize("reranker", [FAKE, FakeReranker(scale="logit"), "fake"])
def test_data_builds_it_again(reranker: Any) -> None:
    """`to_dict`, through JSON and `from_dict`, ranks the same and gives the same data, cold or warm."""
    ranker = SecondPassRanker(reranker, top_k=None, score_threshold=0.1, meta_fields_to_embed=["title"])
    data = ranker.to_dict()
    restored = SecondPassRanker.from_dict(json.loads(json.dumps(data)))
    assert restored.run(QUERY, make_documents()) == ranker.run(QUERY, make_documents())
    assert restored.to_dict()["init_parameters"]["top_k"] is None
    assert restored.to_dict() == ranker.to_dict() == data


def test_a_reranker_is_written_as_its_configuration() -> None:
    """An instance becomes data with which `from_dict` builds an equal one."""
    data = SecondPassRanker(FakeReranker(scale="logit")).to_dict()
    assert data["init_parameters"]["reranker"] == {"type": "fake", "scale": "logit", "pointwise": True}


def test_no_key_is_written() -> None:
    """A pipeline is a file that others read; the component itself has the key."""
    remote = {"type": "remote", "url": "http://localhost:8080", "shape": "tei", "api_key": "sk-secret"}
    ranker = SecondPassRanker({"type": "passage", "wrapped": remote})
    data = ranker.to_dict()
    expected = {"type": "remote", "url": "http://localhost:8080", "shape": "tei"}
    assert data["init_parameters"]["reranker"] == {"type": "passage", "wrapped": expected}
    assert "sk-secret" not in json.dumps(SecondPassRanker(load(remote)).to_dict())
    assert SecondPassRanker.from_dict(data).to_dict() == data
    assert ranker.reranker["wrapped"]["api_key"] == "sk-secret"  # type: ignore[index]


def test_a_reranker_that_is_no_data_cannot_be_written() -> None:
    """The error of `to_config` comes through."""

    class Unnamed(FakeReranker):
        registry_name: ClassVar[str] = ""

    with pytest.raises(ConfigError, match="sets no registry_name"):
        SecondPassRanker(Unnamed()).to_dict()


def test_a_later_change_to_the_callers_settings_has_no_effect() -> None:
    """The component keeps copies of the mapping and the list that it was given."""
    config, fields = {"type": "fake"}, ["title"]
    ranker = SecondPassRanker(config, meta_fields_to_embed=fields)
    config["type"] = "gone"
    fields.append("page")
    assert ranker.to_dict()["init_parameters"]["reranker"] == FAKE
    assert ranker.meta_fields_to_embed == ["title"]
