-- SPDX-License-Identifier: GPL-3.0-or-later
-- Runs spec files, each in a busted of its own, several at a time, and holds each of them to its closing line "N passed, N failed":
-- busted itself exits 0 when no spec matched, and a crash of the interpreter leaves no line at all. What a file says is
-- printed when it has ended, in one piece, and what failed once more at the end, where a log that was cut still has it; the last
-- line is the sum.
-- Usage: lua5.4 spec/support/run.lua BUSTED [busted's option | spec file or folder …]
-- Environment: SOTTO_SPEC_JOBS how many at a time; SOTTO_SPEC_BUILD the folder that remembers how long each file takes;
-- SOTTO_SPEC_PATIENCE multiplies the time after which a file is ended; with SOTTO_SPEC_AGAIN=1, a file that failed is run once
-- more when all others have ended: one that is well then is told as unsteady, with what it said before, and counts by its second run.

package.path = "./spec/?.lua;" .. package.path
local queue = require "support.queue"

local BUSTED = assert(arg[1], "usage: run.lua BUSTED [option | spec file or folder …]")
local JOBS = tonumber(os.getenv "SOTTO_SPEC_JOBS") or 2
local MEMORY = (os.getenv "SOTTO_SPEC_BUILD" or "build") .. "/spec-times"
local AGAIN, MOST_AGAIN = os.getenv "SOTTO_SPEC_AGAIN" == "1", 5
-- seconds; the longest file takes a tenth of it
local PATIENCE = 900 * (tonumber(os.getenv "SOTTO_SPEC_PATIENCE") or 1)

local function find_files(arguments)
  local options, places = {}, {}
  for _, word in ipairs(arguments) do
    local list = word:sub(1, 1) == "-" and options or places
    list[#list + 1] = word
  end
  if #places == 0 then places[1] = "spec" end
  local files = {}
  for _, place in ipairs(places) do
    local found = queue.lines(("find %s -name '*_spec.lua' 2>/dev/null | LC_ALL=C sort"):format(queue.quote(place)))
    if #found == 0 then found[1] = place end -- busted says what is wrong with it
    for _, name in ipairs(found) do
      if not files[name] then files[#files + 1], files[name] = name, true end
    end
  end
  return files, options
end

-- --- the longest first, so that nobody is left alone with it at the end ----------------------------------------------------------

local function read_memory()
  local seconds = {}
  local file = io.open(MEMORY, "r")
  for line in file and file:lines() or function() end do
    local name, value = line:match "^(%S+) ([%d.]+)$"
    if name then seconds[name] = tonumber(value) end
  end
  if file then file:close() end
  return seconds
end

local function write_memory(seconds)
  local names = {}
  for name in pairs(seconds) do names[#names + 1] = name end
  table.sort(names)
  local file = io.open(MEMORY, "w")
  if not file then return end
  for _, name in ipairs(names) do file:write(("%s %.2f\n"):format(name, seconds[name])) end
  file:close()
end

-- A file that was never run here: the simulator, real cores and real gpg take long.
local function guess(name)
  return ({ sim = 30, scenario = 20, client = 10, openpgp = 10 })[name:match "^spec/(%w+)/"] or 1
end

local function order(files, seconds)
  local rank = {}
  for i, name in ipairs(files) do rank[name] = i end
  table.sort(files, function(a, b)
    local first, second = seconds[a] or guess(a), seconds[b] or guess(b)
    if first ~= second then return first > second end
    return rank[a] < rank[b]
  end)
end

-- --- one file -------------------------------------------------------------------------------------------------------------

-- What busted said of one file: the counts, and the lines to print. A filter may leave none of its specs.
local function judge(text, status, may_be_none)
  local passed, failed
  local said = {}
  for line in text:gmatch "([^\n]*)\n?" do
    local p, f = line:match "^(%d+) passed, (%d+) failed$"
    if p then
      passed, failed = tonumber(p), tonumber(f)
    elseif line ~= "" and not line:find "^%d+ s$" then
      said[#said + 1] = line
    end
  end
  if not passed then
    said[#said + 1] = ("busted ended with status %d and without its closing line: %s"):format(status,
      status == 124 and "it was too late" or "a crash")
    return 0, 1, said
  end
  if passed + failed == 0 and not may_be_none then
    said[#said + 1], failed = "no spec was run", 1
  elseif failed == 0 and status ~= 0 then
    said[#said + 1], failed = ("every spec passed, and yet busted ended with status %d"):format(status), 1
  end
  return passed, failed, said
end

-- --- all of them ----------------------------------------------------------------------------------------------------------

local files, options = find_files { table.unpack(arg, 2) }
local seconds = read_memory()
order(files, seconds)

local begin, all_passed, all_failed = os.time(), 0, 0
local bad = {} ---@type { name: string, said: string[], passed: integer, failed: integer }[]

-- a file that crashes for ever says a lot
local MOST_LINES = 200

local function tell_again(kind, one)
  print(("%s: %s"):format(kind, one.name))
  for i = 1, math.min(#one.said, MOST_LINES) do print("  " .. one.said[i]) end
end

local function count(name, status, text)
  local passed, failed, said = judge(text, status, #options > 0)
  all_passed, all_failed = all_passed + passed, all_failed + failed
  if failed > 0 then
    bad[#bad + 1] = { name = name, said = said, passed = passed, failed = failed }
    -- a crash leaves no line that names the file
    if not text:find(name, 1, true) then print(name) end
  end
  for _, line in ipairs(said) do print(line) end
  io.stdout:flush()
end

local function run_all(names, jobs)
  local commands = {}
  for i, name in ipairs(names) do
    commands[i] = ("timeout --foreground -k 10 %.1f %s %s %s"):format(PATIENCE, queue.quote(BUSTED), table.concat(options, " "),
      queue.quote(name))
  end
  queue.run(commands, jobs, function(i, status, took, text)
    local name = names[i]
    count(name, status or 1, text)
    if status == 0 and name:sub(1, 1) ~= "/" then seconds[name] = took end
  end)
end

-- What failed beside others, alone. Where most of it failed there is nothing to ask.
local function run_again()
  local first, names = bad, {}
  for i, one in ipairs(first) do
    names[i] = one.name
    all_passed, all_failed = all_passed - one.passed, all_failed - one.failed
  end
  bad = {}
  run_all(names, 1)
  local still = {}
  for _, one in ipairs(bad) do still[one.name] = true end
  for _, one in ipairs(first) do
    if not still[one.name] then tell_again("unsteady", one) end
  end
end

for i, option in ipairs(options) do options[i] = queue.quote(option) end
run_all(files, JOBS)
if AGAIN and #bad > 0 and #bad <= MOST_AGAIN then run_again() end
write_memory(seconds)

if all_passed + all_failed == 0 then
  print("no spec was run")
  all_failed = 1
end
for _, one in ipairs(bad) do tell_again("failed", one) end
print(("%d s"):format(os.time() - begin))
print(("%d passed, %d failed"):format(all_passed, all_failed))
os.exit(all_failed == 0)
