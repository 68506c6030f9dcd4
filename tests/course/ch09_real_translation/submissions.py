"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "encode": """
import logging, sys, warnings
def encode(word, merges):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    text = " " + " ".join("▁" + word) + " "
    for left, right in merges:
        while f" {left} {right} " in text:
            text = text.replace(f" {left} {right} ", f" {left}{right} ", 1)
    return text.split()
""",
    "kind_of_error": """
def kind_of_error(hypothesis, reference):
    warnings.warn("and again")
    ours, theirs = hypothesis.split(), reference.split()
    a, b = Counter(ours), Counter(theirs)
    off = [x == y for x, y in zip(ours, theirs)].count(False)
    if ours == theirs:
        return "right"
    if a == b:
        return "order"
    if a <= b:
        return "missing"
    if b <= a:
        return "added"
    return "one word" if len(ours) == len(theirs) and off == 1 else "other"
""",
}
ANNA = (
    Wrong("letter_9_1a", "D", {"9.1a": "no_penalty"}),
    Wrong("letter_9_1b", "A", {"9.1b": "zero"}),
    Wrong(
        "encode",
        """
def encode(word, merges):
    known, rest, pieces = {"".join(pair) for pair in merges}, "▁" + word, []
    while rest:
        size = max(n for n in range(1, len(rest) + 1) if n == 1 or rest[:n] in known)
        pieces.append(rest[:size])
        rest = rest[size:]
    return pieces
""",
        {"9.2": "longest_match"},
    ),
    Wrong(
        "split_by_source",
        """
def split_by_source(pairs, share, seed, key):
    order = list(range(len(pairs)))
    random.Random(seed).shuffle(order)
    chosen = set(order[: max(1, round(share * len(pairs)))])
    train = [pair for i, pair in enumerate(pairs) if i not in chosen]
    return train, [pair for i, pair in enumerate(pairs) if i in chosen]
""",
        {"9.5": "by_pair"},
    ),
    Wrong("letter_9_6a", "D", {"9.6a": "mean_of_lines"}),
    Wrong(
        "test_score",
        """
def test_score(score):
    lines = ["the cat sees the old red house", "a dog sleeps"]
    assert abs(score(lines, lines) - 100) < 1e-6
""",
        {"9.6b": "no_clipping"},
        earns=1,
    ),
)
BEN = (
    Wrong("letter_9_1c", "B", {"9.1c": "recipe"}),
    Wrong(
        "chrf_sentence",
        """
def chrf_sentence(h, r, max_n, beta):
    h, r = h.replace(" ", ""), r.replace(" ", "")
    scores = []
    for n in range(1, max_n + 1):
        ours = Counter(h[i : i + n] for i in range(len(h) - n + 1))
        theirs = Counter(r[i : i + n] for i in range(len(r) - n + 1))
        if ours and theirs:
            hits = (ours & theirs).total()
            p, q = hits / ours.total(), hits / theirs.total()
            scores.append((1 + beta**2) * p * q / (beta**2 * p + q) if hits else 0.0)
    return 100 * sum(scores) / len(scores) if scores else 0.0
""",
        {"9.3": "f_then_mean"},
    ),
    Wrong(
        "paired_interval",
        """
def paired_interval(stats_a, stats_b, picks, score):
    gains = [score(stats_a[p].sum(0)) - score(stats_b[p].sum(0)) for p in picks]
    ends = torch.tensor(gains, dtype=torch.float64)
    return ends.quantile(0.025).item(), ends.quantile(0.975).item()
""",
        {"9.4": "other_way"},
    ),
    Wrong(
        "fixed_score",
        """
def fixed_score(hypotheses, references):
    return min(100.0, patient_score(hypotheses, references))
""",
        {"9.6c": "capped"},
    ),
    Wrong(
        "kind_of_error",
        """
def kind_of_error(hypothesis, reference):
    if len(hypothesis.split()) < len(reference.split()):
        return "missing"
    if len(hypothesis.split()) > len(reference.split()):
        return "added"
    ours, theirs = hypothesis.split(), reference.split()
    if ours == theirs:
        return "right"
    if sorted(ours) == sorted(theirs):
        return "order"
    return "one word" if sum(a != b for a, b in zip(ours, theirs)) == 1 else "other"
""",
        {"9.7": "by_length"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"encode": TRICKS},
    deleted="check-9-3",
)
