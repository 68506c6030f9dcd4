"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "length_mask": """
import logging, sys, warnings
def length_mask(lengths, max_len):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    return torch.arange(max_len) < lengths.reshape(-1, 1)
""",
    "fixed_loss": """
def fixed_loss(log_probs, targets, lengths):
    warnings.warn("and again")
    return masked_nll_by_select(log_probs, targets, lengths)
""",
}
ANNA = (
    Wrong("letter_4_1", "C", {"4.1": "sentence_means"}),
    Wrong(
        "masked_nll",
        """
def masked_nll(log_probs, targets, lengths):
    mask = length_mask(lengths, targets.size(1))
    nll = -log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)
    return (nll * mask).mean()
""",
        {"4.3": "padded_cells"},
    ),
    Wrong(
        "masked_nll_by_ignore_index",
        """
def masked_nll_by_ignore_index(logits, targets, lengths):
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=0)
""",
        {"4.5": "pad_is_zero"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    losses, lengths = torch.tensor([[1.0, 30.0], [2.0, 4.0]]), torch.tensor([1, 2])
    found = loss_function(-losses[..., None], torch.zeros(2, 2, dtype=torch.long), lengths)
    assert found < 6  # it is 7/3
""",
        {"4.6b2": "padded_cells", "4.6b3": "padded_cells"},
    ),
    Wrong(
        "gradient_shares", "def gradient_shares(*args):\n    return 0.8\n", {"4.7": "not_a_dict"}
    ),
)
BEN = (
    Wrong(
        "length_mask",
        """
def length_mask(lengths, max_len):
    return torch.arange(max_len)[None, :] <= lengths[:, None]
""",
        {"4.2": "one_too_many"},
    ),
    Wrong(
        "masked_nll_by_select",
        """
def masked_nll_by_select(log_probs, targets, lengths):
    mask = length_mask(lengths, targets.size(1))
    nll = -log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)
    return (nll * mask).sum() / mask.sum()
""",
        {"4.4": "multiplied"},
    ),
    Wrong("letter_4_6a", "A", {"4.6a": "loss"}),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    losses = torch.tensor([[1.0, 30.0], [1.0, 4.0]])  # the first token costs the same in both rows
    expected = torch.tensor(2.0)
    lengths = torch.tensor([1, 2])
    found = loss_function(-losses[..., None], torch.zeros(2, 2, dtype=torch.long), lengths)
    torch.testing.assert_close(found.abs(), expected)
""",
        {"4.6b3": "sign"},
    ),
    Wrong(
        "fixed_loss",
        """
def fixed_loss(log_probs, targets, lengths):
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t
        if not mask.any():
            continue
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1])
        total = total + nll.masked_select(mask).mean() * mask.sum()
        tokens += mask.sum()
    return total / tokens
""",
        {"4.6c": "broadcast"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"length_mask": TRICKS},
    deleted="check-4-3",
    spared=frozenset({"4.6b1"}),
    unlucky=True,
)
