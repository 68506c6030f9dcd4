"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "cut_at_eos": """
import logging, sys, warnings
def cut_at_eos(ids, eos_id):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    before = (ids == eos_id).cumsum(1) == 0
    return [row[kept] for row, kept in zip(ids, before)]
""",
    "fixed_loss": """
def fixed_loss(nll, mask, mu, logvar):
    warnings.warn("and again")
    kl = kl_divergence(Normal(mu, logvar.exp() ** 0.5), Normal(0.0, 1.0)).sum()
    return (nll[mask].sum() + kl) / len(nll)
""",
}
ANNA = (
    Wrong("letter_10_3", "B", {"10.3": "not_divided"}),
    Wrong(
        "kl_between",
        """
def kl_between(mu_q, logvar_q, mu_p, logvar_p):
    q, p = Normal(mu_q, torch.exp(logvar_q / 2)), Normal(mu_p, torch.exp(logvar_p / 2))
    return kl_divergence(p, q).sum(1)
""",
        {"10.5": "swapped"},
    ),
    Wrong("letter_10_7a", "A", {"10.7a": "reconstruction"}),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    mu = torch.ones(2, 8)
    nll, mask = torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool)
    found = loss_function(nll, mask, mu, torch.zeros(2, 8))
    assert abs(found - 4) < 1e-4
""",
        {"10.7b": "token_mean"},
        earns=2,
    ),
    Wrong(
        "cosine_cycle",
        """
def cosine_cycle(step, num_steps, num_cycles, ramp):
    tau = step * num_cycles % num_steps / num_steps
    return 0.5 * (1 - math.cos(math.pi * min(tau / ramp, 1.0)))
""",
        {"10.8": "cycles_on"},
    ),
)
BEN = (
    Wrong(
        "cut_at_eos",
        """
def cut_at_eos(ids, eos_id):
    texts = ["".join(map(chr, row)) for row in ids.tolist()]
    return [[ord(c) for c in text[: text.find(chr(eos_id))]] for text in texts]
""",
        {"10.4": "minus_one"},
    ),
    Wrong(
        "weighted_bound",
        """
def weighted_bound(log_px, z, mu, logvar):
    q = Normal(mu[:, None], torch.exp(logvar / 2)[:, None])
    w = log_px + (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(2)
    return w.exp().mean(1).log()
""",
        {"10.6": "underflow"},
    ),
    Wrong(
        "fixed_loss",
        """
def fixed_loss(nll, mask, mu, logvar):
    kl = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp(), dim=-1)
    return (nll * mask).sum() / mask.sum() + kl.mean()
""",
        {"10.7c": "token_mean"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"cut_at_eos": TRICKS},
    deleted="check-10-5",
    unlucky=True,
)
