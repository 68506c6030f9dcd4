"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "n_best": """
import logging, sys, warnings
def n_best(next_log_probs, max_len, n):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    waiting, found = {(): 0.0}, []
    while waiting and len(found) < n:
        tokens = max(waiting, key=waiting.get)
        total = waiting.pop(tokens)
        if EOS_ID in tokens:
            found.append((tokens, total))
        elif len(tokens) < max_len:
            for token, log_prob in enumerate(next_log_probs(tokens)):
                if log_prob > -math.inf:
                    waiting[tokens + (token,)] = total + log_prob
    return found
""",
    "fixed_search": """
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    warnings.warn("and again")
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    pairs = beam(model, src, src_lengths, num_beams, max_len, [])
    hyps = [Hyp(tokens, total, total / len(tokens) ** alpha) for tokens, total in pairs]
    return sorted(hyps, key=lambda hyp: -hyp.score)
""",
}
ANNA = (
    Wrong("letter_7_1a", "F", {"7.1a": "mode"}),
    Wrong(
        "n_best",
        """
def n_best(next_log_probs, max_len, n):
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
    return sorted(found, key=lambda output: -output[1])[:n]
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
def beam(model, src, src_lengths, num_beams, max_len, prefix):
    state = model.start(src, src_lengths)
    beams, done = [([BOS_ID], 0.0)], []
    for t in prefix:
        (words, x), = beams
        log_probs, state = model.step(torch.tensor([words[-1]]), state)
        beams = [(words + [t], x + log_probs[0, t].item())]
    for _ in range(max_len - len(prefix)):
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
    found = search(three_letters(), src, src_lengths, 3, 4, 1.0)
    words = [list(hyp.tokens) for hyp in found]
    assert words == [[5, 4, 6, 2], [4, 6, 2], [4, 6, 6, 2], [5, 6, 2], [6, 2]]
    assert abs(found[1].log_prob - math.log(0.3 * 0.5 * 0.45)) < 1e-4
    assert abs(found[1].score - found[1].log_prob / 3) < 1e-4
""",
        {"7.5b": "state"},
        earns=4,
    ),
    Wrong(
        "fixed_search",
        """
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    pairs = beam(model, src, src_lengths, num_beams, max_len, [])
    hyps = [Hyp(tokens, total, total * len(tokens) ** alpha) for tokens, total in pairs]
    return sorted(hyps, key=lambda hyp: -hyp.score)
""",
        {"7.5c": "wrong_sign"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"n_best": TRICKS},
    deleted="check-7-3a",
)
