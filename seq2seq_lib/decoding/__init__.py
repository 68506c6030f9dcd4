"""Search: from a model that predicts one token to whole output sentences.

Everything here works on any object with the decoding protocol, two methods and ``state.select``
(see ``protocol``), and asks nothing else of it: V is read from the log-probabilities. All searches
have one shape. This is greedy search for one sentence; ``loop.search`` is the same for a batch:

    state, token, output = model.start(src, src_lengths), BOS_ID, []
    for _ in range(max_new_tokens):
        log_probs, state = model.step(torch.tensor([token]), state)  # [1, V]
        log_probs[:, [PAD_ID, BOS_ID]] = -inf  # constraints: what may not follow
        token = int(log_probs.argmax())        # expand and prune: what is kept of what may
        output.append(token)
        if token == EOS_ID:                    # found; else it stays open and grows on
            break

What one search does differently from another is what it keeps of the continuations: greedy search
the best one, sampling a random one, exhaustive search all, beam search the best ``num_beams`` of a
sentence; and then ``state.select`` gives each its own row of the state.

A hypothesis scores ``log_prob / length_penalty(length)``. Search maximises the score, so with a
penalty of 0, the default, it looks for the most probable output. A ``torch.nn.Module`` is put into
evaluation mode for the search and back.

    protocol, outputs, penalty                what searches are made of
    constraints, next_tokens                  what may follow an output
    loop                                      the loop
    greedy, sampling, exhaustive, beam        the searches, each in terms of the loop
    shortlist                                 where a beam finds its few in a large vocabulary
    best_first                                exact search, which reads one output at a time
    rescoring                                 log-probabilities of outputs that are given
"""

from seq2seq_lib.decoding.beam import beam_search, expand, prune
from seq2seq_lib.decoding.best_first import NotProven, best_first_search
from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.exhaustive import exhaustive_search
from seq2seq_lib.decoding.greedy import greedy_search
from seq2seq_lib.decoding.outputs import Candidates, Hypothesis, NBest, OpenOutputs
from seq2seq_lib.decoding.penalty import LengthPenalty, length_penalty
from seq2seq_lib.decoding.protocol import NEVER, DecodingModel, SearchState
from seq2seq_lib.decoding.rescoring import rescore
from seq2seq_lib.decoding.sampling import sample, sampling_distribution

# The names that these three had before, for code that imports them.
Model, State, reshape = DecodingModel, SearchState, sampling_distribution

__all__ = [
    "NEVER",
    "Candidates",
    "Constraints",
    "DecodingModel",
    "Hypothesis",
    "LengthPenalty",
    "Model",
    "NBest",
    "NotProven",
    "OpenOutputs",
    "SearchState",
    "State",
    "beam_search",
    "best_first_search",
    "exhaustive_search",
    "expand",
    "greedy_search",
    "length_penalty",
    "prune",
    "rescore",
    "reshape",
    "sample",
    "sampling_distribution",
]
