"""The kinds of facts that are checked. A new one is a file of its own, and a line here."""

from secondpass.verify.facts.dates import DateKind
from secondpass.verify.facts.groups import GroupKind
from secondpass.verify.facts.kind import Kinds
from secondpass.verify.facts.names import NameKind
from secondpass.verify.facts.negation import NegationKind
from secondpass.verify.facts.numbered import NumberedKind
from secondpass.verify.facts.numbers import NumberKind
from secondpass.verify.facts.opening import OpeningKind
from secondpass.verify.facts.opposites import OppositeKind
from secondpass.verify.facts.strength import StrengthKind
from secondpass.verify.facts.values import ValueKind

__all__ = ["DATES", "GROUPS", "KINDS", "NAMES", "NEGATIONS", "NUMBERED", "NUMBERS"]
__all__ += ["OPENINGS", "OPPOSITES", "STRENGTHS", "VALUES"]

NUMBERS, NUMBERED, DATES, NAMES, NEGATIONS = NumberKind(), NumberedKind(), DateKind(), NameKind(), NegationKind()
OPPOSITES, OPENINGS, GROUPS = OppositeKind(), OpeningKind(), GroupKind()
STRENGTHS, VALUES = StrengthKind(), ValueKind()
KINDS = Kinds((NUMBERS, NUMBERED, DATES, NAMES, NEGATIONS, OPPOSITES, OPENINGS, GROUPS, STRENGTHS, VALUES))
"""What `check_facts` looks into; other packages add theirs with `Kinds.register`."""
