"""The course as two pictures: its chapters, and the seven laws.

A chapter says what it is in ``chapter.toml``, in its own folder beside this one::

    title = "Padding masks and the masked loss"
    minutes = 45         # to read
    needs = [0]          # numbers of the chapters to read before
    laws = [1, 3]        # of seq2seq_lib.laws that it meets

Nothing lists the chapters: a folder ``chNN_name`` that holds this file is on the map, and a chapter
is taken off it by removing its folder.
"""

from seq2seq_lib.course.atlas.balances import seven_laws
from seq2seq_lib.course.atlas.chapter_map import course_map
from seq2seq_lib.course.atlas.entries import FACTS, FOLDER, Entry, entries
from seq2seq_lib.course.atlas.laws import LAWS, Law
from seq2seq_lib.course.atlas.pages import DARK, chapter_links, for_pages, law_links, show

__all__ = [
    "DARK",
    "FACTS",
    "FOLDER",
    "LAWS",
    "Entry",
    "Law",
    "chapter_links",
    "course_map",
    "entries",
    "for_pages",
    "law_links",
    "seven_laws",
    "show",
]
