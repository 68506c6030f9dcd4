"""A search for one sentence, as the laws call a search for a batch."""

import pytest
import torch

from seq2seq_lib import decoding, laws

SRC, LENGTHS = torch.tensor([[5, 3, 2], [4, 2, 0]]), torch.tensor([3, 2])


def everything(model, src, src_lengths, num_beams, max_new_tokens):
    (hyps,) = decoding.beam_search(
        model,
        src,
        src_lengths,
        num_beams=num_beams,
        n_best=num_beams,
        max_new_tokens=max_new_tokens,
    )
    return [(tuple(hyp.tokens), hyp.log_prob) for hyp in hyps][::-1]  # in no useful order


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.5])
def test_each_sentence_is_searched_alone_and_ranked_by_its_score(alpha):
    model = laws.HashModel(7, seed=2)
    found = laws.by_sentence(everything)(model, SRC, LENGTHS, 200, 3, 4, alpha)
    right = laws.beam_search(model, SRC, LENGTHS, 200, 3, 4, alpha)
    assert [[h.tokens for h in some] for some in found] == [
        [h.tokens for h in some] for some in right
    ]
    for mine, theirs in zip(sum(found, []), sum(right, []), strict=True):
        assert mine.score == pytest.approx(theirs.score)
