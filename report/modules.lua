-- The C modules beside the documents: their files, and the piece of one that speaks of a claim.
--
-- dofile(...) { slurp = ..., names_in = ... } returns paths, piece:
--   paths(topic)         checks/TOPIC.c and the files of checks/TOPIC, without the series of figures
--   piece(topic, claim)  { path, line, text }: the function, or the table, in which the claim's name
--                        stands in quotes; nil where there is none
return function(tools)
  local most = 60 -- lines of a piece; of a longer one the neighbourhood of the name is kept

  local function paths(topic)
    local out = { 'checks/' .. topic .. '.c' }
    for _, name in ipairs(tools.names_in('checks/' .. topic)) do
      if name:match('%.[ch]$') and name ~= 'series.c' then out[#out + 1] = 'checks/' .. topic .. '/' .. name end
    end
    return out
  end

  local files = {} -- path: its lines

  local function lines_of(path)
    if files[path] == nil then
      local lines, text = {}, tools.slurp(path)
      for line in (text or ''):gmatch('([^\n]*)\n') do lines[#lines + 1] = line end
      files[path] = lines
    end
    return files[path]
  end

  -- From the comment above its head to its closing brace.
  local function block_around(lines, k)
    local first, last = k, k
    while first > 1 and lines[first - 1] ~= '' and not lines[first - 1]:match('^}') or lines[first]:match('^[%s{]') do
      if first == 1 then break end
      first = first - 1
    end
    while last < #lines and not lines[last]:match('^}') do last = last + 1 end
    return first, last
  end

  local function piece(topic, claim)
    local quoted = '"' .. claim .. '"'
    for _, path in ipairs(paths(topic)) do
      local lines = lines_of(path)
      for k, line in ipairs(lines) do
        if line:find(quoted, 1, true) then
          local first, last = block_around(lines, k)
          if last - first >= most then
            first, last = math.max(first, k - most // 2), math.min(last, k + most // 2)
          end
          return { path = path, line = k, text = table.concat(lines, '\n', first, last) }
        end
      end
    end
  end

  return paths, piece
end
