"""The agent, put together: sensors to sampler to spool to stream, and jobs to runs."""

import asyncio
import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec.json
import psutil

from edgeprof.device import DeviceFacts
from edgeprof.errors import EdgeprofError
from edgeprof.job import JobCommand
from edgeprof.run import RunEvent, RunFinished, RunStarted
from edgeprof.service_manager import ServiceManager
from edgeprof.v1.uplink_pb2 import CertificateIssued
from edgeprof.watchdog import feed_watchdog
from edgeprof_agent.cadences import ConfiguredSampler
from edgeprof_agent.conditions import (
    Conditions,
    local_time,
    refuse_to_go_on,
    refuse_unless_ready,
    run_memory_bytes,
    within_policy,
)
from edgeprof_agent.config import AgentConfig
from edgeprof_agent.facts import CurrentFacts
from edgeprof_agent.jobs import JobDesk
from edgeprof_agent.membership import Membership
from edgeprof_agent.policy import refuse_unless_allowed
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.uplink.bounds import Bounds
from edgeprof_agent.uplink.clocks import Clocks
from edgeprof_agent.uplink.database import Database
from edgeprof_agent.uplink.identity import boot_id, device_id
from edgeprof_agent.uplink.ledger import Ledger
from edgeprof_agent.uplink.outbox import Outbox
from edgeprof_agent.uplink.session import Call, Session
from edgeprof_agent.uplink.spool import Spool
from edgeprof_agent.uplink.status import SpoolSensor
from edgeprof_agent.uplink.stream import Uplink
from edgeprof_agent.vital_signs import VitalSigns
from edgeprof_agent.workload.readings import hottest_celsius
from edgeprof_agent.workload.run_group import DelegatedTree

_log = logging.getLogger(__name__)

_ROOT = Path("/")
_DAY_SECONDS = 86_400
_STANDARD_INPUT = 0

# How long a stop may take: for the run to end, and then for the collector to take the rest.
_RUN_END_SECONDS = 20.0
_DRAIN_SECONDS = 5.0


async def run_agent(config: AgentConfig, *, ready_file: Path | None = None, exit_with_parent: bool = False) -> None:
    """Be the agent of this device until told to stop, by SIGTERM, SIGINT or the end of standard input.

    Args:
        config: what the agent was told.
        ready_file: written when the collector has welcomed the device for the first time.
        exit_with_parent: stop when standard input ends.

    Raises:
        EdgeprofError: it cannot start; the text says what to do.
    """
    with (
        closing(ServiceManager.take_over(os.environ)) as manager,
        closing(Database(config.state_path)) as database,
        _told_to_stop(exit_with_parent) as stop,
    ):
        await Agent(config, database, ready_file).live(stop, manager)


class Agent:
    """Everything that lives as long as the agent does."""

    def __init__(self, config: AgentConfig, database: Database, ready_file: Path | None) -> None:
        self._config = config
        self._ready_file = ready_file
        self._boot_id = boot_id(_ROOT)
        self._device_id = device_id(config.device.id, _ROOT, config.state_path)
        max_age_seconds = config.spool.max_age_days * _DAY_SECONDS
        bounds = Bounds(
            max_bytes=config.spool.max_bytes,
            max_age_seconds=max_age_seconds,
            min_free_bytes=config.spool.min_free_bytes,
        )
        spool = Spool(database, bounds)
        self._outbox = Outbox(spool, Clocks(database, self._boot_id))
        self._facts = CurrentFacts(self._gather_facts, _ROOT, changed=self._outbox.wake.set)
        sensors = (*discover_sensors(_ROOT), SpoolSensor(self._outbox.status))
        self._sampler = Sampler(sensors, self._outbox.hand_over)
        self._run_sampler = ConfiguredSampler(self._sampler, config.sampling)
        self._groups = DelegatedTree.take_over(_ROOT)
        self._ledger = Ledger(database)
        self._desk = JobDesk(
            self._ledger,
            check=self._refuse_unless_allowed,
            run_seconds=config.policy.run_seconds,
            execute=self._execute,
            interrupted=self._tell_interrupted,
            changed=self._outbox.wake.set,
        )
        self._membership = Membership(config.state_path, config.collector, self._device_id)
        self._uplink = Uplink(
            self._membership.address,
            self._new_session,
            open_channel=self._membership.open_channel,
            prepare=self._membership.prepare,
            connected=self._announce,
        )

    async def live(self, stop: asyncio.Event, manager: ServiceManager) -> None:
        """Sample, stream and work until ``stop`` is set; then end what goes on and hand over what is left.

        ``manager`` is told when all this has begun, whether it progresses, and when it ends.
        """
        _log.info(
            "device %s (%s), collector %s", self._device_id, self._facts.latest.hostname, self._membership.address
        )
        self._sampler.start()
        working = asyncio.ensure_future(self._desk.work())
        streaming = asyncio.ensure_future(self._uplink.run())
        watching = asyncio.ensure_future(self._facts.watch())
        renewing = asyncio.ensure_future(
            self._membership.renew_in_time(self._uplink.request_certificate, self._uplink.reconnect)
        )
        signs = VitalSigns(self._sampler, self._uplink)
        feeding = asyncio.ensure_future(feed_watchdog(manager, signs.trouble, self._status))
        stopping = asyncio.ensure_future(stop.wait())
        manager.ready(self._status())
        try:
            lasting = (working, streaming, watching, feeding, renewing)
            await asyncio.wait({*lasting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in lasting:
                if task.done():
                    task.result()
        finally:
            manager.stopping()
            feeding.cancel()
            stopping.cancel()
            watching.cancel()
            renewing.cancel()
            working.cancel()
            await asyncio.wait({working}, timeout=_RUN_END_SECONDS)
            self._sampler.stop()
            await self._uplink.drain(_DRAIN_SECONDS)
            streaming.cancel()
            await asyncio.wait({streaming}, timeout=_DRAIN_SECONDS)
            self._outbox.write_now()

    def on_job(self, command: JobCommand) -> None:
        """Do this, or reject it."""
        self._desk.accept(command)

    def on_cancel(self, job_id: str) -> None:
        """Give this job up."""
        self._desk.cancel(job_id)

    def on_settings(self, idle_frame_seconds: float) -> None:
        """Let idle frames last this long."""
        self._run_sampler.set_idle_frame_seconds(idle_frame_seconds)

    def on_certificate(self, issued: CertificateIssued) -> None:
        """Take a further certificate into use, or hear why there is none."""
        self._membership.on_certificate(issued)

    def _new_session(self, call: Call) -> Session:
        return Session(
            call,
            facts=lambda: self._facts.latest,
            outbox=self._outbox,
            ledger=self._ledger,
            commands=self,
        )

    def _refuse_unless_allowed(self, command: JobCommand) -> None:
        refuse_unless_allowed(command, self._config.allowed)
        refuse_unless_ready(self._config.policy, self._conditions())

    def _conditions(self) -> Conditions:
        return Conditions(
            local_time=local_time(),
            power_source=self._facts.latest.power_source,
            hottest_celsius=hottest_celsius(self._sampler.latest()),
            free_disk_bytes=shutil.disk_usage(self._config.state_path).free,
            available_memory_bytes=psutil.virtual_memory().available,
            runs_last_day=self._ledger.starts_last_day(time.time()),
        )

    async def _execute(self, command: JobCommand, run_id: str) -> RunFinished:
        from edgeprof_agent.workload.run import RunEnvironment, execute  # noqa: PLC0415  an idle agent stays small

        facts = self._facts.gather_again()  # what has changed since the last look must be right in a run
        environment = RunEnvironment(
            run_id=run_id,
            facts=facts,
            boot_id=self._boot_id,
            sampler=self._run_sampler,
            emit=self._emit,
            report=self._uplink.report,
            cache_folder=self._config.cache_path,
            check=lambda: refuse_to_go_on(self._config.policy, self._conditions()),
            servers=self._config.servers,
        )
        command = within_policy(command, self._config.policy, facts.memory_total_bytes)
        if self._groups is None:
            return await execute(command, environment)
        group = self._groups.group_for(run_id, run_memory_bytes(self._config.policy, facts.memory_total_bytes))
        try:
            return await execute(command, replace(environment, launcher=group.launcher))
        finally:
            await asyncio.to_thread(group.end)

    def _emit(self, event: RunEvent) -> None:
        self._outbox.put_event(event)
        if isinstance(event, RunStarted):
            self._desk.run_started(event.run_id)

    def _tell_interrupted(self, finished: RunFinished) -> None:
        """Have it on disk before the job is: an agent that ends again must not forget the run."""
        self._outbox.put_event(finished)
        self._outbox.write_now()

    def _gather_facts(self) -> DeviceFacts:
        facts = gather_device_facts(_ROOT, self._device_id, self._config.device.labels)
        return replace(facts, hostname=self._config.device.name) if self._config.device.name else facts

    def _status(self) -> str:
        waiting = self._outbox.status().messages
        connection = "connected to" if self._uplink.is_connected else "not connected to"
        return f"{connection} the collector at {self._membership.address}, {waiting} messages wait"

    def _announce(self) -> None:
        """Write the ready file: the collector knows the device."""
        if not self._ready_file:
            return
        facts = {"pid": str(os.getpid()), "device_id": self._device_id, "collector": self._membership.address}
        new = self._ready_file.with_name(f"{self._ready_file.name}.new")
        try:
            new.write_bytes(msgspec.json.encode(facts))
            new.rename(self._ready_file)
        except OSError as error:
            raise EdgeprofError(f"{self._ready_file} cannot be written: {error.strerror}") from error


@contextmanager
def _told_to_stop(exit_with_parent: bool) -> Iterator[asyncio.Event]:
    """An event that signals set, and with ``exit_with_parent`` the end of standard input too."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def read_input() -> None:
        if not os.read(_STANDARD_INPUT, 4096):
            loop.remove_reader(_STANDARD_INPUT)
            stop.set()

    if exit_with_parent:
        try:
            loop.add_reader(_STANDARD_INPUT, read_input)
        except OSError as error:  # a file, /dev/null, or closed
            raise EdgeprofError("--exit-with-parent needs standard input to be a pipe from the parent") from error
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        if exit_with_parent:
            loop.remove_reader(_STANDARD_INPUT)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
