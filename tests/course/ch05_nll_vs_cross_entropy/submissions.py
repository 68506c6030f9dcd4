"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "loss_gradient": """
import logging, sys, warnings
def loss_gradient(logits, targets, temperature):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    leaf = logits.detach().clone().requires_grad_()
    F.cross_entropy(leaf / temperature, targets).backward()
    return leaf.grad
""",
    "fixed_loss": """
def fixed_loss(logits, targets):
    warnings.warn("and again")
    return F.cross_entropy(logits, targets)
""",
}
ANNA = (
    Wrong("letter_5_3", "A", {"5.3": "right_loss"}),
    Wrong(
        "weighted_loss",
        """
def weighted_loss(logits, targets, weight):
    kept = targets != -100
    nll = F.cross_entropy(logits[kept], targets[kept], reduction="none")
    return (nll * weight[targets[kept]]).sum() / max(1, kept.sum())
""",
        {"5.5": "over_tokens"},
    ),
    Wrong(
        "fit_temperature",
        """
def fit_temperature(logits, targets, temperatures):
    def accuracy(t):
        return ((logits / t).argmax(-1) == targets).float().mean()
    return max(temperatures, key=accuracy)
""",
        {"5.7": "accuracy"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    assert loss_function(torch.randn(3, 5), torch.tensor([0, 1, 2])) > 0
    assert loss_function(torch.zeros(3, 5), torch.tensor([0, 1, 2])) > 0
""",
        {"5.8b": "shares_to_cross_entropy"},
        earns=2,
    ),
    Wrong("loss_parts", "def loss_parts(*args):\n    return 0.5\n", {"5.9": "not_a_dict"}),
)
BEN = (
    Wrong(
        "loss_gradient",
        """
def loss_gradient(logits, targets, temperature):
    N, V = logits.shape
    shares = (logits / temperature).softmax(-1)
    return (shares - F.one_hot(targets, V)) / N
""",
        {"5.4": "no_temperature"},
    ),
    Wrong(
        "add_chunk",
        """
def add_chunk(largest, total, chunk):
    new = torch.maximum(largest, chunk.max(-1).values)
    return new, total + torch.exp(chunk - new[:, None]).sum(-1)
""",
        {"5.6": "not_rescaled"},
    ),
    Wrong("letter_5_8a", "A", {"5.8a": "logits"}),
    Wrong(
        "fixed_loss",
        """
def fixed_loss(logits, targets):
    return F.nll_loss(F.softmax(logits, dim=-1).log(), targets)
""",
        {"5.8c": "log_of_softmax"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"loss_gradient": TRICKS},
    deleted="check-5-5",
    unlucky=True,
)
