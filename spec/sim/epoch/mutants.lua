-- SPDX-License-Identifier: GPL-3.0-or-later
-- Proves that the simulator can fail: each patch in spec/sim/epoch/mutants breaks one rule of the ordering, and is to be caught.
-- Usage: mutants.lua BUILD RUNS [NAME …]; CC and CFLAGS from the environment. What a patch breaks is its first line; its second may have
-- arguments for the simulator, where the rule needs runs of one kind to be broken soon.
package.path = "./spec/?.lua;" .. package.path
local queue = require "support.queue"

local BUILD, RUNS = arg[1], arg[2]
assert(BUILD and tonumber(RUNS), "usage: mutants.lua BUILD RUNS [NAME …]")
local CC, CFLAGS, LIBS = os.getenv "CC" or "cc", os.getenv "CFLAGS" or "", os.getenv "LIBS" or ""
local PATCHES = "spec/sim/epoch/mutants"

local names = { table.unpack(arg, 3) }
if #names == 0 then
  for _, path in ipairs(queue.lines(("ls %s/*.patch"):format(PATCHES))) do names[#names + 1] = path:match "([^/]+)%.patch$" end
end

local function first_line(path)
  local file = assert(io.open(path))
  local line = file:read "l"
  file:close()
  return line
end

-- The file that a patch changes is built from a copy, and found before the one in the library.
local function command(name)
  local place, patch = ("%s/mutants/%s"):format(BUILD, name), ("%s/%s.patch"):format(PATCHES, name)
  local text = assert(io.open(patch)):read "a"
  local file, more = text:match "%+%+%+ b/(%S+)", text:match "^[^\n]*\n(%-%-[^\n]*)" or ""
  return table.concat({ "set -e", "rm -rf " .. place, ("mkdir -p %s/%s"):format(place, file:match "(.*)/"),
    ("cp %s %s/%s"):format(file, place, file), ("patch -s -p1 -d %s <%s"):format(place, patch),
    ("%s %s -o %s/sim %s/%s %s/obj/spec/sim/epoch/*.o %s/libengine.a %s"):format(CC, CFLAGS, place, place, file, BUILD, BUILD, LIBS),
    ("%s/sim --first --seed 1 --runs %s %s"):format(place, RUNS, more) }, "\n")
end

local commands, missed = {}, 0
for i, name in ipairs(names) do commands[i] = command(name) end
local jobs = math.tointeger(tonumber(queue.lines "nproc"[1])) or 2
print(("%-18s %9s  %-60s %s"):format("mutant", "schedules", "what is broken", "what was seen"))
queue.run(commands, jobs, function(i, status, _, output)
  local seed, what = output:match "seed (%d+), %d+ members[^:]*: ([^\n]*)"
  local caught = status == 1 and seed
  if not caught then missed = missed + 1 end
  print(("%-18s %9s  %-60s %s"):format(names[i], caught and seed or "-", first_line(("%s/%s.patch"):format(PATCHES, names[i])),
    caught and what or "NOT CAUGHT: " .. (output:match "([^\n]+)\n*$" or "it says nothing")))
end)
print(("mutants: %d, %d not caught"):format(#names, missed))
os.exit(missed == 0)
