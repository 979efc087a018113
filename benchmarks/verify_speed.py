"""How many claims a second the verifier checks, and how much of the time is the model's.

    python benchmarks/verify_speed.py

Answers of five sentences, each against ten passages of about 200 words, all from the documentation of this Python's
standard library; forty answers, none of them twice, as what was read before is kept for a while. First each answer
alone, then eight in one call. Beside the clock's seconds it counts the processor's, which other work on the machine
hardly changes.

Needs: pip install secondpass
"""

import time

import secondpass as sp
from secondpass.evaluate.stdlib_docs import stdlib_corpus

N_ANSWERS, N_SENTENCES, N_PASSAGES, N_WORDS, ROUNDS = 8, 5, 10, 200, 5


def answers() -> list[tuple[str, list[str]]]:
    """Return the answers of all rounds with their passages: sentences of the passages, and of others."""
    words = " ".join(document["text"] for document in stdlib_corpus()).split()
    passages = [" ".join(words[at : at + N_WORDS]) for at in range(0, len(words) - N_WORDS, N_WORDS)]
    sentences = [s for document in stdlib_corpus() for s in document["text"].split(". ") if 40 < len(s) < 160]
    return [
        (
            " ".join(f"{sentence.strip()}." for sentence in sentences[n * 97 : n * 97 + N_SENTENCES]),
            passages[n * 11 : n * 11 + N_PASSAGES],
        )
        for n in range(N_ANSWERS * ROUNDS)
    ]


def main() -> None:
    """Print the two rates."""
    verifier = sp.FactVerifier()
    items = answers()
    verifier.verify(*items[-1])
    rounds = [items[at : at + N_ANSWERS] for at in range(0, len(items), N_ANSWERS)]
    for title, calls in (("one answer a call", [[item] for item in items]), (f"{N_ANSWERS} in one call", rounds)):
        start, cpu_start = time.perf_counter(), time.process_time()
        results = [verifier.verify_many(call) for call in calls]
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        stages = [found[0].trace.stages[0] for found in results]  # answers of one call share its stage
        n_claims = sum(len(one.claims) for found in results for one in found)
        n_pairs = sum(stage.counts["pairs_scored"] for stage in stages)
        share = sum(stage.latency_s for stage in stages) / seconds
        print(
            f"{title}: {n_claims / seconds:.1f} claims/s, {n_claims / cpu_seconds:.1f} a processor second "
            f"({n_claims} claims, {n_pairs} pairs), {share:.0%} of the time in the model"
        )


if __name__ == "__main__":
    main()
