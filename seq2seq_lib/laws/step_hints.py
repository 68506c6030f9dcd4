"""Law 4's hints, by cause."""

REPEATED = "dropout that is still on (call .eval()), or sampling in the forward pass"
FUTURE = (
    "how position t could know a later token: a bidirectional decoder, a missing causal mask, "
    "or one given in training mode alone"
)
NEXT = (
    "the shift: position t knows tgt_in[t + 1], which is the token it must predict, and nothing "
    "after it. The labels were not shifted against what the decoder reads, or a causal mask lets "
    "one column too many through (diagonal=2)"
)
LAG = (
    "what position t reads: tgt_in[t], which begins with BOS and is shifted already. Here it does "
    "not move with it: shifted a second time (logits[:, :-1], a pad put before), a causal mask one "
    "column too strict, or tokens that are not fed at all"
)
ANSWER = (
    "what the decoder reads: it must be tgt_in, which begins with BOS, and never tgt_out, which is "
    "the answer (a model that reads it reaches loss 0.000 and says nothing right)"
)
STEPWISE = (
    "what inference does differently: a context computed once in one of the two and anew at each "
    "step in the other, a state that is not handed on (an LSTM's c, every layer), a first input "
    "other than BOS, an attention query of the step before"
)
TRANSFORMER = (
    "the positions: each step needs its own, counted in the state, and not 0 for every one-token "
    "input; the KV cache: every layer's keys and values are appended and handed on; the mask over "
    "what is cached"
)
BANNED = (
    "a token that one of the two forbids (-inf) and the other does not: give the ban to both, or "
    "leave it to the search"
)
LENGTH = (
    "the target's length: tgt_lengths, tgt_mask or tgt_in.size(1) reaches a position before its "
    "end, and at inference nobody knows it (positions counted from the end, a mean over the target)"
)
FORGETS = (
    "what is handed on: the scores of a step do not change with the tokens before its last one, so "
    "the state or the KV cache that step returns is not the one it was given and has read into"
)
FIRST_STEP = "the first step already differs: what start() makes of the source, or the input BOS; "
LENGTHS = (
    "what tells the output where to stop: it was cut at, or masked by, the reference's length; it "
    "must end at its own EOS, or at a cap that the reference does not give"
)
FREE = (
    "teacher forcing at evaluation: the output changes with a reference it must not know "
    "(teacher_forcing_ratio must be 0 there)"
)
