"""secondpass: rerank what was retrieved, verify what was generated.

```python
import secondpass as sp

reranker = sp.CrossEncoderReranker()
for document in reranker.rerank("how do I copy a file?", passages, k=5):
    print(document.rank, document.score, document.text)
```
"""

from typing import TYPE_CHECKING, Any

from secondpass.base import Reranker
from secondpass.errors import (
    CompositionError,
    ConfigError,
    InputError,
    LanguageWarning,
    MissingExtraError,
    ModelError,
    ModelFormatError,
    ModelIntegrityError,
    ModelNotFoundError,
    OutOfMemoryError,
    RegistryError,
    ScoringError,
    SecondPassError,
    SecondPassWarning,
    TruncationWarning,
    VerificationFailedError,
)
from secondpass.lazy import lazy
from secondpass.loading import from_config, load
from secondpass.types import Document, RankedDocument, Ranking, Request, Scale, Scores, Trace

if TYPE_CHECKING:
    __version__: str
    from secondpass.classify.classifier import ZeroShotClassifier
    from secondpass.composition.blended import BlendedReranker
    from secondpass.composition.cached import CachedReranker
    from secondpass.composition.calibrated import CalibratedReranker
    from secondpass.composition.cascade.reranker import CascadeReranker
    from secondpass.composition.coalescing import CoalescingReranker
    from secondpass.composition.ensemble import EnsembleReranker
    from secondpass.composition.experiment.reranker import ABTestReranker
    from secondpass.composition.fallback import FallbackReranker
    from secondpass.composition.monitored import MonitoredReranker
    from secondpass.composition.order.boosted import BoostedReranker
    from secondpass.composition.order.budget import BudgetReranker
    from secondpass.composition.order.diverse import DiverseReranker
    from secondpass.composition.order.middle import LostInTheMiddleReranker
    from secondpass.composition.order.recent import RecentReranker
    from secondpass.composition.passage import PassageReranker
    from secondpass.composition.prior import PriorReranker
    from secondpass.composition.routed import RoutedReranker
    from secondpass.composition.translating import TranslatingReranker
    from secondpass.rerankers.colbert import ColbertReranker
    from secondpass.rerankers.cross_encoder import CrossEncoderReranker
    from secondpass.rerankers.decision import DecisionReranker
    from secondpass.rerankers.llm import LLMReranker
    from secondpass.rerankers.progressive import ProgressiveReranker
    from secondpass.rerankers.remote import RemoteReranker
    from secondpass.rerankers.t5 import DuoT5Reranker, MonoT5Reranker, RankT5Reranker
    from secondpass.verify.sufficiency import SufficiencyCheck, sufficiency
    from secondpass.verify.types import Verdict, Verification
    from secondpass.verify.verifier import FactVerifier

# Names whose files import ONNX Runtime and the like: they are imported when they are first asked for.
_LAZY = {
    "ABTestReranker": "secondpass.composition.experiment.reranker",
    "BlendedReranker": "secondpass.composition.blended",
    "BoostedReranker": "secondpass.composition.order.boosted",
    "BudgetReranker": "secondpass.composition.order.budget",
    "CachedReranker": "secondpass.composition.cached",
    "CalibratedReranker": "secondpass.composition.calibrated",
    "CascadeReranker": "secondpass.composition.cascade.reranker",
    "CoalescingReranker": "secondpass.composition.coalescing",
    "ColbertReranker": "secondpass.rerankers.colbert",
    "CrossEncoderReranker": "secondpass.rerankers.cross_encoder",
    "DecisionReranker": "secondpass.rerankers.decision",
    "DiverseReranker": "secondpass.composition.order.diverse",
    "DuoT5Reranker": "secondpass.rerankers.t5",
    "EnsembleReranker": "secondpass.composition.ensemble",
    "FactVerifier": "secondpass.verify.verifier",
    "FallbackReranker": "secondpass.composition.fallback",
    "LLMReranker": "secondpass.rerankers.llm",
    "LostInTheMiddleReranker": "secondpass.composition.order.middle",
    "MonitoredReranker": "secondpass.composition.monitored",
    "MonoT5Reranker": "secondpass.rerankers.t5",
    "PassageReranker": "secondpass.composition.passage",
    "PriorReranker": "secondpass.composition.prior",
    "ProgressiveReranker": "secondpass.rerankers.progressive",
    "RankT5Reranker": "secondpass.rerankers.t5",
    "RecentReranker": "secondpass.composition.order.recent",
    "RemoteReranker": "secondpass.rerankers.remote",
    "RoutedReranker": "secondpass.composition.routed",
    "SufficiencyCheck": "secondpass.verify.sufficiency",
    "TranslatingReranker": "secondpass.composition.translating",
    "Verdict": "secondpass.verify.types",
    "Verification": "secondpass.verify.types",
    "ZeroShotClassifier": "secondpass.classify.classifier",
    "sufficiency": "secondpass.verify.sufficiency",
}

__all__ = [
    "ABTestReranker",
    "BlendedReranker",
    "BoostedReranker",
    "BudgetReranker",
    "CachedReranker",
    "CalibratedReranker",
    "CascadeReranker",
    "CoalescingReranker",
    "ColbertReranker",
    "CompositionError",
    "ConfigError",
    "CrossEncoderReranker",
    "DecisionReranker",
    "DiverseReranker",
    "Document",
    "DuoT5Reranker",
    "EnsembleReranker",
    "FactVerifier",
    "FallbackReranker",
    "InputError",
    "LLMReranker",
    "LanguageWarning",
    "LostInTheMiddleReranker",
    "MissingExtraError",
    "ModelError",
    "ModelFormatError",
    "ModelIntegrityError",
    "ModelNotFoundError",
    "MonitoredReranker",
    "MonoT5Reranker",
    "OutOfMemoryError",
    "PassageReranker",
    "PriorReranker",
    "ProgressiveReranker",
    "RankT5Reranker",
    "RankedDocument",
    "Ranking",
    "RecentReranker",
    "RegistryError",
    "RemoteReranker",
    "Request",
    "Reranker",
    "RoutedReranker",
    "Scale",
    "Scores",
    "ScoringError",
    "SecondPassError",
    "SecondPassWarning",
    "SufficiencyCheck",
    "Trace",
    "TranslatingReranker",
    "TruncationWarning",
    "Verdict",
    "Verification",
    "VerificationFailedError",
    "ZeroShotClassifier",
    "from_config",
    "load",
    "sufficiency",
]


_get, __dir__ = lazy(__name__, _LAZY)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("secondpass")
    return _get(name)
