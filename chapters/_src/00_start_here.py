# %% [markdown]
# # 0. Start here
#
# This is a course on sequence-to-sequence models: networks that read a sequence and write
# another, such as a translation. You build them in PyTorch. The library beside the chapters,
# `seq2seq_lib`, holds the same code, tested.
#
# One thing is unusual. **Every claim in this course is executed.** If a chapter says that padding
# changes nothing, a cell beside the sentence measures it, and the measurement is repeated whenever
# the course changes. Many well-known tutorials contain silent bugs in padding, masks and search. You
# will learn to find such bugs in any code, also in your own.
#
# **After this chapter you can**
#
# - check that your installation works,
# - train a small attention model that reads dates as people write them,
# - read an attention heat map,
# - say what the seven laws are, and show the first one on a picture.
#
# **You need** basic Python and PyTorch: tensors, modules, a training loop. No GPU and no network.
#
# **Time**: about 15 minutes to read, about a minute to run.

# %% [markdown]
# ## 0.1 Is everything there?
#
# A course runs on many machines. This cell prints what yours has. If it fails, the README says
# how to install the course.

# %% tags=["nbval-ignore-output"]
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
from seq2seq_lib.batching import encode_pairs, make_loader
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
# padding. The rows below end with `2`, the end symbol, and then zeros.

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

model = Seq2Seq(
    Seq2SeqConfig(
        src_vocab_size=len(src_vocab),
        tgt_vocab_size=len(tgt_vocab),
        embed_size=32,
        hidden_size=128,
        attention="dot",
    )
)
print(sum(parameter.numel() for parameter in model.parameters()), "parameters")

# %% [markdown]
# Before you train: **predict**. Each target character is one of a dozen symbols. Will the model need
# a minute, an hour, or a night to get 95 of 100 unseen dates completely right?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.training import TrainConfig, fit

history = fit(
    model,
    train_loader,
    valid_loader,
    TrainConfig(epochs=4, learning_rate=5e-3, cosine_decay=True),
    device=device,
)
print(f"{sum(record.seconds for record in history.records):.0f} seconds")

# %% [markdown]
# The loss counts real characters only. It falls towards 0, because a date has one right answer.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib import plots

ax = plots.loss_curves(
    [record.train_loss for record in history.records],
    [record.valid_loss for record in history.records],
    floor=corpus.entropy_floor,
    title="The model learns dates in four passes over the data",
)
plots.show(ax.figure, "Training and validation loss fall from about 1 to almost 0 in 4 epochs.")

# %% [markdown]
# A falling loss is not yet a working model. So we let it write each date on its own, with greedy
# search: it takes the most probable character, again and again, until it says "end". Only dates
# that are right to the last character count.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.batching import collate
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.metrics import exact_match

test = collate(encode_pairs(corpus.test, src_vocab, tgt_vocab)).to(device)
found = greedy_search(model, test.src, test.src_lengths, max_new_tokens=12)
answers = ["".join(tgt_vocab.decode(best.tokens)) for (best,) in found]
accuracy = exact_match(answers, ["".join(pair.target) for pair in corpus.test])
print(f"{100 * accuracy:.1f} % of {len(answers)} unseen dates are right")

# %% [markdown]
# The exact number depends on your machine. That it is above 95 % does not: the next cell would stop
# the notebook otherwise. You will see such cells in every chapter. They are its tests.

# %%
assert accuracy > 0.95

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
# Each row of the figure is one character of the answer. Dark cells are the places it was read from.
# **Predict** first: which letters decide the month `08`? And where does the model look for the
# hyphens, which are not in the source?

# %% tags=["nbval-ignore-output"]
ax = plots.attention_heatmap(
    answer.attention,
    [*answer.source, "end"],
    answer.target,
    title="The year is read from the end, the month from its letters",
)
plots.show(
    ax.figure,
    "Heat map. The four digits of the year look at 1999 at the end of the source, the month looks "
    "at letters of august, the day looks at the 4.",
)

# %% [markdown]
# The picture shows one date. The generator also knows which source character each digit comes from
# (`pair.alignment`), so all test dates can be measured. For the four digits of the year: does the
# largest weight fall on the right source digit, or right beside it? The encoder's vector for a
# character also knows its neighbours, so one place beside is no mistake.

# %%
hits = []
for pair, answer in zip(corpus.test, read_date(["".join(pair.source) for pair in corpus.test])):
    for source_place, target_place in pair.alignment:
        if target_place < 4 and len(answer.target) == 10:
            looked = int(answer.attention[target_place].argmax())
            hits.append(abs(looked - source_place) <= 1)
assert sum(hits) / len(hits) > 0.7

# %% [markdown]
# Chapter 8 returns to this figure, and to the question when such weights may be trusted.

# %% [markdown]
# ## 0.5 Your turn
#
# Type a date of your own and press Enter. Try another form, a two-digit year, or a date that does
# not exist. The model has learned twelve forms and nothing else. What does it do with the 31st of
# February?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.explorers.translation_box import box

box(read_date, "4th of August 1999", label="a date")

# %% [markdown]
# ## 0.6 The seven laws
#
# Code for sequences fails in a special way: it runs, the loss falls, and the result is wrong. One
# cause stands out. Padding is not data, but to a network it is a vector like any other.
#
# Here is the experiment. We take 60 test dates and an encoder with random weights, as it is before
# training. We put PAD symbols after each date, and look at the state in which the encoder ends.
# First a GRU that reads everything it is given, as in many tutorials:

# %%
from seq2seq_lib.encoder import Encoder
from seq2seq_lib.vocab import PAD_ID

encoder = Encoder(len(src_vocab), embed_size=32, hidden_size=128, bidirectional=False)
sentences = [src_vocab.encode(pair.source) for pair in corpus.test[:60]]


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
ax = plots.pad_drift(pads, ignoring, packed)
plots.show(
    ax.figure,
    "Line plot. With an encoder that reads the pads the mean similarity of different sentences "
    "rises towards 1 as pads are added; with packing it stays where it was.",
)

# %% [markdown]
# The GRU forgets the date and remembers the padding. After eight pads, all dates look nearly the
# same. The same date gives a different state in a batch with a longer neighbour. Nothing crashed, and
# in training the loss would fall. The blue line does not move at all:

# %%
assert max(abs(value - packed[0]) for value in packed) < 1e-6
assert ignoring[-1] > ignoring[0] + 0.2

# %% [markdown]
# That is the first of seven laws that correct code obeys. The module `seq2seq_lib.laws` holds each
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
# A law is only worth something if it can fail. Here it judges the encoder that reads the pads. It
# finds a sentence that shows the mistake, and says where to look.


# %% tags=["nbval-ignore-output"]
def encode_with_pads(src, src_lengths):
    outputs, state = encoder.rnn(encoder.embedding(src))
    return outputs, state.transpose(0, 1)  # [L, B, H] -> [B, L, H]


broken = laws.batch_invariance(encode_with_pads, src_vocab_size=len(src_vocab))
print(broken)

# %%
assert verdict and not broken

# %% [markdown]
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
# - **Law established**: batch invariance, for the model you trained.
# - **Common misconception**: "If it runs and the loss falls, it is right."
#
# **Next**: [chapter 9](09_real_translation.ipynb) translates real German sentences.
