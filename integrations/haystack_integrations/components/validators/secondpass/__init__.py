"""secondpass in Haystack: a component that verifies replies against the documents that they were made from."""

from haystack_integrations.components.validators.secondpass.verifier import SecondPassVerifier

__all__ = ["SecondPassVerifier"]
