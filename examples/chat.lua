-- SPDX-License-Identifier: GPL-3.0-or-later
-- A chat.lua: copy it beside your config.lua, change it, and /reload. docs/chat.md says all that there is.

-- /o bob is /open bob, and so on
chat.alias("o", "open")
chat.alias("j", "go")

-- a command: /roll, /roll 3d6. What it gets is the chat, and the text behind its name.
chat.command {
  name = "roll", args = "[NdM]", help = "rolls dice, and says what came",
  more = "/roll is one of six sides, /roll 3d6 three of them.",
  complete = function() return { "1d6", "2d6", "3d6", "1d20" } end,
  run = function(chat, text)
    local count, sides = (text == "" and "1d6" or text):match("^(%d+)d(%d+)$")
    count, sides = tonumber(count), tonumber(sides)
    if not count or count < 1 or count > 20 or sides < 2 then error("/roll takes something like 3d6", 0) end
    local rolled = {}
    for i = 1, count do rolled[i] = math.random(sides) end
    chat:send(("rolls %dd%d: %s"):format(count, sides, table.concat(rolled, ", ")))
  end,
}

-- a command that asks the core: every method of the API is there, and looks as if it waited
chat.command {
  name = "lost", help = "who was not seen for a day",
  run = function(chat)
    local day_ago = (os.time() - 86400) * 1000
    for _, peer in ipairs(sotto.peers.list()) do
      if peer.last_seen < day_ago then chat:print("  " .. chat:person_name(peer)) end
    end
  end,
}

-- the prompt: a clock, where you are, and a star where something is new elsewhere
function chat.prompt(chat)
  local here = chat.known.current and chat:discussion_name(chat.known.current) or "lua"
  local star = chat:unread_elsewhere() > 0 and chat.paint("unread", "*") or ""
  return ("%s %s%s> "):format(os.date("%H:%M"), here, star)
end
chat.every(5000, function() chat:show_prompt() end)

-- a message's line: the name in a column. Everything in the view but view.message is harmless already.
function chat.format.message(view)
  local who = ("%-10s"):format(view.who)
  local place = view.place and view.paint("elsewhere", "[" .. view.place .. "] ") or ""
  local mark = view.mark ~= "" and " " .. view.paint(view.mark_part, view.mark) or ""
  return place .. view.paint("time", view.time) .. " " .. view.paint(view.who_style, who) .. " " .. view.text .. mark
end

-- colours, in words
chat.theme.own = "bold green"
chat.theme.prompt = "cyan"

-- the bell where somebody says your name
chat.on("message.received", function(message)
  if message.text:lower():find(chat.name:lower(), 1, true) then chat:bell() end
end)

-- a key: F2 writes the time
chat.bind("F2", function() chat:insert(os.date("%H:%M ")) end, "writes the time")

-- how the chat behaves: /set lists all
chat.settings.context = 10
