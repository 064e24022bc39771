-- SPDX-License-Identifier: GPL-3.0-or-later
-- The commands of scripts as commands of the chat: /NAME ARGUMENTS reaches the script that declares NAME. The chat's
-- own commands come first; where two scripts declare one name, the one that was loaded first has it (/scripts run has
-- both).
local M = {}

local WORDS_MAX = 64

-- words as a shell would make them of a text: "two words" is one
local function split(text)
  local words, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at or #words >= WORDS_MAX then return words end
    local quoted, after = text:match('^"([^"]*)"()', at)
    local plain, plain_after = text:match("^(%S+)()", at)
    words[#words + 1] = quoted or plain
    at = quoted and after or plain_after
  end
end

M.split = split

--- Remembers what scripts there are.
---@param chat sotto.chat
---@param list sotto.script.view[]
function M.remember(chat, list)
  chat.known.scripts = {}
  for _, script in ipairs(list) do M.change(chat, script) end
end

--- A script has changed. One that has stopped is remembered no longer.
---@param chat sotto.chat
---@param script sotto.script.view
function M.change(chat, script)
  local scripts, stopped = chat.known.scripts, script.state == "stopped"
  for i, other in ipairs(scripts) do
    if other.name == script.name then
      if stopped then table.remove(scripts, i) else scripts[i] = script end
      return
    end
  end
  if not stopped then scripts[#scripts + 1] = script end
end

local function command_of(script, declared)
  return {
    name = declared.name, args = declared.args or "", script = script.name,
    help = declared.help ~= "" and declared.help or ("a command of the script %s"):format(script.name),
    more = ("It comes with the script %s."):format(script.name),
    run = function(chat, text)
      local words = split(text)
      local answer = chat:call("scripts.command", {
        name = script.name, command = declared.name, arguments = #words > 0 and words or nil,
      })
      if answer.reply then chat:write(chat.safe(answer.reply, true)) end
    end,
  }
end

--- Those that can be called, in order, with what strangers wrote made harmless.
---@param chat sotto.chat
---@return sotto.chat.command[]
function M.list(chat)
  local out, seen = {}, {}
  for _, script in ipairs(chat.known.scripts or {}) do
    for _, declared in ipairs(script.state == "running" and script.commands or {}) do
      local name = declared.name
      if name:find("^[a-z][a-z0-9_-]*$") and not seen[name] and not chat.commands[name] then
        seen[name] = true
        local command = command_of(script, declared)
        command.args, command.help = chat.safe(command.args), chat.safe(command.help)
        out[#out + 1] = command
      end
    end
  end
  table.sort(out, function(a, b) return a.name < b.name end)
  return out
end

---@param chat sotto.chat
---@param name string
---@return sotto.chat.command|nil
function M.find(chat, name)
  for _, command in ipairs(M.list(chat)) do
    if command.name == name then return command end
  end
end

return M
