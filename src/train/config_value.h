/* One setting: from JSON, from its target, within its bounds, into its target, as text.  Private to
 * this room. */
#ifndef EV_TRAIN_CONFIG_VALUE_H
#define EV_TRAIN_CONFIG_VALUE_H

#include "train/config.h"

#include <jansson.h>

enum { EV_CONFIG_REASON = 256 };

typedef struct {
    uint64_t whole;
    double real;
    bool flag;
    int choice;
    char text[EV_CONFIG_TEXT_SIZE];
    ev_config_list list;
} ev_config_value;

/* Each says in reason what is wrong ("-1 is not above 0") and returns false; reason holds
 * EV_CONFIG_REASON bytes. */
bool ev_config_decode(const ev_config_key *key, const json_t *json, ev_config_value *value,
                      char *reason);
bool ev_config_in_bounds(const ev_config_key *key, const ev_config_value *value, char *reason);

void ev_config_load(const ev_config_key *key, ev_config_value *value);
void ev_config_store(const ev_config_key *key, const ev_config_value *value);
/* As it stands in JSON, on the heap; NULL when memory is short or a text is no UTF-8. */
char *ev_config_encode(const ev_config_key *key, const ev_config_value *value);

#endif
