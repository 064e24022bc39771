-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scripts that mean harm: what Lua's own limits do not stop, and what a process must not be able to do. Each begins with
-- the first message that it hears.
local M = {}

---@class support.hostile
---@field name string
---@field body string what happens; `m` is the message
---@field ends string what becomes of it: "stopped" its process is ended, "error" its handler is, "either"
---@field reason string|nil a pattern of what is reported

---@type support.hostile[]
M.list = {
  { name = "busy", ends = "stopped", body = "while true do end" },
  { name = "pcall", ends = "stopped", body = "while true do pcall(function() while true do error 'x' end end) end" },
  {
    name = "coroutines", ends = "stopped",
    body = "while true do coroutine.wrap(function() coroutine.wrap(function() local x = 1 end)() end)() end",
  },
  {
    name = "closing", ends = "stopped",
    body = "local t <close> = setmetatable({}, { __close = function() while true do end end })",
  },
  {
    name = "collector", ends = "stopped",
    body = "setmetatable({}, { __gc = function() while true do end end }); collectgarbage()",
  },
  { name = "complaint", ends = "stopped", body = "xpcall(error, function() while true do end end)" },
  { name = "pattern", ends = "stopped", body = "(('a'):rep(60)):find(('a-'):rep(60) .. 'b')" },
  { name = "table-move", ends = "stopped", body = "table.move({}, 1, 1 << 40, 2)" },
  { name = "numbers", ends = "stopped", body = "while true do tonumber(('9'):rep(3 << 20)) end" },
  { name = "long-string", ends = "error", body = "local s = ('x'):rep(1 << 40)", reason = "too large" },
  {
    name = "long-strings", ends = "stopped",
    body = "while true do pcall(string.rep, 'x', 40 << 20) end",
  },
  {
    name = "memory", ends = "either",
    body = "local t = {}; for i = 1, math.huge do t[i] = { i, ('x'):rep(100) .. i } end", reason = "memory",
  },
  {
    name = "memory-held", ends = "stopped",
    body = "hold = {}; while true do pcall(function() for i = #hold + 1, math.huge do hold[i] = { i } end end) end",
  },
  {
    name = "recursion", ends = "either", body = "local function f() return 1 + f() end; f()", reason = "not enough memory",
  },
  {
    name = "c-recursion", ends = "error",
    body = "local function f(s) return (s:gsub('.', f)) end; f 'x'", reason = "overflow",
  },
  { name = "fork", ends = "error", body = "while true do os.execute 'x &' end", reason = "execute" },
  { name = "descriptors", ends = "error", body = "for i = 1, math.huge do io.open('/dev/null') end", reason = "io" },
  { name = "print", ends = "stopped", body = "while true do print(('x'):rep(200)) end" },
  { name = "warn", ends = "stopped", body = "warn '@on'; while true do warn(('x'):rep(200)) end" },
  {
    name = "send", ends = "stopped",
    body = "while true do pcall(sotto.messages.send, { discussion = m.discussion, text = 'flood' }) end",
  },
  {
    name = "calls", ends = "stopped",
    body = [[
      local function call() while true do pcall(sotto.discussions.show, { discussion = m.discussion }) end end
      for _ = 1, 500 do s:after('1ms', call) end]],
  },
  { name = "store", ends = "stopped", body = "for i = 1, math.huge do s.store.x = i end" },
  {
    name = "timers", ends = "stopped",
    body = "for _ = 1, 1000 do s:every('100ms', function() for i = 1, 100 do s.store.x = i end end) end",
  },
  { name = "commands", ends = "stopped", body = "while true do s:command('x', {}, print) end" },
  {
    name = "listeners", ends = "either",
    body = "while true do pcall(function() s:on('message.received', function() while true do end end) end) end",
  },
}

local TEXT = [[
local sotto = require "sotto"
local s = sotto.script { name = "%s", version = "1.0", api = 1, needs = { "messages", "store", "timers" } }
local begun
s:on("message.received", function(m)
  if begun then return end
  begun = true
  %s
end)
]]

--- The whole script.
---@param one support.hostile
---@return string
function M.text(one) return TEXT:format(one.name:match "%a[%a-]*%a", one.body) end

return M
