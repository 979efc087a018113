"""The public names, and what importing the package costs."""

import subprocess
import sys

import pytest

import secondpass as sp

_HEAVY = (
    "torch transformers sentence_transformers faiss openai langchain_core llama_index haystack onnxruntime tokenizers"
)


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_it_loads_nothing_heavy() -> None:
    """No framework, no model library, not even ONNX Runtime is imported before it is needed."""
    loaded = set(_python("import sys, secondpass; print(*sys.modules)").split())
    assert loaded.isdisjoint(_HEAVY.split())


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
        *("SecondPassError", "SecondPassWarning", "TruncationWarning"),
        *("BlendedReranker", "CachedReranker", "CalibratedReranker", "CascadeReranker", "CoalescingReranker"),
        *("ColbertReranker", "CrossEncoderReranker", "DuoT5Reranker", "EnsembleReranker", "FallbackReranker"),
        *("LLMReranker", "MonoT5Reranker", "PassageReranker", "RankT5Reranker", "RemoteReranker", "RoutedReranker"),
        *("TranslatingReranker", "Reranker", "from_config", "load"),
        *("FactVerifier", "Verdict", "Verification", "VerificationFailedError", "ZeroShotClassifier"),
        *("Document", "RankedDocument", "Ranking", "Request", "Scale", "Scores", "Trace"),
    }
    for name in sp.__all__:
        assert getattr(sp, name) is not None
    assert set(sp.__all__) <= set(dir(sp))


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
