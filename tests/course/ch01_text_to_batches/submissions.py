"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "read_back": """
import logging, sys, warnings
def read_back(ids, pieces):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    end = ids.index(2) if 2 in ids else len(ids)
    return "".join(pieces[i] for i in ids[:end] if i > 2).replace("_", " ").rstrip()
""",
    "shift_right": """
def shift_right(labels):
    warnings.warn("and again")
    start = torch.ones(len(labels), 1, dtype=torch.int64)
    return torch.cat([start, labels[:, :-1].clamp(min=0)], 1)
""",
}
ANNA = (
    Wrong("letter_1_3", "A", {"1.3": "bos_counted"}),
    Wrong(
        "apply_merges",
        """
def apply_merges(word, merges):
    symbols = list(word)
    while True:
        places = [i for i, pair in enumerate(zip(symbols, symbols[1:])) if pair in merges]
        if not places:
            return symbols
        i = places[0]
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
""",
        {"1.5": "leftmost"},
    ),
    Wrong(
        "token_batches",
        """
def token_batches(lengths, max_tokens):
    batches, batch = [], []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if sum(lengths[j] for j in batch) + lengths[i] > max_tokens:
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch]
""",
        {"1.7": "by_sum"},
    ),
    Wrong(
        "test_build",
        """
def test_build(build):
    ids, lengths = build([[5, 6, 7, 8, 9]], 4)
    assert ids[0, -1] == 2  # that EOS is there, and nothing else
""",
        {"1.8b": "length_before_cut"},
        earns=2,
    ),
    Wrong("token_counts", "def token_counts(*args):\n    return 5\n", {"1.9": "not_a_dict"}),
)
BEN = (
    Wrong(
        "read_back",
        """
def read_back(ids, pieces):
    return "".join(pieces[i] for i in ids if i > 2).replace("_", " ").rstrip()
""",
        {"1.4": "runs_on"},
    ),
    Wrong(
        "shift_right",
        """
def shift_right(labels):
    return labels.roll(1, dims=1).masked_fill(labels.roll(1, dims=1) == -100, 0)
""",
        {"1.6": "rolled"},
    ),
    Wrong("letter_1_8a", "B", {"1.8a": "spike"}),
    Wrong(
        "fixed_build",
        """
def fixed_build(lines, num_steps):
    ids = torch.zeros(len(lines), num_steps, dtype=torch.int64)
    lengths = torch.zeros(len(lines), dtype=torch.int64)
    for row, line in enumerate(lines):
        sentence = [*line[: num_steps - 1], EOS_ID]
        ids[row, : len(sentence)] = torch.tensor(sentence)
        lengths[row] = len(line) + 1
    return ids, lengths
""",
        {"1.8c": "length_before_cut"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"read_back": TRICKS},
    deleted="check-1-6",
)
