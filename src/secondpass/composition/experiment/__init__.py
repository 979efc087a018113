"""Experiments on live traffic: split units between arms, run one in the shadow, or interleave two."""

from secondpass.composition.experiment.assignment import experiment_unit
from secondpass.composition.experiment.outcomes import Outcomes
from secondpass.composition.experiment.report import ArmComparison, ArmResult, ExperimentReport
from secondpass.composition.experiment.reranker import ABTestReranker
from secondpass.composition.experiment.shadow import ShadowResult

__all__ = [
    "ABTestReranker",
    "ArmComparison",
    "ArmResult",
    "ExperimentReport",
    "Outcomes",
    "ShadowResult",
    "experiment_unit",
]
