"""`edgeprof import` as a person runs it: what is stored is shown, and what is no result leaves nothing."""

from pathlib import Path

from tests.collector.imports.rows import COMBINED, DECODE, PREFILL, write_lines
from tests.end_to_end.conftest import Home


def test_results_are_stored_and_shown(home: Home) -> None:
    path = write_lines(home.folder / "results.jsonl", PREFILL, COMBINED, DECODE)

    imported = home.run("import", "llama-bench", str(path), "--device", "bench-a")
    assert imported.status == 0, imported.errors
    run, left_out, advice = imported.output.splitlines()
    assert run.endswith("  bench-a  tinyllama-1.1b.Q4_0.gguf")
    assert left_out.startswith("left out: 1 combined test ")
    command = advice.removeprefix("Next: edgeprof ").split()
    shown = home.run(*command, "--output", str(home.folder / "reports"))
    assert shown.status == 0, shown.errors
    assert "reads 192 tokens/s, writes 12.8 tokens/s" in shown.output
    assert len(list((home.folder / "reports").glob("*.html"))) == 1


def refused(home: Home, path: Path) -> str:
    ended = home.run("import", "llama-bench", str(path))
    assert ended.status == 2
    (line,) = ended.errors.splitlines()
    assert home.run("runs", "--json").output.strip() in ("[]", "")
    return line


def test_what_cannot_be_imported_is_refused_in_one_line(home: Home) -> None:
    combined = write_lines(home.folder / "combined.jsonl", COMBINED)
    assert refused(home, combined).startswith(f"edgeprof: {combined} has only combined tests (-pg), ")
    cut = home.folder / "cut.jsonl"
    whole = write_lines(home.folder / "whole.jsonl", PREFILL, DECODE)
    cut.write_bytes(whole.read_bytes()[:-9])
    assert refused(home, cut) == f"edgeprof: {cut}: line 2 is no JSON: write it with llama-bench --output jsonl"
    missing = home.folder / "missing.jsonl"
    assert refused(home, missing).startswith(f"edgeprof: {missing} cannot be read: No such file or directory; ")
