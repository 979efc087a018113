"""Rerankers that wrap others: caching, calibrating, fusing, cascading, routing, falling back and monitoring."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.composition.blended import BlendedReranker
    from secondpass.composition.cached import CachedReranker, CacheStats
    from secondpass.composition.calibrated import CalibratedReranker
    from secondpass.composition.cascade.reranker import CascadeReranker
    from secondpass.composition.coalescing import CoalescingReranker
    from secondpass.composition.ensemble import EnsembleReranker
    from secondpass.composition.fallback import FallbackReranker
    from secondpass.composition.monitored import MonitoredReranker
    from secondpass.composition.passage import Passage, PassageReranker
    from secondpass.composition.prior import PriorReranker
    from secondpass.composition.routed import RoutedReranker
    from secondpass.composition.translating import TranslatingReranker

# Imported when they are first asked for, as `import secondpass` loads none of them.
_LAZY = {
    "BlendedReranker": "secondpass.composition.blended",
    "CacheStats": "secondpass.composition.cached",
    "CachedReranker": "secondpass.composition.cached",
    "CalibratedReranker": "secondpass.composition.calibrated",
    "CascadeReranker": "secondpass.composition.cascade.reranker",
    "CoalescingReranker": "secondpass.composition.coalescing",
    "EnsembleReranker": "secondpass.composition.ensemble",
    "FallbackReranker": "secondpass.composition.fallback",
    "MonitoredReranker": "secondpass.composition.monitored",
    "Passage": "secondpass.composition.passage",
    "PassageReranker": "secondpass.composition.passage",
    "PriorReranker": "secondpass.composition.prior",
    "RoutedReranker": "secondpass.composition.routed",
    "TranslatingReranker": "secondpass.composition.translating",
}

__all__ = [
    "BlendedReranker",
    "CacheStats",
    "CachedReranker",
    "CalibratedReranker",
    "CascadeReranker",
    "CoalescingReranker",
    "EnsembleReranker",
    "FallbackReranker",
    "MonitoredReranker",
    "Passage",
    "PassageReranker",
    "PriorReranker",
    "RoutedReranker",
    "TranslatingReranker",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
