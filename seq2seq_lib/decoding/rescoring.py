"""Rescoring: the log-probabilities of outputs that are given."""

from collections.abc import Sequence
from itertools import compress

import torch
from torch import Tensor

from seq2seq_lib.decoding.outputs import Hypothesis, OpenOutputs
from seq2seq_lib.decoding.penalty import LengthPenalty
from seq2seq_lib.decoding.protocol import DecodingModel, as_token, check_batch
from seq2seq_lib.runtime import evaluation_mode
from seq2seq_lib.vocab import EOS_ID


def rescore(
    model: DecodingModel,
    src: Tensor,
    src_lengths: Tensor,
    outputs: Sequence[Sequence[Sequence[int]]],
    *,
    length_penalty: float = 0.0,
    length_penalty_kind: str = "plain",
) -> list[list[Hypothesis]]:
    """Log-probabilities of given outputs, token by token: what a search should have returned.

    Args:
        outputs: for each sentence a list of outputs, each a non-empty list of ids without BOS.

    Returns:
        One list a sentence, in the given order.
    """
    penalty = LengthPenalty(length_penalty, length_penalty_kind)
    check_batch(src, src_lengths)
    if len(outputs) != len(src):
        raise ValueError(f"outputs must have one list a sentence: {len(src)}, not {len(outputs)}.")
    if any(isinstance(tokens, int) for some in outputs for tokens in some):
        raise TypeError("outputs must hold a list of outputs a sentence: one more pair of [ ].")
    flat = [(row, list(tokens)) for row, some in enumerate(outputs) for tokens in some]
    for row, tokens in flat:
        if len(tokens) == 0:
            raise ValueError(f"Sentence {row} has an empty output: not even EOS to score.")
        if EOS_ID in tokens[:-1]:
            raise ValueError(f"EOS may only be the last token, but sentence {row} has {tokens}.")
    rescored: dict[int, Hypothesis] = {}
    with evaluation_mode(model):
        grown = OpenOutputs.start(model, src, src_lengths)
        grown = grown.select(torch.tensor([row for row, _ in flat], dtype=torch.int64))
        outputs_left = [(i, tokens) for i, (_, tokens) in enumerate(flat)]  # one a row
        while outputs_left:
            log_probs, grown = grown.step(model)  # [N, V]
            given = [
                as_token(tokens[grown.length], log_probs.size(1), "outputs")
                for _, tokens in outputs_left
            ]
            every = torch.arange(len(grown))
            grown = grown.extend(grown.candidates(log_probs, every, torch.tensor(given)))
            goes_on = [len(tokens) > grown.length for _, tokens in outputs_left]
            for row, (i, tokens) in enumerate(outputs_left):
                if not goes_on[row]:
                    finished = tokens[-1] == EOS_ID
                    rescored[i] = grown.hypothesis(row, penalty, finished=finished)
            outputs_left = list(compress(outputs_left, goes_on))
            grown = grown.select(torch.tensor(goes_on))
    results: list[list[Hypothesis]] = [[] for _ in outputs]
    for i, (row, _) in enumerate(flat):
        results[row].append(rescored[i])
    return results
