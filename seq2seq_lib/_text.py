"""What is done to every text before it is cut into words or pieces."""

import re

# Category Cf of Unicode, as far as it is met in text; joiners between letters that are written with
# them are left alone.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]"
    r"|(?<![\u0600-\u0dff\ufb50-\ufeff])[\u200c\u200d]"
)
APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")


def visible(text: str) -> str:
    """The text without the characters that nobody sees and that split words all the same.

    Unicode's format characters (category Cf): they come from web pages and word processors. The
    zero-width non-joiner and joiner stay between letters of scripts that are written with them
    (Arabic, Indic), where they tell words apart. U+2010 and U+2011 become "-".
    """
    if text.isascii():
        return text
    return _UNSEEN.sub("", text.replace("\u2010", "-").replace("\u2011", "-"))
