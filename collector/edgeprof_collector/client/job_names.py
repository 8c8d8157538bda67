"""What people call a job or a schedule."""

from collections.abc import Sequence

from edgeprof_collector.store.errors import NotFoundError


def find_id(name: str, ids: Sequence[str], kind: str) -> str:
    """Return the id among ``ids`` that ``name`` is, or begins if no other begins so.

    Raises:
        NotFoundError: none does, or several do.
    """
    beginning = [one for one in ids if one.startswith(name)]
    if name in beginning or len(beginning) == 1:
        return name if name in beginning else beginning[0]
    if beginning:
        raise NotFoundError(f"'{name}' begins several {kind}s: give more of the id")
    raise NotFoundError(f"no {kind} is called '{name}'; edgeprof jobs lists them")
