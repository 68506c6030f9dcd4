"""A variational autoencoder for sentences, how it is measured, and a command that trains it.

``model`` holds the network and the two terms of its bound, ``measures`` its losses and what tells
a collapse. ``python -m seq2seq_lib.latent --help`` says what the command can do.
"""

from seq2seq_lib.latent.measures import (
    active_units,
    evaluate_elbo,
    importance_bound,
    interpolate,
    kl_per_dimension,
    latent_loss,
    log_normal,
    mutual_information,
)
from seq2seq_lib.latent.model import (
    FromLatent,
    LatentConfig,
    LatentLoss,
    LatentSeq2Seq,
    drop_words,
    reparameterise,
)

__all__ = [
    "FromLatent",
    "LatentConfig",
    "LatentLoss",
    "LatentSeq2Seq",
    "active_units",
    "drop_words",
    "evaluate_elbo",
    "importance_bound",
    "interpolate",
    "kl_per_dimension",
    "latent_loss",
    "log_normal",
    "mutual_information",
    "reparameterise",
]
