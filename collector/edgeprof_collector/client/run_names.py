"""What people call a run."""

import difflib
from collections.abc import Sequence

from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import RunSummary

LATEST_NAMES = ("latest", "last")


def find_run_id(name: str, runs: Sequence[RunSummary]) -> str:
    """Return the id of the run that ``name`` means among ``runs``, of which the first is the latest.

    A name is an id, the first characters of one if no other begins so, or ``latest`` or ``last``.

    Raises:
        NotFoundError: no run is meant, or more than one.
    """
    ids = [run.run_id for run in runs]
    if name in ids:
        return name
    if not ids:
        raise NotFoundError("no runs are stored yet: edgeprof profile makes the first")
    if name in LATEST_NAMES:
        return ids[0]
    beginning = [run_id for run_id in ids if run_id.startswith(name)]
    if len(beginning) == 1:
        return beginning[0]
    if beginning:
        raise NotFoundError(f"'{name}' begins several runs: {_some(beginning)}; give more of the id")
    near = difflib.get_close_matches(name, ids, n=3)
    advice = f"did you mean {_some(near)}?" if near else "edgeprof runs lists them"
    raise NotFoundError(f"no run is called '{name}'; {advice}")


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (" and others" if len(ids) > 3 else "")
