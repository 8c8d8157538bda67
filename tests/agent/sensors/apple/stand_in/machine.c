/* The Mac's state: lines of fields with tabs between them, in mac.tsv beside the library, read anew when it changes.
 *
 *   clock     TICKS                                          mach_absolute_time, 24 in a microsecond
 *   sysctl    NAME text|int32|int64 VALUE
 *   notify    NAME STATE
 *   power     SOURCE                                         what powers the Mac
 *   channel   GROUP SUBGROUP NAME simple|state UNIT TICKS VALUE
 *                                     TICKS: its last update, or -; VALUE: a number, - if unpopulated, or STATE:TIME,...
 *   refused   GROUP                                          no subscription to it is granted
 *   service   CLASS NAME
 *   property  CLASS NAME KEY int|text|data VALUE             KEY may be of a dictionary in a property: KEY/KEY
 *   smc       KEY TYPE HEX                                   TYPE without its blank at the end
 *   hid       PRODUCT CELSIUS                                - for a service without an event
 *   metal     BYTES                                          the largest working set
 *   trouble   WORD                                           no_sample, no_delta, fewer, hang
 */
#define _GNU_SOURCE
#include "stand_in.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINES = 1000 };

static Line lines[LINES];
static size_t count;

static const char *state_path(void) {
    static char path[PATH_MAX];
    Dl_info info;
    if (!path[0] && dladdr((void *)state_path, &info) && realpath(info.dli_fname, path))
        strcat(dirname(path), "/mac.tsv");
    return path;
}

static void parse(char *text) {
    count = 0;
    for (char *line; (line = strsep(&text, "\n")) && count < LINES;) {
        if (!*line || *line == '#')
            continue;
        Line *found = &lines[count++];
        for (int field = 0; field < FIELDS; field++)
            found->fields[field] = line ? strsep(&line, "\t") : "";
    }
}

static void refresh(void) {
    static struct stat seen;
    static char *text;
    struct stat now;
    if (stat(state_path(), &now) || (now.st_mtim.tv_sec == seen.st_mtim.tv_sec && now.st_ino == seen.st_ino &&
                                     now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec && now.st_size == seen.st_size))
        return;
    FILE *file = fopen(state_path(), "r");
    if (!file)
        return;
    char *fresh = calloc(1, now.st_size + 1);
    size_t size = fread(fresh, 1, now.st_size, file);
    fclose(file);
    fresh[size] = 0;
    free(text);
    text = fresh;
    seen = now;
    parse(text);
}

/* The next line that begins with the word; from the first on if `behind` is NULL. */
const Line *next_line(const char *word, const Line *behind) {
    if (!behind)
        refresh();
    for (const Line *line = behind ? behind + 1 : lines; line < lines + count; line++)
        if (!strcmp(line->fields[0], word))
            return line;
    return NULL;
}

const Line *find_line(const char *word, const char *first) {
    const Line *line = NULL;
    while ((line = next_line(word, line)) && strcmp(line->fields[1], first))
        ;
    return line;
}

bool in_trouble(const char *trouble) {
    return find_line("trouble", trouble) != NULL;
}
