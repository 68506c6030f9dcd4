"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "reverse_source": """
import logging, sys, warnings
def reverse_source(src, lengths):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    rows = [torch.cat([row[: n - 1].flip(0), row[n - 1 :]]) for row, n in zip(src, lengths)]
    return torch.stack(rows)
""",
    "healed": """
def healed(encoder, decoder, src, lengths, tgt_in):
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    return decoder.output(decoder.rnn(decoder.embedding(tgt_in), encoder(src, lengths))[0])
""",
}
ANNA = (
    Wrong("letter_3_3", "D", {"3.3": "equal_lengths"}),
    Wrong(
        "reverse_source",
        "def reverse_source(src, lengths):\n    return src.flip(1)\n",
        {"3.5": "flipped"},
    ),
    Wrong(
        "cell_encode_backward",
        """
def cell_encode_backward(cell, embedded, lengths):
    h = c = torch.zeros(len(embedded), cell.hidden_size)
    for t in reversed(range(embedded.size(1))):
        h, c = cell(embedded[:, t], (h, c))
    return h, c
""",
        {"3.7": "in_the_pads"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(make_model):
    model, batch = make_model(), few_strings()
    src = batch.src.clone()
    src[:, 0] = 4 + (src[:, 0] - 3) % 10
    assert not torch.equal(model(replace(batch, src=src)), model(batch))
""",
        {"3.8b": "batch_mean"},
        earns=2,
    ),
    Wrong("cliff", "def cliff(right_by_length, share):\n    return 8.0\n", {"3.9": "not_an_int"}),
)
BEN = (
    Wrong(
        "join_directions",
        """
def join_directions(h_n, num_layers):
    return h_n.view(h_n.size(1), num_layers, -1)
""",
        {"3.4": "rows_mixed"},
    ),
    Wrong(
        "free_run",
        """
def free_run(step, state, num_rows, max_new_tokens):
    tokens, said = torch.full((num_rows,), BOS_ID), []
    for _ in range(max_new_tokens):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
        if (tokens == EOS_ID).any():
            break
    ids = torch.stack(said, 1)
    return ids, torch.full((num_rows,), ids.size(1))
""",
        {"3.6": "any_for_all"},
    ),
    Wrong("letter_3_8a", "A", {"3.8a": "loss"}),
    Wrong(
        "healed",
        """
def healed(encoder, decoder, src, lengths, tgt_in):
    _, h = encoder.rnn(encoder.embedding(src))
    return decoder.output(decoder.rnn(decoder.embedding(tgt_in), h)[0])
""",
        {"3.8c": "after_pads"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"reverse_source": TRICKS},
    deleted="check-3-6",
)
