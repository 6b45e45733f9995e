-- The filter that weaves documents and the ledger: pandoc's tree in, the same tree out, with each
-- step of a claim on a line of its own, its verdict beside it and its evidence under it.
--
-- Metadata (from `evidence report`):
--   ledger     the ledger, JSON lines           revision   of the program that weaves
--   folder     where this filter's files are    figures    the folder of figures, or ""
--   results    the folder of training tables, or ""
--   runs       the folder of training runs, MODEL each, or ""
-- A missing or stale input stops the conversion: a message, and exit status 2.

local folder = PANDOC_SCRIPT_FILE:match('^(.*)/[^/]*$') or '.'
local decode = dofile(folder .. '/json.lua')
local html = FORMAT:match('html') ~= nil
local stringify = pandoc.utils.stringify

local function stop(...)
  io.stderr:write('evidence: error: ', string.format(...), '\n')
  os.exit(2)
end

local function raw(text) return pandoc.RawBlock(html and 'html' or 'latex', text) end
local function para(...) return pandoc.Para { ... } end

local function escape(text)
  if html then return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' })) end
  text = text:gsub('[\\{}$&#%%_^~]', function(c)
    return ({ ['\\'] = '\\textbackslash{}', ['^'] = '\\^{}', ['~'] = '\\~{}' })[c] or '\\' .. c
  end)
  return text
end

-- The ledger ---------------------------------------------------------------------------------------

local records, claims, documents = {}, {}, {} -- claims: id -> its records, in order

local function read_ledger(path, revision)
  local file = io.open(path) or stop('no ledger %s', path)
  for line in file:lines() do
    local ok, record = pcall(decode, line)
    if not ok then stop('%s: line %d: %s', path, #records + 1, record) end
    if record.revision ~= revision then
      stop('%s is stale: it was made by revision %s, and this is %s', path, record.revision, revision)
    end
    records[#records + 1] = record
    claims[record.claim] = claims[record.claim] or {}
    table.insert(claims[record.claim], record)
    documents[record.document] = true
  end
  if #records == 0 then stop('%s has no records', path) end
end

-- What can be compared of TeX: blanks, alignment and line breaks don't count.
local function bare(text) return (text:gsub('\\\\', ''):gsub('[%s&]', '')) end

local function check_fresh(record, text)
  local known = bare(text)
  for _, side in ipairs { record.left or '', record.right } do
    if not known:find(bare(side), 1, true) then
      stop('%s:%d: the ledger is stale: of %s it has "%s", which is no longer printed there',
        record.file, record.line, record.claim, side)
    end
  end
end

-- Marks and evidence -------------------------------------------------------------------------------

local relations = { ['<='] = '\\le', ['>='] = '\\ge', ['~'] = '\\approx', ['prop'] = '\\propto' }
local function relation(r) return relations[r] or r end

local function label(r) return r.step > 0 and r.claim .. '@' .. r.step or r.claim end
local function anchor(r) return 'step-' .. r.claim .. '-' .. math.tointeger(r.step) end

local function mutants(r)
  if r.mutants_total == 0 then return nil end
  return string.format('%d/%d', r.mutants_killed, r.mutants_total)
end

local function verdict(r)
  local sign = r.green and '✓' or '✗'
  if not html then sign = r.green and '$\\checkmark$' or '$\\times$' end
  local word = r.verdict
  if r.verdict == r.expected and word ~= 'HOLDS' then word = word .. ' (expected)' end
  return sign .. ' ' .. word
end

local function mark(r)
  local parts = { verdict(r) }
  if r.step > 0 and r.verdict == 'HOLDS' then parts[#parts + 1] = string.format('%.1f digits', r.agreeing_digits or 0) end
  if mutants(r) then parts[#parts + 1] = mutants(r) .. ' mutants' end
  return table.concat(parts, html and ' · ' or ', ')
end

local function value(v)
  local total = v.rounding + v.quadrature + v.sampling
  local kinds = {}
  for _, kind in ipairs { 'rounding', 'quadrature', 'sampling' } do
    if v[kind] > 0 then kinds[#kinds + 1] = string.format('%s %.1e', kind, v[kind]) end
  end
  return string.format('%.16g ± %.0e', v.value, total) .. (#kinds > 0 and ' (' .. table.concat(kinds, ', ') .. ')' or '')
end

-- "J = 1, \mu = (0, 2)" as formulas, between which a line may break.
local function assignments(text)
  local out, depth, from = {}, 0, 1
  for at = 1, #text + 1 do
    local c = text:sub(at, at)
    if c:match('[%(%[{]') then depth = depth + 1 elseif c:match('[%)%]}]') then depth = depth - 1 end
    if (c == ',' and depth == 0) or at > #text then
      if #out > 0 then table.insert(out, pandoc.Str ',') table.insert(out, pandoc.Space()) end
      out[#out + 1] = pandoc.Math('InlineMath', text:sub(from, at - 1):match('^%s*(.-)%s*$'))
      from = at + 1
    end
  end
  return out
end

-- Everything known of a step, as pairs of a name and inlines.
local function evidence(r)
  local rows = {}
  local function row(name, content)
    if content == nil or content == '' then return end
    if type(content) == 'string' then content = { pandoc.Str(content) } end
    rows[#rows + 1] = { name, content }
  end
  row('step', { pandoc.Code(label(r)) })
  row('place', string.format('%s:%d', r.file, r.line))
  row('verdict', r.verdict .. (r.verdict == r.expected and ', as expected' or ', expected ' .. r.expected))
  row('reason', r.reason)
  if r.source then row('source', r.source) end
  if r.step > 0 then
    row('left', value(r.left_value))
    row('right', value(r.right_value))
    row('at', r.witness ~= '' and assignments(r.witness) or nil)
    row('methods', r.methods)
    row('agreement', string.format('%.1f digits, asked for relative %.0e; smallest difference that would show %.0e',
      r.agreeing_digits, r.resolution, r.smallest_detectable))
    row('points', string.format('%d drawn, %d compared', r.points_tried, r.points_effective))
    row('effort', string.format('%d evaluations, %d samples; sentinels off by %.0e at most',
      r.evaluations, r.samples, r.sentinel))
  end
  if mutants(r) then
    row('mutants', mutants(r) .. ' noticed' .. (r.mutants_equivalent > 0 and string.format(', %d declared equivalent', r.mutants_equivalent) or ''))
  end
  row('survivors', r.survivors)
  row('diagnosis', r.diagnosis)
  row('measured', r.measured)
  for _, other in ipairs(r.alternatives or {}) do
    row('not', other.statement .. ': ' .. (other.refuted and 'refuted' or 'NOT refuted') .. '; ' .. other.because)
  end
  if r.second_voice ~= '' then
    row('second voice', string.format('checks/%s.c %s, at %d points, %.1f digits', r.document, r.second_voice,
      r.second_voice_points, r.second_voice_digits))
  elseif r.step == 0 then
    row('second voice', 'checks/' .. r.document .. '.c decides it')
  end
  if r.see then row('corrected by', { pandoc.Link({ pandoc.Code(r.see) }, '#step-' .. r.see .. '-' .. (claims[r.see] and math.tointeger(claims[r.see][1].step) or 1)) }) end
  row('note', r.note)
  row('seed', string.format('%d', r.seed))
  return rows
end

local function definitions(rows)
  local items = {}
  for _, row in ipairs(rows) do
    items[#items + 1] = { { pandoc.Str(row[1]) }, { { pandoc.Plain(row[2]) } } }
  end
  return pandoc.DefinitionList(items)
end

local function state(r) return r.green and (r.verdict == 'HOLDS' and 'holds' or 'refuted') or 'unexpected' end

-- One line of a chain, or a statement, with its mark and, in HTML, its evidence.
local function step_html(r, content)
  local out = { raw(string.format('<div class="step %s" id="%s"><details><summary><span class="line">', state(r), anchor(r))) }
  for _, block in ipairs(content) do out[#out + 1] = block end
  out[#out + 1] = raw(string.format('</span> <span class="mark" title="%s">%s</span></summary><div class="evidence">', escape(label(r)), escape(mark(r))))
  out[#out + 1] = definitions(evidence(r))
  out[#out + 1] = raw('</div></details></div>')
  return out
end

local function tex_mark(r)
  return string.format('\\hyperlink{%s}{%s}', anchor(r), mark(r):gsub('@', '@'))
end

-- A formula in pieces between which a line may break: before relations and before + and - between terms,
-- in no bracket or, where a piece is long, in one; never inside braces or \left ... \right.
local relation_signs = { ['='] = true, ['\\le'] = true, ['\\ge'] = true, ['\\approx'] = true, ['\\propto'] = true }
local signs = { ['+'] = true, ['-'] = true }
local hard_brackets = { ['{'] = 1, ['}'] = -1, ['\\left'] = 1, ['\\right'] = -1, ['\\begin'] = 1, ['\\end'] = -1 }
local soft_brackets = { ['('] = 1, ['['] = 1, [')'] = -1, [']'] = -1 }
-- Behind these a sign is not between two terms.
local no_term = { ['('] = true, ['['] = true, ['{'] = true, ['^'] = true, ['_'] = true, [','] = true, ['|'] = true }

-- How many tokens a piece must have before it may end in front of this one; nil: it may not.
local function least(token, soft)
  if relation_signs[token] then return soft == 0 and 4 or nil end
  if signs[token] then return soft == 0 and 12 or soft == 1 and 18 or nil end
end

local function token_at(tex, at)
  local token = tex:match('^\\%a+', at) or tex:match('^\\.', at) or tex:sub(at, at)
  if token ~= '\\left' and token ~= '\\right' then return token, #token end
  return token, #token + #(tex:match('^%s*\\%a+', at + #token) or tex:match('^%s*\\?.', at + #token) or '')
end

local function pieces(tex)
  local out, hard, soft, from, at, before, length = {}, 0, 0, 1, 1, nil, 0
  while at <= #tex do
    local token, size = token_at(tex, at)
    if not token:match('^%s') then
      local wanted = hard == 0 and least(token, soft)
      if wanted and length >= wanted and not (no_term[before] or signs[before] or relation_signs[before]) then
        out[#out + 1] = tex:sub(from, at - 1)
        from, length = at, 0
      end
      hard, soft = hard + (hard_brackets[token] or 0), soft + (hard == 0 and soft_brackets[token] or 0)
      before, length = token, length + 1
    end
    at = at + size
  end
  out[#out + 1] = tex:sub(from)
  return hard == 0 and out or { tex }
end

-- Of a display that makes no claim, the formulas that stand beside each other, and its lines.
local function formulas(tex)
  local out, hard, from, at = {}, 0, 1, 1
  if tex:find('\\begin', 1, true) then return { tex } end
  while at <= #tex do
    local token, size = token_at(tex, at)
    if hard == 0 and (token == '\\qquad' or token == '\\\\') then
      out[#out + 1] = tex:sub(from, at - 1)
      from = at + size
    end
    hard = hard + (hard_brackets[token] or 0)
    at = at + size
  end
  out[#out + 1] = tex:sub(from)
  return out
end

local function wrap_displays(block)
  return block:walk { Math = function(m)
    if m.mathtype ~= 'DisplayMath' then return nil end
    local parts = formulas(m.text)
    if #parts == 1 then return nil end
    local out = { pandoc.RawInline('html', '<span class="side-by-side">') }
    for _, part in ipairs(parts) do if part:match('%S') then out[#out + 1] = pandoc.Math('DisplayMath', part) end end
    out[#out + 1] = pandoc.RawInline('html', '</span>')
    return out
  end }
end

local function line_of(r, whole)
  local tex = r.right
  if r.relation ~= 'statement' then
    tex = (whole and r.left .. ' ' or '{} ') .. relation(r.relation) .. ' ' .. r.right
  end
  return tex
end

local function tex_line(tex)
  local out = {}
  for i, piece in ipairs(pieces(tex)) do out[i] = '\\evpiece{' .. (i > 1 and '{}' or '') .. piece .. '}' end
  return table.concat(out, '\\hskip 0pt plus 1pt\\relax ')
end

local function chain(id, text)
  local out, before = {}, nil
  for _, r in ipairs(claims[id]) do
    check_fresh(r, text)
    local whole = before == nil or before.right ~= r.left
    local tex = line_of(r, whole)
    if html then
      local class = whole and '' or 'goes-on'
      local line = { raw('<span class="maths ' .. class .. '">') }
      for i, piece in ipairs(pieces(tex)) do
        line[#line + 1] = pandoc.Plain { pandoc.Math('DisplayMath', (i > 1 and '{}' or '') .. piece) }
      end
      line[#line + 1] = raw('</span>')
      for _, block in ipairs(step_html(r, line)) do out[#out + 1] = block end
    else
      out[#out + 1] = raw(string.format('\\evstep{%s}{%s}{%s}', whole and '' or '\\quad ', tex_line(tex), tex_mark(r)))
    end
    before = r
  end
  return out
end

local function statement(id, quote)
  local r = claims[id][1]
  if html then return step_html(r, { quote }) end
  return { quote, raw('\\evmark{' .. tex_mark(r) .. '}') }
end

-- Documents ------------------------------------------------------------------------------------------

local function display_of(block)
  if block.t ~= 'Para' and block.t ~= 'Plain' then return nil end
  for _, inline in ipairs(block.content) do
    if inline.t == 'Math' and inline.mathtype == 'DisplayMath' then return inline.text end
  end
end

local function slurp(path)
  local file = io.open(path, 'rb')
  if not file then return nil end
  local text = file:read('a')
  file:close()
  return text
end

-- The names in a folder, sorted; none where there is no such folder.
local function names_in(where)
  local names, listing = {}, io.popen("ls -1 '" .. where:gsub("'", "'\\''") .. "' 2>/dev/null")
  for name in listing:lines() do names[#names + 1] = name end
  listing:close()
  return names
end

-- Figures of a topic, as `make plots` names them: TOPIC-FIGURE.
local function figures(topic, where)
  local out, kind = {}, html and '.svg' or '.pdf'
  if where == '' then return out end
  for _, name in ipairs(names_in(where)) do
    local figure = name:match('^' .. topic .. '%-(.*)%' .. kind .. '$')
    if figure then
      out[#out + 1] = para(pandoc.Image({ pandoc.Str(topic .. '-' .. figure .. ', drawn by plots/' .. topic .. '.gp.') }, where .. '/' .. name, 'fig:'))
    end
  end
  return out
end

-- In print the modules stand at the end; nothing of theirs is left out.
local printed = {}

local function sources(topic)
  local paths = { 'checks/' .. topic .. '.c' }
  for _, name in ipairs(names_in('checks/' .. topic)) do
    if name:match('%.[ch]$') and name ~= 'series.c' then paths[#paths + 1] = 'checks/' .. topic .. '/' .. name end
  end
  local out = {}
  for _, path in ipairs(paths) do
    local text = slurp(path)
    if text and html then
      out[#out + 1] = raw('<details class="source"><summary>The second voice: <code>' .. escape(path) .. '</code></summary>')
      out[#out + 1] = pandoc.CodeBlock(text)
      out[#out + 1] = raw('</details>')
    elseif text then
      printed[#printed + 1] = { path, text }
      out[#out + 1] = para(pandoc.Str 'The second voice:', pandoc.Space(), pandoc.Link({ pandoc.Code(path) }, '#source-' .. #printed))
    end
  end
  return out
end

local function append(to, blocks) for _, block in ipairs(blocks) do to[#to + 1] = block end end

local function weave(blocks, settings)
  local out, topic, pending, seen = {}, nil, nil, {}
  local function finish()
    if topic then append(out, figures(topic, settings.figures)) append(out, sources(topic)) end
    topic = nil
  end
  for _, block in ipairs(blocks) do
    local id = block.t == 'RawBlock' and block.text:match('^<!%-%-%s*claim:%s*([%w%-_]+)')
    if id then
      if not claims[id] then stop('the ledger is stale: it has no claim "%s", which the documents have', id) end
      pending, topic, seen[id] = id, claims[id][1].document, true
    elseif block.t == 'RawBlock' and block.text:match('^<!%-%-') then
      -- a comment for the checker only
    elseif pending and display_of(block) then
      append(out, chain(pending, display_of(block)))
      pending = nil
    elseif pending and block.t == 'BlockQuote' then
      append(out, statement(pending, block))
      pending = nil
    else
      if block.t == 'Header' and block.level == 1 then finish() end
      out[#out + 1] = html and wrap_displays(block) or block
    end
  end
  finish()
  for _, r in ipairs(records) do
    if r.relation ~= 'assert' and not seen[r.claim] then
      stop('the ledger is stale: it has the claim "%s", which the documents have no longer', r.claim)
    end
  end
  return out
end

-- Findings, totals, versions ---------------------------------------------------------------------------

local function findings()
  local out = { pandoc.Header(1, { pandoc.Str 'What the sources get wrong' }, { id = 'findings' }) }
  local kinds = { { 'error', 'Errors' }, { 'slip', 'Slips' }, { 'conditional', 'True under a condition only' } }
  for _, kind in ipairs(kinds) do
    local part = {}
    for _, r in ipairs(records) do
      if r.source and r.verdict == 'REFUTED' and r.expected == 'REFUTED' and r.kind == kind[1] and r.relation ~= 'assert' then
        local head = { pandoc.Link({ pandoc.Code(label(r)) }, '#' .. anchor(r)) }
        if r.source then append(head, { pandoc.Str ', printed in ', pandoc.Str(r.source) }) end
        part[#part + 1] = pandoc.Para(head)
        if r.relation == 'statement' then part[#part + 1] = pandoc.BlockQuote(pandoc.read(r.right, 'markdown-smart').blocks)
            if r.note then part[#part + 1] = para(pandoc.Emph { pandoc.Str(r.note) }) end
        else
          local tex = line_of(r, true)
          part[#part + 1] = html and para(pandoc.Math('DisplayMath', tex)) or raw('\\evstep{}{' .. tex_line(tex) .. '}{}')
          local at = { pandoc.Str 'At ' }
          append(at, assignments(r.witness))
          append(at, { pandoc.Str(string.format(' the left side is %.10g, the right side %.10g.', r.left_value.value, r.right_value.value)) })
          if r.note then append(at, { pandoc.Space(), pandoc.Emph { pandoc.Str(r.note) } }) end
          if r.diagnosis ~= '' then append(at, { pandoc.Str ' Diagnosis: ', pandoc.Str(r.diagnosis) }) end
          part[#part + 1] = pandoc.Para(at)
        end
      end
    end
    if #part > 0 then out[#out + 1] = pandoc.Header(2, { pandoc.Str(kind[2]) }, { id = 'findings-' .. kind[1] }) append(out, part) end
  end
  if #out == 1 then out[#out + 1] = para(pandoc.Str 'Nothing that is printed in a source is refuted here.') end
  return out
end

local order = { 'HOLDS', 'REFUTED', 'UNDECIDED', 'VACUOUS', 'VOID', 'SKIPPED' }

local function totals()
  local count, green, killed, mutated = {}, 0, 0, 0
  for _, r in ipairs(records) do
    count[r.verdict] = (count[r.verdict] or 0) + 1
    green = green + (r.green and 1 or 0)
    killed, mutated = killed + r.mutants_killed, mutated + r.mutants_total
  end
  local parts = {}
  for _, name in ipairs(order) do parts[#parts + 1] = string.format('%d %s', count[name] or 0, name) end
  local r = records[1]
  local spent = 0
  for _, x in ipairs(records) do spent = spent + x.comparisons end
  return { pandoc.Header(1, { pandoc.Str 'The ledger' }, { id = 'ledger' }),
    pandoc.Div({ para(pandoc.Str(string.format('%d verdicts = %s; %d as expected.', #records, table.concat(parts, ' + '), green))) }, { id = 'totals' }),
    para(pandoc.Str(mutated > 0 and string.format('%d of %d mutants noticed. ', killed, mutated) or 'Mutants were not tried. '),
      pandoc.Str(string.format('False-alarm probability at most %g; %d sampling comparisons planned, %d made by steps.', r.alpha_total, r.comparisons_planned, spent))) }
end

local function versions(revision)
  local r = records[1]
  return { pandoc.Header(1, { pandoc.Str 'Versions' }, { id = 'versions' }), definitions {
    { 'revision', { pandoc.Code(revision) } }, { 'compiler', { pandoc.Str(r.compiler) } }, { 'flags', { pandoc.Code(r.flags) } },
    { 'seed', { pandoc.Str(string.format('%d', r.seed)) } }, { 'effort', { pandoc.Str(r.effort) } },
    { 'pandoc', { pandoc.Str(tostring(PANDOC_VERSION)) } } } }
end

-- The facts of the C modules' own, which no displayed line says.
local function assertions()
  local rows = {}
  for _, r in ipairs(records) do
    if r.relation == 'assert' then rows[#rows + 1] = { { pandoc.Plain { pandoc.Code(r.claim) } }, { pandoc.Plain { pandoc.Str(r.right) } }, { pandoc.Plain { pandoc.Str((r.green and '' or 'NOT ') .. r.verdict) } } } end
  end
  if #rows == 0 then return {} end
  local simple = pandoc.SimpleTable({}, { 'AlignLeft', 'AlignLeft', 'AlignLeft' }, { 0.25, 0.6, 0.15 },
    { { pandoc.Plain 'id' }, { pandoc.Plain 'what' }, { pandoc.Plain 'verdict' } }, rows)
  return { pandoc.Header(2, { pandoc.Str 'Assertions of the second voices' }, { id = 'assertions' }), pandoc.utils.from_simple_table(simple) }
end

-- A program's text for \evsource: its blanks are kept, long lines go on below.
local function print_lines(text)
  local out = {}
  for line in (text:gsub('\t', '    ') .. '\n'):gmatch('(.-)\n') do
    local indent, rest = line:match('^( *)(.-) *$')
    out[#out + 1] = rest == '' and '\\evblank' or string.format('\\evline{%d}{%s}', #indent, escape(rest):gsub('  +', function(b) return ('\\ '):rep(#b) end))
  end
  return table.concat(out, '\n')
end

-- In print nothing opens: the evidence of each step stands at the end.
local function appendix()
  if html then return {} end
  local out = { pandoc.Header(1, { pandoc.Str 'The evidence, step by step' }, { id = 'evidence' }), raw('\\begingroup\\footnotesize') }
  for _, r in ipairs(records) do
    if r.relation ~= 'assert' then
      local inlines = { pandoc.RawInline('latex', '\\hypertarget{' .. anchor(r) .. '}{}') }
      for _, row in ipairs(evidence(r)) do
        append(inlines, { pandoc.Strong { pandoc.Str(row[1]) }, pandoc.Space() })
        append(inlines, row[2])
        append(inlines, { pandoc.Str '.', pandoc.Space() })
      end
      out[#out + 1] = pandoc.Para(inlines)
    end
  end
  out[#out + 1] = raw('\\endgroup')
  if #printed > 0 then out[#out + 1] = pandoc.Header(1, { pandoc.Str 'The second voices' }, { id = 'sources' }) end
  for i, source in ipairs(printed) do
    out[#out + 1] = pandoc.Header(2, { pandoc.Code(source[1]) }, { id = 'source-' .. i })
    out[#out + 1] = raw('\\evsource{' .. print_lines(source[2]) .. '}')
  end
  return out
end

-- Training -------------------------------------------------------------------------------------------
--
-- A table NAME.tsv of the folder of results:
--   # command: evidence train gmvae --preset paper --seed {seed} --out RUN   what makes a row; {column} is
--   # anything else is a sentence about the table                            filled in, row by row
--   seed <tab> accuracy <tab> ...                                            the names
--   1 <tab> 0.71 <tab> ...                                                   as many cells a row, none empty

local function cells_of(line)
  local cells = {}
  for cell in (line .. '\t'):gmatch('([^\t]*)\t') do cells[#cells + 1] = cell end
  return cells
end

local function read_results(path)
  local t, number = { comments = {}, rows = {} }, 0
  for line in io.lines(path) do
    number = number + 1
    local comment = line:match('^#%s*(.-)%s*$')
    if number == 1 then
      t.command = comment and comment:match('^command:%s*(.+)$') or stop('%s:1: the first line must be "# command: ...", what makes a row', path)
    elseif comment then t.comments[#t.comments + 1] = comment
    else
      local cells = cells_of(line)
      for i, cell in ipairs(cells) do
        if cell:match('^%s*$') then stop('%s:%d: cell %d is empty; NA says that there is no number', path, number, i) end
      end
      if not t.names then t.names = cells
      elseif #cells ~= #t.names then stop('%s:%d: %d cells, and there are %d names', path, number, #cells, #t.names)
      else t.rows[#t.rows + 1] = cells end
    end
  end
  if not t.names then stop('%s has no line of names', path) end
  if #t.rows == 0 then stop('%s has no rows', path) end
  return t
end

local function command_of(t, row, path)
  return (t.command:gsub('{([^{}]*)}', function(name)
    for i, known in ipairs(t.names) do if known == name then return row[i] end end
    stop('%s:1: {%s} in the command is no column', path, name)
  end))
end

local function mean_row(t)
  local out, count, averaged = {}, #t.rows, false
  if count < 2 then return nil end
  for i, name in ipairs(t.names) do
    local sum, square, all, same = 0, 0, true, true
    for _, row in ipairs(t.rows) do
      local x = row[i]:match('^[-+]?[%d.]+[eE]?[-+]?%d*$') and tonumber(row[i])
      all, same = all and x, same and row[i] == t.rows[1][i]
      sum, square = sum + (x or 0), square + (x or 0) ^ 2
    end
    if same then out[i] = t.rows[1][i]
    elseif all and name ~= 'seed' then
      averaged = true
      local mean = sum / count
      out[i] = string.format('%.4g ± %.2g', mean, math.sqrt(math.max(0, square / count - mean * mean) * count / (count - 1)))
    else out[i] = '' end
  end
  return averaged and out or nil
end

local function results(where)
  local out = {}
  if where == '' then return out end
  if #names_in(where) == 0 then stop('no tables of results in %s', where) end
  for _, name in ipairs(names_in(where)) do
    if name:match('%.tsv$') then
      local path = where .. '/' .. name
      local t = read_results(path)
      out[#out + 1] = pandoc.Header(2, { pandoc.Str((name:gsub('%.tsv$', ''):gsub('_', ' '))) }, { id = 'results-' .. name:gsub('%.tsv$', '') })
      for _, comment in ipairs(t.comments) do out[#out + 1] = para(pandoc.Str(comment)) end
      local function cells(row)
        local made = {}
        for i, cell in ipairs(row) do made[i] = { pandoc.Plain { pandoc.Str(cell) } } end
        return made
      end
      local aligns, widths, rows, commands = {}, {}, {}, {}
      for i = 1, #t.names do aligns[i], widths[i] = 'AlignLeft', 0 end
      for i, row in ipairs(t.rows) do rows[i], commands[i] = cells(row), command_of(t, row, path) end
      local mean = mean_row(t)
      if mean then rows[#rows + 1] = cells(mean) end
      out[#out + 1] = pandoc.utils.from_simple_table(pandoc.SimpleTable({}, aligns, widths, cells(t.names), rows))
      if mean then out[#out + 1] = para(pandoc.Str 'The last row: mean and standard deviation of those above.') end
      out[#out + 1] = para(pandoc.Str('Row by row, from ' .. path .. ':'))
      local list = {}
      for i, command in ipairs(commands) do list[i] = { pandoc.Plain { pandoc.Code(command) } } end
      out[#out + 1] = pandoc.OrderedList(list)
    end
  end
  return out
end

-- A run's figures, which must be of the run as it is now: the head of their data names step and revision.
local function check_figures(plot, run, config, step, where)
  for _, name in ipairs(names_in(where)) do
    if name:match('^' .. plot .. '%-.*%.tsv$') then
      local head = (slurp(where .. '/' .. name) or ''):match('\n# run [^\n]*') or ''
      local wanted = string.format('step %s, seed %s, revision %s', step, config.seed_text, config.revision)
      if head ~= '' and not head:find(wanted, 1, true) then
        stop('%s/%s is stale: it has "%s", and the run %s is at %s', where, name, head:sub(3), run, wanted)
      end
    end
  end
end

local told = { 'model', 'hidden', 'latent', 'clusters', 'posterior', 'likelihood', 'gamma', 'codebook', 'codes', 'code_size', 'epochs',
  'autoencoder_epochs', 'prior_epochs', 'batch', 'binarise', 'seed_text', 'checksum', 'revision' }

local function read_run(run)
  local text = slurp(run .. '/config.json') or stop('no run in %s: there is no config.json', run)
  local ok, config = pcall(decode, text)
  if not ok then stop('%s/config.json: %s', run, config) end
  config.seed_text = text:match('"seed":%s*"?(%d+)') or '?'
  local metrics = slurp(run .. '/metrics.tsv') or stop('%s has no metrics.tsv', run)
  local step = metrics:match('.*\n(%d+)\t') or '0'
  return config, step
end

local function one_run(run, plot, where)
  local config, step = read_run(run)
  local plots = plot == 'training' and { 'training', 'gmvae_closed_form' } or { plot }
  for _, name in ipairs(plots) do check_figures(name, run, config, step, where) end
  local said = {}
  for _, key in ipairs(told) do
    local x = config[key]
    if x ~= nil then
      said[#said + 1] = key:gsub('_text', ''):gsub('_', ' ') .. ' ' .. (type(x) == 'table' and table.concat(x, ', '):gsub('%.0', '') or tostring(x):gsub('%.0$', ''))
    end
  end
  local out = { pandoc.Header(2, { pandoc.Str('The run of ' .. (config.model == 'vqvae' and 'make train MODEL=vqvae' or 'make train')) }, { id = 'run-' .. config.model }),
    para(pandoc.Str(table.concat(said, '; ') .. '; steps done ' .. step .. '. Figures are of the test images; the data behind each are those of '),
      pandoc.Code('evidence tabulate ' .. run), pandoc.Str '.') }
  local drawn = figures(plot, where)
  if #drawn == 0 then stop('%s is there, and no figure of it in %s: make plots', run, where) end
  append(out, drawn)
  return out
end

local function training(where, runs, drawings)
  local out = results(where)
  local plots = { gmvae = 'training', vqvae = 'vqvae' }
  if runs ~= '' then
    for _, name in ipairs(names_in(runs)) do
      if plots[name] then append(out, one_run(runs .. '/' .. name, plots[name], drawings)) end
    end
  end
  if #out > 0 then table.insert(out, 1, pandoc.Header(1, { pandoc.Str 'Training' }, { id = 'training' })) end
  return out
end

function Pandoc(doc)
  local function setting(name) return doc.meta[name] and stringify(doc.meta[name]) or '' end
  local settings = { figures = setting 'figures' }
  read_ledger(setting 'ledger', setting 'revision')
  local blocks = weave(doc.blocks, settings)
  append(blocks, training(setting 'results', setting 'runs', settings.figures))
  append(blocks, findings())
  append(blocks, totals())
  append(blocks, assertions())
  append(blocks, versions(setting 'revision'))
  append(blocks, appendix())
  doc.meta.style = html and pandoc.MetaBlocks { raw('<style>\n' .. slurp(folder .. '/style.css') .. '</style>') } or nil
  return pandoc.Pandoc(blocks, doc.meta)
end
