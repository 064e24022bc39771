-- SPDX-License-Identifier: GPL-3.0-or-later
-- `sotto demo` beside the chat: what it says is printed, what is commanded is its input. It ends with the chat, since
-- its input does.
local lodging = require "sotto.demo.lodging"
local loop = require "sotto.loop"
local names = require "sotto.client.names"
local news = require "sotto.client.news"
local sys = require "sotto.sys"

-- both cores have forgotten it, or are made to where it was killed
local function ended(chat, signal)
  chat.demo = nil
  if chat.over then return end
  if signal then chat:print(("The demo was killed (%s)."):format(signal)) end
  chat:run(function()
    if signal then lodging.clear_left(chat.place, chat.connection) end
    news.refresh(chat)
    chat:show_prompt()
  end)
end

local function start(chat)
  local options = {
    program = sys.executable() or "sotto", group = true, stdin = "pipe", stdout = "pipe", stderr = "pipe", "demo",
    on_stdout = function(line) chat:print(names.safe(line)) end,
    on_stderr = function(line) chat:print("! " .. names.safe(line:gsub("^sotto: ", ""))) end,
    on_exit = function(_, signal) ended(chat, signal) end,
  }
  if chat.place.given then table.move({ "--home", chat.place.given, "demo" }, 1, 3, 1, options) end
  local process, message = loop.spawn(options)
  if not process then error("the demo could not be started: " .. message, 0) end
  chat.demo = process
  chat:print("One moment …")
end

return {
  name = "demo", args = "[off|on|stop]",
  help = "somebody to try it with, on this machine; again: ends it",
  complete = function(chat) return chat.demo and { "off", "on", "stop" } or {} end,
  run = function(chat, text)
    if text == "" and not chat.demo then return start(chat) end
    if not chat.demo then error("there is no demo yet: /demo starts one", 0) end
    chat.demo.stdin:send(text == "" and "stop" or text)
  end,
}
