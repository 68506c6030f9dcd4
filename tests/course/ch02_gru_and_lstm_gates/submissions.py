"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "gru_step_paper": """
import logging, sys, warnings
def gru_step_paper(x, h, W_x, W_h, b):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    H = h.size(1)
    both = torch.sigmoid(x @ W_x[:, : 2 * H] + h @ W_h[:, : 2 * H] + b[: 2 * H])
    r, z = both[:, :H], both[:, H:]
    n = torch.tanh(x @ W_x[:, 2 * H :] + (r * h) @ W_h[:, 2 * H :] + b[2 * H :])
    return h + z * (n - h)
""",
    "top_state": """
def top_state(h_n, bidirectional):
    warnings.warn("and again")
    D = 2 if bidirectional else 1
    return h_n[-D:].permute(1, 0, 2).reshape(h_n.size(1), -1)
""",
}
ANNA = (
    Wrong("letter_2_3", "A", {"2.3": "one_tenth"}),
    Wrong(
        "gru_from_keras",
        """
def gru_from_keras(kernel, recurrent, bias):
    H = recurrent.size(0)
    rows = [*range(H, 2 * H), *range(H), *range(2 * H, 3 * H)]
    return kernel.T[rows], recurrent.T[rows], bias[0], bias[1]
""",
        {"2.5": "weights_only"},
    ),
    Wrong(
        "top_state",
        """
def top_state(h_n, bidirectional):
    D = 2 if bidirectional else 1
    return h_n[-D:].reshape(h_n.shape[1], -1)
""",
        {"2.7": "viewed"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(encode):
    src = torch.tensor([[1, 2, 3], [4, 5, 6]])
    both = encode(src, torch.tensor([3, 3]))
    for row in range(2):
        alone = encode(src[row : row + 1], torch.tensor([3]))
        torch.testing.assert_close(both[row : row + 1], alone)
""",
        {"2.8b": "last_column"},
        earns=2,
    ),
    Wrong("longest_k", "def longest_k(runs):\n    return 40\n", {"2.9": "not_a_dict"}),
)
BEN = (
    Wrong(
        "gru_step_paper",
        """
def gru_step_paper(x, h, W_x, W_h, b):
    x_r, x_z, x_n = (x @ W_x + b).chunk(3, 1)
    h_r, h_z, h_n = (h @ W_h).chunk(3, 1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return z * n + (1 - z) * h
""",
        {"2.4": "reset_after"},
    ),
    Wrong(
        "influence",
        """
def influence(f):
    left = f.cumprod(1)
    return (left[:, :, None] / left[:, None, :]).tril()
""",
        {"2.6": "quotient"},
    ),
    Wrong("letter_2_8a", "E", {"2.8a": "below_chance"}),
    Wrong(
        "to_hidden",
        """
def to_hidden(summary, directions):
    return summary.view(directions, summary.size(0), -1)
""",
        {"2.8c": "viewed"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"gru_step_paper": TRICKS},
    deleted="check-2-5",
)
