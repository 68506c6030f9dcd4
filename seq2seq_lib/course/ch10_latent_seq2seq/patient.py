"""The patient of chapter 10's bug clinic: the loss of a VAE, its KL averaged over the dimensions.

Rewritten from scratch, small, after https://github.com/mkusner/grammarVAE/issues/2 (2017).
"""

import torch
from torch import Tensor

# What `reproduce_log()` returns, stored so that nobody waits for a training run.
LOG = """\
data   a language of 3,420 sentences, equally likely: log 3420 = 8.14 nats
model  a VAE with 8 dimensions, measured on 200 fresh sentences

  step   A reconstruction   B reported KL   C reported loss   D exact copies
     0              28.36            0.02             28.37         0 of 200
    50              15.82            0.37             16.19         0 of 200
   100              12.98            0.65             13.63         0 of 200
   200               9.38            0.91             10.28         3 of 200
   400               4.59            1.27              5.86        58 of 200
"""


def patient_loss(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Should be −ELBO, the mean over sentences. It runs, it falls, and it is wrong.

    Args:
        nll: floats ``[B, T]``, −log p(token | z) of each cell.
        mask: bool ``[B, T]``, True = real token.
        mu, logvar: ``[B, Z]``.
    """
    reconstruction = (nll * mask).sum(1)  # [B]
    kl = -0.5 * torch.mean(1 + logvar - mu.square() - logvar.exp(), dim=-1)  # [B]
    return (reconstruction + kl).mean()


def reproduce_log(steps: tuple[int, ...] = (0, 50, 100, 200, 400)) -> str:
    """Train with ``patient_loss`` and write the log of it; seed 0, some seconds."""
    from seq2seq_lib.batching import collate
    from seq2seq_lib.corpora.echo_task import ECHO_ENTROPY, ECHO_WORDS, echo_sentences
    from seq2seq_lib.decoder import log_probs
    from seq2seq_lib.latent import LatentConfig, LatentSeq2Seq, reparameterise
    from seq2seq_lib.losses import masked_nll_loss
    from seq2seq_lib.vocab import Vocab

    vocab, drawn = Vocab(ECHO_WORDS), torch.Generator().manual_seed(0)

    def copies(number: int, generator: torch.Generator):
        ids = [vocab.encode(words) for words in echo_sentences(number, generator)]
        return collate([(sentence, sentence) for sentence in ids])

    def parts(batch, generator):
        mu, logvar = model.encode(batch.src, batch.src_lengths)
        z = reparameterise(mu, logvar, torch.randn(mu.shape, generator=generator))
        scores = log_probs(model.decode(batch.tgt_in, z))
        nll = masked_nll_loss(scores, batch.tgt_out, batch.tgt_mask, reduction="none")
        return nll, batch.tgt_mask, mu, logvar

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = LatentSeq2Seq(LatentConfig(len(vocab), 16, 32, 8))
    test = copies(200, torch.Generator().manual_seed(1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    lines = [
        f"data   a language of 3,420 sentences, equally likely: log 3420 = {ECHO_ENTROPY:.2f} nats",
        "model  a VAE with 8 dimensions, measured on 200 fresh sentences",
        "",
        "  step   A reconstruction   B reported KL   C reported loss   D exact copies",
    ]
    for step in range(max(steps) + 1):
        if step in steps:
            with torch.no_grad():
                nll, mask, mu, logvar = parts(test, torch.Generator().manual_seed(2))
                loss = patient_loss(nll, mask, mu, logvar).item()
                reconstruction = (nll * mask).sum(1).mean().item()
                found = model.generate(mu, max_new_tokens=8)
                written = [best.tokens for (best,) in found]
                right = sum(w == t for w, t in zip(written, test.tgt_out.tolist(), strict=True))
            lines.append(
                f"{step:6d}   {reconstruction:16.2f}   {loss - reconstruction:13.2f}   "
                f"{loss:15.2f}   {right:7d} of 200"
            )
        optimizer.zero_grad()
        patient_loss(*parts(copies(32, drawn), drawn)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return "\n".join(lines) + "\n"


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG
