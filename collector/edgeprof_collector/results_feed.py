"""Keeps the exposed results up with the stored runs."""

import asyncio
import logging

from edgeprof_collector.analysis.verdict import Severity, Verdict
from edgeprof_collector.client.judging import judge_run
from edgeprof_collector.client.local import LocalClient
from edgeprof_collector.exposition.results import Results
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Store

_log = logging.getLogger(__name__)


class ResultsFeed:
    """Judges the newest run of each work, those of earlier days when it starts, then each as it finishes."""

    def __init__(self, store: Store, results: Results) -> None:
        self._store = store
        self._results = results
        self._news = asyncio.Event()
        self._news.set()
        self._judged: set[str] = set()

    def run_finished(self, _run_id: str) -> None:
        """Look at the stored runs again."""
        self._news.set()

    async def run(self) -> None:
        """Follow the stored runs, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._catch_up()
            except StoreError as error:
                _log.error("%s; results are exposed when the next run ends", error)

    async def _catch_up(self) -> None:
        for run in await asyncio.to_thread(self._store.runs):  # the latest first: it is the one that is wanted
            self._results.announce(run)
            if run.run_id not in self._judged and self._results.wants(run):
                verdict = await asyncio.to_thread(self._judge, run.run_id)
                self._judged.add(run.run_id)
                if verdict is not None:
                    self._results.publish(run, verdict)
                    _log_warnings(verdict)

    def _judge(self, run_id: str) -> Verdict | None:
        client = LocalClient(self._store)
        record = client.run(run_id)
        try:
            return judge_run(client, record).verdict
        except Exception:  # noqa: BLE001 - one run that cannot be judged must not hide the others
            _log.exception("run %s cannot be judged", run_id)
            return None


def _log_warnings(verdict: Verdict) -> None:
    """Tell of what somebody should look at, a run that is worse than its baseline among it."""
    for finding in verdict.findings:
        if finding.severity is not Severity.NOTE:
            _log.warning("run %s: %s: %s", verdict.run_id, finding.title, finding.evidence)
