/* The system's library, and what Metal is asked. */
#define _GNU_SOURCE
#include "stand_in.h"

#include <stdlib.h>
#include <string.h>

uint32_t mach_task_self_ = 259;

typedef struct {
    uint32_t numer, denom;
} Timebase;

int mach_timebase_info(Timebase *info) {
    *info = (Timebase){.numer = 125, .denom = 3};
    return 0;
}

uint64_t mach_absolute_time(void) {
    const Line *line = next_line("clock", NULL);
    return line ? strtoull(line->fields[1], NULL, 10) : 0;
}

int sysctlbyname(const char *name, void *value, size_t *size, void *new_value, size_t new_size) {
    const Line *line = find_line("sysctl", name);
    misuses += new_value || new_size;
    if (!line)
        return -1;
    int64_t number = atoll(line->fields[3]);
    const void *from = strcmp(line->fields[2], "text") ? (const void *)&number : (const void *)line->fields[3];
    size_t length = !strcmp(line->fields[2], "text") ? strlen(line->fields[3]) + 1 : strcmp(line->fields[2], "int32") ? 8 : 4;
    if (*size < length)
        return -1;
    memcpy(value, from, length);
    *size = length;
    return 0;
}

enum { TOKENS = 16, FAILED = 1000000 };
static char *registered[TOKENS];

uint32_t notify_register_check(const char *name, int *token) {
    for (*token = 0; *token < TOKENS && registered[*token]; ++*token)
        ;
    if (*token == TOKENS || !find_line("notify", name))
        return FAILED;
    registered[*token] = strdup(name);
    handles_alive++;
    return 0;
}

uint32_t notify_get_state(int token, uint64_t *state) {
    misuses += !registered[token];
    const Line *line = registered[token] ? find_line("notify", registered[token]) : NULL;
    *state = line ? strtoull(line->fields[2], NULL, 10) : 0;
    return line ? 0 : FAILED;
}

uint32_t notify_cancel(int token) {
    misuses += !registered[token];
    free(registered[token]);
    registered[token] = NULL;
    handles_alive--;
    return 0;
}

void *MTLCreateSystemDefaultDevice(void) {
    return (void *)next_line("metal", NULL);
}

void *sel_registerName(const char *name) {
    return strcmp(name, "recommendedMaxWorkingSetSize") ? NULL : (void *)"recommendedMaxWorkingSetSize";
}

uint64_t objc_msgSend(void *receiver, void *selector) {
    const Line *line = receiver;
    misuses += !selector;
    return strtoull(line->fields[1], NULL, 10);
}
