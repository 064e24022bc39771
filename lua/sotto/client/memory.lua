-- SPDX-License-Identifier: GPL-3.0-or-later
-- The little that the chat keeps for itself, for convenience: which discussion was the last one, and what was typed.
-- Nothing here is needed; where it cannot be read or written, the chat goes on without.
local history = require "sotto.client.history"
local json = require "sotto.json"
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"

local STATE_MAX = 64 << 10

-- own messages that are asked for, so that the arrow keys bring them back
local MESSAGES = 100

local ENTRIES_MAX = 4000

---@class sotto.chat.memory
---@field entries sotto.chat.history.entry[] of the file, and messages that came from the core
---@field asked table<string, boolean> discussions whose messages did
local memory = {}

local function problem(chat, message)
  if not message or chat.memory_failed then return end
  chat.memory_failed = true
  chat:print(("(What you type is not remembered across restarts: %s.)"):format(terminal.escape(message)))
end

--- Reads what there is.
function memory:recall()
  local text = sys.read_file(self.place.state .. "/chat.json", STATE_MAX)
  local state = text and json.decode(text, { nulls = false })
  self.last = type(state) == "table" and type(state.discussion) == "string" and state.discussion or nil
  local entries, message = history.load(self.place.state .. "/history")
  problem(self, message)
  self.entries, self.asked = entries, {}
  terminal.set_history(history.merge(entries, {}))
end

--- Keeps which discussion the person is in, or that it is none.
function memory:keep_place()
  if self.current == self.last then return end
  self.last = self.current
  local ok, message = sys.make_private_directory(self.place.state)
  if ok then
    ok, message = sys.write_file(self.place.state .. "/chat.json",
      assert(json.encode { discussion = self.current or json.null }) .. "\n")
  end
  if not ok then problem(self, message) end
end

--- For the arrow keys.
---@param text string
function memory:remember(text)
  local entries = self.entries
  if #entries >= ENTRIES_MAX then
    self.entries = table.move(entries, ENTRIES_MAX // 2, #entries, 1, {})
  end
  self.entries[#self.entries + 1] = { time = sys.now_ms(), text = text }
  terminal.remember(text)
end

--- And for the next time: what is no message.
---@param text string
function memory:keep(text)
  local ok, message = sys.make_private_directory(self.place.state)
  if ok then ok, message = history.append(self.place.state .. "/history", { time = sys.now_ms(), text = text }) end
  if not ok then problem(self, message) end
end

--- What this person said in a discussion before this chat began: for the arrow keys, once. From inside a coroutine.
---@param discussion sotto.discussion
function memory:recall_messages(discussion)
  if self.asked[discussion.id] then return end
  self.asked[discussion.id] = true
  local messages = self.connection:call("messages.list", { discussion = discussion.id, limit = MESSAGES })
  for _, message in ipairs(messages or {}) do
    if message.state ~= "received" and message.time < self.started then
      local text = message.text:sub(1, 1) == "/" and "/" .. message.text or message.text
      self.entries[#self.entries + 1] = { time = message.time, text = text }
    end
  end
  terminal.set_history(history.merge(self.entries, {}))
end

return memory
