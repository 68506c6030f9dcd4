"""The patient of chapter 3's bug clinic: a decoder that is handed the source and does not look.

Rewritten from scratch, small. In transformers 2.9.0 an encoder-decoder put together out of two
pretrained models had a decoder without cross-attention, because nobody told its configuration that
it is one: https://github.com/huggingface/transformers/issues/4293, mended in
https://github.com/huggingface/transformers/pull/4680. Ours are GRUs; the flag is the same.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib.batching import Batch, collate, encode_pairs, make_loader
from seq2seq_lib.corpora import reverse
from seq2seq_lib.vocab import PAD_ID, Vocab

DIGITS = "0123456789"
VOCAB_SIZE, EMBED_SIZE, HIDDEN_SIZE = 14, 32, 64
STEPS, SHOWN = 300, (0, 25, 50, 100, 200, 300)

# What `reproduce_log()` returns, stored so that nobody waits for a training run.
LOG = """\
task   digits backwards, 3 to 11 of them; 900 test strings; log 14 = 2.639, blind floor 2.289
model  GRU encoder, GRU decoder, 64 units each; D gives each test string another one's source

  step   A loss   B gradient norm   C test loss   D test loss, other sources
     0    2.663             0.333         2.656                        2.656
    25    2.267             0.286         2.348                        2.348
    50    2.301             0.202         2.326                        2.326
   100    2.361             0.178         2.360                        2.360
   200    2.474             0.760         2.408                        2.408
   300    2.315             0.194         2.345                        2.345
"""


class SourceReader(nn.Module):
    """Embedding and a packed GRU: the state ``[1, B, H]`` behind each row's own last token."""

    def __init__(self, vocab_size: int, embed_size: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        self.rnn = nn.GRU(embed_size, hidden_size, batch_first=True)

    def forward(self, src: Tensor, src_lengths: Tensor) -> Tensor:
        x = self.embedding(src)  # [B, S] -> [B, S, E]
        packed = pack_padded_sequence(x, src_lengths.cpu(), batch_first=True, enforce_sorted=False)
        return self.rnn(packed)[1]  # [1, B, H]


class TargetWriter(nn.Module):
    """Embedding, GRU and output: a language model, or a decoder if it is told so."""

    def __init__(
        self, vocab_size: int, embed_size: int, hidden_size: int, is_decoder: bool = False
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        self.rnn = nn.GRU(embed_size, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, vocab_size)
        self.is_decoder = is_decoder

    def forward(self, tgt_in: Tensor, source_state: Tensor | None = None) -> Tensor:
        start = source_state if self.is_decoder else None
        outputs, _ = self.rnn(self.embedding(tgt_in), start)  # [B, T, H]
        return self.output(outputs)  # [B, T, V]


class PatientModel(nn.Module):
    """Should write what it reads, backwards. It runs, its loss falls, and it is wrong."""

    def __init__(self, vocab_size: int = 14, embed_size: int = 8, hidden_size: int = 12) -> None:
        super().__init__()
        self.encoder = SourceReader(vocab_size, embed_size, hidden_size)
        self.decoder = TargetWriter(vocab_size, embed_size, hidden_size)

    def forward(self, batch: Batch) -> Tensor:
        state = self.encoder(batch.src, batch.src_lengths)  # [1, B, H]
        return self.decoder(batch.tgt_in, state)  # [B, T, V]


def rolled(batch: Batch) -> Batch:
    """The same targets, each with the source of the row before it."""
    src, lengths = batch.src.roll(1, 0), batch.src_lengths.roll(1, 0)
    return replace(batch, src=src, src_lengths=lengths)


def loss_of(model: nn.Module, batch: Batch) -> Tensor:
    """Mean loss of a real token."""
    return F.cross_entropy(model(batch).transpose(1, 2), batch.tgt_out, ignore_index=PAD_ID)


def reproduce_log(model: nn.Module | None = None, seed: int = 0) -> str:
    """Train the patient and write the log of it; 2 s. The global random state stays as it was."""
    corpus = reverse(7000, 200, 900, min_length=3, max_length=11, alphabet=DIGITS)
    digits = Vocab(list(DIGITS))
    train, test = (encode_pairs(part, digits, digits) for part in (corpus.train, corpus.test))
    test_batch = collate(test)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model or PatientModel(VOCAB_SIZE, EMBED_SIZE, HIDDEN_SIZE)
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    batches = [batch for _ in range(3) for batch in make_loader(train, batch_size=64, seed=seed)]
    lines = LOG.splitlines()[:4]  # what stands above the numbers
    for step in range(STEPS + 1):
        loss = loss_of(model, batches[step])
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if step in SHOWN:
            with torch.no_grad():
                own, other = (loss_of(model, b).item() for b in (test_batch, rolled(test_batch)))
            lines.append(f"{step:6d}   {loss.item():6.3f}   {norm:15.3f}   {own:11.3f}   "
                         f"{other:26.3f}")  # fmt: skip
        optimizer.step()
    return "\n".join(lines) + "\n"


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG
