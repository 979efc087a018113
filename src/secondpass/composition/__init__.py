"""Rerankers that wrap others: caching, calibrating, fusing, cascading, routing, ordering, watching, comparing."""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.composition.blended import BlendedReranker
    from secondpass.composition.cached import CachedReranker, CacheStats
    from secondpass.composition.calibrated import CalibratedReranker
    from secondpass.composition.cascade.reranker import CascadeReranker
    from secondpass.composition.coalescing import CoalescingReranker
    from secondpass.composition.ensemble import EnsembleReranker
    from secondpass.composition.experiment.assignment import experiment_unit
    from secondpass.composition.experiment.outcomes import Outcomes
    from secondpass.composition.experiment.report import ArmComparison, ArmResult, ExperimentReport
    from secondpass.composition.experiment.reranker import ABTestReranker
    from secondpass.composition.experiment.shadow import ShadowResult
    from secondpass.composition.fallback import FallbackReranker
    from secondpass.composition.monitored import MonitoredReranker
    from secondpass.composition.order.boosted import BoostedReranker
    from secondpass.composition.order.budget import BudgetReranker, in_context
    from secondpass.composition.order.diverse import DiverseReranker
    from secondpass.composition.order.middle import LostInTheMiddleReranker
    from secondpass.composition.order.recent import RecentReranker
    from secondpass.composition.passage import Passage, PassageReranker
    from secondpass.composition.prior import PriorReranker
    from secondpass.composition.routed import RoutedReranker
    from secondpass.composition.translating import TranslatingReranker

# Imported when they are first asked for, as `import secondpass` loads none of them.
_LAZY = {
    "ABTestReranker": "secondpass.composition.experiment.reranker",
    "ArmComparison": "secondpass.composition.experiment.report",
    "ArmResult": "secondpass.composition.experiment.report",
    "BlendedReranker": "secondpass.composition.blended",
    "BoostedReranker": "secondpass.composition.order.boosted",
    "BudgetReranker": "secondpass.composition.order.budget",
    "CachedReranker": "secondpass.composition.cached",
    "CacheStats": "secondpass.composition.cached",
    "CalibratedReranker": "secondpass.composition.calibrated",
    "CascadeReranker": "secondpass.composition.cascade.reranker",
    "CoalescingReranker": "secondpass.composition.coalescing",
    "DiverseReranker": "secondpass.composition.order.diverse",
    "EnsembleReranker": "secondpass.composition.ensemble",
    "ExperimentReport": "secondpass.composition.experiment.report",
    "FallbackReranker": "secondpass.composition.fallback",
    "in_context": "secondpass.composition.order.budget",
    "LostInTheMiddleReranker": "secondpass.composition.order.middle",
    "MonitoredReranker": "secondpass.composition.monitored",
    "Outcomes": "secondpass.composition.experiment.outcomes",
    "Passage": "secondpass.composition.passage",
    "PassageReranker": "secondpass.composition.passage",
    "PriorReranker": "secondpass.composition.prior",
    "RecentReranker": "secondpass.composition.order.recent",
    "RoutedReranker": "secondpass.composition.routed",
    "ShadowResult": "secondpass.composition.experiment.shadow",
    "TranslatingReranker": "secondpass.composition.translating",
    "experiment_unit": "secondpass.composition.experiment.assignment",
}

__all__ = [
    "ABTestReranker",
    "ArmComparison",
    "ArmResult",
    "BlendedReranker",
    "BoostedReranker",
    "BudgetReranker",
    "CacheStats",
    "CachedReranker",
    "CalibratedReranker",
    "CascadeReranker",
    "CoalescingReranker",
    "DiverseReranker",
    "EnsembleReranker",
    "ExperimentReport",
    "FallbackReranker",
    "LostInTheMiddleReranker",
    "MonitoredReranker",
    "Outcomes",
    "Passage",
    "PassageReranker",
    "PriorReranker",
    "RecentReranker",
    "RoutedReranker",
    "ShadowResult",
    "TranslatingReranker",
    "experiment_unit",
    "in_context",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
