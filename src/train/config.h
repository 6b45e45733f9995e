/* config.json: a flat JSON object of settings, read strictly against a table of keys.
 *
 * The table says what there is: an unknown key, a wrong type, a value outside its range, a missing or
 * repeated key is one clear message, and nothing is taken over.  The same table writes the file.
 *
 *   uint64_t epochs = 50;
 *   double rate = 2e-3;
 *   const ev_config_key keys[] = {
 *       {"epochs", EV_CONFIG_WHOLE, &epochs, .low = 1, .high = 100000},
 *       {"rate", EV_CONFIG_REAL, &rate, .low = 0, .high = 1, .open = true}};
 *   status = ev_config_read("run/config.json", 2, keys, EV_CONFIG_PARTIAL, &error);
 */
#ifndef EV_TRAIN_CONFIG_H
#define EV_TRAIN_CONFIG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EV_CONFIG_TEXT_SIZE = 1024, EV_CONFIG_LIST = 16 };

typedef struct {
    size_t count;
    size_t value[EV_CONFIG_LIST];
} ev_config_list;

typedef enum {
    EV_CONFIG_WHOLE,  /* uint64_t; above 2^63 - 1 it stands in quotes, as JSON's readers need */
    EV_CONFIG_REAL,   /* double, finite */
    EV_CONFIG_FLAG,   /* bool */
    EV_CONFIG_CHOICE, /* int: the position of the text in choices */
    EV_CONFIG_TEXT,   /* char[EV_CONFIG_TEXT_SIZE] */
    EV_CONFIG_WHOLES  /* ev_config_list, each from low to high */
} ev_config_kind;

typedef struct {
    const char *key;
    ev_config_kind kind;
    void *target;
    double low, high;           /* of numbers, both ends allowed; both 0: any number of the type */
    bool open;                  /* low itself is not allowed (a rate must be above 0) */
    const char *const *choices; /* ended by NULL */
} ev_config_key;

typedef enum {
    EV_CONFIG_PARTIAL, /* what is absent stays as it is: a file of one's own wishes */
    EV_CONFIG_COMPLETE /* every key must be there: a run's own record */
} ev_config_extent;

/* EV_BAD_INPUT with file and, where there is one, line and column; EV_IO when it can't be read.  The
 * targets are written only when everything is right. */
ev_status ev_config_read(const char *path, size_t count, const ev_config_key *keys,
                         ev_config_extent extent, ev_error *error);
/* The same from bytes in memory; name is for messages. */
ev_status ev_config_parse(const char *name, const char *bytes, size_t length, size_t count,
                          const ev_config_key *keys, ev_config_extent extent, ev_error *error);
/* One text of such a file, whatever else stands there: EV_BAD_INPUT when there is none of that key. */
ev_status ev_config_read_text(const char *path, const char *key, char text[EV_CONFIG_TEXT_SIZE],
                              ev_error *error);
/* What the reader would refuse in the targets themselves (they may come from a command line). */
ev_status ev_config_check(size_t count, const ev_config_key *keys, ev_error *error);
/* A line for each key, in the table's order, whole or not at all. */
ev_status ev_config_write(const char *path, size_t count, const ev_config_key *keys,
                          ev_error *error);

#endif
