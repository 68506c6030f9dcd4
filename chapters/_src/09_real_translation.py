# %% [markdown]
# # 9. Real translation
#
# Until now the sentences were ours. This chapter takes 29,000 German sentences that people wrote
# about photographs, and their English translations. The corpus is called Multi30k. The model, the
# loss and the search are those of the other chapters. Only the data are new, and the yardstick.
#
# **After this chapter you can**
#
# - train a translation model with one command, and stop and resume it,
# - translate with beam search and look at where the model looks,
# - report a BLEU score so that others can repeat it,
# - check that a translation does not depend on its neighbours in the batch.
#
# **You need** chapters 0 to 8, or at least chapter 0. A network helps once, to fetch the corpus.
#
# **Time**: about 20 minutes to read, up to four minutes to run.

# %% tags=["nbval-ignore-output"]
import torch

from seq2seq_lib.runtime import get_device, seed_everything

torch.set_num_threads(1)
device = get_device()
generator = seed_everything(0)
print("device", device)

# %% [markdown]
# ## 9.1 The data, or the next best thing
#
# `multi30k` looks into the folder that the variable `SEQ2SEQ_DATA_DIR` names, then into your cache,
# then it downloads the files and checks them. Without a network and without files it says so in one
# error. Then this chapter goes on with English and French phrases that the library makes itself.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.corpora import CorpusError, multi30k, phrases

try:
    corpus = multi30k(("de", "en"))
    real = True
except CorpusError as error:
    print(error)
    print("\nThis run goes on with generated phrases.")
    corpus = phrases(num_train=8000, num_valid=500, num_test=500)
    real = False
print(corpus)

# %% [markdown]
# Some pairs, to get an impression:

# %% tags=["nbval-ignore-output"]
for pair in corpus.train[:4]:
    print(" ".join(pair.source), "\n   ", " ".join(pair.target))

# %% [markdown]
# A source that occurs in training and in the test set would measure memory, not translation. So we
# look before we measure. The test set is clean:

# %%
assert corpus.shared_sources("train", "test") == ()

# %% [markdown]
# ## 9.2 The model
#
# Training on the whole corpus takes a while on a laptop, so there is a command for it. It writes a
# checkpoint after each epoch. Ctrl-C stops it, and `--resume` goes on:
#
# ```
# python -m seq2seq_lib.translate train
# ```
#
# If you have done that, the next cell finds the checkpoint. If not, it trains a small model on a part
# of the data for about a minute. That is enough to see everything work, and not enough to translate
# well.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.corpora import Corpus
from seq2seq_lib.translate import Recipe, default_checkpoint, load_translator, train

path = default_checkpoint(("de", "en"))
trained = real and path.exists()
if trained:
    translator = load_translator(path, device)
    print("A trained model was found.")
else:
    part = Corpus(corpus.name, corpus.train[:8000], corpus.valid, corpus.test)
    small = Recipe(
        num_pieces=2000 if real else 400,
        embed_size=128,
        hidden_size=128,
        dropout=0.2,
        epochs=5,
        learning_rate=4e-3,
    )
    translator, history = train(part, small, device=device)
    print("A small model was trained on", len(part.train), "pairs.")

# %% [markdown]
# How long did it take, and what did each epoch bring? A checkpoint keeps the history of its run.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib import plots
from seq2seq_lib.training import load_checkpoint

records = load_checkpoint(path).progress["history"] if trained else map(vars, history.records)
records = list(records)
minutes = sum(record["seconds"] for record in records) / 60
print(f"{len(records)} epochs, {minutes:.1f} minutes")
ax = plots.loss_curves(
    [record["train_loss"] for record in records],
    [record["valid_loss"] for record in records],
    title="Both losses fall; the gap is dropout and smoothing",
)
plots.show(ax.figure, "Training and validation loss in nats a token fall from epoch to epoch.")

# %% [markdown]
# The training loss can lie above the validation loss. That is no mistake. In training, dropout
# disturbs the model and label smoothing asks it not to be too sure. In evaluation both are off.

# %% [markdown]
# ## 9.3 Translations beside references
#
# Look before you compute. A number never says *what* is wrong. **Predict**: which words will a model
# get wrong that has seen 29,000 captions and nothing else?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.corpora import detokenize

sources = [detokenize(pair.source) for pair in corpus.test[:200]]
references = [detokenize(pair.target) for pair in corpus.test[:200]]
translations = translator(sources, num_beams=5)
for source, translation, reference in list(zip(sources, translations, references))[:6]:
    print(f"source       {source}\ntranslation  {translation.text}\nreference    {reference}\n")

# %% [markdown]
# Each row of the next figure is one word of a translation. Dark cells are the source words it looked
# at. Where German puts the verb elsewhere, the dark cells leave the diagonal.

# %% tags=["nbval-ignore-output"]
shown = translations[2]
ax = plots.attention_heatmap(
    shown.attention,
    [*shown.source, "end"],
    shown.target,
    title="Attention follows the sentence, with detours",
)
plots.show(ax.figure, "Heat map of attention: mostly near the diagonal, some cells off it.")

# %% [markdown]
# ## 9.4 The yardstick: BLEU
#
# BLEU compares a translation with a reference by the n-grams they share. It is a number of the whole
# corpus, not a mean over sentences. It depends on how text is cut into tokens, so a score without
# its **signature** says little. sacreBLEU prints the signature; copy it whenever you report a score.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.metrics import corpus_bleu

beam = corpus_bleu([t.text for t in translations], references, lowercase=True)
print(f"BLEU {beam.score:.1f} on {len(references)} sentences\n{beam.signature}")

# %% [markdown]
# What does the search contribute? Greedy search keeps one hypothesis, our beam search keeps five and
# prefers longer ones a little (chapter 7 tells why).

# %% tags=["nbval-ignore-output"]
greedy_translations = translator(sources, num_beams=1)
greedy = corpus_bleu([t.text for t in greedy_translations], references, lowercase=True)
print(f"greedy {greedy.score:.1f}   5 beams {beam.score:.1f}")

# %% [markdown]
# These are 200 sentences. The command measures the whole test set of 1,000, against the references as
# they were published:
#
# ```
# python -m seq2seq_lib.translate evaluate
# ```
#
# What score would chance give? We compare each translation with the reference of the next sentence.
# The band below holds on every machine: five times chance, and 30 for the model that the command
# trains.

# %%
shuffled = references[1:] + references[:1]
chance = corpus_bleu([t.text for t in translations], shuffled, lowercase=True)
assert beam.score > 5 * chance.score
assert beam.score > 30 or not trained

# %% [markdown]
# ## 9.5 The law, on real text
#
# A translation must not depend on its neighbours. Translators have been published for which it does:
# [in one case](https://github.com/OpenNMT/OpenNMT-py/issues/318) the same model scored 24 BLEU in
# small batches and 9 in large ones. So we translate twenty sentences one at a time and compare them
# with the batch.

# %%
alone = [translator([source], num_beams=5)[0] for source in sources[:20]]
differences = [abs(a.log_prob - b.log_prob) for a, b in zip(alone, translations)]
assert all(a.target == b.target for a, b in zip(alone, translations))
assert max(differences) < 1e-3

# %% [markdown]
# The tolerance is not zero. A matrix product adds its terms in another order when the batch has
# another shape, and float32 rounds each sum. Nothing else may differ.

# %% [markdown]
# ## 9.6 Your turn
#
# Type a German sentence and press Enter. Keep to what photographs show: people, dogs, streets,
# sports. What does the model make of a sentence about politics?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.explorers.translation_box import box

box(translator, sources[0], label="a sentence")

# %% [markdown]
# ## Summary
#
# - Real text needs nothing new in the model. It needs care with data, time and measurement.
# - Train with the command, stop with Ctrl-C, go on with `--resume`.
# - A BLEU score belongs with its signature, its test set and its search.
# - **Law confirmed on real text**: batch invariance.
# - **Common misconception**: "One point of BLEU more is a better system." First ask how much two seeds
#   of one recipe differ.
#
# **Next**: change the recipe. More epochs, more units, another language pair: what does each buy?
