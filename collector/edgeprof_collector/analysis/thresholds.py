"""Every limit that the analysis judges by, with its reason."""

# Statistics

# The bootstrap interval of a median of 3 covers 76 % instead of 95 %; of 5 it covers about what it says.
INTERVAL_MIN_REPETITIONS = 5

# A percentile p is given when at least one gap in expectation lies beyond it: 2 for p50, 10 for p90, 100 for p99.
PERCENTILE_MIN_GAPS_BEYOND = 1.0

# A trend counts as drift when it is neither chance (5 %, two-sided) nor too small to matter: common run-to-run
# noise of a rate is 1 to 2 %.
DRIFT_SIGNIFICANCE = 0.05
DRIFT_MIN_RATIO = 0.03

# Comparing

# The chance that a comparison of two equal sides calls anything changed, over all of its figures together.
CHANGE_SIGNIFICANCE = 0.05

# The smallest visible change is the one that would be found with this probability.
VISIBLE_PROBABILITY = 0.80

# The signs of 5 pairs can be flipped in 32 ways, so that no result is rarer than 6 %; with 6 it is 3 %.
COMPARE_MIN_PAIRS = 6

# Two groups of 4 are dealt in 70 ways, two of 5 in 252: only from there on can several figures be corrected.
COMPARE_MIN_VALUES = 5

# From so many runs on each side, whole runs are compared: repetitions of one run have more in common than two runs.
COMPARE_MIN_RUNS = 5

# Two runs of the same thing differ by this much through where memory happened to lie; less is never called a change.
CHANGE_MIN_RATIO = 0.005

# What still counts as no difference, unless the person says otherwise: about what devices vary by from day to day.
NO_DIFFERENCE_RATIO = 0.05

# Sustained load: its first and last two minutes are compared, or quarters of what took less than eight.
SUSTAINED_WINDOW_SECONDS = 120.0
SUSTAINED_WINDOW_RATIO = 0.25

# Conditions

# Others took a tenth of all cores' time: more than a desktop at rest, and about what a rate loses when the
# engine uses every core.
CONTENDED_CPU_RATIO = 0.10

# Below three samples a share of CPU time is mostly the rounding of the kernel's clock ticks.
CONTENDED_MIN_SAMPLES = 3

# A repetition whose clock lies a tenth under the best of its step was held back; governors jitter by less.
THROTTLED_CLOCK_RATIO = 0.90

# One sample of a clock may fall on the moment before the work began; the median of three does not.
THROTTLED_MIN_SAMPLES = 3

# A value between two samples is interpolated only if they are at most this far apart: two ticks of the slow tier.
INTERPOLATION_MAX_SECONDS = 2.0

# Each end of a window is placed within one bucket of what was thinned; a window of fewer than two could be all error.
THINNED_MIN_BUCKETS = 2

# Energy

# Each end of a phase is placed within one refresh of the counter; a phase of fewer than two could be all error.
ENERGY_MIN_REFRESHES = 2.0

# Between two changes of a counter further apart than this many of its refreshes, telemetry was lost.
ENERGY_REACH_REFRESHES = 4.0

# What NVIDIA's averages of power cover (cuda.bindings: nvmlDeviceGetPowerUsage); AMD's firmware does not tell its own.
AVERAGE_POWER_WINDOW_SECONDS = 1.0

# Over a whole run, some seconds without a reading weigh little.
ENERGY_RUN_REACH_SECONDS = 10.0

# Memory traffic of a phase is told by what its source showed at both ends; of fewer refreshes it could be all error.
TRAFFIC_MIN_REFRESHES = 2.0

# Page cache before a load: what counts as cold and as warm.
COLD_PAGE_CACHE_RATIO = 0.10
WARM_PAGE_CACHE_RATIO = 0.90

# Bandwidth

# A GPU on which the workload holds less than a tenth of a token's weights holds buffers, not layers.
PLACED_WEIGHTS_RATIO = 0.10

# No driver tells the size of a GPU's last-level cache. The largest sold is the 256 MB of AMD's MI300X; weights that are
# not larger may never leave it.
LARGEST_GPU_CACHE_BYTES = 256 * 2**20

# Findings

# The measured ceiling itself is known to a few percent; a rate this far above it cannot be noise.
IMPOSSIBLE_RATE_RATIO = 1.10

# The usual advice on devices with little memory: keep a fifth free, for longer contexts and for everything else.
MEMORY_HEADROOM_RATIO = 0.20

# A core of today loads at most two lines of 64 bytes per clock, at no more than 6.2 GHz: 0.8 TB/s.
CORE_LOADS_BYTES_PER_SECOND = 1e12

# Work that was left for later makes the event after a phase last longer than the phase itself did. A graph that is
# captured, or a cache that is grown, costs a small part of a prompt: it takes twice the prompt and five tokens' time.
UNFINISHED_PHASE_RATIO = 2.0
UNFINISHED_TOKEN_RATIO = 5.0

# A prompt reads all weights at least once, as a single token does. With other threads or another kernel it may do so
# faster, but not twice as fast. Shorter prompts than this may be read as one token is, and tell nothing.
PROMPT_TO_TOKEN_RATIO = 0.5
UNFINISHED_MIN_PROMPT_TOKENS = 16

# A fall over the depth that people notice, and that the KV cache's share of a token's bytes often does not explain.
CONTEXT_DECAY_RATIO = 0.15
KV_EXPLAINS_RATIO = 0.5

# A difference between variants that matters: common run-to-run noise of a rate is 1 to 2 %. Besides, the middle halves
# of both must lie apart.
VARIANT_MIN_RATIO = 0.05

# Kernels of different quantisations reach different shares of the bandwidth, a half against nearly all of it; a rate
# that is twice as far from what its bytes explain is no such difference.
OFF_LINE_RATIO = 2.0

# The mean KL divergence from which on a model says something else. Other numbers of threads, batch sizes and kernels
# stay under 0.001 nats, and so do 8-bit weights of Llama 3 8B (0.0014); its 5-bit ones are at 0.011, its 4-bit ones
# at 0.03 and more (the scoreboard in llama.cpp's tools/perplexity/README.md).
FIDELITY_KL_NATS = 0.01

# The perplexity of Llama 3 8B over that with 16-bit weights: q8_0 0.04 %, q6_K 0.35 %, q4_K_M 2.8 % (llama.cpp's pull
# request 6936).
PERPLEXITY_MIN_RATIO = 0.01

# What still counts as no difference in the share of tasks answered right. The same answers to 73 tasks rule that out,
# those to the 100 of a step that does not say how many rule out 3.7 %.
TASKS_NO_DIFFERENCE_RATIO = 0.05

# A page fault that waits for a solid-state disk takes about 0.1 ms: 100 in a second are 1 % of the time.
PAGING_FAULTS_PER_SECOND = 100.0

# What is done once costs the first repetition alone; noise hardly ever takes 30 % of one, and of no other.
FIRST_CALL_RATIO = 0.7
FIRST_CALL_MIN_REPETITIONS = 3
