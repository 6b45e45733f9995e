-- Tables of training results, read and held to their form:
--
--   # command: evidence train gmvae --preset paper --seed {seed} --out RUN   what makes a row; {column} is
--   # anything else is a sentence about the table                            filled in, row by row
--   seed <tab> accuracy <tab> ...                                            the names
--   1 <tab> 0.71 <tab> ...                                                   as many cells a row, none empty
--
-- A column that is not filled into the command, and is none of `model`, `data`, `likelihood` and `binarise`,
-- holds numbers, or NA where there is none.  No two rows have the same command.  What is otherwise stops the
-- conversion with its place: stop(format, ...) does not return.
--
-- Returns read(path, stop, program): a table with names, rows, commands (one a row), comments and means.
-- `program` is asked whether it still has the options of the commands; "": it is not.

local text_columns = { model = true, data = true, likelihood = true, binarise = true }

local function cells_of(line)
  local cells = {}
  for cell in (line .. '\t'):gmatch('([^\t]*)\t') do cells[#cells + 1] = cell end
  return cells
end

local function is_number(cell)
  return cell:match('^[-+]?%d+%.?%d*[eE]?[-+]?%d*$') ~= nil and tonumber(cell) ~= nil
end

-- The command with the cells of a row in it; `kept` stays as it is.
local function fill(t, row, kept)
  return (t.command:gsub('{([^{}]*)}', function(name)
    return name ~= kept and row[t.column[name]] or nil
  end))
end

local function check_command(t, path, stop)
  if not (t.command:match('^evidence%s+%l') or t.command:match('^make%s+%l')) then
    stop('%s:1: the command begins with neither evidence nor make: "%s"', path, t.command)
  end
  for name in t.command:gmatch('{([^{}]*)}') do
    if not t.column[name] then stop('%s:1: {%s} in the command is no column', path, name) end
    t.filled[name] = true
  end
  if t.command:gsub('{[^{}]*}', ''):find('[{}]') then stop('%s:1: a brace of the command has no partner', path) end
end

local function read_names(t, cells, path, number, stop)
  t.names = cells
  for i, name in ipairs(cells) do
    if not name:match('^%a[%w_]*$') then stop('%s:%d: "%s" is no name of a column', path, number, name) end
    if t.column[name] then stop('%s:%d: two columns are named %s', path, number, name) end
    t.column[name] = i
  end
  check_command(t, path, stop)
end

local function read_row(t, cells, path, number, stop)
  if #cells ~= #t.names then stop('%s:%d: %d cells, and there are %d names', path, number, #cells, #t.names) end
  for i, name in ipairs(t.names) do
    if not (t.filled[name] or text_columns[name] or cells[i] == 'NA' or is_number(cells[i])) then
      stop('%s:%d: %s is neither a number nor NA: "%s"', path, number, name, cells[i])
    end
  end
  local command = fill(t, cells)
  if t.line[command] then
    stop('%s:%d: the command of this row makes line %d too: %s', path, number, t.line[command], command)
  end
  t.line[command] = number
  t.rows[#t.rows + 1], t.commands[#t.commands + 1] = cells, command
end

-- The options that a command of the program has, by its own help; nil when it has no such command.
local helps = {}
local function options_of(program, words)
  if helps[words] == nil then
    local help = io.popen("'" .. program:gsub("'", "'\\''") .. "' " .. words .. ' --help 2>/dev/null')
    local text, known = help:read('a'), {}
    for option in text:gmatch('%-%-[%w%-]+') do known[option] = true end
    helps[words] = help:close() and known or false
  end
  return helps[words]
end

-- A command that this program would refuse makes no row any more.
local function check_options(t, path, stop, program)
  for _, command in ipairs(t.commands) do
    local words = command:match('^evidence%s+(%l+%s+%l+)') or command:match('^evidence%s+(%l+)')
    if words then
      local known = options_of(program, words)
      if not known then stop('%s:1: the program has no "evidence %s"', path, words) end
      for option in (command .. ' '):gmatch('%s(%-%-[%w%-]+)') do
        if not known[option] then stop('%s:1: "evidence %s" has no %s', path, words, option) end
      end
    end
  end
end

local function mean_and_deviation(numbers)
  local sum, square = 0, 0
  for _, x in ipairs(numbers) do sum = sum + x end
  local mean = sum / #numbers
  for _, x in ipairs(numbers) do square = square + (x - mean) ^ 2 end
  return string.format('%.4g ± %.2g', mean, math.sqrt(square / (#numbers - 1)))
end

-- One row for rows that repeat a configuration; nothing where one of them has no number.
local function mean_of(t, rows)
  local out = {}
  for i, name in ipairs(t.names) do
    local numbers, same = {}, true
    for _, row in ipairs(rows) do
      same = same and row[i] == rows[1][i]
      if is_number(row[i]) then numbers[#numbers + 1] = tonumber(row[i]) end
    end
    if name == 'seed' then out[i] = #rows .. ' seeds'
    elseif same then out[i] = rows[1][i]
    else out[i] = #numbers == #rows and mean_and_deviation(numbers) or '' end
  end
  return out
end

-- Rows are repetitions when their commands differ in the seed alone, and they went on for as many steps.
local function means(t)
  local groups, order, out = {}, {}, {}
  if not t.filled.seed then return out end
  for _, row in ipairs(t.rows) do
    local key = fill(t, row, 'seed') .. '\t' .. (row[t.column.step or 0] or '')
    if not groups[key] then
      groups[key] = {}
      order[#order + 1] = key
    end
    table.insert(groups[key], row)
  end
  for _, key in ipairs(order) do
    if #groups[key] > 1 then out[#out + 1] = mean_of(t, groups[key]) end
  end
  return out
end

return function(path, stop, program)
  local t = { comments = {}, rows = {}, commands = {}, column = {}, filled = {}, line = {} }
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local comment = line:match('^#%s*(.-)%s*$')
    if number == 1 then
      t.command = comment and comment:match('^command:%s*(.+)$') or
        stop('%s:1: the first line must be "# command: ...", what makes a row', path)
    elseif comment then t.comments[#t.comments + 1] = comment
    else
      local cells = cells_of(line)
      for i, cell in ipairs(cells) do
        if cell:match('^%s*$') then
          stop('%s:%d: cell %d is empty; NA says that there is no number', path, number, i)
        end
      end
      if not t.names then read_names(t, cells, path, number, stop) else read_row(t, cells, path, number, stop) end
    end
  end
  if not t.names then stop('%s has no line of names', path) end
  if #t.rows == 0 then stop('%s has no rows', path) end
  if program ~= '' then check_options(t, path, stop, program) end
  t.means = means(t)
  return t
end
