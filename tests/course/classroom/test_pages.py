"""Slides and plans come from the chapters, and nothing has to be fetched to show them."""

import json
import re
from pathlib import Path

import pytest
from classroom.plans import plans, questions, with_plans
from classroom.slides import slides_of, write_slides

ROOT = Path(__file__).parents[3]
STEMS = sorted(path.stem for path in (ROOT / "chapters").glob("ch*.ipynb"))


def markdown(text):
    return {"cell_type": "markdown", "source": [text]}


def figure(alt):
    data = {"image/png": "AAAA", "text/plain": ["[Figure]"]}
    output = {"data": data, "metadata": {"image/png": {"alt": alt}}}
    return {"cell_type": "code", "source": ["plot()"], "outputs": [output]}


def printed(text):
    outputs = [{"output_type": "stream", "name": "stdout", "text": [text]}]
    return {"cell_type": "code", "source": ["run()"], "outputs": outputs}


def seen(cells):
    """The slides of cells, without the speaker's notes."""
    page = slides_of(cells, "ch99_none").partition('class="slides">')[2].partition("<script>")[0]
    return re.sub(r"<aside[\s\S]*?</aside>", "", page)


def test_a_prediction_comes_before_its_answer_and_a_figure_has_words():
    cells = [
        markdown("# 4. A title\n\nThe question."),
        markdown("## 4.1 A section\n\nWhy.\n\n**Predict** the sum."),
        printed("<42>"),
        markdown("So it is forty-two."),
        figure("A picture of <sums>."),
        markdown("## Further reading\n\nA long list."),
    ]
    page = slides_of(cells, "ch99_none")
    question, answer = page.index("the sum."), page.index("&lt;42&gt;")
    said = page.index("So it is")
    assert question < page.index("class='fragment answer'", question) < answer
    assert answer < page.index("class='fragment'>", answer) < said, "it would give the answer away"
    assert 'alt="A picture of &lt;sums&gt;."' in page
    assert "A long list." not in seen(cells) and seen(cells).count("the sum.") == 1


def test_a_slide_has_more_than_its_heading_and_no_more_of_a_list_than_fits():
    items = "\n".join(f"- Item {number}. {'word ' * 50}" for number in range(9))
    title, long = markdown("# T\n\nHi."), "word " * 300
    assert re.findall(r"Item (\d)", seen([title, markdown(f"## In LLMs\n\n{items}")])) == ["0", "1"]
    assert seen([title, markdown(f"## Long\n\n{long}")]).count("word") == 300


def test_an_explorer_s_question_is_seen_at_once_and_not_taken_for_an_answer():
    explorer = figure("A veiled picture of the question.")
    words = "<details><summary>No buttons above? Decide, then open this</summary></details>"
    explorer["outputs"].append({"data": {"text/html": [words]}, "metadata": {}})
    page = seen([markdown("# T\n\nHi.\n\n**Predict** the sum."), explorer])
    assert "fragment" not in page and page.index("the sum.") < page.index("A veiled picture")


def test_lines_of_a_formula_are_pictures_one_by_one():
    tex = r"$$\begin{aligned} a &= b & c &= d \\ \underbrace{e_{1}}_{\text{E}} &= f \end{aligned}$$"
    page = seen([markdown("# T\n\n" + tex)])
    alts = [r"a = b \quad c = d", r"\underset{\mathrm{E}}{e_{1}} = f"]
    assert re.findall(r'height:1.9em" alt="([^"]+)" src="data:image/svg', page) == alts


def test_a_formula_is_a_picture_and_one_that_cannot_be_set_stays_as_text():
    page = slides_of([markdown(r"# T" + "\n\n" + r"$$\sqrt d$$ and $\nosuch{x}$")], "ch99_none")
    assert r'alt="\sqrt{d}"' in page and "image/svg+xml" in page
    assert r"<code>\nosuch{x}</code>" in page


@pytest.mark.parametrize("stem", STEMS)
def test_every_chapter_has_slides_that_fetch_nothing(stem, tmp_path):
    (path,) = write_slides(ROOT, tmp_path, [stem])
    text = re.sub(r"<script>[\s\S]*?</script>", "", path.read_text(encoding="utf-8"))
    assert re.findall(r"<img[^>]* src=[\"'](?!data:)", text) == []
    assert not re.search(r"<code>[^<]*\\[a-z]+", text.split("<script>")[0]), "a formula as text"
    slides = re.findall(r"<section style=[^>]*>([\s\S]*?)<aside", text)
    bare = [one for one in slides if re.fullmatch(r"\s*<h\d[^>]*>.*?</h\d>\s*", one)]
    assert len(slides) > 10 and bare == [], "a heading alone"
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?http", text)
    cells = json.loads((ROOT / "chapters" / f"{stem}.ipynb").read_text("utf-8"))["cells"]
    sections = re.findall(
        r"^## (\d+\.\d+)", "\n".join("".join(c["source"]) for c in cells), re.MULTILINE
    )
    assert all(f">{section} " in text for section in sections)


def test_an_unknown_chapter_is_named(tmp_path):
    with pytest.raises(SystemExit, match="No such chapter: ch98_x"):
        write_slides(ROOT, tmp_path, ["ch98_x"])


def test_plans_are_in_step_with_the_chapters():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert page == with_plans(page, plans(ROOT)), "run python tools/teach.py plans"


def test_each_chapter_has_a_plan_of_90_minutes():
    for plan in plans(ROOT).split("\n### ")[1:]:
        assert sum(map(int, re.findall(r"^\| (\d+) \|", plan, re.MULTILINE))) == 90, plan[:40]


@pytest.mark.parametrize("stem", STEMS)
def test_a_teacher_finds_five_questions_a_chapter_and_where_each_is_answered(stem):
    cells = json.loads((ROOT / "chapters" / f"{stem}.ipynb").read_text("utf-8"))["cells"]
    headings = re.findall(
        r"^#{2,3} (\d+\.\d+)", "\n".join("".join(c["source"]) for c in cells), re.MULTILINE
    )
    asked = questions(stem)
    assert len({one["asks"] for one in asked}) == 5
    for one in asked:
        assert one["asks"].endswith("?") or "?" in one["asks"]
        assert one["shown"] in headings and len(one["answer"]) > 40


def test_the_table_adds_up():
    rows = re.findall(r"^\| .+? \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|", plans(ROOT), re.MULTILINE)
    numbers = [[int("".join(re.findall(r"\d+", cell)) or 0) for cell in row] for row in rows]
    *chapters, all_of_them = numbers[1:]
    read, spend, points, bonus = map(sum, zip(*chapters, strict=True))
    assert all_of_them == [round(read / 60), round(spend / 60), points, bonus]
    assert len(chapters) == len(STEMS)
