from dataclasses import replace

from edgeprof.run import PeakBandwidth, PeakMethod
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.verdict import Finding, Severity

from .sample_run import DEVICE, GPU, MODEL, OPTIONS, Scenario, sample_record, sample_run


def findings(scenario: Scenario) -> tuple[Finding, ...]:
    return analyse(sample_record(scenario), ()).findings


def test_a_healthy_run_has_no_findings() -> None:
    assert findings(Scenario()) == ()


def test_a_decode_rate_above_the_memorys_bandwidth_is_invalid() -> None:
    first, second = findings(Scenario(decode_rate=50.0))
    assert first.severity is Severity.INVALID
    assert first.title == "decode 48: the decode rate is impossible"
    assert first.evidence == (
        "50.0 tokens/s would read 35.0 GB/s of weights and KV cache; "
        "the memory of the CPU moves 28.0 GB/s at most (measured)"
    )
    assert second.title.startswith("decode 48 @ 512")


def test_a_rate_within_the_ceilings_own_error_is_possible() -> None:
    assert findings(Scenario(decode_rate=40.0)) == ()


def test_a_copy_faster_than_a_read_is_the_ceiling() -> None:
    record = sample_record(Scenario(decode_rate=50.0))
    ceilings = (replace(record.ceilings[0], copy_bytes_per_second=60e9),)
    assert analyse(replace(record, ceilings=ceilings), ()).findings == ()


def peak(bytes_per_second: float, processor: str = "cpu", method: PeakMethod = PeakMethod.COMPUTED) -> PeakBandwidth:
    return PeakBandwidth(
        run_id="r", processor=processor, method=method, bytes_per_second=bytes_per_second, source="3200 MT/s x 128 bits"
    )


def test_the_largest_of_all_peaks_of_the_processor_is_the_ceiling() -> None:
    record = sample_record(Scenario(decode_rate=50.0))
    assert analyse(replace(record, peaks=(peak(51.2e9), peak(20e9, method=PeakMethod.SPECIFIED))), ()).findings == ()
    assert analyse(replace(record, peaks=(peak(936e9, processor="gpu0"),)), ()).findings


def test_a_rate_is_impossible_by_a_peak_that_nobody_measured() -> None:
    record = replace(sample_record(Scenario(decode_rate=50.0)), ceilings=(), peaks=(peak(25.6e9),))
    verdict = analyse(record, ())
    assert verdict.findings[0].evidence.endswith(
        "the memory of the CPU moves 25.6 GB/s at most (computed: 3200 MT/s x 128 bits)"
    )
    assert verdict.peaks == record.peaks


def test_weights_in_the_cache_make_no_rate_impossible() -> None:
    device = replace(DEVICE, last_level_cache_bytes=MODEL.weight_bytes_read_per_token)
    assert findings(Scenario(decode_rate=500.0, device=device)) == ()


def test_a_gpu_is_not_judged_by_the_cpus_memory() -> None:
    device = replace(DEVICE, accelerators=(GPU,))
    assert findings(Scenario(decode_rate=500.0, device=device, options={**OPTIONS, "gpu_layers": "99"})) == ()


def test_a_conversation_rebuilt_on_every_turn_is_found() -> None:
    [found] = findings(Scenario(prefix_reused=False))
    assert found.severity is Severity.WARNING
    assert found.title == "chat 3x(64+16): the conversation is processed again on every turn"
    assert "turn 3 took 1.24 s to its first token, 3.5 times turn 1 (356 ms)" in found.evidence
    assert "160 of history" in found.evidence
    assert "the engine reused 0 tokens" in found.evidence


def test_too_little_headroom_is_found() -> None:
    [found] = findings(Scenario(peak_resident_bytes=14 * 2**30))
    assert found.evidence == "12% of memory was left at the peak; the process held 14.0 GiB of 16.0 GiB"
    assert findings(Scenario(peak_resident_bytes=12 * 2**30)) == ()


def test_a_run_cut_before_its_second_turn_is_not_judged() -> None:
    record, _ = sample_run(Scenario(prefix_reused=False))
    assert analyse(replace(record, requests=record.requests[:4], finished=None), ()).findings == ()
