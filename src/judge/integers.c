#include "judge/integers.h"

#include "judge/dice.h"

#include <string.h>

typedef enum { DISTINCT, LOW, BY_BITS, SMALL, HIGH, ANY } style;

/* Choice number BY_BITS + k sets a symbol by bit k of its position.  As many as the positions have
 * bits tell any two symbols apart, whose ranges may be too short for DISTINCT: a sum to D that should
 * go to J must not be judged at D = J alone. */
static style style_of(size_t attempt, size_t count, size_t *bit)
{
    static const style after[] = {SMALL, HIGH, SMALL};
    size_t bits = 0;
    while (count > (size_t)1 << bits)
        bits++;
    if (attempt < BY_BITS)
        return attempt == 0 ? DISTINCT : LOW;
    *bit = attempt - BY_BITS;
    if (*bit < bits)
        return BY_BITS;
    return *bit - bits < sizeof after / sizeof *after ? after[*bit - bits] : ANY;
}

static long pick(style how, size_t bit, size_t position, long low, long high, ev_dice *dice)
{
    long reach = how == HIGH ? EV_INTEGER_HIGH_REACH : EV_INTEGER_REACH;
    if (high > low + reach)
        high = low + reach;
    long room = high - low + 1, small = room < 3 ? room : 3;
    switch (how) {
    case DISTINCT: /* low+1, low+2, low+1, ...: a lost index or a swapped range shows */
        return low + (room < 2 ? 0 : room == 2 ? 1 : 1 + (long)(position % 2));
    case LOW: return low;
    case BY_BITS: return low + (long)(~position >> bit & 1) * (small - 1);
    case HIGH: return high;
    case SMALL: return low + (long)ev_dice_below(dice, (size_t)small);
    default: return low + (long)ev_dice_below(dice, (size_t)room);
    }
}

/* False when a range is empty. */
static bool choose(const ev_symbol_table *table, size_t count, const int *symbols, style how,
                   size_t bit, ev_dice *dice, long *values)
{
    for (size_t i = 0; i < count; i++) {
        long low, high;
        ev_integer_range(table, symbols[i], values, &low, &high);
        if (high < low)
            return false;
        values[symbols[i]] = pick(how, bit, i, low, high, dice);
    }
    return true;
}

static bool is_new(size_t n, long *const *choices, size_t symbols, const long *values)
{
    for (size_t i = 0; i < n; i++)
        if (symbols == 0 || memcmp(choices[i], values, symbols * sizeof *values) == 0)
            return false;
    return true;
}

size_t ev_integers_choose(const ev_symbol_table *table, size_t count, const int *symbols,
                          const ev_stream *stream, size_t capacity, ev_arena *arena, long **choices)
{
    size_t n = 0;
    ev_dice dice = ev_dice_make(stream);
    for (size_t attempt = 0; n < capacity && attempt < 4 * capacity; attempt++) {
        long *values = ev_arena_array(arena, table->symbol_count, sizeof *values);
        if (values == NULL)
            return 0;
        size_t bit = 0;
        style how = style_of(attempt, count, &bit);
        if (choose(table, count, symbols, how, bit, &dice, values) &&
            is_new(n, choices, table->symbol_count, values))
            choices[n++] = values;
        if (count == 0)
            break;
    }
    return n;
}
