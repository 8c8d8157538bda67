"""Each finding has a page, and the list of pages names it."""

from pathlib import Path

from edgeprof_collector.analysis.finding_name import FindingName

PAGES = Path(__file__).parents[2] / "docs" / "findings"


def test_every_finding_has_a_page_that_begins_with_its_name() -> None:
    for name in FindingName:
        page = PAGES.parents[1] / name.page
        assert page.read_text(encoding="utf-8").startswith(f"# {name.value}: "), name


def test_the_list_names_every_page_and_no_other() -> None:
    listed = (PAGES / "README.md").read_text(encoding="utf-8")
    pages = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert pages == {name.value for name in FindingName}
    assert all(f"| [{page}]({page}.md) |" in listed for page in pages)
