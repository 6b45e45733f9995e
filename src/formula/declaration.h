/* One formula of a declaration paragraph.  Private to src/formula. */
#ifndef EV_FORMULA_DECLARATION_H
#define EV_FORMULA_DECLARATION_H

#include "formula/parser.h"

/* Declare what the formula says; commas separate declarations. */
ev_status ev_declare_formula(ev_scope *scope, ev_span formula, ev_error *error);

/* "name(a, b | c) = ...", "name_c = ...", "name^{(l)} = ...", "name = ...": the parser stands
 * on the name. */
bool ev_declare_definition(ev_scope *scope, ev_parser *parser);

/* Parse a set after \in: fills kind, range, domain, rank and dimensions of the symbol. */
bool ev_declare_set(ev_parser *parser, ev_symbol *symbol);

/* J, 2, 2J, K-1: a dimension. */
bool ev_declare_dim(ev_parser *parser, ev_dim *dim);

/* Add to the table and make visible; an error when the name is already visible. */
bool ev_declare_symbol(ev_scope *scope, ev_parser *parser, const ev_token *place,
                       const ev_symbol *symbol);

/* Rank and first dimension of an expression, as far as declarations tell; false when unknown. */
bool ev_shape_of(const ev_symbol_table *table, const ev_syntax *expression, unsigned *rank,
                 ev_dim *rows);

#endif
