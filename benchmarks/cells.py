"""Our cells, which show every gate, against torch's, which the library's models use."""

import torch
from torch import Tensor, nn

from benchmarks.report import Row
from benchmarks.timing import side_by_side
from seq2seq_lib.cells import GRUCell, LSTMCell, unroll
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig


def rows(device: torch.device, quick: bool) -> list[Row]:
    B, T, size = (2, 3, 4) if quick else (64, 20, 256)
    found = []
    for kind, cell in ((nn.GRU, GRUCell), (nn.LSTM, LSTMCell)):
        torch.manual_seed(0)
        module = kind(size, size, batch_first=True).to(device)
        x = torch.randn(B, T, size, device=device)
        found.append(_against_torch(module, cell.from_torch(module, share=True), x, quick))
        model = Seq2Seq(
            Seq2SeqConfig(9, 9, embed_size=4, hidden_size=4, cell=kind.__name__.lower())
        )
        fast = isinstance(model.encoder.rnn, kind) and isinstance(model.decoder.rnn, kind)
        found.append(
            Row.equal(f"models of {kind.__name__.lower()}s run on nn.{kind.__name__}", fast, "yes")
        )
    return found


def _against_torch(module: nn.Module, cell: nn.Module, x: Tensor, quick: bool) -> Row:
    parameters = list(module.parameters())

    def torchs() -> Tensor:
        return module(x)[0]

    def ours() -> Tensor:
        return unroll(cell, x).outputs

    # float32; law 2 asserts 1e-12 in float64
    Row.equal("the outputs of both", torch.allclose(ours(), torchs(), atol=1e-5))
    candidates = {
        name: lambda run=run: torch.autograd.grad(run().sum(), parameters)
        for name, run in (("ours", ours), ("torch", torchs))
    }
    for one, two in zip(*(gradients() for gradients in candidates.values()), strict=True):
        Row.equal("the gradients of both", torch.allclose(one, two, rtol=1e-3, atol=1e-2))
    times = side_by_side(candidates, x.device, turns=1 if quick else 9)
    name = type(module).__name__
    what = f"our {name} cell, every gate kept / nn.{name}, forward and backward"
    return Row(what, f"{times.ratio('ours', 'torch'):.1f}")
