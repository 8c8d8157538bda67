/* IOKit: services and their properties, the system management controller, HID sensors, the source of power. */
#define _GNU_SOURCE
#include "stand_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATORS = 64, FIRST_SERVICE = 1000, CONNECTION = 77, TASK = 259 };
enum { NOT_FOUND = (int)0xE00002F0, BAD_ARGUMENT = (int)0xE00002C2 };
enum { READ_VALUE = 5, KEY_BY_INDEX = 8, KEY_INFO = 9, SMC_CALL = 2, SMC_NOT_FOUND = 132 };
enum { TEMPERATURE = 15, TEMPERATURE_PAGE = 0xff00, TEMPERATURE_USAGE = 5 };

void CFRelease(Ref object);
Ref CFArrayCreateMutable(Ref allocator, long capacity, const void *callbacks);
void CFArrayAppendValue(Ref array, Ref item);
extern char kCFTypeArrayCallBacks;

/* The next service of each iterator, by its line; an iterator's port is its index and one. */
static const Line *iterators[ITERATORS];
static char classes[ITERATORS][128];

Ref IOServiceMatching(const char *name) {
    Ref matching = make(DICTIONARY);
    set(matching, "IOProviderClass", make_string(name));
    return matching;
}

int IOServiceGetMatchingServices(uint32_t port, Ref matching, uint32_t *iterator) {
    misuses += port != 0;
    if (!is_kind(matching, DICTIONARY))
        return BAD_ARGUMENT;
    for (*iterator = 1; *iterator <= ITERATORS && classes[*iterator - 1][0]; ++*iterator)
        ;
    snprintf(classes[*iterator - 1], sizeof *classes, "%s", get(matching, "IOProviderClass")->text);
    iterators[*iterator - 1] = NULL;
    CFRelease(matching); /* the call takes it over */
    handles_alive++;
    return 0;
}

static long number_of(const Line *service) {
    long number = 0;
    for (const Line *line = NULL; (line = next_line("service", line)) && line != service;)
        number++;
    return number;
}

static const Line *service_of(uint32_t port) {
    const Line *line = NULL;
    for (long number = (long)port - FIRST_SERVICE; (line = next_line("service", line)) && number; number--)
        ;
    misuses += line == NULL;
    return line;
}

uint32_t IOIteratorNext(uint32_t iterator) {
    const Line **line = &iterators[iterator - 1];
    while ((*line = next_line("service", *line)) && strcmp((*line)->fields[1], classes[iterator - 1]))
        ;
    if (!*line)
        return 0;
    handles_alive++;
    return FIRST_SERVICE + (uint32_t)number_of(*line);
}

int IOObjectRelease(uint32_t port) {
    if (port <= ITERATORS)
        classes[port - 1][0] = 0;
    handles_alive--;
    return 0;
}

int IORegistryEntryGetName(uint32_t entry, char *name) {
    const Line *service = service_of(entry);
    if (!service)
        return BAD_ARGUMENT;
    snprintf(name, 128, "%s", service->fields[2]);
    return 0;
}

static Ref value_of(const Line *line) {
    const char *type = line->fields[4], *value = line->fields[5];
    if (!strcmp(type, "int"))
        return make_number(atoll(value));
    if (!strcmp(type, "text"))
        return make_string(value);
    long size = (long)strlen(value) / 2;
    unsigned char bytes[size + 1];
    for (long index = 0; index < size; index++)
        sscanf(value + 2 * index, "%2hhx", &bytes[index]);
    return make_data(bytes, size);
}

Ref IORegistryEntryCreateCFProperty(uint32_t entry, Ref key, Ref allocator, uint32_t options) {
    misuses += allocator != NULL || options != 0;
    const Line *service = service_of(entry);
    Ref dictionary = NULL;
    size_t length = is_kind(key, STRING) ? strlen(key->text) : 0;
    for (const Line *line = NULL; service && (line = next_line("property", line));) {
        if (strcmp(line->fields[1], service->fields[1]) || strcmp(line->fields[2], service->fields[2]) ||
            strncmp(line->fields[3], key->text, length))
            continue;
        if (!line->fields[3][length])
            return value_of(line);
        if (line->fields[3][length] != '/')
            continue;
        dictionary = dictionary ? dictionary : make(DICTIONARY);
        set(dictionary, line->fields[3] + length + 1, value_of(line));
    }
    return dictionary;
}

int IOServiceOpen(uint32_t service, uint32_t task, uint32_t type, uint32_t *connection) {
    misuses += task != TASK || type != 0;
    const Line *line = service_of(service);
    if (!line || strcmp(line->fields[1], "AppleSMC"))
        return NOT_FOUND;
    *connection = CONNECTION;
    handles_alive++;
    return 0;
}

int IOServiceClose(uint32_t connection) {
    misuses += connection != CONNECTION;
    handles_alive--;
    return 0;
}

typedef struct {
    uint32_t key;
    struct {
        uint8_t major, minor, build, reserved;
        uint16_t release;
    } version;
    struct {
        uint16_t version, length;
        uint32_t cpu, gpu, memory;
    } limits;
    struct {
        uint32_t size, type;
        uint8_t attributes;
    } info;
    uint8_t result, status, command;
    uint32_t index;
    uint8_t value[32];
} Message;

_Static_assert(sizeof(Message) == 80, "the controller's message is 80 bytes");

static uint32_t code(const char *letters) {
    char padded[5];
    snprintf(padded, sizeof padded, "%-4.4s", letters);
    return (uint32_t)(uint8_t)padded[0] << 24 | (uint32_t)padded[1] << 16 | (uint32_t)padded[2] << 8 | (uint32_t)padded[3];
}

static void answer(const Message *question, Message *reply) {
    uint32_t index = 0;
    for (const Line *line = NULL; (line = next_line("smc", line)); index++) {
        bool wanted = question->command == KEY_BY_INDEX ? index == question->index : code(line->fields[1]) == question->key;
        if (!wanted)
            continue;
        long size = (long)strlen(line->fields[3]) / 2;
        reply->key = code(line->fields[1]);
        reply->info.size = (uint32_t)size;
        reply->info.type = code(line->fields[2]);
        for (long byte = 0; question->command == READ_VALUE && byte < size && byte < 32; byte++)
            sscanf(line->fields[3] + 2 * byte, "%2hhx", &reply->value[byte]);
        misuses += question->command == READ_VALUE && question->info.size != reply->info.size;
        return;
    }
    reply->result = SMC_NOT_FOUND;
}

int IOConnectCallStructMethod(uint32_t connection, uint32_t selector, void *in, size_t in_size, void *out, size_t *out_size) {
    if (connection != CONNECTION || selector != SMC_CALL || in_size != sizeof(Message) || *out_size != sizeof(Message))
        return BAD_ARGUMENT;
    memset(out, 0, sizeof(Message));
    answer(in, out);
    return 0;
}

Ref IOPSCopyPowerSourcesInfo(void) {
    return next_line("power", NULL) ? make(DICTIONARY) : NULL;
}

/* The name is nobody's to release: it lives as long as the library does. */
Ref IOPSGetProvidingPowerSourceType(Ref info) {
    static Object name = {.kind = STRING, .references = 1 << 30};
    if (!is_kind(info, DICTIONARY))
        return NULL;
    name.text = (char *)next_line("power", NULL)->fields[1];
    return &name;
}

Ref IOHIDEventSystemClientCreate(Ref allocator) {
    (void)allocator;
    return make(HID_CLIENT);
}

int IOHIDEventSystemClientSetMatching(Ref client, Ref matching) {
    if (!is_kind(client, HID_CLIENT) || !is_kind(matching, DICTIONARY))
        return BAD_ARGUMENT;
    Ref page = get(matching, "PrimaryUsagePage"), usage = get(matching, "PrimaryUsage");
    client->number = page && usage && page->number == TEMPERATURE_PAGE && usage->number == TEMPERATURE_USAGE;
    return 0;
}

Ref IOHIDEventSystemClientCopyServices(Ref client) {
    if (!is_kind(client, HID_CLIENT) || !client->number || !next_line("hid", NULL))
        return NULL;
    Ref services = CFArrayCreateMutable(NULL, 0, &kCFTypeArrayCallBacks);
    for (const Line *line = NULL; (line = next_line("hid", line));) {
        Ref service = make(HID_SERVICE);
        service->text = strdup(line->fields[1]);
        CFArrayAppendValue(services, service);
        CFRelease(service);
    }
    return services;
}

Ref IOHIDServiceClientCopyProperty(Ref service, Ref key) {
    return is_kind(service, HID_SERVICE) && is_kind(key, STRING) && !strcmp(key->text, "Product") && *service->text
               ? make_string(service->text)
               : NULL;
}

Ref IOHIDServiceClientCopyEvent(Ref service, int64_t type, int32_t options, int64_t timestamp) {
    misuses += options || timestamp;
    const Line *line = is_kind(service, HID_SERVICE) && type == TEMPERATURE ? find_line("hid", service->text) : NULL;
    if (!line || !strcmp(line->fields[2], "-"))
        return NULL;
    Ref event = make(HID_EVENT);
    event->real = atof(line->fields[2]);
    return event;
}

double IOHIDEventGetFloatValue(Ref event, int32_t field) {
    return is_kind(event, HID_EVENT) && field == TEMPERATURE << 16 ? event->real : -1;
}
