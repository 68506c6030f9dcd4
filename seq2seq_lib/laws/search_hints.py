"""Law 5's hints, by cause."""

GREEDY = (
    "the top-1 path: with one beam the best token is taken at each step, and an EOS counts only "
    "where it is the best token (not second best)"
)
EXHAUSTIVE = (
    "who was lost although nothing had to be: stopping when the best or the first hypothesis ends "
    "(a longer one may still score higher), states not reordered with their hypotheses, finished "
    "ones that go on growing, a penalty with the wrong sign"
)
BATCH = (
    "rows of one sentence that meet those of another: repeat instead of repeat_interleave, offsets "
    "of the beam index, one sentence's end ending the others, finished rows that stay and are read"
)
SORTED = "the order of the list: sort by score, best first, finished and unfinished together"
DISTINCT = (
    "the first step: all beams start from one hypothesis, so only one of them may be expanded"
)
REAL = (
    "what may be an output: it ends at its first EOS, or has max_new_tokens tokens; no PAD, no "
    "BOS, no -inf placeholders, nothing after EOS"
)
COUNT = (
    "how many: at least one, at most n_best, and n_best of them if so many exist, also if no "
    "hypothesis ends or num_beams exceeds the vocabulary"
)
WIDTH = (
    "the width: num_beams open hypotheses are kept at every step, so a finished one must make room "
    "and not narrow the beam. Or the end: it must not stop when the first one ends, nor when "
    "num_beams have ended (early_stopping=True, fairseq), nor compare open ones at their present "
    "length, since their scores may still rise"
)
FREE_END = (
    "the score of an output: at full width the order of yours is that of log-probabilities without "
    "EOS. Ending has a probability too, and it belongs to the score (law 6, scores_add_up)"
)
AFTER_EOS = "where it stops: EOS was written and the output goes on; stop there"
NOT_BANNED = (
    "what may be written: the best token is PAD or BOS, which are banned here; if yours allows "
    "them, as Hugging Face's generate does, pass banned_ids=()"
)
FORCED = (
    "the last token: EOS was put there, whatever its probability (fairseq does so); if that is "
    "meant, pass forced_eos=True"
)
TOO_LONG = "the cap: the output is longer than max_new_tokens"
RETURNS = (
    "a list for each sentence, best first, of hypotheses: lists of ids, or objects with 'tokens'"
)
TWICE = (
    "what is drawn: a search gives the same output in each call. Is it sampling (do_sample), is "
    "dropout on (call .eval()), or is something kept from call to call?"
)
