-- JSON, as the ledger has it: one object a line.  Returns a function from a text to a value;
-- null is nil.

local escapes = { b = '\b', f = '\f', n = '\n', r = '\r', t = '\t' }

local function fail(text, at, what)
  error('not JSON at byte ' .. at .. ': ' .. what .. ': ' .. text:sub(at, at + 20), 0)
end

local function blank(text, at) return text:find('[^ \t\r\n]', at) or #text + 1 end

local function string_at(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = text:find('["\\]', from) or fail(text, at, 'an unended string')
    parts[#parts + 1] = text:sub(from, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local kind = text:sub(stop + 1, stop + 1)
    if kind == 'u' then
      local code = tonumber(text:sub(stop + 2, stop + 5), 16)
      from = stop + 6
      if code >= 0xD800 and code < 0xDC00 then
        local low = tonumber(text:sub(stop + 8, stop + 11), 16)
        code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)
        from = stop + 12
      end
      parts[#parts + 1] = utf8.char(code)
    else
      parts[#parts + 1] = escapes[kind] or kind
      from = stop + 2
    end
  end
end

local value_at

-- The members of an object or array from just behind its bracket.
local function members(text, at, close, named)
  local out, count = {}, 0
  at = blank(text, at)
  while text:sub(at, at) ~= close do
    local key
    if named then
      key, at = string_at(text, at)
      at = blank(text, at)
      if text:sub(at, at) ~= ':' then fail(text, at, 'no colon') end
      at = at + 1
    else
      count = count + 1
      key = count
    end
    out[key], at = value_at(text, blank(text, at))
    at = blank(text, at)
    if text:sub(at, at) == ',' then at = blank(text, at + 1)
    elseif text:sub(at, at) ~= close then fail(text, at, 'no ' .. close) end
  end
  return out, at + 1
end

function value_at(text, at)
  local first = text:sub(at, at)
  if first == '{' then return members(text, at + 1, '}', true) end
  if first == '[' then return members(text, at + 1, ']', false) end
  if first == '"' then return string_at(text, at) end
  for word, value in pairs { ['true'] = true, ['false'] = false } do
    if text:sub(at, at + #word - 1) == word then return value, at + #word end
  end
  if text:sub(at, at + 3) == 'null' then return nil, at + 4 end
  local number = text:match('^-?%d+%.?%d*[eE]?[-+]?%d*', at) or fail(text, at, 'no value')
  return tonumber(number), at + #number
end

return function(text) return (value_at(text, blank(text, 1))) end
