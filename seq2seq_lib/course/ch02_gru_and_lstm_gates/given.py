"""What chapter 2 hands out: the flag task, a model for it, the bias that a gate starts with.

The task: the first symbol of a row is one of four flags; k symbols of another kind follow, and mean
nothing. At the end, say which flag it was. So one fact has to be carried over k steps.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLAGS, NOISE = 4, 4  # ids 0 to 3 and 4 to 7
CHANCE = 1 / FLAGS
EMBED_SIZE, HIDDEN_SIZE, BATCH_SIZE = 8, 32, 64
KINDS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


def flag_batch(size: int, k: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows of a flag and k symbols that mean nothing: int64 ``[B, k + 1]``; the flags ``[B]``."""
    flags = torch.randint(FLAGS, (size,), generator=generator)
    noise = torch.randint(FLAGS, FLAGS + NOISE, (size, k), generator=generator)
    return torch.cat([flags[:, None], noise], dim=1), flags


def keep_bias_(rnn: nn.GRU | nn.LSTM, bias: float) -> None:
    """Let every gate that keeps start at ``sigmoid(bias)``: f of an LSTM, z of a GRU.

    Both stand second in torch's blocks, (i|f|g|o) and (r|z|n). torch adds two biases, so one is set
    to ``bias`` and the other to 0, in all layers and directions. Changes ``rnn``.
    """
    H = rnn.hidden_size
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            if name.startswith("bias_ih"):
                parameter[H : 2 * H] = bias
            elif name.startswith("bias_hh"):
                parameter[H : 2 * H] = 0


class FlagReader(nn.Module):
    """Reads a row and guesses its flag from the state at the end.

    Args:
        kind: ``"RNN"``, ``"LSTM"`` or ``"GRU"``.
        bias: where the gate that keeps begins; None leaves torch's initialisation.
    """

    def __init__(self, kind: str, bias: float | None = None) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"Unknown kind: {kind!r}. Valid: {', '.join(map(repr, KINDS))}.")
        self.embedding = nn.Embedding(FLAGS + NOISE, EMBED_SIZE)
        self.rnn = KINDS[kind](EMBED_SIZE, HIDDEN_SIZE, batch_first=True)
        self.output = nn.Linear(HIDDEN_SIZE, FLAGS)
        if bias is not None:
            keep_bias_(self.rnn, bias)

    def forward(self, src: Tensor) -> Tensor:
        """int64 ``[B, S]`` -> the logits of the flags ``[B, 4]``."""
        return self.from_vectors(self.embedding(src))

    def from_vectors(self, x: Tensor) -> Tensor:
        """Embedded symbols ``[B, S, 8]`` -> logits ``[B, 4]``."""
        outputs, _ = self.rnn(x)  # [B, S, H]
        return self.output(outputs[:, -1])


def train_on_flags(
    kind: str, bias: float | None, k: int, steps: int, seed: int
) -> tuple[float, int | None]:
    """Train a ``FlagReader`` until it is right, or for so many steps.

    Adam with learning rate 5e-3, batches of 64, gradients clipped to norm 1. It is right when the
    running mean of the loss (each step counts a tenth) falls below 0.1 nats.

    Returns:
        The share of 512 new rows that it answers rightly, and the step at which it was right, or
        None.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FlagReader(kind, bias)
    generator = torch.Generator().manual_seed(seed + 1000)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    running, solved = None, None
    for step in range(1, steps + 1):
        src, flags = flag_batch(BATCH_SIZE, k, generator)
        loss = F.cross_entropy(model(src), flags)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running = loss.item() if running is None else 0.9 * running + 0.1 * loss.item()
        if running < 0.1:
            solved = step
            break
    with torch.no_grad():
        src, flags = flag_batch(512, k, generator)
        accuracy = (model(src).argmax(1) == flags).float().mean().item()
    return accuracy, solved


def gradient_by_step(kind: str, bias: float | None, k: int, seed: int) -> list[float]:
    """How much the loss of an untrained reader feels each of the k + 1 symbols.

    The norm of the gradient of the loss at the embedded symbols of a step, over all rows. The last
    of them stands beside the loss, the first one holds the flag.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FlagReader(kind, bias)
    src, flags = flag_batch(BATCH_SIZE, k, torch.Generator().manual_seed(seed + 1000))
    x = model.embedding(src).detach().requires_grad_()  # [B, S, 8]
    (gradient,) = torch.autograd.grad(F.cross_entropy(model.from_vectors(x), flags), x)
    return gradient.pow(2).sum((0, 2)).sqrt().tolist()


# ---------------------------------------------------------------- with a pencil


LN3 = math.log(3)  # sigmoid(LN3) = 3/4, sigmoid(2 LN3) = 9/10, tanh(LN3) = 4/5, tanh(LN3 / 2) = 1/2
PENCIL_X = torch.tensor([[0.0, 1, 0]])  # [1, I = 3]
PENCIL_H = torch.tensor([[1.0, -1]])  # [1, H = 2]
PENCIL_C = torch.tensor([[2.0, -1]])  # [1, H], of the LSTM


def pencil_gru() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A GRU step whose gates are fractions: x ``[1, 3]``, h ``[1, 2]``, W ``[6, 3]``, U ``[6, 2]``.

    The weights are multiples of ln 3, in torch's layout, blocks r, z, n of two rows each.
    """
    W = [[1, 0, -1], [-1, -2, 2], [2, -1, 1], [0, -1, 1], [1, 0, 0], [-1, -0.5, 2]]
    U = [[1, 1], [2, 1], [0, 1], [2, 0], [1, -1], [2, -2]]
    return PENCIL_X, PENCIL_H, LN3 * torch.tensor(W), LN3 * torch.tensor(U, dtype=torch.float32)


def pencil_lstm() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The same for an LSTM: x ``[1, 3]``, h and c ``[1, 2]``, W ``[8, 3]``, U ``[8, 2]``.

    Blocks i, f, g, o of two rows each.
    """
    W = [[1, -1, 0], [0, 0, 1], [2, 0, 1], [1, 2, 0], [1, 0, -1], [0, 0, 1], [0, 1, 2], [1, -1, 0]]
    U = [[1, 0], [1, 2], [1, -1], [0, 1], [0, -1], [1, 1.5], [-1, 1], [2, 1]]
    W, U = (torch.tensor(rows, dtype=torch.float32) for rows in (W, U))
    return PENCIL_X, PENCIL_H, PENCIL_C, LN3 * W, LN3 * U


def with_weights(cell: nn.Module, W: Tensor, U: Tensor) -> nn.Module:
    """A ``nn.GRUCell`` or ``nn.LSTMCell`` with these weights and biases of 0; changes the cell."""
    with torch.no_grad():
        cell.weight_ih.copy_(W)
        cell.weight_hh.copy_(U)
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return cell.requires_grad_(False)


# ---------------------------------------------------------------- the exercises


def bias_options() -> dict[str, float]:
    """Five numbers, one of them the forget bias with a half-life of ten steps."""
    f = 0.5**0.1
    g = math.exp(-0.1)
    numbers = (math.log(0.9 / 0.1), f, math.log(f / (1 - f)), math.log(g / (1 - g)), -math.log(f))
    return dict(zip("ABCDE", (round(number, 3) for number in numbers), strict=True))
