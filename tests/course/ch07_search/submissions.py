"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "choose_batched": """
import logging, sys, warnings
def choose_batched(totals, log_probs):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    B, k = totals.shape
    V = log_probs.shape[-1]
    scores = (totals.reshape(-1)[:, None] + log_probs).reshape(B, -1)
    order = scores.argsort(dim=-1, descending=True, stable=True)[:, :k]
    return order // V + torch.arange(0, B * k, k)[:, None], order % V, scores.gather(1, order)
""",
    "can_stop": """
def can_stop(ended, open_totals, length, longest, alpha):
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    for total in open_totals:
        for n in range(length + 1, longest + 1):
            if total / n ** alpha > max(ended, default=-math.inf):
                return False
    return True
""",
}
ANNA = (
    Wrong("letter_7_1", "A", {"7.1": "mode"}),
    Wrong(
        "choose_batched",
        """
def choose_batched(totals, log_probs):
    B, k = totals.shape
    V = log_probs.size(1)
    every = totals[:, :, None] + log_probs.view(B, k, V)
    best, place = every.flatten(1).sort(dim=1, descending=True, stable=True)
    return place[:, :k] // V, place[:, :k] % V, best[:, :k]
""",
        {"7.2": "local_rows"},
    ),
    Wrong(
        "can_stop",
        """
def can_stop(ended, open_totals, length, longest, alpha):
    if not open_totals or not ended:
        return not open_totals
    return max(open_totals) / length ** alpha <= max(ended)
""",
        {"7.4": "present_length"},
    ),
    Wrong("letter_7_5a", "C", {"7.5a": "count"}),
    Wrong(
        "test_patient",
        """
def test_patient(search):
    src, src_lengths = torch.tensor([[5, 3, 2]]), torch.tensor([3])
    for hyp in search(HashModel(7, seed=2), src, src_lengths, 1, 6, 0.0):
        assert hyp.tokens[-1] == 2 and 2 not in hyp.tokens[:-1]
        assert hyp.log_prob < 0
""",
        {"7.5b": "nothing_rejected"},
    ),
    Wrong(
        "test_rows",
        """
def test_rows(reorder):
    state = torch.arange(6.0).view(3, 2)
    assert reorder(state, torch.tensor([2, 0, 1])).sum() == state.sum()
""",
        {"7.6": "nothing_rejected"},
    ),
)
BEN = (
    Wrong(
        "rescore",
        """
def rescore(model, src, src_lengths, tokens):
    state, total = model.start(src, src_lengths), 0.0
    for token in tokens:
        log_probs, state = model.step(torch.tensor([token]), state)
        total += float(log_probs[0, token])
    return total
""",
        {"7.3": "reads_what_it_scores"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(search):
    src, src_lengths = torch.tensor([[5, 3, 2]]), torch.tensor([3])
    found = search(three_letters(), src, src_lengths, 3, 4, 1.0)
    words = [list(hyp.tokens) for hyp in found]
    assert words == [[5, 4, 6, 2], [4, 6, 2], [4, 6, 6, 2], [5, 6, 2], [6, 2]]
    assert abs(found[1].log_prob - math.log(0.3 * 0.5 * 0.45)) < 1e-4
    assert abs(found[1].score - found[1].log_prob / 3) < 1e-4
""",
        {"7.5b": "state"},
        earns=3,
    ),
    Wrong(
        "fixed_search",
        """
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    state, found, beam = model.start(src, src_lengths), [], [([], 0.0, 0)]
    for _ in range(max_len):
        last = torch.tensor([t[-1] if t else BOS_ID for t, *_ in beam])
        log_probs, state = model.step(last, state)
        sums = torch.tensor([x for _, x, _ in beam], dtype=log_probs.dtype)
        rows, tokens, totals = choose(sums, log_probs, num_beams)
        new = [(beam[r][0] + [t], x, r)
               for r, t, x in zip(rows.tolist(), tokens.tolist(), totals.tolist())]
        ended, beam = prune(new, num_beams)
        found += [Hyp(t, x, x * len(t) ** alpha) for t, x, _ in ended]
        if not beam:
            break
        state = state.select(torch.tensor([r for *_, r in beam]))
    return sorted(found, key=lambda hyp: -hyp.score)
""",
        {"7.5c": "wrong_sign"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"choose_batched": TRICKS},
    deleted="check-7-3",
)
