"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "exhaustive": """
import logging, sys, warnings
def exhaustive(next_log_probs, max_len):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    def after(tokens, total):
        for token, log_prob in enumerate(next_log_probs(tokens)):
            if log_prob == -math.inf or len(tokens) == max_len:
                continue
            if token == EOS_ID:
                yield (*tokens, token), total + log_prob
            else:
                yield from after((*tokens, token), total + log_prob)
    return sorted(after((), 0.0), key=lambda found: -found[1])
""",
    "fixed_search": """
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    warnings.warn("and again")
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    pairs = beam(model, src, src_lengths, num_beams, max_len)
    hyps = [Hyp(tokens, total, total / len(tokens) ** alpha) for tokens, total in pairs]
    return sorted(hyps, key=lambda hyp: -hyp.score)
""",
}
ANNA = (
    Wrong("letter_7_1a", "F", {"7.1a": "mode"}),
    Wrong(
        "exhaustive",
        """
def exhaustive(next_log_probs, max_len):
    found = [((), 0.0)]
    for _ in range(max_len):
        longer = []
        for tokens, total in found:
            if tokens[-1:] == (EOS_ID,):
                longer.append((tokens, total))
                continue
            for token, log_prob in enumerate(next_log_probs(tokens)):
                if log_prob > -math.inf:
                    longer.append((tokens + (token,), total + log_prob))
        found = longer
    return sorted(found, key=lambda output: -output[1])
""",
        {"7.2": "unfinished"},
    ),
    Wrong(
        "prune",
        """
def prune(token, num_beams):
    ends = token[:num_beams] == EOS_ID
    return ends.nonzero().flatten(), (~ends).nonzero().flatten()
""",
        {"7.3b": "shrinks"},
    ),
    Wrong(
        "top_p",
        """
def top_p(log_probs, p):
    probs, order = log_probs.exp().sort(descending=True)
    probs[probs.cumsum(1) - probs >= p] = 0
    return torch.zeros_like(probs).scatter(1, order, probs).log()
""",
        {"7.4": "not_renormalised"},
    ),
    Wrong("letter_7_5a", "B", {"7.5a": "count"}),
    Wrong(
        "test_patient",
        """
def test_patient(search):
    src, src_lengths = torch.tensor([[5, 3, 2]]), torch.tensor([3])
    for hyp in search(HashModel(7, seed=2), src, src_lengths, 1, 6, 0.0):
        assert hyp.tokens[-1] == 2 and 2 not in hyp.tokens[:-1]
        assert hyp.log_prob < 0
""",
        {"7.5b1": "nothing_rejected", "7.5b2": "nothing_rejected", "7.5b3": "nothing_rejected"},
    ),
    Wrong(
        "width_report",
        """
def width_report(sources, widths):
    report = {}
    for k in widths:
        found = [search_letters(source, k)[0] for source in sources]
        report[k] = {"log_prob": found[0][1], "length": len(found[0][0])}
    return report
""",
        {"7.6": "keys"},
    ),
)
BEN = (
    Wrong("letter_7_1b", "D", {"7.1b": "no_end"}),
    Wrong(
        "expand",
        """
def expand(totals, log_probs, num_beams):
    k, V = log_probs.shape
    flat = (totals.view(k, 1) + log_probs).view(-1)
    n = min(2 * num_beams, int(torch.isfinite(flat).sum()))
    total, place = flat.topk(n)
    return place % V, place // V, total
""",
        {"7.3a": "swapped"},
    ),
    Wrong(
        "beam",
        """
def beam(model, src, src_lengths, num_beams, max_len):
    state = model.start(src, src_lengths)
    beams, done = [([BOS_ID], 0.0)], []
    for _ in range(max_len):
        log_probs, state = model.step(torch.tensor([b[-1] for b, _ in beams]), state)
        parent, token, total = expand(torch.tensor([t for _, t in beams]), log_probs, num_beams)
        ended, alive = prune(token, num_beams)
        new = [(beams[p][0] + [t], x)
               for p, t, x in zip(parent.tolist(), token.tolist(), total.tolist())]
        done += [(new[i][0][1:], new[i][1]) for i in ended.tolist()]
        beams = [new[i] for i in alive.tolist()]
        if not beams:
            break
        state = state.select(torch.arange(len(beams)) % len(log_probs))  # not the parents
    return sorted(done, key=lambda d: -d[1])
""",
        {"7.3c": "state"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(search):
    src, src_lengths = torch.tensor([[5, 3, 2]]), torch.tensor([3])
    found = search(four_letters(), src, src_lengths, 3, 4, 1.0)
    assert [list(hyp.tokens) for hyp in found] == [[4, 5, 2], [4, 6, 5, 2], [6, 5, 2], [5, 2]]
    assert abs(found[0].log_prob - math.log(0.4 * 0.34 * 0.45)) < 1e-4
    assert abs(found[0].score - found[0].log_prob / 3) < 1e-4
""",
        {"7.5b3": "state"},
    ),
    Wrong(
        "fixed_search",
        """
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    pairs = beam(model, src, src_lengths, num_beams, max_len)
    hyps = [Hyp(tokens, total, total * len(tokens) ** alpha) for tokens, total in pairs]
    return sorted(hyps, key=lambda hyp: -hyp.score)
""",
        {"7.5c": "wrong_sign"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"exhaustive": TRICKS},
    deleted="check-7-3a",
)
