"""Results that other benchmarks have written, as runs."""
