"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "slip_inputs": """
import logging, sys, warnings
def slip_inputs(tgt_in, k, wrong):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    return torch.cat([tgt_in[:, :k], wrong[:, None], tgt_in[:, k + 1 :]], 1)
""",
    "fixed_pair": """
def fixed_pair(targets):
    warnings.warn("and again")
    T = max(map(len, targets)) + 1
    tgt_in = torch.tensor([([BOS_ID] + row + [0] * T)[:T] for row in targets])
    return tgt_in, torch.tensor([(row + [EOS_ID] + [0] * T)[:T] for row in targets])
""",
}
ANNA = (
    Wrong("letter_6_3", "B", {"6.3": "independence"}),
    Wrong(
        "sequence_correct",
        """
def sequence_correct(pred, gold, lengths):
    return (pred == gold).all(1)
""",
        {"6.4": "all_cells"},
    ),
    Wrong(
        "second_pass_inputs",
        """
def second_pass_inputs(tgt_in, logits, coins):
    read = torch.where(coins, tgt_in, logits.argmax(-1))
    read[:, 0] = tgt_in[:, 0]
    return read
""",
        {"6.6": "same_place"},
    ),
    Wrong(
        "test_evaluator",
        """
def test_evaluator(evaluate):
    model = small_model()
    one = evaluate(model, small_batch([[4, 5, 6, 7], [8, 4, 5], [5, 5, 7]]))
    two = evaluate(model, small_batch([[7, 8, 5, 4], [6, 7, 8], [8, 4, 6]]))
    for a, b in zip(one, two):
        assert list(a) == list(b)
""",
        {"6.7": "gold_end"},
        earns=4,
    ),
    Wrong("letter_6_8a", "A", {"6.8a": "pads"}),
)
BEN = (
    Wrong(
        "slip_inputs",
        """
def slip_inputs(tgt_in, k, wrong):
    slipped = tgt_in.clone()
    slipped[:, k - 1] = wrong
    return slipped
""",
        {"6.5": "place_before"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(make_pair):
    tgt_in, tgt_out = make_pair([[5, 6, 7], [8, 9]])
    assert not torch.equal(tgt_in, tgt_out)
    assert tgt_out[0].tolist() == [5, 6, 7, 2]
""",
        {"6.8b": "rolled"},
        earns=2,
    ),
    Wrong(
        "fixed_pair",
        """
def fixed_pair(targets):
    said = [torch.tensor([*target, EOS_ID]) for target in targets]
    tgt_out = pad_sequence(said, batch_first=True, padding_value=PAD_ID)
    return tgt_out.roll(1, 1), tgt_out
""",
        {"6.8c": "rolled"},
    ),
    Wrong(
        "slip_run",
        """
def slip_run(step, state, tgt_in, k, wrong):
    said = []
    for t in range(tgt_in.size(1)):
        scores, state = step(wrong if t == k else tgt_in[:, t], state)
        said.append(scores.argmax(-1))
    return torch.stack(said, 1)
""",
        {"6.9": "gold_lane"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"slip_inputs": TRICKS},
    deleted="check-6-6",
    unlucky=True,
)
