"""The map of the chapters and the picture of the laws: what they show, that they can be read."""

import itertools
import re
from dataclasses import replace

import pytest

from seq2seq_lib.course import atlas
from seq2seq_lib.course.explorers.kit import svg
from tests.support.pictures import colour, luminance, of_class, parsed, unreadable, words

ENTRY = atlas.Entry(0, "ch00_a", "Alpha", 20, (), (1,))
THREE = (
    ENTRY,
    replace(ENTRY, number=1, stem="ch01_b", title="Beta", needs=(0,), laws=()),
    replace(ENTRY, number=5, stem="ch05_c", title="Gamma", minutes=45, needs=(0, 1), laws=(1, 6)),
)
LONG = "A title of very many words that no tile of the map has room for at all"


def write(folder, stem, text):
    (folder / stem).mkdir()
    (folder / stem / "chapter.toml").write_text(text, encoding="utf-8")


def test_chapters_are_found_by_their_files(tmp_path):
    facts = 'title = "T"\nminutes = 9\nneeds = [0]\nlaws = [7]\n'
    for stem in ("ch12_b", "ch03_a", "no_chapter"):
        write(tmp_path, stem, facts)
    (tmp_path / "ch04_without").mkdir()
    found = [
        (e.number, e.stem, e.title, e.minutes, e.needs, e.laws) for e in atlas.entries(tmp_path)
    ]
    assert found == [(3, "ch03_a", "T", 9, (0,), (7,)), (12, "ch12_b", "T", 9, (0,), (7,))]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('title = "T"\nminutes = 9\nneeds = []\n', "laws"),
        ('title = "T"\nminutes = "9"\nneeds = []\nlaws = []\n', "minutes"),
        ('title = "T"\nminutes = 9\nneeds = []\nlaws = [8]\n', "law 8"),
        ('title = "T"\nminutes = 9\nneeds = []\nlaws = []\npages = 3\n', "pages"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path, text, names):
    write(tmp_path, "ch03_a", text)
    with pytest.raises(ValueError, match=rf"chapter\.toml: look at {names}\."):
        atlas.entries(tmp_path)


def positions(root):
    tiles = [(float(t.get("x")), float(t.get("y"))) for t in of_class(root, "tile")]
    assert len(set(tiles)) == len(tiles)
    return tiles


def test_a_chapter_stands_to_the_right_of_what_it_needs():
    root = parsed(atlas.course_map(THREE))
    a, b, c = positions(root)
    assert a[0] < b[0] < c[0]
    assert "0. Alpha" in words(root) and "45 min · laws 1, 6" in words(root)
    arrows = [e for e in root.iter() if e.get("stroke") == svg.GREY]
    assert len(arrows) == 2, "what Beta needs itself is not drawn a second time"


def test_the_whole_course_is_on_the_map_and_in_its_words():
    chapters = atlas.entries()
    root = parsed(atlas.course_map(here=0))
    place = dict(zip([c.number for c in chapters], positions(root), strict=True))
    told = svg.description_of(atlas.course_map())
    for chapter in chapters:
        assert f"{chapter.number}. {chapter.title}: {chapter.minutes} minutes" in told
        assert all(place[need][0] < place[chapter.number][0] for need in chapter.needs)
    assert len(of_class(root, "here")) == 1


SKIPS = tuple(
    replace(ENTRY, number=n, stem=f"ch0{n}_x", title=f"T{n}", needs=needs)
    for n, needs in enumerate([(), (), (0,), (0,), (2,), (2,), (2,), (1, 4)])
)


@pytest.mark.parametrize("chapters", [SKIPS, None], ids=["two columns between", "this course"])
def test_no_arrow_runs_behind_a_tile(chapters):
    root = parsed(atlas.course_map(chapters))
    tiles = [
        [float(t.get(side)) for side in ("x", "y", "width", "height")]
        for t in of_class(root, "tile")
    ]
    lines = [line.get("points") for line in root.iter() if line.get("stroke") == svg.GREY]
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            for step in range(1, 50):
                x, y = x0 + (x1 - x0) * step / 50, y0 + (y1 - y0) * step / 50
                behind = [t for t in tiles if 0 < x - t[0] < t[2] and 0 < y - t[1] < t[3]]
                assert not behind, f"an arrow passes ({x}, {y})"


def test_a_chapter_that_was_removed_is_needed_by_nobody():
    assert parsed(atlas.course_map([ENTRY, THREE[2]])) is not None


def test_a_circle_and_an_empty_course_are_refused():
    with pytest.raises(ValueError, match="ch00_a, ch01_b"):
        atlas.course_map([replace(ENTRY, needs=(1,)), THREE[1]])
    with pytest.raises(ValueError, match="no chapters"):
        atlas.course_map([])


def test_every_law_has_a_balance_with_two_ways_and_one_number():
    root = parsed(atlas.seven_laws(met={1}, chapters=THREE))
    pans = of_class(root, "pan")
    assert len(pans) == 14 and len(atlas.LAWS) == 7
    assert [p.get("fill") for p in pans].count(svg.BLUE) == 2
    said = " ".join(words(root))
    for number, law in atlas.LAWS.items():
        assert f"{number} {law.name}" in said and law.number in said
        assert all(line in said for line in (*law.left, *law.right))
    assert "ch. 5" in words(root) and "ch. 0 5" in words(root)


def test_the_words_of_the_picture_say_what_it_shows():
    told = svg.description_of(atlas.seven_laws(met={2}, broken={1}, chapters=THREE))
    assert (
        "Law 1, batch invariance, between the batch and the encoder: alone against in any" in told
    )
    assert "chapters 0, 5; tilted: it is broken." in told and told.count("; filled") == 1
    for number in atlas.LAWS:
        assert f"Law {number}, " in told


def test_a_broken_law_tilts_its_balance_alone():
    level = of_class(parsed(atlas.seven_laws(chapters=THREE)), "pan")
    tilted = of_class(parsed(atlas.seven_laws(broken={1}, chapters=THREE)), "pan")
    moved = [float(a.get("y")) - float(b.get("y")) for a, b in zip(tilted, level, strict=True)]
    assert sum(shift != 0 for shift in moved) == 2 and sum(moved) == 0


def test_a_law_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"no law 8. Valid: 1, 2, 3, 4, 5, 6, 7"):
        atlas.seven_laws(met={8})


@pytest.mark.parametrize(
    "picture",
    [
        atlas.seven_laws(met=atlas.LAWS, broken=atlas.LAWS),
        atlas.seven_laws(chapters=[replace(ENTRY, number=n, laws=(1, 5)) for n in range(13)]),
        atlas.course_map(here=0),
        atlas.course_map([replace(ENTRY, title=LONG, laws=(1, 2, 3, 4))]),
    ],
    ids=["laws", "laws of many chapters", "map", "long title"],
)
def test_nothing_is_cut_off_too_small_or_over_each_other(picture):
    assert unreadable(parsed(picture)) == []


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(colour(one)), luminance(colour(two))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_page_s_picture_is_readable_where_pages_are_dark_and_where_they_are_light():
    picture = atlas.for_pages(atlas.course_map(here=0))
    assert parsed(picture) is not None and "prefers-color-scheme:dark" in picture
    for paper, ink, grey in (
        (svg.PAPER, svg.INK, svg.GREY),
        (atlas.DARK[svg.PAPER], atlas.DARK[svg.INK], atlas.DARK[svg.GREY]),
    ):
        assert contrast(ink, paper) > 7 and contrast(grey, paper) > 4.5
    for light, dark in atlas.DARK.items():
        for attribute in ("fill", "stroke"):
            assert f'[{attribute}="{light}"]{{{attribute}:{dark}}}' in picture


def test_a_notebook_gets_a_png_and_the_words(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    atlas.show(atlas.course_map(THREE))
    assert shown[0]["image/png"] and "A map of 3 chapters" in shown[0]["text/plain"]
    assert "<details>" in shown[1]["text/html"] and "Gamma: 45 minutes" in shown[1]["text/html"]
    atlas.show(atlas.course_map(THREE), atlas.chapter_links(THREE))
    assert shown[3]["text/html"] == atlas.chapter_links(THREE) + shown[1]["text/html"]


def test_links_open_the_chapters_and_say_which_laws_they_meet():
    assert atlas.chapter_links([THREE[0], replace(THREE[1], title="B < C")]) == (
        '<p><a href="ch00_a.ipynb">0. Alpha</a> · <a href="ch01_b.ipynb">1. B &lt; C</a></p>'
    )
    assert atlas.law_links(THREE) == (
        '<p>Chapters of law 1: <a href="ch00_a.ipynb">0</a>, <a href="ch05_c.ipynb">5</a> · '
        'law 6: <a href="ch05_c.ipynb">5</a></p>'
    )
    assert atlas.law_links([THREE[1]]) == ""
    here = atlas.FOLDER.parents[1] / "chapters"
    for stem in re.findall('href="(.*?)"', atlas.chapter_links() + atlas.law_links()):
        assert (here / stem).exists(), stem
