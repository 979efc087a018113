"""Calls as users write them, for mypy to read; never run."""

import secondpass as sp
from secondpass.cache import MemoryCache
from secondpass.composition import experiment_unit
from secondpass.evaluate import (
    Choice,
    Comparison,
    Dataset,
    LearningCurve,
    Tuned,
    VerifierReport,
    choose,
    compare,
    evaluate_verifier,
    failures,
    learning_curve,
    tune,
)
from secondpass.learn import Gate, ModelStore, Split, TrainingExample, data_hash, from_dataset, mine_negatives, split
from secondpass.llm import Budget
from secondpass.models import LoadSettings
from secondpass.monitor import AlertSink, Event, LatencyRule, WindowSink
from secondpass.retrieve import BM25Retriever, DenseRetriever, RetrieveRerank
from secondpass.verify import DecisionJudge, LLMJudge


def rerank(query: str, texts: list[str]) -> list[str]:
    """The simplest use: texts in, texts out."""
    reranker = sp.CrossEncoderReranker()
    ranking: sp.Ranking = reranker.rerank(query, texts, k=3)
    best: sp.RankedDocument = ranking[0]
    score: float = best.score
    first_two: tuple[sp.RankedDocument, ...] = ranking[:2]
    return [document.text for document in (best, *first_two) if document.score >= score]


def rerank_many(questions: dict[str, list[str]]) -> list[sp.Ranking]:
    """Pairs and requests may stand side by side, documents may be mappings."""
    requests: list[sp.Request | tuple[str, list[str]]] = [*questions.items(), sp.Request("q", ["a"], k=1)]
    mapping = {"text": "a", "id": 3, "metadata": {"page": 1}}
    sp.load("cross-encoder:ms-marco-MiniLM-L12-v2", activation="sigmoid").rerank("q", [mapping, "b"])
    return sp.load({"type": "fake"}).rerank_many(requests, k=2)


async def arerank(reranker: sp.Reranker) -> sp.Ranking:
    """The same, awaited."""
    return await reranker.arerank("q", ["a", "b"], k=1)


def search(texts: list[str]) -> sp.Ranking:
    """One query gives one ranking, a list gives a list."""
    first: list[sp.Ranking] = BM25Retriever().index(texts).search(["q1", "q2"], 5)
    two_stage = RetrieveRerank(DenseRetriever("bge-small-en-v1.5", metric="l2"), sp.load("fake"), depth=50)
    many: list[sp.Ranking] = two_stage.index(texts).search(["q1"], k=5)
    return (first + many)[0]


def configured(folder: str) -> None:
    """Settings that are passed along are known by name and type, and a slip in either is an error here already."""
    sp.CrossEncoderReranker(folder, backend="torch", device="cuda", dtype="float16", max_length=256)
    sp.CrossEncoderReranker(folder, devise="cuda")  # type: ignore[call-arg]
    sp.CrossEncoderReranker(folder, max_length="256")  # type: ignore[arg-type]
    sp.MonoT5Reranker(folder, dtype="bfloat16", batch_tokens=4096)
    sp.MonoT5Reranker(folder, dtype="int8")  # type: ignore[arg-type]
    sp.ColbertReranker(folder, query_length=48, backend="onnx")  # type: ignore[call-arg]
    sp.FactVerifier(folder, local_files_only=True, revison="main")  # type: ignore[call-arg]
    DenseRetriever(folder, metric="l2", precision="int8")
    settings: LoadSettings = {"device": "cpu", "revision": "main"}
    same: sp.CrossEncoderReranker = sp.CrossEncoderReranker.from_config(
        sp.CrossEncoderReranker(folder, **settings).to_config()
    )
    identity: str = same.fingerprint
    MemoryCache(max_bytes=len(identity), ttl=3)  # type: ignore[call-arg]


def ask(texts: list[str]) -> list[float]:
    """A misspelt or wrongly typed setting of a language model is a type error, in each that takes them."""
    llm = sp.LLMReranker("m", mode="graded", base_url="http://localhost:8000/v1", timeout_s=5.0, budget=Budget(1000))
    LLMJudge("m", temperature=None, completion=lambda prompt, timeout_s: '{"verdict": "supported"}')
    sp.LLMReranker("m", timout_s=5.0)  # type: ignore[call-arg]
    sp.LLMReranker("m", concurrency="8")  # type: ignore[arg-type]
    LLMJudge("m", base_uri="http://localhost:8000/v1")  # type: ignore[call-arg]
    sp.DecisionReranker("m", url="http://localhost:8000/v1/systemone", mode="graded", timeout_s=5.0)
    DecisionJudge(decide=lambda question, timeout_s: [0.9, 0.05, 0.05], threshold=0.6)
    sp.DecisionReranker("m", uri="http://localhost:8000/v1/systemone")  # type: ignore[call-arg]
    sp.DecisionReranker("m", shape="cohere")  # type: ignore[arg-type]
    return [document.score for document in llm.rerank("q", texts)]


def evaluated(dataset: Dataset) -> tuple[str, ...]:
    """A misspelt setting is a type error, and what comes back is known."""
    comparison: Comparison = compare({"BM25": BM25Retriever(), "L12": "cross-encoder"}, dataset, depths=(10, 50))
    compare({"BM25": BM25Retriever(), "L12": "cross-encoder"}, dataset, depht=10)  # type: ignore[call-arg]
    report: VerifierReport = evaluate_verifier(sp.FactVerifier(), [{"claim": "c", "passages": "p", "label": 1}])
    choice: Choice = choose(dataset, latency_ms=200, k=5, retrievers=["bm25"], rerankers={"L12": "cross-encoder"})
    tuned: Tuned = tune(lambda weight: sp.PriorReranker(sp.load("fake"), weight=weight), {"weight": (1, 2)}, dataset)
    curve: LearningCurve = learning_curve(["text"], ["label"], zero_shot=sp.ZeroShotClassifier())
    tune(sp.load, {"reranker": ["fake"]}, dataset, fold=3)  # type: ignore[call-arg]
    lost: list[str] = [case.query for case in failures(comparison, dataset, "L12", against="BM25")]
    return (*comparison.advice, *report.sources, *choice.advice, *tuned.advice, *curve.advice, *lost)


def versions(dataset: Dataset) -> str:
    """Examples keep their kind, from their source to a split; a misspelt setting is a type error."""
    parts: Split[TrainingExample] = split(from_dataset(dataset), dev=0.2)
    mined = mine_negatives(parts.train, dataset.documents, retriever=BM25Retriever(), reranker="cross-encoder", n=3)
    mine_negatives(parts.train, dataset.documents, retreiver=BM25Retriever())  # type: ignore[call-arg]
    store = ModelStore("models")
    store.add("model", task="rerank", metrics={"nDCG@10": 0.5}, data_hash=data_hash(mined.examples))
    store.add("model", task="rank")  # type: ignore[arg-type]
    return store.promote("v1", gate=Gate(dev=dataset, guards={"old": dataset})).version.name


def experiment(control: sp.Reranker) -> float | None:
    """Arms are objects, names or configurations; a misspelt mode is a type error."""
    with sp.ABTestReranker(
        {"control": control, "treatment": "cross-encoder"}, {"control": 90, "treatment": 10}
    ) as test:
        with experiment_unit("user-42"):
            arm: str = test.record("clicked", 1.0)
        sp.ABTestReranker({arm: control, "b": {"type": "fake"}}, mode="split", plan="plan.json")
        sp.ABTestReranker({"a": control, "b": control}, mode="spilt")  # type: ignore[arg-type]
        return test.report("clicked").comparisons[0].low


def watch(reranker: sp.Reranker) -> float | None:
    """Sinks are objects, names, configurations or functions of an event; a misspelt setting is a type error."""
    window = WindowSink(max_events=100)
    slow: list[Event] = []
    rules: list[LatencyRule | dict[str, str]] = [LatencyRule(0.5, window=50), {"type": "error-rate"}]
    sp.MonitoredReranker(reranker, [window, "logging", {"type": "jsonl", "path": "e"}, slow.append, AlertSink(rules)])
    sp.MonitoredReranker(reranker, text=True)  # type: ignore[call-arg]
    LatencyRule(0.5, windw=50)  # type: ignore[call-arg]
    sp.LostInTheMiddleReranker(sp.BudgetReranker(sp.DiverseReranker(reranker, devise="cpu"), 100))  # type: ignore[call-arg]
    return window.summary().p95_latency_s
