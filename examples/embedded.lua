-- SPDX-License-Identifier: GPL-3.0-or-later
-- The engine inside a Lua program of your own, without the core's process and its socket: makes an identity, tells it.
-- Usage, from the root after make: lua5.4 examples/embedded.lua DIRECTORY
package.cpath = "./build/?.so;" .. package.cpath
local engine = require "sotto.engine"
local json = require "sotto.json"
local loop = require "sotto.loop"

local directory = arg[1] or error("usage: embedded.lua DIRECTORY", 0)
local core

local function tell(text, message)
  local me = text and json.decode(text)
  print(me and ("%s  %s"):format(me.name, me.fingerprint) or "failed: " .. tostring(message))
  core:stop()
end

-- A method answers at once with JSON text, or with false and calls back later.
local function call(method, params, answer)
  local text, message = core:call(method, params, answer)
  if text ~= false then answer(text, message) end
end

core = assert(engine.open {
  data = directory .. "/data", run = directory .. "/run", listen = "127.0.0.1:0", discover = "off",
  ready = function(ok, message)
    if not ok then error(message, 0) end
    call("identity.show", {}, function(text)
      local there = type(json.decode(text).fingerprint) == "string"
      if there then tell(text) else call("identity.create", { name = "embedded" }, tell) end
    end)
  end,
  event = function(type, _, text) print(type, text) end,
  stopped = function() loop.stop() end,
})
loop.run()
