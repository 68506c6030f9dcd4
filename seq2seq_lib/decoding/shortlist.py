"""The few continuations that a beam can want, found without sorting the vocabulary."""

import torch

from seq2seq_lib.decoding.next_tokens import BLOCK, NextTokens
from seq2seq_lib.decoding.outputs import Candidates, OpenOutputs
from seq2seq_lib.decoding.protocol import NINF


def shortlist(outputs: OpenOutputs, following: NextTokens, num_beams: int) -> Candidates | None:
    """The 2k most probable continuations of each sentence, best first, for a beam of width k.

    A beam of width k keeps the first k that do not end, of k outputs: at most k others, the ends
    of these outputs, can come before them. So ``prune`` finds all that it wants among the first 2k.

    They lie in the 2k blocks with the largest maxima: each block with one of them has a maximum
    that is as large, and the maxima are continuations themselves.

    Args:
        outputs: N open outputs, at most k of a sentence.

    Returns:
        The same continuations in the same order as the first of ``expand``'s; or None if that
        cannot be had so: the vocabulary is small, or the last place is shared by several equals.
    """
    wanted = 2 * num_beams + 1  # one more shows whether there are equals
    blocks = following.log_probs.size(1) // BLOCK
    if blocks < wanted:
        return None
    sentence, group, counts = torch.unique_consecutive(
        outputs.sentence, return_inverse=True, return_counts=True
    )
    first = counts.cumsum(0) - counts  # [G], the first row of each sentence
    slot = torch.arange(len(outputs)) - first[group]  # [N], the place of a row in its sentence

    block_max = following.block_max.cpu().double() + outputs.total[:, None]  # [N, blocks]
    best = torch.full((len(sentence), int(counts.max()), block_max.size(1)), NINF).double()
    best[group, slot] = block_max  # [G, g, blocks]
    best, place = best.flatten(1).topk(wanted)  # [G, wanted]
    row = first[:, None] + place // block_max.size(1)
    row = row.masked_fill(best == NINF, 0)  # an empty place, or a block without a continuation
    token, scores = following.block(row, place % block_max.size(1))  # [G, wanted, BLOCK]
    # an empty place adds -inf
    scores += outputs.total[row].masked_fill(best == NINF, NINF).unsqueeze(-1)
    total, place = scores.flatten(1).topk(wanted)  # [G, wanted]
    if ((total[:, -1] == total[:, -2]) & (total[:, -1] > NINF)).any():
        return None
    parent = row.gather(1, place // BLOCK)
    token = token.flatten(1).gather(1, place)
    kept = total > NINF
    kept[:, -1] = False
    parent, token = parent[kept], token[kept]
    order = (parent * following.log_probs.size(1) + token).argsort()  # of equals the first wins
    return outputs.candidates(following.log_probs, parent[order], token[order]).best_first()
