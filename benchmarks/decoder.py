"""One teacher-forced pass against the loop over its tokens.

Both multiply the same matrices. The pass saves the cost of a call a token, and joins the products
of attention and projection: that is much for a few sentences or on a GPU, and little where one CPU
core is busy with the products anyway. So each ratio stands beside the largest that any code could
reach there: as if the pass were nothing but products, at the speed of one large product.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.products import flops
from benchmarks.report import Row
from benchmarks.timing import side_by_side
from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

SIZES = {  # of the model: words, and sizes that are not the default ones
    "a chapter's decoder": (14, {"embed_size": 32, "hidden_size": 64}),
    "default decoder": (1000, {}),
}
TARGET = 4
TINY = {"tiny decoder": (20, {"embed_size": 8, "hidden_size": 12})}


def rows(device: torch.device, quick: bool) -> list[Row]:
    found = []
    for name, (V, sizes) in (TINY if quick else SIZES).items():
        torch.manual_seed(0)
        model = Seq2Seq(Seq2SeqConfig(V, V, dropout=0.0, **sizes)).to(device)
        for B, T in itertools.product((1, 8, 64), (20, 40)):
            found += _pass_or_loop(name, model, _batch(B, T, V).to(device), quick)
    return found


def _batch(B: int, T: int, V: int) -> Batch:
    ids = torch.randint(4, V, (2, B, T - 1)).tolist()  # EOS comes to each
    return collate(list(zip(*ids, strict=True)))


def _pass_or_loop(name: str, model: Seq2Seq, batch: Batch, quick: bool) -> list[Row]:
    B, T = batch.tgt_in.shape
    device = batch.tgt_in.device
    with torch.no_grad():
        encoded = model.encoder(batch.src, batch.src_lengths)
    parameters = list(model.decoder.parameters())

    def in_one_pass() -> Tensor:
        return model.decoder(batch.tgt_in, model.decoder.start(encoded)).logits

    def token_by_token() -> Tensor:
        state, steps = model.decoder.start(encoded), []
        for t in range(T):
            logits, state = model.decoder.step(batch.tgt_in[:, t], state)
            steps.append(logits)
        return torch.stack(steps, 1)

    def without_graph(logits: Callable[[], Tensor]) -> Callable[[], Tensor]:
        return torch.no_grad()(logits)

    def with_backward(logits: Callable[[], Tensor]) -> Callable[[], tuple[Tensor, ...]]:
        return lambda: torch.autograd.grad(logits().sum(), parameters)

    same = torch.allclose(in_one_pass(), token_by_token(), atol=1e-5)
    Row.equal("the logits of both", same)
    for one, two in zip(*(with_backward(f)() for f in (in_one_pass, token_by_token)), strict=True):
        # float32: sums over all tokens, in another order
        Row.equal("the gradients of both", torch.allclose(one, two, rtol=1e-3, atol=1e-2))
    large = torch.ones(64 if quick else 1024, 64 if quick else 1024, device=device)
    found = []
    for way, work in (("forward", without_graph), ("forward and backward", with_backward)):
        candidates = {
            "pass": work(in_one_pass),
            "loop": work(token_by_token),
            "product": lambda: large @ large,
        }
        times = side_by_side(candidates, device, turns=1 if quick else 9)
        what = f"{name}, {B} × {T} tokens: token by token / one pass, {way}"
        row = Row.at_least(what, times.ratio("loop", "pass"), TARGET)
        if device.type == "cpu":  # what cuDNN multiplies is not counted
            products = times.median("product") * flops(candidates["pass"]) / (2 * len(large) ** 3)
            limit = times.median("loop") / products
            row = replace(row, measured=f"{row.measured} (limit {limit:.1f})")
        found.append(row)
    return found
