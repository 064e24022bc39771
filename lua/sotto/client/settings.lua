-- SPDX-License-Identifier: GPL-3.0-or-later
-- What of the chat can be set, by /set for this time and in chat.lua for good.
local M = {}

---@class sotto.chat.setting
---@field name string
---@field help string
---@field standard any
---@field values? any[]
---@field least? integer
---@field most? integer

---@type sotto.chat.setting[]
M.list = {
  { name = "bell", standard = "off", values = { "off", "elsewhere", "on" },
    help = "the terminal's bell: for messages elsewhere, or for all" },
  { name = "elsewhere", standard = "first", values = { "first", "all", "none" },
    help = "what you see, while in one discussion, of messages in others: the first new one of each, all, none" },
  { name = "newcomers", standard = "on", values = { "on", "off" },
    help = "tells of people who were never seen before" },
  { name = "scripts", standard = "failures", values = { "failures", "all" },
    help = "what you see of scripts: that one has failed, or also what they say" },
  { name = "context", standard = 5, least = 0, most = 100,
    help = "known messages that are shown on entering a discussion" },
  { name = "patience", standard = 5, least = 1, most = 3600,
    help = "seconds until you are told that a message is not delivered yet" },
}

M.by_name = {}
for _, setting in ipairs(M.list) do M.by_name[setting.name] = setting end

--- The value that a text or a Lua value means.
---@param name string
---@param given any
---@return any value, string? message
function M.convert(name, given)
  local setting = M.by_name[name]
  if not setting then return nil, ("there is no setting '%s'"):format(tostring(name)) end
  if setting.values then
    if type(given) == "boolean" then given = given and "on" or "off" end
    for _, value in ipairs(setting.values) do
      if value == given then return value end
    end
    return nil, ("%s takes %s"):format(name, table.concat(setting.values, ", "))
  end
  local number = math.tointeger(tonumber(given))
  if number and number >= setting.least and number <= setting.most then return number end
  return nil, ("%s takes a number from %d to %d"):format(name, setting.least, setting.most)
end

--- A table that takes good values only, and has the standard ones.
---@return table<string, any>
function M.new()
  local values = {}
  return setmetatable({}, {
    __index = function(_, name)
      if values[name] ~= nil then return values[name] end
      return M.by_name[name] and M.by_name[name].standard
    end,
    __newindex = function(_, name, given)
      local value, message = M.convert(name, given)
      if message then error(message, 2) end
      values[name] = value
    end,
  })
end

return M
