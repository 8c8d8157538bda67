"""Who makes a request, as the gate found."""

from starlette.requests import Request

from edgeprof_collector.access.desk import Principal


def principal_of(request: Request) -> Principal:
    """The principal that the gate let in."""
    principal = request.state.principal
    assert isinstance(principal, Principal)
    return principal
