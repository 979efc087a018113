"""secondpass in Haystack: a component that verifies replies, and one that routes documents by whether they answer."""

# The first import is the one that finds out, and says, that Haystack is missing.
from haystack_integrations.components.validators.secondpass.router import SecondPassSufficiencyRouter
from haystack_integrations.components.validators.secondpass.verifier import SecondPassVerifier

__all__ = ["SecondPassSufficiencyRouter", "SecondPassVerifier"]
