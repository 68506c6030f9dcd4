# %% [markdown]
# # 1. Text to batches
#
# A model eats rectangles of numbers, and text is ragged. What does each cell of the rectangle mean,
# and what do the empty cells cost?
#
# The builder holds 64 English phrases, eight to a batch, in the order in which they came. **Predict**
# what share of all cells will be padding: each row must become as wide as the longest of its batch.
# Then sort them by length.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.batch_builder import explore

explore("came")

# %% [markdown]
# **After this chapter you can** build a vocabulary and say what each of its ids means, cut words into
# pieces by a table of merges, make a batch with its lengths and state the shape of every tensor, write
# what a decoder reads and says from one sentence, and count and reduce what padding costs.
#
# **You need** Python and tensors; no GPU and no network. **Time**: 40 minutes; it runs in seconds.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B | sentences in a batch | V | entries of a vocabulary, the four special ones included |
# | S, T | longest source, longest target, EOS counted | N | sentences of the corpus |
# | src [B, S] | ids of the source | L | length of a row, EOS counted; one number a row: [B] |
# | tgt_in, tgt_out [B, T] | what the decoder reads, and says | w | waste: PAD cells over all cells |

# %% [markdown]
# ## 1.1 From lines to a rectangle
#
# What stands in each cell? Three English lines and their French translations are enough for most of
# this chapter. A network computes with numbers, so each word becomes an **id**. The **naive** way
# numbers the words as they come, from 0:

# %%
sources = ["our dog waits for these mice", "another house", "he is not young"]
translations = ["notre chien attend ces souris", "une autre maison", "il n' est pas jeune"]
words = [line.split() for line in sources]
naive = {}
for word in sum(words, []):
    naive.setdefault(word, len(naive))
print([[naive[word] for word in line] for line in words])

# %% [markdown]
# **Why it is wrong.** A batch is a rectangle, so short rows must be filled up, and a new tensor holds
# zeros. But 0 is "our" here, so the model would read "another house our our our our". Nor is there an
# id for a new word, and none that says where a sentence ends.
#
# **Right.** Four ids are taken before the first word, the same in all vocabularies of this course:
#
# | id | name | what it is for |
# |---|---|---|
# | 0 | PAD | fills a row; means nothing |
# | 1 | BOS | begins what a decoder reads |
# | 2 | EOS | ends a sentence; a model must learn to say it |
# | 3 | UNK | stands for a word that is not in the list |

# %%
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID, Vocab

english = Vocab.build(words)
french = Vocab.build(line.split() for line in translations)
print(len(english), "and", len(french), "entries;", *english.tokens[:7])
print(english.encode(words[1]), english.decode(english.encode(words[1])))

# %% [markdown]
# `collate` makes a batch of pairs of id lists. It ends each sentence with EOS and fills the rest of
# the row with PAD. All tensors are int64, because an id is a place in a table.
#
# **Predict** the share of PAD in the source, with a pencil, before you open the next output. The
# lines have 6, 2 and 4 words; where could you miscount?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.batching import collate

pairs = [
    (english.encode(source), french.encode(target.split()))
    for source, target in zip(words, translations)
]
batch = collate(pairs)
pads = batch.src.numel() - int(batch.src_lengths.sum())
print("lengths", batch.src_lengths)
print(f"{pads} of {batch.src.numel()} cells are PAD: {pads / batch.src.numel():.1%}")

# %% [markdown]
# EOS is a token, so it counts; who forgets it gets 6/18. A source has no BOS; who adds one gets 6/24.
# Here is the rectangle:

# %%
from seq2seq_lib import plots
from seq2seq_lib.course.ch01_text_to_batches import figures

plots.show(
    figures.rectangle(batch.src.tolist(), english.tokens, batch.src_lengths.tolist()),
    "A grid of 3 rows and 7 columns with words over ids. Row 0 holds six words and EOS. Row 1 holds "
    "another, house, EOS and four PAD cells; row 2 four words, EOS and two PAD cells.",
)

# %% [markdown]
# So four ids are taken before the first word, and the lengths say which cells are real.
#
# ## 1.2 What is a token?
#
# Must a token be a word? With *letters* the list is short and little is unknown, but a sentence takes
# many steps to read. With *words* it is the other way round. *Pieces* lie between: byte-pair encoding
# begins with letters and joins the most frequent pair of neighbours, again and again. Here the table is
# made; [chapter 9](ch09_real_translation.ipynb) translates with one.
#
# Here is a corpus for pencil and paper: five words with their counts. `_` marks the end of a word.
# Three new words ride along, cut but not counted. Count a few pairs yourself: "i x" is in six, sixteen
# and sixty, so 3 + 4 + 3 times.

# %%
from collections import Counter

corpus = {"six": 3, "sixteen": 4, "sixty": 3, "nineteen": 2, "ninety": 1}
new = ["sixes", "teen", "sixteenth"]
cut = {word: [*word, "_"] for word in [*corpus, *new]}


def best_pair(cut):
    counts = Counter()
    for word, symbols in cut.items():
        for pair in zip(symbols, symbols[1:]):
            counts[pair] += corpus.get(word, 0)
    return min(counts, key=lambda pair: (-counts[pair], pair))  # a tie: first in the alphabet


def join(symbols, pair):
    joined = []
    for symbol in symbols:
        if joined and (joined[-1], symbol) == pair:
            joined[-1] += symbol
        else:
            joined.append(symbol)
    return joined


# %% [markdown]
# **Predict** how "sixteen" is cut after three merges. You know where *you* would cut it; the pairs do
# not.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
merges = []
for _ in range(3):
    merges.append(best_pair(cut))
    cut = {word: join(symbols, merges[-1]) for word, symbols in cut.items()}
print(merges, *cut["sixteen"])

# %% [markdown]
# The t belongs to "sixt", because "sixt" is in sixteen and in sixty: the table counts, and knows no
# grammar. Now five merges more. V counts the letters, the mark and one entry for each merge; the text
# has 87 symbols before the first.

# %%
letters = {symbol for word in corpus for symbol in [*word, "_"]}
while len(merges) < 8:
    merges.append(best_pair(cut))
    cut = {word: join(symbols, merges[-1]) for word, symbols in cut.items()}
    tokens = sum(count * len(cut[word]) for word, count in corpus.items())
    print(*merges[-1], f"-> V {len(letters) + len(merges)}, tokens {tokens}:", *cut["sixteen"])
print(*(" ".join(cut[word]) for word in new), sep="    ")

# %% [markdown]
# Each merge adds an entry and shortens the text. "sixes", never seen, is "six" and letters. The h of
# "sixteenth" is in no counted word, so that letter is UNK; the rest of the word is saved.
#
# Measured once, on 28 November 2026, on the 29,000 German lines of Multi30k
# ([`benchmarks/text_to_batches.py`](../benchmarks/text_to_batches.py)):
#
# | tokens are | V | tokens a line | UNK in the validation lines |
# |---|---|---|---|
# | letters | 70 | 71.9 | none |
# | pieces, 1,000 / 4,000 / 8,000 | 1,000 / 4,000 / 8,000 | 19.5 / 14.9 / 13.8 | none |
# | words, all | 18,598 | 12.4 | 3.09 % |
#
# ## 1.3 A word nobody has seen
#
# What happens to a word that is not in the list? It becomes UNK. So does an `<eos>` that somebody
# typed: no text can end its own sentence. `decode` shows both, so that nobody overlooks them.

# %%
ids = french.encode("notre chat souris <eos>".split())
print(ids, french.decode(ids))

# %% [markdown]
# UNK has a row in the embedding like any word, a vector that training must fill. Now take 64 phrases
# to train on and 64 others to test, and a vocabulary of all words that the training phrases hold.
# **Predict** how many UNK a model meets in training. Surely a few words are rare enough?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.corpora import phrases

small = phrases(64, 64, 0)
train, valid = ([pair.source for pair in half] for half in (small.train, small.valid))


def count_unknown(vocab, lines):
    return sum(vocab.encode(line).count(UNK_ID) for line in lines)


for least in (1, 2):
    vocab = Vocab.build(train, min_freq=least)
    met, new_words = count_unknown(vocab, train), count_unknown(vocab, valid)
    print(f"min_freq {least}: V {len(vocab)}, UNK in training {met}, in validation {new_words}")

# %% [markdown]
# None: every word of the list comes from these very lines. The validation text does hold unknown
# words, and for them the model reads a row that no step has touched. The gradient says so:

# %%
import torch

from seq2seq_lib.batching import pad_sequences

for least in (1, 2):
    vocab = Vocab.build(train, min_freq=least)
    table = torch.nn.Embedding(len(vocab), 4, padding_idx=PAD_ID)
    src, _ = pad_sequences([[*vocab.encode(line), EOS_ID] for line in train])
    table(src).sum().backward()  # every cell pulls with 1 at each of the 4 numbers of its row
    print(f"min_freq {least}: pull on PAD, BOS, EOS, UNK", table.weight.grad[:4, 0].int().tolist())

# %% [markdown]
# With `min_freq=1` UNK keeps its random start. The cure is to call rare training words UNK, too: with
# `min_freq=2` words that occur once train its row.
#
# One can also hide the problem. A vocabulary of training *and* validation text has no UNK, but 391
# German words that no step trains; they stand in 293 of the 1,014 validation lines (measured once, same
# script). AllenNLP did so for the sake of pretrained vectors
# ([allennlp#516](https://github.com/allenai/allennlp/issues/516)).
#
# So UNK must be met in training, and the list come from there alone.
#
# ## 1.4 One target, two rows
#
# Why does a batch hold the target twice? A decoder says one word at a time: at each step it reads the
# word before, and must say the next one. At first nothing has been said, so it reads BOS; at last it
# must say that it is done.
#
# **Your turn.** Write both rows for one target. An unsolved cell blocks nothing, the chapter goes on
# without it. (Stuck? `hint("1.1")`, then `solution("1.1")`.)


# %%
def shift(target):
    """A list of ids, without BOS and EOS -> what the decoder reads, and what it says: two lists."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint, solution

check("1.1", shift)

# %% [markdown]
# **Right.** Both rows hold the same words, one column apart:

# %%
read = [(i, french.tokens[i]) for i in [BOS_ID, *pairs[1][1]]]
say = [(i, french.tokens[i]) for i in [*pairs[1][1], EOS_ID]]
plots.show(
    figures.shifted(read, say),
    "Two rows of four cells. Read: BOS, une, autre, maison. Say: une, autre, maison, EOS. An arrow "
    "leads from each word that is said to the next column of what is read.",
)

# %% [markdown]
# If both rows were the same, the decoder would read the very word that it must say, and copying would
# bring the loss to 0.
#
# Much code pads first and shifts afterwards: the whole row `BOS words EOS`, then `[:, :-1]` to read
# and `[:, 1:]` to say. The first slice *looks* as if it dropped EOS. **Predict** which of our three
# rows, with 5, 3 and 5 words, lose their EOS by it.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
padded, _ = pad_sequences([[BOS_ID, *target, EOS_ID] for _, target in pairs])  # [B, T + 1]
print("cut off:", padded[:, -1].tolist())
print("row 1 reads", padded[1, :-1].tolist())
print("ours reads ", batch.tgt_in[1].tolist())

# %% [markdown]
# Only the longest rows have EOS in the last column. Row 1 keeps it, and the decoder reads an EOS. Is that
# a bug? At that step PAD is to be said, and the loss leaves pads out
# ([chapter 4](ch04_padding_masks.ipynb)), so nobody listens; a tutorial's author explains it so in
# [pytorch-seq2seq#133](https://github.com/bentrevett/pytorch-seq2seq/issues/133). The asserts look at
# real cells only, then at all that is to be said:

# %%
mask = batch.tgt_mask
assert torch.equal(padded[:, :-1][mask], batch.tgt_in[mask])
assert torch.equal(padded[:, 1:], batch.tgt_out)
print("under the mask both ways are the same")

# %% [markdown]
# So the shift is one column, BOS in front and EOS behind; and in a padded batch "the last column" is
# not "the end of the sentence".
#
# ## 1.5 Too long
#
# What if a sentence does not fit? Memory is finite, and some code has arrays of a fixed width,
# `num_steps`. The **naive** way appends EOS, then cuts:

# %%
num_steps = 5
ended = [[*target, EOS_ID] for _, target in pairs]
print([target[:num_steps] for target in ended])

# %% [markdown]
# **Why it is wrong.** Two of three targets have lost their EOS. *Dive into Deep Learning* cut like this
# in 2019, and a reader offered a change ([d2l-en#410](https://github.com/d2l-ai/d2l-en/pull/410),
# closed unmerged); it is the patient of the exercises' clinic. **Right?** Cut first, then end:

# %%
from seq2seq_lib.batching import truncate

print([truncate(target, num_steps) for target in ended])

# %% [markdown]
# Now each row ends. But "notre chien attend ces" is no translation, and this row teaches the model to
# *stop there*. Which is worse: an end that is missing, or one that comes too early? Measured once
# (same script, seeds 0 to 2): four models on 6,000 phrases, alike but for what was done to targets of
# more than seven tokens, half of them. Then they translate 389 new phrases whole. **Predict** how many
# of the 198 long ones come out right where EOS was *kept*.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.course.ch01_text_to_batches import truncation_table

print(truncation_table())

# %% [markdown]
# The repair made it worse. With EOS kept, no long phrase is right: the model learned what it was shown,
# that seven tokens are enough. With EOS lost it hardly suffers, because the short rows still teach it
# how to end. That help can be missing: where *every* row is cut, as with dates (ten characters and EOS)
# in ten steps, 0 of 200 outputs end, in each of three runs.
#
# So a cut target that ends is a lie; without EOS it is true as far as it goes. Leave it whole if memory
# allows; else cut it without EOS where enough rows are whole, or drop the pair, and say how many.
#
# ## 1.6 Batches
#
# How do thousands of pairs become batches? In PyTorch a `Dataset` gives one example by its number, and
# a `DataLoader` asks for several and joins them with its `collate_fn`. The default one stacks tensors,
# so it fails where lengths differ, and says so:

# %%
from torch.utils.data import DataLoader, Dataset


class Examples(Dataset):
    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, row):
        return self.ids[row]


unequal = Examples([torch.tensor([5, 6, 2]), torch.tensor([7, 2])])
try:
    next(iter(DataLoader(unequal, batch_size=2)))
except RuntimeError as error:
    print(str(error).partition(",")[0])

# %% [markdown]
# It does not always say so. **Predict** what it makes of two *lists* of three ids: surely a `[2, 3]`
# tensor?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print(next(iter(DataLoader(Examples([[5, 6, 2], [7, 8, 2]]), batch_size=2))))

# %% [markdown]
# Three tensors `[2]`, one for each *column*: batch and time have changed places, and nothing was
# raised. With `collate_fn=collate` the loader gives our `Batch`:

# %%
for few in DataLoader(Examples(pairs), batch_size=2, collate_fn=collate):
    print(tuple(few.src.shape), few.src_lengths.tolist(), tuple(few.tgt_in.shape))

# %% [markdown]
# ### What padding costs
#
# **Your turn.** `lengths` holds the length of each sentence; `batches` says, for each batch, which
# sentences are in it. What share of all cells is PAD?


# %%
def waste(lengths, batches):
    """A list of ints, and a list of lists of places in it -> a share from 0 to 1."""
    raise NotImplementedError  # your lines


# %%
check("1.2", waste)

# %% [markdown]
# **Right**: real tokens and cells are added up over all batches, and divided once.


# %%
def share_of_pads(lengths, batches):
    rows = [[lengths[i] for i in some] for some in batches]
    return 1 - sum(map(sum, rows)) / sum(len(row) * max(row) for row in rows)


print(f"{share_of_pads([3, 1, 5], [[0, 1], [2]]):.3f}")

# %% [markdown]
# In the builder, eight phrases a batch wasted 29 %. Do larger batches waste less? **Predict**: 16 rows a
# batch, the same phrases.


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
def cut_into(order, B):
    return [order[start : start + B] for start in range(0, len(order), B)]


lengths = [len(pair.source) + 1 for pair in phrases(64, 0, 0).train]
for B in (8, 16):
    print(f"{B:2} rows a batch: {share_of_pads(lengths, cut_into(range(64), B)):.0%}")

# %% [markdown]
# More: fifteen short rows now wait for one long (`explore("large_batch")` shows them). How much more
# can be derived with a pencil. Let lengths 1 to n be equally likely, and a batch hold B of them at
# random.
#
# 1. The mean length is $(n+1)/2$.
# 2. The longest is below m if all B rows are: $P(\text{longest} < m) = ((m-1)/n)^B$.
# 3. The mean of the longest is the sum of $P(\text{longest} \ge m)$ over m from 1 to n:
#    $E = n - \sum_{m=1}^{n-1} (m/n)^B$.
# 4. A batch has $B \cdot E$ cells on average, and $B (n+1)/2$ tokens in them. So
#
# $$w = 1 - \frac{n+1}{2E} \;\longrightarrow\; \frac{1}{2}\left(1 - \frac{1}{B}\right) \quad\text{for large } n$$
#
# With n = 4 and B = 2: E = 4 - (1 + 4 + 9)/16 = 3.125, and w = 1 - 2.5/3.125 = 0.20. There are only
# 16 such batches, so the cell asks all of them:

# %%
from itertools import product


def shuffled_waste(n, B):
    longest = n - sum((m / n) ** B for m in range(1, n))
    return 1 - (n + 1) / (2 * longest)


every = list(product(range(1, 5), repeat=2))
cells = sum(2 * max(two) for two in every)
print(sum(map(sum, every)), "tokens in", cells, f"cells; formula {shuffled_waste(4, 2):.2f}")
assert abs(1 - sum(map(sum, every)) / cells - shuffled_waste(4, 2)) < 1e-9

# %% [markdown]
# So such batches waste up to one half. If the corpus is *sorted* first, a batch covers only 1 of N/B
# parts of the lengths, and its waste is about B/N, one over the number of batches. 2,048 dates follow
# both from below: their lengths begin at 9, not at 1:

# %%
from seq2seq_lib.batching import BucketSampler, TokenBatchSampler
from seq2seq_lib.corpora import dates

lengths = [len(pair.source) + 1 for pair in dates(2048, 0, 0).train]
order = torch.randperm(2048, generator=torch.Generator().manual_seed(0)).tolist()
sizes = [2**power for power in range(1, 9)]
plots.show(
    figures.waste_by_rows(
        {
            "dates, shuffled": {B: share_of_pads(lengths, cut_into(order, B)) for B in sizes},
            "dates, sorted": {
                B: share_of_pads(lengths, BucketSampler(lengths, B, shuffle=False)) for B in sizes
            },
        },
        {
            "formula, lengths 1 to 29": {B: shuffled_waste(29, B) for B in sizes},
            "B/N": {B: B / 2048 for B in sizes},
        },
    ),
    "PAD share against rows a batch, 2 to 256. Shuffled dates rise from 15 to 42 percent, "
    "below the formula's curve. Sorted dates stay at 7 percent or less, below the line B/N.",
)

# %% [markdown]
# Sorted data come in one order in each epoch, the short ones first. So `BucketSampler` shuffles,
# sorts inside pools of 50 batches (here one holds all), and shuffles the batches. `TokenBatchSampler`
# limits the cells of a batch instead of its rows, so that all but one, the rest, cost about the same.
# "Fixed width" is an array as wide as the longest of the corpus:

# %%
by_tokens = list(TokenBatchSampler(lengths, 64 * 17))  # 64 rows of the mean length
ways = {
    "fixed width": 1 - sum(lengths) / (len(lengths) * max(lengths)),
    "shuffled": share_of_pads(lengths, cut_into(order, 64)),
    "buckets": share_of_pads(lengths, BucketSampler(lengths, 64)),
    "tokens": share_of_pads(lengths, by_tokens),
}
for name, share in ways.items():
    print(f"{name:12}{share:6.1%}")
print("rows of a token batch:", min(map(len, by_tokens)), "to", max(map(len, by_tokens)))

# %% [markdown]
# For *pairs* both lengths matter. Sorted by the target's alone, 20,000 phrases waste 17.5 % of their
# source cells; by target, then source, as `make_loader` does, 3.4 % (measured once, same script). There
# is a price: a batch of short sentences is no fair sample of the corpus, and some ways to sort did not
# always work well beside plain shuffling (Morishita et al., below).
#
# ### Is padding invisible?
#
# The simplest encoder is the mean of a row's embeddings. **Law 1** asks of any encoder whether a
# sentence gives the same alone and in any batch. It must judge the right way and two wrong ones: no
# mask, and `padding_idx=0`, which makes the vector of PAD zero.

# %%
from seq2seq_lib import laws
from seq2seq_lib.masks import masked_mean, sequence_mask

torch.manual_seed(0)
plain = torch.nn.Embedding(11, 4).requires_grad_(False)
zero_pad = torch.nn.Embedding(11, 4, padding_idx=PAD_ID).requires_grad_(False)
encoders = {  # an encoder gives memory and final state; these have no memory
    "mean over all cells": lambda src, n: (None, plain(src).mean(1)),
    "the same, padding_idx=0": lambda src, n: (None, zero_pad(src).mean(1)),
    "mean of real cells": lambda src, n: (
        None,
        masked_mean(plain(src), sequence_mask(n, src.size(1)), 1),
    ),
}
verdicts = {name: laws.batch_invariance(encode) for name, encode in encoders.items()}
for name, verdict in verdicts.items():
    broken = [check.name.partition(": ")[2] for check in verdict.checks if not check.holds]
    print(f"{name:24}", "holds" if verdict else f"broken: {', '.join(broken)}")
assert verdicts["mean of real cells"]

# %% [markdown]
# A zero vector adds nothing to the sum, but the pad still counts in the divisor.
#
# So sort inside pools, shuffle the batches, and hand the lengths to whatever reads the batch.

# %% [markdown]
# ## Summary
#
# - An id is a place in a list; PAD, BOS, EOS and UNK are 0 to 3 everywhere. EOS counts in each length.
# - Letters, pieces, words: a longer list makes shorter sentences.
# - UNK is trained only if it is met in training: `min_freq` of 2 or more, or pieces.
# - `tgt_in` is BOS and the words, `tgt_out` the words and EOS: one column apart.
# - A cut target that ends teaches to stop there; one that does not, no end.
# - Waste is one fraction over all cells: for evenly spread lengths up to a half if shuffled, about B/N if
#   sorted.
#
# | looks right | what is wrong | what gives it away |
# |---|---|---|
# | `{word: i}` from 0 | PAD is the first word | id 0 in a sentence |
# | append EOS, then cut | rows without an end | fewer EOS than rows |
# | cut, then append EOS | the model stops early | a pile of outputs at the limit |
# | `min_freq=1` | UNK is never trained | no UNK in the training ids |
# | default collate of lists | time and batch exchanged | T tensors of [B] |
# | `[:, :-1]` "drops EOS" | no bug: harmless under the mask | its last column: EOS and PAD |
#
# **Scoreboard**, 2,048 dates in batches of 64: shuffled 40 % PAD, buckets 1.7 %.
#
# **Law met**: law 1, batch invariance. `laws.batch_invariance(your_encoder)` judges any encoder.
#
# **Common misconception**: "Padding comes after the end, so nothing that follows can see it." A
# mean sees it in its divisor.

# %% [markdown]
# ## In Transformers and LLMs
#
# - **Byte-level BPE** begins with the 256 bytes instead of letters, so there is no UNK at all.
# - **`labels`** are `tgt_out` with -100 at the pads, and the model shifts them itself
#   ([transformers#7961](https://github.com/huggingface/transformers/issues/7961)); exercise 1.6
#   writes that function.
# - **`pad_token_id`**: a tokenizer without PAD is given EOS for it; [chapter 4](ch04_padding_masks.ipynb)
#   shows the price.
# - **`padding_side="left"`** for generation, because the last column must hold the newest token.
# - **`truncation=True`** keeps the end token in BART's tokenizer;
#   [transformers#19742](https://github.com/huggingface/transformers/issues/19742) asks that it should
#   not. In torchtune, setting `max_seq_len` took EOS out of the loss
#   ([torchtune#2792](https://github.com/meta-pytorch/torchtune/issues/2792)).
# - **Packing.** Documents are joined and cut into blocks: no pads, but a block may hold two documents.
#   Who may look at whom is a question for a mask.

# %%
documents = [[5, 6, 7, EOS_ID], [8, EOS_ID], [9, 10, 11, 12, EOS_ID], [13, EOS_ID]]
rows, row_lengths = pad_sequences(documents)
print(f"padded: {rows.numel() - row_lengths.sum()} of {rows.numel()} cells are PAD")
stream = torch.tensor(sum(documents, []))
blocks = stream[: len(stream) // 4 * 4].view(-1, 4)
print("packed:", blocks.tolist(), "left over:", len(stream) - blocks.numel())

# %% [markdown]
# ## Further reading
#
# - Sennrich, Haddow, Birch 2016, [Neural Machine Translation of Rare Words with Subword
#   Units](https://aclanthology.org/P16-1162/): byte-pair encoding comes to translation.
# - Provilkov, Emelianenko, Voita 2020,
#   [BPE-Dropout](https://aclanthology.org/2020.acl-main.170/): leave out merges at random in
#   training, so that one word is met in several cuts.
# - Wang, Cho, Gu 2020, [Neural Machine Translation with Byte-Level
#   Subwords](https://arxiv.org/abs/1909.03341): no token is out of the vocabulary.
# - Morishita et al. 2017, [An Empirical Study of Mini-Batch Creation
#   Strategies](https://aclanthology.org/W17-3208/): ways to sort, compared.
# - [`torch.utils.data`](https://docs.pytorch.org/docs/stable/data.html): PyTorch on its datasets,
#   samplers and collate functions.
#
# **Next**: [the exercises](../exercises/ch01_text_to_batches/ch01_text_to_batches.ipynb) cut unseen
# words, shift labels, and treat an array that loses its ends. Then
# [chapter 2](ch02_gru_and_lstm_gates.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# The cell below guards the numbers of this chapter against a change of the library. It has nothing
# new for a reader.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert (len(english), len(french)) == (16, 17)
assert (
    batch.src.shape == (3, 7) and batch.tgt_out.shape == (3, 6) and batch.src.dtype == torch.int64
)
assert pads == 6 and batch.src_lengths.tolist() == [7, 3, 5]
assert merges[:5] == [("i", "x"), ("s", "ix"), ("six", "t"), ("e", "e"), ("ee", "n")]
assert padded[:, -1].tolist() == [EOS_ID, PAD_ID, EOS_ID]
assert [truncate(target, num_steps)[-1] for target in ended] == [EOS_ID] * 3
assert 0.39 < ways["shuffled"] < 0.41 and ways["buckets"] < 0.02 and ways["tokens"] < 0.02
assert not verdicts["mean over all cells"] and not verdicts["the same, padding_idx=0"]
assert sorted(sum(by_tokens, [])) == list(range(2048))
assert max(len(some) * max(lengths[i] for i in some) for some in by_tokens) <= 64 * 17
