"""docs/performance.md is written by two benches."""

from tests.bench import page


def test_a_section_is_written_where_it_stands_and_leaves_the_others(tmp_path):
    file = tmp_path / "performance.md"
    page.write("One", "first\n", file)
    page.write("Two", "second", file)
    page.write("One", "third\n\n- x", file)
    assert file.read_text() == "# Performance\n\n## One\n\nthird\n\n- x\n\n## Two\n\nsecond\n"
    page.write("Two", "fourth", file)
    assert file.read_text().endswith("- x\n\n## Two\n\nfourth\n")
