"""The spool: order, restarts, bounds."""

from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.telemetry import Channel, channel_to_message
from edgeprof.v1.telemetry_pb2 import GapCause
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.row import Priority
from edgeprof_agent.uplink.spool import Spool
from tests.agent.uplink.spooling import (
    append_frames,
    crashed,
    event,
    everything,
    frame,
    opened,
    sequences,
    tags,
)

TEMPERATURE = Channel("edgeprof_temperature_celsius", (("chip", "cpu"), ("place", "die")), "/sys/temp", 0.1)
POWER = Channel("edgeprof_power_watts", (("chip", "ina"), ("rail", "in")), "/sys/power", 0.001)


def stored_rows(spool: Spool) -> int:
    count: int = spool._database.rows("SELECT count(*) FROM messages")[0][0]
    return count


def test_messages_come_back_in_order_with_sequences_from_one(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        given = [spool.append(frame(tag), Priority.IDLE_TELEMETRY) for tag in range(100, 120)]
        messages = everything(spool)

    assert given == [message.sequence for message in messages] == list(range(1, 21))
    assert tags(messages) == list(range(100, 120))


def test_a_page_spans_the_file_and_what_waits_in_memory(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(5))
        spool.flush()
        append_frames(spool, range(5, 10))

        assert [message.sequence for message in spool.read_after(3, 4)] == [4, 5, 6, 7]
        assert [message.sequence for message in spool.read_after(8, 4)] == [9, 10]
        assert spool.read_after(10, 4) == []


def test_a_stopped_spool_goes_on_where_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(10))
        spool.acknowledge(4)
        epoch = spool.epoch

    with opened(tmp_path) as spool:
        assert spool.epoch == epoch
        assert (spool.oldest_sequence, spool.newest_sequence) == (5, 10)
        assert tags(everything(spool)) == list(range(4, 10))
        assert spool.append(frame(10), Priority.IDLE_TELEMETRY) == 11


def test_an_empty_spool_remembers_the_last_sequence(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(10))
        spool.acknowledge(10)

    with opened(tmp_path) as spool:
        assert spool.empty
        assert (spool.oldest_sequence, spool.newest_sequence) == (0, 10)
        assert spool.append(frame(10), Priority.IDLE_TELEMETRY) == 11


def test_what_is_acknowledged_before_it_is_written_never_reaches_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(3))
        spool.acknowledge(3)
        assert not spool.dirty
        append_frames(spool, range(3, 5))
        spool.acknowledge(4)
        spool.flush()
        assert stored_rows(spool) == 1


def test_an_acknowledgement_of_more_than_there_is_changes_nothing_more(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(3))
        spool.acknowledge(99)
        assert spool.append(frame(3), Priority.IDLE_TELEMETRY) == 4
        assert tags(everything(spool)) == [3]


def test_many_messages_do_not_wait_in_memory(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(100), padding=10_000)
        assert spool._pending_bytes <= 256 * 1024
        assert stored_rows(spool) > 50
        assert tags(everything(spool)) == list(range(100))


def test_a_full_spool_drops_idle_telemetry_first_and_run_events_last(tmp_path: Path) -> None:
    with opened(tmp_path, Bounds(max_bytes=1_000_000, max_age_seconds=1e9)) as spool:
        for tag in range(30):
            spool.append(event(1000 + tag), Priority.RUN_EVENT)
            spool.append(frame(2000 + tag, run_id="run", padding=1000), Priority.RUN_TELEMETRY)
            append_frames(spool, range(3000 + 30 * tag, 3030 + 30 * tag), padding=1000)
        spool.flush()
        kept = tags(everything(spool))
        assert [tag for tag in kept if 1000 <= tag < 2000] == list(range(1000, 1030))
        assert [tag for tag in kept if 2000 <= tag < 3000] == list(range(2000, 2030))
        idle = [tag for tag in kept if tag >= 3000]
        assert 0 < len(idle) < 900
        assert idle == list(range(3900 - len(idle), 3900)), "the newest idle frames are kept"

        for tag in range(1000):
            spool.append(frame(4000 + tag, run_id="run", padding=1000), Priority.RUN_TELEMETRY)
        spool.flush()
        kept = tags(everything(spool))
        assert [tag for tag in kept if 1000 <= tag < 2000] == list(range(1000, 1030))
        assert not [tag for tag in kept if 3000 <= tag < 4000]
        assert kept[-1] == 4999


def test_gaps_account_for_everything_that_was_dropped_and_merge(tmp_path: Path) -> None:
    bounds = Bounds(max_bytes=100_000, max_age_seconds=1e9)
    with opened(tmp_path, bounds) as spool:
        for tag in range(400):
            spool.append(frame(tag, padding=1000), Priority.IDLE_TELEMETRY)
            if tag % 10 == 0:
                spool.flush()
        spool.flush()
        messages = everything(spool)

    assert sequences(messages) == list(range(1, 401))
    assert [message.gap.cause for message in messages if message.HasField("gap")] == [GapCause.GAP_CAUSE_SPOOL_FULL]
    assert messages[0].HasField("gap")
    assert tmp_path.joinpath("spool.db").stat().st_size < 2 * bounds.max_bytes
    with opened(tmp_path, bounds) as spool:
        assert everything(spool) == messages
        assert spool.oldest_sequence == 1, "the gap itself is the oldest that waits"


def test_old_messages_are_dropped_by_the_time_in_which_the_agent_ran(tmp_path: Path) -> None:
    now = 1000.0
    database = Database(tmp_path)
    spool = Spool(database, Bounds(max_bytes=10**8, max_age_seconds=100), clock=lambda: now)
    append_frames(spool, range(5))
    spool.flush()
    now += 60
    append_frames(spool, range(5, 10))
    spool.flush()
    database.close()

    now = 5.0  # another boot, long after: the spool's clock rested meanwhile
    database = Database(tmp_path)
    spool = Spool(database, Bounds(max_bytes=10**8, max_age_seconds=100), clock=lambda: now)
    now += 50
    append_frames(spool, [10])
    spool.flush()
    messages = everything(spool)
    database.close()

    assert tags(messages) == [*range(5, 10), 10]
    assert sequences(messages) == list(range(1, 12))
    assert messages[0].gap.cause == GapCause.GAP_CAUSE_SPOOL_AGE


def test_space_is_given_back_when_a_large_spool_has_been_sent(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        append_frames(spool, range(2000), padding=10_000)
        spool.flush()
        file = tmp_path / "spool.db"
        spool.acknowledge(2000)
        spool.flush()
    assert file.stat().st_size < 1_000_000


def test_layouts_keep_their_numbers_across_a_crash(tmp_path: Path) -> None:
    with crashed(tmp_path) as spool:
        first, second = spool.layout_number((TEMPERATURE,)), spool.layout_number((TEMPERATURE, POWER))
        assert first != second
        assert spool.layout_number((TEMPERATURE,)) == first

    with opened(tmp_path) as spool:
        assert spool.layout_number((TEMPERATURE, POWER)) == second
        assert spool.layout_number((POWER,)) not in (first, second)
        layout = spool.layout(second)
        assert layout.layout == second
        assert list(layout.channels) == [channel_to_message(TEMPERATURE), channel_to_message(POWER)]


def test_a_layout_is_forgotten_when_no_message_needs_it_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        number = spool.layout_number((TEMPERATURE,))
        append_frames(spool, [1])
        spool.flush()
        kept = spool.layout_number((POWER,))
        assert spool.layout(number).layout == number
        append_frames(spool, [2])
        spool.acknowledge(1)
        newest = spool.layout_number((TEMPERATURE, POWER))
        with pytest.raises(KeyError):
            spool.layout(number)
        assert spool.layout(kept).layout == kept

    with opened(tmp_path) as spool:
        assert spool.layout_number((TEMPERATURE,)) > newest
        assert spool.layout(kept).layout == kept


def test_two_agents_cannot_share_a_spool(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(EdgeprofError, match=r"another edgeprof-agent \(process \d+\) uses .*: stop"):
        Database(tmp_path)
    with opened(tmp_path) as spool:
        assert spool.empty


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeprofError, match=r"spool\.lock cannot be written: .*--state-folder"):
        Database(tmp_path / "file" / "state")


def test_a_spool_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as spool:
        spool._database._connection.execute("PRAGMA user_version = 99")
    with pytest.raises(EdgeprofError, match="written by a newer edgeprof-agent"):
        Database(tmp_path)
    assert [path.name for path in tmp_path.glob("spool.db*")] == ["spool.db"]
