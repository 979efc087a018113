"""The public names, and what importing the package costs."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import secondpass as sp

_SOURCE = Path(sp.__file__).parent
_HEAVY = (
    "torch transformers sentence_transformers faiss openai langchain_core llama_index haystack onnxruntime tokenizers"
)

# The public names of each package; what is not here may change without notice.
_PACKAGES = {
    "cache": ("Cache CacheError MemoryCache RedisCache SQLiteCache as_cache caches"),
    "calibration": (
        "BetaCalibrator CalibrationReport Calibrator ConformalCoverage ConformalSelector Example "
        "IsotonicCalibrator PlattCalibrator ProbabilityQuality ReadyCalibration ScoredExamples Selection "
        "TemperatureCalibrator Threshold at_precision best_f_beta calibrator_from_config estimate_base_rate "
        "examples_from_qrels probability_quality score_examples shift_base_rate"
    ),
    "classify": ("BiEncoder Classification MonitoredClassifier ZeroShotClassifier"),
    "composition": (
        "ABTestReranker ArmComparison ArmResult ExperimentReport Outcomes ShadowResult experiment_unit "
        "BlendedReranker BoostedReranker BudgetReranker CacheStats CachedReranker CalibratedReranker CascadeReranker "
        "CoalescingReranker DiverseReranker LostInTheMiddleReranker RecentReranker in_context "
        "EnsembleReranker FallbackReranker MonitoredReranker Passage PassageReranker PriorReranker "
        "RoutedReranker TranslatingReranker"
    ),
    "decisions": ("DecisionFunction DecisionSettings ForeignDecisionModel Question Reply decision_models"),
    "diagnose": (
        "Diagnosis Environment ExplainedClaim ExplainedVerification Explanation Finding Part Profile diagnose explain "
        "explain_verification profile"
    ),
    "evaluate": (
        "Change Choice Comparison Dataset DepthCurve DepthPoint Difference Estimate Failure Failures Fold GroupResult "
        "LabelledClaim Latency LearningCurve LearningPoint Move Option Plan Price ScoreFigures ScoredRun SystemResult "
        "Tried Tuned VerifierFigures VerifierReport WorstCase choose compare evaluate_scores evaluate_verifier "
        "failures learning_curve measure mrr ndcg per_query query_groups read_beir read_claims read_qrels read_run "
        "stdlib_corpus stdlib_dataset stdlib_qrels stdlib_queries tune"
    ),
    "learn": (
        "Augmenter BackTranslation DataReport Deletion Export Finding Gate GateDecision LabelledPair "
        "LabelledText Leak LeakReport Learned Mined ModelStore ModelVersion Probe Promotion Rejected Shift "
        "Split StoreError Swap Synonyms TrainSettings TrainingExample TrainingRun UpdateAdvice as_dataset as_lists "
        "as_pairs as_triplets as_tuples augment check_data data_hash decide diagnose distil export "
        "fewer_layers find_leaks fit_exits from_answers from_clicks from_dataset from_feedback from_labelled_texts "
        "from_pseudo_labels kept_quality labelled_texts learn mine_negatives oversample preset probe "
        "read_examples read_judged retrain_or_update sample_weights split synthetic_queries text_shift train "
        "undersample unlabelled_requests weighted_sample "
        "with_replay write_examples"
    ),
    "llm": (
        "Answer Budget BudgetError CallSettings Completion CompletionError ForeignModel LLMSettings Prompt TokenChoice "
        "language_models"
    ),
    "models": (
        "Backend Batch BatchRunner EmbeddingModel EncoderTokenizer Exits FileFormat LABELS LoadSettings ModelFiles "
        "ModelSpec NliModel NliOutput PairModel PairOutput RunSettings find_model load_embedding_model load_pair_model"
    ),
    "monitor": (
        "Alert AlertSink ErrorRateRule EscalationRateRule Event JSONLinesSink LatencyRule LoggingSink "
        "LowConfidenceRule LowVarianceRule MemoryRule OpenTelemetrySink PrometheusSink Rule ScoreDriftRule "
        "ScoreSummary ScoredText Sink Summary SupportRateRule TruncationRateRule UnreadRateRule WatchSettings "
        "WindowSink alert_rules read_events sinks summarize"
    ),
    "remote": ("SHAPES Shape"),
    "rerankers": (
        "ColbertReranker CrossEncoderReranker DecisionReranker DuoT5Reranker LLMReranker MonoT5Reranker "
        "ProgressiveReranker RankT5Reranker RemoteReranker T5Settings"
    ),
    "retrieve": (
        "BM25Retriever DenseRetriever ExpandedRetriever Expander FeedbackExpander FunctionExpander "
        "HybridRetriever RetrieveRerank Retriever SynonymExpander TemplateExpander retrievers"
    ),
    "scale": (
        "DatasetRun ScaleSettings ShardDone build_application connected rerank_dataset serve_application verify_dataset"
    ),
    "serve": ("ServeSettings create_app"),
    "verify": (
        "CheckedClaim Citation Claim ClaimStream DecisionJudge Decomposer Evidence FactVerifier Judge Judgement "
        "LLMDecomposer LLMJudge Mismatch MonitoredVerifier POLICIES Policy SignalCombination Span Verdict "
        "Verification split_claims verifiers"
    ),
}


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_it_loads_nothing_heavy() -> None:
    """No framework, no model library, not even ONNX Runtime is imported before it is needed."""
    loaded = set(_python("import sys, secondpass; print(*sys.modules)").split())
    assert loaded.isdisjoint(_HEAVY.split())


def test_importing_it_loads_nothing_slow_of_the_standard_library() -> None:
    """What only some calls need is imported by them, so that a command or a worker starts at once."""
    slow = {"asyncio", "difflib", "hashlib", "html", "importlib.metadata", "json"}
    numpy, ours = (set(_python(f"import sys, {name}; print(*sys.modules)").split()) for name in ("numpy", "secondpass"))
    assert (ours - numpy).isdisjoint(slow)


def test_loading_the_onnx_backend_loads_no_torch() -> None:
    """The light default stays light when it is used."""
    code = "import sys, secondpass as sp; sp.CrossEncoderReranker().score('q', ['d']); print(*sys.modules)"
    assert set(_python(code).split()).isdisjoint({"torch", "transformers", "sentence_transformers", "faiss"})


def test_the_public_names_are_these() -> None:
    """A name that comes or goes is a decision, not an accident."""
    assert sp.__all__ == sorted(sp.__all__)
    assert set(sp.__all__) == {
        *("CompositionError", "ConfigError", "InputError", "MissingExtraError", "ModelError", "ModelFormatError"),
        *("ModelIntegrityError", "ModelNotFoundError", "OutOfMemoryError", "RegistryError", "ScoringError"),
        *("SecondPassError", "SecondPassWarning", "TruncationWarning", "LanguageWarning"),
        *("BlendedReranker", "CachedReranker", "CalibratedReranker", "CascadeReranker", "CoalescingReranker"),
        *("ColbertReranker", "CrossEncoderReranker", "DuoT5Reranker", "EnsembleReranker", "FallbackReranker"),
        *("LLMReranker", "MonoT5Reranker", "PassageReranker", "PriorReranker", "ProgressiveReranker"),
        *("RankT5Reranker", "RemoteReranker", "DecisionReranker"),
        *("BoostedReranker", "BudgetReranker", "DiverseReranker", "LostInTheMiddleReranker", "RecentReranker"),
        *("MonitoredReranker", "RoutedReranker", "TranslatingReranker", "Reranker", "from_config", "load"),
        *("ABTestReranker", "SufficiencyCheck", "sufficiency"),
        *("FactVerifier", "Verdict", "Verification", "VerificationFailedError", "ZeroShotClassifier"),
        *("Document", "RankedDocument", "Ranking", "Request", "Scale", "Scores", "Trace"),
    }
    for name in sp.__all__:
        assert getattr(sp, name) is not None
    assert set(sp.__all__) <= set(dir(sp))


@pytest.mark.parametrize("package", _PACKAGES)
def test_the_public_names_of_a_package_are_these(package: str) -> None:
    """Each can be imported from the package itself, whose first line says what is in it."""
    module = import_module(f"secondpass.{package}")
    assert sorted(module.__all__) == sorted(_PACKAGES[package].split())
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)
    assert module.__doc__ is not None and module.__doc__.partition("\n")[0].endswith(".")


def test_every_other_package_says_what_is_in_it() -> None:
    """A package without public names has one line, and none of its names is offered."""
    for path in sorted(_SOURCE.rglob("__init__.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith('"""') and lines[0].rstrip('"').endswith("."), path
        assert "__all__" in path.read_text(encoding="utf-8") or len(lines) == 1, path


def test_importing_a_package_loads_nothing_heavy() -> None:
    """These import a file when one of its names is asked for."""
    names = ("cache", "composition", "models", "monitor", "rerankers", "verify")
    packages = ", ".join(f"secondpass.{name}" for name in names)
    loaded = set(_python(f"import sys, {packages}; print(*sys.modules)").split())
    assert loaded.isdisjoint(_HEAVY.split())


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy names don't swallow typing errors."""
    with pytest.raises(AttributeError, match="has no attribute 'CrossEncoder'"):
        _ = sp.CrossEncoder  # type: ignore[attr-defined]


def test_every_error_is_ours_and_a_familiar_one() -> None:
    """All errors share one base, and the usual except clauses still catch them."""
    errors = [getattr(sp, name) for name in sp.__all__ if name.endswith("Error")]
    assert all(issubclass(error, sp.SecondPassError) for error in errors)
    assert issubclass(sp.InputError, ValueError) and issubclass(sp.MissingExtraError, ImportError)
    assert issubclass(sp.OutOfMemoryError, MemoryError) and issubclass(sp.RegistryError, LookupError)
