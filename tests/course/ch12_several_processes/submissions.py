"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "ddp_loss": """
import logging, sys, warnings
def ddp_loss(total, own_tokens, all_tokens, world):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    return world * total / all_tokens
""",
    "fixed_loss": """
def fixed_loss(micro_batches):
    warnings.warn("and again")
    logits, labels = (torch.cat(parts) for parts in zip(*micro_batches))
    return F.cross_entropy(logits, labels)
""",
}
ANNA = (
    Wrong("letter_12_2", "A", {"12.2": "evens_out"}),
    Wrong(
        "ddp_loss",
        """
def ddp_loss(total, own_tokens, all_tokens, world):
    return total / all_tokens
""",
        {"12.3": "forgets_world"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(window_loss):
    torch.manual_seed(3)
    logits, labels = torch.randn(10, 5), torch.randint(5, (10,))
    found = window_loss([(logits[:5], labels[:5]), (logits[5:], labels[5:])])
    torch.testing.assert_close(found, F.cross_entropy(logits, labels))
""",
        {"12.5b": "average_of_means"},
        earns=2,
    ),
)
BEN = (
    Wrong(
        "window_losses",
        """
def window_losses(totals, tokens, size):
    means = totals / tokens.clamp(min=1)
    return torch.stack([part.sum() / size for part in means.split(size)])
""",
        {"12.4": "planned_size"},
    ),
    Wrong("letter_12_5a", "C", {"12.5a": "average"}),
    Wrong(
        "fixed_loss",
        """
def fixed_loss(micro_batches):
    means = [F.cross_entropy(logits, labels) for logits, labels in micro_batches]
    return torch.stack(means).mean()
""",
        {"12.5c": "average_of_means"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"ddp_loss": TRICKS},
    deleted="check-12-4",
)
