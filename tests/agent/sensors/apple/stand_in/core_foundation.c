/* CoreFoundation: objects that count their references. */
#define _GNU_SOURCE
#include "stand_in.h"

#include <stdlib.h>
#include <string.h>

enum { UTF8 = 0x08000100, SINT32 = 3 };

/* Their addresses alone matter. */
char kCFTypeArrayCallBacks, kCFTypeDictionaryKeyCallBacks, kCFTypeDictionaryValueCallBacks;

long handles_alive, misuses;
static long objects_alive;

/* For the test: objects and handles that nobody has let go of, and what was done wrong. */
long stand_in_alive(void) {
    return objects_alive + handles_alive;
}

long stand_in_misuses(void) {
    return misuses;
}

Ref make(Kind kind) {
    Ref object = calloc(1, sizeof *object);
    object->kind = kind;
    object->references = 1;
    objects_alive++;
    return object;
}

bool is_kind(Ref object, Kind kind) {
    bool fits = object && object->kind == kind;
    misuses += !fits;
    return fits;
}

Ref retain(Ref object) {
    object->references++;
    return object;
}

void CFRelease(Ref object) {
    if (!object || object->kind == DEAD) {
        misuses++;
        return;
    }
    if (--object->references)
        return;
    for (long index = 0; index < object->size && object->items; index++) {
        CFRelease(object->items[index]);
        if (object->keys)
            CFRelease(object->keys[index]);
    }
    free(object->text);
    free(object->bytes);
    free(object->keys);
    free(object->items);
    memset(object, 0, sizeof *object); /* stays DEAD, and is never given out again */
    objects_alive--;
}

unsigned long CFGetTypeID(Ref object) {
    misuses += !object || object->kind == DEAD;
    return object ? object->kind : DEAD;
}

unsigned long CFStringGetTypeID(void) {
    return STRING;
}

unsigned long CFNumberGetTypeID(void) {
    return NUMBER;
}

unsigned long CFDataGetTypeID(void) {
    return DATA;
}

unsigned long CFArrayGetTypeID(void) {
    return ARRAY;
}

unsigned long CFDictionaryGetTypeID(void) {
    return DICTIONARY;
}

Ref make_string(const char *text) {
    Ref string = make(STRING);
    string->text = strdup(text);
    return string;
}

Ref CFStringCreateWithCString(Ref allocator, const char *text, uint32_t encoding) {
    (void)allocator;
    return encoding == UTF8 ? make_string(text) : NULL;
}

bool CFStringGetCString(Ref string, char *buffer, long size, uint32_t encoding) {
    if (!is_kind(string, STRING) || encoding != UTF8 || (long)strlen(string->text) >= size)
        return false;
    strcpy(buffer, string->text);
    return true;
}

Ref make_number(int64_t value) {
    Ref number = make(NUMBER);
    number->number = value;
    return number;
}

Ref CFNumberCreate(Ref allocator, long type, const void *value) {
    (void)allocator;
    return make_number(type == SINT32 ? *(const int32_t *)value : *(const int64_t *)value);
}

bool CFNumberGetValue(Ref number, long type, void *value) {
    if (!is_kind(number, NUMBER))
        return false;
    if (type == SINT32)
        *(int32_t *)value = (int32_t)number->number;
    else
        *(int64_t *)value = number->number;
    return true;
}

Ref make_data(const void *bytes, long size) {
    Ref data = make(DATA);
    data->bytes = memcpy(malloc(size + 1), bytes, size);
    data->size = size;
    return data;
}

long CFDataGetLength(Ref data) {
    return is_kind(data, DATA) ? data->size : 0;
}

void *CFDataGetBytePtr(Ref data) {
    return is_kind(data, DATA) ? data->bytes : NULL;
}

static void append(Ref object, Ref key, Ref item) {
    size_t room = (object->size + 1) * sizeof(Ref);
    object->items = realloc(object->items, room);
    object->items[object->size] = retain(item);
    if (key) {
        object->keys = realloc(object->keys, room);
        object->keys[object->size] = retain(key);
    }
    object->size++;
}

Ref CFArrayCreateMutable(Ref allocator, long capacity, const void *callbacks) {
    (void)allocator, (void)capacity;
    misuses += callbacks != &kCFTypeArrayCallBacks;
    return make(ARRAY);
}

void CFArrayAppendValue(Ref array, Ref item) {
    if (is_kind(array, ARRAY))
        append(array, NULL, item);
}

long CFArrayGetCount(Ref array) {
    return is_kind(array, ARRAY) ? array->size : 0;
}

Ref CFArrayGetValueAtIndex(Ref array, long index) {
    bool fits = is_kind(array, ARRAY) && index >= 0 && index < array->size;
    misuses += !fits;
    return fits ? array->items[index] : NULL;
}

static long place(Ref dictionary, const char *key) {
    for (long index = 0; index < dictionary->size; index++)
        if (!strcmp(dictionary->keys[index]->text, key))
            return index;
    return -1;
}

Ref CFDictionaryCreateMutable(Ref allocator, long capacity, const void *keys, const void *values) {
    (void)allocator, (void)capacity;
    misuses += keys != &kCFTypeDictionaryKeyCallBacks || values != &kCFTypeDictionaryValueCallBacks;
    return make(DICTIONARY);
}

Ref CFDictionaryCreateMutableCopy(Ref allocator, long capacity, Ref dictionary) {
    (void)allocator, (void)capacity;
    Ref copy = make(DICTIONARY);
    for (long index = 0; is_kind(dictionary, DICTIONARY) && index < dictionary->size; index++)
        append(copy, dictionary->keys[index], dictionary->items[index]);
    return copy;
}

Ref CFDictionaryGetValue(Ref dictionary, Ref key) {
    return is_kind(dictionary, DICTIONARY) && is_kind(key, STRING) ? get(dictionary, key->text) : NULL;
}

void CFDictionarySetValue(Ref dictionary, Ref key, Ref value) {
    if (!is_kind(dictionary, DICTIONARY) || !is_kind(key, STRING))
        return;
    long index = place(dictionary, key->text);
    if (index < 0) {
        append(dictionary, key, value);
        return;
    }
    Ref old = dictionary->items[index];
    dictionary->items[index] = retain(value);
    CFRelease(old);
}

Ref get(Ref dictionary, const char *key) {
    long index = place(dictionary, key);
    return index < 0 ? NULL : dictionary->items[index];
}

/* Puts a value that was made for it into a dictionary, which alone keeps it. */
void set(Ref dictionary, const char *key, Ref value) {
    Ref name = make_string(key);
    CFDictionarySetValue(dictionary, name, value);
    CFRelease(name);
    CFRelease(value);
}
