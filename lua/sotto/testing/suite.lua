-- SPDX-License-Identifier: GPL-3.0-or-later
-- describe, it, before_each, after_each: what a file of specs declares, and then its run, one after the other. Nothing
-- here knows of cores.
local M = {}

---@class sotto.testing.spec
---@field name string with those of the blocks around it
---@field f function
---@field before function[] outer ones first
---@field after function[] inner ones first

---@class sotto.testing.suite
---@field specs sotto.testing.spec[]
local Suite = {}
Suite.__index = Suite

---@return sotto.testing.suite
function M.new() return setmetatable({ specs = {}, blocks = {} }, Suite) end

local function collect(self, kind)
  local list = {}
  for _, block in ipairs(self.blocks) do table.move(block[kind], 1, #block[kind], #list + 1, list) end
  return list
end

local function full_name(self, name)
  local parts = {}
  for i, block in ipairs(self.blocks) do parts[i] = block.name end
  parts[#parts + 1] = name
  return table.concat(parts, " ")
end

local function check(name, f)
  if type(name) ~= "string" or type(f) ~= "function" then error("a name and a function are needed", 3) end
end

--- What a spec's file may call.
---@return table<string, function>
function Suite:words()
  local words = {}
  function words.describe(name, f)
    check(name, f)
    table.insert(self.blocks, { name = name, before = {}, after = {} })
    f()
    table.remove(self.blocks)
  end
  function words.it(name, f)
    check(name, f)
    local after = collect(self, "after")
    for i = 1, #after // 2 do after[i], after[#after + 1 - i] = after[#after + 1 - i], after[i] end
    table.insert(self.specs, { name = full_name(self, name), f = f, before = collect(self, "before"), after = after })
  end
  for word, kind in pairs { before_each = "before", after_each = "after" } do
    words[word] = function(f)
      local block = self.blocks[#self.blocks] or error(word .. " stands within describe", 2)
      check(word, f)
      table.insert(block[kind], f)
    end
  end
  return words
end

-- what is worth reading of an error: not where our own files passed it on
local function handler(problem)
  if type(problem) ~= "string" then problem = tostring(problem) end
  local lines = {}
  for line in debug.traceback("", 2):gmatch("[^\n]+") do
    local own = line:match("^%s+([%w_./-]*_spec%.lua:%d+): in")
    if own and not problem:find(own, 1, true) then lines[#lines + 1] = "  called in " .. own end
  end
  return table.concat({ problem, table.unpack(lines) }, "\n")
end

--- Runs one, with what comes before and after it.
---@param spec sotto.testing.spec
---@return string|nil problem
function M.run_one(spec)
  local ok, problem = true, nil
  for _, f in ipairs(spec.before) do
    if ok then ok, problem = xpcall(f, handler) end
  end
  if ok then ok, problem = xpcall(spec.f, handler) end
  for _, f in ipairs(spec.after) do
    local done, failure = xpcall(f, handler)
    if ok and not done then ok, problem = false, failure end
  end
  return not ok and problem or nil
end

return M
