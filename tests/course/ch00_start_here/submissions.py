"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "moved_by_company": """
import logging, sys, warnings
def moved_by_company(read_batch, texts):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    together = read_batch(texts)
    return [t for t, a in zip(texts, together) if read_batch([t]) != [a]]
""",
    "fixed_encode": """
def fixed_encode(src, lengths):
    warnings.warn("and again")
    rows = nn.utils.rnn.pack_padded_sequence(
        embedding(src), lengths, batch_first=True, enforce_sorted=False
    )
    return gru(rows)[1][0]
""",
}
ANNA = (
    Wrong("letter_0_2", "C", {"0.2": "equal_too"}),
    Wrong(
        "moved_by_company",
        """
def moved_by_company(read_batch, texts):
    return [t for t in texts if read_batch([t]) != read_batch([t])]
""",
        {"0.3": "alone_twice"},
    ),
    Wrong("letter_0_5", "A", {"0.5": "search_and_scores"}),
    Wrong(
        "test_patient",
        """
def test_patient(encode):
    src, lengths = pad_sequences([[7, 3, 4, 5, 2], [4, 2], [6, 2]])
    together = encode(src, lengths)
    for row, n in enumerate([5, 2, 2]):
        alone = encode(src[row : row + 1, :n], torch.tensor([n]))
        assert (together[row] - alone[0]).abs().max() < 1e-3
""",
        {"0.6b": "sorted_rows"},
        earns=1,
    ),
)
BEN = (
    Wrong(
        "exact_match_by_length",
        """
def exact_match_by_length(answers, gold, lengths, edges):
    shares = []
    for low, high in zip(edges, edges[1:]):
        rows = [i for i, n in enumerate(lengths) if low <= n <= high]
        shares.append(sum(answers[i] == gold[i] for i in rows) / len(rows) if rows else None)
    return shares
""",
        {"0.4": "upper_twice"},
    ),
    Wrong("letter_0_6a", "A", {"0.6a": "pad_vector"}),
    Wrong(
        "fixed_encode",
        """
def fixed_encode(src, lengths):
    return gru(embedding(src))[1][-1]
""",
        {"0.6c": "behind_pads"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"moved_by_company": TRICKS},
    deleted="check-0-4",
)
