"""The fake reranker, and the contract suite run on it and on rerankers that break it."""

from secondpass.testing import FakeReranker, RerankerContract


class TestFakeReranker(RerankerContract):
    def make(self) -> FakeReranker:
        return FakeReranker()


class TestFakeLogits(RerankerContract):
    def make(self) -> FakeReranker:
        return FakeReranker(scale="logit")
