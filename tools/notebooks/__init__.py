"""How the course's notebooks are made: the parts of ``tools/build_notebooks.py``.

``paths`` says where things are, ``cells`` turns a source into cells, ``normalise`` takes out of
outputs what wanders from run to run, ``build`` executes and checks, ``back`` carries edits home.
``chapters`` finds what belongs to one chapter, by its stem.
"""
