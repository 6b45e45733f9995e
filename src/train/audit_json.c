#include "train/audit.h"

#include <jansson.h>
#include <math.h>

/* JSON has no infinities: they become "inf" and "-inf", NaN null, as in the ledger. */
static json_t *number(double x)
{
    if (isnan(x))
        return json_null();
    if (isinf(x))
        return json_string(x > 0 ? "inf" : "-inf");
    return json_real(x);
}

char *ev_audit_row_json(const ev_audit *audit, size_t row, uint64_t step)
{
    const ev_audit_row *r = &audit->rows[row];
    json_t *o = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:I, s:o, s:o, s:I}", "step",
        (json_int_t)step, "name", r->name, "claim", r->claim, "relation", r->relation, "method",
        r->method, "value", number(r->value), "reference", number(r->reference), "error",
        number(r->error), "kind", r->kind, "verdict", ev_verdict_name(r->verdict), "note", r->note,
        "seed", (json_int_t)audit->seed, "alpha_total", number(audit->alpha), "alpha_interval",
        number(audit->share), "intervals_planned", (json_int_t)audit->intervals);
    if (o != NULL && r->fresh_deviation > 0.0 &&
        (json_object_set_new(o, "fresh_mean", number(r->fresh_mean)) != 0 ||
         json_object_set_new(o, "fresh_deviation", number(r->fresh_deviation)) != 0)) {
        json_decref(o);
        return NULL;
    }
    char *line = o == NULL ? NULL : json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(o);
    return line;
}
