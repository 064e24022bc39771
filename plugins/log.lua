-- SPDX-License-Identifier: GPL-3.0-or-later
-- log: a discussion as plain text or as Markdown, for reading or for keeping elsewhere (where nobody has sealed it):
--   sotto scripts command log text DISCUSSION >talk.txt
--   sotto scripts command log markdown DISCUSSION 500 >talk.md
-- With a folder to write to, as files:
--   sotto scripts load log --arguments ~/talks
--   sotto scripts command log markdown DISCUSSION 20000 talk.md
local sotto = require "sotto"

local STANDARD, MOST, PAGE = 1000, 20000, 1000
local BYTES_MAX = 700000 -- a command's answer is one line of at most 1 MiB
local PIECE = 200 << 10 -- of a file, at once

local folder = arg[1]

local plugin = sotto.script {
  name = "log", version = "1.0", api = 1, help = "discussions as text",
  needs = { "messages", folder and "files:" .. folder },
}

-- the newest messages, oldest first
local function newest(discussion, count)
  local all, before = {}, nil
  while #all < count do
    local page = sotto.messages.list {
      discussion = discussion, limit = math.min(PAGE, count - #all), before = before,
    }
    if #page == 0 then break end
    table.move(all, 1, #all, #page + 1)
    table.move(page, 1, #page, 1, all)
    before = page[1].id
  end
  return all
end

local function names_of(discussion)
  local names = {}
  for _, member in ipairs(discussion.members) do
    names[member.fingerprint] = member.name ~= "" and member.name or member.fingerprint:sub(1, 8)
  end
  return names
end

local formats = {}

function formats.text(message, name)
  local text = message.text:gsub("\n", "\n    ")
  return ("%s  %s: %s"):format(os.date("%Y-%m-%d %H:%M", message.time // 1000), name, text)
end

-- what would be a sign of Markdown is text
local function escape(text) return (text:gsub("[\\`*_{}%[%]<>#+!|~-]", "\\%0")) end

function formats.markdown(message, name)
  local text = escape(message.text):gsub("\n", "  \n")
  return ("**%s** (%s)  \n%s\n"):format(escape(name), os.date("%Y-%m-%d %H:%M", message.time // 1000), text)
end

-- As much as there is room for, the newest.
local function render(format, discussion, messages, room)
  local names, lines, bytes, first = names_of(discussion), {}, 0, 1
  for i = #messages, 1, -1 do
    local line = formats[format](messages[i], names[messages[i].sender] or messages[i].sender:sub(1, 8))
    bytes = bytes + #line + 1
    if bytes > room then
      first = i + 1
      break
    end
    lines[i] = line
  end
  return table.concat(lines, "\n", first, #messages), #messages - first + 1
end

local function title(format, discussion)
  local others = {}
  for _, member in ipairs(discussion.members) do
    if not member.you then others[#others + 1] = member.name end
  end
  local text = ("Discussion with %s, %s"):format(table.concat(others, ", "), discussion.id)
  return format == "markdown" and "# " .. escape(text) .. "\n" or text .. "\n"
end

-- Whoever reads it meanwhile may see its beginning only.
local function write(path, text)
  local put = sotto.files.write
  for at = 1, #text, PIECE do
    put(path, text:sub(at, at + PIECE - 1))
    put = sotto.files.append
  end
end

local function export(format)
  return function(_, id, count, path)
    if not id then return "of which discussion? sotto discussions list" end
    if path and not folder then return "there is no folder to write to: sotto scripts load log --arguments FOLDER" end
    count = math.tointeger(tonumber(count or STANDARD))
    if not count or count < 1 or count > MOST then return ("a number of messages, at most %d"):format(MOST) end
    local ok, discussion = pcall(sotto.discussions.show, { discussion = id })
    if not ok then return tostring(discussion) end
    local messages = newest(discussion.id, count)
    local text, shown = render(format, discussion, messages, path and math.huge or BYTES_MAX)
    plugin.log(("%d messages of %s as %s"):format(shown, discussion.id:sub(1, 8), format))
    text = title(format, discussion) .. text
    if not path then return text end
    write(path, text .. "\n")
    return ("%d messages are in %s"):format(shown, path)
  end
end

for _, format in ipairs { "text", "markdown" } do
  local help = ("the newest messages of a discussion as %s"):format(format)
  plugin:command(format, { args = "<discussion> [count] [file]", help = help }, export(format))
end
