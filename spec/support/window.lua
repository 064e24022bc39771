-- SPDX-License-Identifier: GPL-3.0-or-later
-- A program in a terminal window, and a person in front of it: what is typed, what is seen.
local loop = require "sotto.loop"
local pty = require "support.pty"
local screen = require "support.screen"
local waiting = require "support.waiting"

local M = {}

---@class support.window
---@field screen support.screen
---@field raw string everything that the program has written
---@field status integer|nil
---@field signal string|nil
local Window = {}
Window.__index = Window

---@type support.window[] those of this spec
local opened = {}

local function take_output(self)
  local bytes = self.pty:read()
  if not bytes then
    self.watch:stop()
    self.ended = true
  elseif bytes ~= "" then
    self.raw = self.raw .. bytes
    local ok, problem = pcall(self.screen.feed, self.screen, bytes)
    if not ok then self.problem = self.problem or problem end
  end
  waiting.wake()
end

---@class support.window.options
---@field [integer] string arguments
---@field program string
---@field environment? table<string, string|false>
---@field directory? string
---@field columns? integer standard 100
---@field rows? integer standard 30
---@field loose? boolean see support.screen

--- Starts the program as the leader of a session of its own, with the window as its terminal.
---@param options support.window.options
---@return support.window
function M.open(options)
  local self = setmetatable({ raw = "", columns = options.columns or 100, rows = options.rows or 30 }, Window)
  self.pty = pty.open(self.columns, self.rows)
  self.screen = screen.new(self.columns)
  self.screen.loose = options.loose or false
  local slave = self.pty:slave()
  local environment = { TERM = "xterm", LC_ALL = "C.UTF-8", INPUTRC = "/dev/null" }
  for name, value in pairs(options.environment or {}) do environment[name] = value end
  self.process = assert(loop.spawn {
    program = "setsid", environment = environment, directory = options.directory,
    stdin = slave, stdout = slave, stderr = slave,
    on_exit = function(status, signal)
      self.status, self.signal, self.exited = status, signal, true
      waiting.wake()
    end,
    "--ctty", options.program, table.unpack(options),
  })
  self.pty:let_go()
  self.watch = loop.watch(self.pty:fd(), function() take_output(self) end)
  opened[#opened + 1] = self
  return self
end

local function wait(self, what, condition)
  return waiting.wait(function() return what .. "; the screen:\n" .. self.screen:text() end, function()
    if self.problem then error(self.problem, 0) end
    return condition()
  end)
end

--- Bytes as they come from the keyboard.
---@param text string
---@return support.window itself
function Window:type(text)
  while text ~= "" do
    local taken = self.pty:write(text)
    text = text:sub(taken + 1)
    -- the program reads slower than somebody pastes
    if text ~= "" then waiting.wait("room in the terminal's queue", function()
      taken = self.pty:write(text)
      text = text:sub(taken + 1)
      return taken > 0
    end) end
  end
  return self
end

--- A line and the Enter key.
---@param line string
---@return support.window itself
function Window:enter(line) return self:type(line .. "\r") end

--- Waits until the text is to be seen.
---@param text string
---@return support.window itself
function Window:see(text)
  wait(self, ("to be seen: %q"):format(text), function() return self.screen:text():find(text, 1, true) end)
  return self
end

--- Waits until the line with the cursor is this one (spaces at its end do not count).
---@param line string
---@return support.window itself
function Window:at(line)
  line = line:gsub(" +$", "")
  wait(self, ("the cursor in the line %q"):format(line), function() return self.screen:cursor_line() == line end)
  return self
end

--- Waits until the cursor has come to that column of the screen: for keys that move it, and change nothing that is to be seen.
---@param column integer from 1
---@return support.window itself
function Window:column(column)
  wait(self, ("the cursor in column %d"):format(column), function() return self.screen.column == column end)
  return self
end

---@return boolean
function Window:shows(text) return self.screen:text():find(text, 1, true) ~= nil end

--- Forgets what is above the line with the cursor.
---@return support.window itself
function Window:forget()
  self.screen:forget()
  return self
end

---@param columns integer
---@param rows? integer
function Window:resize(columns, rows)
  self.screen:resize(columns)
  self.pty:resize(columns, rows or self.rows)
end

--- Waits until the program has ended and all it wrote was read.
---@return integer|nil status, string|nil signal
function Window:wait_end()
  wait(self, "the program's end", function() return self.exited and self.ended end)
  return self.status, self.signal
end

--- Closes the window; a program that is still there is killed.
function Window:close()
  if self.closed then return end
  self.closed = true
  if not self.exited then
    self.process:kill "SIGKILL"
    waiting.wait("the end of what was killed", function() return self.exited end)
  end
  self.watch:stop()
  self.pty:close()
end

--- Closes every window: for after_each.
function M.close_all()
  for _, window in ipairs(opened) do window:close() end
  opened = {}
end

return M
