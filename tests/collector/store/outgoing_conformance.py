"""What every store must do for what goes on to other databases. Inherited beside the fixture ``store``."""

from dataclasses import replace

from edgeprof.run import RunState
from edgeprof_collector.store.outgoing import Cursor, RefusedWrite, WriteKind
from edgeprof_collector.store.protocol import Delivery, Store
from tests.collector.store.samples import (
    DEVICE,
    EPOCH,
    LIFE,
    SECOND_NS,
    WALL_NS,
    arrival,
    delivery,
    event_message,
    finished,
    frame_message,
    greeting,
    layout,
    started,
)

ALL = 1_000_000


class OutgoingConformance:
    """Inherited by the test class of each store."""

    def test_frames_come_in_the_order_in_which_they_were_stored(self, store: Store) -> None:
        store.admit([greeting("a"), greeting("b")])
        store.commit([delivery(frame_message(1), frame_message(2), device_id="b", layouts=[layout()])])
        store.commit([delivery(frame_message(1), device_id="a", layouts=[layout()], wall_ns=WALL_NS)])
        frames = store.outgoing.frames_after(0, ALL)
        assert [(frame.device_id, frame.frame.start_monotonic_ns) for frame in frames] == [
            ("b", SECOND_NS),
            ("b", 2 * SECOND_NS),
            ("a", SECOND_NS),
        ]
        assert {frame.start_wall_ns for frame in frames} == {WALL_NS}
        assert store.outgoing.frames_after(frames[1].position, ALL) == frames[2:]
        assert frames[0].layouts == frames[2].layouts
        assert frames[0].layouts[1].layout.channels == layout().channels

    def test_frames_are_read_in_portions_of_at_least_one(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(*(frame_message(number) for number in range(1, 6)), layouts=[layout()])])
        assert len(store.outgoing.frames_after(0, 1)) == 1
        assert 1 < len(store.outgoing.frames_after(0, 250)) < 5

    def test_frames_that_cannot_be_read_are_left_out(self, store: Store) -> None:
        store.admit([greeting()])
        arrivals = [arrival(frame_message(1), fault="too short"), arrival(frame_message(2))]
        store.commit([Delivery(DEVICE, EPOCH, [layout()], arrivals, WALL_NS, LIFE)])
        (frame,) = store.outgoing.frames_after(0, ALL)
        assert frame.frame.start_monotonic_ns == 2 * SECOND_NS

    def test_a_destination_goes_on_where_it_was(self, store: Store) -> None:
        outgoing = store.outgoing
        assert outgoing.cursor("one", send_stored=True) == Cursor(0, 0)
        outgoing.move_cursor("one", Cursor(7, 2))
        outgoing.move_cursor("one", Cursor(5, 3))
        assert outgoing.cursor("one", send_stored=False) == Cursor(7, 3)
        assert outgoing.cursor("two", send_stored=True) == Cursor(0, 0)

    def test_a_new_destination_begins_with_what_is_stored_next(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), event_message(2, started()), layouts=[layout()])])
        store.commit([delivery(event_message(3, finished()))])
        cursor = store.outgoing.cursor("one", send_stored=False)
        assert not store.outgoing.frames_after(cursor.frame, ALL)
        assert not store.outgoing.run_ends_after(cursor.run_end, 10)
        store.commit([delivery(frame_message(4))])
        assert len(store.outgoing.frames_after(cursor.frame, ALL)) == 1

    def test_runs_end_once_at_a_time_that_does_not_change(self, store: Store) -> None:
        store.admit([greeting()])
        end = arrival(event_message(2, finished()), wall_ns=WALL_NS + 60 * SECOND_NS)
        first = Delivery(DEVICE, EPOCH, (), [arrival(event_message(1, started())), end], WALL_NS, LIFE)
        store.commit([first])
        store.commit([delivery(event_message(3, finished(state=RunState.FAILED)))])
        (ended,) = store.outgoing.run_ends_after(0, 10)
        assert (ended.run, ended.wall_ns) == (store.runs()[0], WALL_NS + 10 * SECOND_NS)
        assert store.outgoing.run_ends_after(ended.position, 10) == []

    def test_a_run_does_not_end_after_its_end_was_heard(self, store: Store) -> None:
        store.admit([greeting()])
        store.commit([delivery(event_message(1, started()), event_message(2, finished()))])
        unknown = replace(finished("run-2"), monotonic_ns=None)
        store.commit([delivery(event_message(3, started("run-2")), event_message(4, unknown))])
        assert [end.wall_ns for end in store.outgoing.run_ends_after(0, 10)] == [WALL_NS, WALL_NS]

    def test_last_frames_are_those_since_the_series_were_ended(self, store: Store) -> None:
        outgoing = store.outgoing
        store.admit([greeting()])
        store.commit([delivery(frame_message(1), layouts=[layout()])])
        outgoing.cursor("one", send_stored=False)
        assert not outgoing.last_frames("one", DEVICE, 9), "a destination knows nothing of what it was not sent"
        store.commit([delivery(*(frame_message(number) for number in (2, 3, 4)))])
        frames = outgoing.last_frames("one", DEVICE, 2)
        assert [frame.frame.start_monotonic_ns for frame in frames] == [4 * SECOND_NS, 3 * SECOND_NS]
        outgoing.end_series("one", DEVICE, frames[0].position)
        assert not outgoing.last_frames("one", DEVICE, 9)
        store.commit([delivery(frame_message(5))])
        assert len(outgoing.last_frames("one", DEVICE, 9)) == 1
        assert not outgoing.last_frames("one", "a stranger", 9)

    def test_what_was_refused_is_kept_up_to_two_hundred(self, store: Store) -> None:
        refusals = [RefusedWrite("one", WriteKind.FRAME, number, 3, 400, "too old", WALL_NS) for number in range(203)]
        for refusal in refusals:
            store.outgoing.set_aside(refusal)
        assert store.outgoing.refused_writes("one") == tuple(refusals[3:])
        assert store.outgoing.refused_writes("two") == ()
