"""What the exercises of chapter 0 are given: a small encoder with fixed weights."""

import torch
from torch import nn


def small_encoder() -> tuple[nn.Embedding, nn.GRU]:
    """An embedding of 12 ids and a GRU of 5 units, batch first; the same weights at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        embedding, gru = nn.Embedding(12, 4), nn.GRU(4, 5, batch_first=True)
    for parameter in (*embedding.parameters(), *gru.parameters()):
        parameter.requires_grad_(False)
        parameter.mul_(1.5)  # livelier than torch's start, as trained weights are
    return embedding, gru
