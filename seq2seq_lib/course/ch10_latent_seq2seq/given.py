"""What the notebooks of chapter 10 are given: trained models, and text for them."""

from pathlib import Path

import torch

from seq2seq_lib.batching import Batch, collate
from seq2seq_lib.corpora.echo_task import ECHO_WORDS, echo_sentences
from seq2seq_lib.latent import LatentConfig, LatentSeq2Seq
from seq2seq_lib.vocab import Vocab

MODELS = Path(__file__).with_name("models.pt")
vocab = Vocab(ECHO_WORDS)
CONFIG = LatentConfig(len(vocab), embed_size=16, hidden_size=32, latent_size=8)


def copies(sentences: list[list[str]]) -> Batch:
    """Sentences as lists of words; each is its own target."""
    ids = [vocab.encode(words) for words in sentences]
    return collate([(sentence, sentence) for sentence in ids])


def held_out(number: int = 400) -> Batch:
    """``number`` sentences of the echo language, the same at each call."""
    return copies(echo_sentences(number, torch.Generator().manual_seed(7)))


def trained(training: str) -> LatentSeq2Seq:
    """A model that was trained before: "constant", "linear" or "free bits 3".

    ``python -m benchmarks.latent_schedules --write`` trains them again.

    Raises:
        ValueError: there is no such model.
    """
    weights = torch.load(MODELS, weights_only=True)
    if training not in weights:
        valid = ", ".join(map(repr, weights))
        raise ValueError(f"Unknown training: {training!r}. Valid: {valid}.")
    model = LatentSeq2Seq(CONFIG)
    model.load_state_dict(weights[training])
    return model.eval()


def texts(model: LatentSeq2Seq, z: torch.Tensor) -> list[str]:
    """The greedy sentence of each code ``[N, Z]``, cut at EOS, at most 12 words."""
    found = model.generate(z, max_new_tokens=12)
    return [" ".join(vocab.decode(best.tokens)) for (best,) in found]
