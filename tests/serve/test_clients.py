"""Official clients of others' services, against this server: what they are written for is what they get."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from secondpass.serve import create_app
from secondpass.testing import FakeReranker
from tests.serve.conftest import FAKES, listening

# Some leave their connections open, and say so at the end.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

_QUERY = "copy a file"
_DOCUMENTS = ["delete a file", "copy a file", "sunny all week"]
_KEY = "sesame-42"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the address of a server that asks for a key, and knows some providers' models by alias."""
    aliases = {"rerank-v3.5": "default", "jina-reranker-v2-base-multilingual": "default", "rerank-2": "default"}
    app: FastAPI = create_app(FAKES | {"api_keys": _KEY, "aliases": aliases})
    with listening(app) as address:
        yield address


def _check(results: list[tuple[int, float]]) -> None:
    """Check the best two of the documents, with their scores."""
    scores = FakeReranker().score(_QUERY, _DOCUMENTS)
    assert [index for index, _ in results] == [1, 0]
    assert [score for _, score in results] == pytest.approx([scores[1], scores[0]])


def test_cohere(url: str) -> None:
    """The Python client, version 2 of the API."""
    import cohere

    client = cohere.ClientV2(_KEY, base_url=url)
    response = client.rerank(model="rerank-v3.5", query=_QUERY, documents=_DOCUMENTS, top_n=2)
    _check([(result.index, result.relevance_score) for result in response.results])
    assert response.meta is not None and response.meta.billed_units is not None
    assert response.meta.billed_units.search_units == 1
    with pytest.raises(cohere.NotFoundError, match="no reranker is called 'rerank-v9' here"):
        client.rerank(model="rerank-v9", query=_QUERY, documents=_DOCUMENTS)
    with pytest.raises(cohere.UnauthorizedError):
        cohere.ClientV2("other", base_url=url).rerank(model="rerank-v3.5", query=_QUERY, documents=_DOCUMENTS)


def test_cohere_version_1(url: str) -> None:
    """The Python client, version 1 of the API, with documents as objects."""
    import cohere

    client = cohere.Client(_KEY, base_url=url)
    documents: list[Any] = [{"text": text} for text in _DOCUMENTS]
    response = client.rerank(model="rerank-v3.5", query=_QUERY, documents=documents, top_n=2, return_documents=True)
    _check([(result.index, result.relevance_score) for result in response.results])
    assert response.results[0].document is not None and response.results[0].document.text == _DOCUMENTS[1]


def test_langchain(url: str) -> None:
    """LangChain's document compressor for Cohere."""
    import cohere
    from langchain_core.documents import Document

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, on import
        from langchain_cohere import CohereRerank

    compressor = CohereRerank(client=cohere.ClientV2(_KEY, base_url=url), model="rerank-v3.5", top_n=2)
    kept = compressor.compress_documents([Document(text) for text in _DOCUMENTS], _QUERY)
    assert [document.page_content for document in kept] == [_DOCUMENTS[1], _DOCUMENTS[0]]
    _check([(_DOCUMENTS.index(each.page_content), each.metadata["relevance_score"]) for each in kept])


def test_llama_index(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """LlamaIndex's postprocessors for Cohere, text-embeddings-inference and Jina."""
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.postprocessor.cohere_rerank import CohereRerank
    from llama_index.postprocessor.jinaai_rerank import JinaRerank
    from llama_index.postprocessor.tei_rerank import TextEmbeddingInference

    postprocessors = [
        CohereRerank(api_key=_KEY, base_url=url, model="rerank-v3.5", top_n=2),
        TextEmbeddingInference(base_url=url, top_n=2, auth_token=f"Bearer {_KEY}"),
        JinaRerank(api_key=_KEY, base_url=f"{url}/v1", model="jina-reranker-v2-base-multilingual", top_n=2),
    ]
    for postprocessor in postprocessors:
        nodes = [NodeWithScore(node=TextNode(text=text), score=0.0) for text in _DOCUMENTS]
        kept = postprocessor.postprocess_nodes(nodes, query_str=_QUERY)
        _check([(_DOCUMENTS.index(each.node.get_content()), each.score or 0.0) for each in kept])


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("cohere/rerank-v3.5", "/v2/rerank"),
        ("jina_ai/jina-reranker-v2-base-multilingual", ""),
        ("infinity/default", "/infinity"),
        ("hosted_vllm/default", "/rerank"),
        ("voyage/rerank-2", "/v1/rerank"),
    ],
)
def test_litellm(url: str, model: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM's rerank, by what it has for each of these providers."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it is fetched on import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, on import and with each call
        import litellm

        response = litellm.rerank(
            model=model, query=_QUERY, documents=_DOCUMENTS, top_n=2, api_key=_KEY, api_base=url + path
        )
    _check([(result["index"], result["relevance_score"]) for result in response.results or []])


def test_voyage(url: str) -> None:
    """Voyage's Python client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, on import
        import voyageai

        client = voyageai.Client(api_key=_KEY, base_url=f"{url}/v1")
        response = client.rerank(_QUERY, _DOCUMENTS, model="rerank-2", top_k=2)
    _check([(result.index, result.relevance_score) for result in response.results])
