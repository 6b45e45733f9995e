#include "cli/value.h"

#include <math.h>
#include <stdlib.h>

double ev_evidence_error(const ev_evidence_value *value)
{
    return value->rounding + value->quadrature + value->sampling;
}

void ev_number_text(double number, char text[EV_VALUE_TEXT])
{
    number = number == 0 ? 0 : number; /* no "-0" */
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, EV_VALUE_TEXT, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            return;
    }
}

void ev_evidence_text(const ev_evidence_value *value, const ev_style *style,
                      char text[EV_VALUE_TEXT])
{
    double error = ev_evidence_error(value), v = value->value;
    if (!(error > 0) || !isfinite(error) || !isfinite(v)) {
        ev_number_text(v, text);
        return;
    }
    double meaningful = v == 0 ? 1 : ceil(log10(fabs(v) / error)) + 1;
    int digits = meaningful < 2 ? 2 : meaningful > 17 ? 17 : (int)meaningful;
    char shortest[EV_VALUE_TEXT], number[EV_VALUE_TEXT];
    ev_number_text(v, shortest);
    snprintf(number, sizeof number, "%.*g", digits, v);
    bool exact = strtod(number, NULL) == v;
    snprintf(text, EV_VALUE_TEXT, "%.30s %s %.0e", exact ? shortest : number,
             style->utf8 ? "\xC2\xB1" : "+-", error);
}

void ev_evidence_kinds(const ev_evidence_value *value, const ev_style *style, FILE *out)
{
    const struct {
        const char *name;
        double error;
    } kinds[] = {{"rounding", value->rounding},
                 {"quadrature", value->quadrature},
                 {"sampling", value->sampling}};
    char text[EV_VALUE_TEXT];
    ev_evidence_text(value, style, text);
    fputs(text, out);
    const char *before = "  (";
    for (size_t i = 0; i < 3; i++)
        if (kinds[i].error != 0) {
            fprintf(out, "%s%s %.1e", before, kinds[i].name, kinds[i].error);
            before = ", ";
        }
    if (*before == ',')
        fputc(')', out);
}
