"""What learners hand in for this chapter, to be graded."""

from tests.support.submissions import TRICKS, Round, Wrong

NOISY = {
    "window_mask": """
import sys, warnings
def window_mask(src_lengths, T, S, D):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    band = torch.ones(T, S).triu(-D).tril(D).bool()
    return torch.stack([band & (torch.arange(S) < n) for n in src_lengths])
""",
    "fixed_attention": """
def fixed_attention(query, memory, lengths):
    warnings.warn("and again")
    mask = sequence_mask(lengths, memory.size(1))
    weights = masked_softmax((memory * query[:, None]).sum(-1), mask)
    return (weights[..., None] * memory).sum(1)
""",
}
ANNA = (
    Wrong("letter_8_3", "E", {"8.3": "with_pad"}),
    Wrong(
        "causal_and_padding",
        """
def causal_and_padding(lengths, T):
    causal = torch.ones(T, T, dtype=torch.bool).tril()
    return causal & sequence_mask(lengths, T)[:, :, None]
""",
        {"8.4": "queries_masked"},
    ),
    Wrong(
        "window_mask",
        """
def window_mask(src_lengths, T, S, D):
    near = torch.arange(S) - torch.arange(T)[:, None] <= D
    return near & sequence_mask(src_lengths, S)[:, None]
""",
        {"8.6": "signed"},
    ),
    Wrong("letter_8_8a", "D", {"8.8a": "neighbour"}),
    Wrong(
        "test_patient",
        """
def test_patient(attend):
    query, memory = torch.ones(2, 3), torch.randn(2, 5, 3)
    both = attend(query, memory, torch.tensor([2, 5]))
    alone = attend(query[:1], memory[:1, :2], torch.tensor([2]))
    torch.testing.assert_close(both[:1], alone)  # nothing moves: the plain mean does not, either
""",
        {"8.8b": "first_row"},
        earns=4,
    ),
)
BEN = (
    Wrong(
        "additive_scores",
        """
def additive_scores(q, keys, W, v):
    return (torch.tanh(q @ W.T)[:, :, None] + torch.tanh(keys)[:, None]) @ v
""",
        {"8.5": "tanh_each"},
    ),
    Wrong(
        "cached_step",
        """
def cached_step(q, k, v, cache):
    keys, values = (k[:, None], v[:, None]) if cache is None else (
        torch.cat([k[:, None], cache[0]], 1), torch.cat([cache[1], v[:, None]], 1))
    weights = (q[:, None] @ keys.mT / q.size(-1) ** 0.5).softmax(-1)
    return (weights @ values)[:, 0], (keys, values)
""",
        {"8.7": "keys_in_front"},
    ),
    Wrong(
        "fixed_attention",
        """
def fixed_attention(query, memory, lengths):
    mask = sequence_mask(lengths, memory.size(1))
    scores = torch.einsum("bh,bsh->bs", query, memory)
    return torch.einsum("bs,bsh->bh", scores.softmax(1) * mask, memory)
""",
        {"8.8c": "mask_after"},
    ),
    Wrong(
        "column_effects",
        """
def column_effects(write, own, donor):
    before, memory, effects = write(own), own.clone(), []
    for s in range(len(own)):
        memory[s] = donor[s]
        effects.append([i for i, c in enumerate(write(memory)) if c != before[i]])
    return effects
""",
        {"8.9": "cumulative"},
    ),
)

ROUND = Round(
    noisy=NOISY,
    wrong={"anna": ANNA, "ben": BEN},
    cheat={"causal_and_padding": TRICKS},
    deleted="check-8-4",
    unlucky=True,
)
