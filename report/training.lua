-- Training: the tables of results, with the command of each row, and the runs, with their figures.
--
-- k: stop, slurp, names_in, append, para, decode (json.lua), read_results (results.lua), of_run (figures.lua),
-- pictures, which makes blocks of figures, and wide_table.  Returns training(results, runs, figures, program): blocks.

local k

local function one_table(path, name, program)
  local t = k.read_results(path, k.stop, program)
  local out = { pandoc.Header(2, { pandoc.Str((name:gsub('_', ' '))) }, { id = 'results-' .. name }) }
  for _, comment in ipairs(t.comments) do out[#out + 1] = k.para(pandoc.Str(comment)) end
  local rows, commands = {}, {}
  k.append(rows, t.rows)
  k.append(rows, t.means)
  for i, command in ipairs(t.commands) do commands[i] = { pandoc.Plain { pandoc.Code(command) } } end
  out[#out + 1] = k.wide_table(t.names, rows, ('l'):rep(#t.names))
  if #t.means > 0 then
    out[#out + 1] = k.para(pandoc.Str 'Where it says seeds: mean and standard deviation of the rows whose commands differ in the seed alone.')
  end
  out[#out + 1] = k.para(pandoc.Str('Row by row, from ' .. path .. ':'))
  out[#out + 1] = pandoc.OrderedList(commands)
  return out
end

local function results(where, program)
  local out = {}
  if where == '' then return out end
  for _, file in ipairs(k.names_in(where)) do
    local name = file:match('^(.*)%.tsv$')
    if name then k.append(out, one_table(where .. '/' .. file, name, program)) end
  end
  if #out == 0 then k.stop('no tables of results in %s', where) end
  return out
end

local told = { 'model', 'hidden', 'latent', 'clusters', 'posterior', 'likelihood', 'gamma', 'codebook', 'codes', 'code_size', 'epochs',
  'autoencoder_epochs', 'prior_epochs', 'batch', 'binarise', 'seed_text', 'checksum', 'revision' }

local function read_run(run)
  local text = k.slurp(run .. '/config.json') or k.stop('no run in %s: there is no config.json', run)
  local ok, config = pcall(k.decode, text)
  if not ok then k.stop('%s/config.json: %s', run, config) end
  config.seed_text = text:match('"seed":%s*"?(%d+)') or '?'
  local metrics = k.slurp(run .. '/metrics.tsv') or k.stop('%s has no metrics.tsv', run)
  local step = metrics:match('.*\n(%d+)\t') or '0'
  return config, step
end

local function said_of(config)
  local said = {}
  for _, key in ipairs(told) do
    local x = config[key]
    if type(x) == 'table' then x = table.concat(x, ', '):gsub('%.0', '')
    elseif x ~= nil then x = tostring(x):gsub('%.0$', '') end
    if x ~= nil then said[#said + 1] = key:gsub('_text', ''):gsub('_', ' ') .. ' ' .. x end
  end
  return table.concat(said, '; ')
end

local function one_run(run, plots, where)
  local config, step = read_run(run)
  local state = string.format('step %s, seed %s, revision %s', step, config.seed_text, config.revision)
  local figures = {}
  for i, plot in ipairs(plots) do
    local drawn = k.of_run(plot, where, state, run)
    if i == 1 then figures = drawn end
  end
  if #figures == 0 then k.stop('%s is there, and no figure of it in %s: make plots', run, where) end
  local out = { pandoc.Header(2, { pandoc.Str('The run of ' .. (config.model == 'vqvae' and 'make train MODEL=vqvae' or 'make train')) }, { id = 'run-' .. config.model }),
    k.para(pandoc.Str(said_of(config) .. '; steps done ' .. step .. '. Figures are of the test images; the data behind each are those of '),
      pandoc.Code('evidence tabulate ' .. run), pandoc.Str '.') }
  k.append(out, k.pictures(figures))
  return out
end

local function training(where, runs, drawings, program)
  local out = results(where, program)
  -- The topics that draw a run; the first one's figures stand with it, the other's with their topic.
  local plots = { gmvae = { 'training', 'gmvae_closed_form' }, vqvae = { 'vqvae' } }
  if runs ~= '' then
    for _, name in ipairs(k.names_in(runs)) do
      if plots[name] then k.append(out, one_run(runs .. '/' .. name, plots[name], drawings)) end
    end
  end
  if #out > 0 then table.insert(out, 1, pandoc.Header(1, { pandoc.Str 'Training' }, { id = 'training' })) end
  return out
end

return function(given)
  k = given
  return training
end
