"""A reader's own parallel text: what is read, what is refused and in which words."""

import gzip

import pytest

from seq2seq_lib.corpora import CorpusError, check_overlap, own_corpus, read_parallel

SOURCES = [f"der Hund Nummer {n}" for n in range(40)]
TARGETS = [f"dog number {n}" for n in range(40)]


def write(path, lines, encoding="utf-8", end="\n"):
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


@pytest.fixture
def two(tmp_path):
    return write(tmp_path / "my.de", SOURCES), write(tmp_path / "my.en", TARGETS)


def test_two_files_and_one_with_columns_are_the_same_text(two, tmp_path):
    pairs = tuple(zip(SOURCES, TARGETS, strict=True))
    assert read_parallel(two).pairs == pairs
    rows = [f"{n}\t{t}\t{s}" for n, (s, t) in enumerate(pairs)]
    table = write(tmp_path / "my.tsv", rows)
    assert read_parallel([table], columns=(3, 2)).pairs == pairs
    assert read_parallel([table], columns=(3, 2)).digest == read_parallel(two).digest


def test_only_a_line_feed_ends_a_line(tmp_path):
    source = tmp_path / "s"
    source.write_bytes("\ufeffone\u2028still one\r\ntwo\u0085 too\r\n".encode())
    target = write(tmp_path / "t", ["eins", "zwei"])
    assert [s for s, _ in read_parallel([source, target]).pairs] == [
        "one\u2028still one",
        "two\u0085 too",
    ]


def test_packed_files_are_unpacked(two, tmp_path):
    packed = tmp_path / "my.de.gz"
    packed.write_bytes(gzip.compress(two[0].read_bytes()))
    assert read_parallel([packed, two[1]]).pairs == read_parallel(two).pairs
    content = packed.read_bytes()
    renamed = tmp_path / "my.de.txt"  # its name does not say so
    renamed.write_bytes(content)
    assert read_parallel([renamed, two[1]]).pairs == read_parallel(two).pairs
    for damaged in (content[:40], content[:40] + b"\xff\xff\xff" + content[43:], b"Hund\n" * 40):
        packed.write_bytes(damaged)
        with pytest.raises(CorpusError, match="my.de.gz cannot be read"):
            read_parallel([packed, two[1]])


def test_unequal_counts_are_refused(two, tmp_path):
    with pytest.raises(CorpusError, match="my.de has 40 lines, short.en 39: from some line on"):
        read_parallel([two[0], write(tmp_path / "short.en", TARGETS[:-1])])


def test_a_few_empty_sides_are_left_out_and_many_refused(two, tmp_path):
    holes = [t if n not in (3, 7) else " " for n, t in enumerate(TARGETS)]
    text = read_parallel([two[0], write(tmp_path / "holes.en", holes)])
    assert text.empty == (4, 8) and len(text.pairs) == 38 and text.numbers[3] == 5
    unseen = [t if n not in (3, 7) else "\u200b\ufeff" for n, t in enumerate(TARGETS)]
    assert read_parallel([two[0], write(tmp_path / "unseen.en", unseen)]).empty == (4, 8)
    assert "2 lines with an empty side are left out (the first: 4, 8)" in own_corpus(text)[1][0]
    holes[:3] = ["", "", ""]
    with pytest.raises(
        CorpusError, match=r"5 of 40 lines have an empty side \(the first: 1, 2, 3\)"
    ):
        read_parallel([two[0], write(tmp_path / "more.en", holes)])


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a\tb", "a"], "line 2 has 1 column.* where line 1 has 2"),
        (["a\tb", "a\tb\tc"], "line 2 has 3 column.* where line 1 has 2"),
        (["a b"], "line 1 has 1 column.*, but column 2 is asked for"),
        ([], "no line has a source and a target"),
        (["\t", "\t"], "no line has a source and a target"),
    ],
)
def test_columns_that_are_not_there_are_named(tmp_path, rows, says):
    path = tmp_path / "my.tsv"
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(CorpusError, match=says):
        read_parallel([path])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x\nGröße\n".encode("latin-1"), "not utf-8: line 2 has the byte 0xf6 at position 3"),
        ("Größe\n".encode("utf-16"), "mark of UTF-16: give --encoding utf-16"),
        ("Größe\n".encode("utf-16-le"), "not utf-8|NUL"),
        ("so what\n".encode("utf-16-le"), "NUL in line 1"),
    ],
)
def test_another_encoding_is_refused_and_never_guessed(tmp_path, content, says):
    path = tmp_path / "my.de"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=says):
        read_parallel([path, path])


def test_an_encoding_that_is_given_is_used(tmp_path):
    for encoding in ("latin-1", "utf-16", "utf-16-le"):
        path = write(tmp_path / encoding, ["Größe"], encoding)
        assert read_parallel([path, path], encoding=encoding).pairs == (("Größe", "Größe"),)
    with pytest.raises(CorpusError, match="unknown encoding: klingon"):
        read_parallel([path, path], encoding="klingon")


def test_missing_files_and_wrong_numbers_of_files(two, tmp_path):
    with pytest.raises(CorpusError, match="There is no file .*gone"):
        read_parallel([two[0], tmp_path / "gone"])
    with pytest.raises(ValueError, match="two files, or one with columns, but not 3"):
        read_parallel([*two, two[0]])
    for columns in ((0, 1), (2, 2), (1, 2, 3), "12"):
        with pytest.raises(ValueError, match="two different numbers from 1 on"):
            read_parallel([two[0]], columns=columns)
    with pytest.raises(ValueError, match="are of one file, but there are two"):
        read_parallel(two, columns=(1, 2))
    for path in (two[0], str(two[0])):
        with pytest.raises(TypeError, match="files must be a list of one or two paths"):
            read_parallel(path)


def test_carriage_returns_alone_are_named(tmp_path):
    """Otherwise the whole file would be one line."""
    paths = [write(tmp_path / name, ["eins", "zwei"], end="\r") for name in "st"]
    with pytest.raises(CorpusError, match="s has no line feed, but carriage returns"):
        read_parallel(paths)


def test_targets_that_are_their_sources_are_told_of_and_refused_if_all_are(two, tmp_path):
    with pytest.raises(CorpusError, match="nothing to translate. Is one file given twice"):
        own_corpus(read_parallel([two[0], two[0]]))
    some = write(tmp_path / "some.en", [*SOURCES[:3], *TARGETS[3:]])
    assert "3 pairs have one text on both sides" in own_corpus(read_parallel([two[0], some]))[1][0]


def test_the_split_is_by_source_and_the_same_each_time(tmp_path):
    """Ten sources with four translations each, one source in capitals with a full stop."""
    sources = [f"hund {n}" if n % 2 else f"HUND {n}." for n in range(10)] * 2
    sources += [f"Hund {n}!" for n in range(10)] * 2
    paths = [write(tmp_path / "s", sources), write(tmp_path / "t", TARGETS)]
    corpus, notes = own_corpus(read_parallel(paths), valid_share=0.3)
    assert len(corpus.valid) == 12 and len(corpus.train) == 28
    bare = [{p.source[0].lower().rstrip(".!") for p in s} for s in (corpus.train, corpus.valid)]
    assert not bare[0] & bare[1]
    assert own_corpus(read_parallel(paths), valid_share=0.3)[0] == corpus
    assert own_corpus(read_parallel(paths), valid_share=0.3, seed=1)[0] != corpus
    assert "12 pairs are kept for validation, split by source" in notes[-1]


def test_punctuation_alone_is_a_sentence_of_its_own(tmp_path):
    paths = [write(tmp_path / "s", ["?", "!", "...", "a"]), write(tmp_path / "t", "wxyz")]
    corpus, _ = own_corpus(read_parallel(paths), valid_share=0.25)
    assert len(corpus.valid) == 1


def test_one_source_cannot_be_split(tmp_path):
    paths = [write(tmp_path / "s", ["Run!", "run"]), write(tmp_path / "t", ["a", "b"])]
    with pytest.raises(CorpusError, match="1 distinct source cannot be split"):
        own_corpus(read_parallel(paths))


def test_seen_sources_are_told_of_and_many_refused(two, tmp_path):
    train = read_parallel(two)
    lines = ["NEU", "DER HUND, Nummer 3!", *(f"neu {n}" for n in range(98))]
    paths = [write(tmp_path / "v.de", lines), write(tmp_path / "v.en", ["x"] * 100)]
    (note,) = check_overlap(train, read_parallel(paths))
    assert "1 of 100 sources are in my.de + my.en, too (the first: line 2, 'DER HUND" in note
    few = read_parallel([write(p, p.read_text("utf-8").split("\n")[:50]) for p in paths])
    with pytest.raises(CorpusError, match="measures memory.*--allow-overlap"):
        own_corpus(train, few)
    assert own_corpus(train, few, allow_overlap=True)[0].valid[1].target == ("x",)


def test_repeated_pairs_are_told_of(tmp_path):
    paths = [
        write(tmp_path / "s", [*SOURCES, SOURCES[0]]),
        write(tmp_path / "t", [*TARGETS, TARGETS[0]]),
    ]
    _, notes = own_corpus(read_parallel(paths))
    assert "1 pairs repeat an earlier one" in notes[0]
