/* Any bytes set nothing and are an error with its place, or are settings within their bounds. */
#include "train/config.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const choices[] = {"constant", "step", NULL};
    static char text[EV_CONFIG_TEXT_SIZE];
    uint64_t epochs = 5, seed = 0;
    double rate = 0.5;
    bool audit = false;
    int schedule = 0;
    ev_config_list hidden = {0};
    const ev_config_key keys[] = {
        {"epochs", EV_CONFIG_WHOLE, &epochs, .low = 1, .high = 9},
        {"seed", EV_CONFIG_WHOLE, &seed, .low = 0},
        {"rate", EV_CONFIG_REAL, &rate, .low = 0, .high = 1, .open = true},
        {"audit", EV_CONFIG_FLAG, &audit, .low = 0},
        {"schedule", EV_CONFIG_CHOICE, &schedule, .choices = choices},
        {"data", EV_CONFIG_TEXT, text, .low = 0},
        {"hidden", EV_CONFIG_WHOLES, &hidden, .low = 1, .high = 9}};
    enum { KEYS = sizeof keys / sizeof *keys };
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_config_parse("fuzz", (const char *)data, size, KEYS, keys,
                                       EV_CONFIG_PARTIAL, &error);
    if (status == EV_OK) {
        if (ev_config_check(KEYS, keys, &error) != EV_OK || schedule < 0 || schedule > 1 ||
            hidden.count > EV_CONFIG_LIST || strlen(text) >= EV_CONFIG_TEXT_SIZE)
            abort();
    } else if (epochs != 5 || rate < 0.5 || rate > 0.5 || error.message[0] == '\0' ||
               strcmp(error.file, "fuzz") != 0) {
        abort();
    }
    return 0;
}
