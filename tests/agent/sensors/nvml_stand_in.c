/* Plays libnvidia-ml.so.1: the calls that edgeprof makes, for GPUs written down in a table.
 *
 * STAND_IN_GPUS names the GPUs of the machine, by their keys in the table, separated by commas.
 * STAND_IN_TROUBLE is the path of a file; while it holds a word, that trouble is on:
 *     lost      every GPU has fallen off the bus
 *     unloaded  the driver is gone; handles from before stay invalid when it is back
 * Compiled with -DOLD_DRIVER, it lacks what drivers before 2023 lack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int nvmlReturn_t;
enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    DRIVER_NOT_LOADED = 9,
    GPU_IS_LOST = 15
};

#define NONE (-1LL)
#define MIB (1024LL * 1024)

typedef struct {
    const char *key, *name, *uuid;
    int major, minor;
    long long total_bytes, reserved_bytes, used_bytes;
    long long busy_percent, memory_busy_percent;
    long long sm_mhz, sm_max_mhz, memory_mhz, memory_max_mhz;
    long long power_usage_mw, power_average_mw, power_instant_mw, energy_mj;
    long long temperature_celsius, memory_temperature_celsius;
    long long reasons;
} Gpu;

static const Gpu GPUS[] = {
    {.key = "rtx3090", .name = "NVIDIA GeForce RTX 3090", .uuid = "GPU-00000000-0000-0000-0000-000000003090",
     .major = 8, .minor = 6,
     .total_bytes = 24576 * MIB, .reserved_bytes = 447 * MIB, .used_bytes = 5120 * MIB,
     .busy_percent = 97, .memory_busy_percent = 61,
     .sm_mhz = 1740, .sm_max_mhz = 2100, .memory_mhz = 9751, .memory_max_mhz = 9751,
     .power_usage_mw = 347210, .power_average_mw = 347210, .power_instant_mw = 351870, .energy_mj = 812345678901,
     .temperature_celsius = 71, .memory_temperature_celsius = NONE,
     .reasons = 0x4},
    {.key = "rtx2080", .name = "NVIDIA GeForce RTX 2080", .uuid = "GPU-00000000-0000-0000-0000-000000002080",
     .major = 7, .minor = 5,
     .total_bytes = 8192 * MIB, .reserved_bytes = 225 * MIB, .used_bytes = 0,
     .busy_percent = 0, .memory_busy_percent = 0,
     .sm_mhz = 300, .sm_max_mhz = 2100, .memory_mhz = 405, .memory_max_mhz = 7000,
     .power_usage_mw = 12120, .power_average_mw = NONE, .power_instant_mw = NONE, .energy_mj = 0,
     .temperature_celsius = 34, .memory_temperature_celsius = 0,
     .reasons = 0x1},
    {.key = "unsupported", .name = "NVIDIA stand-in", .uuid = "GPU-00000000-0000-0000-0000-000000000000",
     .major = 8, .minor = 7,
     .total_bytes = NONE, .reserved_bytes = NONE, .used_bytes = NONE,
     .busy_percent = NONE, .memory_busy_percent = NONE,
     .sm_mhz = NONE, .sm_max_mhz = NONE, .memory_mhz = NONE, .memory_max_mhz = NONE,
     .power_usage_mw = NONE, .power_average_mw = NONE, .power_instant_mw = NONE, .energy_mj = NONE,
     .temperature_celsius = NONE, .memory_temperature_celsius = NONE,
     .reasons = NONE},
};

static int running = 0;

/* The machine's GPU at this index; NULL behind the last. */
static const Gpu *installed(unsigned index) {
    const char *keys = getenv("STAND_IN_GPUS");
    for (; keys && *keys; keys += strcspn(keys, ","), keys += *keys == ',') {
        size_t length = strcspn(keys, ",");
        for (size_t row = 0; row < sizeof GPUS / sizeof *GPUS; row++)
            if (strlen(GPUS[row].key) == length && !strncmp(GPUS[row].key, keys, length) && index-- == 0)
                return &GPUS[row];
    }
    return NULL;
}

static int in_trouble(const char *trouble) {
    char word[32] = "";
    const char *path = getenv("STAND_IN_TROUBLE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (fscanf(file, "%31s", word) != 1)
            word[0] = 0;
        fclose(file);
    }
    return !strcmp(word, trouble);
}

static nvmlReturn_t check_driver(void) {
    if (in_trouble("unloaded"))
        running = 0;
    return running ? SUCCESS : UNINITIALIZED;
}

static nvmlReturn_t check(const Gpu *gpu) {
    nvmlReturn_t result = check_driver();
    if (result == SUCCESS && !gpu)
        return INVALID_ARGUMENT;
    return result == SUCCESS && in_trouble("lost") ? GPU_IS_LOST : result;
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
    if (in_trouble("unloaded"))
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
    snprintf(version, length, "595.71.05");
    return check_driver();
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) {
    for (*count = 0; installed(*count); ++*count)
        ;
    return check_driver();
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, const Gpu **device) {
    *device = installed(index);
    return check(*device);
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, const Gpu **device) {
    for (unsigned index = 0; (*device = installed(index)) && strcmp((*device)->uuid, uuid); index++)
        ;
    return *device ? check(*device) : NOT_FOUND;
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

typedef struct {
    unsigned version;
    unsigned long long total, reserved, free, used;
} Memory;

nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(const Gpu *gpu, Memory *memory) {
    nvmlReturn_t result = check(gpu);
    if (result != SUCCESS)
        return result;
    if (memory->version != 0x02000028)
        return INVALID_ARGUMENT;
    if (gpu->total_bytes == NONE)
        return NOT_SUPPORTED;
    memory->total = gpu->total_bytes;
    memory->reserved = gpu->reserved_bytes;
    memory->used = gpu->used_bytes;
    memory->free = memory->total - memory->reserved - memory->used;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(const Gpu *gpu, unsigned rates[2]) {
    nvmlReturn_t result = give(gpu, gpu->busy_percent, &rates[0]);
    return result == SUCCESS ? give(gpu, gpu->memory_busy_percent, &rates[1]) : result;
}

nvmlReturn_t nvmlDeviceGetClockInfo(const Gpu *gpu, unsigned type, unsigned *mhz) {
    return give(gpu, type == 1 ? gpu->sm_mhz : type == 2 ? gpu->memory_mhz : NONE, mhz);
}

nvmlReturn_t nvmlDeviceGetMaxClockInfo(const Gpu *gpu, unsigned type, unsigned *mhz) {
    return give(gpu, type == 1 ? gpu->sm_max_mhz : type == 2 ? gpu->memory_max_mhz : NONE, mhz);
}

nvmlReturn_t nvmlDeviceGetPowerUsage(const Gpu *gpu, unsigned *mw) {
    return give(gpu, gpu->power_usage_mw, mw);
}

nvmlReturn_t nvmlDeviceGetTemperature(const Gpu *gpu, unsigned sensor, unsigned *celsius) {
    return give(gpu, sensor == 0 ? gpu->temperature_celsius : NONE, celsius);
}

#ifndef OLD_DRIVER
typedef struct {
    unsigned version, sensor;
    int celsius;
} Temperature;

nvmlReturn_t nvmlDeviceGetTemperatureV(const Gpu *gpu, Temperature *temperature) {
    if (temperature->version != 0x100000C)
        return INVALID_ARGUMENT;
    return give(gpu, temperature->sensor == 0 ? gpu->temperature_celsius : NONE, (unsigned *)&temperature->celsius);
}
#endif

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(const Gpu *gpu, unsigned long long *reasons) {
    unsigned low;
    nvmlReturn_t result = give(gpu, gpu->reasons, &low);
    if (result == SUCCESS)
        *reasons = low;
    return result;
}

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

nvmlReturn_t nvmlDeviceGetFieldValues(const Gpu *gpu, int count, Field *fields) {
    nvmlReturn_t result = check(gpu);
    for (Field *field = fields; result == SUCCESS && field < fields + count; field++) {
        long long value = NONE;
        int is_large = 0;
        if (field->field == 82)
            value = gpu->memory_temperature_celsius;
        if (field->field == 83) {
            value = gpu->energy_mj;
            is_large = 1;
        }
#ifndef OLD_DRIVER
        if (field->field == 185)
            value = gpu->power_average_mw;
        if (field->field == 186)
            value = gpu->power_instant_mw;
#endif
        field->result = value == NONE ? NOT_SUPPORTED : SUCCESS;
        field->type = is_large ? 3 : 1;
        if (is_large)
            field->value.large = value;
        else
            field->value.small = (unsigned)value;
    }
    return result;
}
