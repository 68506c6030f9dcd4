"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "mbr": """
import logging, sys, warnings
def mbr(samples, utility):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    worths = [round(sum(utility(y, r) for r in samples), 9) for y in samples]
    return samples[worths.index(max(worths))]
""",
    "fixed_rank": """
def fixed_rank(outputs, prompt_length, alpha):
    warnings.warn("and again")
    scored = [(tokens, log_prob / len(tokens) ** alpha) for tokens, log_prob in outputs]
    return sorted(scored, key=lambda one: -one[1])
""",
}
ANNA = (
    Wrong("letter_11_3", "A", {"11.3": "crossing"}),
    Wrong(
        "top_p",
        """
def top_p(log_probs, p):
    ranked, order = log_probs.sort(descending=True)
    before = ranked.exp().cumsum(-1) - ranked.exp()
    ranked = ranked.masked_fill(before >= p, -math.inf)
    return torch.empty_like(log_probs).scatter(-1, order, ranked)
""",
        {"11.2": "not_renormalised"},
    ),
    Wrong(
        "mbr",
        """
def mbr(samples, utility):
    return max(samples, key=samples.count)
""",
        {"11.5": "most_frequent"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(rank):
    outputs = [((5, 2), -2.0), ((4, 6, 5, 2), -3.0), ((2,), -2.5)]
    scores = {len(tokens): score for tokens, score in rank(outputs, 6, 1.0)}
    for tokens, log_prob in outputs:
        assert abs(scores[len(tokens)] - log_prob / len(tokens)) < 1e-6
""",
        {"11.7b": "always_mean"},
        earns=2,
    ),
    Wrong("letter_11_7a", "F", {"11.7a": "start_counted"}),
)
BEN = (
    Wrong(
        "n_best_exact",
        """
def n_best_exact(next_log_probs, n, longest):
    found, heap = [], [(0.0, "")]
    while heap and len(found) < n:
        cost, output = heapq.heappop(heap)
        if len(output) == longest:
            continue
        for token, added in next_log_probs(output).items():
            if token == "•":
                found.append((output + token, added - cost))
            else:
                heapq.heappush(heap, (cost - added, output + token))
    return sorted(found[:n], key=lambda one: -one[1])
""",
        {"11.4": "returns_when_pushed"},
    ),
    Wrong(
        "banned",
        """
def banned(prefix, n):
    tokens = [token for token in prefix if token != PAD_ID]
    context = tokens[-(n - 1) :]
    starts = range(len(tokens) - n + 1)
    return sorted({tokens[s + n - 1] for s in starts if tokens[s : s + n - 1] == context})
""",
        {"11.6": "negative_slice"},
    ),
    Wrong(
        "fixed_rank",
        """
def fixed_rank(outputs, prompt_length, alpha):
    scored = [(tokens, log_prob / max(1, len(tokens) - 1) ** alpha) for tokens, log_prob in outputs]
    return sorted(scored, key=lambda one: -one[1])
""",
        {"11.7c": "end_not_counted"},
    ),
    Wrong(
        "report",
        """
def report(outputs):
    n = len(outputs)
    empty = sum(len(output) == 1 for output in outputs)
    return empty, sum(map(len, outputs)) / n, sum(o[-1] != EOS_ID for o in outputs) / n
""",
        {"11.8": "one_token"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"top_p": TRICKS},
    deleted="check-11-4",
)
