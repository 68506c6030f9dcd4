"""The patient of chapter 7's bug clinic: a beam search whose finished outputs run away.

Rewritten from scratch, small, after https://github.com/awslabs/sockeye/pull/233, where whoever drew
the beam saw it go on for steps after all outputs had ended.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.ex8_choose import choose
from seq2seq_lib.laws import HashModel
from seq2seq_lib.laws.plain_beam import Hyp
from seq2seq_lib.vocab import BOS_ID, EOS_ID

LOG_MODEL, LOG_SOURCE, LOG_BEAMS, LOG_STEPS = HashModel(7, seed=51), (5, 3, EOS_ID), 3, 8

# What `reproduce_log()` returns.
LOG = """\
search  3 beams, at most 8 tokens, no length penalty; what it has in hand after each step
model   4 words and EOS; it remembers all that it has read

  step   A rows read   B log_prob of the best   C outputs that ended   D tokens in the longest
     1             1                        -                      0                         -
     2             3                   -1.646                      1                         2
     3             3                   -2.321                      1                         2
     4             3                   -2.820                      2                         4
     5             3                   -3.356                      3                         4
     6             3                   -4.377                      3                         4
     7             3                   -5.141                      3                         4
     8             3                   -6.133                      3                         4
"""


def patient_search(
    model: Any, src: Tensor, src_lengths: Tensor, num_beams: int, max_len: int, alpha: float
) -> list[Hyp]:
    """Should be beam search for one sentence. It runs, the words look right, and it is wrong.

    Args:
        model: with the decoding protocol.
        src, src_lengths: int64 ``[1, S]`` and ``[1]``.
        num_beams: k.
        max_len: tokens of the longest output, EOS counted.
        alpha: of the length penalty.
    """
    state = model.start(src, src_lengths)
    outputs, totals = [[]], torch.zeros(1)
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])
        log_probs, state = model.step(last, state)  # [k, V]
        rows, tokens, totals = (part[:num_beams] for part in choose(totals, log_probs, num_beams))
        pairs = zip(rows.tolist(), tokens.tolist(), strict=True)
        outputs = [[*outputs[row], token] for row, token in pairs]
        state = state.select(rows)
        if (tokens == EOS_ID).all():  # every output has ended
            break
    found = []
    for tokens, log_prob in zip(outputs, totals.tolist(), strict=True):
        if EOS_ID in tokens:
            tokens = tokens[: tokens.index(EOS_ID) + 1]
            found.append(Hyp(tokens, log_prob, log_prob / len(tokens) ** alpha))
    return sorted(found, key=lambda hyp: hyp.score, reverse=True)


class Counting:
    """A model that counts the rows that it reads at each step."""

    def __init__(self, model: Any) -> None:
        self.model, self.rows = model, []

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        return self.model.start(src, src_lengths)

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        self.rows.append(len(tokens))
        return self.model.step(tokens, state)


def reproduce_log(search: Callable[..., list[Hyp]] = patient_search) -> str:
    """What ``search`` has in hand after each step. No randomness is involved."""
    src, src_lengths = torch.tensor([LOG_SOURCE]), torch.tensor([len(LOG_SOURCE)])
    lines = LOG.splitlines()[:4]  # what stands above the numbers
    for step in range(1, LOG_STEPS + 1):
        model = Counting(LOG_MODEL)
        found = search(model, src, src_lengths, LOG_BEAMS, step, 0.0)  # stopped after this step
        longest = str(max(len(hyp.tokens) for hyp in found)) if found else "-"
        best = f"{found[0].log_prob:.3f}" if found else "-"
        rows = model.rows[step - 1]
        lines.append(f"{step:6d}   {rows:11d}   {best:>22}   {len(found):20d}   {longest:>23}")
    return "\n".join(lines) + "\n"


def search_log() -> str:
    """The log that the bug really produces."""
    return LOG
