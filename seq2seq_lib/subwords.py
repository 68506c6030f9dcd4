"""Pieces of words, so that a word never seen in training is still read: SentencePiece.

A vocabulary of words must call every rare word UNK. A vocabulary of pieces splits it, down to
letters if need be: German "Schneemann" becomes "schnee" and "mann". Byte-pair encoding: Sennrich
et al. 2016; SentencePiece: Kudo and Richardson 2018; BPE-dropout: Provilkov et al. 2020.
"""

import io
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from seq2seq_lib._arguments import check_number, check_positive
from seq2seq_lib._text import APOSTROPHES, check_list, visible
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, Vocab

# SentencePiece writes a space as the first of these blocks, and a line that holds the second one it
# leaves out of training without a word, and with it its letters.
_PLAIN = APOSTROPHES | {ord("▁"): " ", ord("▅"): "▄"}
# Letters of a word in training. From 65,536 on SentencePiece 0.2.0 to 0.2.2 ends the process.
LONGEST_WORD = 60_000
CUTS = 8  # of one word in one call of ``Subwords.sample``


class Subwords:
    """A SentencePiece model: lower-cased text to pieces and back.

    Args:
        model: what ``to_bytes`` gave; to learn a new one call ``Subwords.train``.
    """

    def __init__(self, model: bytes) -> None:
        from sentencepiece import SentencePieceProcessor

        self._model = model
        try:
            self._processor = SentencePieceProcessor(model_proto=model)
            self._processor.encode("a")  # some damage shows only in use
        except RuntimeError as error:
            raise ValueError(f"These bytes are not a SentencePiece model: {error}") from error

    @classmethod
    def train(cls, lines: Iterable[str], vocab_size: int) -> "Subwords":
        """Learn pieces by byte-pair encoding; the same lines give the same pieces.

        Args:
            lines: training sentences as plain text.
            vocab_size: pieces, the four special tokens included.

        Raises:
            ValueError: no text, or not enough for so many pieces.
            TypeError: one string in place of sentences, or a sentence that is none.
        """
        from sentencepiece import SentencePieceTrainer

        check_list(lines, "lines", "sentences")
        check_positive(vocab_size, "vocab_size")
        file = io.BytesIO()
        texts = [_in_words_of(LONGEST_WORD, normalise(line)) for line in lines]
        longest = max((len(text.encode()) for text in texts), default=0)
        try:
            SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                # it would leave out longer lines without a word, and with them their letters
                max_sentence_length=max(longest, 4192),
                model_writer=file,
                model_type="bpe",
                vocab_size=vocab_size,
                character_coverage=1.0,
                # `normalise` has done it, and SentencePiece's own table would add 240 kB
                normalization_rule_name="identity",
                num_threads=1,
                minloglevel=2,  # errors only
                pad_id=PAD_ID,
                bos_id=BOS_ID,
                eos_id=EOS_ID,
                unk_id=UNK_ID,
                pad_piece=SPECIAL_TOKENS[PAD_ID],
                bos_piece=SPECIAL_TOKENS[BOS_ID],
                eos_piece=SPECIAL_TOKENS[EOS_ID],
                unk_piece=SPECIAL_TOKENS[UNK_ID],
            )
        except RuntimeError as error:
            raise ValueError(
                f"No {vocab_size} pieces can be learned from this text: {error}. Take a smaller "
                f"vocab_size or more text."
            ) from error
        return cls(file.getvalue())

    @cached_property
    def _rank(self) -> dict[str, float]:
        """Each piece that a merge makes, and when it was learned."""
        ids = range(len(SPECIAL_TOKENS), self._processor.get_piece_size())
        score = self._processor.get_score
        return {self._processor.id_to_piece(i): -score(i) for i in ids}

    def to_bytes(self) -> bytes:
        """The model, for a checkpoint."""
        return self._model

    def vocab(self) -> Vocab:
        """All pieces as a ``Vocab``, with SentencePiece's ids."""
        size = self._processor.get_piece_size()
        return Vocab(self._processor.id_to_piece(i) for i in range(len(SPECIAL_TOKENS), size))

    def encode(self, text: str) -> list[str]:
        """Pieces of a text; "▁" stands where a word begins."""
        return self._processor.encode(normalise(text), out_type=str)

    def sample(self, texts: Sequence[str], dropout: float, seed: int) -> list[list[str]]:
        """Pieces of many texts as BPE-dropout draws them (Provilkov et al. 2020, algorithm 1).

        A word comes in other pieces each time, so that a model learns what its parts mean. The
        draw is ours and not SentencePiece's, whose draws with one seed differ from process to
        process; each word has at most ``CUTS`` different cuts a call, which saves time.

        Args:
            dropout: the probability that a merge of two pieces is left out when it could be next.
            seed: the same texts, dropout and seed give the same pieces, in each process.
        """
        check_list(texts, "texts", "sentences")
        check_number(dropout, "dropout", "in (0, 1)", low=0, high=1, open_low=True)
        draw = random.Random(seed).random
        words = [["▁" + word for word in normalise(text).split()] for text in texts]
        counts = Counter(word for line in words for word in line)
        cuts = {
            word: [self._cut(word, dropout, draw) for _ in range(min(count, CUTS))]
            for word, count in counts.items()
        }
        return [
            [piece for word in line for piece in cuts[word][int(draw() * len(cuts[word]))]]
            for line in words
        ]

    def _cut(self, word: str, dropout: float, draw: Callable[[], float]) -> list[str]:
        pieces = list(word)
        while True:
            possible = [
                (self._rank[left + right], i)
                for i, (left, right) in enumerate(pairwise(pieces))
                if left + right in self._rank and draw() >= dropout
            ]
            if not possible:
                return pieces
            i = min(possible)[1]  # what was learned first is merged first
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]

    def decode(self, pieces: Sequence[str]) -> str:
        """The text that the pieces spell."""
        return "".join(pieces).replace("▁", " ").strip()


def _in_words_of(longest: int, text: str) -> str:
    """The text with a space after each ``longest`` letters of a word that has more."""
    if len(text) <= longest:
        return text
    return " ".join(
        word[start : start + longest]
        for word in text.split()
        for start in range(0, len(word), longest)
    )


def normalise(text: str) -> str:
    """Lower case, Unicode NFC, plain apostrophes, single spaces, nothing that nobody sees."""
    text = unicodedata.normalize("NFC", visible(text)).lower().translate(_PLAIN)
    return " ".join(text.split())
