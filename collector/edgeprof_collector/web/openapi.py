"""The description of the HTTP API, as OpenAPI 3.1: made of the types that are sent, checked against the routes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

import edgeprof
from edgeprof.anchor import Anchor
from edgeprof.run import RunRecord
from edgeprof_collector.access.desk import TokenFacts
from edgeprof_collector.access.permissions import needed_role
from edgeprof_collector.access.requests import CreatedToken, TokenRequest
from edgeprof_collector.enrolment.devices import EnrolledDevice
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate, ScheduleRequest
from edgeprof_collector.store.access_records import AuditEntry
from edgeprof_collector.store.records import DeviceRecord, JobChange, JobRecord, RunSummary, ScheduleRecord
from edgeprof_collector.web.enrolment_api import Enrolled, EnrolmentRequest, RenewalRequest

Json = dict[str, Any]

_JSON = "application/json"
_REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is answered when something is wrong: one clear line."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """That the collector serves, and its version."""

    status: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. ``answer`` is the type of what is answered as JSON, or None where it is of another ``media_type``."""

    method: str
    path: str
    summary: str
    answer: Any = None
    media_type: str = _JSON
    body: Any = None
    status: HTTPStatus = HTTPStatus.OK
    query: Sequence[Json] = field(default_factory=tuple)


def _number(name: str, most: int, text: str) -> Json:
    schema = {"type": "integer", "minimum": 1, "maximum": most}
    return {"name": name, "in": "query", "description": text, "required": False, "schema": schema}


_JOBS = {"type": "array", "minItems": 1, "items": {"type": "string"}}
_WATCHED: Json = {"name": "job", "in": "query", "description": "Which jobs.", "required": True, "schema": _JOBS}
_CREATED = HTTPStatus.CREATED
_API = "/api/v1"

CALLS: tuple[Call, ...] = (
    Call(method="GET", path="/healthz", summary="Whether the collector serves", answer=Health),
    Call(method="GET", path="/metrics", summary="Prometheus' text format", media_type="text/plain"),
    Call(method="GET", path=f"{_API}/devices", summary="Every device that ever connected", answer=list[DeviceRecord]),
    Call(
        method="GET",
        path=f"{_API}/devices/{{device}}/live",
        summary="A device's values, a line of JSON a second",
        media_type="application/x-ndjson",
    ),
    Call(method="GET", path=f"{_API}/runs", summary="Every run, the latest first", answer=list[RunSummary]),
    Call(
        method="POST",
        path=f"{_API}/runs",
        summary="Store runs that another benchmark has measured",
        body=list[RunRecord],
        answer=list[str],
        status=_CREATED,
    ),
    Call(method="GET", path=f"{_API}/runs/{{run}}", summary="One run with all its events", answer=RunRecord),
    Call(
        method="GET",
        path=f"{_API}/runs/{{run}}/telemetry",
        summary="Its telemetry, as a message edgeprof.v1.RunTelemetry",
        media_type="application/x-protobuf",
    ),
    Call(method="GET", path=f"{_API}/runs/{{run}}/report", summary="Its report, as a page", media_type="text/html"),
    Call(method="PUT", path=f"{_API}/runs/{{run}}/baseline", summary="Hold later runs against it", answer=RunSummary),
    Call(method="DELETE", path=f"{_API}/runs/{{run}}/baseline", summary="No longer do", answer=RunSummary),
    Call(
        method="POST",
        path=f"{_API}/jobs",
        summary="Ask devices for a run: the jobs, one for each device",
        body=JobRequest,
        answer=list[JobRecord],
        status=_CREATED,
    ),
    Call(
        method="GET",
        path=f"{_API}/jobs",
        summary="The latest jobs, the latest first",
        answer=list[JobRecord],
        query=(_number("limit", 100_000, "How many; 1000 unless told."),),
    ),
    Call(
        method="GET",
        path=f"{_API}/jobs/events",
        summary="How these jobs go on until their ends, a line of JSON for each update",
        media_type="application/x-ndjson",
        query=(_WATCHED,),
    ),
    Call(method="GET", path=f"{_API}/jobs/{{job}}", summary="One job", answer=JobRecord),
    Call(method="GET", path=f"{_API}/jobs/{{job}}/changes", summary="What became of it", answer=list[JobChange]),
    Call(method="POST", path=f"{_API}/jobs/{{job}}/cancel", summary="Give it up", answer=JobRecord),
    Call(
        method="POST",
        path=f"{_API}/schedules",
        summary="Ask for runs again and again",
        body=ScheduleRequest,
        answer=ScheduleRecord,
        status=_CREATED,
    ),
    Call(
        method="GET",
        path=f"{_API}/schedules",
        summary="Every schedule that was not given up",
        answer=list[ScheduleRecord],
    ),
    Call(
        method="POST",
        path=f"{_API}/schedules/{{schedule}}/cancel",
        summary="Give it up",
        answer=ScheduleRecord,
    ),
    Call(method="GET", path=f"{_API}/openapi.json", summary="This description", answer=dict[str, Any]),
)

# Of a collector with TLS only.
GUARDED_CALLS: tuple[Call, ...] = (
    Call(method="GET", path=f"{_API}/authority", summary="By what the collector is checked", answer=Anchor),
    Call(
        method="POST",
        path=f"{_API}/enrolments",
        summary="A device's first certificate, for an enrolment token",
        body=EnrolmentRequest,
        answer=Enrolled,
        status=_CREATED,
    ),
    Call(
        method="POST",
        path=f"{_API}/renewals",
        summary="A device's further certificate, for the key of one that has ended",
        body=RenewalRequest,
        answer=Enrolled,
        status=_CREATED,
    ),
    Call(
        method="GET",
        path=f"{_API}/enrolments",
        summary="Every enrolled device and its certificate",
        answer=list[EnrolledDevice],
    ),
    Call(method="DELETE", path=f"{_API}/enrolments/{{device}}", summary="Revoke a device", answer=EnrolledDevice),
    Call(
        method="GET",
        path=f"{_API}/tokens",
        summary="Every token, without its secret",
        answer=list[TokenFacts],
    ),
    Call(
        method="POST",
        path=f"{_API}/tokens",
        summary="Make a token; its text is in this answer and nowhere else",
        body=TokenRequest,
        answer=CreatedToken,
        status=_CREATED,
    ),
    Call(method="DELETE", path=f"{_API}/tokens/{{token}}", summary="End a token", answer=None, media_type=_JSON),
    Call(
        method="GET",
        path=f"{_API}/audit",
        summary="Who did what, the latest first",
        answer=list[AuditEntry],
        query=(_number("most", 10_000, "How many; 100 unless told."),),
    ),
)


def describe_api() -> Json:
    """Describe every call, those of a collector with TLS too."""
    calls = (*CALLS, *GUARDED_CALLS)
    kinds = [kind for call in calls for kind in (call.answer, call.body) if kind is not None]
    schemas, components = msgspec.json.schema_components([*kinds, Problem, JobUpdate], ref_template=_REFERENCE)
    by_kind = dict(zip(map(str, [*kinds, Problem, JobUpdate]), schemas, strict=True))
    paths: dict[str, Json] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edgeprof collector",
            "version": edgeprof.__version__,
            "description": "For people's commands, scripts and Prometheus. Devices stream by gRPC.",
        },
        "paths": paths,
        "components": {
            "schemas": _with_plan_names(components),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Of a collector with TLS."}
            },
        },
    }


def _operation(call: Call, schemas: dict[str, Json]) -> Json:
    role = needed_role(call.method, call.path)
    operation: Json = {
        "summary": call.summary,
        "description": f"For the role {role.value} or more." if role else "For everybody.",
        "parameters": [*_path_parameters(call.path), *call.query],
        "responses": {
            str(call.status.value): {
                "description": call.status.phrase,
                "content": {call.media_type: {"schema": _answer(call, schemas)}},
            },
            **{code: _problem(schemas) for code in ("4XX", "503")},
        },
        "security": [{"token": []}] if role else [],
    }
    if call.body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schemas[str(call.body)]}}}
    return operation


def _answer(call: Call, schemas: dict[str, Json]) -> Json:
    if call.media_type != _JSON:
        return {"type": "string"}
    return {"type": "null"} if call.answer is None else schemas[str(call.answer)]


def _problem(schemas: dict[str, Json]) -> Json:
    return {"description": "What is wrong", "content": {_JSON: {"schema": schemas[str(Problem)]}}}


def _path_parameters(path: str) -> list[Json]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _with_plan_names(components: dict[str, Json]) -> dict[str, Json]:
    """Let a job's plan be the name of a built-in one too."""
    request = components["JobRequest"]
    properties = {**request["properties"]}
    properties["plan"] = {"anyOf": [properties["plan"], {"type": "string", "description": "A built-in plan's name."}]}
    return {**components, "JobRequest": {**request, "properties": properties}}
