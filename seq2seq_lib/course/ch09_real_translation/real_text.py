"""Section 9.6 of chapter 9: the same rows of numbers for any translator and any real corpus.

``benchmarks/real_text.py`` measured them once; the chapter's cell prints them for what it finds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seq2seq_lib.corpora import Corpus, CorpusError, Pair, multi30k, tokenize
from seq2seq_lib.metrics import chrf, corpus_bleu
from seq2seq_lib.translate import PLAIN, Recipe, Translation, Translator, default_checkpoint, train
from seq2seq_lib.translate import load_translator as load

LANGUAGES = ("de", "en")
MISSING = (
    "Multi30k is not here and could not be fetched; the table above stands for it. "
    "Details: print(real.why)"
)
RARITY = {
    "rarest source word never seen": (0, 0),
    "seen 1 to 4 times": (1, 4),
    "seen 5 to 16 times": (5, 16),
    "seen 17 to 99 times": (17, 99),
    "seen 100 times or more": (100, 10**9),
}
LENGTH = {
    "source of 1 to 9 words": (1, 9),
    "10 to 12 words": (10, 12),
    "13 to 16 words": (13, 16),
    "17 words or more": (17, 10**9),
}


@dataclass(frozen=True)
class Real:
    """Multi30k as published, German and English, if it is here or can be fetched.

    Attributes:
        corpus: a pair's only token on each side is the published line; None without the corpus.
        why: what went wrong, in the library's words; empty with a corpus.
    """

    corpus: Corpus | None
    why: str = ""


def find() -> Real:
    """The corpus, or why there is none."""
    try:
        return Real(multi30k(LANGUAGES, tokenizer=lambda line: [line.strip()]))
    except CorpusError as error:
        return Real(None, str(error))


def words_of(pair: Pair) -> Pair:
    """A published pair in words."""
    return Pair(tuple(tokenize(pair.source[0])), tuple(tokenize(pair.target[0])))


def system_b(corpus: Corpus, num_train: int = 12_000, epochs: int = 4) -> Translator:
    """A small translator, trained on a part of the corpus."""
    part = Corpus(corpus.name, *(tuple(map(words_of, pairs)) for pairs in (
        corpus.train[:num_train], corpus.valid[:100], ())))  # fmt: skip
    return train(part, replace(recipe(1), epochs=epochs), progress=False)[0]


def recipe(seed: int) -> Recipe:
    """A small model of the phrases' kind: half the units of the command's, and a faster start."""
    return Recipe(
        **PLAIN,
        num_pieces=4000,
        embed_size=128,
        hidden_size=128,
        dropout=0.2,
        epochs=10,
        learning_rate=4e-3,
        seed=seed,
    )


def trained(corpus: Corpus) -> tuple[str, Translator]:
    """What the command has left in the cache, or a model trained on the spot; and which it is."""
    path = default_checkpoint(LANGUAGES)
    if path.exists():
        return f"the model in {path.name}", load(path)
    return "6,000 pairs, 3 epochs, trained just now", system_b(corpus, 6000, 3)


@dataclass(frozen=True)
class Scored:
    """A test set, translated twice.

    Attributes:
        rows: name -> number, in the order of the table.
        translations: with 5 beams.
        sizes: name -> sentences, of the rows that are about a part of the test set.
    """

    rows: dict[str, float]
    translations: list[Translation]
    sizes: dict[str, int]


def score(translator: Translator, corpus: Corpus, num_test: int = 1000) -> Scored:
    """All rows, for the first sentences of the test set."""
    pairs = corpus.test[:num_test]
    sources, references = ([side[0] for side in sides] for sides in _sides(pairs))
    translations = translator(sources, num_beams=5)
    texts = [translation.text for translation in translations]
    greedy = [translation.text for translation in translator(sources, num_beams=1)]

    def bleu(some: Sequence[str], refs: Sequence[str], lowercase: bool = True) -> float:
        return corpus_bleu(some, refs, lowercase=lowercase).score

    alone = [
        corpus_bleu([text], [ref], lowercase=True, effective_order=True).score
        for text, ref in zip(texts, references, strict=True)
    ]
    rows = {
        "chance: the next sentence's reference": bleu(texts, references[1:] + references[:1]),
        "greedy": bleu(greedy, references),
        "5 beams": bleu(texts, references),
        "5 beams, capital letters count": bleu(texts, references, lowercase=False),
        "mean of the sentences' BLEU": sum(alone) / len(alone),
        "chrF, 5 beams": chrf(texts, references, lowercase=True).score,
    }
    seen = Counter(word for pair in corpus.train for word in tokenize(pair.source[0]))
    words = [tokenize(source) for source in sources]
    sizes = {}
    for bands, value in (
        (RARITY, lambda row: min((seen[w] for w in row if w.isalpha()), default=0)),
        (LENGTH, lambda row: sum(w.isalpha() for w in row)),
    ):
        for name, (low, high) in bands.items():
            chosen = [i for i, row in enumerate(words) if low <= value(row) <= high]
            if chosen:
                rows[name] = bleu([texts[i] for i in chosen], [references[i] for i in chosen])
                sizes[name] = len(chosen)
    return Scored(rows, translations, sizes)


def _sides(pairs: Sequence[Pair]) -> tuple[list, list]:
    return [pair.source for pair in pairs], [pair.target for pair in pairs]


def same_alone(translator: Translator, corpus: Corpus, scored: Scored, count: int = 10) -> bool:
    """Whether the first sentences have the same translation alone as in the batch."""
    alone = [translator(list(pair.source), num_beams=5)[0] for pair in corpus.test[:count]]
    return all(a.target == b.target for a, b in zip(alone, scored.translations, strict=False))
