-- SPDX-License-Identifier: GPL-3.0-or-later
-- greet: a word of welcome in every discussion that opens, once for each person. Its owner says which:
-- sotto scripts command greet set "Hello! I read this in the evening."
local sotto = require "sotto"

local STANDARD = "Hello, %s!"
local TEXT_MAX = 2000

local plugin = sotto.script {
  name = "greet", version = "1.0", api = 1, help = "welcomes people", needs = { "messages", "store" },
}

local store = plugin.store
store.greeted = store.greeted or {}

-- whom this core has not welcomed yet
local function newcomers(discussion)
  local found = {}
  for _, member in ipairs(discussion.members) do
    if not member.you and not store.greeted[member.fingerprint] then found[#found + 1] = member end
  end
  return found
end

plugin:on("discussion.opened", function(discussion)
  local names = {}
  for _, member in ipairs(newcomers(discussion)) do
    store.greeted[member.fingerprint] = os.time()
    names[#names + 1] = member.name ~= "" and member.name or member.fingerprint:sub(1, 8)
  end
  if #names == 0 then return end
  local text = (store.text or STANDARD):gsub("%%s", function() return table.concat(names, ", ") end)
  discussion:send(text)
end)

plugin:command("set", { args = "<text>", help = "the word of welcome; %s stands for the name" }, function(_, ...)
  local text = table.concat({ ... }, " ")
  if text == "" or #text > TEXT_MAX then return ("A text of at most %d bytes."):format(TEXT_MAX) end
  store.text = text
  return "Whoever comes next will read: " .. text
end)

plugin:command("show", { help = "the word of welcome" }, function() return store.text or STANDARD end)

plugin:command("again", { help = "forgets whom it has welcomed" }, function()
  store.greeted = {}
  return "done"
end)
