"""``Translator``: a model with what it needs to read and write text; and its BLEU."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from seq2seq_lib._arguments import check_positive
from seq2seq_lib._text import check_text
from seq2seq_lib.batching import collate
from seq2seq_lib.corpora import detokenize, tokenize
from seq2seq_lib.decoding import Hypothesis, beam_search
from seq2seq_lib.metrics import corpus_bleu
from seq2seq_lib.vocab import UNK_ID, Vocab


@dataclass(frozen=True)
class Translation:
    """One translated line.

    Attributes:
        text: the output.
        source, target: tokens, EOS not shown.
        unknown: source tokens that the vocabulary does not hold; the model saw UNK in their place.
        log_prob: of the output, nats.
        attention: ``[len(target), len(source) + 1]``, the last column being the source's EOS; None
            for a model without attention.
        finished: False if the output was cut at the maximal length.
    """

    text: str
    source: list[str]
    target: list[str]
    unknown: list[str]
    log_prob: float
    attention: Tensor | None
    finished: bool


@dataclass(frozen=True)
class Translator:
    """A model with what it needs to read and write text.

    Attributes:
        model: has the decoding protocol; it is used on the device where it lies.
        src_vocab, tgt_vocab: of the model.
        tokenize: text to source tokens.
        detokenize: target tokens to text.
    """

    model: nn.Module
    src_vocab: Vocab
    tgt_vocab: Vocab
    tokenize: Callable[[str], Sequence[str]] = tokenize
    detokenize: Callable[[Sequence[str]], str] = detokenize

    def __call__(
        self,
        lines: Iterable[str],
        *,
        num_beams: int = 5,
        length_penalty: float = 1.0,
        max_new_tokens: int = 80,
        batch_size: int = 64,
    ) -> list[Translation]:
        """Translate lines by beam search, in the given order. An empty line reads as EOS alone.

        Raises:
            TypeError: one string in place of a list, or a line that is no string.
            ValueError: a lone surrogate in a line, which is no text; a batch size below 1; an
                output with ids that ``tgt_vocab`` does not hold.
        """
        if isinstance(lines, str):
            raise TypeError("Give a list of lines, not one string: translator([text]).")
        check_positive(batch_size, "batch_size")
        lines = list(lines)  # a generator can be read once
        for number, line in enumerate(lines, 1):
            _check_line(number, line)
        device = next(self.model.parameters()).device
        sources = [list(self.tokenize(line)) if line.strip() else [] for line in lines]
        done: list[Translation | None] = [None] * len(lines)
        for rows in _batches([len(source) + 1 for source in sources], batch_size):
            batch = collate([(self.src_vocab.encode(sources[i]), []) for i in rows]).to(device)
            found = beam_search(
                self.model,
                batch.src,
                batch.src_lengths,
                num_beams=num_beams,
                length_penalty=length_penalty,
                max_new_tokens=max_new_tokens,
            )
            for i, (best, *_) in zip(rows, found, strict=True):
                done[i] = self._translation(sources[i], best)
        return done

    def _translation(self, source: list[str], hypothesis: Hypothesis) -> Translation:
        ids = hypothesis.tokens[:-1] if hypothesis.finished else hypothesis.tokens
        attention = hypothesis.attention
        if attention is not None:  # without the row of EOS and the columns of pads
            attention = attention[: len(ids), : len(source) + 1].cpu()
        target = self.tgt_vocab.decode(ids)  # refuses those of another vocabulary
        if attention is not None and UNK_ID in ids and source:
            # "<unk>" helps nobody: copy the source word that it looked at (Luong et al. 2015b)
            looked = attention[:, :-1].argmax(1).tolist()
            target = [
                source[looked[t]] if i == UNK_ID else self.tgt_vocab.tokens[i]
                for t, i in enumerate(ids)
            ]
        return Translation(
            text=self.detokenize(target),
            source=source,
            target=target,
            unknown=[t for t in source if self.src_vocab.encode([t]) == [UNK_ID]],
            log_prob=hypothesis.log_prob,
            attention=attention,
            finished=hypothesis.finished,
        )


def bleu(translator: Translator, sources: Sequence[str], references: Sequence[str], **search):
    """BLEU of the translations of ``sources`` and the translations themselves.

    Lower-cased, tokenised by sacreBLEU ("13a") from plain text on both sides; ``references`` are
    the published lines, untouched.

    Returns:
        ``(BleuScore, list[Translation])``.
    """
    translations = translator(sources, **search)
    score = corpus_bleu([t.text for t in translations], references, lowercase=True)
    return score, translations


def _batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Rows of similar length, at most ``size``, and no more cells than ``size`` rows of 64 tokens.

    So one very long line makes a batch of its own, and costs what its tokens cost.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):  # the longest so far
        if batch and (len(batch) == size or (len(batch) + 1) * lengths[row] > 64 * size):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _check_line(number: int, line: str) -> None:
    if not isinstance(line, str):
        raise TypeError(f"Line {number} must be a string, but is {line!r}.")
    check_text(line, f"Line {number}")
