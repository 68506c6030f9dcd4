"""The words of the phrase grammar, English and French, with every form written out.

No form is computed, so none can be computed wrongly: what is irregular (cheval, chevaux; vieux,
vieil, vieille; je vois, nous voyons) looks like what is regular. All words are lower case, as
``tokenize`` makes them. Spelling is the traditional one (connaît).
"""

from typing import NamedTuple


class Noun(NamedTuple):
    """English and French, singular and plural; gender "m" or "f"; what can be said of it."""

    english: str
    english_plural: str
    french: str
    french_plural: str
    gender: str
    kind: str


class Adjective(NamedTuple):
    """An adjective: French masculine, feminine, masculine plural, feminine plural.

    Attributes:
        kinds: the nouns that it may describe.
        vowel: the masculine singular before a vowel sound (bel arbre), where it is another one.
        late: in English it can follow a small, old or new: the small red cat, but the happy young
            man.
        predicate: it can be said with "is": the cat is small, but not: the cat is other.
    """

    english: str
    french: tuple[str, str, str, str]
    kinds: frozenset[str]
    vowel: str = ""
    late: bool = False
    predicate: bool = True


class Verb(NamedTuple):
    """English base form and third person; French for je, il, nous, ils.

    Attributes:
        particle: the English word that goes with it ("looks for"), where French has none of its
            own.
        preposition: the French one that its object needs ("parler à"), where there is one.
        objects: the kinds of noun that it may have as object.
    """

    english: str
    english_third: str
    french: tuple[str, str, str, str]
    particle: str = ""
    preposition: str = ""
    objects: frozenset[str] = frozenset()


class Preposition(NamedTuple):
    """English and French tokens, and the kinds of noun that may follow."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    kinds: frozenset[str]


class Determiner(NamedTuple):
    """French masculine singular, feminine singular, plural; None for a number it does not have.

    Attributes:
        vowel: the masculine singular and the feminine singular before a vowel sound.
    """

    english: str
    french: tuple[str | None, str | None, str | None]
    vowel: tuple[str | None, str | None]


# Kinds of noun. "role" may be owned (my king), "person" and "child" may not: ma femme is my wife
# and ma fille my daughter. A "child" is never old: vieux garçon and vieille fille mean unmarried.
# One is in a "place" but on "land".
BEINGS = frozenset({"person", "child", "role", "animal"})
THINGS = frozenset({"thing", "place", "land"})
ANY = BEINGS | THINGS
PEOPLE = frozenset({"person", "child", "role"})
NOT_PEOPLE = frozenset({"animal"}) | THINGS

NOUNS = (
    Noun("man", "men", "homme", "hommes", "m", "person"),
    Noun("woman", "women", "femme", "femmes", "f", "person"),
    Noun("boy", "boys", "garçon", "garçons", "m", "child"),
    Noun("girl", "girls", "fille", "filles", "f", "child"),
    Noun("king", "kings", "roi", "rois", "m", "role"),
    Noun("queen", "queens", "reine", "reines", "f", "role"),
    Noun("uncle", "uncles", "oncle", "oncles", "m", "role"),
    Noun("aunt", "aunts", "tante", "tantes", "f", "role"),
    Noun("actress", "actresses", "actrice", "actrices", "f", "role"),
    Noun("hero", "heroes", "héros", "héros", "m", "role"),
    Noun("heroine", "heroines", "héroïne", "héroïnes", "f", "role"),
    Noun("cat", "cats", "chat", "chats", "m", "animal"),
    Noun("dog", "dogs", "chien", "chiens", "m", "animal"),
    Noun("bird", "birds", "oiseau", "oiseaux", "m", "animal"),
    Noun("horse", "horses", "cheval", "chevaux", "m", "animal"),
    Noun("animal", "animals", "animal", "animaux", "m", "animal"),
    Noun("owl", "owls", "hibou", "hiboux", "m", "animal"),
    Noun("hedgehog", "hedgehogs", "hérisson", "hérissons", "m", "animal"),
    Noun("bear", "bears", "ours", "ours", "m", "animal"),
    Noun("mouse", "mice", "souris", "souris", "f", "animal"),
    Noun("bee", "bees", "abeille", "abeilles", "f", "animal"),
    Noun("tree", "trees", "arbre", "arbres", "m", "thing"),
    Noun("table", "tables", "table", "tables", "f", "thing"),
    Noun("car", "cars", "voiture", "voitures", "f", "thing"),
    Noun("boat", "boats", "bateau", "bateaux", "m", "thing"),
    Noun("book", "books", "livre", "livres", "m", "thing"),
    Noun("game", "games", "jeu", "jeux", "m", "thing"),
    Noun("flower", "flowers", "fleur", "fleurs", "f", "thing"),
    Noun("apple", "apples", "pomme", "pommes", "f", "thing"),
    Noun("axe", "axes", "hache", "haches", "f", "thing"),
    Noun("harp", "harps", "harpe", "harpes", "f", "thing"),
    Noun("house", "houses", "maison", "maisons", "f", "place"),
    Noun("castle", "castles", "château", "châteaux", "m", "place"),
    Noun("island", "islands", "île", "îles", "f", "land"),
    Noun("school", "schools", "école", "écoles", "f", "place"),
    Noun("hotel", "hotels", "hôtel", "hôtels", "m", "place"),
    Noun("hospital", "hospitals", "hôpital", "hôpitaux", "m", "place"),
)

# French h is silent; before some words it still stops elision and liaison (le hibou, not l'hibou).
# Nothing in the spelling tells. Note héros and héroïne.
MUTE_H = frozenset(
    {"homme", "hommes", "héroïne", "héroïnes", "hôtel", "hôtels", "hôpital", "hôpitaux"}
)
ASPIRATED_H = frozenset(
    {"hibou", "hiboux", "hérisson", "hérissons", "héros", "hache", "haches", "harpe", "harpes"}
)

# Before the noun in French: beauty, age, goodness, size ("BAGS"), and "other".
BEFORE = (
    Adjective("small", ("petit", "petite", "petits", "petites"), ANY),
    Adjective("large", ("grand", "grande", "grands", "grandes"), NOT_PEOPLE),
    Adjective("beautiful", ("beau", "belle", "beaux", "belles"), ANY, vowel="bel"),
    Adjective("pretty", ("joli", "jolie", "jolis", "jolies"), NOT_PEOPLE),
    Adjective("young", ("jeune", "jeune", "jeunes", "jeunes"), BEINGS),
    Adjective("old", ("vieux", "vieille", "vieux", "vieilles"), ANY - {"child"}, vowel="vieil"),
    Adjective(
        "new", ("nouveau", "nouvelle", "nouveaux", "nouvelles"), THINGS, "nouvel", predicate=False
    ),
    Adjective("good", ("bon", "bonne", "bons", "bonnes"), NOT_PEOPLE),
    Adjective("bad", ("mauvais", "mauvaise", "mauvais", "mauvaises"), NOT_PEOPLE),
    Adjective("other", ("autre", "autre", "autres", "autres"), ANY, predicate=False),
)

# After the noun: everything else. "orange", a noun by origin, never changes.
AFTER = (
    Adjective("red", ("rouge", "rouge", "rouges", "rouges"), NOT_PEOPLE, late=True),
    Adjective("green", ("vert", "verte", "verts", "vertes"), NOT_PEOPLE, late=True),
    Adjective("blue", ("bleu", "bleue", "bleus", "bleues"), NOT_PEOPLE, late=True),
    Adjective("white", ("blanc", "blanche", "blancs", "blanches"), NOT_PEOPLE, late=True),
    Adjective("black", ("noir", "noire", "noirs", "noires"), NOT_PEOPLE, late=True),
    Adjective("grey", ("gris", "grise", "gris", "grises"), NOT_PEOPLE, late=True),
    Adjective("orange", ("orange", "orange", "orange", "orange"), NOT_PEOPLE, late=True),
    Adjective("italian", ("italien", "italienne", "italiens", "italiennes"), ANY, late=True),
    Adjective("french", ("français", "française", "français", "françaises"), ANY, late=True),
    Adjective("royal", ("royal", "royale", "royaux", "royales"), NOT_PEOPLE, late=True),
    Adjective("loyal", ("loyal", "loyale", "loyaux", "loyales"), BEINGS),
    Adjective("active", ("actif", "active", "actifs", "actives"), BEINGS),
    Adjective("happy", ("heureux", "heureuse", "heureux", "heureuses"), BEINGS),
    Adjective("dangerous", ("dangereux", "dangereuse", "dangereux", "dangereuses"), ANY),
    Adjective("strange", ("étrange", "étrange", "étranges", "étranges"), ANY),
    Adjective("famous", ("célèbre", "célèbre", "célèbres", "célèbres"), ANY),
    Adjective("expensive", ("cher", "chère", "chers", "chères"), frozenset({"thing"})),
)

DETERMINERS = (
    Determiner("the", ("le", "la", "les"), ("l'", "l'")),
    Determiner("a", ("un", "une", None), ("un", "une")),
    Determiner("some", (None, None, "des"), (None, None)),
    Determiner("this", ("ce", "cette", None), ("cet", "cette")),
    Determiner("these", (None, None, "ces"), (None, None)),
    Determiner("my", ("mon", "ma", "mes"), ("mon", "mon")),
    Determiner("his", ("son", "sa", "ses"), ("son", "son")),
    Determiner("her", ("son", "sa", "ses"), ("son", "son")),
    Determiner("our", ("notre", "notre", "nos"), ("notre", "notre")),
    Determiner("their", ("leur", "leur", "leurs"), ("leur", "leur")),
)
POSSESSIVES = frozenset({"my", "his", "her", "our", "their"})

# With an object: the cat sees the house.
TRANSITIVE = (
    Verb("see", "sees", ("vois", "voit", "voyons", "voient"), objects=ANY),
    Verb("look", "looks", ("cherche", "cherche", "cherchons", "cherchent"), "for", objects=ANY),
    Verb("find", "finds", ("trouve", "trouve", "trouvons", "trouvent"), objects=ANY),
    Verb("want", "wants", ("veux", "veut", "voulons", "veulent"), objects=NOT_PEOPLE),
    Verb("have", "has", ("ai", "a", "avons", "ont"), objects=NOT_PEOPLE),
    Verb("buy", "buys", ("achète", "achète", "achetons", "achètent"), objects=NOT_PEOPLE),
    Verb("admire", "admires", ("admire", "admire", "admirons", "admirent"), objects=ANY),
    Verb("wait", "waits", ("attends", "attend", "attendons", "attendent"), "for", objects=ANY),
    Verb("know", "knows", ("connais", "connaît", "connaissons", "connaissent"), objects=ANY),
)
# With à or de before the object: the cat dreams of the house.
INDIRECT = (
    Verb("speak", "speaks", ("parle", "parle", "parlons", "parlent"), "to", "à", BEINGS),
    Verb("think", "thinks", ("pense", "pense", "pensons", "pensent"), "of", "à", ANY),
    Verb("dream", "dreams", ("rêve", "rêve", "rêvons", "rêvent"), "of", "de", ANY),
)
# Without an object: the cat sleeps under the table.
INTRANSITIVE = (
    Verb("sleep", "sleeps", ("dors", "dort", "dormons", "dorment")),
    Verb("work", "works", ("travaille", "travaille", "travaillons", "travaillent")),
    Verb("sing", "sings", ("chante", "chante", "chantons", "chantent")),
    Verb("walk", "walks", ("marche", "marche", "marchons", "marchent")),
)
BE = Verb("be", "is", ("suis", "est", "sommes", "sont"))

WHERE = (
    Preposition(("in",), ("dans",), frozenset({"place"})),
    Preposition(("behind",), ("derrière",), ANY),
    Preposition(("in", "front", "of"), ("devant",), ANY),
    Preposition(("near",), ("près", "de"), ANY),
    Preposition(("with",), ("avec",), BEINGS),
)
OF = Preposition(("of",), ("de",), BEINGS)
