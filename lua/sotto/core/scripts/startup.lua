-- SPDX-License-Identifier: GPL-3.0-or-later
-- The scripts of a core that starts: those that were loaded before, and those that config.lua names. Part of
-- sotto.core.scripts.
local json = require "sotto.json"
local log = require "sotto.log"
local loop = require "sotto.loop"
local source = require "sotto.core.scripts.source"

local startup = {}

local UNLOCK_MS = 200

-- A text that has changed while no core looked waits for the user.
local function start(self, entry)
  local text, message = source.read(entry.path)
  if not text then return self:wait(entry, message) end
  if entry.hash and entry.hash ~= text.hash then
    return self:wait(entry, "its files have changed since it was loaded: reload it once you have looked at them")
  end
  entry.source = text
  self:carry_out(entry, entry.life:load(loop.now()))
end

local function restore(self, row)
  -- a person was quicker than the look for an unlocked store
  if self:at_path(row.path) then return end
  local config = self.configured[row.path]
  -- config.lua names it no longer
  if row.configured and not config then return self.registry:drop(row.name) end
  local entry = self:add_entry {
    name = row.name, path = row.path, hash = row.hash, granted = row.needs, config = config,
    discussions = row.discussions, arguments = row.arguments, watch = row.watch,
  }
  if row.configured then
    entry.discussions, entry.arguments, entry.watch = config.discussions, config.arguments, config.watch
  end
  start(self, entry)
end

local function start_configured(self, item)
  local entry = self:add_entry {
    path = item.path, config = item, discussions = item.discussions, arguments = item.arguments, watch = item.watch,
  }
  if item.problem then return self:wait(entry, item.problem) end
  start(self, entry)
end

-- scripts live in an unlocked store
local function is_unlocked(self)
  local text = self.engine:call("system.info", {}, function() end)
  local info = text and json.decode(text, { nulls = false })
  return info and info.fingerprint and not info.locked
end

local function start_all(self)
  local rows, message = self.registry:rows()
  if not rows then return log.error("scripts: %s", message) end
  for _, row in ipairs(rows) do restore(self, row) end
  for _, item in ipairs(self.config) do
    if not self:at_path(item.path) then start_configured(self, item) end
  end
end

--- Starts them as soon as the store is unlocked.
function startup:open()
  self.opening = true
  self.opener = loop.every(UNLOCK_MS, function()
    if not is_unlocked(self) then return end
    self.opener:stop()
    start_all(self)
    self.opening = false
    self.opened()
  end):background()
end

return startup
