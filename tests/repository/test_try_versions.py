"""tools/try_versions.py makes an environment for each Python that is named."""

import try_versions


def test_each_python_has_an_environment_of_its_own():
    named = ["3.12", "3.13", "/opt/3.12/bin/python", "/opt/3.13/bin/python", "C:\\313\\python.exe"]
    folders = [
        try_versions.environment_of(which, python)
        for which in try_versions.WHICH
        for python in named
    ]
    assert len(set(folders)) == len(folders)
    assert {folder.parent for folder in folders} == {try_versions.ROOT / "build" / "versions"}
