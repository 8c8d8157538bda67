/* IOReport: channels in groups, and samples of them. A channel's elements are laid out as the kernel's are. */
#define _GNU_SOURCE
#include "stand_in.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ELEMENT = 64, TIMESTAMP = 24, VALUE = 32, SIMPLE = 1, STATE = 2 };

void CFRelease(Ref object);
Ref CFArrayCreateMutable(Ref allocator, long capacity, const void *callbacks);
void CFArrayAppendValue(Ref array, Ref item);
extern char kCFTypeArrayCallBacks;

static const char *field(const Line *line, int index) {
    return line->fields[index];
}

static int64_t *at(Ref item, int element, int offset) {
    return (int64_t *)(get(item, "RawElements")->bytes + element * ELEMENT + offset);
}

static Ref describe(const Line *line, long number) {
    Ref item = make(DICTIONARY);
    set(item, "Group", make_string(field(line, 1)));
    if (*field(line, 2))
        set(item, "SubGroup", make_string(field(line, 2)));
    set(item, "Name", make_string(field(line, 3)));
    set(item, "Unit", make_string(field(line, 5)));
    set(item, "Format", make_number(strcmp(field(line, 4), "state") ? SIMPLE : STATE));
    set(item, "Number", make_number(number));
    return item;
}

static Ref report_of(Ref items) {
    Ref report = make(DICTIONARY);
    set(report, "IOReportChannels", items);
    set(report, "QueryOpts", make_number(0));
    return report;
}

Ref IOReportCopyChannelsInGroup(Ref group, Ref subgroup, uint64_t a, uint64_t b, uint64_t c) {
    misuses += a || b || c;
    if (!is_kind(group, STRING))
        return NULL;
    Ref items = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    long number = 0;
    for (const Line *line = NULL; (line = next_line("channel", line)); number++)
        if (!strcmp(field(line, 1), group->text) && (!subgroup || !strcmp(field(line, 2), subgroup->text))) {
            Ref item = describe(line, number);
            CFArrayAppendValue(items, item);
            CFRelease(item);
        }
    if (items->size)
        return report_of(items);
    CFRelease(items);
    return NULL;
}

Ref IOReportCreateSubscription(void *a, Ref wanted, void **taken, uint64_t b, Ref c) {
    misuses += a || b || c || !taken || !is_kind(wanted, DICTIONARY);
    Ref items = get(wanted, "IOReportChannels");
    for (long index = 0; index < items->size; index++)
        if (find_line("refused", get(items->items[index], "Group")->text))
            return NULL;
    Ref subscription = make(SUBSCRIPTION);
    subscription->items = malloc(sizeof(Ref));
    subscription->items[0] = retain(wanted);
    subscription->size = 1;
    *taken = wanted;
    return subscription;
}

/* The channel's line now; NULL if it has gone. */
static const Line *line_of(Ref item) {
    const Line *line = NULL;
    for (int64_t number = get(item, "Number")->number; (line = next_line("channel", line)) && number; number--)
        ;
    return line && !strcmp(field(line, 3), get(item, "Name")->text) ? line : NULL;
}

static void fill(Ref item, const Line *line) {
    int64_t timestamp = line ? atoll(field(line, 6)) : 0;
    const char *value = line ? field(line, 7) : "-";
    if (get(item, "Format")->number == SIMPLE) {
        int64_t words[ELEMENT / 8] = {[TIMESTAMP / 8] = timestamp, [VALUE / 8] = INT64_MIN};
        if (strcmp(value, "-"))
            words[VALUE / 8] = atoll(value);
        set(item, "RawElements", make_data(words, sizeof words));
        return;
    }
    Ref names = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    int64_t words[ELEMENT][ELEMENT / 8] = {0};
    char *copy = strdup(value), *rest = copy;
    for (char *state; (state = strsep(&rest, ",")) && names->size < ELEMENT;) {
        char *time = strrchr(state, ':');
        if (!time)
            continue;
        *time = 0;
        words[names->size][TIMESTAMP / 8] = timestamp;
        words[names->size][VALUE / 8 + 1] = atoll(time + 1);
        Ref name = make_string(state);
        CFArrayAppendValue(names, name);
        CFRelease(name);
    }
    free(copy);
    set(item, "RawElements", make_data(words, names->size * ELEMENT));
    set(item, "States", names);
}

static Ref copy_of(Ref item) {
    static const char *const KEPT[] = {"Group", "SubGroup", "Name", "Unit", "Format", "Number"};
    Ref copy = make(DICTIONARY);
    for (size_t index = 0; index < sizeof KEPT / sizeof *KEPT; index++)
        if (get(item, KEPT[index]))
            set(copy, KEPT[index], retain(get(item, KEPT[index])));
    return copy;
}

Ref IOReportCreateSamples(Ref subscription, Ref wanted, Ref options) {
    misuses += options != NULL || !is_kind(subscription, SUBSCRIPTION);
    while (in_trouble("hang"))
        usleep(5000);
    if (!is_kind(wanted, DICTIONARY) || in_trouble("no_sample"))
        return NULL;
    Ref channels = get(wanted, "IOReportChannels");
    Ref items = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    for (long index = 0; index < channels->size - in_trouble("fewer"); index++) {
        Ref item = copy_of(channels->items[index]);
        fill(item, line_of(item));
        CFArrayAppendValue(items, item);
        CFRelease(item);
    }
    return report_of(items);
}

Ref IOReportCreateSamplesDelta(Ref earlier, Ref later, Ref options) {
    misuses += options != NULL;
    if (!is_kind(earlier, DICTIONARY) || !is_kind(later, DICTIONARY) || in_trouble("no_delta"))
        return NULL;
    Ref before = get(earlier, "IOReportChannels"), after = get(later, "IOReportChannels");
    Ref items = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    for (long index = 0; index < after->size && index < before->size; index++) {
        Ref item = copy_of(after->items[index]), data = get(after->items[index], "RawElements");
        set(item, "RawElements", make_data(data->bytes, data->size));
        bool is_simple = get(item, "Format")->number == SIMPLE;
        if (!is_simple)
            set(item, "States", retain(get(after->items[index], "States")));
        int offset = is_simple ? VALUE : VALUE + 8;
        for (long element = 0; element < data->size / ELEMENT; element++) {
            bool is_old = element < get(before->items[index], "RawElements")->size / ELEMENT;
            int64_t old = is_old ? *at(before->items[index], element, offset) : 0;
            int64_t *value = at(item, element, offset);
            *value = *value == INT64_MIN || old == INT64_MIN ? INT64_MIN : *value - old;
        }
        CFArrayAppendValue(items, item);
        CFRelease(item);
    }
    return report_of(items);
}

Ref IOReportChannelGetGroup(Ref item) {
    return get(item, "Group");
}

Ref IOReportChannelGetSubGroup(Ref item) {
    return get(item, "SubGroup");
}

Ref IOReportChannelGetChannelName(Ref item) {
    return get(item, "Name");
}

Ref IOReportChannelGetUnitLabel(Ref item) {
    return get(item, "Unit");
}

int32_t IOReportChannelGetFormat(Ref item) {
    return (int32_t)get(item, "Format")->number;
}

int64_t IOReportSimpleGetIntegerValue(Ref item, int32_t index) {
    misuses += index != 0;
    return *at(item, 0, VALUE);
}

int32_t IOReportStateGetCount(Ref item) {
    Ref states = get(item, "States");
    return states ? (int32_t)states->size : 0;
}

Ref IOReportStateGetNameForIndex(Ref item, int32_t index) {
    return get(item, "States")->items[index];
}

int64_t IOReportStateGetResidency(Ref item, int32_t index) {
    return *at(item, index, VALUE + 8);
}
