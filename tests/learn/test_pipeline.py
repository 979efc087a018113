"""From judged queries to a version: `learn` and `secondpass learn`, on a tiny model."""

import itertools
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("datasets")

import secondpass as sp
from secondpass.base import Reranker
from secondpass.evaluate.dataset import Dataset
from secondpass.learn.parts import parts_of, with_candidates
from secondpass.learn.pipeline import Learned, _calibrate, learn
from secondpass.learn.report import report_page
from secondpass.learn.store.store import ModelStore
from secondpass.retrieve import BM25Retriever
from secondpass.types import Request, Scale, Scores
from tests.browser import Browser
from tests.learn.conftest import COLOURS, THINGS

pytestmark = pytest.mark.slow

HOSTILE = "<script>\x1b[1m"
_BEGINNINGS = ("what colour is the", "is the", "has the", "who is the", "what is the", "a", "the", "not the")
FAST = {"learning_rate": 2e-3, "precision": "float32"}
CONFIG = {"type": "cross-encoder", "smoke_test": False}  # a tiny model knows nothing of Paris


def colours(folder: Path) -> Path:
    """Write a BEIR folder of questions about things, of whose colours three are right."""
    folder.mkdir()
    corpus = [
        {"_id": f"{thing}-{colour}", "text": f"the {thing} is {colour}"} for thing in THINGS for colour in COLOURS
    ]
    queries, qrels = [], []
    for at, (thing, words) in enumerate(itertools.product(THINGS, _BEGINNINGS)):
        queries.append({"_id": f"q{at}", "text": f"{words} {thing} {HOSTILE}"})
        qrels += [f"q{at} 0 {thing}-{colour} 1" for colour in COLOURS[:3]]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "qrels.txt").write_text("\n".join(qrels), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a dataset in it."""
    folder = tmp_path_factory.mktemp("learn")
    colours(folder / "data")
    return folder


@pytest.fixture(scope="module")
def learned(place: Path, tiny: Callable[..., Path]) -> Learned:
    """What came of learning."""
    return learn(_dataset(place), place / "out", model=tiny(), store=place / "store", depth=20, settings=FAST)


def _dataset(place: Path) -> Dataset:
    from secondpass.evaluate.beir import read_beir

    return read_beir(place / "data")


def test_the_tuned_model_is_better_and_promoted(learned: Learned, place: Path, tiny: Callable[..., Path]) -> None:
    """It beats the start on queries of its own part, so it passes the gate, and is what production means."""
    difference = learned.comparison["tuned"].differences["nDCG@10"]
    store = ModelStore(place / "store")

    assert difference.verdict == "better" and difference.low > 0.2
    assert sum(learned.n_queries.values()) == 64 and all(learned.n_queries.values())
    assert learned.promoted and learned.decision.incumbent == os.fspath(tiny())
    assert learned.version is not None and store.aliases == {"production": learned.version.name}
    assert store.version().data_hash == learned.run.data
    assert store.version().metrics["nDCG@10"] == learned.comparison["tuned"].means["nDCG@10"].value
    assert "severe" not in repr(learned) and "is better than the start" in repr(learned)


def test_int8_costs_little(learned: Learned) -> None:
    """What was lost by int8 is measured, and is not much."""
    assert learned.export.loss is not None
    assert abs(learned.export.loss.value) < 0.05
    assert (learned.model / "model.onnx").is_file() and not list(learned.model.rglob("*.safetensors"))


def test_its_calibration_comes_with_it(learned: Learned, place: Path) -> None:
    """The folder, and the version in the store, have a calibration that fits them, and only them."""
    for name in (os.fspath(learned.model), ModelStore(place / "store").uri()):
        reranker = sp.from_config({**CONFIG, "model": name})
        scores = sp.CalibratedReranker(reranker, calibrator="ready").score(
            "what is the cat", ["the cat is red", "a dog"]
        )
        assert 0 < scores[1] < scores[0] < 1
    other = sp.from_config({**CONFIG, "model": os.fspath(learned.model), "max_length": 16})
    assert other.calibration is None


def test_langchain_takes_it(learned: Learned, place: Path) -> None:
    """The adapter reranks with the tuned int8 model, by its name in the store."""
    from langchain_core.documents import Document

    adapters = pytest.importorskip("langchain_secondpass")
    config = {**CONFIG, "model": ModelStore(place / "store").uri()}
    texts = ["the dog is pink", "the cat is red", "a cow"]
    found = adapters.SecondPassReranker(reranker=config, top_n=2, prior=False).compress_documents(
        [Document(text) for text in texts], "what is the cat"
    )
    ranking = sp.from_config(config).rerank("what is the cat", texts, k=2)

    assert [each.page_content for each in found] == [each.text for each in ranking]
    assert [each.metadata["relevance_score"] for each in found] == [each.score for each in ranking]


def test_done_work_is_not_repeated(learned: Learned, place: Path, tiny: Callable[..., Path]) -> None:
    """Called again, it reads the training, and says the same; a version that is not better is not promoted."""
    result = place / "out" / "training" / "result.json"
    before = result.stat().st_mtime_ns
    again = learn(_dataset(place), place / "out", model=tiny(), store=place / "store", depth=20, settings=FAST)

    assert result.stat().st_mtime_ns == before
    assert again.comparison["tuned"].means == learned.comparison["tuned"].means
    assert not again.promoted and again.decision.incumbent == "v1"
    assert again.version is not None and again.version.name == "v2"


def test_guards(learned: Learned, place: Path) -> None:
    """A model that gets worse on old data is named, and does not pass: here the old answers are the wrong ones now."""
    dataset = _dataset(place)
    wrong = {
        query: {f"{next(iter(grades)).partition('-')[0]}-{COLOURS[7]}": 1} for query, grades in dataset.qrels.items()
    }
    old = replace(dataset, qrels=wrong)

    retriever = BM25Retriever().index(old.documents)
    run = {query: {hit.id: hit.score for hit in retriever.search(text, 20)} for query, text in old.queries.items()}
    found = learn(
        dataset, place / "out", model=learned.decision.incumbent, depth=20, settings=FAST,
        guards={"old data": replace(old, candidates=run), "the same": old},
    )  # fmt: skip

    assert found.decision.guards["the same"] == found.decision.guards["old data"]  # the retriever found them
    assert "worse_on_old_data" in found.findings.names
    assert not found.decision.passed and any("old data" in reason for reason in found.decision.reasons)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_opens_the_report(browser: Browser, learned: Learned, width: int) -> None:
    """The page fits a phone and a desktop, asks for nothing, and its tables can be sorted."""
    browser.open(learned.report, width=width)

    assert browser.requests == [learned.report.resolve().as_uri()] and browser.errors == []
    assert browser.overflow <= 0
    for words in ("is better than the start", "Findings", "Calibration", "How to use it", "gate:"):
        assert words in browser.text
    assert len(browser.all(".chart")) == 2
    browser.one("th button").click()
    assert browser.one("th").get_attribute("aria-sort")


def test_hostile_queries_are_escaped(learned: Learned) -> None:
    """A query that is a script is shown as text, in the page and in the terminal."""
    page = report_page(learned)

    assert page.count("<script>") == 1
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page + repr(learned)


def test_from_the_command_line(learned: Learned, place: Path) -> None:
    """The command prints what came of it as JSON; a setting without a value is an error."""
    from typer.testing import CliRunner

    from secondpass.cli.app import app

    start = learned.decision.incumbent
    common = ["learn", str(place / "data"), "--out", str(place / "command"), "--model", start, "--depth", "20"]
    told = CliRunner().invoke(app, [*common, "--set", "learning_rate=0.002", "--set", "epochs=1"])
    done = CliRunner().invoke(app, [*common, "--set", "learning_rate=0.002", "--set", "epochs=1", "--json"])
    found = json.loads(done.stdout.splitlines()[-1])

    steps = ["find candidates", "mine hard negatives", "train", "export", "calibrate", "measure"]
    assert told.stderr.splitlines() == [f"{at}. {step} ..." for at, step in enumerate(steps, start=1)]  # and no bars
    assert done.exit_code == 0
    assert found["difference"]["value"] > 0.1 and found["version"] is None
    assert Path(found["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    refused = CliRunner().invoke(app, [*common, "--set", "epochs"])
    assert isinstance(refused.exception, sp.ConfigError) and "NAME=VALUE" in str(refused.exception)


def test_answers_and_synthetic_queries_from_the_command_line(
    place: Path, tiny: Callable[..., Path], tmp_path: Path
) -> None:
    """A file of answers is a dataset; sentences of its documents are learned beside it, by a teacher's margins."""
    from typer.testing import CliRunner

    from secondpass.cli.app import app

    pairs = [
        f"{words} {thing},the {thing} is {COLOURS[at % 3]}"
        for thing, (at, words) in itertools.product(THINGS, enumerate(_BEGINNINGS))
    ]
    (tmp_path / "faq.csv").write_text("\n".join(["question,answer", *pairs]), encoding="utf-8")
    out = tmp_path / "out"
    common = ["--out", str(out), "--model", str(tiny()), "--depth", "20", "--json"]
    asked = ["--corpus", str(place / "data" / "corpus.jsonl"), "--synthetic", "30"]
    done = CliRunner().invoke(
        app, ["learn", str(tmp_path / "faq.csv"), *common, *asked, "--set", "learning_rate=0.002", "--set", "epochs=4"]
    )
    run = json.loads((out / "training" / "run.json").read_text(encoding="utf-8"))
    lines = (out / "training" / "examples.jsonl").read_text(encoding="utf-8").splitlines()
    examples = [json.loads(line) for line in lines]

    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert run["loss"] == "margin-mse" and run["n_examples"] == len(examples) == 30 + 32
    assert all(each["scores"] for each in examples) and sum(any(each["labels"]) for each in examples) == 32
    assert "label synthetic queries" in json.loads(done.stdout.splitlines()[-1])["seconds"]
    refused = CliRunner().invoke(app, ["learn", str(place / "data"), *common, *asked])
    assert "--corpus is for a file" in str(refused.exception)


def test_the_extra_is_asked_for_first(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name, and not when candidates were found and scored, which may take hours."""
    monkeypatch.delitem(sys.modules, "secondpass.learn.training.trainer", raising=False)
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    monkeypatch.setattr("secondpass.learn.pipeline.with_candidates", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(sp.MissingExtraError, match=r'pip install "secondpass\[learn\]"'):
        learn(_dataset(place), tmp_path / "out")


class Backwards(Reranker):
    """Likes everything but what is red."""

    scale = Scale.LOGIT

    def _score(self, requests: Sequence[Request]) -> list[Scores]:
        return [Scores(np.array([-float("red" in text.split()) for text in each.texts])) for each in requests]


def test_a_model_that_cannot_be_calibrated_is_a_finding(place: Path, tmp_path: Path) -> None:
    """What ranks the relevant documents last has no rising curve: said, not raised after all the work."""
    dataset = _dataset(place)
    right = {query: {f"{text.split()[-2]}-{COLOURS[0]}": 1} for query, text in dataset.queries.items()}
    parts = parts_of(with_candidates(replace(dataset, qrels=right), BM25Retriever(), 40, False), 0.3, 0.3, 0)
    quality, findings = _calibrate(Backwards(), parts, tmp_path)  # type: ignore[arg-type]

    assert quality is None and [finding.name for finding in findings] == ["not_calibrated"]
    assert "don't score higher" in findings[0].message and not list(tmp_path.iterdir())


def test_errors(place: Path, tiny: Callable[..., Path], tmp_path: Path) -> None:
    """What can't be learned from, or written to, is an error that says why."""
    dataset = _dataset(place)
    two = dataset.sample(2)
    with pytest.raises(sp.ConfigError, match="the dataset must be a Dataset"):
        learn("data", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(sp.ConfigError, match="the loss 'lambda' learns from labels"):
        learn(dataset, tmp_path, model=tiny(), synthetic=10, settings={"loss": "lambda"})
    with pytest.raises(sp.InputError, match=r"too few|leave none"):
        learn(two, tmp_path / "few", model=tiny())
    with pytest.raises(sp.RegistryError, match="bm26"):
        learn(dataset, tmp_path / "named", model=tiny(), retriever="bm26")
    (tmp_path / "file").write_text("")
    with pytest.raises(sp.InputError, match="can't be made"):
        learn(dataset, tmp_path / "file", model=tiny(), depth=20)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"settings": {"epoch": 2}}, "TrainSettings has no setting 'epoch'"),
        ({"settings": {"epochs": 0}}, "epochs"),
        ({"measure": "nDCG@50"}, "looks at 50 documents, and depth=20 leaves fewer"),
        ({"measure": "Quality"}, "not all measures"),
        ({"processes": 0}, "processes must be"),
        ({"guards": {"old": "data"}}, r"guards\['old'\] must be a Dataset"),
        ({"guards": {"old": ...}, "retriever": BM25Retriever()}, r"guards\['old'\] has no candidates"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_computed(
    place: Path, tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    """Not behind the search and the training, which take hours: here there is not even a model to begin with."""
    dataset = _dataset(place)
    guards = {name: dataset if value is ... else value for name, value in arguments.get("guards", {}).items()}
    with pytest.raises(sp.ConfigError, match=said):
        learn(dataset, tmp_path, model="nowhere", depth=20, **(arguments | {"guards": guards}))
