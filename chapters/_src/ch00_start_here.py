# %% [markdown]
# # 0. Start here
#
# Two models read dates. One by one, both get all of 500 unseen dates right. One of them is broken. How
# would you find out?
#
# Put a neighbour beside a date. A network reads both at once, as two rows of one rectangle, and the
# shorter row is filled up. **Predict** what a longer neighbour does to the answers, then drag the slider.
# The date itself stays as it is.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.neighbours import explore

explore("alone")

# %% [markdown]
# You have just tested the first of seven laws. This course is that slider, seven times: it builds
# networks that read one sequence and write another, and asks of each part what must not change.
#
# **After this chapter you can** say what a batch, a pad and a law are, train a small attention model,
# read a heat map of its attention, and find the model that listens to its neighbours.
#
# **You need** basic Python and PyTorch: tensors, modules. No GPU and no network.
#
# **Time**: 40 minutes.
#
# **How to use a notebook.** Shift+Enter runs a cell. Where the text says Predict, the answer below is folded:
# decide first, then click on it. Each chapter has a notebook of exercises; its **clinic** treats a program
# with a published fault, the **patient**.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B | rows of a batch | V | symbols, four special ones among them |
# | S | length of the longest source, end included | T | length of the target, end included |
# | H | size of a state | pads | S − a row's own length |

# %% [markdown]
# ## 0.1 A neighbour joins
#
# What did the slider do? A network computes many sentences at once, because one by one takes longer. So
# they are put into a rectangle, a **batch**, and short rows are filled up with a symbol that means
# nothing, the **pad**. A longer neighbour means more pads behind a date, and that is all it means.
#
# To see it without a slider we need a model and its words. Both models of the first screen are small and
# come with the course. They have the same sizes and were trained on the same 6,000 dates.

# %%
import math

import torch

from seq2seq_lib.course.assets import careless_reader, date_reader
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.vocab import EOS_ID, PAD_ID

torch.set_num_threads(1)  # small models run fastest on one thread
readers = {"ours": date_reader(), "careless": careless_reader()}


def read(reader, text, pads=0):
    """What the model writes for a date with so many pads behind it, and how sure it is."""
    ids = [*reader.src_vocab.encode(reader.tokenize(text)), EOS_ID]
    src = torch.tensor([ids + [PAD_ID] * pads])  # [1, S]
    (best,) = greedy_search(reader.model, src, torch.tensor([len(ids)]), max_new_tokens=14)[0]
    return "".join(reader.tgt_vocab.decode(best.tokens)), math.exp(best.log_prob)


for name, reader in readers.items():
    text, probability = read(reader, "24 december 1984")
    print(f"{name:8} {text}, probability {probability:.2f}")

# %% [markdown]
# Now the neighbour `monday, september 24, 1984`: it has 26 characters, the date has 16, so there are ten
# pads. **Predict**: with eight, the careless model gives November a probability of 0.58. Do two pads
# more make it surer of its wrong date, or less sure?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
for pads in (0, 2, 4, 6, 8, 10, 16, 24):
    answers = [read(reader, "24 december 1984", pads) for reader in readers.values()]
    print(
        f"{pads:2} pads",
        *(f"  {name} {text} ({p:.2f})" for name, (text, p) in zip(readers, answers)),
    )

# %% [markdown]
# Surer, 0.69, before it falls. No error and no nonsense, but a plausible date: Christmas Eve is a month
# early. The careless model is *less sure* when it is wrong than it was without pads, and that is worth
# knowing; but its sureness falls for right answers, too.
#
# **Your turn.** Write the slider as a test. `answer(text, pads)` gives a string. Return the smallest number
# of pads from 1 to `longest` whose answer differs from the one without pads, and `None` if there is none.
# An unsolved cell blocks nothing. (`hint("0.1")` helps.)


# %%
def depends_on_neighbours(answer, text, longest=24):
    """answer(text, pads) -> str; a text; the most pads to try -> int or None."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint

check("0.1", depends_on_neighbours)

# %% [markdown]
# **Right**: every answer is compared with the one *alone*, and no label is needed.


# %%
def first_change(answer, text, longest=24):
    alone = answer(text, 0)
    for pads in range(1, longest + 1):
        if answer(text, pads) != alone:
            return pads
    return None


texts = ["24 december 1984", "29 february 2000", "1969/07/20", "20 july 1969"]
careless = readers["careless"]
for text in texts:
    print(f"{text:18}", first_change(lambda t, n: read(careless, t, n)[0], text, 16))

# %% [markdown]
# **Predict**: and `july 4, 1976`, with up to 24 pads? All four above have moved, so does this one?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
changes = [first_change(lambda t, n: read(careless, t, n)[0], "july 4, 1976")]
print("first change:", *changes, "| with 24 pads:", read(careless, "july 4, 1976", 24)[0])

# %% [markdown]
# It never moves. Whoever had tried this date and no other would have called the model right: one lucky
# test proves nothing, so a law tries many.
#
# So the answer to a date can depend on who sits beside it, and nothing crashes.

# %% [markdown]
# ## 0.2 A task you can judge
#
# To build a model that does better we need data. Why dates? Because people write them in many ways,
# computers prefer one, and so the right answer is always known. The corpus `dates` makes such pairs.

# %%
from seq2seq_lib.corpora import dates

corpus = dates(num_train=6000, num_valid=300, num_test=500)
for pair in corpus.train[:6]:
    print(f"{''.join(pair.source):30} {''.join(pair.target)}")

# %% [markdown]
# A model sees numbers. A `Vocab` gives each character an id, and four ids are special: padding 0, begin
# 1, end 2, unknown 3. No date of the test set occurs in training, in any form.

# %%
from seq2seq_lib.vocab import Vocab

src_vocab = Vocab.build(pair.source for pair in corpus.train)
tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
seen = {pair.target for pair in corpus.train}
unseen = {pair.target for pair in corpus.test}
print(len(src_vocab), "source symbols,", len(tgt_vocab), "target symbols")
print("4 aug 1999 ->", src_vocab.encode(tuple("4 aug 1999")))
print(len(unseen), "test dates, of which in training:", len(seen & unseen))

# %% [markdown]
# `collate` makes the rectangle. Here are three dates as a batch: what is real is blue, what is hatched is
# there because a rectangle has no short rows.

# %%
from seq2seq_lib import plots
from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.course.ch00_start_here import figures

few = collate(encode_pairs(corpus.train[:3], src_vocab, tgt_vocab))
print(
    "src", tuple(few.src.shape), " tgt_out", tuple(few.tgt_out.shape), " lengths", few.src_lengths
)
plots.show(
    figures.batch([pair.source for pair in corpus.train[:3]], few.src.size(1)),
    "Three rows of cells, one a date. Each holds the date's characters and its end; the two shorter rows "
    "are filled up with hatched cells, the pads.",
)

# %% [markdown]
# The end symbol counts: the model reads it, must write it, and is judged on it. A loader deals out 64
# dates at a time, and puts dates of similar length together, so that there are few pads.

# %%
from seq2seq_lib.batching import make_loader

train_loader = make_loader(encode_pairs(corpus.train, src_vocab, tgt_vocab), batch_size=64)
valid_loader = make_loader(
    encode_pairs(corpus.valid, src_vocab, tgt_vocab), batch_size=100, shuffle=False
)
shares = [1 - batch.src_mask.float().mean().item() for batch in train_loader]
print(f"{len(shares)} batches; PAD is {100 * sum(shares) / len(shares):.0f} % of the source cells")

# %% [markdown]
# So the right answer is always known, and pads are not data.

# %% [markdown]
# ## 0.3 A first success
#
# What does it take to read a date? An **encoder** reads the source and leaves one vector a character, the
# memory. A **decoder** writes the target, one character at a time. At each step **attention** tells the
# decoder where in the memory to look. Chapters [3](ch03_encoder_decoder.ipynb) and
# [8](ch08_attention.ipynb) build these parts by hand; here we use them. This is the whole, while it writes
# the 5 of May: a sketch, not yet measured.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course import atlas

built_in = {"source": 1, "encoder": 3, "attention": 8, "decoder": 3, "target": 7}
atlas.show(figures.model(built_in))

# %%
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

device = get_device()
sizes = {"embed_size": 32, "hidden_size": 64, "attention": "dot"}
seed_everything(0)
model = Seq2Seq(Seq2SeqConfig(len(src_vocab), len(tgt_vocab), **sizes))
print(sum(parameter.numel() for parameter in model.parameters()), "parameters, on", device.type)

# %% [markdown]
# Training is `fit(model, train_loader)`, and it hides nothing that you could not write. With plain settings
# these lines are what it does, apart from bookkeeping: ask for the loss, ask for its gradient, shorten
# the gradient if it is long, take a step.

# %%
from seq2seq_lib.losses import sequence_loss


def plain_fit(model, loader, epochs):
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    for epoch in range(epochs):
        loader.batch_sampler.set_epoch(epoch)  # another order each time
        for batch in loader:
            loss = sequence_loss(model(batch), batch.tgt_out, batch.tgt_mask).mean
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()


# %% [markdown]
# Is that so? Two models with the same first weights, one trained by these lines and one by `fit`, on 600
# dates. (Without dropout, because its random numbers would differ.)

# %%
from seq2seq_lib.training import TrainConfig, fit

short = make_loader(encode_pairs(corpus.train[:600], src_vocab, tgt_vocab), batch_size=64)
twins = []
for by_hand in (True, False):
    seed_everything(0)
    twin = Seq2Seq(Seq2SeqConfig(len(src_vocab), len(tgt_vocab), dropout=0.0, **sizes))
    if by_hand:
        plain_fit(twin, short, epochs=2)
    else:
        fit(twin, short, config=TrainConfig(epochs=2, learning_rate=5e-3), progress=False)
    twins.append(torch.cat([parameter.detach().flatten() for parameter in twin.parameters()]))
gap = (twins[0] - twins[1]).abs().max().item()
assert gap < 1e-4, gap
print("no weight differs by 0.0001 or more:", gap < 1e-4)

# %% [markdown]
# Now for real. **Predict**: will the model need a minute, an hour or a night to get 95 of 100 unseen
# dates completely right? It begins with random numbers, and knows neither months nor digits.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
settings = TrainConfig(epochs=4, learning_rate=5e-3, cosine_decay=True)
history = fit(model, train_loader, valid_loader, settings, device=device)
print(f"{sum(record.seconds for record in history.records):.0f} seconds")

# %% [markdown]
# Four epochs are four passes over 6,000 dates; `cosine_decay` makes the steps smaller towards the end. The
# loss is the mean of −ln(probability of the right symbol)
# over all real symbols, the end among them; pads are left out. Its unit is the nat. **Predict**: in epoch
# 1, which loss is higher, that of the training dates or that of the unseen ones?

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
ax = plots.loss_curves(
    [record.train_loss for record in history.records],
    [record.valid_loss for record in history.records],
    floor=corpus.entropy_floor,
    title="Four passes over 6,000 dates",
)
plots.show(
    ax.figure,
    "; ".join(
        f"epoch {i}: training {record.train_loss:.3f}, unseen {record.valid_loss:.3f}"
        for i, record in enumerate(history.records, start=1)
    ),
)

# %% [markdown]
# That of training. Its number is a mean over the whole epoch, in most of which the model was still a
# beginner, and it is measured with dropout; the other one (*validation*, says the figure) is measured
# when the epoch is over. The dotted line, the *entropy of the task*, is the least that is possible: 0,
# because each date has one right answer.
#
# A falling loss is not yet a working model. So we let it write on its own, with **greedy search**: it takes
# the most probable character, again and again, until it says "end". Only whole dates count.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.metrics import exact_match
from seq2seq_lib.translate import Translator

ours = Translator(model.cpu().eval(), src_vocab, tgt_vocab, date_reader().tokenize, "".join)


def share_right(reader, pairs):
    """The dates go through the model in one batch: which share comes out right?"""
    batch = collate(encode_pairs(pairs, reader.src_vocab, reader.tgt_vocab))
    found = greedy_search(reader.model, batch.src, batch.src_lengths, max_new_tokens=14)
    said = ["".join(reader.tgt_vocab.decode(best.tokens)) for (best,) in found]
    return exact_match(said, ["".join(pair.target) for pair in pairs])


together = {"ours": share_right(ours, corpus.test)}
print(f"{100 * together['ours']:.1f} % of {len(corpus.test)} unseen dates are right")

# %% [markdown]
# So a falling loss is made of a few lines that you can read, and dates are learnt in seconds.

# %% [markdown]
# ## 0.4 Where does it look?
#
# The answer is right, but where does it come from? At each step attention spreads a weight of 1 over the
# source. **Predict**: which letter decides the `8` of the month? And where does the model look for the
# hyphens, which are not in the source?

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
(answer,) = ours(["wednesday, 4 august 1999"])
columns = [*answer.source, "end"]
ax = plots.attention_heatmap(
    answer.attention, columns, answer.target, title="Does each character look at its origin?"
)
plots.show(
    ax.figure,
    "A heat map, a row for each character of the answer, a column for each of the source. Below it the "
    "two largest weights of each row are printed.",
)
for character, row in zip(answer.target, answer.attention):
    places = row.topk(2).indices.tolist()
    print(character, "  ".join(f"{columns[j]!r} at {j}: {row[j]:.2f}" for j in places))

# %% [markdown]
# April and august part at their second letter, so a `u` can tell; whether this model looks there you can
# read off the printed rows. The hyphens copy nothing. But a softmax must put its weight somewhere.
#
# One picture shows one date. The generator knows which source character each digit comes from
# (`pair.alignment`), so all test dates can be counted: does the largest weight of a digit of the year
# fall on its own source digit, or right beside it?

# %% tags=["nbval-ignore-output"]
hits, year, hyphens = [], [], []
found = ours(["".join(pair.source) for pair in corpus.test], num_beams=1)
for pair, answer in zip(corpus.test, found):
    if len(answer.target) != 10:
        continue
    largest, looked = answer.attention.max(1)
    hits += [abs(int(looked[t]) - s) <= 1 for s, t in pair.alignment if t < 4]
    year.append(largest[:4].mean().item())
    hyphens.append(largest[[4, 7]].mean().item())
hit_rate, year, hyphens = (sum(numbers) / len(numbers) for numbers in (hits, year, hyphens))
print(f"year: {hit_rate:.3f} at its digit or beside it, largest weight {year:.2f}")
print(f"hyphens: largest weight {hyphens:.2f}")

# %% [markdown]
# The digits of the year are read where one expects it; the largest weight of a hyphen is smaller, and the
# rest is spread. Language models put such weight on their first tokens, whatever these mean: an
# **attention sink** ([Xiao et al. 2023](https://arxiv.org/abs/2309.17453)).
#
# So the weights show where a model read; whether that explains anything is the question of
# [chapter 8](ch08_attention.ipynb).

# %% [markdown]
# ## 0.5 A date of your own
#
# What has it *not* learnt? It knows twelve forms of dates from 1900 to 2099, and nothing else. Type a date,
# and look at the bar: the probability of the answer, says the model. Try the 31st of February, a year
# with two digits, Christmas.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.translation_box import box

box(date_reader(), "4th of August 1999", label="a date")

# %% [markdown]
# Six texts that are no date in any of its twelve forms, read by the model that comes with the course.
# **Predict**: will it be unsure of all of them? A model that meets nonsense ought to notice.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
odd = ["1999", "31 february 1999", "christmas 1999", "1/1/11", "may", "4 august"]
rows = [(*read(readers["ours"], text), text) for text in odd]
for said, probability, text in sorted(rows, key=lambda row: -row[1]):
    print(f"{text:18} {said:12} {probability:.2f} {'#' * round(20 * probability)}")

# %% [markdown]
# It copies the 31st of February: it has seen dates and knows no calendar. For `1999` it makes up a 99th of
# September, with a probability near that of a right answer. It cannot say "I do not know".
#
# So it is sure about some nonsense and unsure about other: the number tells how much the model prefers its
# answer to all others, and far from what it has seen that means little.

# %% [markdown]
# ## 0.6 Law 1, and the other six
#
# Back to the first screen: how would you find the broken model, if nobody gave you a slider? The naive way
# is to count what is right, one date at a time. **Predict** which of four checks tells the two models
# apart: each date alone; the loss, in batches of equal length; whole dates in such batches; all 500 dates
# in one batch. (Ours is now the model that you trained.)

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.training import evaluate

readers["ours"] = ours
by_length = {}
for pair in corpus.test:
    by_length.setdefault(len(pair.source), []).append(pair)
alone, equal, losses = {}, {}, {}
for name, reader in readers.items():
    vocabs = reader.src_vocab, reader.tgt_vocab
    alone[name] = sum(share_right(reader, [pair]) for pair in corpus.test) / 500
    equal[name] = sum(share_right(reader, group) * len(group) for group in by_length.values()) / 500
    batches = [collate(encode_pairs(group, *vocabs)) for group in by_length.values()]
    losses[name] = evaluate(reader.model, batches).mean.item()
    together[name] = share_right(reader, corpus.test)
    print(
        f"{name:8}  alone {alone[name]:.3f}   loss {losses[name]:.3f}   equal lengths "
        f"{equal[name]:.3f}   together {together[name]:.3f}"
    )

# %% [markdown]
# Only the last one. In the three others no date has a pad behind it, and there the careless model is as
# good as ours, or better. What did it do? Three things that are easy to do, and none of them raises an error:
#
# 1. it ignores the lengths, so encoder and attention read the pads;
# 2. its embedding has no `padding_idx`, so the vector of PAD is random and never trained;
# 3. it was trained in batches of equal length, so it never met a pad.
#
# Readers of PyTorch's own tutorial ask about the pads that it
# [embeds](https://github.com/pytorch/tutorials/issues/2840) and whether
# [the last state is that of a PAD](https://github.com/pytorch/tutorials/issues/3643); a user of OpenNMT-py
# saw a score of 24 BLEU at batch size 32 and [of 9 at 256](https://github.com/OpenNMT/OpenNMT-py/issues/318).
#
# Was this one unlucky model? Measured once, on 28 November 2026
# ([`benchmarks/neighbours.py`](../benchmarks/neighbours.py)): five seeds, and of 500 dates the share whose
# answer changes. The third is the one that you have met.

# %%
from seq2seq_lib.course.ch00_start_here import measured

print("seed  alone  together   4 pads  8 pads  24 pads   ours, 24 pads")
for seed, row in enumerate(measured.CARELESS):
    changed = "  ".join(f"{row.changed[pads]:6.3f}" for pads in (4, 8, 24))
    print(f"{seed:4}  {row.alone:.3f}     {row.together:.3f}   {changed}", end="")
    print(f"           {measured.OURS[seed].changed[24]:.3f}")

# %% [markdown]
# All five are right alone, or nearly, and worse together; how much worse is luck. So a check that counts
# needs the labels, and the right kind of batch.
#
# Why does a pad change anything, even if its vector is zero? With a pencil: one unit of a GRU, the network
# in our encoder ([chapter 2](ch02_gru_and_lstm_gates.ipynb)), with its gate fixed at z = 0.5 to keep it short.
#
# 1. A step is h′ = z·h + (1 − z)·n, with n = tanh(w·x + u·h + b).
# 2. A zero pad, x = 0, removes the one term w·x. The step is still taken.
# 3. With u = 0 and b = 0.5, n = tanh 0.5 = 0.4621 at each pad, so h′ = 0.5·h + 0.2311.
# 4. Two states h and g: h′ − g′ = 0.5·(h − g). Each pad halves what tells two dates apart, and both
#    run to 0.4621.

# %%
n = math.tanh(0.5)
states = [(-0.8, 0.9)]
while len(states) < 5:
    states.append(tuple(0.5 * h + 0.5 * n for h in states[-1]))
for pads, (h, g) in enumerate(states):
    print(f"{pads} pads: {h:7.4f} {g:7.4f}   gap {g - h:.4f}")
assert math.isclose(states[4][1] - states[4][0], 1.7 / 2**4)

# %% [markdown]
# Nothing is erased at once: pads pull all dates towards one point. The cure is to stop at a row's own
# end (chapters [3](ch03_encoder_decoder.ipynb) and [4](ch04_padding_masks.ipynb)).
#
# **Law 1** says it in a sentence: *a sentence alone gives the same result as in any padded batch.* It
# compares a model with itself, so it needs no labels and no training. It is a function that takes your
# encoder and looks for a counterexample.

# %%
from seq2seq_lib import laws

verdict = laws.batch_invariance(model.encoder, src_vocab_size=len(src_vocab))
broken = laws.batch_invariance(careless.model.encoder, src_vocab_size=len(src_vocab))
print("ours", "holds" if verdict else "is broken", f"in {len(verdict.checks)} checks")
assert verdict and not broken

# %% tags=["nbval-ignore-output"]
print(broken)

# %% [markdown]
# The verdict says where to look. No counterexample for ours is evidence, not a proof; and the law says
# *consistent*, not *correct*: `christmas 1999` gets the same wrong answer in any batch. So a law is a
# sentence "two ways, one number", and a program that looks for a case where they differ.
#
# Here are all seven, each a balance on the place where it belongs. The filled one you have met.

# %% tags=["nbval-ignore-output"]
atlas.show(atlas.seven_laws(met={1}), atlas.law_links())

# %% [markdown]
# And this is the course: a chapter stands to the right of what it needs.

# %% tags=["nbval-ignore-output"]
atlas.show(atlas.course_map(here=0), atlas.chapter_links())

# %% [markdown]
# ## Summary
#
# - Sentences share a batch, and short rows are filled up with pads. A pad is no data, but a network that
#   is not told so reads it.
# - An encoder reads, a decoder writes, attention says where to look. Training is a few lines.
# - A falling loss and a right answer alone do not tell a sound model from a careless one.
# - A probability says how sure a model is, not whether it is right.
#
# | check | ours | careless | tells them apart? |
# |---|---|---|---|
# | loss, batches of equal length | near 0 | near 0 | no |
# | each date alone | above 95 % | 100 % | no |
# | 500 dates in one batch | above 95 % | 39 % | yes, with labels and that batch |
# | law 1 | holds | broken | yes, with neither |
#
# | task | model | exact match | trained |
# |---|---|--:|---|
# | dates, alone | GRU with attention, H = 64 | above 0.95 | in seconds |
# | dates, one batch of 500 | the careless one | 0.39 | as long |
#
# **Law met**: law 1, batch invariance. `laws.batch_invariance(your_encoder)` judges any encoder.
#
# **Common misconception**: "If it runs, the loss falls and the answers are right, the code is right."

# %% [markdown]
# ## In Transformers and LLMs
#
# - A Transformer has no final state, but the law is the same: `attention_mask` is our `src_mask`. A forward
#   pass without it lets real tokens attend to the pads.
# - PyTorch's `src_key_padding_mask` says True for *ignore*, the opposite of ours. The cell tries both.
# - Decoder-only models pad on the **left**, so that the last column is a real token, and `position_ids`
#   must skip the pads.
# - Rounding alone depends on the batch, in the seventh digit in float32, and in the third in bfloat16. So a
#   law has a tolerance.
# - In a serving engine your neighbours are whoever asks at that moment.

# %%
torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True, dropout=0.0).eval()
row, pads = torch.randn(1, 3, 8), torch.randn(1, 4, 8)  # [1, 3, E], [1, 4, E]
padded = torch.cat([row, pads], 1)  # [1, 7, E]
ignore = torch.tensor([[False] * 3 + [True] * 4])
with torch.no_grad():
    outputs = {
        "ignored": layer(padded, src_key_padding_mask=ignore),
        "no mask": layer(padded),
        "inverted": layer(padded, src_key_padding_mask=~ignore),
    }
    for name, output in outputs.items():
        difference = (output[:, :3] - layer(row)).abs().max().item()
        print(f"{name:9} differs by {difference:.2f}")
        outputs[name] = difference

# %% [markdown]
# ## Further reading
#
# - Ribeiro et al. 2020, [Beyond Accuracy: Behavioral Testing of NLP Models with
#   CheckList](https://aclanthology.org/2020.acl-main.442/): invariance tests for language models, cousins
#   of our laws.
# - Sutskever, Vinyals and Le 2014, [Sequence to Sequence Learning with Neural
#   Networks](https://arxiv.org/abs/1409.3215): the encoder and the decoder.
# - Bahdanau, Cho and Bengio 2015, [Neural Machine Translation by Jointly Learning to Align and
#   Translate](https://arxiv.org/abs/1409.0473): attention.
# - He et al. 2025, [Defeating Nondeterminism in LLM
#   Inference](https://thinkingmachines.ai/blog/defeating-nondeterminism-in-llm-inference/): law 1, in a
#   serving engine.
# - PyTorch, [pack_padded_sequence](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html):
#   how a GRU is told where a row ends.
#
# **Next**: [five short exercises](../exercises/ch00_start_here/ch00_start_here.ipynb), then
# [chapter 1](ch01_text_to_batches.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# The cells below guard this chapter's numbers against changes of the library.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert [read(careless, "24 december 1984", pads)[0] for pads in (0, 8)] == [
    "1984-12-24",
    "1984-11-24",
]
assert changes == [None] and len(seen & unseen) == 0
assert together["ours"] > 0.95, f"only {together['ours']:.3f} of the test dates are right"
assert history.records[0].train_loss > history.records[0].valid_loss
assert hit_rate > 0.7 and hyphens < year, (hit_rate, hyphens, year)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert all(value > 0.95 for value in (*alone.values(), *equal.values()))
assert max(losses.values()) < 0.1, losses
assert together["careless"] < 0.6 and abs(together["ours"] - alone["ours"]) < 0.01, together
assert outputs["ignored"] < 1e-5 and min(outputs["no mask"], outputs["inverted"]) > 0.1
for run, other in zip(measured.CARELESS, measured.OURS):
    assert run.alone > 0.98 and run.together < 0.8 and run.changed[24] > 0.4
    assert set(other.changed.values()) == {0.0}
