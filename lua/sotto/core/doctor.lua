-- SPDX-License-Identifier: GPL-3.0-or-later
-- system.doctor: the doctor's checks from inside a core, where its engine can say how it is.
local doctor = require "sotto.doctor"
local json = require "sotto.json"
local paths = require "sotto.core.paths"
local sys = require "sotto.sys"

local M = {}

---@class sotto.core.doctor.options
---@field places sotto.paths
---@field config string the configuration file
---@field listen string|nil as configured
---@field engine sotto.rpc.engine
---@field scripts fun(done: fun(list: table[])) asks for all scripts, with their health

local function make_context(options, command, facts)
  return {
    paths = options.places, config = options.config, listen = options.listen, program = sys.executable(),
    command = command or paths.command(options.places.home), now = sys.now_ms(), facts = facts,
  }
end

local function every() return true end

--- What answers system.doctor. Whoever asks while a run is under way gets what that one finds.
---@param options sotto.core.doctor.options
---@return sotto.rpc.handler
function M.handler(options)
  local waiting, command

  local function finish(...)
    local all = waiting
    waiting = nil
    for _, answer in ipairs(all) do answer(...) end
  end

  local function examine(text, message, name)
    if not text then return finish(nil, message, name) end
    local facts = assert(json.decode(text, { nulls = false }))
    options.scripts(function(scripts)
      -- as a front end would read them
      facts.scripts = json.decode(assert(json.encode(scripts)), { nulls = false })
      doctor.start(make_context(options, command, facts), every, function(findings) finish(json.array(findings)) end)
    end)
  end

  return function(_, params, answer)
    if waiting then
      waiting[#waiting + 1] = answer
      return false
    end
    waiting, command = { answer }, params.command
    local text, message, name = options.engine:call("system.checkup", {}, examine)
    if text == nil then
      waiting = nil
      return nil, message, name
    elseif text then
      examine(text)
    end
    return false
  end
end

return M
