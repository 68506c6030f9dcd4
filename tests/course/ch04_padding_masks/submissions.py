"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "pad_left": """
import logging, sys, warnings
def pad_left(ids, lengths):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    came_from = torch.arange(ids.size(1)) - (ids.size(1) - lengths[:, None])
    return ids.gather(1, came_from.clamp(min=0)).masked_fill(came_from < 0, 0)
""",
    "fixed_loss": """
def fixed_loss(log_probs, targets, lengths):
    warnings.warn("and again")
    mask = sequence_mask(lengths, targets.size(1))
    return F.nll_loss(log_probs[mask], targets[mask])
""",
}
ANNA = (
    Wrong("letter_4_3", "B", {"4.3": "with_prompt"}),
    Wrong(
        "prompt_labels",
        """
def prompt_labels(ids, prompt_lengths, lengths):
    return ids.masked_fill(~sequence_mask(lengths, ids.size(1)), -100)
""",
        {"4.5a": "prompt_kept"},
    ),
    Wrong(
        "packed_mask",
        """
def packed_mask(segments):
    return (segments[:, :, None] == segments[:, None, :]).tril()
""",
        {"4.6": "pads_look"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    losses, lengths = torch.tensor([[1.0, 30.0], [2.0, 4.0]]), torch.tensor([1, 2])
    found = loss_function(-losses[..., None], torch.zeros(2, 2, dtype=torch.long), lengths)
    assert found < 6  # it is 7/3
""",
        {"4.8b": "padded_cells"},
        earns=2,
    ),
    Wrong(
        "gradient_shares", "def gradient_shares(*args):\n    return 0.8\n", {"4.9": "not_a_dict"}
    ),
)
BEN = (
    Wrong(
        "pad_left",
        """
def pad_left(ids, lengths):
    return (ids * sequence_mask(lengths, ids.size(1))).flip(1)
""",
        {"4.4": "backwards"},
    ),
    Wrong(
        "answer_loss",
        """
def answer_loss(logits, labels):
    return F.cross_entropy(logits.transpose(1, 2), labels)
""",
        {"4.5b": "no_shift"},
    ),
    Wrong(
        "attend",
        """
def attend(scores, values, lengths):
    weights = masked_softmax(scores, sequence_mask(lengths, scores.size(1)))
    return torch.einsum("bs,bsh->bh", weights, values)
""",
        {"4.7": "nan_values"},
    ),
    Wrong("letter_4_8a", "A", {"4.8a": "loss"}),
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
        {"4.8c": "broadcast"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"pad_left": TRICKS},
    deleted="check-4-6",
    unlucky=True,
)
