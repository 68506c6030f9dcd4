"""Beam search over a batch against one sentence at a time."""

import torch
from torch import Tensor

from benchmarks.report import Row
from benchmarks.timing import side_by_side
from seq2seq_lib.decoding import Hypothesis, beam_search
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.vocab import EOS_ID, PAD_ID

LONGEST = 20  # tokens of an output
# A model for the course's generated tasks, and the translation model.
SMALL = {"embed_size": 32, "hidden_size": 64}
LARGE = {"embed_size": 256, "hidden_size": 256, "attention": "dot", "tie_embeddings": True}

Found = list[list[Hypothesis]]


def rows(device: torch.device, quick: bool) -> list[Row]:
    small = make_model(30 if quick else 200, SMALL, device)
    batches = (2, 3, 4, 5) if quick else (16, 32, 64, 128)
    turns = 1 if quick else 5
    found = []
    for beams in (1, 5, 10):
        ratio = _alone_or_together(small, batches[-1], beams, turns)
        what = f"beam search, {beams} beams, {batches[-1]} sentences: one at a time / a batch"
        found.append(Row.at_least(what, ratio, 8))
    found += _cost_a_sentence(small, batches, turns)
    found.append(_rows_read(small, batches[-1]))
    large = make_model(30 if quick else 6000, {} if quick else LARGE, device)
    ratio = _alone_or_together(large, batches[1], 5, 1 if quick else 3)
    what = (
        f"beam search, translation's size, 5 beams, {batches[1]} sentences: one at a time / a batch"
    )
    return [*found, Row(what, f"{ratio:.1f}")]


def make_model(vocab_size: int, sizes: dict, device: torch.device) -> Seq2Seq:
    """An untrained model, sure enough of itself that outputs end after 1, 2, … or no steps."""
    torch.manual_seed(0)
    model = Seq2Seq(Seq2SeqConfig(vocab_size, vocab_size, **sizes)).to(device).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
        model.decoder.output.bias[EOS_ID] += 1
    return model


class Counting:
    """A model that counts what it is asked to read."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model, self.start = model, model.start
        self.read = []  # rows, one number a step

    def step(self, tokens: Tensor, state):
        self.read.append(len(tokens))
        return self.model.step(tokens, state)


def _sources(model: Seq2Seq, B: int) -> tuple[Tensor, Tensor]:
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(5, LONGEST, (B,), generator=generator).to(device)
    mask = sequence_mask(lengths)
    src = torch.randint(4, model.config.src_vocab_size, mask.shape, generator=generator)
    return src.to(device).masked_fill(~mask, PAD_ID), lengths


def _search(model, src: Tensor, lengths: Tensor, beams: int) -> Found:
    return beam_search(model, src, lengths, num_beams=beams, max_new_tokens=LONGEST)


def _alone_or_together(model: Seq2Seq, B: int, beams: int, turns: int) -> float:
    src, lengths = _sources(model, B)

    def together() -> Found:
        return _search(model, src, lengths, beams)

    def alone() -> Found:
        one = (slice(i, i + 1) for i in range(B))
        return [_search(model, src[i], lengths[i], beams)[0] for i in one]

    Row.equal(f"{beams} beams: a batch and one sentence at a time", _same(together(), alone()))
    times = side_by_side({"batch": together, "alone": alone}, src.device, turns=turns)
    return times.ratio("alone", "batch")


def _same(some: Found, others: Found) -> bool:
    return all(
        a.tokens == b.tokens and abs(a.log_prob - b.log_prob) < 1e-3  # float32
        for (a,), (b,) in zip(some, others, strict=True)
    )


def _cost_a_sentence(model: Seq2Seq, batches: tuple[int, ...], turns: int) -> list[Row]:
    sources = {B: _sources(model, B) for B in batches}
    searches = {B: lambda B=B: _search(model, *sources[B], 5) for B in batches}
    times = side_by_side(searches, sources[batches[0]][0].device, turns=turns)
    cost = {B: 1000 * times.median(B) / B for B in batches}
    sizes = ", ".join(map(str, batches))
    what = f"milliseconds a sentence, 5 beams, batches of {sizes}"
    listed = ", ".join(f"{ms:.1f}" for ms in cost.values())
    growth = cost[batches[-1]] / min(cost.values())
    return [
        Row(what, listed),
        Row.at_most("the largest of these batches / the cheapest, a sentence", growth, 1.25),
    ]


def _rows_read(model: Seq2Seq, B: int) -> Row:
    counting = Counting(model)
    _search(counting, *_sources(model, B), beams := 5)
    steps = len(counting.read)
    share = sum(counting.read) / (B + B * beams * (steps - 1))
    what = f"rows read of those that {B} sentences would fill to the end: the done ones leave"
    return Row(what, f"{share:.0%}", "< 100%", share < 1)
