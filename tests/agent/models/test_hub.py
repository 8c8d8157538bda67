"""Models of the Hugging Face Hub, from a server on the loopback that speaks its API, through the real process."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.hub_reference import HubReference, parse_reference
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.models.process import prepare_model

from .small_hub import COMMIT, SmallHub, serve

CHUNK_BYTES = constants.DOWNLOAD_CHUNK_SIZE
"""What huggingface_hub reads at once: of a chunk that does not come whole, nothing is kept."""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    facts = asyncio.run(prepare_model("synth:tiny@q4_0", tmp_path_factory.mktemp("models"), lambda _: None))
    return Path(facts.path).read_bytes() + bytes(3 * CHUNK_BYTES)


@pytest.fixture
def hub(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    for name in list(os.environ):
        if name.startswith("HF_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with serve(content) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def fetch(name: str, folder: Path) -> tuple[ModelFacts, list[float]]:
    progress: list[float] = []
    return asyncio.run(prepare_model(name, folder, progress.append)), progress


def refusal(name: str, folder: Path) -> str:
    with pytest.raises(EdgeprofError) as refused:
        fetch(name, folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("hf:o/r/f.gguf", HubReference(repository="o/r", file="f.gguf", revision="main")),
        ("hf:o-1/r.2/a/b.gguf@v1.0", HubReference(repository="o-1/r.2", file="a/b.gguf", revision="v1.0")),
        ("hf:o/r/f.gguf@refs/pr/3", HubReference(repository="o/r", file="f.gguf", revision="refs/pr/3")),
    ],
)
def test_references(name: str, reference: HubReference) -> None:
    assert parse_reference(name) == reference


@pytest.mark.parametrize("name", ["hf:", "hf:o/r", "hf:o/r/", "hf:/o/r/f", "hf:o/r/../../f", "hf:o/r/f g", "hf:o/r/f@"])
def test_what_is_no_reference_is_refused_without_asking_anybody(name: str, tmp_path: Path) -> None:
    assert "write hf:OWNER/REPOSITORY/FILE" in refusal(name, tmp_path)


def test_a_file_is_fetched_once_with_progress(hub: SmallHub, tmp_path: Path) -> None:
    facts, progress = fetch(hub.reference(), tmp_path)
    assert facts.name == hub.reference()
    assert facts.sha256 == hub.etag
    assert Path(facts.path).read_bytes() == hub.content
    assert facts.architecture == "llama"
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    again, progress = fetch(hub.reference(), tmp_path)
    assert (again, progress) == (facts, [])
    assert hub.ranges == [""]


def test_a_file_can_be_refused_by_its_size_before_any_of_it_is_fetched(hub: SmallHub, tmp_path: Path) -> None:
    told: list[ModelOutline] = []

    def refuse(outline: ModelOutline) -> None:
        told.append(outline)
        raise EdgeprofError("too large")

    with pytest.raises(EdgeprofError, match=r"^too large$"):
        asyncio.run(prepare_model(hub.reference(), tmp_path, lambda _: None, refuse))
    assert told == [ModelOutline(name=hub.reference(), format="gguf", file_bytes=len(hub.content))]
    assert hub.ranges == []


def test_a_revision_has_a_file_of_its_own(hub: SmallHub, tmp_path: Path) -> None:
    main, _ = fetch(hub.reference(), tmp_path)
    pinned, _ = fetch(hub.reference(revision=COMMIT), tmp_path)
    assert main.path != pinned.path
    assert main.sha256 == pinned.sha256


def test_what_changes_on_the_hub_is_fetched_again(hub: SmallHub, tmp_path: Path) -> None:
    fetch(hub.reference(), tmp_path)
    hub.content += bytes(32)
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    assert fetch(hub.reference(), tmp_path)[0].sha256 == hub.etag


def test_a_cut_connection_is_continued_at_once(hub: SmallHub, tmp_path: Path) -> None:
    hub.cuts, hub.cut_after = 1, CHUNK_BYTES + 1_000_000
    facts, _ = fetch(hub.reference(), tmp_path)
    assert facts.sha256 == hub.etag
    assert hub.ranges == ["", f"bytes={CHUNK_BYTES}-"]


def test_a_killed_fetch_is_continued_by_the_next(hub: SmallHub, tmp_path: Path) -> None:
    """The part that was there stays, and the rest alone is asked for."""
    part = tmp_path / "hub/maker/model-GGUF/main/folder" / f"tiny.gguf.{hub.etag[:16]}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.content[:700_000])
    facts, progress = fetch(hub.reference(), tmp_path)
    assert facts.sha256 == hub.etag
    assert hub.ranges == ["bytes=700000-"]
    assert progress[0] > 0.2
    assert not part.exists()


def test_a_cancelled_fetch_keeps_what_has_come(hub: SmallHub, tmp_path: Path) -> None:
    hub.cuts, hub.cut_after = 1000, CHUNK_BYTES + 1_000_000

    async def scenario() -> None:
        arrived = asyncio.Event()

        def note(done_ratio: float) -> None:
            """A chunk is told of before it is written, so the second says that the first is."""
            if done_ratio > 1.5 * CHUNK_BYTES / len(hub.content) * 0.9:
                arrived.set()

        task = asyncio.ensure_future(prepare_model(hub.reference(), tmp_path, note))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    (part,) = tmp_path.rglob("*.part")
    size = part.stat().st_size
    assert size >= CHUNK_BYTES
    hub.cuts = 0
    hub.ranges.clear()
    assert fetch(hub.reference(), tmp_path)[0].sha256 == hub.etag
    assert hub.ranges == [f"bytes={size}-"]


def test_a_part_of_other_content_is_not_continued(hub: SmallHub, tmp_path: Path) -> None:
    folder = tmp_path / "hub/maker/model-GGUF/main/folder"
    folder.mkdir(parents=True)
    (folder / f"tiny.gguf.{'0' * 16}.part").write_bytes(b"something else")
    assert fetch(hub.reference(), tmp_path)[0].sha256 == hub.etag
    assert hub.ranges == [""]


def test_content_that_is_not_what_the_hub_says_is_removed(hub: SmallHub, tmp_path: Path) -> None:
    hub.etag = "0" * 64
    cause = refusal(hub.reference(), tmp_path)
    assert cause.startswith(f"{hub.reference()}: what came has the SHA-256 ")
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.rglob("*.gguf"))


def test_without_the_hub_what_was_fetched_is_used(
    hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, _ = fetch(hub.reference(), tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch(hub.reference(), tmp_path)[0] == facts
    assert "http://127.0.0.1:9 cannot be reached" in refusal(hub.reference(revision="v2"), tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch(hub.reference(), tmp_path)[0] == facts


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("hf:maker/model-GGUF/other.gguf", "the repository has no such file: see {url}/maker/model-GGUF/tree/main"),
        ("hf:maker/model-GGUF/folder/tiny.gguf@v9", "the repository has no revision 'v9': see {url}/maker/model-GGUF"),
        ("hf:nobody/nothing/f.gguf", "{url} has no such repository, or it is private: check the name, or set HF_TOKEN"),
    ],
)
def test_what_the_hub_does_not_have(hub: SmallHub, tmp_path: Path, name: str, cause: str) -> None:
    assert refusal(name, tmp_path) == f"{name.partition('@')[0]}: {cause.format(url=hub.url)}"


def test_a_gated_repository_needs_a_token(hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_sesame"
    assert f"it is gated: accept its terms on {hub.url}/maker/model-GGUF, and set HF_TOKEN" in refusal(
        hub.reference(), tmp_path
    )
    monkeypatch.setenv("HF_TOKEN", "hf_sesame")
    assert fetch(hub.reference(), tmp_path)[0].sha256 == hub.etag


def test_a_hub_in_trouble_is_named_with_its_status(hub: SmallHub, tmp_path: Path) -> None:
    hub.status = 501
    assert refusal(hub.reference(), tmp_path).endswith(f"{hub.url} answers with status 501: try again later")


def test_a_file_that_is_no_gguf_is_refused(hub: SmallHub, tmp_path: Path) -> None:
    hub.content = b"<html>" * 10
    hub.etag = hashlib.sha256(hub.content).hexdigest()
    assert "GGUF" in refusal(hub.reference(), tmp_path)
