"""The spool against a collector that knows more, or less, than it does."""

import random
from pathlib import Path

import pytest

from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.database import Database, UnwritableError
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.model_collector import ModelCollector
from tests.agent.uplink.spooling import ROOMY, append_frames, crashed, everything, frame, opened, sequences, tags


def test_the_collectors_cursor_is_where_sending_begins(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(10))
        assert spool.welcome(6, new_epoch_required=False)
        assert tags(everything(spool)) == list(range(6, 10))


def test_sequences_that_were_lost_with_the_power_open_a_new_epoch(tmp_path: Path) -> None:
    collector = ModelCollector()
    with crashed(tmp_path) as spool:
        append_frames(spool, range(5))
        spool.flush()
        collector.connect_and_take(spool)
        append_frames(spool, range(5, 8))
        collector.connect_and_take(spool)
        epoch = spool.epoch

    with opened(tmp_path) as spool:
        assert spool.vouched_sequence == 5
        append_frames(spool, range(8, 20))  # under sequences that the collector has stored already
        assert spool.newest_sequence > collector.cursors[epoch]
        collector.connect_and_take(spool)
        assert spool.epoch != epoch
        assert spool.empty

    assert collector.stored == list(range(20))


def test_what_an_unconnected_life_wrote_is_known_to_be_unsent_even_after_more_restarts(tmp_path: Path) -> None:
    collector = ModelCollector()
    with crashed(tmp_path) as spool:
        spool.flush(force=True)
        append_frames(spool, range(3))
        collector.connect_and_take(spool)
    for first in (3, 6, 9):
        with crashed(tmp_path) as spool:
            append_frames(spool, range(first, first + 3))
            spool.flush()
            assert (spool.oldest_sequence, spool.vouched_sequence) == (0, 0)
    with opened(tmp_path) as spool:
        collector.connect_and_take(spool)

    assert collector.stored == list(range(12))


def test_a_life_that_was_connected_before_it_died_does_not_repeat_itself(tmp_path: Path) -> None:
    collector = ModelCollector()
    with opened(tmp_path) as spool:
        append_frames(spool, range(3))
        collector.connect_and_take(spool)
    with crashed(tmp_path) as spool:
        append_frames(spool, range(3, 6))
        spool.flush()
        collector.connect_and_take(spool, acknowledge=False)
    with opened(tmp_path) as spool:
        collector.connect_and_take(spool)

    assert collector.stored == list(range(6))


def test_a_cloned_spool_keeps_what_it_has_not_sent(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(4))
        assert spool.welcome(0, new_epoch_required=False)
        epoch = spool.epoch
        assert not spool.welcome(1000, new_epoch_required=True)
        assert spool.epoch != epoch
        assert tags(everything(spool)) == list(range(4))
        assert sequences(everything(spool)) == [1, 2, 3, 4]


def test_a_gap_moves_into_the_new_epoch_less_what_the_collector_has(tmp_path: Path) -> None:
    bounds = Bounds(max_bytes=60_000, max_age_seconds=1e9)
    with opened(tmp_path, bounds) as spool:
        append_frames(spool, range(100), padding=1000)
    with opened(tmp_path, bounds) as spool:
        append_frames(spool, range(100, 200), padding=1000)
        spool.flush()
        assert everything(spool)[0].gap.last_sequence > 100
        assert not spool.welcome(100, new_epoch_required=True)
        messages = everything(spool)

    assert messages[0].gap.first_sequence == 1
    assert sequences(messages) == list(range(1, 101))


def test_nothing_is_sent_while_the_welcome_cannot_be_written(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(3))
    with crashed(tmp_path) as spool:
        append_frames(spool, range(3, 6))
        spool.flush()
        spool._database._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(UnwritableError):
            spool.welcome(0, new_epoch_required=False)
        assert spool.vouched_sequence == 3
        spool._database._connection.execute("PRAGMA query_only = OFF")
        assert spool.welcome(0, new_epoch_required=False)
        assert spool.vouched_sequence == 6


@pytest.mark.prove(short=20, whole=500)
def test_random_histories_count_every_message_once(tmp_path: Path, proof_seed: int) -> None:
    """Whatever is appended, flushed, sent, acknowledged and killed in whatever order."""
    chance = random.Random(proof_seed)
    collector = ModelCollector()
    appended, at_risk = 0, set[int]()
    may_be_lost: set[int] = set()
    for _ in range(12):
        database = Database(tmp_path)
        spool = Spool(database, ROOMY)
        for _ in range(chance.randrange(25)):
            match chance.randrange(4):
                case 0 | 1:
                    spool.append(frame(appended), Priority.IDLE_TELEMETRY)
                    at_risk.add(appended)
                    appended += 1
                case 2:
                    if spool.flush():
                        at_risk.clear()
                case _:
                    collector.connect_and_take(spool, acknowledge=chance.random() < 0.7)
        if chance.random() < 0.3:
            spool.flush(force=True)
            at_risk.clear()
        database.close()  # else as kill -9 leaves it
        may_be_lost |= at_risk
        at_risk.clear()
    with opened(tmp_path) as spool:
        collector.connect_and_take(spool)

    assert len(collector.stored) == len(set(collector.stored)), "counted twice"
    assert set(range(appended)) - set(collector.stored) <= may_be_lost
    assert collector.stored == sorted(collector.stored)
    assert collector.lost == 0
