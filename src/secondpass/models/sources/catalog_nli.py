"""The NLI models that secondpass knows by name."""

from secondpass.models.sources.spec import ModelSpec

__all__ = ["NLI_MODELS"]

# As sbert.net lists it, in percent.
_MNLI = "accuracy MNLI mismatched {}"
_TWO_WAY = ("entailment", "not_entailment")

NLI_MODELS = (
    # Our own: `training/README.md` says how it is made. It is on no hub.
    ModelSpec(
        name="secondpass-nli-minilm",
        task="nli",
        repo="",
        package="secondpass",
        folder="models/data/secondpass_nli",
        extra="",
        sha256="aedbc56f1b57005231353b7bd3cfd27c16958eec22a347a1c7761636368daa94",
        max_length=512,
        formats=("onnx",),
        labels=("entailment", "neutral", "contradiction"),
        parameters=27.0,
        licence="Apache-2.0; trained in part on CC BY-SA 4.0 text (see its card)",
    ),
    *(
        ModelSpec(
            name=name,
            task="nli",
            repo=f"cross-encoder/{name}",
            formats=("fused", "onnx", "safetensors") if "deberta" in name else ("onnx", "safetensors"),
            max_length=512,
            parameters=parameters,
            licence="Apache-2.0",
            figures=figures,
        )
        for name, parameters, figures in (
            ("nli-deberta-v3-xsmall", 70.8, _MNLI.format("87.77")),
            ("nli-deberta-v3-small", 143.0, _MNLI.format("87.55")),
            ("nli-deberta-v3-base", 184.0, _MNLI.format("90.04") + ", SNLI 92.38"),
            ("nli-deberta-v3-large", 435.0, ""),
            ("nli-MiniLM2-L6-H768", 82.1, _MNLI.format("86.89")),
        )
    ),
    # Made for zero-shot classification; 0: entailment, 1: not_entailment in their config.json.
    *(
        ModelSpec(
            name=name,
            task="nli",
            repo=f"MoritzLaurer/{name}",
            formats=("fused", "onnx", "safetensors") if "deberta" in name else ("onnx", "safetensors"),
            max_length=max_length,
            labels=_TWO_WAY,
            parameters=parameters,
            licence="MIT",
            languages=languages,
        )
        for name, parameters, max_length, languages in (
            ("deberta-v3-xsmall-zeroshot-v1.1-all-33", 70.8, 512, "English"),
            ("deberta-v3-base-zeroshot-v2.0", 184.0, 512, "English"),
            ("deberta-v3-large-zeroshot-v2.0", 435.0, 512, "English"),
            ("bge-m3-zeroshot-v2.0", 568.0, 8192, "over 100"),
        )
    ),
    # The hub has its weights as a pickle only: save them again as safetensors, and pass that folder. Its authors put
    # document, [SEP] and claim into one text, of which the tokenizer makes what it makes of a pair.
    ModelSpec(
        name="MiniCheck-DeBERTa-v3-Large",
        task="nli",
        repo="lytang/MiniCheck-DeBERTa-v3-Large",
        formats=("safetensors", "fused"),
        max_length=512,
        labels=("unsupported", "supported"),
        parameters=435.0,
        licence="MIT",
    ),
    ModelSpec(
        name="MiniCheck-RoBERTa-Large",
        task="nli",
        repo="lytang/MiniCheck-RoBERTa-Large",
        formats=("safetensors",),
        max_length=512,
        labels=("unsupported", "supported"),
        parameters=355.0,
        licence="MIT",
        unsupported="it was trained on a document and a claim with one separator between them, where its tokenizer "
        "writes two between the texts of a pair; take MiniCheck-DeBERTa-v3-Large, or nli-deberta-v3-base",
    ),
    ModelSpec(
        name="MiniCheck-Flan-T5-Large",
        task="nli",
        repo="lytang/MiniCheck-Flan-T5-Large",
        formats=("safetensors",),
        parameters=783.0,
        licence="MIT",
        unsupported="it is a T5, which writes its verdict as text and has no head for labels; take "
        "MiniCheck-DeBERTa-v3-Large, or nli-deberta-v3-base",
    ),
    ModelSpec(
        name="HHEM-2.1-Open",
        task="nli",
        repo="vectara/hallucination_evaluation_model",
        formats=("safetensors",),
        labels=("consistent",),
        parameters=110.0,
        licence="Apache-2.0",
        figures="balanced accuracy RAGTruth-Summ 64.42, RAGTruth-QA 74.28",
        unsupported="it needs Python code of its own (trust_remote_code), which secondpass never runs; take "
        "nli-deberta-v3-base or MiniCheck-DeBERTa-v3-Large",
    ),
    ModelSpec(
        name="FactCG-DeBERTa-v3-Large",
        task="nli",
        repo="yaxili96/FactCG-DeBERTa-v3-Large",
        formats=("safetensors",),
        labels=("unsupported", "supported"),
        parameters=435.0,
        licence="MIT",
        unsupported="it was trained on an instruction around document and claim in one text, not on pairs; take "
        "MiniCheck-DeBERTa-v3-Large, or nli-deberta-v3-base",
    ),
)
