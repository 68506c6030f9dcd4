"""The patient of chapter 11's bug clinic: a length penalty that counts the prompt.

Rewritten from scratch, small. https://github.com/huggingface/transformers/issues/26624 reports a
beam score of a decoder-only model whose log-probability is that of the generated tokens and whose
length is that of prompt and generated tokens.
"""

from collections.abc import Sequence

from seq2seq_lib.course.ch11_length_and_truth.given import NO_SOURCE, spelled
from seq2seq_lib.course.ch11_length_and_truth.ranks import Output, Ranked
from seq2seq_lib.decoding import exhaustive_search
from seq2seq_lib.laws import four_letters

PROMPTS = (0, 1, 6)
EQUAL = (2, 4, 8)  # tokens of outputs that pay the same for each


def patient_rank(outputs: Sequence[Output], prompt_length: int, alpha: float) -> Ranked:
    """Should rank finished outputs of a decoder-only model by score, best first.

    Args:
        outputs: pairs of the generated tokens, EOS last, and their log-probability.
        prompt_length: tokens that stand before them.
        alpha: exponent of the length penalty.
    """
    scored = []
    for tokens, log_prob in outputs:
        length = prompt_length + len(tokens)
        scored.append((tokens, log_prob / length**alpha))
    return sorted(scored, key=lambda one: -one[1])


def ranking_log() -> str:
    """What the patient does with the card's outputs, behind prompts of three lengths."""
    (every,) = exhaustive_search(four_letters(), *NO_SOURCE, max_new_tokens=4, n_best=None)
    outputs = [(tuple(h.tokens), h.log_prob) for h in every if h.finished]
    names = {tuple(h.tokens): spelled(h) for h in every}
    lines = ["1  the three best, alpha 1, by the length of the prompt"]
    for prompt in PROMPTS:
        ranked = patient_rank(outputs, prompt, 1.0)[:3]
        shown = "   ".join(f"{names[tokens]:5}{score:7.3f}" for tokens, score in ranked)
        lines.append(f"     {prompt} tokens:  {shown}")
    lines.append("2  the same, alpha 0")
    for prompt in PROMPTS[::2]:
        ranked = patient_rank(outputs, prompt, 0.0)[:3]
        shown = "   ".join(f"{names[tokens]:5}{score:7.3f}" for tokens, score in ranked)
        lines.append(f"     {prompt} tokens:  {shown}")
    lines.append("3  three outputs of which each token pays 1 nat, prompt of 6 tokens, alpha 1")
    made = [((4,) * (n - 1) + (2,), -float(n)) for n in EQUAL]
    for tokens, score in patient_rank(made, 6, 1.0):
        lines.append(f"     {len(tokens)} tokens, log-probability {-len(tokens):3}: {score:7.3f}")
    lines.append("4  log-probabilities, added up again by hand: all as reported")
    return "\n".join(lines) + "\n"
