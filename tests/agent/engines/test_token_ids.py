from edgeprof_agent.engines.token_ids import token_id

ALL = 1 << 64


def test_the_generator_is_splitmix64() -> None:
    # The first outputs for seed 1234567, as published with the reference implementation in C.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [token_id(1234567, position, ALL) for position in range(5)] == expected


def test_ids_stay_in_the_vocabulary_and_use_all_of_it() -> None:
    ids = {token_id(7, position, 50) for position in range(1000)}
    assert ids == set(range(50))


def test_another_seed_gives_other_tokens() -> None:
    assert [token_id(1, position, 32000) for position in range(8)] != [
        token_id(2, position, 32000) for position in range(8)
    ]
