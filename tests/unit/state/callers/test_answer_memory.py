from __future__ import annotations

from dataclasses import replace

import pytest

from jwtgate.oauth.introspection import Answer
from jwtgate.state.callers.answer_memory import AnswerMemory, Held, question_hash

GOOD = Held(
    Answer(True, {"sub": "ann"}), 45, fresh_until=60, stale_until=60, vouched_until=60, exp=None, size_bytes=100
)
BAD = replace(GOOD, answer=Answer(False, {}), size_bytes=16)


def question(number: int) -> bytes:
    return question_hash(str(number))


def test_an_answer_is_found_by_its_question_and_by_no_other() -> None:
    memory = AnswerMemory()
    memory.keep(question(1), GOOD)
    assert memory.find(question(1)) is GOOD
    assert memory.find(question(2)) is None


def test_a_later_answer_takes_the_place_of_an_earlier_one_of_either_kind() -> None:
    memory = AnswerMemory()
    for held in (GOOD, BAD, GOOD):
        memory.keep(question(1), held)
        assert memory.find(question(1)) is held
        assert len(memory) == 1


@pytest.mark.parametrize("held", [GOOD, BAD])
def test_an_answer_can_be_forgotten(held: Held) -> None:
    memory = AnswerMemory()
    memory.keep(question(1), held)
    memory.drop(question(1))
    memory.drop(question(1))
    assert memory.find(question(1)) is None


def test_sec_70_entries_are_bounded_and_the_one_unasked_for_longest_goes() -> None:
    memory = AnswerMemory(most_entries=3)
    for number in range(3):
        memory.keep(question(number), GOOD)
    memory.find(question(0))
    memory.keep(question(3), GOOD)
    assert [memory.find(question(number)) is not None for number in range(4)] == [True, False, True, True]
    assert memory.evicted == 1
    memory.drop(question(0))
    assert memory.evicted == 1


def test_sec_70_a_flood_of_made_up_tokens_pushes_out_no_good_answer() -> None:
    memory = AnswerMemory(most_entries=10)
    memory.keep(question(0), GOOD)
    for number in range(1, 1000):
        memory.keep(question(number), BAD)
    assert memory.find(question(0)) is GOOD
    assert len(memory) == 11


def test_large_answers_are_bounded_by_their_bytes() -> None:
    memory = AnswerMemory(most_bytes=1_000_000)
    large = replace(GOOD, size_bytes=60_000)
    for number in range(100):
        memory.keep(question(number), large)
    assert len(memory) == 2
    for number in range(100, 5000):
        memory.keep(question(number), GOOD)
    assert 700 < len(memory) < 1000


def test_sec_70_every_part_of_a_question_counts_and_so_does_where_it_ends() -> None:
    questions = [
        ("main", "https://a", "id", "token", "hint"),
        ("other", "https://a", "id", "token", "hint"),
        ("main", "https://b", "id", "token", "hint"),
        ("main", "https://a", "ID", "token", "hint"),
        ("main", "https://a", "id", "token2", "hint"),
        ("main", "https://a", "id", "token", None),
        ("main", "https://a", "id", "token", ""),
        ("main", "https://a", None, "token", "hint"),
        ("main", "https://a", "idtoken", "", "hint"),
        ("main", "https://a", "id5:token", "hint"),
        ("mainhttps://a", "", "id", "token", "hint"),
    ]
    assert len({question_hash(*parts) for parts in questions}) == len(questions)


def test_the_memory_holds_no_token() -> None:
    assert question_hash("main", "secret-token") not in (b"", b"secret-token")
    assert len(question_hash("main", "secret-token")) == 32


def test_a_token_with_any_characters_has_a_hash() -> None:
    assert len(question_hash("\udcff")) == 32
