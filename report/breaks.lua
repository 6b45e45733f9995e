-- Where a formula of TeX may be broken: pure functions on its text.  Returns pieces and formulas.

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

return pieces, formulas
