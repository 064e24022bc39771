-- SPDX-License-Identifier: GPL-3.0-or-later
-- A program for windows: sotto.terminal alone, with a little of Lua around it that a spec gives. What the spec's chunk
-- finds: terminal, loop, say (prints a line above) and options (for terminal.start). What it may set: prompt; started,
-- called once the terminal is; poke, called at SIGUSR1; resized.
local loop = require "sotto.loop"
local terminal = require "sotto.terminal"

local given = setmetatable({
  terminal = terminal, loop = loop, prompt = "you> ",
  say = function(...) terminal.print(table.concat({ ... }, " ")) end,
  started = function() end, poke = function() end, resized = function() end,
  options = {
    line = function(text, taken_off)
      if not text then return terminal.stop() end
      terminal.remember(text)
      if taken_off then terminal.print("took " .. text) end
    end,
  },
}, { __index = _G })

assert(load(arg[1], "=chunk", "t", given))()
loop.signal("SIGUSR1", function() given.poke() end)
loop.signal("SIGWINCH", function()
  terminal.resized()
  given.resized()
end)
terminal.prompt(given.prompt)
terminal.start(given.options)
given.started()
loop.run()
