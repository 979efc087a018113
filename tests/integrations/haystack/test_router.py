"""`SecondPassSufficiencyRouter` alone and in a pipeline."""

import asyncio
import threading
import time
from typing import Any

import pytest
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner

from haystack_integrations.components.validators.secondpass import SecondPassSufficiencyRouter
from haystack_integrations.components.validators.secondpass import router as router_module
from secondpass.adapters import load_sufficiency_check
from secondpass.cancellation import WorkCancelledError, check_cancelled
from secondpass.errors import ConfigError, InputError
from secondpass.verify.sufficiency import Sufficiency, SufficiencyCheck
from tests.verify.guarantees import FIVE, OTHER, QUESTION, TWO


@pytest.fixture(scope="module")
def router() -> SecondPassSufficiencyRouter:
    """Return the router, loaded once."""
    return SecondPassSufficiencyRouter(SufficiencyCheck())


@pytest.mark.parametrize(
    ("texts", "way"), [((TWO, OTHER), "answer"), ((OTHER, None), "search_again"), ((TWO, FIVE), "disagree")]
)
def test_documents_leave_by_one_way(router: SecondPassSufficiencyRouter, texts: tuple[str, ...], way: str) -> None:
    """The same documents come out, under the decision, and nothing under the others."""
    documents = [Document(content=text) for text in texts]
    for output in (router.run(QUESTION, documents), asyncio.run(router.run_async(QUESTION, documents))):
        assert output == {way: documents, "sufficiency": output["sufficiency"]}
        assert output["sufficiency"].decision == way


def test_work_that_is_given_up_stops(router: SecondPassSufficiencyRouter) -> None:
    """Once the task is cancelled, the check ends at its next step."""
    began, stopped = threading.Event(), threading.Event()

    class Stepping(SufficiencyCheck):
        def check(self, question: str, passages: Any) -> Sufficiency:
            began.set()
            try:
                for _ in range(3000):
                    check_cancelled()
                    time.sleep(0.01)
            except WorkCancelledError:
                stopped.set()
                raise
            return super().check(question, passages)

    async def given_up() -> None:
        check = Stepping(router.check.reranker, verifier=None)  # type: ignore[union-attr]
        task = asyncio.create_task(SecondPassSufficiencyRouter(check).run_async(QUESTION, [Document(content=TWO)]))
        await asyncio.to_thread(began.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(stopped.wait, 60)

    asyncio.run(given_up())


def test_in_a_pipeline(router: SecondPassSufficiencyRouter) -> None:
    """What is not connected is not run."""
    pipeline = Pipeline()
    pipeline.add_component("router", router)
    pipeline.add_component("good", DocumentJoiner())
    pipeline.connect("router.answer", "good.documents")
    found = pipeline.run({"router": {"query": QUESTION, "documents": [Document(content=TWO)]}})
    assert [document.content for document in found["good"]["documents"]] == [TWO]
    lost = pipeline.run({"router": {"query": QUESTION, "documents": [Document(content=OTHER)]}})
    assert "good" not in lost and lost["router"]["search_again"][0].content == OTHER


def test_an_async_pipeline_goes_on_while_models_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are loaded once, in a thread that is not the event loop's."""
    threads: list[threading.Thread] = []

    def load(check: Any) -> SufficiencyCheck:
        threads.append(threading.current_thread())
        return load_sufficiency_check(check)

    monkeypatch.setattr(router_module, "load_sufficiency_check", load)
    router = SecondPassSufficiencyRouter()

    async def warmed_up_and_asked() -> dict[str, Any]:
        await router.warm_up_async()
        await router.warm_up_async()
        return await router.run_async(QUESTION, [Document(content=OTHER)])

    assert "search_again" in asyncio.run(warmed_up_and_asked())
    assert len(threads) == 1 and threads[0] is not threading.main_thread()


def test_as_data() -> None:
    """Settings are written and read; the models are loaded later, and bad settings are told then."""
    router = SecondPassSufficiencyRouter({"threshold": 0.7})
    assert SecondPassSufficiencyRouter.from_dict(router.to_dict()).check == {"threshold": 0.7}
    with pytest.raises(ConfigError, match="threshold"):
        SecondPassSufficiencyRouter({"threshold": 7}).warm_up()
    with pytest.raises(ConfigError, match="SufficiencyCheck or its settings"):
        SecondPassSufficiencyRouter("strict")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"documents\[0\]"):
        router.run(QUESTION, ["text"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="documents must be a list, not NoneType"):
        router.run(QUESTION, None)  # type: ignore[arg-type]
