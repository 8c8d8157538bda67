"""Which role a call of the HTTP API needs."""

from edgeprof_collector.store.access_records import Role

# They prove by themselves who may call them, or tell nothing that a stranger may not know.
_OPEN = {
    ("GET", "/healthz"),
    ("GET", "/api/v1/authority"),
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/api/v1/enrolments"),
    ("POST", "/api/v1/renewals"),
}
_ADMIN_ONLY = ("/api/v1/tokens", "/api/v1/audit")
# What an operator may also write. Whatever is not here needs an admin, so that a call that was forgotten is closed.
_OPERATED = ("/api/v1/jobs", "/api/v1/runs", "/api/v1/schedules")


def needed_role(method: str, path: str) -> Role | None:
    """The least role for a call; ``None`` if anybody may make it."""
    method = "GET" if method == "HEAD" else method
    if (method, path) in _OPEN:
        return None
    if _is_under(path, _ADMIN_ONLY):
        return Role.ADMIN
    if method == "GET":
        return Role.VIEWER
    return Role.OPERATOR if _is_under(path, _OPERATED) else Role.ADMIN


def _is_under(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)
