"""What authors of Transformers get wrong, planted one at a time in a small ``nn.Transformer``.

Each mutant is the options of ``Model``; beside it which law must say no, and words of its hint.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq_lib import laws

V_SRC, V, D = 11, 13, 8


class Model(nn.Module):
    """Right as long as ``wrong`` is empty."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__()
        self.wrong = wrong
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(4)
            self.source, self.words = nn.Embedding(V_SRC, D), nn.Embedding(V, D)
            self.places = nn.Embedding(32, D)
            self.body = nn.Transformer(D, 2, 1, 1, 12, dropout=0.0, batch_first=True)
            self.out = nn.Linear(D, V)
        self.eval()

    def embedded(self, table: nn.Embedding, ids: Tensor, first: int = 0) -> Tensor:
        places = torch.arange(first, first + ids.size(1))
        if self.wrong == "position 0 at every step" and ids.size(1) == 1:
            places = torch.zeros(1, dtype=torch.int64)
        result = table(ids) + self.places(places)
        return F.dropout(result, 0.3) if self.wrong == "dropout in eval" else result

    def encode(self, src: Tensor, src_mask: Tensor) -> Tensor:
        pads = None if self.wrong == "no src_key_padding_mask" else ~src_mask
        return self.body.encoder(self.embedded(self.source, src), src_key_padding_mask=pads)

    def forward(self, src: Tensor, tgt_in: Tensor, src_mask: Tensor, tgt_mask: Tensor) -> Tensor:
        memory = self.encode(src, src_mask)
        if self.wrong == "memory detached":
            memory = memory.detach()
        return self.read(memory, src_mask, self.embedded(self.words, tgt_in))

    def read(self, memory: Tensor, src_mask: Tensor, read: Tensor, past: int = 0) -> Tensor:
        T = read.size(1)
        shift = {"causal mask one too wide": 2}.get(self.wrong, 1)
        causal = torch.ones(T, T, dtype=torch.bool).triu(shift)
        if self.wrong == "no causal mask" or (
            self.wrong == "causal mask in training alone" and not self.training
        ):
            causal = None
        pads = None if self.wrong == "no memory_key_padding_mask" else ~src_mask
        if self.wrong == "source never read":
            memory = torch.zeros_like(memory)
        found = self.body.decoder(read, memory, tgt_mask=causal, memory_key_padding_mask=pads)
        logits = self.out(found)
        return F.pad(logits, (0, 0, 1, 0))[:, :-1] if self.wrong == "shifted twice" else logits


class Steps:
    """Stepwise decoding with a cache of what was read (embedded), as KV caches do."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def start(self, src: Tensor, src_lengths: Tensor):
        mask = torch.arange(src.size(1))[None] < src_lengths[:, None]
        return self.model.encode(src, mask), mask, None

    def step(self, tokens: Tensor, state):
        memory, mask, cache = state
        past = 0 if cache is None else cache.size(1)
        new = self.model.embedded(self.model.words, tokens[:, None], past)
        if cache is not None and self.model.wrong != "cache forgotten":
            new = torch.cat([cache, new], 1)
        found = self.model.read(memory, mask, new)
        cache = new[:, -1:].repeat(1, past + 1, 1) if self.model.wrong == "cache forgotten" else new
        return found[:, -1], (memory, mask, cache)


def adapter(wrong: str = "") -> laws.Adapter:
    model = Model(wrong)
    found = laws.of_forward(model, model, V_SRC, V, encode=model.encode)
    steps = Steps(model)
    found.start, found.step = steps.start, steps.step
    if wrong == "loss shifted twice":
        found.loss = lambda b: (
            F.cross_entropy(
                found.logits(b)[:, :-1].transpose(1, 2),
                laws.labels(b)[:, 1:],
                reduction="sum",
            ),
            b.tgt_mask.sum(),
        )
    elif wrong == "loss on tgt_in":
        found.loss = lambda b: (
            F.cross_entropy(
                found.logits(b).transpose(1, 2),
                b.tgt_in.masked_fill(~b.tgt_mask, -100),
                reduction="sum",
            ),
            b.tgt_mask.sum(),
        )
    elif wrong == "pads are labels":
        found.loss = lambda b: (
            F.cross_entropy(found.logits(b).transpose(1, 2), b.tgt_out, reduction="sum"),
            b.tgt_mask.sum(),
        )
    return found


JUDGES = {
    1: lambda a: laws.batch_invariance(
        a.encode, logits=a.logits, loss=a.loss, decode=a.decode, **a.sizes
    ),
    4: lambda a: laws.parallel_stepwise(a.logits, a.start, a.step, **a.sizes),
    7: lambda a: laws.shard_invariance(a.gradients, **a.sizes),
    "reads": lambda a: laws.reads_source(a.logits, **a.sizes),
    "flow": lambda a: laws.gradient_flow(a.loss, a.parameters, **a.sizes),
}
MUTANTS = {  # planted -> who must say no, words of the first one's hint
    "no src_key_padding_mask": ((1,), "src_key_padding_mask"),
    "no memory_key_padding_mask": ((1,), "memory_key_padding_mask"),
    "no causal mask": ((1, 4), "the causal mask"),
    "causal mask in training alone": ((1, 4), "the causal mask"),
    "causal mask one too wide": ((4,), "a causal mask lets one column too many through"),
    "position 0 at every step": ((4,), "the positions"),
    "cache forgotten": ((4,), "the state or the KV cache"),
    "dropout in eval": ((1, "reads", 4), "without training=self.training"),
    "memory detached": (("flow",), "detach()"),
    "source never read": (("reads", "flow"), "how the source gets to the decoder"),
    "shifted twice": ((4,), "shifted a second time"),
    "loss shifted twice": ((1,), "shifted twice"),
    "loss on tgt_in": ((1,), "the model learns to copy"),
    "pads are labels": ((1,), "labels there must be -100"),
}
