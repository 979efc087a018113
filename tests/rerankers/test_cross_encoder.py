from secondpass.rerankers.cross_encoder import CrossEncoderReranker
from secondpass.testing import RerankerContract


class TestContract(RerankerContract):
    def make(self) -> CrossEncoderReranker:
        return CrossEncoderReranker()
