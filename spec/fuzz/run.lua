-- SPDX-License-Identifier: GPL-3.0-or-later
-- Runs the fuzzers, each for so many seconds, and says of each how far it came and what it found. With 0 seconds nothing is
-- sought: each gets its seeds, and what was ever found. An input that was found is kept below FOLDER/found; a finding becomes a
-- spec where one can show it, and an input in spec/fuzz/found/TARGET.
-- Usage: lua5.4 spec/fuzz/run.lua FOLDER SECONDS JOBS TARGET…
package.path = "./spec/?.lua;" .. package.path
local queue = require "support.queue"

local FOLDER, SECONDS, JOBS = arg[1], assert(tonumber(arg[2])), assert(tonumber(arg[3]))
local HOW_LONG = SECONDS > 0 and ("-max_total_time=%d"):format(SECONDS) or "-runs=0"
local targets = { table.unpack(arg, 4) }

-- bytes of an input; the others stay below libFuzzer's own limit
local LENGTHS = { frames = 40000, records = 20000, link = 45000, contacts = 20000 }

local commands = {}
for i, target in ipairs(targets) do
  local dictionary = ("%s/seeds/%s.dict"):format(FOLDER, target)
  local corpus = ("%s/corpus/%s"):format(FOLDER, target)
  local old = "spec/fuzz/found/" .. target
  commands[i] = ([[mkdir -p %s %s/found
dict=; [ -e %s ] && dict=-dict=%s
old=; [ -e %s ] && old=%s
exec %s/%s %s -print_final_stats=1 -timeout=60 -rss_limit_mb=2560 -max_len=%d -artifact_prefix=%s/found/%s- \
  $dict %s %s/seeds/%s $old]]):format(corpus, FOLDER, dictionary, dictionary, old, old, FOLDER, target, HOW_LONG, LENGTHS[target] or 4096,
    FOLDER, target, corpus, FOLDER, target)
end

local findings = 0

local function last(text, pattern)
  local found
  for value in text:gmatch(pattern) do found = value end
  return found or "?"
end

print(("%-12s %12s %9s %9s %7s  %s"):format("target", "executions", "coverage", "features", "inputs", "findings"))
queue.run(commands, JOBS, function(i, status, _, text)
  local ok = status == 0 and text:find "\nDone %d+ runs in"
  print(("%-12s %12s %9s %9s %7s  %s"):format(targets[i], last(text, "stat::number_of_executed_units: (%d+)"),
    last(text, "cov: (%d+)"), last(text, "ft: (%d+)"), last(text, "corp: (%d+)/"), ok and "none" or "1"))
  if not ok then
    findings = findings + 1
    -- the statistics of a long run are not what one wants to read then
    print(("%s ended with status %s:"):format(targets[i], status))
    print(text:sub(-8000))
  end
  io.stdout:flush()
end)
print(("fuzz: %d targets, %d findings"):format(#targets, findings))
os.exit(findings == 0 and #targets > 0)
