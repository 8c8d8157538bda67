/* Plays libnvidia-ml.so.1: the calls that edgeprof makes, for GPUs written down in a table.
 *
 * STAND_IN_GPUS names the GPUs of the machine, by their keys in the table, separated by commas. With STAND_IN_MIG set,
 * those that can are divided into the instances that name them.
 * STAND_IN_PROCESSES is the path of a file with a line per process: "C" or "G", the GPU's key, the process's number,
 * its memory in MiB (-1 for unknown).
 * STAND_IN_TROUBLE is the path of a file; while it holds a word, that trouble is on; a second word names the one GPU
 * that has it:
 *     lost      the GPU has fallen off the bus
 *     unloaded  the driver is gone; handles from before stay invalid when it is back
 *     hang      no call on a device returns
 *     nothing   every call on a device is NOT_SUPPORTED
 *     fields    the batched call fails
 *     counters  the performance counters are taken by another program
 *     later     a second of work has passed
 * Compiled with -DDRIVER=n it is the driver of that generation, and lacks or has otherwise what that one did; with
 * -DCAPTURED=row the table has that row too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DRIVER
#define DRIVER 595
#endif

typedef int nvmlReturn_t;
enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9,
    GPU_IS_LOST = 15,
    IN_USE = 19,
    ARGUMENT_VERSION_MISMATCH = 25,
    UNKNOWN = 999
};

#define NONE (-1LL)
#define MIB (1024LL * 1024)

typedef struct {
    const char *key, *name, *uuid;
    const char *part_of; /* of an instance: its GPU's key */
    int major, minor, has_mig, has_processes, has_counters, pcie_is_narrow;
    unsigned pci_slot; /* 0 for a GPU that is no PCI device */
    long long total_bytes, reserved_bytes, used_bytes;
    long long busy_percent, memory_busy_percent;
    long long sm_mhz, sm_max_mhz, memory_mhz, memory_max_mhz, bus_bits;
    long long power_usage_mw, power_average_mw, power_instant_mw, memory_power_average_mw, module_power_instant_mw;
    long long energy_mj;
    long long temperature_celsius, memory_temperature_celsius, margin_celsius;
    long long reasons;
    long long power_cap_ns, thermal_ns, slowdown_ns, hardware_slowdown_ns, power_brake_ns;
    long long pcie_tx_bytes, pcie_rx_bytes;
    double dram_percent;
} Gpu;

#define NO_MEMORY .total_bytes = NONE, .reserved_bytes = NONE, .used_bytes = NONE
#define NO_UTILISATION .busy_percent = NONE, .memory_busy_percent = NONE
#define NO_MEMORY_CLOCK .memory_mhz = NONE, .memory_max_mhz = NONE, .bus_bits = NONE
#define NO_CLOCKS .sm_mhz = NONE, .sm_max_mhz = NONE, NO_MEMORY_CLOCK
#define NO_PARTS .memory_power_average_mw = NONE, .module_power_instant_mw = NONE
#define NO_POWER .power_usage_mw = NONE, .power_average_mw = NONE, .power_instant_mw = NONE, NO_PARTS, .energy_mj = NONE
#define NO_THROTTLE .reasons = NONE, .power_cap_ns = NONE, .thermal_ns = NONE, .slowdown_ns = NONE, .hardware_slowdown_ns = NONE, \
    .power_brake_ns = NONE
#define NO_PCIE .pcie_tx_bytes = NONE, .pcie_rx_bytes = NONE
#define NO_TEMPERATURE .temperature_celsius = NONE, .memory_temperature_celsius = NONE, .margin_celsius = NONE

static const Gpu GPUS[] = {
    {.key = "rtx3090", .name = "NVIDIA GeForce RTX 3090", .uuid = "GPU-00000000-0000-0000-0000-000000003090",
     .major = 8, .minor = 6, .has_processes = 1, .pci_slot = 0x0c,
     .total_bytes = 24576 * MIB, .reserved_bytes = 447 * MIB, .used_bytes = 5120 * MIB,
     .busy_percent = 97, .memory_busy_percent = 61,
     .sm_mhz = 1740, .sm_max_mhz = 2100, .memory_mhz = 9751, .memory_max_mhz = 9751, .bus_bits = 384,
     .power_usage_mw = 347210, .power_average_mw = 347210, .power_instant_mw = 351870, NO_PARTS,
     .energy_mj = 812345678901,
     .temperature_celsius = 71, .memory_temperature_celsius = NONE, .margin_celsius = NONE,
     .reasons = 0x4, .power_cap_ns = 93000250000000, .thermal_ns = 0, .slowdown_ns = 0,
     .pcie_tx_bytes = 5000000000, .pcie_rx_bytes = 71000000001},
    {.key = "rtx4090", .name = "NVIDIA GeForce RTX 4090", .uuid = "GPU-00000000-0000-0000-0000-000000004090",
     .major = 8, .minor = 9, .has_processes = 1, .pcie_is_narrow = 1, .pci_slot = 1,
     .total_bytes = 24564 * MIB, .reserved_bytes = 464 * MIB, .used_bytes = 18022 * MIB,
     .busy_percent = 88, .memory_busy_percent = 47,
     .sm_mhz = 2730, .sm_max_mhz = 3105, .memory_mhz = 10501, .memory_max_mhz = 10501, .bus_bits = 384,
     .power_usage_mw = 301040, .power_average_mw = 301040, .power_instant_mw = 322600, NO_PARTS,
     .energy_mj = 55501234567,
     .temperature_celsius = 83, .memory_temperature_celsius = NONE, .margin_celsius = 4,
     .reasons = 0x68, .power_cap_ns = 41000000, .thermal_ns = 7300000000, .slowdown_ns = 7300000000, .hardware_slowdown_ns = 3650000000,
     .pcie_tx_bytes = 4000000000, .pcie_rx_bytes = 200},
    {.key = "rtx2080", .name = "NVIDIA GeForce RTX 2080", .uuid = "GPU-00000000-0000-0000-0000-000000002080",
     .major = 7, .minor = 5, .has_processes = 1,
     .total_bytes = 8192 * MIB, .reserved_bytes = 225 * MIB, .used_bytes = 0,
     .busy_percent = 0, .memory_busy_percent = 0,
     .sm_mhz = 300, .sm_max_mhz = 2100, .memory_mhz = 405, .memory_max_mhz = 7000, .bus_bits = 256,
     .power_usage_mw = 12120, .power_average_mw = NONE, .power_instant_mw = NONE, NO_PARTS, .energy_mj = 0,
     .temperature_celsius = 34, .memory_temperature_celsius = 0, .margin_celsius = NONE,
     .reasons = 0x1, .power_cap_ns = 0, .thermal_ns = 0, .slowdown_ns = 0,
     NO_PCIE},
    {.key = "h200", .name = "NVIDIA H200", .uuid = "GPU-00000000-0000-0000-0000-000000000200",
     .major = 9, .minor = 0, .has_mig = 1, .has_processes = 1, .has_counters = 1,
     .total_bytes = 143771 * MIB, .reserved_bytes = 614 * MIB, .used_bytes = 71000 * MIB,
     .busy_percent = 100, .memory_busy_percent = 38,
     .sm_mhz = 1965, .sm_max_mhz = 1980, .memory_mhz = 3201, .memory_max_mhz = 3201, .bus_bits = 6144,
     .power_usage_mw = 541300, .power_average_mw = 541300, .power_instant_mw = 537730,
     .memory_power_average_mw = 88410, .module_power_instant_mw = NONE,
     .energy_mj = 990000000123,
     .temperature_celsius = 49, .memory_temperature_celsius = 55, .margin_celsius = 38,
     .reasons = 0, .power_cap_ns = 0, .thermal_ns = 0, .slowdown_ns = 0,
     .pcie_tx_bytes = 12000000000, .pcie_rx_bytes = 310000000000,
     .dram_percent = 62.5},
    {.key = "h200-3g", .name = "NVIDIA H200 MIG 3g.71gb", .uuid = "MIG-00000000-0000-0000-0000-000000000003",
     .part_of = "h200", .major = 9, .minor = 0, .has_processes = 1,
     .total_bytes = 71424 * MIB, .reserved_bytes = 0, .used_bytes = 70000 * MIB,
     NO_UTILISATION, NO_CLOCKS, NO_POWER, NO_TEMPERATURE, NO_THROTTLE, NO_PCIE},
    {.key = "h200-1g", .name = "NVIDIA H200 MIG 1g.18gb", .uuid = "MIG-00000000-0000-0000-0000-000000000001",
     .part_of = "h200", .major = 9, .minor = 0, .has_processes = 1,
     .total_bytes = 16384 * MIB, .reserved_bytes = 0, .used_bytes = 1000 * MIB,
     NO_UTILISATION, NO_CLOCKS, NO_POWER, NO_TEMPERATURE, NO_THROTTLE, NO_PCIE},
    {.key = "gb10", .name = "NVIDIA GB10", .uuid = "GPU-00000000-0000-0000-0000-000000000010",
     .major = 12, .minor = 1, .has_processes = 1,
     NO_MEMORY,
     .busy_percent = 91, .memory_busy_percent = 0,
     .sm_mhz = 2405, .sm_max_mhz = 3003, NO_MEMORY_CLOCK,
     .power_usage_mw = 46120, .power_average_mw = 46120, .power_instant_mw = 47050,
     .memory_power_average_mw = NONE, .module_power_instant_mw = 83200, .energy_mj = 1200300,
     .temperature_celsius = 66, .memory_temperature_celsius = NONE, .margin_celsius = 21,
     .reasons = 0x4, .power_cap_ns = 1500000000, .thermal_ns = 0, .slowdown_ns = 0,
     NO_PCIE},
    {.key = "orin", .name = "Orin (nvgpu)", .uuid = "GPU-00000000-0000-0000-0000-000000000087",
     .major = 8, .minor = 7,
     NO_MEMORY, NO_UTILISATION, NO_CLOCKS, NO_POWER, NO_TEMPERATURE, NO_THROTTLE, NO_PCIE},
#ifdef CAPTURED
    CAPTURED,
#endif
};
#define ROWS (sizeof GPUS / sizeof *GPUS)

static int running = 0;
static long samples_alive = 0;

/* The machine's GPU at this index; NULL behind the last. */
static const Gpu *installed(unsigned index) {
    const char *keys = getenv("STAND_IN_GPUS");
    for (; keys && *keys; keys += strcspn(keys, ","), keys += *keys == ',') {
        size_t length = strcspn(keys, ",");
        for (size_t row = 0; row < ROWS; row++)
            if (strlen(GPUS[row].key) == length && !strncmp(GPUS[row].key, keys, length) && index-- == 0)
                return &GPUS[row];
    }
    return NULL;
}

static const Gpu *instance(const Gpu *gpu, unsigned index) {
    for (size_t row = 0; row < ROWS; row++)
        if (GPUS[row].part_of && !strcmp(GPUS[row].part_of, gpu->key) && index-- == 0)
            return &GPUS[row];
    return NULL;
}

static int is_divided(const Gpu *gpu) {
    return gpu->has_mig && getenv("STAND_IN_MIG");
}

static int in_trouble(const char *trouble, const Gpu *gpu) {
    char word[32] = "", key[32] = "";
    const char *path = getenv("STAND_IN_TROUBLE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return 0;
    int words = fscanf(file, "%31s %31s", word, key);
    fclose(file);
    return words > 0 && !strcmp(word, trouble) && (words == 1 || (gpu && !strcmp(gpu->key, key)));
}

static nvmlReturn_t check_driver(void) {
    if (in_trouble("unloaded", NULL))
        running = 0;
    return running ? SUCCESS : UNINITIALIZED;
}

static nvmlReturn_t check(const Gpu *gpu) {
    while (in_trouble("hang", gpu))
        usleep(5000);
    nvmlReturn_t result = check_driver();
    if (result != SUCCESS)
        return result;
    if (!gpu)
        return INVALID_ARGUMENT;
    if (in_trouble("lost", gpu))
        return GPU_IS_LOST;
    return in_trouble("nothing", gpu) ? NOT_SUPPORTED : SUCCESS;
}

static nvmlReturn_t give(const Gpu *gpu, long long value, unsigned *place) {
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS && value == NONE)
        return NOT_SUPPORTED;
    if (result == SUCCESS)
        *place = (unsigned)value;
    return result;
}

nvmlReturn_t nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (in_trouble("unloaded", NULL))
        return DRIVER_NOT_LOADED;
    running++;
    return SUCCESS;
}

nvmlReturn_t nvmlShutdown(void) {
    if (!running)
        return UNINITIALIZED;
    running--;
    return SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t result) {
    (void)result;
    return "an error of the stand-in";
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned length) {
    snprintf(version, length, "%d.71.05", DRIVER);
    return check_driver();
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) {
    for (*count = 0; installed(*count); ++*count)
        ;
    return check_driver();
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, const Gpu **device) {
    *device = installed(index);
    nvmlReturn_t result = check(*device);
    return result == NOT_SUPPORTED ? SUCCESS : result;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, const Gpu **device) {
    for (unsigned index = 0; (*device = installed(index)); index++) {
        const Gpu *found = *device;
        for (unsigned part = 0; found && strcmp(found->uuid, uuid); part++)
            found = is_divided(*device) ? instance(*device, part) : NULL;
        if ((*device = found))
            break;
    }
    nvmlReturn_t result = *device ? check(*device) : NOT_FOUND;
    return result == NOT_SUPPORTED ? SUCCESS : result;
}

nvmlReturn_t nvmlDeviceGetUUID(const Gpu *gpu, char *uuid, unsigned length) {
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS)
        snprintf(uuid, length, "%s", gpu->uuid);
    return result;
}

nvmlReturn_t nvmlDeviceGetName(const Gpu *gpu, char *name, unsigned length) {
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS)
        snprintf(name, length, "%s", gpu->name);
    return result;
}

nvmlReturn_t nvmlDeviceGetCudaComputeCapability(const Gpu *gpu, int *major, int *minor) {
    *major = gpu->major;
    *minor = gpu->minor;
    return check(gpu);
}

nvmlReturn_t nvmlDeviceGetMigMode(const Gpu *gpu, unsigned *current, unsigned *pending) {
    *current = *pending = is_divided(gpu);
    nvmlReturn_t result = check(gpu);
    return result == SUCCESS && !gpu->has_mig ? NOT_SUPPORTED : result;
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(const Gpu *gpu, unsigned *count) {
    *count = gpu->has_mig ? 7 : 0;
    return check(gpu);
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(const Gpu *gpu, unsigned index, const Gpu **device) {
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS && !(*device = instance(gpu, index)))
        return NOT_FOUND;
    return result;
}

typedef struct {
    char legacy_bus_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} Pci;

nvmlReturn_t nvmlDeviceGetPciInfo_v3(const Gpu *gpu, Pci *pci) {
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS && gpu->pci_slot == 0)
        return NOT_SUPPORTED;
    if (result == SUCCESS)
        snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%02X:00.0", gpu->pci_slot);
    return result;
}

#if DRIVER >= 510
typedef struct {
    unsigned version;
    unsigned long long total, reserved, free, used;
} Memory;

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(const Gpu *gpu, Memory *memory) {
    nvmlReturn_t result = check(gpu);
    if (result != SUCCESS)
        return result;
    if (memory->version != 0x02000028)
        return ARGUMENT_VERSION_MISMATCH;
    if (gpu->total_bytes == NONE)
        return NOT_SUPPORTED;
    memory->total = gpu->total_bytes;
    memory->reserved = gpu->reserved_bytes;
    memory->used = gpu->used_bytes;
    memory->free = memory->total - memory->reserved - memory->used;
    return SUCCESS;
}
#endif

nvmlReturn_t nvmlDeviceGetUtilizationRates(const Gpu *gpu, unsigned rates[2]) {
    nvmlReturn_t result = give(gpu, gpu && is_divided(gpu) ? NONE : gpu->busy_percent, &rates[0]);
    return result == SUCCESS ? give(gpu, gpu->memory_busy_percent, &rates[1]) : result;
}

nvmlReturn_t nvmlDeviceGetClockInfo(const Gpu *gpu, unsigned type, unsigned *mhz) {
    return give(gpu, type == 1 ? gpu->sm_mhz : type == 2 ? gpu->memory_mhz : NONE, mhz);
}

nvmlReturn_t nvmlDeviceGetMaxClockInfo(const Gpu *gpu, unsigned type, unsigned *mhz) {
    return give(gpu, type == 1 ? gpu->sm_max_mhz : type == 2 ? gpu->memory_max_mhz : NONE, mhz);
}

nvmlReturn_t nvmlDeviceGetMemoryBusWidth(const Gpu *gpu, unsigned *bits) {
    return give(gpu, gpu->bus_bits, bits);
}

nvmlReturn_t nvmlDeviceGetPowerUsage(const Gpu *gpu, unsigned *mw) {
    return give(gpu, gpu->power_usage_mw, mw);
}

nvmlReturn_t nvmlDeviceGetTemperature(const Gpu *gpu, unsigned sensor, unsigned *celsius) {
    return give(gpu, sensor == 0 ? gpu->temperature_celsius : NONE, celsius);
}

static nvmlReturn_t give_reasons(const Gpu *gpu, unsigned long long *reasons) {
    unsigned low;
    nvmlReturn_t result = give(gpu, gpu->reasons, &low);
    if (result == SUCCESS)
        *reasons = low;
    return result;
}

#if DRIVER < 535
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(const Gpu *gpu, unsigned long long *reasons) {
    return give_reasons(gpu, reasons);
}
#else
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(const Gpu *gpu, unsigned long long *reasons) {
    return give_reasons(gpu, reasons);
}

typedef struct {
    unsigned version, sensor;
    int celsius;
} Temperature;

nvmlReturn_t nvmlDeviceGetTemperatureV(const Gpu *gpu, Temperature *temperature) {
    if (temperature->version != 0x100000C)
        return ARGUMENT_VERSION_MISMATCH;
    return give(gpu, temperature->sensor == 0 ? gpu->temperature_celsius : NONE, (unsigned *)&temperature->celsius);
}

typedef struct {
    unsigned version;
    int celsius;
} Margin;

nvmlReturn_t nvmlDeviceGetMarginTemperature(const Gpu *gpu, Margin *margin) {
    if (margin->version != 0x1000008)
        return ARGUMENT_VERSION_MISMATCH;
    return give(gpu, gpu->margin_celsius, (unsigned *)&margin->celsius);
}
#endif

typedef struct {
    unsigned field, scope;
    long long timestamp, latency;
    unsigned type;
    nvmlReturn_t result;
    union {
        unsigned small;
        unsigned long long large;
    } value;
} Field;

enum { SCOPE_GPU, SCOPE_MODULE, SCOPE_MEMORY };

static long long power_in_scope(const Gpu *gpu, unsigned scope, int is_average) {
    if (DRIVER < 535)
        return NONE;
    switch (scope) {
    case SCOPE_GPU: return is_average ? gpu->power_average_mw : gpu->power_instant_mw;
    case SCOPE_MODULE: return is_average ? NONE : gpu->module_power_instant_mw;
    case SCOPE_MEMORY: return is_average ? gpu->memory_power_average_mw : NONE;
    default: return NONE;
    }
}

/* The value of a counter; a second later, so much more. */
static long long counted(const Gpu *gpu, long long value, long long gain) {
    return value == NONE || !in_trouble("later", gpu) ? value : value + gain;
}

static long long field_value(const Gpu *gpu, const Field *field, int *is_large) {
    *is_large = field->field != 82 && field->field != 185 && field->field != 186;
    switch (field->field) {
    case 74: return counted(gpu, gpu->power_cap_ns, 250000000);
    case 75: return gpu->thermal_ns;
    case 82: return gpu->memory_temperature_celsius;
    case 83: return counted(gpu, gpu->energy_mj, 300000);
    case 185: return power_in_scope(gpu, field->scope, 1);
    case 186: return power_in_scope(gpu, field->scope, 0);
#if DRIVER >= 535
    case 197: *is_large = !gpu->pcie_is_narrow; return counted(gpu, gpu->pcie_tx_bytes, 40000000);
    case 198: *is_large = !gpu->pcie_is_narrow; return counted(gpu, gpu->pcie_rx_bytes, 900000000);
#endif
#if DRIVER >= 590
    case 269: return gpu->slowdown_ns;
    case 270: return gpu->hardware_slowdown_ns;
    case 271: return gpu->power_brake_ns;
#elif DRIVER >= 575
    case 269: case 270: case 271: return 5000; /* milliwatts a second */
#endif
    default: return NONE;
    }
}

nvmlReturn_t nvmlDeviceGetFieldValues(const Gpu *gpu, int count, Field *fields) {
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS && in_trouble("fields", gpu))
        return UNKNOWN;
    for (Field *field = fields; result == SUCCESS && field < fields + count; field++) {
        int is_large;
        long long value = field_value(gpu, field, &is_large);
        field->result = value == NONE ? NOT_SUPPORTED : SUCCESS;
        field->type = is_large ? 3 : 1;
        if (is_large)
            field->value.large = value;
        else
            field->value.small = (unsigned)value;
    }
    return result;
}

typedef struct {
    unsigned pid;
    unsigned long long used_bytes;
    unsigned gpu_instance, compute_instance;
} Process;

nvmlReturn_t list_processes(const Gpu *gpu, char wanted, unsigned *count, Process *processes) {
    nvmlReturn_t result = check(gpu);
    if (result != SUCCESS)
        return result;
    if (!gpu->has_processes)
        return NOT_SUPPORTED;
    char kind, key[32];
    unsigned pid, found = 0, room = *count;
    long long used_mib;
    const char *path = getenv("STAND_IN_PROCESSES");
    FILE *file = path ? fopen(path, "r") : NULL;
    while (file && fscanf(file, " %c %31s %u %lld", &kind, key, &pid, &used_mib) == 4)
        if (kind == wanted && !strcmp(key, gpu->key) && found++ < room)
            processes[found - 1] = (Process){.pid = pid, .used_bytes = (unsigned long long)(used_mib < 0 ? NONE : used_mib * MIB)};
    if (file)
        fclose(file);
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#if DRIVER >= 510
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(const Gpu *gpu, unsigned *count, Process *processes) {
    return list_processes(gpu, 'C', count, processes);
}

nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(const Gpu *gpu, unsigned *count, Process *processes) {
    return list_processes(gpu, 'G', count, processes);
}
#endif

#if DRIVER >= 525
typedef struct {
    long number;
    double dram_percent;
} Sample;

typedef struct {
    unsigned metric;
    nvmlReturn_t result;
    double value;
    const char *names[3];
} Metric;

typedef struct {
    unsigned version, count;
    Sample *first, *second;
    Metric metrics[];
} Metrics;

nvmlReturn_t nvmlGpmQueryDeviceSupport(const Gpu *gpu, unsigned support[2]) {
    support[1] = gpu->has_counters && !is_divided(gpu);
    return support[0] == 1 ? check(gpu) : ARGUMENT_VERSION_MISMATCH;
}

nvmlReturn_t nvmlGpmSampleAlloc(Sample **sample) {
    *sample = calloc(1, sizeof **sample);
    samples_alive++;
    return SUCCESS;
}

nvmlReturn_t nvmlGpmSampleFree(Sample *sample) {
    free(sample);
    samples_alive--;
    return SUCCESS;
}

nvmlReturn_t nvmlGpmSampleGet(const Gpu *gpu, Sample *sample) {
    static long taken = 0;
    nvmlReturn_t result = check(gpu);
    if (result == SUCCESS && in_trouble("counters", gpu))
        return IN_USE;
    *sample = (Sample){.number = ++taken, .dram_percent = gpu->dram_percent};
    return result;
}

nvmlReturn_t nvmlGpmMetricsGet(Metrics *metrics) {
    if (metrics->version != 1 || metrics->count != 1 || metrics->first->number >= metrics->second->number)
        return INVALID_ARGUMENT;
    metrics->metrics[0].result = metrics->metrics[0].metric == 10 ? SUCCESS : NOT_SUPPORTED;
    metrics->metrics[0].value = metrics->second->dram_percent;
    return check_driver();
}
#endif

/* Not of NVML: samples that were never freed. */
long stand_in_samples_alive(void) {
    return samples_alive;
}
