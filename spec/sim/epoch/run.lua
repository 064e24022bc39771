-- SPDX-License-Identifier: GPL-3.0-or-later
-- Schedules of the ordering on all processors: run.lua SIM RUNS [SEED]. Prints what each violation is and its seed, and the sum.
package.path = "./spec/?.lua;" .. package.path
local queue = require "support.queue"

local SIM, RUNS, SEED = arg[1], math.tointeger(tonumber(arg[2])), math.tointeger(tonumber(arg[3] or 1))
assert(SIM and RUNS and SEED, "usage: run.lua SIM RUNS [SEED]")
local JOBS = math.tointeger(tonumber(queue.lines "nproc"[1])) or 2
local PIECE = 1000

local commands = {}
for first = SEED, SEED + RUNS - 1, PIECE do
  local runs = math.min(PIECE, SEED + RUNS - first)
  commands[#commands + 1] = ("%s --seed %d --runs %d"):format(queue.quote(SIM), first, runs)
end

local begin, sum, names, failed = os.time(), {}, { "schedules", "steps", "commits", "admitted", "removed", "departed" }, 0
for _, name in ipairs(names) do sum[name] = 0 end
queue.run(commands, JOBS, function(_, status, _, output)
  for line in output:gmatch "[^\n]+" do
    local last = line:find "^%d+ schedules"
    if not last then print(line) end
    for _, name in ipairs(last and names or {}) do sum[name] = sum[name] + tonumber(line:match("(%d+) " .. name)) end
  end
  if status ~= 0 then failed = failed + 1 end
end)
local said = {}
for i, name in ipairs(names) do said[i] = ("%d %s"):format(sum[name], name) end
print(("%s; %s; %d s"):format(table.concat(said, ", "), failed == 0 and "no violation" or failed .. " pieces with violations",
  os.time() - begin))
os.exit(failed == 0 and sum.schedules == RUNS)
