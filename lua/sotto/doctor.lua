-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is broken, and what to do about it: a list of checks, each in a file of its own in doctor/checks. The core and
-- the front end run the same list; `where` says who can look.
local finding = require "sotto.doctor.finding"
local log = require "sotto.log"
local loop = require "sotto.loop"

local M = {}

---@class sotto.doctor.check
---@field name string
---@field text string what is looked at, for the documents
---@field where "anywhere"|"core"|"front end" core: only inside one; front end: a core can, but knows less
---@field look fun(context: sotto.doctor.context): sotto.finding|sotto.finding[] in a coroutine

---@class sotto.doctor.context
---@field paths sotto.paths
---@field config string the configuration file
---@field command string what to type for the front end
---@field program string the core's program
---@field listen string|nil inside a core: the address that was asked for
---@field now integer milliseconds since 1970
---@field facts table|nil inside a core: what its engine says of itself (engine/shell/checkup.h)
---@field core sotto.doctor.core|nil outside: what was found of the core

--- The core as a front end sees it.
---@class sotto.doctor.core
---@field state "runs"|"silent"|"unreachable"|"none"
---@field info sotto.info|nil of one that runs
---@field message string|nil of one that cannot be reached

local NAMES = {
  "core", "version", "gpg", "gpg_agent", "home", "config", "disk", "memory", "descriptors", "port", "network", "clock",
  "store", "identity", "agent", "peers", "scripts", "leftovers",
}

-- a check that waits for something that never comes is our own mistake
M.PATIENCE_MS = 20000

---@type sotto.doctor.check[]
M.checks = {}
for i, name in ipairs(NAMES) do M.checks[i] = require("sotto.doctor.checks." .. name) end

-- one finding or a list of them, with the check's name on each
local function named(check, found)
  local list = found.status and { found } or found
  for _, one in ipairs(list) do one.check = check.name end
  return list
end

local function broken(check, problem)
  log.error("the check '%s' failed: %s", check.name, problem)
  return finding.fail("This check itself is broken: " .. problem:match("^[^\n]*"),
    "Please report it; the log says more.")
end

local function look(check, context)
  local ok, found = xpcall(check.look, function(problem) return debug.traceback(tostring(problem)) end, context)
  return named(check, ok and found or broken(check, found))
end

--- Runs the checks, all at once, and calls back on a later turn with what they have found, in the order of the list.
---@param context sotto.doctor.context
---@param wanted fun(check: sotto.doctor.check): boolean
---@param done fun(findings: sotto.finding[])
function M.start(context, wanted, done)
  local results, chosen, timer, over = {}, {}, nil, false
  for _, check in ipairs(M.checks) do
    if wanted(check) then chosen[#chosen + 1] = check end
  end
  local left = #chosen
  local function finish()
    over = true
    timer:stop()
    local all = {}
    for i, check in ipairs(chosen) do
      local list = results[i] or named(check, broken(check, "it does not come to an end"))
      table.move(list, 1, #list, #all + 1, all)
    end
    done(all)
  end
  timer = loop.after(left > 0 and M.PATIENCE_MS or 0, finish)
  for i, check in ipairs(chosen) do
    assert(coroutine.resume(coroutine.create(function()
      results[i] = look(check, context)
      left = left - 1
      if left == 0 and not over then loop.defer(finish) end
    end)))
  end
end

--- As start, from inside a coroutine.
---@param context sotto.doctor.context
---@param wanted fun(check: sotto.doctor.check): boolean
---@return sotto.finding[]
function M.run(context, wanted)
  local thread = coroutine.running()
  M.start(context, wanted, function(findings) assert(coroutine.resume(thread, findings)) end)
  return coroutine.yield()
end

--- Findings in the order of the list; those of checks that this version does not know come last.
---@param ... sotto.finding[]
---@return sotto.finding[]
function M.merge(...)
  local by_check, order, all = {}, {}, {}
  for i, check in ipairs(M.checks) do order[i] = check.name end
  for _, list in ipairs { ... } do
    for _, one in ipairs(list) do
      if not by_check[one.check] then by_check[one.check] = {} end
      table.insert(by_check[one.check], one)
    end
  end
  for _, name in ipairs(order) do
    table.move(by_check[name] or {}, 1, #(by_check[name] or {}), #all + 1, all)
    by_check[name] = nil
  end
  local strange = {}
  for name in pairs(by_check) do strange[#strange + 1] = name end
  table.sort(strange)
  for _, name in ipairs(strange) do table.move(by_check[name], 1, #by_check[name], #all + 1, all) end
  return all
end

--- How many have each status.
---@param findings sotto.finding[]
---@return { ok: integer, warn: integer, fail: integer, skip: integer }
function M.count(findings)
  local counts = { ok = 0, warn = 0, fail = 0, skip = 0 }
  for _, one in ipairs(findings) do counts[one.status] = (counts[one.status] or 0) + 1 end
  return counts
end

return M
