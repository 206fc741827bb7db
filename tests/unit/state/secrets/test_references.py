from __future__ import annotations

from pathlib import Path

import pytest

from jwtgate.errors import ConfigError
from jwtgate.state.secrets.references import Reference, Secrets, references_in, store_references


class Stores:
    """Two stores, of which one was read: under each path it holds the path in capitals."""

    names = frozenset({"vault", "aws"})
    warnings = ("A file of ours is open to all.",)

    def value(self, reference: Reference) -> str:
        if reference.store == "aws":
            raise ConfigError(f"The reference {reference} was not read yet.")
        return reference.path.upper() + (reference.field or "")


def secrets(folder: Path, **environ: str) -> Secrets:
    return Secrets(folder, environ)


def problem(given: Secrets, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        given.resolve(text)
    (sentence,) = caught.value.problems
    return str(sentence)


def test_a_text_without_references_stays_as_it_is(tmp_path: Path) -> None:
    assert secrets(tmp_path).resolve("a $ {b} $x") == "a $ {b} $x"


def test_every_reference_of_a_text_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("two")
    given = Secrets(tmp_path, {"A": "one"}, Stores())
    assert given.resolve("${env:A}-${file:b}-${vault:c/d}-${vault:c#e}") == "one-two-C/D-Ce"


def test_a_value_is_not_expanded_again(tmp_path: Path) -> None:
    assert secrets(tmp_path, A="${env:B}", B="secret").resolve("${env:A}") == "${env:B}"


def test_a_doubled_dollar_stands_for_the_literal(tmp_path: Path) -> None:
    assert secrets(tmp_path, A="one").resolve("$${env:A} ${env:A}") == "${env:A} one"


def test_an_absolute_path_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    assert secrets(tmp_path / "elsewhere").resolve(f"${{file:{tmp_path}/f}}") == "x"


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "a#b:c").write_text("x")
    assert secrets(tmp_path).resolve("${file:../" + tmp_path.name + "/a#b:c}") == "x"


def test_a_field_of_a_variable_that_holds_json_is_picked(tmp_path: Path) -> None:
    given = secrets(tmp_path, A='{"b": {"c": "deep"}, "d": 5}')
    assert given.resolve("${env:A#b/c} ${env:A#d}") == "deep 5"
    assert "no such field" in problem(given, "${env:A#x}")
    assert "no JSON object" in problem(secrets(tmp_path, A="swordfish"), "${env:A#x}")


@pytest.mark.parametrize(
    "text",
    ["${env:NONE}", "${vault:a}", "${NONE}", "${env:}", "${file:none}", "${}", "${:a}", "${env:A#}", "${aws:a#b}"],
)
def test_sec_149_a_reference_that_leads_nowhere_is_named(tmp_path: Path, text: str) -> None:
    assert text in problem(secrets(tmp_path, A="swordfish"), text)


def test_sec_149_what_a_store_does_not_have_is_refused(tmp_path: Path) -> None:
    given = Secrets(tmp_path, {}, Stores())
    assert problem(given, "x${aws:a#b}") == "The reference ${aws:a#b} was not read yet."


@pytest.mark.parametrize(("name", "meant"), [("valt", "vault"), ("evn", "env"), ("fil", "file")])
def test_the_store_that_was_probably_meant_is_named(tmp_path: Path, name: str, meant: str) -> None:
    assert f"Did you mean {meant!r}?" in problem(Secrets(tmp_path, {}, Stores()), f"${{{name}:a}}")


def test_a_store_that_is_like_no_other_brings_no_suggestion(tmp_path: Path) -> None:
    sentence = problem(Secrets(tmp_path, {}, Stores()), "${xyz:a}")
    assert "'xyz', which is no entry of `secret_stores`" in sentence
    assert "Did you mean" not in sentence


@pytest.mark.parametrize("path", ["../a", "a/../b", ".", "a/.", "a\nb", "a\u202eb"])
def test_sec_149_a_path_that_climbs_or_hides_is_refused(tmp_path: Path, path: str) -> None:
    sentence = problem(Secrets(tmp_path, {}, Stores()), f"${{vault:{path}}}")
    assert "has a path with" in sentence
    assert sentence.isprintable()


def test_a_reference_that_is_never_closed_is_not_plain_text(tmp_path: Path) -> None:
    assert "not of the form" in problem(secrets(tmp_path, A="x"), "${env:A")


def test_a_problem_never_quotes_a_value(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"sword\xfffish")
    assert "sword" not in problem(secrets(tmp_path), "${file:f}")
    assert "sword" not in problem(secrets(tmp_path, A='{"swordfish": ["swordfish"]}'), "${env:A#b}")


def test_sec_149_a_secret_everybody_may_read_is_warned_of(tmp_path: Path) -> None:
    given = secrets(tmp_path)
    for name, mode in (("open", 0o644), ("closed", 0o640)):
        (tmp_path / name).write_text("swordfish")
        (tmp_path / name).chmod(mode)
        given.resolve(f"${{file:{name}}}")
    (warning,) = given.warnings
    assert "'open'" in warning
    assert "swordfish" not in warning


def test_sec_149_warnings_of_the_stores_are_passed_on(tmp_path: Path) -> None:
    assert Secrets(tmp_path, {}, Stores()).warnings == Stores.warnings


def test_texts_that_refer_to_a_store_are_found_wherever_they_stand() -> None:
    data = {
        "a": [{"b": "x${vault:p#f}y"}, "${vault:p#f}", "${env:A}", "$${vault:q}"],
        "c": ("${aws:r}", 5, None, True),
        "${vault:key}": "plain",
        "d": "x${vault:p#f}y",
    }
    assert references_in(data) == ("x${vault:p#f}y", "${vault:p#f}", "${aws:r}")


def test_references_to_stores_are_read_from_texts_once_each() -> None:
    texts = ["${vault:p#f}${env:A}${aws:r}", "${vault:p#f}", "${vault:../x}", "$${vault:q}", "${vault:open"]
    assert store_references(texts) == (Reference("vault", "p", "f"), Reference("aws", "r"))


@pytest.mark.parametrize("text", ["${vault:a/b#c/d}", "${aws:arn:aws:secretsmanager:eu-west-1:1:secret:x}"])
def test_a_reference_is_shown_as_it_was_written(text: str) -> None:
    (reference,) = store_references([text])
    assert str(reference) == text
