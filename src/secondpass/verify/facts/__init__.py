"""Facts of a claim against those of its evidence: one kind, one file."""

from secondpass.verify.facts.check import FactCheck, check_facts, read_facts
from secondpass.verify.facts.kind import FactKind, Kinds, finding
from secondpass.verify.facts.kinds import KINDS
from secondpass.verify.facts.text import Facts, Text

__all__ = ["KINDS", "FactCheck", "FactKind", "Facts", "Kinds", "Text", "check_facts", "finding", "read_facts"]
