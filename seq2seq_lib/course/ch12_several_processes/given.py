"""What chapter 12 runs on: a batch of two sentences, a long and a short one, and a model."""

from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

LONG = ([4, 5, 6], [7] * 29)  # source and target; EOS makes it 30 tokens
SHORT = ([4, 5], [8, 9])  # 3 tokens


def tiny_model(seed: int = 0) -> Seq2Seq:
    """An encoder-decoder of 8 units in float64, without dropout.

    In float64 two ways to the same gradient differ by about 1e-16, so what differs by more than
    1e-12 is a mistake.
    """
    seed_everything(seed)
    return Seq2Seq(Seq2SeqConfig(11, 13, embed_size=8, hidden_size=8, dropout=0.0)).double()
