"""Keeps the exposed results up with the stored runs."""

import asyncio
import logging

from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.series import collect_series
from edgeprof_collector.analysis.verdict import Verdict
from edgeprof_collector.exposition.results import Results
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import RunSummary

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
            for run in await asyncio.to_thread(self._store.runs):  # the latest first: it is the one that is wanted
                self._results.announce(run)
                if run.run_id not in self._judged and self._results.wants(run):
                    self._judged.add(run.run_id)
                    await self._publish(run)

    async def _publish(self, run: RunSummary) -> None:
        try:
            verdict = await asyncio.to_thread(self._judge, run.run_id)
        except Exception:  # noqa: BLE001 - one run that cannot be judged must not hide the others
            _log.exception("run %s cannot be judged", run.run_id)
            return
        self._results.publish(run, verdict)

    def _judge(self, run_id: str) -> Verdict:
        return analyse(self._store.run(run_id), collect_series(self._store.telemetry(run_id)))
