"""What a training step costs: the recipe of translations, the first one, and a Transformer.

The same sentences of Multi30k, 64 a step, in the pieces of each recipe; a step is forward,
backward, clipping and AdamW. The Transformer is torch's own, so that nothing else must be
installed: three layers a side, four heads, as wide as the recipe's model. Memory is that of
tensors; weights and the optimiser's state are left out, since they are there before a step.

And why the recipe's encoder packs nothing: both encoders with LSTMs of the recipe's size, forward
and backward over one of the batches.
"""

import math
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor, nn

from benchmarks.report import Row
from benchmarks.timing import peak_bytes, side_by_side
from seq2seq_lib.batching import Batch, make_loader
from seq2seq_lib.corpora import Corpus, CorpusError, detokenize, multi30k
from seq2seq_lib.encoder import Encoder
from seq2seq_lib.residual import ResidualEncoder
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.subwords import Subwords
from seq2seq_lib.training import teacher_forced_loss, train_step
from seq2seq_lib.translate import PLAIN, Recipe
from seq2seq_lib.vocab import PAD_ID

RECIPE, FIRST, PEER = "the recipe", "the first recipe", "nn.Transformer of the recipe's width"
KINDS = {RECIPE: Recipe(), FIRST: Recipe(**PLAIN, num_pieces=6000), PEER: Recipe()}
WHAT = "a training step, 64 sentences"
ENCODERS = "an encoder with LSTMs: packed / padded, forward and backward"
BATCHES = 3  # a measurement; short, middling and long sentences


def rows(device: torch.device, quick: bool) -> list[Row]:
    names = [f"{WHAT}: {kind} / {RECIPE}, time" for kind in (FIRST, PEER)]
    names += [f"{WHAT}: {kind}, {part}" for part in ("time", "peak memory") for kind in KINDS]
    names.append(ENCODERS)
    try:
        corpus = multi30k()
    except CorpusError:
        return [Row(name, "skipped: no data") for name in names]
    if quick:
        corpus = Corpus(corpus.name, corpus.train[:600], corpus.valid, corpus.test)
    candidates = {kind: _training(kind, corpus, device, quick) for kind in KINDS}
    times = side_by_side(candidates, device, turns=1 if quick else 7)
    found = [f"{times.ratio(kind, RECIPE):.2f}" for kind in (FIRST, PEER)]
    found += [f"{1000 * times.median(kind) / BATCHES:.0f} ms" for kind in KINDS]
    found += [f"{peak_bytes(run, device) / 2**20:.0f} MiB" for run in candidates.values()]
    encoders = _encoders(corpus, device, quick)
    found.append(f"{side_by_side(encoders, device).ratio('packed', 'padded'):.2f}")
    return list(map(Row, names, found))


class Peer(nn.Module):
    """``nn.Transformer`` between embeddings and tied logits, called as a ``Seq2Seq`` is."""

    def __init__(self, src_size: int, tgt_size: int, width: int, dropout: float) -> None:
        super().__init__()
        self.scale = math.sqrt(width)
        self.src, self.tgt = (nn.Embedding(size, width, PAD_ID) for size in (src_size, tgt_size))
        for table in (self.src, self.tgt):
            nn.init.normal_(table.weight, std=1 / self.scale)
        self.places = nn.Embedding(512, width)
        sizes = {"dim_feedforward": 4 * width, "dropout": dropout, "batch_first": True}
        self.body = nn.Transformer(width, 4, 3, 3, **sizes)

    def forward(self, batch: Batch, teacher_forcing_ratio: float = 1.0) -> Tensor:
        """Logits ``[B, T, V]``; always teacher forced."""
        src, tgt = (
            table(ids) * self.scale + self.places.weight[: ids.size(1)]
            for table, ids in ((self.src, batch.src), (self.tgt, batch.tgt_in))
        )
        T, pads = tgt.size(1), ~batch.src_mask
        later = torch.ones(T, T, dtype=torch.bool, device=tgt.device).triu(1)  # True: not seen
        hidden = self.body(
            src,
            tgt,
            tgt_mask=later,
            src_key_padding_mask=pads,
            memory_key_padding_mask=pads,
            tgt_is_causal=True,
        )
        return nn.functional.linear(hidden, self.tgt.weight)


def _training(kind: str, corpus: Corpus, device: torch.device, quick: bool):
    """A function that trains a model of this kind on some batches."""
    recipe = KINDS[kind]
    batches, sizes = _batches(corpus, recipe, 90 if quick else recipe.num_pieces)
    batches = [batch.to(device) for batch in batches]
    seed_everything(recipe.seed)
    width = 8 if quick else recipe.hidden_size
    if kind == PEER:
        model: nn.Module = Peer(*sizes, width, recipe.dropout)
    else:
        model = Seq2Seq(replace(recipe, embed_size=width, hidden_size=width).config(*sizes))
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    loss = teacher_forced_loss(recipe.label_smoothing)

    def train() -> None:
        for batch in batches:
            train_step(model, [batch], optimizer, loss_function=loss)

    return train


def _encoders(corpus: Corpus, device: torch.device, quick: bool):
    """Functions that read the middle batch of the recipe, packed and padded."""
    batches, (size, _) = _batches(corpus, KINDS[RECIPE], 90 if quick else Recipe.num_pieces)
    batch = batches[len(batches) // 2].to(device)
    width = 8 if quick else Recipe.hidden_size
    seed_everything(Recipe.seed)

    def run(encoder: nn.Module):
        def read() -> None:
            encoder.zero_grad()
            encoder(batch.src, batch.src_lengths).memory.sum().backward()

        return read

    kinds = {"packed": Encoder, "padded": ResidualEncoder}
    return {
        name: run(kind(size, width, width, cell="lstm").to(device)) for name, kind in kinds.items()
    }


def _batches(corpus: Corpus, recipe: Recipe, pieces: int) -> tuple[list[Batch], tuple[int, int]]:
    """Batches of a first epoch, from the shortest to the longest; the sizes of the vocabularies."""
    texts = [
        [detokenize(getattr(pair, side)) for pair in corpus.train] for side in ("source", "target")
    ]
    read, write = (Subwords.train(lines, pieces) for lines in texts)
    src_vocab, tgt_vocab = read.vocab(), write.vocab()
    some, others = (lines[: 50 * recipe.batch_size] for lines in texts)
    if recipe.piece_dropout:
        sources = read.sample(some, recipe.piece_dropout, recipe.seed)
    else:
        sources = [read.encode(text) for text in some]
    examples = [
        (src_vocab.encode(source), tgt_vocab.encode(write.encode(target)))
        for source, target in zip(sources, others, strict=True)
    ]
    loader = make_loader(examples, recipe.batch_size, shuffle=False)
    every = max(1, len(loader) // BATCHES)
    found = list(islice(loader, every // 2, None, every))[:BATCHES]
    return found, (len(src_vocab), len(tgt_vocab))
