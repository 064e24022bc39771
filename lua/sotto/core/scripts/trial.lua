-- SPDX-License-Identifier: GPL-3.0-or-later
-- A script on trial, for its own specs: what it stores ends with it, and its clock stands until somebody lets time
-- pass. Everything else is as ever. Part of sotto.core.scripts.
local json = require "sotto.json"
local times = require "sotto.script.times"

local trial = {}

---@class sotto.scripts.memory in the place of the registry's values
local Memory = {}
Memory.__index = Memory

function Memory:values()
  local leaves = json.array {}
  for _, leaf in pairs(self.leaves) do leaves[#leaves + 1] = leaf end
  return leaves
end

function Memory:put_values(_, set, drop)
  for _, path in ipairs(drop) do self.leaves[assert(json.encode(json.array(path)))] = nil end
  for _, leaf in ipairs(set) do self.leaves[assert(json.encode(json.array(leaf[1])))] = leaf end
  return {}
end

--- What such a script has in the place of the core's store.
---@return sotto.scripts.memory
function trial.memory() return setmetatable({ leaves = {} }, Memory) end

--- scripts.advance
function trial:advance(_, params, answer)
  local entry, message, name = self:find(params.name)
  if not entry then return nil, message, name end
  if not entry.memory then return nil, ("'%s' has the machine's time"):format(params.name), "wrong_state" end
  if not entry.instance then return nil, ("'%s' is not running"):format(params.name), "wrong_state" end
  local ms, problem = times.parse(params.time)
  if not ms then return nil, problem, "bad_params" end
  entry.instance.host:ask("advance", { ms = ms }, answer)
  return answer
end

return trial
