-- The filter that weaves documents and the ledger: pandoc's tree in, the same tree out, with each
-- step of a claim on a line of its own, its verdict beside it and its evidence under it.
--
-- Metadata (from `evidence report`):
--   ledger     the ledger, JSON lines           revision   of the program that weaves
--   folder     where this filter's files are    figures    the folder of figures, or ""
--   results    the folder of training tables, or ""
--   runs       the folder of training runs, MODEL each, or ""
--   program    which knows the commands of those tables
-- A missing or stale input stops the conversion: a message, and exit status 2.

local folder = PANDOC_SCRIPT_FILE:match('^(.*)/[^/]*$') or '.'
local decode = dofile(folder .. '/json.lua')
local pieces, formulas = dofile(folder .. '/breaks.lua')
local html = FORMAT:match('html') ~= nil
local stringify = pandoc.utils.stringify
local tie = html and utf8.char(0xA0) or '~' -- a space at which no line breaks

local function stop(...)
  io.stderr:write('evidence: error: ', string.format(...), '\n')
  os.exit(2)
end

local function raw(text) return pandoc.RawBlock(html and 'html' or 'latex', text) end
local function para(...) return pandoc.Para { ... } end
local function append(to, more) for _, x in ipairs(more) do to[#to + 1] = x end end

local function escape(text)
  if html then return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' })) end
  text = text:gsub('[\\{}$&#%%_^~]', function(c)
    return ({ ['\\'] = '\\textbackslash{}', ['^'] = '\\^{}', ['~'] = '\\~{}' })[c] or '\\' .. c
  end)
  return text
end

-- The ledger ---------------------------------------------------------------------------------------

-- claims: id -> the claims of that name, one a document, in the documents' order; each its records, in order
local records, claims, documents = {}, {}, {}

-- The claim of a record's own document, by its id; nil where it was not judged.
local function claim_of(id, file)
  for _, claim in ipairs(claims[id] or {}) do if claim.file == file then return claim end end
end

-- Documents may share a claim's name. The tree that pandoc hands over is one, and its claims are told apart
-- by their order, which is that of the documents on the command line and need not be the ledger's.
local function order_claims()
  local place = {}
  for i, file in ipairs(PANDOC_STATE.input_files) do place[file] = i end
  for _, named in pairs(claims) do
    table.sort(named, function(a, b)
      local x, y = place[a.file] or #records + a.first, place[b.file] or #records + b.first
      return x < y or x == y and a.first < b.first
    end)
    for i, claim in ipairs(named) do
      for _, record in ipairs(claim) do record.namesake = i end
    end
  end
end

local function read_ledger(path, revision)
  local file = io.open(path) or stop('no ledger %s', path)
  for line in file:lines() do
    local ok, record = pcall(decode, line)
    if not ok then stop('%s: line %d: %s', path, #records + 1, record) end
    if record.revision ~= revision then
      stop('%s is stale: it was made by revision %s, and this is %s', path, record.revision, revision)
    end
    records[#records + 1] = record
    if record.relation ~= 'assert' then
      local claim = claim_of(record.claim, record.file)
      if not claim then
        claim = { file = record.file, first = #records }
        claims[record.claim] = claims[record.claim] or {}
        table.insert(claims[record.claim], claim)
      end
      table.insert(claim, record)
    end
    documents[record.document] = true
  end
  if #records == 0 then stop('%s has no records', path) end
  order_claims()
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
-- A point stands in no claim's name.
local function anchor(r)
  return 'step-' .. r.claim .. '-' .. math.tointeger(r.step) .. (r.namesake > 1 and '.' .. r.namesake or '')
end

-- Of the mutants: refuted, all, and those that came out neither refuted nor passed.
local function mutants(r)
  if r.mutants_total == 0 then return nil end
  local text = string.format('%d/%d' .. tie .. 'mutants', r.mutants_killed, r.mutants_total)
  return r.mutants_undecided > 0 and string.format('%s, %d' .. tie .. 'undecided', text, r.mutants_undecided) or text
end

local function mutants_in_words(killed, total, undecided, equivalent, survive)
  return string.format('%d of %d refuted%s%s, %d survive%s', killed, total,
    undecided > 0 and string.format(', %d undecided or void', undecided) or '',
    equivalent > 0 and string.format(', %d declared equivalent', equivalent) or '', survive, survive == 1 and 's' or '')
end

local function survivors(r) return r.mutants_total - r.mutants_killed - r.mutants_undecided end

local function verdict(r)
  local sign = r.green and '✓' or '✗'
  if not html then sign = r.green and '$\\checkmark$' or '$\\times$' end
  local word = r.verdict
  if r.verdict == r.expected and word ~= 'HOLDS' then word = word .. ' (expected)' end
  return sign .. ' ' .. word
end

local function mark(r)
  local parts = { verdict(r) }
  if r.step > 0 and r.verdict == 'HOLDS' then parts[#parts + 1] = string.format('%.1f' .. tie .. 'digits', r.agreeing_digits or 0) end
  if mutants(r) then parts[#parts + 1] = mutants(r) end
  return table.concat(parts, html and ' · ' or ', ')
end

-- The ledger has null for what is no finite number.
local function number(format, x) return x and string.format(format, x) or 'no number' end

local function value(v)
  if not (v.value and v.rounding and v.quadrature and v.sampling) then return number('%.16g', v.value) end
  local total = v.rounding + v.quadrature + v.sampling
  local kinds = {}
  for _, kind in ipairs { 'rounding', 'quadrature', 'sampling' } do
    if v[kind] > 0 then kinds[#kinds + 1] = string.format('%s %.1e', kind, v[kind]) end
  end
  return string.format('%.16g ± %.0e', v.value, total) .. (#kinds > 0 and ' (' .. table.concat(kinds, ', ') .. ')' or '')
end

-- A long vector in pieces that end behind a comma or a semicolon: neither a browser nor TeX would break it.
local function runs_of_entries(tex)
  local out, from = {}, 1
  for at in tex:gmatch('[,;]()') do
    if at - from > 24 and #tex - at > 8 then
      out[#out + 1] = tex:sub(from, at - 1)
      from = at
    end
  end
  out[#out + 1] = tex:sub(from)
  return out
end

-- "J = 1, \mu = (0, 2)" as formulas, between which a line may break.
local function assignments(text)
  local out, depth, from = {}, 0, 1
  for at = 1, #text + 1 do
    local c = text:sub(at, at)
    if c:match('[%(%[{]') then depth = depth + 1 elseif c:match('[%)%]}]') then depth = depth - 1 end
    if (c == ',' and depth == 0) or at > #text then
      local one = text:sub(from, at - 1):match('^%s*(.-)%s*$') .. (at > #text and '' or ',') -- the comma stays with it
      for _, piece in ipairs(runs_of_entries(one)) do
        if #out > 0 then out[#out + 1] = pandoc.Space() end
        out[#out + 1] = pandoc.Math('InlineMath', piece)
      end
      from = at + 1
    end
  end
  return out
end

-- "holds with A for B on the left, or with C for D" with its formulas as such; any other diagnosis as it is.
local function diagnosis(text)
  local out, rest = { pandoc.Str 'holds' }, text:match('^holds( with .*)$')
  while rest and rest ~= '' do
    local with, right, after = rest:match('^( with )(.-) for (.*)$')
    if not with then return { pandoc.Str(text) } end
    local wrong, more = after:match('^(.-), or( with .*)$')
    wrong = wrong or after
    local printed, where = wrong:match('^(.-)( on the %a+[, %a]*)$')
    append(out, { pandoc.Str(with), pandoc.Math('InlineMath', right), pandoc.Str ' for ', pandoc.Math('InlineMath', printed or wrong), pandoc.Str(where or '') })
    if more then out[#out + 1] = pandoc.Str ', or' end
    rest = more
  end
  return rest == nil and #out > 1 and out or { pandoc.Str(text) }
end

-- Everything known of a step, as pairs of a name and inlines.
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

local module_paths, module_piece = dofile(folder .. '/modules.lua') { slurp = slurp, names_in = names_in }

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
    row('agreement', string.format('%s digits, asked for relative %s; smallest difference that would show %s',
      number('%.1f', r.agreeing_digits), number('%.0e', r.resolution), number('%.0e', r.smallest_detectable)))
    row('points', string.format('%d drawn, %d compared', r.points_tried, r.points_effective))
    row('effort', string.format('%d evaluations, %d samples; sentinels off by %s at most',
      r.evaluations, r.samples, number('%.0e', r.sentinel)))
  end
  if r.mutants_total + r.mutants_equivalent > 0 then
    row('mutants', mutants_in_words(r.mutants_killed, r.mutants_total, r.mutants_undecided, r.mutants_equivalent, survivors(r)))
  end
  row('survivors', r.survivors)
  row('diagnosis', r.diagnosis ~= '' and diagnosis(r.diagnosis) or nil)
  row('measured', r.measured)
  for _, other in ipairs(r.alternatives or {}) do
    row('not', other.statement .. ': ' .. (other.refuted and 'refuted' or 'NOT refuted') .. '; ' .. other.because)
  end
  local piece = module_piece(r.document, r.claim)
  local place = piece and string.format('%s:%d', piece.path, piece.line) or 'checks/' .. r.document .. '.c'
  if r.second_voice ~= '' then
    row('second voice', string.format('%s %s, at %d points, %s digits', place, r.second_voice,
      r.second_voice_points, number('%.1f', r.second_voice_digits)))
  elseif r.step == 0 then
    row('second voice', place .. ' decides it')
  end
  local right = r.see and claim_of(r.see, r.file)
  if right and r.expected == 'REFUTED' then row('corrected by', { pandoc.Link({ pandoc.Code(r.see) }, '#' .. anchor(right[1])) }) end
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

local function state(r) return r.green and r.verdict:lower() or 'unexpected' end

-- One line of a chain, or a statement, with its mark and, in HTML, its evidence.
local function step_html(r, content)
  local out = { raw(string.format('<div class="step %s" id="%s"><details><summary><span class="line">', state(r), anchor(r))) }
  for _, block in ipairs(content) do out[#out + 1] = block end
  out[#out + 1] = raw(string.format('</span> <span class="mark" title="%s">%s</span></summary><div class="evidence">', escape(label(r)), escape(mark(r))))
  out[#out + 1] = definitions(evidence(r))
  local piece = (r.second_voice ~= '' or r.step == 0) and module_piece(r.document, r.claim)
  if piece then
    out[#out + 1] = raw(string.format('<details class="source"><summary>The C that checks it: <code>%s:%d</code></summary>',
      escape(piece.path), piece.line))
    out[#out + 1] = pandoc.CodeBlock(piece.text)
    out[#out + 1] = raw('</details>')
  end
  out[#out + 1] = raw('</div></details></div>')
  return out
end

local function tex_mark(r)
  return string.format('\\hyperlink{%s}{%s}', anchor(r), mark(r):gsub('@', '@'))
end

-- A table with its columns as rows.
local function turned(head, rows)
  local first, out = { head[1] }, {}
  for i, row in ipairs(rows) do first[i + 1] = row[1] end
  for column = 2, #head do
    local line = { head[column] }
    for i, row in ipairs(rows) do line[i + 1] = row[column] end
    out[column - 1] = line
  end
  return first, out, ('l'):rep(#first)
end

-- A table as wide as it is in HTML, where it scrolls, and no wider than the page in print.
-- head, rows: lists of texts; columns: 'lrr...'.
local function wide_table(head, rows, columns)
  if #head > 8 and #rows < 8 then head, rows, columns = turned(head, rows) end
  if html then
    local aligns, widths, cells = {}, {}, {}
    for i = 1, #head do aligns[i], widths[i] = columns:sub(i, i) == 'r' and 'AlignRight' or 'AlignLeft', 0 end
    local function plain(row)
      local out = {}
      for i, text in ipairs(row) do out[i] = { pandoc.Plain { pandoc.Str(text) } } end
      return out
    end
    for i, row in ipairs(rows) do cells[i] = plain(row) end
    return pandoc.utils.from_simple_table(pandoc.SimpleTable({}, aligns, widths, plain(head), cells))
  end
  local function line(row)
    local out = {}
    for i, text in ipairs(row) do out[i] = escape(text) end
    return table.concat(out, ' & ') .. '\\\\'
  end
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = line(row) end
  return raw('\\evtable{' .. columns .. '}{' .. line(head) .. '\\midrule ' .. table.concat(lines, '\n') .. '}')
end

local function wrap_displays(block)
  return block:walk { Math = function(m)
    if m.mathtype ~= 'DisplayMath' then return nil end
    local parts, out = {}, {}
    for _, part in ipairs(formulas(m.text)) do if part:match('%S') then parts[#parts + 1] = part end end
    if #parts < 2 then return nil end
    for i, part in ipairs(parts) do
      out[i] = html and pandoc.Math('DisplayMath', part) or pandoc.RawInline('latex', '\\evbeside{' .. part .. '}')
    end
    table.insert(out, 1, html and pandoc.RawInline('html', '<span class="side-by-side">') or pandoc.RawInline('latex', '\\begin{evdisplays}'))
    out[#out + 1] = html and pandoc.RawInline('html', '</span>') or pandoc.RawInline('latex', '\\end{evdisplays}')
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

-- A formula in its pieces.
local function html_line(tex, goes_on)
  local line = { raw('<span class="maths ' .. (goes_on and 'goes-on' or '') .. '">') }
  for i, piece in ipairs(pieces(tex)) do
    line[#line + 1] = pandoc.Plain { pandoc.Math('DisplayMath', (i > 1 and '{}' or '') .. piece) }
  end
  line[#line + 1] = raw('</span>')
  return line
end

local function chain(claim, text)
  local out, before = {}, nil
  for _, r in ipairs(claim) do
    check_fresh(r, text)
    local whole = before == nil or before.right ~= r.left
    local tex = line_of(r, whole)
    if html then
      append(out, step_html(r, html_line(tex, not whole)))
    else
      out[#out + 1] = raw(string.format('\\evstep{%s}{%s}{%s}', whole and '' or '\\quad ', tex_line(tex), tex_mark(r)))
    end
    before = r
  end
  return out
end

local function statement(claim, quote)
  local r = claim[1]
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

local figures_of_topic, figures_of_run =
  dofile(folder .. '/figures.lua') { stop = stop, slurp = slurp, names_in = names_in, html = html }

local function pictures(figures)
  local out = {}
  for i, figure in ipairs(figures) do
    out[i] = para(pandoc.Image({ pandoc.Str(figure[2]) }, figure[1], 'fig:'))
  end
  return out
end

-- In print the modules stand at the end; nothing of theirs is left out.
local printed = {}

local function sources(topic)
  local out = {}
  for _, path in ipairs(module_paths(topic)) do
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

local function weave(blocks, settings)
  local out, topic, pending, seen = {}, nil, nil, {}
  local function finish()
    if topic then append(out, pictures(figures_of_topic(topic, settings.figures, settings.revision))) append(out, sources(topic)) end
    topic = nil
  end
  for _, block in ipairs(blocks) do
    local id = block.t == 'RawBlock' and block.text:match('^<!%-%-%s*claim:%s*([%w%-_]+)')
    if id then
      seen[id] = (seen[id] or 0) + 1
      pending = claims[id] and claims[id][seen[id]]
      if not pending then stop('the ledger is stale: it has no claim "%s", which the documents have', id) end
      topic = pending[1].document
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
      out[#out + 1] = wrap_displays(block)
    end
  end
  finish()
  for _, r in ipairs(records) do
    if r.relation ~= 'assert' and (seen[r.claim] or 0) < r.namesake then
      stop('the ledger is stale: it has the claim "%s", which the documents have no longer', r.claim)
    end
  end
  return out
end

-- Findings, totals, versions ---------------------------------------------------------------------------

-- The kinds of findings, as `evidence check --findings` has them.
local kinds = { { 'unexpected', 'Refuted, and not expected' }, { 'error', 'Errors' },
  { 'conditional', 'True under a condition only' }, { 'slip', 'Slips' } }

local function finding_kind(r)
  if not r.source or r.verdict ~= 'REFUTED' or r.relation == 'assert' then return nil end
  return r.expected ~= 'REFUTED' and 'unexpected' or r.kind or 'error'
end

local function display(tex)
  if html then return pandoc.Div(html_line(tex, false), { class = 'alone' }) end
  return raw('\\evstep{}{' .. tex_line(tex) .. '}{}')
end

local function sentence(text) return text:match('[.!?]$') and text or text .. '.' end

-- A line or statement outside its place.
local function line_alone(r, whole)
  if r.relation == 'statement' then return pandoc.BlockQuote(pandoc.read(r.right, 'markdown-smart').blocks) end
  return display(line_of(r, whole))
end

local function where_it_fails(r)
  local out = {}
  if r.step > 0 and r.witness ~= '' then
    out = { pandoc.Str 'At ' }
    append(out, assignments(r.witness))
    append(out, { pandoc.Str(string.format(' the left side is %s, the right side %s. ',
      number('%.10g', r.left_value.value), number('%.10g', r.right_value.value))) })
  end
  if r.note then append(out, { pandoc.Emph { pandoc.Str(sentence(r.note)) }, pandoc.Space() }) end
  if r.diagnosis ~= '' then
    append(out, { pandoc.Str 'Diagnosis: ' })
    append(out, diagnosis(r.diagnosis))
    append(out, { pandoc.Str '.' })
  end
  return pandoc.Para(out)
end

-- The claim that says what is right, every line with its verdict.
local function correction(r)
  if not r.see then return {} end
  local claim = claim_of(r.see, r.file)
  if not claim then return { para(pandoc.Str 'Corrected by ', pandoc.Code(r.see), pandoc.Str ', which was not judged in this run.') } end
  local head, lines, before = { pandoc.Str 'Corrected by ' }, {}, nil
  for _, right in ipairs(claim) do
    if before then append(head, { pandoc.Str ', ' }) end
    append(head, { pandoc.Link({ pandoc.Code(label(right)) }, '#' .. anchor(right)), pandoc.Str(' (' .. right.verdict .. ')') })
    lines[#lines + 1] = line_alone(right, before == nil or before.right ~= right.left)
    before = right
  end
  table.insert(lines, 1, pandoc.Para(head))
  return lines
end

local function finding(r, corrected)
  local out = { para(pandoc.Link({ pandoc.Code(label(r)) }, '#' .. anchor(r)), pandoc.Str ', printed in ', pandoc.Str(r.source)),
    line_alone(r, true), where_it_fails(r) }
  if corrected then append(out, correction(r)) end
  return out
end

local function findings()
  local out = { pandoc.Header(1, { pandoc.Str 'What the sources get wrong' }, { id = 'findings' }) }
  local counts, parts = {}, {}
  for _, kind in ipairs(kinds) do
    local found = {}
    for _, r in ipairs(records) do if finding_kind(r) == kind[1] then found[#found + 1] = r end end
    if #found > 0 then
      counts[#counts + 1] = string.format('%s: %d', kind[2], #found)
      parts[#parts + 1] = pandoc.Header(2, { pandoc.Str(kind[2]) }, { id = 'findings-' .. kind[1] })
    end
    for i, r in ipairs(found) do
      append(parts, finding(r, not found[i + 1] or found[i + 1].claim ~= r.claim))
    end
  end
  out[2] = para(pandoc.Str(#counts == 0 and 'Nothing that is printed in a source is refuted here.' or table.concat(counts, '; ') .. '.'))
  append(out, parts)
  return out
end

local order = { 'HOLDS', 'REFUTED', 'UNDECIDED', 'VACUOUS', 'VOID', 'SKIPPED' }

-- Sums over records: by verdict, as expected, mutants.
local function add_up(some)
  local sum = { green = 0, count = #some, killed = 0, mutants = 0, undecided = 0, equivalent = 0, survive = 0, comparisons = 0 }
  for _, name in ipairs(order) do sum[name] = 0 end
  for _, r in ipairs(some) do
    sum[r.verdict] = sum[r.verdict] + 1
    sum.green = sum.green + (r.green and 1 or 0)
    sum.killed, sum.mutants = sum.killed + r.mutants_killed, sum.mutants + r.mutants_total
    sum.undecided, sum.equivalent = sum.undecided + r.mutants_undecided, sum.equivalent + r.mutants_equivalent
    sum.survive, sum.comparisons = sum.survive + survivors(r), sum.comparisons + r.comparisons
  end
  return sum
end

local function mutants_total(sum)
  if sum.mutants + sum.equivalent == 0 then return 'Mutants were not tried.' end
  return 'Mutants: ' .. mutants_in_words(sum.killed, sum.mutants, sum.undecided, sum.equivalent, sum.survive) .. '.'
end

-- A row a document.
local function totals_table()
  local names, of, rows, heads, columns, all = {}, {}, {}, { 'document' }, {}, add_up(records)
  for _, r in ipairs(records) do
    if not of[r.document] then
      of[r.document] = {}
      names[#names + 1] = r.document
    end
    table.insert(of[r.document], r)
  end
  for _, verdict_name in ipairs(order) do if all[verdict_name] > 0 then append(columns, { verdict_name }) end end
  append(columns, { 'green', 'mutants', 'killed', 'undecided', 'survive' })
  local said = { green = 'as expected', killed = 'refuted', survive = 'surviving' }
  for i, column in ipairs(columns) do heads[i + 1] = said[column] or column end
  for _, name in ipairs(names) do
    local sum, row = add_up(of[name]), { name }
    for i, column in ipairs(columns) do row[i + 1] = tostring(sum[column]) end
    rows[#rows + 1] = row
  end
  return wide_table(heads, rows, 'l' .. ('r'):rep(#columns))
end

local function totals()
  local sum, parts, r = add_up(records), {}, records[1]
  for _, name in ipairs(order) do parts[#parts + 1] = string.format('%d %s', sum[name], name) end
  return { pandoc.Header(1, { pandoc.Str 'The ledger' }, { id = 'ledger' }),
    pandoc.Div({ para(pandoc.Str(string.format('%d verdicts = %s; %d as expected.', sum.count, table.concat(parts, ' + '), sum.green))),
      para(pandoc.Str(mutants_total(sum))) }, { id = 'totals' }),
    totals_table(),
    para(pandoc.Str(string.format('False-alarm probability at most %g; %d sampling comparisons planned, %d made by steps.', r.alpha_total, r.comparisons_planned, sum.comparisons))) }
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

local training = dofile(folder .. '/training.lua') { stop = stop, slurp = slurp, names_in = names_in, append = append,
  para = para, decode = decode, read_results = dofile(folder .. '/results.lua'), of_run = figures_of_run, pictures = pictures, wide_table = wide_table }

-- A folder that is asked for must be there.
local function check_folders(settings)
  for _, name in ipairs { 'figures', 'results', 'runs' } do
    if settings[name] ~= '' and not io.open(settings[name]) then stop('--%s: no folder %s', name, settings[name]) end
  end
end

function Pandoc(doc)
  local settings = {}
  for _, name in ipairs { 'ledger', 'revision', 'figures', 'results', 'runs', 'program' } do
    settings[name] = doc.meta[name] and stringify(doc.meta[name]) or ''
  end
  read_ledger(settings.ledger, settings.revision)
  check_folders(settings)
  local blocks = weave(doc.blocks, settings)
  append(blocks, training(settings.results, settings.runs, settings.figures, settings.program))
  append(blocks, findings())
  append(blocks, totals())
  append(blocks, assertions())
  append(blocks, versions(settings.revision))
  append(blocks, appendix())
  doc.meta.style = html and pandoc.MetaBlocks { raw('<style>\n' .. slurp(folder .. '/style.css') .. '</style>') } or nil
  return pandoc.Pandoc(blocks, doc.meta)
end
