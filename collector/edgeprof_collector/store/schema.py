"""The tables of the SQLite store, and the way from every earlier version to this one."""

import sqlite3
from pathlib import Path

from edgeprof_collector.store.errors import StoreError

# "edpr": tells edgeprof's files from other programs' SQLite files.
APPLICATION_ID = 0x65647072

# Rows of `frames` and `run_events` hold the stream's message as it came, deflated when that made it smaller.
# Sequences are those of a spool, which is one epoch of one device. Times on the wall are the collector's.
_VERSION_1 = """
CREATE TABLE devices (
    device_id TEXT PRIMARY KEY,
    facts BLOB NOT NULL,
    first_seen_wall_ns INTEGER NOT NULL
);
CREATE TABLE spools (
    spool_id INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    epoch BLOB NOT NULL,
    stored_sequence INTEGER NOT NULL,
    last_seen_wall_ns INTEGER NOT NULL,
    UNIQUE (device_id, epoch)
);
CREATE TABLE gaps (
    gap_id INTEGER PRIMARY KEY,
    spool_id INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    cause TEXT NOT NULL,
    learned_wall_ns INTEGER NOT NULL
);
CREATE INDEX gaps_by_spool ON gaps (spool_id);
CREATE TABLE layouts (
    layout_id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    channels BLOB NOT NULL
);
CREATE TABLE spool_layouts (
    spool_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    layout_id INTEGER NOT NULL,
    PRIMARY KEY (spool_id, number)
) WITHOUT ROWID;
CREATE TABLE frames (
    frame_id INTEGER PRIMARY KEY,
    spool_id INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    boot_id BLOB NOT NULL,
    start_monotonic_ns INTEGER NOT NULL,
    end_monotonic_ns INTEGER NOT NULL,
    start_wall_ns INTEGER NOT NULL,
    fault TEXT NOT NULL,
    deflated INTEGER NOT NULL,
    message BLOB NOT NULL,
    UNIQUE (spool_id, sequence)
);
CREATE INDEX frames_by_run ON frames (run_id) WHERE run_id <> '';
CREATE TABLE run_events (
    event_id INTEGER PRIMARY KEY,
    spool_id INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    fault TEXT NOT NULL,
    deflated INTEGER NOT NULL,
    message BLOB NOT NULL,
    UNIQUE (spool_id, sequence)
);
CREATE INDEX run_events_by_run ON run_events (run_id);
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL,
    spool_id INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    plan TEXT NOT NULL,
    model TEXT NOT NULL,
    quantisation TEXT NOT NULL,
    engine TEXT NOT NULL,
    engine_version TEXT NOT NULL,
    started_wall_ns INTEGER NOT NULL,
    started_monotonic_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    cause TEXT NOT NULL,
    finished_monotonic_ns INTEGER
);
CREATE INDEX runs_by_start ON runs (started_wall_ns);
CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL,
    command BLOB NOT NULL,
    idempotency_key TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT NOT NULL,
    run_id TEXT NOT NULL,
    cancel_requested INTEGER NOT NULL,
    created_wall_ns INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL,
    expires_wall_ns INTEGER NOT NULL,
    lease_expires_wall_ns INTEGER
);
CREATE UNIQUE INDEX jobs_once ON jobs (device_id, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX jobs_open ON jobs (device_id, created_wall_ns) WHERE state IN ('queued', 'sent', 'running');
"""

# An epoch belongs to the agent process that said hello with it last. `former_lives` remembers where the cursor stood
# when another took over.
_VERSION_2 = """
ALTER TABLE spools ADD COLUMN life BLOB NOT NULL DEFAULT x'';
CREATE TABLE former_lives (
    spool_id INTEGER NOT NULL,
    life BLOB NOT NULL,
    stored_sequence INTEGER NOT NULL,
    UNIQUE (spool_id, life)
)
"""

# What goes on to other databases by remote write. `run_ends` numbers the ends of runs in the order in which they were
# stored, and never gives a number twice, since destinations remember how far they are by it; likewise by `frame_id`.
_VERSION_3 = """
CREATE TABLE run_ends (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    wall_ns INTEGER NOT NULL
);
INSERT INTO run_ends (run_id, wall_ns)
    SELECT run_id, started_wall_ns + coalesce(finished_monotonic_ns - started_monotonic_ns, 0) AS ended_wall_ns
    FROM runs WHERE state <> 'running' ORDER BY ended_wall_ns;
CREATE TABLE destinations (
    name TEXT PRIMARY KEY,
    first_frame_id INTEGER NOT NULL,
    frame_id INTEGER NOT NULL,
    run_end INTEGER NOT NULL
);
CREATE TABLE ended_series (
    destination TEXT NOT NULL,
    device_id TEXT NOT NULL,
    frame_id INTEGER NOT NULL,
    PRIMARY KEY (destination, device_id)
) WITHOUT ROWID;
CREATE TABLE refused_writes (
    refusal_id INTEGER PRIMARY KEY,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT NOT NULL,
    refused_wall_ns INTEGER NOT NULL
)
"""

# A run that others are compared with is never given up. Idle telemetry is, the oldest first.
_VERSION_4 = """
ALTER TABLE runs ADD COLUMN is_baseline INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idle_frames_by_start ON frames (start_wall_ns) WHERE run_id = ''
"""

# How frames and runs were placed on the wall clock.
_VERSION_5 = """
ALTER TABLE frames ADD COLUMN placement TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE runs ADD COLUMN placement TEXT NOT NULL DEFAULT 'unknown'
"""

# How far a frame has been thinned: the length of its buckets, or of those that it is no denser than.
_VERSION_6 = """
ALTER TABLE frames ADD COLUMN bucket_ns INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idle_frames_to_thin ON frames (bucket_ns, start_wall_ns) WHERE run_id = '';
DROP INDEX frames_by_run;
CREATE INDEX frames_by_run ON frames (run_id, bucket_ns) WHERE run_id <> ''
"""

# Remote triggers: when a job may start, which schedule made it, and everything that became of it. `job_ends` numbers
# ends in the order in which they were stored, and never gives a number twice: webhooks remember how far they are by it.
_VERSION_7 = """
ALTER TABLE jobs ADD COLUMN starts_wall_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN schedule_id TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_key ON jobs (idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX jobs_by_time ON jobs (created_wall_ns);
CREATE TABLE job_changes (
    job_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_wall_ns INTEGER NOT NULL,
    PRIMARY KEY (job_id, version)
) WITHOUT ROWID;
INSERT INTO job_changes SELECT job_id, version, state, reason, updated_wall_ns FROM jobs;
CREATE TABLE job_ends (position INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE);
CREATE TABLE webhooks (name TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE schedules (
    schedule_id TEXT PRIMARY KEY,
    targets TEXT NOT NULL,
    command BLOB NOT NULL,
    queue_seconds REAL NOT NULL,
    every TEXT NOT NULL,
    timezone TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    created_wall_ns INTEGER NOT NULL,
    next_wall_ns INTEGER NOT NULL,
    fault TEXT NOT NULL,
    is_cancelled INTEGER NOT NULL
);
CREATE UNIQUE INDEX schedules_once ON schedules (idempotency_key) WHERE idempotency_key <> ''
"""

# Who may do what. Of tokens there is only a digest. A device may connect with a certificate that is here, unrevoked.
_VERSION_8 = """
CREATE TABLE access_tokens (
    token_id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_wall_ns INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_wall_ns INTEGER,
    revoked_wall_ns INTEGER
);
CREATE TABLE enrolment_tokens (
    token_id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    created_wall_ns INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_wall_ns INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    device_id TEXT NOT NULL
);
CREATE TABLE device_certificates (
    serial TEXT PRIMARY KEY,
    device_id TEXT NOT NULL,
    key_digest BLOB NOT NULL,
    issued_wall_ns INTEGER NOT NULL,
    expires_wall_ns INTEGER NOT NULL,
    revoked_wall_ns INTEGER
);
CREATE INDEX certificates_by_device ON device_certificates (device_id);
CREATE INDEX revoked_certificates ON device_certificates (revoked_wall_ns) WHERE revoked_wall_ns IS NOT NULL;
CREATE TABLE audit (
    entry_id INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    address TEXT NOT NULL
)
"""

# What leads from each version to the next, the empty file (version 0) first. Released entries never change.
MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7, _VERSION_8)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this program's version, in one transaction.

    Raises:
        StoreError: a newer edgeprof wrote it, or another program.
    """
    if _stamp(connection) == (APPLICATION_ID, len(MIGRATIONS)):
        return
    connection.execute("BEGIN IMMEDIATE")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        check_stamp(connection, path)
    _, version = _stamp(connection)  # again: another process may have been faster
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def check_stamp(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that this program cannot understand.

    Raises:
        StoreError: a newer edgeprof wrote it, or another program.
    """
    application_id, version = _stamp(connection)
    if application_id != APPLICATION_ID:
        raise StoreError(f"{path} is another program's database: name another file with --store")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{path} was written by a newer edgeprof (schema {version}, this program knows {len(MIGRATIONS)}): "
            "update this one, or name another file with --store"
        )


def _stamp(connection: sqlite3.Connection) -> tuple[int, int]:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application_id, version
