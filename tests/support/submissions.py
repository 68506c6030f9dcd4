"""What the learners of ``test_grading`` hand in, assignment by assignment."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wrong:
    """A typical wrong answer.

    Attributes:
        cell: the grade_id of its cell, or the name of its letter.
        code: the answer.
        lost: the checks that it fails, and the finding that each names.
    """

    cell: str
    code: str
    lost: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """What is handed in for one assignment, beside what is untouched.

    Attributes:
        noisy: right answers that make noise: each line of it on stderr would cost all points.
        wrong: by learner; two, so that each exercise is wrong once, and right beside wrong ones.
        cheat: an answer that earns nothing, and plays all tricks at once.
        deleted: the check that the cheat takes out.
        spared: checks that nobody fails, as one learner cannot fail all parts and some of them.
        unlucky: whether somebody's answers meet a library that cannot be imported.
    """

    noisy: dict[str, str]
    wrong: dict[str, tuple[Wrong, ...]]
    cheat: dict[str, str]
    deleted: str
    spared: frozenset[str] = frozenset()
    unlucky: bool = False


TRICKS = """
import os
os.environ.pop("NBGRADER_EXECUTION")
def check(*args):
    pass
"""
FAKE_LIBRARY = """
import sys, types
def anything(*args, **kwargs):
    return {}
for name in ("course", "course.ch04_padding_masks", "course.ch07_search", "corpora", "decoding",
             "laws", "masks", "vocab"):
    module = types.ModuleType("seq2seq_lib." + name)
    module.__getattr__ = lambda name: anything
    sys.modules["seq2seq_lib." + name] = module
__path__ = []
"""

# ---------------------------------------------------------------- chapter 4

NOISY_04 = {
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
ANNA_04 = (
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
BEN_04 = (
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

# ---------------------------------------------------------------- chapter 7

NOISY_07 = {
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
ANNA_07 = (
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
BEN_07 = (
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

ROUNDS = {
    "ch04_padding_masks": Round(
        noisy=NOISY_04,
        wrong={"anna": ANNA_04, "ben": BEN_04},
        cheat={"length_mask": TRICKS},
        deleted="check-4-3",
        spared=frozenset({"4.6b1"}),
        unlucky=True,
    ),
    "ch07_search": Round(
        noisy=NOISY_07,
        wrong={"anna": ANNA_07, "ben": BEN_07},
        cheat={"exhaustive": TRICKS},
        deleted="check-7-3a",
    ),
}
