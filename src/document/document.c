/* How a document is read, block by block:
 *   heading      what the sections it ends have declared is forgotten;
 *   declaration  goes whole to the formula reader, which adds to the scope in force;
 *   claim        its comment is kept until the next block, which must be a display, read in the
 *                scope in force there, or a block quote;
 *   other        displays in it are counted as unchecked. */
#include "document/document.h"

#include "document/claim_comment.h"
#include "document/claim_index.h"
#include "document/markdown.h"
#include "document/place.h"
#include "document/text.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS = 6 };

typedef struct {
    ev_document *document;
    ev_error *error;
    ev_markdown markdown;
    ev_scope scope;
    const ev_scope *snapshot; /* of the scope as it is now, or NULL */
    struct {
        int level;
        size_t visible, conditions; /* in force before it */
    } sections[LEVELS];
    size_t section_count;
    const char *section;
    bool pending; /* a claim's comment waits for its display */
    ev_span comment_place;
    ev_claim_comment comment;
    ev_claim_comment *comments; /* one a claim, for the checks at the end */
    size_t claim_capacity, comment_capacity;
    ev_claim_index index;
} builder;

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "memory is short");
}

static const char *text_or_null(builder *b, ev_span span)
{
    return span.text == NULL ? NULL : ev_arena_text(b->document->arena, span.text, span.length);
}

static ev_status open_section(builder *b, const ev_block *heading)
{
    while (b->section_count > 0 && b->sections[b->section_count - 1].level >= heading->level) {
        b->section_count--;
        ev_scope_truncate(&b->scope, b->sections[b->section_count].visible,
                          b->sections[b->section_count].conditions);
        b->snapshot = NULL;
    }
    b->sections[b->section_count].level = heading->level;
    b->sections[b->section_count].visible = b->scope.visible_count;
    b->sections[b->section_count].conditions = b->scope.condition_count;
    b->section_count++;
    b->section = text_or_null(b, heading->inner);
    if (b->document->title == NULL)
        b->document->title = b->section;
    return b->section == NULL ? no_memory(b->error) : EV_OK;
}

static ev_status open_claim(builder *b, const ev_block *block)
{
    ev_status status = ev_claim_comment_parse(block->inner, &b->comment, b->error);
    if (status != EV_OK)
        return status;
    if (block->followed) {
        ev_span end = ev_markdown_rest(&b->markdown);
        return ev_place_error(b->error, &end, "a claim's comment stands on a line of its own");
    }
    b->pending = true;
    b->comment_place = block->span;
    return EV_OK;
}

/* A block quote's text on one line, without its marks. */
static const char *statement_text(builder *b, ev_span quote)
{
    char *out = ev_arena_array(b->document->arena, quote.length + 1, 1);
    size_t used = 0;
    bool line_begins = true, space = false;
    for (size_t i = 0; out != NULL && i < quote.length; i++) {
        char c = quote.text[i];
        bool mark = line_begins && c == '>';
        if (c == ' ' || c == '\t' || c == '\n' || mark) {
            space = true;
            line_begins = c == '\n' || (line_begins && !mark);
            continue;
        }
        if (space && used > 0)
            out[used++] = ' ';
        space = line_begins = false;
        out[used++] = c;
    }
    return out;
}

static ev_status read_statement(builder *b, const ev_block *block, ev_claim *claim)
{
    claim->is_statement = true;
    claim->statement = statement_text(b, block->span);
    if (claim->statement == NULL)
        return no_memory(b->error);
    if (claim->statement[0] == '\0')
        return ev_place_error(b->error, &block->span, "the statement is empty");
    return ev_claim_comment_expected(&b->comment, 1, true, b->document->arena, &claim->expected,
                                     b->error);
}

static ev_status read_display(builder *b, const ev_block *block, ev_claim *claim)
{
    if (block->followed) {
        ev_span rest = ev_markdown_rest(&b->markdown);
        return ev_place_error(b->error, &rest,
                              "text behind a claim's display: move it to the next line");
    }
    if (b->snapshot == NULL)
        b->snapshot = ev_scope_snapshot(&b->scope, b->document->arena);
    if (b->snapshot == NULL)
        return no_memory(b->error);
    ev_status status = ev_formula_parse(b->snapshot, block->inner, &claim->formula, b->error);
    if (status == EV_OK && claim->formula.step_count == 0)
        status = ev_place_error(b->error, &block->span,
                                "the display has no relation, so nothing is claimed");
    if (status != EV_OK)
        return status;
    return ev_claim_comment_expected(&b->comment, claim->formula.step_count, false,
                                     b->document->arena, &claim->expected, b->error);
}

static ev_status refuse_claim(builder *b)
{
    return ev_place_error(b->error, &b->comment_place, "a claim needs a display or a block quote");
}

static ev_status close_claim(builder *b, const ev_block *block)
{
    ev_document *d = b->document;
    b->pending = false;
    if (block->kind != EV_BLOCK_DISPLAY && block->kind != EV_BLOCK_QUOTE)
        return refuse_claim(b);
    if (!ev_array_reserve(&d->claims, d->claim_count, &b->claim_capacity, sizeof *d->claims) ||
        !ev_array_reserve(&b->comments, d->claim_count, &b->comment_capacity, sizeof *b->comments))
        return no_memory(b->error);
    const ev_claim_comment *c = &b->comment;
    ev_claim claim = {.id = text_or_null(b, c->claim),
                      .source = text_or_null(b, c->source),
                      .see = text_or_null(b, c->see),
                      .note = text_or_null(b, c->note),
                      .equivalent = text_or_null(b, c->equivalent),
                      .kind = ev_claim_comment_kind(c),
                      .line = b->comment_place.line,
                      .section = b->section};
    if (claim.id == NULL)
        return no_memory(b->error);
    size_t earlier = ev_claim_index_get(&b->index, d->claims, claim.id);
    if (earlier != EV_CLAIM_NONE)
        return ev_place_error(b->error, &c->claim, "'%s' is already the claim of line %zu",
                              claim.id, d->claims[earlier].line);
    ev_status status = block->kind == EV_BLOCK_QUOTE ? read_statement(b, block, &claim)
                                                     : read_display(b, block, &claim);
    if (status != EV_OK)
        return status;
    b->comments[d->claim_count] = *c;
    d->claims[d->claim_count++] = claim;
    bool added = ev_claim_index_add(&b->index, d->claims, claim.id, d->claim_count - 1);
    return added ? EV_OK : no_memory(b->error);
}

static ev_status read_block(builder *b, const ev_block *block)
{
    bool claims = block->kind == EV_BLOCK_COMMENT && ev_comment_claims(block->inner);
    if (block->kind == EV_BLOCK_COMMENT && !claims)
        return EV_OK;
    if (b->pending)
        return claims ? refuse_claim(b) : close_claim(b, block);
    switch (block->kind) {
    case EV_BLOCK_HEADING: return open_section(b, block);
    case EV_BLOCK_DECLARATION:
        b->snapshot = NULL;
        return ev_scope_declare(&b->scope, block->span, b->error);
    case EV_BLOCK_COMMENT: return open_claim(b, block);
    case EV_BLOCK_DISPLAY: b->document->unchecked_displays++; return EV_OK;
    default: b->document->unchecked_displays += block->displays; return EV_OK;
    }
}

static ev_status read_blocks(builder *b)
{
    ev_block block;
    do {
        ev_status status = ev_markdown_next(&b->markdown, &block, b->error);
        if (status == EV_OK)
            status = read_block(b, &block);
        if (status != EV_OK)
            return status;
    } while (block.kind != EV_BLOCK_END);
    return EV_OK;
}

/* Every see: names another claim of the document, which is expected to hold. */
static ev_status check_references(const builder *b)
{
    const ev_document *d = b->document;
    for (size_t i = 0; i < d->claim_count; i++) {
        const char *see = d->claims[i].see;
        if (see == NULL)
            continue;
        const ev_span *place = &b->comments[i].see;
        size_t found = ev_claim_index_get(&b->index, d->claims, see);
        if (found == EV_CLAIM_NONE)
            return ev_place_error(b->error, place, "no claim '%s' in this document", see);
        if (found == i)
            return ev_place_error(b->error, place, "a claim can't be its own correction");
        const ev_claim *target = &d->claims[found];
        size_t steps = target->is_statement ? 1 : target->formula.step_count;
        for (size_t s = 0; s < steps; s++)
            if (target->expected[s] != EV_EXPECT_HOLDS)
                return ev_place_error(b->error, place, "'%s' is not expected to hold itself", see);
    }
    return EV_OK;
}

/* derivations/elbo.md -> elbo */
static const char *stem(const char *file, ev_arena *arena)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash == NULL ? file : slash + 1;
    const char *dot = strrchr(base, '.');
    return ev_arena_text(arena, base,
                         dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base));
}

static ev_status build(builder *b, const char *file, const char *bytes, size_t length)
{
    ev_document *d = b->document;
    d->arena = ev_arena_create();
    if (d->arena == NULL)
        return no_memory(b->error);
    d->file = ev_arena_text(d->arena, file, strlen(file));
    d->name = stem(file, d->arena);
    d->table = ev_symbol_table_create(d->arena);
    if (d->file == NULL || d->name == NULL || d->table == NULL)
        return no_memory(b->error);
    ev_status status = ev_text_clean(d->file, bytes, length, d->arena, &d->text, &d->length,
                                     b->error);
    if (status != EV_OK)
        return status;
    b->section = "";
    ev_scope_init(&b->scope, d->table);
    ev_markdown_start(&b->markdown, d->file, d->text, d->length);
    status = read_blocks(b);
    ev_scope_destroy(&b->scope);
    if (status == EV_OK)
        status = check_references(b);
    if (ev_arena_failed(d->arena) && status != EV_NO_MEMORY) { /* whatever was made of it */
        *b->error = EV_ERROR_NONE;
        status = no_memory(b->error);
    }
    ev_error_place(b->error, file, d->text, d->length);
    if (d->title == NULL)
        d->title = d->name;
    return status;
}

ev_status ev_document_parse(const char *file, const char *text, size_t length,
                            ev_document **document, ev_error *error)
{
    ev_error unwanted = EV_ERROR_NONE;
    builder b = {.document = calloc(1, sizeof *b.document),
                 .error = error != NULL ? error : &unwanted};
    *document = NULL;
    if (b.document == NULL)
        return no_memory(b.error);
    ev_status status = build(&b, file, text, length);
    free(b.comments);
    ev_claim_index_destroy(&b.index);
    if (status == EV_OK)
        *document = b.document;
    else
        ev_document_destroy(b.document);
    return status;
}

ev_status ev_document_read(const char *file, ev_document **document, ev_error *error)
{
    char *bytes;
    size_t length;
    *document = NULL;
    ev_status status = ev_text_load(file, &bytes, &length, error);
    if (status == EV_OK)
        status = ev_document_parse(file, bytes, length, document, error);
    free(bytes);
    return status;
}

void ev_document_destroy(ev_document *document)
{
    if (document == NULL)
        return;
    if (document->table != NULL)
        ev_symbol_table_destroy(document->table);
    ev_arena_destroy(document->arena);
    free(document->claims);
    free(document);
}
