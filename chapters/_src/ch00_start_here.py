# %% [markdown]
# # 0. Start here
#
# This is a course on sequence-to-sequence models: networks that read a sequence and write
# another, such as a translation. You build them in PyTorch. The library beside the chapters,
# `seq2seq_lib`, holds the same code, tested.
#
# One thing is unusual. **Every claim about the course's own code is executed.** If a chapter says
# that padding changes nothing, a cell beside the sentence measures it, and the measurement is repeated
# whenever the course changes. What is said of other people's work has a link.
#
# Why so careful? Because such code can be wrong in silence. Two reports of many: readers of PyTorch's
# own tutorial ask about its padded batches, which
# [the embedding](https://github.com/pytorch/tutorials/issues/2840), the final state and
# [the loss](https://github.com/pytorch/tutorials/issues/3643) treat like words. And a user of OpenNMT-py
# saw translations [get worse with the batch size](https://github.com/OpenNMT/OpenNMT-py/issues/318).
# You will learn to find such bugs in any code, also in your own.
#
# **After this chapter you can**
#
# - check that your installation works,
# - train a small attention model that reads dates as people write them,
# - read an attention heat map,
# - say what the first of the seven laws asks, and see code that breaks it.
#
# **You need** basic Python and PyTorch: tensors, modules, a training loop. No GPU and no network.
#
# **Time**: about 20 minutes to read, about a minute to run.
#
# **How to use a notebook.** Shift+Enter runs a cell and goes to the next one. The menu *Run > Run All
# Cells* runs the whole chapter. You see the outputs of an earlier run already. Where the text says
# **predict**, you may want them gone: *Edit > Clear Outputs of All Cells*.

# %% [markdown]
# ## 0.1 Is everything there?
#
# A course runs on many machines. This cell prints what yours has. If it fails, the README says
# how to install the course.

# %% tags=["nbval-ignore-output"]
import math
import platform

import torch

from seq2seq_lib.runtime import get_device, seed_everything

device = get_device()
print("Python", platform.python_version(), "| PyTorch", torch.__version__, "| device", device)

# %% [markdown]
# Small models run fastest on one thread, most of all on a busy laptop. The seed makes the numbers
# below repeatable on one machine. Between machines the last digits may differ.

# %%
torch.set_num_threads(1)
generator = seed_everything(0)

# %% [markdown]
# ## 0.2 A task you can judge at a glance
#
# People write dates in many ways. Computers prefer one: ISO 8601, year-month-day. The corpus
# `dates` makes such pairs, so the right answer is always known.

# %%
from seq2seq_lib.corpora import dates

corpus = dates(num_train=6000, num_valid=300, num_test=500)
for pair in corpus.train[:6]:
    print(f"{''.join(pair.source):30} {''.join(pair.target)}")

# %% [markdown]
# A model sees numbers, not letters. A `Vocab` gives each character an id. Four ids are special:
# padding (0), begin (1), end (2) and unknown (3). Chapter 1 is about this step.

# %%
from seq2seq_lib.batching import collate, encode_pairs, make_loader
from seq2seq_lib.vocab import Vocab

src_vocab = Vocab.build(pair.source for pair in corpus.train)
tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
print(len(src_vocab), "source symbols,", len(tgt_vocab), "target symbols")
print(src_vocab.encode(tuple("4 aug 1999")))

# %% [markdown]
# No date of the test set occurs in training, in any form. The model cannot have seen the answers.

# %%
seen = {"".join(pair.target) for pair in corpus.train}
unseen = {"".join(pair.target) for pair in corpus.test}
print(len(unseen), "test dates,", len(seen & unseen), "of them in the training set")

# %% [markdown]
# Sentences have different lengths, and a batch is a rectangle. So short rows are filled with
# padding. Here are the first three dates from above as a batch. Each source ends with `2`, the end
# symbol. Where it is shorter than the longest one, zeros follow. A target has 11 places: 10 characters
# and the end.

# %%
few = collate(encode_pairs(corpus.train[:3], src_vocab, tgt_vocab))
print(few.src)
print(few.tgt_out)

# %% [markdown]
# Training takes 64 dates at a time. The loader puts dates of similar length together, so that there
# are few pads.

# %%
train_loader = make_loader(encode_pairs(corpus.train, src_vocab, tgt_vocab), batch_size=64)
valid_loader = make_loader(
    encode_pairs(corpus.valid, src_vocab, tgt_vocab), batch_size=100, shuffle=False
)
batch = next(iter(train_loader))
print("source", tuple(batch.src.shape), " target", tuple(batch.tgt_out.shape))

# %% [markdown]
# ## 0.3 A first success
#
# The model has two halves. An **encoder** reads the source. A **decoder** writes the target, one
# character at a time. At each step **attention** tells the decoder where in the source to look.
# Chapters 3 and 8 build these parts by hand. Here we use them.

# %%
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig

sizes = Seq2SeqConfig(
    src_vocab_size=len(src_vocab),
    tgt_vocab_size=len(tgt_vocab),
    embed_size=32,
    hidden_size=128,
    attention="dot",
)
model = Seq2Seq(sizes)
print(sum(parameter.numel() for parameter in model.parameters()), "parameters")

# %% [markdown]
# Before you train: **predict**. Each target character is one of a dozen symbols. Will the model need
# a minute, an hour, or a night to get 95 of 100 unseen dates completely right?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.training import TrainConfig, fit

settings = TrainConfig(epochs=4, learning_rate=5e-3, cosine_decay=True)
history = fit(model, train_loader, valid_loader, settings, device=device)
print(f"{sum(record.seconds for record in history.records):.0f} seconds")

# %% [markdown]
# The loss is the mean of -ln(probability of the right symbol) over real symbols only: the characters
# and the end. Its unit is the nat. The dotted line is the lowest loss that is possible. Here it is 0, because each date
# has one right answer.
#
# **Predict**: in epoch 1, which loss is higher, that of training or that of validation?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib import plots

ax = plots.loss_curves(
    [record.train_loss for record in history.records],
    [record.valid_loss for record in history.records],
    floor=corpus.entropy_floor,
    title="The model learns dates in four passes over the data",
)
plots.show(
    ax.figure,
    "In 4 epochs the training loss falls from about 1, and the validation loss from about 0.2, to "
    "almost 0.",
)

# %% [markdown]
# Training starts higher. Its number is a mean over the whole epoch, and the model was still a
# beginner in most of epoch 1. Validation is measured when the epoch is over.
#
# A falling loss is not yet a working model. So we let it write without help, with greedy search: it
# takes the most probable character, again and again, until it says "end". Only dates that are right
# to the last character count.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.metrics import exact_match


def share_right(model, pairs):
    """The dates go through the model in one batch: which share of them comes out right?"""
    batch = collate(encode_pairs(pairs, src_vocab, tgt_vocab)).to(device)
    found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=12)
    answers = ["".join(tgt_vocab.decode(best.tokens)) for (best,) in found]
    return exact_match(answers, ["".join(pair.target) for pair in pairs])


accuracy = share_right(model, corpus.test)
print(f"{100 * accuracy:.1f} % of {len(corpus.test)} unseen dates are right")

# %% [markdown]
# The exact number depends on your machine. It should be above 95 %; if it is not, the next cell stops
# the notebook and says so. You will see such cells in every chapter. They are its tests.

# %%
assert accuracy > 0.95, f"only {accuracy:.3f} of the test dates are right"

# %% [markdown]
# ## 0.4 Where does it look?
#
# A `Translator` bundles the model with its vocabularies. It turns text into tokens, searches, and
# turns tokens into text. It also returns the attention weights of its answer.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.corpora import normalise_date_text
from seq2seq_lib.translate import Translator

read_date = Translator(model, src_vocab, tgt_vocab, normalise_date_text, "".join)
(answer,) = read_date(["Wednesday, 4 August 1999"])
print(answer.text)

# %% [markdown]
# Each row of the figure is one character of the answer. Dark cells are the places with large weights.
# **Predict** first: which letter decides the `8` of the month? And where does the model look for the
# hyphens and for the zero of `08`, which are not in the source?

# %% tags=["nbval-ignore-output"]
ax = plots.attention_heatmap(
    answer.attention,
    [*answer.source, "end"],
    answer.target,
    title="Where each character of the answer looks",
)
plots.show(
    ax.figure,
    "Heat map. The digits of the year look mostly at their own digits at the end of the source, or "
    "beside them. The weights of the hyphens are spread over many places.",
)

# %% [markdown]
# The same in words: each character, and the two places it looks at most.

# %% tags=["nbval-ignore-output"]
columns = [*answer.source, "end"]
for character, row in zip(answer.target, answer.attention):
    places = row.topk(2).indices.tolist()
    print(character, "  ".join(f"{columns[j]!r} at {j}: {row[j]:.2f}" for j in places))

# %% [markdown]
# In the run that is stored here, the `8` looks at the first `u` of august, which tells it from april.
# The last `4` looks at the `4`. Hyphens and leading zeros copy nothing, and in this picture their
# weights are spread thinly.

# %% [markdown]
# The picture shows one date. The generator also knows which source character each digit comes from
# (`pair.alignment`), so all test dates can be measured. For the four digits of the year: does the
# largest weight fall on the right source digit, or right beside it? The encoder's vector for a
# character also knows its neighbours, so one place beside is no mistake. And how large is the largest
# weight, for the year and for the hyphens?

# %% tags=["nbval-ignore-output"]
hits, year, hyphens, ends = [], [], [], 0
for pair, answer in zip(corpus.test, read_date(["".join(pair.source) for pair in corpus.test])):
    if len(answer.target) != 10:
        continue
    largest, looked = answer.attention.max(1)
    hits += [abs(int(looked[t]) - s) <= 1 for s, t in pair.alignment if t < 4]
    year.append(largest[:4].mean().item())
    hyphens.append(largest[[4, 7]].mean().item())
    ends += int(looked[7] == len(pair.source))
hit_rate = sum(hits) / len(hits)
year, hyphens = (sum(weights) / len(weights) for weights in (year, hyphens))
print(f"year: {hit_rate:.3f} at the right digit or beside it, largest weight {year:.2f}")
print(f"hyphens: largest weight {hyphens:.2f}; the second one looks at the end symbol {ends} times")
assert hit_rate > 0.7, hit_rate
assert hyphens < year, (hyphens, year)

# %% [markdown]
# The digits of the year are read where one expects it. The second hyphen has a favourite place as well,
# although its weights are small: the cell counts how often the largest lies on the end symbol. A softmax
# must put its weight somewhere, also where there is nothing to read, and an end symbol is at hand in each
# date. Language models put much weight on their first tokens; there it is called an **attention sink**
# ([Xiao et al. 2023](https://arxiv.org/abs/2309.17453)). Chapter 8 returns to this figure, and to the
# question when such weights may be trusted.

# %% [markdown]
# ## 0.5 Your turn
#
# The model has learned twelve forms of dates from 1900 to 2099, and nothing else:

# %%
import datetime

from seq2seq_lib.corpora import DATE_FORMS, date_pair

for form in DATE_FORMS:
    print("".join(date_pair(datetime.date(1999, 8, 4), form).source))

# %% [markdown]
# Type a date of your own into the box and press Enter. If there is no box, run all cells first.
# Under the answer stands its probability, as the model sees it. **Predict**, then try:
#
# - the 31st of February 1999,
# - a year with two digits,
# - 08/04/1999: no form has the year last and only numbers,
# - a year before 1900.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.translation_box import box

box(read_date, "4th of August 1999", label="a date")

# %% [markdown]
# The same experiments, side by side:

# %% tags=["nbval-ignore-output"]
odd = ["31 february 1999", "4 august 99", "08/04/1999", "4 august 1815"]
for text, answer in zip(odd, read_date(odd)):
    print(f"{text:18} {answer.text:12} probability {math.exp(answer.log_prob):.2f}")

# %% [markdown]
# In the run that is stored here, the model copies the 31st of February: it has seen dates, and knows no
# calendar. `08/04/1999` is the 8th of April or the 4th of August. The model says the 4th of April, and
# is rather sure of it. It has no way to say "I do not know". Its probability tells how usual an answer
# looks to it, and far from what it has seen that means little.

# %% [markdown]
# ## 0.6 The seven laws
#
# Code for sequences fails in a special way: it runs, the loss falls, and the result is wrong. One
# cause stands out. Padding is not data, but a network that is not told so reads it. Here the vector
# of PAD is zero. Even so a GRU that reads it takes a step, and each step changes its state.
#
# Here is the experiment. We take 60 test dates and a GRU with random weights, as it is before
# training. We put PAD symbols after each date, and look at the state in which the GRU ends. First a
# GRU that reads everything it is given, as in many tutorials:

# %%
from seq2seq_lib.encoder import Encoder
from seq2seq_lib.vocab import PAD_ID

encoder = Encoder(len(src_vocab), embed_size=32, hidden_size=128, bidirectional=False)
sentences = [src_vocab.encode(pair.source) for pair in corpus.test[:60]]
assert not encoder.embedding(torch.tensor(PAD_ID)).any()  # zero, and yet:


def state_after_pads(ids, pads):
    src = torch.tensor([ids + [PAD_ID] * pads])  # [1, S]
    _, state = encoder.rnn(encoder.embedding(src))  # pads are read like characters
    return state[-1, 0]  # [H]


# %% [markdown]
# Sixty states, and how alike they are: the mean cosine similarity over all pairs. It is 1 when all
# states point in the same direction.


# %%
def mean_cosine(states):
    unit = torch.nn.functional.normalize(torch.stack(states), dim=-1)  # [N, H]
    pairs = torch.tril_indices(len(unit), len(unit), offset=-1)
    return (unit @ unit.T)[pairs[0], pairs[1]].mean().item()


pads = [0, 1, 2, 4, 8, 16, 24]
with torch.no_grad():
    ignoring = [mean_cosine([state_after_pads(ids, n) for ids in sentences]) for n in pads]

# %% [markdown]
# Then with the library's encoder, which is told each sentence's length and stops there:


# %%
def state_at_end(ids, pads):
    src = torch.tensor([ids + [PAD_ID] * pads])  # [1, S]
    return encoder(src, torch.tensor([len(ids)])).final_state[0, -1]  # [1, L, H] -> [H]


with torch.no_grad():
    packed = [mean_cosine([state_at_end(ids, n) for ids in sentences]) for n in pads]

# %% [markdown]
# **Predict**: what happens to the similarity of *different* dates as the padding grows?

# %% tags=["nbval-ignore-output"]
ax = plots.pad_drift(
    pads, ignoring, packed, title="Untrained, a GRU that reads pads: its states run together"
)
plots.show(
    ax.figure,
    "Line plot of an untrained GRU. If it reads the pads, the mean similarity of different dates "
    "rises towards 1 as pads are added; if it stops in time, it stays where it was.",
)
assert max(abs(value - packed[0]) for value in packed) < 1e-6
assert ignoring[-1] > ignoring[0] + 0.2, ignoring

# %% [markdown]
# The states of different dates run together: after eight pads they point in nearly the same direction.
# A GRU that is fed one input again and again moves towards a state that depends on this input alone, so
# each pad leaves less of a difference to be read. (How much of the date can still be read is another
# question, which a cosine does not answer.) If the GRU stops in time, the pads change nothing.
#
# Is that only so before training? We train a model whose encoder believes that each row is as long as
# the whole batch is wide. All else is as before, but that it reads in one direction, like the GRU of
# the figure. **Predict**: will its loss fall? And will it read the test dates?

# %%
from dataclasses import replace


class ReadsPads(Encoder):
    def forward(self, src, src_lengths):
        return super().forward(src, torch.full_like(src_lengths, src.size(1)))


seed_everything(0)
one_way = {"bidirectional": False}
careless = Seq2Seq(
    replace(sizes, **one_way),
    encoder=ReadsPads(len(src_vocab), sizes.embed_size, sizes.hidden_size, dropout=0.1, **one_way),
)

# %% [markdown]
# It learns from the same dates, as long as ours did.

# %% tags=["nbval-ignore-output"]
careless_history = fit(careless, train_loader, valid_loader, settings, device=device)
careless_loss = careless_history.records[-1].valid_loss
print(f"validation loss {careless_loss:.3f}; of our model {history.records[-1].valid_loss:.3f}")

# %% [markdown]
# The loss falls, to a few hundredths. Now 200 test dates, one at a time, where there are no pads, and
# then the same 200 in one batch:

# %% tags=["nbval-ignore-output"]
some = corpus.test[:200]
right = {}
for name, judged in (("our model", model), ("reads pads", careless)):
    alone = sum(share_right(judged, [pair]) for pair in some) / len(some)
    right[name] = alone, share_right(judged, some)
    print(f"{name:10}  alone {right[name][0]:.3f}   in one batch {right[name][1]:.3f}")

# %% [markdown]
# Nothing crashed. The loss fell, in validation too, because both sort the dates by length, so that
# rows have few pads. A batch with dates of all lengths has many, and the model that reads them gets
# some dates wrong that it gets right alone. Ours gives the same answers.

# %%
alone, together = right["reads pads"]
assert careless_loss < 0.2 and alone > 0.8, (careless_loss, alone)
assert together < alone - 0.04, (alone, together)
assert abs(right["our model"][0] - right["our model"][1]) < 0.01, right

# %% [markdown]
# **A sentence alone gives the same result as in any padded batch.** That is the first of seven laws
# that correct code obeys. The module `seq2seq_lib.laws` holds each
# of them as a function. It takes any implementation, looks for a counterexample, and returns a
# verdict. Here is law 1 on the model you trained:

# %%
from seq2seq_lib import laws

ours = laws.of_model(model.cpu().eval())
verdict = laws.batch_invariance(
    ours.encode,
    logits=ours.logits,
    loss=ours.loss,
    decode=ours.greedy,
    src_vocab_size=len(src_vocab),
    tgt_vocab_size=len(tgt_vocab),
)
print(verdict)

# %% [markdown]
# It found no counterexample in 30 checks. That is evidence, not a proof.
#
# A law is only worth something if it can fail. Here it judges the untrained encoder that reads the
# pads. It finds a sentence that shows the mistake, and says where to look.


# %% tags=["nbval-ignore-output"]
def encode_with_pads(src, src_lengths):
    outputs, state = encoder.rnn(encoder.embedding(src))
    return outputs, state.transpose(0, 1)  # [L, B, H] -> [B, L, H]


broken = laws.batch_invariance(encode_with_pads, src_vocab_size=len(src_vocab))
print(broken)
assert verdict and not broken

# %% [markdown]
# Only law 1 is for today. The others are a map: each chapter explains the words of its law.
#
# | law | says | chapter |
# |---|---|---|
# | 1 batch invariance | a sentence alone gives the same result as in any padded batch | 1, 3, 4 |
# | 2 parity | our GRU and LSTM equal `nn.GRU` and `nn.LSTM` with the same weights | 2 |
# | 3 the loss ledger | every right way to mask a loss gives one number; pads change nothing | 4, 5 |
# | 4 parallel = stepwise | one teacher-forced pass equals feeding the tokens one by one | 6 |
# | 5 search has an oracle | one beam is greedy search; a full-width beam is exhaustive search | 7 |
# | 6 scores add up | a search returns the log-probability of what it returned | 7 |
# | 7 shard invariance | one large batch equals several small ones, loss and gradient | 9 |

# %% [markdown]
# ## Summary
#
# - A sequence-to-sequence model has an encoder, a decoder and, mostly, attention between them.
# - A falling loss is no proof. Let the model write, and count what is right.
# - Padding is not data, but a network that is not told so treats it as data.
# - **Law shown**: batch invariance. No counterexample for the model you trained.
# - **Common misconception**: "If it runs and the loss falls, it is right."
#
# **Next**: [chapter 4](ch04_padding_masks.ipynb) looks into padding and masks,
# [chapter 7](ch07_search.ipynb) into search. Then [chapter 9](ch09_real_translation.ipynb) translates real
# German sentences. The chapters without a link in the README's table are being written.
