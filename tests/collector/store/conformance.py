"""What every store must do. A store's own tests inherit this and give the fixture ``store``."""

import threading
from dataclasses import replace

import pytest

from edgeprof.run import PeakBandwidth, PeakMethod, PhaseKind, RunEvent, RunState
from edgeprof.telemetry import Gap, GapCause, Placement, decode_block
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.protocol import Admission, Delivery, Store
from tests.collector.store.samples import (
    BOOT,
    BUSY,
    DEVICE,
    EPOCH,
    FAST,
    LIFE,
    MEMORY,
    WALL_NS,
    arrival,
    delivery,
    event_message,
    facts,
    facts_message,
    finished,
    frame_message,
    gap_message,
    greeting,
    layout,
    phase,
    request,
    started,
)

NEVER_SENT = GapCause.NEVER_SENT
SPOOL_FULL = GapCause.SPOOL_FULL


def gap(first: int, last: int, cause: GapCause = SPOOL_FULL) -> Gap:
    return Gap(first_sequence=first, last_sequence=last, cause=cause)


class StoreConformance:
    """Inherited by the test class of each store."""

    # Devices, spools and cursors

    def test_a_new_device_begins_at_its_first_message(self, store: Store) -> None:
        assert store.admit([greeting(oldest=1, newest=9)]) == (Admission(0),)
        assert [device.facts for device in store.devices()] == [facts()]

    def test_facts_and_last_seen_follow_the_latest_hello(self, store: Store) -> None:
        store.admit([greeting(wall_ns=WALL_NS)])
        store.admit([greeting(wall_ns=WALL_NS + 5)])
        store.commit([delivery(frame_message(1), layouts=[layout()], wall_ns=WALL_NS + 7)])
        (device,) = store.devices()
        assert (device.first_seen_wall_ns, device.last_seen_wall_ns) == (WALL_NS, WALL_NS + 7)

    def test_facts_that_change_later_replace_those_of_the_hello(self, store: Store) -> None:
        store.admit([greeting(), greeting("other")])
        changed = facts_message()
        changed.governor = "performance"
        store.describe(changed)
        assert [device.facts.governor for device in store.devices()] == ["performance", None]
        assert store.devices()[0].first_seen_wall_ns == WALL_NS

    def test_facts_of_a_device_that_never_connected_are_left_out(self, store: Store) -> None:
        store.describe(facts_message())
        assert store.devices() == ()

    def test_a_commit_moves_each_devices_cursor(self, store: Store) -> None:
        store.admit([greeting("a"), greeting("b")])
        both = [
            delivery(frame_message(1), frame_message(2), device_id="a", layouts=[layout()]),
            delivery(frame_message(1), device_id="b", layouts=[layout()]),
        ]
        assert store.commit(both) == (2, 1)
        assert store.admit([greeting("a", newest=2), greeting("b", newest=1)]) == (Admission(2), Admission(1))

    def test_duplicates_are_left_out(self, store: Store) -> None:
        store.admit([greeting()])
        run = [event_message(1, started()), frame_message(2, run_id="run-1")]
        store.commit([delivery(*run, layouts=[layout()])])
        again = [*run, frame_message(3, run_id="run-1")]
        assert store.commit([delivery(*run), delivery(*again)]) == (2, 3)
        assert len(store.telemetry("run-1").frames) == 2

    def test_what_does_not_follow_the_cursor_is_left_out(self, store: Store) -> None:
        store.admit([greeting()])
        assert store.commit([delivery(event_message(2, started()))]) == (0,)
        assert store.runs() == ()

    def test_an_epoch_that_was_never_admitted_is_left_out(self, store: Store) -> None:
        store.admit([greeting()])
        assert store.commit([delivery(event_message(1, started()), epoch=b"another")]) == (0,)
        assert store.runs() == ()

    def test_epochs_count_apart(self, store: Store) -> None:
        store.admit([greeting(epoch=b"one"), greeting(epoch=b"two")])
        store.commit([delivery(frame_message(1), epoch=b"one", layouts=[layout()])])
        assert store.admit([greeting(epoch=b"one", newest=1), greeting(epoch=b"two")]) == (Admission(1), Admission(0))
        assert len(store.devices()) == 1

    def test_a_spool_behind_its_cursor_must_begin_anew(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), frame_message(2), layouts=[layout()])])
        assert store.admit([greeting(oldest=1, newest=1)]) == (Admission(2, new_epoch_required=True),)
        assert store.admit([greeting(newest=2)]) == (Admission(2),)

    def test_an_agent_that_starts_again_goes_on_with_its_epoch(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), layouts=[layout()])])
        assert store.admit([greeting(oldest=2, newest=3, lives=[b"life 2", LIFE])]) == (Admission(1),)
        assert store.commit([delivery(frame_message(2))]) == (1,), "a process that is dead still delivers"
        assert store.commit([delivery(frame_message(2), life=b"life 2")]) == (2,)

    def test_a_copied_spool_begins_anew_where_the_ways_parted(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), layouts=[layout()])])
        store.admit([greeting(newest=1, lives=[b"the one", LIFE])])
        store.commit([delivery(frame_message(2), frame_message(3), life=b"the one")])
        parted = Admission(1, new_epoch_required=True, superseded=True)
        assert store.admit([greeting(newest=9, lives=[b"the other", LIFE])]) == (parted,)
        assert store.admit([greeting(newest=9, lives=[b"its next life", b"the other", LIFE])]) == (parted,)
        assert store.admit([greeting(newest=3, lives=[b"the ones next", b"the one"])]) == (Admission(3),)

    def test_of_a_stranger_with_a_copied_spool_everything_is_taken_anew(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), layouts=[layout()])])
        assert store.admit([greeting(newest=9, lives=[b"a stranger"])]) == (
            Admission(0, new_epoch_required=True, superseded=True),
        )

    def test_former_facts_are_told_when_a_new_epoch_begins(self, store: Store) -> None:
        store.admit([greeting()])
        (admission,) = store.admit([greeting(epoch=b"another")])
        assert admission == Admission(0, former=facts_message())

    def test_an_unknown_message_moves_the_cursor(self, store: Store) -> None:
        store.admit([greeting()])
        assert store.commit([delivery(AgentMessage(sequence=1))]) == (1,)

    # Gaps

    def test_what_the_spool_no_longer_has_is_recorded(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), layouts=[layout()])])
        lost = gap(2, 4, NEVER_SENT)
        assert store.admit([greeting(oldest=5, newest=9)]) == (Admission(4, lost=lost),)
        assert store.gaps(DEVICE) == (lost,)
        assert store.admit([greeting(oldest=5, newest=9)]) == (Admission(4),)

    def test_an_emptied_spool_has_lost_all_it_gave(self, store: Store) -> None:
        lost = gap(1, 7, NEVER_SENT)
        assert store.admit([greeting(oldest=0, newest=7)]) == (Admission(7, lost=lost),)

    def test_a_gap_stands_for_its_messages(self, store: Store) -> None:
        store.admit([greeting()])
        messages = [frame_message(1), gap_message(gap(2, 5)), frame_message(6)]
        assert store.commit([delivery(*messages, layouts=[layout()])]) == (6,)
        assert store.gaps(DEVICE) == (gap(2, 5),)

    def test_a_gap_leaves_out_what_is_stored(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), frame_message(2), layouts=[layout()])])
        assert store.commit([delivery(gap_message(gap(1, 4)))]) == (4,)
        assert store.gaps(DEVICE) == (gap(3, 4),)

    def test_a_run_knows_its_own_gaps(self, store: Store) -> None:
        store.admit([greeting()])
        messages = [
            gap_message(gap(1, 2)),
            event_message(3, started()),
            gap_message(gap(4, 5)),
            event_message(6, finished()),
            gap_message(gap(7, 8)),
        ]
        store.commit([delivery(*messages)])
        assert store.run("run-1").gaps == (gap(4, 5),)

    def test_a_run_is_placed_as_its_least_sure_frame_is(self, store: Store) -> None:
        store.admit([greeting()])
        start = arrival(event_message(1, started()))
        frames = [arrival(frame_message(sequence, run_id="run-1")) for sequence in (2, 3)]
        store.commit([Delivery(DEVICE, EPOCH, [layout()], [start, frames[0]], WALL_NS, LIFE)])
        assert store.run("run-1").placement is Placement.EXACT
        late = frames[1]._replace(placement=Placement.ESTIMATED)
        store.commit([Delivery(DEVICE, EPOCH, [layout()], [late], WALL_NS, LIFE)])
        assert store.run("run-1").placement is Placement.ESTIMATED

    def test_a_run_without_an_end_knows_what_took_it(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit(
            [delivery(event_message(1, started()), gap_message(gap(2, 5)), gap_message(gap(6, 6, NEVER_SENT)))]
        )
        record = store.run("run-1")
        assert record.finished is None
        assert record.gaps == (gap(2, 5),)

    def test_a_run_that_goes_on_in_a_new_epoch_knows_what_was_lost_between(self, store: Store) -> None:
        store.admit([greeting(epoch=b"one"), greeting(epoch=b"two", oldest=3, newest=9)])
        store.commit([delivery(event_message(1, started()), epoch=b"one")])
        store.commit([delivery(event_message(3, finished()), epoch=b"two")])
        assert store.run("run-1").gaps == (gap(1, 2, NEVER_SENT),)

    # Runs

    def test_a_run_comes_back_as_it_was(self, store: Store) -> None:
        store.admit([greeting()])
        events: list[RunEvent] = [
            started(job_id="job-1"),
            phase(),
            request(start_ns=14),
            request(start_ns=13),
            peak := PeakBandwidth(
                run_id="run-1", processor="cpu", method=PeakMethod.COMPUTED, bytes_per_second=51.2e9, source="DDR4"
            ),
            finished(),
        ]
        store.commit([delivery(*(event_message(number, event) for number, event in enumerate(events, 1)))])
        record = store.run("run-1")
        assert record.peaks == (peak,)
        assert record.started == started(job_id="job-1")
        assert record.phases == (phase(),)
        assert record.requests == (request(start_ns=13), request(start_ns=14))
        assert record.finished == finished()

    def test_runs_are_listed_the_latest_first(self, store: Store) -> None:
        store.admit([greeting()])
        messages = [
            event_message(1, started("run-1", job_id="job-1")),
            event_message(2, finished("run-1", RunState.FAILED, "the engine was killed by SIGKILL")),
            event_message(3, started("run-2")),
        ]
        times = [WALL_NS, WALL_NS, WALL_NS + 1]
        arrivals = [arrival(message, wall_ns=wall_ns) for message, wall_ns in zip(messages, times, strict=True)]
        store.commit([Delivery(DEVICE, EPOCH, (), arrivals, WALL_NS, LIFE)])
        second, first = store.runs()
        assert (second.run_id, second.state, second.duration_seconds) == ("run-2", RunState.RUNNING, None)
        assert (first.run_id, first.state, first.duration_seconds) == ("run-1", RunState.FAILED, 10.0)
        assert (first.device_id, first.job_id, first.plan) == (DEVICE, "job-1", "quick")
        assert (first.model, first.quantisation) == ("synth:smollm2-135m@q4_0", "q4_0")
        assert (first.engine, first.engine_version) == ("llama-cpp-python", "0.3.36")
        assert first.cause == "the engine was killed by SIGKILL"
        assert first.started_wall_ns == WALL_NS

    def test_a_run_whose_end_nobody_saw_is_closed_all_the_same(self, store: Store) -> None:
        store.admit([greeting()])
        unseen = replace(finished("run-1", RunState.FAILED, "the agent ended during the run"), monotonic_ns=None)
        later = replace(finished("run-1"), monotonic_ns=14_000)
        messages = [event_message(1, started("run-1")), event_message(2, unseen), event_message(3, later)]
        store.commit([delivery(*messages)])
        (run,) = store.runs()
        assert (run.state, run.cause) == (RunState.FAILED, "the agent ended during the run")
        assert run.duration_seconds is None
        assert store.run("run-1").finished == unseen

    def test_a_run_that_never_started_is_not_found(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(event_message(1, finished("run-1")))])
        assert store.runs() == ()
        for read in (store.run, store.telemetry):
            with pytest.raises(NotFoundError, match="run-1"):
                read("run-1")

    def test_another_device_cannot_touch_a_run(self, store: Store) -> None:
        store.admit([greeting("victim"), greeting("liar")])
        store.commit([delivery(event_message(1, started(device_id="victim")), device_id="victim")])
        lies = [
            event_message(1, started(device_id="liar")),
            event_message(2, finished(state=RunState.FAILED)),
            frame_message(3, run_id="run-1"),
        ]
        store.commit([delivery(*lies, device_id="liar", layouts=[layout()])])
        assert [run.device_id for run in store.runs()] == ["victim"]
        assert store.runs()[0].state is RunState.RUNNING
        assert store.run("run-1").finished is None
        assert len(store.telemetry("run-1").frames) == 0

    def test_an_event_that_cannot_be_read_is_left_out_of_the_record(self, store: Store) -> None:
        store.admit([greeting()])
        strange = event_message(2, phase(kind=PhaseKind.LOAD))
        strange.run_event.phase.kind = 99  # type: ignore[assignment]  # what a newer agent may send
        arrivals = [arrival(event_message(1, started())), arrival(strange, fault="Phase.kind: unknown value 99")]
        assert store.commit([Delivery(DEVICE, EPOCH, (), arrivals, WALL_NS, LIFE)]) == (2,)
        assert store.run("run-1").phases == ()

    # Telemetry

    def test_telemetry_comes_back_with_layouts_numbered_anew(self, store: Store) -> None:
        store.admit([greeting()])
        messages = [
            event_message(1, started()),
            frame_message(2, run_id="run-1", number=7, values=((500, None), (16000, 15990))),
            frame_message(3, run_id="run-1", number=9, values=((1,), (2,))),
            frame_message(4, number=7),
        ]
        reversed_channels = layout(9, (MEMORY, BUSY))
        store.commit([delivery(*messages, layouts=[layout(7), reversed_channels])])
        telemetry = store.telemetry("run-1")
        assert [described.layout for described in telemetry.layouts] == [1, 2]
        assert [block.layout for frame in telemetry.frames for block in frame.blocks] == [1, 2]
        first = telemetry.frames[0]
        assert first.boot_id == BOOT
        columns = list(decode_block(first.blocks[0], telemetry.layouts[0], first.start_monotonic_ns))
        assert [column.channel for column in columns] == list(FAST)
        assert columns[0].values == (0.5, None)
        assert columns[1].values == (16000 * 65536, 15990 * 65536)
        assert [channel.metric for channel in telemetry.layouts[1].channels] == [MEMORY.metric, BUSY.metric]

    def test_frames_come_in_the_order_of_time(self, store: Store) -> None:
        store.admit([greeting()])
        messages = [
            event_message(1, started()),
            frame_message(2, run_id="run-1", start_ns=30),
            frame_message(3, run_id="run-1", start_ns=20),
        ]
        store.commit([delivery(*messages, layouts=[layout()])])
        assert [frame.start_monotonic_ns for frame in store.telemetry("run-1").frames] == [20, 30]

    def test_equal_channels_of_two_epochs_are_one_layout(self, store: Store) -> None:
        store.admit([greeting(epoch=b"one"), greeting(epoch=b"two")])
        run = [event_message(1, started()), frame_message(2, run_id="run-1", number=1)]
        store.commit([delivery(*run, epoch=b"one", layouts=[layout(1)])])
        store.commit([delivery(frame_message(1, run_id="run-1", number=4), epoch=b"two", layouts=[layout(4)])])
        telemetry = store.telemetry("run-1")
        assert len(telemetry.layouts) == 1
        assert {block.layout for frame in telemetry.frames for block in frame.blocks} == {1}

    def test_a_layout_with_two_meanings_is_refused(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), layouts=[layout(1)])])
        assert store.commit([delivery(frame_message(2), layouts=[layout(1, (BUSY,))])]) == (1,)

    def test_a_bad_frame_is_kept_but_not_handed_out(self, store: Store) -> None:
        store.admit([greeting()])
        arrivals = [
            arrival(event_message(1, started())),
            arrival(frame_message(2, run_id="run-1", number=44), fault="layout 44 is not described"),
            arrival(frame_message(3, run_id="run-1")),
        ]
        assert store.commit([Delivery(DEVICE, EPOCH, [layout()], arrivals, WALL_NS, LIFE)]) == (3,)
        assert [frame.start_monotonic_ns for frame in store.telemetry("run-1").frames] == [3_000_000_000]

    def test_times_beyond_63_bits_do_no_harm(self, store: Store) -> None:
        store.admit([greeting()])
        wild = frame_message(1)
        wild.frame.start_monotonic_ns = wild.frame.end_monotonic_ns = 2**64 - 1
        assert store.commit([delivery(wild, layouts=[layout()])]) == (1,)

    # Threads

    def test_reading_goes_on_beside_writing(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(event_message(1, started()), layouts=[layout()])])
        seen: list[int] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append(len(store.telemetry("run-1").frames))

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for sequence in range(2, 60):
            store.commit([delivery(frame_message(sequence, run_id="run-1"))])
        done.set()
        for reader in readers:
            reader.join()
        assert len(store.telemetry("run-1").frames) == 58
        assert set(seen) <= set(range(59))

    def test_writers_of_one_device_store_each_message_once(self, store: Store) -> None:
        """Two streams of a device, as when one is half-open, race message by message."""
        store.admit([greeting()])
        store.commit([delivery(event_message(1, started()), layouts=[layout()])])

        def write() -> None:
            for sequence in range(2, 60):
                store.commit([delivery(frame_message(sequence, run_id="run-1"))])

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(store.telemetry("run-1").frames) == 58
