-- The figures that `make plots` has drawn, TOPIC-FIGURE.svg and .pdf beside their data TOPIC-SERIES.tsv, each of
-- which says of what it is.  A figure that its script draws and that is not there stops the conversion, and so do
-- data of another revision of the program, or of another state of a run.
--
-- k: stop, slurp, names_in, html.  Returns of_topic(topic, where, revision) and of_run(topic, where, state, run):
-- lists of { path, caption }.

return function(k)
  local kind = k.html and '.svg' or '.pdf'
  local function plain(name) return (name:gsub('%p', '%%%0')) end

  -- What follows "# run:" in a script is drawn of a run only.
  local function scripted(topic, of_run)
    local text, names = k.slurp('plots/' .. topic .. '.gp') or '', {}
    if not of_run then text = ('\n' .. text):gsub('\n# run:.*', '') end
    for name in text:gmatch('figure%("([%w_%-]+)"') do names[#names + 1] = name end
    return names
  end

  local function drawn(topic, where, of_run)
    local out, there = {}, {}
    for _, file in ipairs(k.names_in(where)) do
      local figure = file:match('^' .. plain(topic) .. '%-(.*)' .. plain(kind) .. '$')
      if figure then
        there[figure] = true
        out[#out + 1] = { where .. '/' .. file, topic .. '-' .. figure .. ', drawn by plots/' .. topic .. '.gp.' }
      end
    end
    for _, figure in ipairs(scripted(topic, of_run)) do
      if not there[figure] then k.stop('%s/%s-%s%s is missing: make plots', where, topic, figure, kind) end
    end
    return out
  end

  -- The second line of a series: "# seed 1, revision R", or "# run RUN, step S, seed N, revision R".
  local function check_data(topic, where, what, wanted, why)
    for _, file in ipairs(k.names_in(where)) do
      if file:match('^' .. plain(topic) .. '%-.*%.tsv$') then
        local head = (k.slurp(where .. '/' .. file) or ''):match('\n# ' .. what .. ' [^\n]*')
        if head and not (head .. '\n'):find(wanted .. '\n', 1, true) then
          k.stop('%s/%s is stale: it has "%s", and %s %s', where, file, head:sub(4), why, wanted)
        end
      end
    end
  end

  local function of_topic(topic, where, revision)
    if where == '' then return {} end
    check_data(topic, where, 'seed', 'revision ' .. revision, 'this program is')
    return drawn(topic, where, false)
  end

  local function of_run(topic, where, state, run)
    check_data(topic, where, 'run', state, 'the run ' .. run .. ' is at')
    return drawn(topic, where, true)
  end

  return of_topic, of_run
end
