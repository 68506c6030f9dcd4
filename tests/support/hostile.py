"""Texts that break programs: what nobody sees, what looks like markup, what is far too long."""

TEXTS = {
    "control characters": "a\x01b \x1b[31mred\x07 \x7f\x9c",
    "NUL": "a\0b c",
    "right to left": "\u202etxet\u202c abc \u0645\u0631\u062d\u0628\u0627",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 ok",
    "invisible": "\ufeff\u200b\u00ad\u2060\u3164\U000e0041",
    "decomposed": "e\u0301cole A\u030angstro\u0308m",
    "line ends": "a\u2028b\x85c\rd\x0be\x1cf\u2029g\r\nh",
    "markup": "</script><svg onload=alert(1)>]]>&amp; <!-- \"' --> <desc>",
    "mathtext": "$\\frac{1}{0}$ $x_ ^ $ \\",
    "special tokens": "<pad> <eos> <unk> \u2581 a\u2581b",
    "many accents": "e" + "\u0301" * 2000,
    "a word of 100,000 letters": "x" * 100_000,
    "a sentence of 100,000 letters": "ab " * 33_334,
}
SURROGATE = "pat\udce9"  # no text: a byte that was no UTF-8
