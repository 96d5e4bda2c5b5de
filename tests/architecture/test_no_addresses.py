"""No file of the project tells where it was written or where its parts were fetched from."""

import re

import pytest

from tests.architecture.project import own_files, text_of

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = [
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("npm", "pkg", "github", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
        ("index", "docker", "io"),
        ("ghcr", "io"),
    )
]
FOLDERS = [f"/{name}/" for name in ("".join(("wo", "rk")), "".join(("ro", "ot")), "".join(("ho", "me")), "Users")]
# An absolute path: not in the middle of an address or of a relative path.
PATHS = re.compile("|".join(rf"(?<![\w.…/>}}~-]){re.escape(folder)}[\w.]" for folder in FOLDERS))
TEMPORARY = re.compile(r"(?<![\w./}-])/tmp/[\w.]")


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_registry_of_packages(host: str) -> None:
    assert [name for name in own_files() if host in text_of(name)] == []


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    assert {name: found[0] for name in own_files() if (found := PATHS.search(text_of(name)))} == {}


def test_no_file_relies_on_a_temporary_folder_of_a_fixed_name() -> None:
    assert [name for name in own_files() if TEMPORARY.search(text_of(name))] == []


def test_the_node_lock_does_not_say_where_its_packages_lie() -> None:
    lock = text_of("package-lock.json")
    assert '"integrity"' in lock
    assert '"resolved"' not in lock


def test_no_file_of_requirements_names_an_index() -> None:
    requirements = [name for name in own_files() if name.startswith("requirements/") and name.endswith(".txt")]
    options = re.compile(r"^\s*(--(extra-)?index-url|--find-links|-i|-f)\b", re.M)
    assert requirements
    assert [name for name in requirements if options.search(text_of(name))] == []


def test_the_scan_of_paths_sees_what_it_looks_for() -> None:
    assert all(PATHS.search(f'open("{folder}plan.txt")') for folder in FOLDERS)
    assert not any(PATHS.search(f"https://example.com/a{folder}plan") for folder in FOLDERS)
