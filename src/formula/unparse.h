/* A syntax tree back to TeX, with as few brackets as reading it again allows. */
#ifndef EV_FORMULA_UNPARSE_H
#define EV_FORMULA_UNPARSE_H

#include "formula/syntax.h"

/* TeX in the arena; NULL when memory is short. */
const char *ev_syntax_to_tex(const ev_symbol_table *table, const ev_syntax *expression,
                             ev_arena *arena);

#endif
