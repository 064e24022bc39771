-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the demo's person says and does, one hint at a time: pure. An event comes in, a list of actions goes out.
--
-- Events (kind):  ready {address} · opened {words, pinned} · heard {texts} · quiet · asked · resumed · died
--                 refused {reason, by_us} · closed · no_guess · command {word}
-- Actions (verb): tell {text}: on the newcomer's screen, beside the conversation · say {texts}: in the conversation ·
--                 ask · accept · kill · start · finish
local M = {}

---@class sotto.demo.lesson
---@field name string
---@field password string
---@field next integer the hint that comes next
---@field off boolean the plug is pulled
---@field opened integer how many discussions were open so far
---@field words string of the discussion
local Lesson = {}
Lesson.__index = Lesson

---@class sotto.demo.action
---@field verb "tell"|"say"|"ask"|"accept"|"kill"|"start"|"finish"
---@field text? string
---@field texts? string[]

---@param name string of the person
---@param password string for the first discussion
---@return sotto.demo.lesson
function M.new(name, password)
  return setmetatable({ name = name, password = password, next = 1, off = false, opened = 0, words = "" }, Lesson)
end

local function tell(text) return { verb = "tell", text = text } end
local function say(...) return { verb = "say", texts = { ... } } end
local function act(verb) return { verb = verb } end

-- --- the hints, in their order -----------------------------------------------------------------------------

-- Of lines that a window of 80 columns takes behind "12:31 echo: ".
---@type (fun(self: sotto.demo.lesson): string)[]
local hints = {
  function(self)
    local first = self.words:match("^%S+ %S+ %S+") or self.words
    return ("That was signed by you, and sealed for me alone. Now type /words.\n" ..
      "Mine begin with \"%s\": compared aloud,\nthey show that nobody sits in between."):format(first)
  end,
  function() return "Now pull my plug with /demo off, write me something, and\nbring me back with /demo on." end,
  function() return "✓✓ behind a line of yours means: it is on my disk. /history\nshows what was said." end,
  function(self) return ("A line that begins with = is Lua. Try =peers.%s"):format(self.name) end,
  function() return "That is all I know. /close ends this discussion, and destroys\nits keys on both sides." end,
}

-- --- events ------------------------------------------------------------------------------------------------

local REFUSED = {
  failed = "That was another password, and that is all either side learned. Again: /accept, then  %s",
  refused = "You said no, and that is that. /demo brings somebody new.",
  expired = "Nobody answered. /demo starts again.",
}

---@type table<string, fun(self: sotto.demo.lesson, event: table): sotto.demo.action[]>
local events = {}

function events.ready(self, event)
  return {
    tell(("%s has moved in, with a core and keys of its own, at %s."):format(self.name, event.address)),
    tell(("You two agree on a password by telephone, let us say:  %s"):format(self.password)),
    tell(("Now %s asks. Type /accept, and then the password (it is not shown)."):format(self.name)),
    act "ask",
  }
end

function events.asked() return { act "accept" } end

function events.opened(self, event)
  self.opened, self.words = self.opened + 1, event.words
  if event.pinned then
    return { say "No password this time: our cores know each other's keys.\n/demo stop ends the demo." }
  end
  return { say(("Hello! I am %s, and I say back what I hear. Say something."):format(self.name)) }
end

function events.heard(_, event) return { say(table.unpack(event.texts)) } end

-- nothing more came after what was heard
function events.quiet(self)
  local hint = hints[self.next]
  if not hint then return {} end
  self.next = self.next + 1
  return { say(hint(self)) }
end

function events.refused(self, event)
  -- the newcomer's own request got in between, and stays
  if event.reason == "superseded" then return {} end
  if event.reason == "failed" then return { tell(REFUSED.failed:format(self.password)), act "ask" } end
  return { tell(REFUSED[event.reason] or "That came to nothing. /demo starts again."), act "finish" }
end

function events.no_guess()
  return { tell "Three wrong passwords: for now there is no further try. /demo brings somebody new.", act "finish" }
end

function events.closed(self)
  local again = ("%s is still there: /open %s asks for a new discussion."):format(self.name, self.name)
  if self.opened == 1 then
    again = again .. " Press Enter at the password: you two have verified each other."
  end
  return { tell(again), tell "/demo stop ends the demo." }
end

function events.resumed(self)
  if not self.was_off then return {} end
  self.was_off = false
  return { say "Here I am again. What you wrote meanwhile waited on your disk." }
end

function events.died(self)
  self.off, self.was_off = true, true
  return { tell(("%s's core has ended. /demo on starts it again."):format(self.name)) }
end

-- --- what the newcomer commands ----------------------------------------------------------------------------

---@type table<string, fun(self: sotto.demo.lesson): sotto.demo.action[]>
local commands = {}

function commands.off(self)
  if self.off then return { tell(("%s is off already: /demo on."):format(self.name)) } end
  self.off, self.was_off = true, true
  return {
    act "kill",
    tell(("%s's core was killed, without a word, as if somebody had pulled the plug."):format(self.name)),
  }
end

function commands.on(self)
  if not self.off then return { tell(("%s is on: /demo off pulls the plug."):format(self.name)) } end
  self.off = false
  return { act "start" }
end

function commands.stop() return { act "finish" } end

function events.command(_, event)
  return { tell(("/demo takes off, on or stop, and not '%s'."):format(event.word)) }
end

--- What is to be done about it, in this order.
---@param self sotto.demo.lesson
---@param event { kind: string, [string]: any }
---@return sotto.demo.action[]
function M.step(self, event)
  local command = event.kind == "command" and commands[event.word]
  if command then return command(self) end
  return events[event.kind](self, event)
end

return M
