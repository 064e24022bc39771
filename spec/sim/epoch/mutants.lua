-- SPDX-License-Identifier: GPL-3.0-or-later
-- Proves that the simulator can fail: each patch in spec/sim/epoch/mutants breaks one rule of the ordering, and is to be caught.
-- Usage: mutants.lua BUILD RUNS [NAME …]; CC and CFLAGS from the environment. What a patch breaks is its first line.
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

-- The machine's files are built from a copy, and found before those of the library.
local function command(name)
  local place = ("%s/mutants/%s"):format(BUILD, name)
  return ([[set -e
rm -rf %s
mkdir -p %s/engine
cp -r engine/discussion %s/engine/
patch -s -p1 -d %s <%s/%s.patch
%s %s -o %s/sim %s/engine/discussion/epoch*.c %s/obj/spec/sim/epoch/*.o %s/libengine.a %s
%s/sim --first --seed 1 --runs %s]]):format(place, place, place, place, PATCHES, name, CC, CFLAGS, place, place, BUILD, BUILD, LIBS, place,
    RUNS)
end

local commands, missed = {}, 0
for i, name in ipairs(names) do commands[i] = command(name) end
local jobs = math.tointeger(tonumber(queue.lines "nproc"[1])) or 2
queue.run(commands, jobs, function(i, status, _, output)
  local what = output:match "(seed [^\n]*)\n"
  local caught = status == 1 and what
  if not caught then missed = missed + 1 end
  print(("%-18s %s\n%18s %s"):format(names[i], first_line(("%s/%s.patch"):format(PATCHES, names[i])), "",
    caught and "caught: " .. what or "NOT CAUGHT: " .. output))
end)
print(("mutants: %d, %d not caught"):format(#names, missed))
os.exit(missed == 0)
