# %% [markdown]
# # 6. Teacher forcing and exposure bias
#
# In training a decoder reads the right token at each step, at inference it reads its own. What does
# that difference hide, and what does it not hide?
#
# Here a date model with attention is made to read a wrong `5` where its answer should begin with 1.
# Below, it then goes on in two lanes: one reads the right tokens (*gold*), the other what it says itself.
# **Predict** how many of the ten outputs behind this *slip* are wrong in each lane.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.slip_and_recover import explore

explore("insertion")

# %% [markdown]
# **After this chapter you can** write both loops, say which score teacher forcing flatters and which it
# cannot, tell three numbers apart that are all called perplexity or accuracy, build scheduled sampling,
# and find an evaluation that looks at the answer.
#
# **You need** [chapter 0](ch00_start_here.ipynb), the [encoder-decoder](ch03_encoder_decoder.ipynb), and masks and the loss from
# [chapter 4](ch04_padding_masks.ipynb).
#
# **Time**: 45 minutes with its two stubs; it runs in half a minute.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B, T, V | sentences, width of the target, vocabulary | • | EOS |
# | y | the gold target, its last token is EOS | g | what greedy search writes |
# | ε | P(read gold), `teacher_forcing_ratio` | TF | teacher forced: reads y |
# | EM | exact match: share of g = y | | |

# %% [markdown]
# ## 6.1 Two loops, one function
#
# Between training and inference lies one arrow. A decoder is a function of a state
# and a token; the loops differ in who gives the token. A model that fits on a card will do for half of
# the chapter: it knows which letter follows which, and only the first one depends on the source.

# %%
import torch

from seq2seq_lib import plots
from seq2seq_lib.course.ch06_teacher_forcing import Card, figures

card = Card()
print("begins ", card.begins)
print("follows", card.follows, "and • after all others")
plots.show(
    figures.two_loops(["a", "d", "•"], ["a", "b", "d"]),
    "Two rows of three steps. In training the steps read BOS, a, d: the gold tokens. At inference an "
    "orange arrow leads from what each step says to what the next one reads: BOS, a, b.",
)

# %% [markdown]
# `collate` writes what is read and what must be said as two tables, [shifted](ch01_text_to_batches.ipynb) by one. In training
# all that is read is known before the first step. So the naive loop over gold
# tokens and one pass over all of `tgt_in` must give the same.

# %%
batch = card.batch({"three": "d", "one": "a d", "two": "c a b d"})
print("read", batch.tgt_in, "say", batch.tgt_out, sep="\n")


def gold_loop(batch):
    state, steps = card.start(batch.src, batch.src_lengths), []
    for t in range(batch.tgt_in.size(1)):
        log_probs, state = card.step(batch.tgt_in[:, t], state)
        steps.append(log_probs)
    return torch.stack(steps, 1)  # T times [B, V] -> [B, T, V]


forced = card(batch).argmax(-1)  # [B, T]
print("the loop = the pass:", torch.equal(gold_loop(batch), card(batch)))

# %% [markdown]
# **Your turn.** Write the other loop, in which each step reads what the last one said. `step(tokens,
# state)` takes ids `[B]` and returns log-probabilities `[B, V]` and the new state; `first` holds BOS
# for each row. An unsolved cell blocks nothing. (`hint("6.1")` helps.)


# %%
def greedy_steps(step, state, first, T):
    """A step function, its state, int64 [B] and a number of steps -> int64 [B, T], what is said."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint

check("6.1", greedy_steps)

# %% [markdown]
# **Right.** The token that was said is the token that is read.


# %%
def own_loop(step, state, first, T):
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)  # [B]: said now, read next
        said.append(tokens)
    return torch.stack(said, 1)  # [B, T]


start = card.start(batch.src, batch.src_lengths)
own = own_loop(card.step, start, batch.tgt_in[:, 0], batch.tgt_in.size(1))
for name, ids in (("gold", batch.tgt_out), ("TF says", forced), ("own says", own)):
    print(f"{name:9}", card.words(ids))

# %% [markdown]
# (• repeats behind the end: nothing stops the loop.) **Law 4** says for any model that
# the parallel pass is the stepwise one, and that no place sees a later token or the answer. A real
# decoder obeys; one that is fed `tgt_out`, the unshifted target, does not.

# %%
from dataclasses import replace

from seq2seq_lib import laws
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

torch.manual_seed(0)
sizes = {"embed_size": 8, "hidden_size": 12, "dropout": 0.0}
model = Seq2Seq(Seq2SeqConfig(11, 13, attention="general", **sizes)).eval()


def unshifted(batch):
    return model(replace(batch, tgt_in=batch.tgt_out))


right = laws.parallel_stepwise(model, model.start, model.step)
wrong = laws.parallel_stepwise(unshifted)
print(right)
print("unshifted:", wrong.holds, "|", next(c.name for c in wrong.checks if not c.holds))
assert right and not wrong

# %% [markdown]
# So training is one parallel pass *because the answer is known*, and inference is a loop because it is
# not. The unshifted decoder ([GenerativeModels#314](https://github.com/Project-MONAI/GenerativeModels/issues/314)
# reports one) is the patient of the exercises' clinic: its training curve is perfect.

# %% [markdown]
# ## 6.2 What teacher forcing flatters
#
# If training reads better inputs, are scores that are measured this way too good? Three scores of the
# card: TF token accuracy, TF *sequence* accuracy (all tokens of a row right), and EM, for which greedy
# search writes on its own. **Predict** their order. Whoever writes without help must make the most
# mistakes, so is EM the lowest?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.metrics import exact_match, token_accuracy

mask, lengths = batch.tgt_mask, batch.tgt_lengths.tolist()
right_cells = (forced == batch.tgt_out) & mask  # [B, T]
found = greedy_search(card, batch.src, batch.src_lengths, max_new_tokens=6)
gold = [row[:n] for row, n in zip(batch.tgt_out.tolist(), lengths, strict=True)]
print(f"TF token accuracy    {token_accuracy(forced, batch.tgt_out, mask):.3f}")
print(f"TF sequence accuracy {(right_cells | ~mask).all(1).float().mean():.3f}")
print(f"EM                   {exact_match([best.tokens for (best,) in found], gold):.3f}")

# %% [markdown]
# Token accuracy is 8 of 10. The other two are *equal*, and that is no accident of this card.
#
# **Theorem.** All TF outputs of a row are right exactly if greedy search returns y.
#
# 1. At place 1 both loops have read BOS. The same function on the same input: the same output.
# 2. As long as all own outputs were right, the own prefix is the gold prefix, so the next outputs are
#    the same again, right or wrong together.
# 3. If all TF outputs are right, this goes through to the last one: g = y, and greedy stops there,
#    because the last one is EOS.
# 4. If not, let t be the first TF mistake. Up to t the loops were one, so greedy makes the same mistake
#    at t: g ≠ y.
# 5. What comes *behind* the first mistake is free. Token accuracy and loss may move either way; EM
#    cannot, since the row is lost already.
#
# It must hold row by row for any model, so here is one that is right only part of the time: a decoder
# without attention that turns number words into digits, stopped after 147 steps.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.course.ch06_teacher_forcing import half_trained
from seq2seq_lib.losses import sequence_loss

trained, corpus = half_trained()
test = collate(encode_pairs(corpus.test, trained.src_vocab, trained.tgt_vocab))
with torch.no_grad():
    tf_logits = trained.model(test)  # [B, T, V]
    own_logits = trained.model(test, teacher_forcing_ratio=0.0)
tf_tokens = token_accuracy(tf_logits, test.tgt_out, test.tgt_mask)
own_tokens = token_accuracy(own_logits, test.tgt_out, test.tgt_mask)
print(f"token accuracy: TF {tf_tokens:.3f}, own prefix {own_tokens:.3f}")

# %% [markdown]
# Here the gold prefix helps with tokens. Now whole rows, with their EOS.

# %% tags=["nbval-ignore-output"]
tf_right = ((tf_logits.argmax(-1) == test.tgt_out) | ~test.tgt_mask).all(1)  # [B]
found = greedy_search(trained.model, test.src, test.src_lengths, max_new_tokens=12)
rows = zip(found, test.tgt_out.tolist(), test.tgt_lengths.tolist(), strict=True)
em_right = torch.tensor([best.tokens == row[:n] for (best,), row, n in rows])
assert torch.equal(tf_right, em_right)

print(f"TF sequence accuracy {tf_right.float().mean():.3f}, EM {em_right.float().mean():.3f}")
length = test.tgt_lengths.float().mean().item()
print(f"{length:.1f} tokens a row, {tf_tokens:.3f} to this power is {tf_tokens**length:.3f}")

# %% [markdown]
# The rows agree one by one. Two things break the theorem: a model that is not the same function both
# times (dropout left on), and a greedy search that is not allowed to say the argmax (a cap below the
# target's length, banned ids).
#
# **Predict.** The theorem leaves tokens free behind the first mistake. Can a model get *more* tokens
# right with its own prefix than with the gold one? Help cannot hurt, or can it? The source is `two`, the
# target `c a d`.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
one = card.batch({"two": "c a d"})
one_own = own_loop(card.step, card.start(one.src, one.src_lengths), one.tgt_in[:, 0], 4)
for name, ids in (("gold", one.tgt_out), ("TF says", card(one).argmax(-1)), ("own says", one_own)):
    print(f"{name:9}", *card.words(ids), " right:", int((ids == one.tgt_out).sum()))

# %% [markdown]
# It can. After its own wrong `b` the card says `d`, as gold has there; after gold's `a` it says `b`.
#
# So a paper that counts whole rows in teacher-forced outputs has not inflated its number: it is EM, by
# the theorem. But the count must be that one. Others, on the card, where 1/3 is right:

# %%
hits = forced == batch.tgt_out  # [B, T]
ways = {
    "all real tokens": (hits | ~mask).all(1).float().mean(),
    "pads must be right, too": hits.all(1).float().mean(),
    "mean of the rows' shares": ((hits & mask).sum(1) / batch.tgt_lengths).mean(),
    "all cells, pads included": hits.float().mean(),
    "tokens without EOS": (hits & mask & (batch.tgt_out != 2)).sum()
    / (batch.tgt_lengths - 1).sum(),
}
for name, number in ways.items():
    print(f"{name:25} {number:.3f}")

# %% [markdown]
# So quote exact match, and count the real tokens of a row, EOS among them. Token accuracy flatters: if
# mistakes are independent both numbers tell the same, and only one of them looks good.

# %% [markdown]
# ## 6.3 Three numbers that look alike
#
# A **perplexity** is $\exp$ of the mean NLL of gold tokens, each under its gold prefix. Some code takes the
# cross-entropy of *free-running* outputs instead, and prints its exp under the same name: it has the
# shape of a loss, and "no teacher forcing at evaluation" sounds right. A reader asked about it twice, in
# [bentrevett#146](https://github.com/bentrevett/pytorch-seq2seq/issues/146) and
# [OpenNMT-py#1959](https://github.com/OpenNMT/OpenNMT-py/issues/1959).
#
# A language of two tokens shows what that measures. The first is a (0.6) or c (0.4); after a comes b with
# 0.9, after c with 0.2, else d. TRUE knows this. BLIND does not look at the prefix: it says b with 0.62,
# the share of b over all. **Predict** which of the two has the lower exp(CE) under its own prefix, the
# argmax a.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from math import exp, log

first = {"a": 0.6, "c": 0.4}
true_b, blind_b = {"a": 0.9, "c": 0.2}, {"a": 0.62, "c": 0.62}


def nats(model_b, read):
    """Mean nats a string of two tokens; `read(y)` is the first token as the model reads it."""
    total = 0.0
    for y, p in first.items():
        for share, q in ((true_b[y], model_b[read(y)]), (1 - true_b[y], 1 - model_b[read(y)])):
            total -= p * share * (log(first[y]) + log(q))
    return total


gold_prefix, own_prefix = (lambda y: y), (lambda y: "a")
for name, table in (("TRUE", true_b), ("BLIND", blind_b)):
    forced_ce, free_ce = nats(table, gold_prefix), nats(table, own_prefix)
    print(f"{name:6} perplexity {exp(forced_ce / 2):.3f}   exp(own CE) {exp(free_ce / 2):.3f}")

# %% [markdown]
# BLIND wins. Four strings in ten begin with c, but TRUE is made to read a, and then it is sure of b,
# and punished for being sure. A model that ignores what it reads cannot be misled, so this number rewards
# ignorance, and choosing a checkpoint by it does, too.
#
# On the number model the two differ as well: the model is asked for gold tokens behind a prefix that is
# not theirs, so this is the likelihood of nothing.

# %% tags=["nbval-ignore-output"]
tf_loss, own_loss = (sequence_loss(z, test.tgt_out, test.tgt_mask) for z in (tf_logits, own_logits))
print(f"perplexity {tf_loss.mean.exp():.3f}   exp(own CE) {own_loss.mean.exp():.3f}")

# %% [markdown]
# So a perplexity is teacher forced, and what a model does on its own is counted in outputs: exact match,
# edit distance, BLEU.

# %% [markdown]
# ## 6.4 Evaluation that never sees the target
#
# How does teacher forcing get into an evaluation? By a default. A `forward(batch, ratio)` that is called
# without its ratio reads gold, and nothing says so:
# [keon#8](https://github.com/keon/seq2seq/issues/8) reports one at ratio 0.5. Jo et al.
# ([2024](https://arxiv.org/abs/2405.06459)) report that several EEG-to-text results were measured with
# implicit teacher forcing, and that noise in place of EEG can do about as well.
#
# Law 4 takes such a function as `free_run`, replaces the targets by other words, and then moves the
# targets' *lengths* from row to row. **Predict** which of four evaluations it lets pass: ratio 1, ratio
# 0.5, ratio 0, and ratio 0 with outputs cut where gold ends.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
coins = torch.Generator()


def half(batch):
    return model(batch, 0.5, coins.manual_seed(0))


def cut(batch):
    return model(batch, 0.0).argmax(-1) * batch.tgt_mask


evaluations = {"ratio 1": model, "ratio 0.5": half, "ratio 0": lambda b: model(b, 0.0), "cut": cut}
for name, evaluate in evaluations.items():
    verdict = laws.parallel_stepwise(model, free_run=evaluate)
    print(f"{name:10}", verdict.holds, *[c.name for c in verdict.checks if not c.holds][:1])

# %% [markdown]
# The cut one reads no gold token, and knows all the same when to stop: a model that never says EOS looks
# as if it did. The law's check of words does not find it; its check of lengths does.
#
# What is not an argument cannot be looked at:
# `greedy_search(model, src, src_lengths, max_new_tokens=…)` has no place for a target. So take the target
# out of the signature of whatever evaluates.

# %% [markdown]
# ## 6.5 Coins and schedules
#
# If the inputs of training are too good, why not train on worse ones? In **scheduled sampling** (Bengio
# et al. 2015) a coin decides at each step whether the decoder reads gold, with probability ε, or its own
# last token, and ε falls in the course of training.
#
# **Your turn.** Write what a step reads.


# %%
def next_input(gold, own, coin):
    """int64 [B], int64 [B], bool [B] (True: read gold) -> int64 [B]."""
    raise NotImplementedError  # your line


# %%
check("6.2", next_input)

# %% [markdown]
# **Right**: `torch.where(coin, gold, own)`. Who tosses is a choice: a coin for each token of each row, as
# in the paper and in this library; one a step for all rows; one a row; or one for the whole batch
# ([IBM#195](https://github.com/IBM/pytorch-seq2seq/issues/195) asks why a sequence shares its coin).
# **Predict** which of the four have the same *expected* loss. All read as many gold tokens, on average, so
# do all agree?
#
# Four places of five have a choice, the first reads BOS: four coins make 16 equally likely patterns, one
# coin makes two, all gold or all own. So the expectation is a sum over
# patterns.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
from itertools import product

few = collate(encode_pairs(corpus.test[:64], trained.src_vocab, trained.tgt_vocab))
T = few.tgt_in.size(1)


@torch.no_grad()
def row_losses(pattern):
    """Summed loss of each row [B] if all rows read gold where the pattern is True."""
    state, tokens, total = trained.model.start(few.src, few.src_lengths), few.tgt_in[:, 0], 0.0
    for t in range(T):
        tokens = few.tgt_in[:, t] if t == 0 or pattern[t - 1] else tokens
        log_probs, state = trained.model.step(tokens, state)
        nll = -log_probs.gather(1, few.tgt_out[:, t : t + 1])[:, 0]  # [B]
        total = total + nll * few.tgt_mask[:, t]
        tokens = log_probs.argmax(-1)
    return total


patterns = list(product([False, True], repeat=T - 1))
losses = torch.stack([row_losses(p) for p in patterns]) / few.tgt_mask.sum()  # [patterns, B]

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
all_own, all_gold = losses[0], losses[-1]
sums = losses.sum(1)  # what a batch costs if all its rows share the pattern
spread = {
    "token": losses.var(0, correction=0).sum().sqrt(),  # rows are independent: variances add
    "step": sums.std(correction=0),
    "row": ((all_gold - all_own) / 2).square().sum().sqrt(),
    "batch": (all_gold.sum() - all_own.sum()).abs() / 2,
}
mean = {
    "token": losses.mean(0).sum(),  # each row has a pattern of its own
    "step": sums.mean(),
    "row": ((all_gold + all_own) / 2).sum(),
    "batch": (all_gold.sum() + all_own.sum()) / 2,
}
for name in spread:
    print(
        f"a coin a {name:6} expected loss {mean[name]:.3f}   standard deviation {spread[name]:.3f}"
    )

# %% [markdown]
# Token and step agree, and row and batch: a coin that rows share changes no expectation, one that places
# share does. A coin a batch makes the loss jump most, four times as far as one a token.
#
# Does a gradient flow back through the token that was fed? An argmax is a step function: its derivative is
# zero or undefined. So ratio 0 has the gradient of *one parallel pass over the recorded own tokens*.

# %%
probe = laws.probes.make_batch()
free_logits = model.train()(probe, 0.0)
said = free_logits.argmax(-1)  # [B, T]
recorded = replace(probe, tgt_in=torch.cat([probe.tgt_in[:, :1], said[:, :-1]], 1))


def gradient(logits):
    loss = sequence_loss(logits, probe.tgt_out, probe.tgt_mask).mean
    return torch.autograd.grad(loss, model.decoder.output.weight)[0]


two = gradient(free_logits), gradient(model(recorded))
assert torch.allclose(*two, atol=1e-6)
print(
    "the same gradient:", torch.allclose(*two, atol=1e-6), "| it is not zero:", bool(two[0].any())
)

# %% [markdown]
# So training on own tokens is teacher forcing with another text in the input, whose *targets* no longer
# fit: after its own wrong digit the model is still asked for the gold token of that place. Huszár
# ([2015](https://arxiv.org/abs/1511.05101)) shows what this teaches. In our language of two tokens,
# with own tokens *sampled*, the best answer behind a is the mixture of b after a with probability ε, and
# of b after anything.

# %%
marginal = sum(first[y] * true_b[y] for y in first)  # P(b) = 0.62
for ratio in (1.0, 0.5, 0.0):
    learned = {y: ratio * true_b[y] + (1 - ratio) * marginal for y in first}
    shown = ", ".join(f"q(b|{y}) = {q:.2f}" for y, q in learned.items())
    print(f"ratio {ratio}: {shown}, perplexity {exp(nats(learned, gold_prefix) / 2):.3f}")

# %% [markdown]
# At 0 the best model is BLIND, although the data say otherwise. So the objective is not that of the
# language any more. What does it buy? Measured once, on 28 November 2026, with seeds 0 to 4
# ([`benchmarks/slip.py`](../benchmarks/slip.py)): `reverse` on letters, 400 steps; teacher forcing, three
# schedules from 1 to 0, and ε = ½ throughout. **Predict** the exact match of scheduled sampling against
# teacher forcing; its inputs are those of inference.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.course.ch06_teacher_forcing import measured

print("mean (least-greatest)", " " * 12, "exact match       perplexity        recovery")
for (training, decoder), row in measured.SCHEDULES.items():
    print(f"{decoder:10} {training:22}", *map(measured.band, row))

# %% [markdown]
# "Recovery" is the accuracy of the own lane behind a forced slip. Without attention it rises in all five
# trainings and all seeds, and exact match and likelihood fall. With attention the schedules move
# little, but ε = ½ raises recovery by .06 to .19 in each seed, and exact match changes by −.003 to +.013.
# Without attention a coin a batch costs and buys less than one a token. The theorem says why EM has
# little to win: it is decided under gold prefixes.

# %%
from seq2seq_lib import schedules

shape = {"start": 1.0, "end": 0.0}
ratio_at = {
    "teacher forcing": lambda step: schedules.constant(step, value=1.0),
    "linear": lambda step: schedules.linear(step, num_steps=400, **shape),
    "exponential": lambda step: schedules.exponential(step, decay=0.5 ** (1 / 80), **shape),
    "inverse sigmoid": lambda step: schedules.inverse_sigmoid(step, k=40, **shape),
    "half": lambda step: schedules.constant(step, value=0.5),
}
plots.show(
    figures.ratios({name: list(map(f, range(401))) for name, f in ratio_at.items()}),
    "The share of gold tokens over 400 steps. Teacher forcing stays at 1; linear falls in a straight "
    "line to 0; exponential halves each 80 steps; inverse sigmoid is an S, a half at step 148; half "
    "stays at 0.5.",
)

# %% [markdown]
# So own tokens in training can buy recovery, and a decoder without attention pays for it. Small models,
# one task: exercise 6.9 looks further.

# %% [markdown]
# ## 6.6 The slip, measured
#
# "One mistake, and everything after it is wrong": is that so? Back to the first screen. With its own
# prefix the model wrote `51984-02-11`, the *whole* date, one place late. Place by place nine of ten outputs
# are wrong; in edits it is one, a deletion. The snowball was partly the ruler.
#
# Without attention it can be real: the number `2588`, made to read 7. (Type a source of your own, slip it
# at any place. A third lane tosses the coins of 6.5.)

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.slip_and_recover import explore as explore_slip

explore_slip("plain_lost")

# %% [markdown]
# Both lanes are lost, and the gold prefix does not save its lane. **Predict** for a decoder without
# attention on *letters backwards*: which prefix helps more behind a slip at the first place? The figure
# shows three tasks, with and without attention, 500 sentences and five seeds each, from the same script.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
accuracies = {", ".join(name): (row.gold, row.own) for name, row in measured.SLIPS.items()}
bars = [
    f"{name} {measured.mean(gold):.2f} and {measured.mean(own):.2f}"
    for name, (gold, own) in accuracies.items()
]
plots.show(
    figures.slips(accuracies),
    f"Bars of accuracy behind a slip at place 1, gold prefix and own: {'; '.join(bars)}.",
)

# %% [markdown]
# The textbook's picture, gold helps and own hurts, fits dates, and letters with attention. On letters
# without attention the gold prefix does *worse*. A reading, not a proof: such a decoder has one vector to
# remember what it has yet to say, and seems to wait until it hears that the missed letter was said.
#
# What of edits? The least possible is 1, because a wrong token was forced.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print(" " * 20, "edits  exactly one")
for (task, decoder), row in measured.SLIPS.items():
    edits, one_edit = measured.mean(row.edits), measured.mean(row.one_edit)
    print(f"{task:9} {decoder:10} {edits:5.2f} {one_edit:8.0%}")

# %% [markdown]
# With attention, 61 to 96 % of the outputs are one edit from right: the model goes on as if little had
# happened. So "errors snowball" is a claim about a decoder, a task and a ruler, and needs all three.

# %% [markdown]
# ## Summary
#
# - Training and inference run one function; they differ in who gives the next input. Because the answer is
#   known, training is one parallel pass over `tgt_in`, which is `tgt_out` shifted by one.
# - TF sequence accuracy *is* exact match, row by row. TF token accuracy flatters.
# - A perplexity is teacher forced. exp of a free-running cross-entropy is none, and rewards a model that
#   ignores its prefix.
# - An evaluation gets no target: no words of it, and no length.
# - Scheduled sampling feeds own tokens; no gradient flows through them. Without attention it bought
#   recovery here, at the cost of exact match; with attention ½ throughout bought some, nearly free.
#
# | task | model | trained with | exact match | recovery | CPU s (seed 0) |
# |---|---|---|---|---|---|
# | letters backwards | GRU 48, plain | teacher forcing | .89 | .30 | 4 |
# | | | exponential | .58 | .55 | 4 |
# | | GRU 48, attention | teacher forcing | .99 | .60 | 3 |
# | | | ε = ½ | 1.00 | .71 | 5 |
#
# **Law established**: law 4, parallel = stepwise. `laws.parallel_stepwise(logits, start, step,
# free_run=…)` judges a model and its evaluation.
#
# **Common misconception**: "Teacher forcing hides that one error ruins the rest."

# %% [markdown]
# ## In Transformers and LLMs
#
# - **Pre-training and SFT are teacher forcing.** The causal mask lets one pass ask all places at once;
#   `-100` on the prompt means read, but not asked.
# - **Who shifts?** In a decoder-only model the loss shifts `labels`; an encoder-decoder shifts them to make
#   `decoder_input_ids`. Doing both trained models on the next token but one:
#   [#46784](https://github.com/huggingface/transformers/pull/46784),
#   [#46898](https://github.com/huggingface/transformers/pull/46898).
# - **The KV cache** is our `state`, and law 4 reads "prefill = decode".
# - **Long outputs**: 0.999 a token is 0.37 for a thousand, if mistakes are independent and nothing recovers.
# - **DAgger** (Ross et al. 2011) visits the model's own states and asks an *expert* what to do there;
#   scheduled sampling keeps the old answer there. On-policy distillation is the former: the student writes,
#   a teacher grades each token.
# - **Reinforcement learning** scores whole own outputs, so it trains on what it will read.
#
# The cell builds one causal head, and shows what each shift asks for on `BOS p1 p2 y1 y2 EOS`.

# %%
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(2, 6, 8)  # [B, T, E]
in_one_pass = F.scaled_dot_product_attention(x, x, x, is_causal=True)
cached = [
    F.scaled_dot_product_attention(x[:, t : t + 1], x[:, : t + 1], x[:, : t + 1]) for t in range(6)
]
print("prefill = decode:", torch.allclose(in_one_pass, torch.cat(cached, 1), atol=1e-6))

tokens = ["BOS", "p1", "p2", "y1", "y2", "EOS"]
for name, shift in (("right", 1), ("no shift", 0), ("twice", 2)):
    asked = [f"{tokens[t - shift]}>{tokens[t]}" for t in range(3, 6)]  # the prompt is masked
    print(f"{name:9}", *asked)

# %% [markdown]
# Three places are scored each time, so counting cannot tell them apart; reading one row can.
#
# ## Further reading
#
# - Williams & Zipser 1989, [A Learning Algorithm for Continually Running Fully Recurrent Neural
#   Networks](https://doi.org/10.1162/neco.1989.1.2.270): where the teacher's signal replaces the output.
# - Bengio et al. 2015, [Scheduled Sampling](https://arxiv.org/abs/1506.03099).
# - He et al. 2021, [Exposure Bias versus Self-Recovery](https://arxiv.org/abs/1905.10617): language models
#   recover from bad prefixes.
# - Wang & Sennrich 2020, [On Exposure Bias, Hallucination and Domain
#   Shift](https://aclanthology.org/2020.acl-main.326/): where it does hurt.
# - Mihaylova & Martins 2019, [Scheduled Sampling for Transformers](https://aclanthology.org/P19-2049/):
#   in two parallel passes, as in exercise 6.6.
#
# **Next**: [the exercises](../exercises/ch06_teacher_forcing/ch06_teacher_forcing.ipynb) ask for other
# places where training and inference part. Then [chapter 7](ch07_search.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# This cell guards the numbers against changes of the library.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert card.words(forced) == ["d • • • •", "a b • • •", "c b b d •"]
assert card.words(own) == ["d • • • •", "a b d • •", "c b d • •"]
assert token_accuracy(forced, batch.tgt_out, mask) == 0.8
assert 0.85 < tf_tokens < 0.96 and 0.45 < em_right.float().mean() < 0.80
assert own_tokens < tf_tokens - 0.02 and own_loss.mean > tf_loss.mean
assert (card(one).argmax(-1) == one.tgt_out).sum() == 2 and (one_own == one.tgt_out).sum() == 3
assert exp(nats(true_b, gold_prefix) / 2) < exp(nats(blind_b, gold_prefix) / 2)
assert exp(nats(true_b, own_prefix) / 2) > exp(nats(blind_b, own_prefix) / 2)
assert spread["batch"] > 2 * spread["token"] and len(patterns) == 2 ** (T - 1)
assert (
    abs(ways["mean of the rows' shares"] - 0.822) < 1e-3
    and abs(ways["tokens without EOS"] - 5 / 7) < 1e-6
)
assert right.holds and not laws.parallel_stepwise(model.eval(), free_run=cut)
plain = {name: row for (name, kind), row in measured.SCHEDULES.items() if kind == "plain"}
forced_row = plain.pop("teacher forcing")
assert all(max(row.exact_match) < min(forced_row.exact_match) for row in plain.values())
assert all(min(row.recovery) > max(forced_row.recovery) for row in plain.values())
