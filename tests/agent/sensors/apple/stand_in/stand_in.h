/* A stand-in for the libraries of macOS that the sensors call, on any system with a C compiler.
 *
 * All of them are one library, found under several names below a root. What the Mac is like lies beside it in mac.tsv
 * (machine.c says how) and may change while it is read. Objects count their references as CoreFoundation's do; what is
 * done to a dead one, or to one of another kind, is counted as misuse.
 */
#ifndef STAND_IN_H
#define STAND_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIELDS = 8 };

typedef struct {
    const char *fields[FIELDS];
} Line;

typedef enum { DEAD, STRING, NUMBER, DATA, ARRAY, DICTIONARY, SUBSCRIPTION, HID_CLIENT, HID_SERVICE, HID_EVENT } Kind;

typedef struct Object {
    Kind kind;
    long references;
    char *text;          /* of a string, a service's name */
    int64_t number;      /* of a number */
    double real;         /* of an event */
    unsigned char *bytes; /* of data */
    long size;           /* of data, arrays and dictionaries */
    struct Object **keys; /* of a dictionary */
    struct Object **items; /* of an array or a dictionary */
} Object;
typedef Object *Ref;

/* machine.c */
const Line *next_line(const char *word, const Line *behind);
const Line *find_line(const char *word, const char *first);
bool in_trouble(const char *trouble);

/* core_foundation.c */
extern long handles_alive, misuses;
Ref make(Kind kind);
Ref retain(Ref object);
Ref make_string(const char *text);
Ref make_number(int64_t number);
Ref make_data(const void *bytes, long size);
Ref get(Ref dictionary, const char *key);
void set(Ref dictionary, const char *key, Ref value);
bool is_kind(Ref object, Kind kind);

#endif
