"""The few settings that explorers are drawn with stand for all of them."""

from itertools import combinations, product

from tests.support.covering import covering


def test_each_pair_of_values_is_there_and_few_settings_are():
    every = [
        {"cell": cell, "bias": bias, "second": second, "cursor": cursor}
        for cell, bias, second, cursor in product("ab", range(4), (False, True), range(3))
    ] + [{"cell": "c", "weight": weight} for weight in (0.5, 1.0)]
    few = covering(every)
    assert all(one in every for one in few) and len(few) < len(every) / 2
    for names in combinations(("cell", "bias", "second", "cursor", "weight"), 2):
        of_all, of_few = (
            {tuple(map(one.get, names)) for one in some if one.keys() >= {*names}}
            for some in (every, few)
        )
        assert of_few == of_all, names
