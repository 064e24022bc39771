-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes the parts of the reference that the code itself knows: the API from its table, config.lua from its schema.
-- Usage, from the checkout after make: lua5.4 docs/reference.lua api|config man|markdown >FILE
package.path = "./lua/?.lua;" .. package.path
package.cpath = (os.getenv "BUILD" or "./build") .. "/?.so;" .. package.cpath

local api = require "sotto.core.api"

-- How a document is written: scdoc for man pages, Markdown for the web. A term is a name with what it means.
local man, markdown = {}, {}

-- underscores and asterisks mean something to scdoc
local function scdoc(text)
  return (text:gsub("[\\_*]", "\\%0"):gsub("^([.#-])", "\\%1"))
end
function man.title(name, section, about)
  return ("%s(%d) \"sotto\" \"sotto Manual\"\n\n# NAME\n\n%s - %s\n"):format(name, section, name, scdoc(about))
end
function man.heading(text) return "# " .. scdoc(text:upper()) end
function man.subheading(text) return "## " .. scdoc(text) end
function man.paragraph(text) return scdoc(text) end
function man.term(name, text) return ("*%s*\n\t%s"):format(scdoc(name), scdoc(text)) end

function markdown.title(name, _, about) return ("# %s\n\n%s\n"):format(name, about) end
function markdown.heading(text) return "## " .. text end
function markdown.subheading(text) return "### " .. text end
function markdown.paragraph(text) return text end
function markdown.term(name, text) return ("- **`%s`** %s"):format(name, text) end

local API_TEXT = "Front ends, scripts and other programs call these methods as JSON-RPC 2.0, one object a line, " ..
  "over the core's UNIX socket run/control.sock, or as `sotto call METHOD JSON`. This page is made from the table " ..
  "that the core itself checks calls against; `sotto call system.methods` prints it as JSON."

local EVENTS_TEXT = "After events.subscribe they come as notifications. The field in which the object comes stands " ..
  "behind the type."

local CONFIG_TEXT = "config.lua holds assignments in Lua's syntax, such as listen = \"0.0.0.0:4788\". It is data: " ..
  "nothing is in reach of it, and a mistake is named with its line and key. It lies in the directory given with " ..
  "--home, or in ~/.config/sotto. The core reads it at its start."

local function param_text(param)
  local notes = { param.type }
  if param.required then notes[#notes + 1] = "required" end
  if param.values then notes[#notes + 1] = table.concat(param.values, " | ") end
  if param.least then notes[#notes + 1] = "at least " .. param.least end
  if param.most then notes[#notes + 1] = "at most " .. param.most end
  if param.standard ~= nil then notes[#notes + 1] = "standard " .. tostring(param.standard) end
  return ("(%s) %s"):format(table.concat(notes, ", "), param.text)
end

local function one_of(method)
  if not method.one_of then return "" end
  return (" Exactly one of %s is given."):format(table.concat(method.one_of, ", "))
end

local function write_method(style, add, method)
  add(style.subheading(method.name))
  add(style.paragraph(method.text .. one_of(method)))
  for _, param in ipairs(method.params) do add(style.term(param.name, param_text(param))) end
  local result = ("Result: %s. Since %d. A script needs: %s."):format(method.result, method.since, method.capability)
  add(style.paragraph(result))
  if #method.errors > 0 then add(style.paragraph("Errors: " .. table.concat(method.errors, ", ") .. ".")) end
end

local function write_api(style, add)
  add(style.title("sotto-api", 7, "methods and events of sotto's control socket"))
  add(style.heading("description"))
  add(style.paragraph(API_TEXT))
  for _, noun in ipairs(api.nouns) do
    add(style.heading(noun.name))
    add(style.paragraph(noun.text .. "."))
    for _, method in ipairs(noun.methods) do write_method(style, add, method) end
  end
  add(style.heading("events"))
  add(style.paragraph(EVENTS_TEXT))
  for _, event in ipairs(api.events) do
    add(style.term(event.type, ("(%s) %s"):format(event.noun or "none", event.text)))
  end
end

local function sorted(keys)
  local names = {}
  for name in pairs(keys) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function key_text(key)
  local notes = {}
  if key.values then notes[#notes + 1] = table.concat(key.values, " | ") end
  if key.least then notes[#notes + 1] = ("%d to %d"):format(key.least, key.most) end
  if key.standard ~= nil then notes[#notes + 1] = "standard " .. tostring(key.standard) end
  local text = key.text:gsub("%.$", "")
  return #notes > 0 and ("%s (%s)."):format(text, table.concat(notes, "; ")) or text .. "."
end

local function write_config(style, add)
  local schema = require("sotto.core.config").schema(require("sotto.engine").options)
  add(style.title("sotto-config", 5, "config.lua, the configuration of sotto's core"))
  add(style.heading("description"))
  add(style.paragraph(CONFIG_TEXT))
  add(style.heading("keys"))
  for _, name in ipairs(sorted(schema)) do
    if not schema[name].fields then add(style.term(name, key_text(schema[name]))) end
  end
  for _, name in ipairs(sorted(schema)) do
    local fields = schema[name].fields or schema[name].items
    if fields then
      add(style.heading((schema[name].fields and "keys of the table " or "keys of each entry of ") .. name))
      for _, field in ipairs(sorted(fields)) do add(style.term(field, key_text(fields[field]))) end
    end
  end
  add(style.heading("see also"))
  add(style.paragraph("sottod(1), sotto(1)"))
end

local PAGES, STYLES = { api = write_api, config = write_config }, { man = man, markdown = markdown }
local page, style = PAGES[arg[1]], STYLES[arg[2]]
if not page or not style then
  io.stderr:write("usage: lua5.4 docs/reference.lua api|config man|markdown\n")
  os.exit(2)
end
local parts = {}
page(style, function(text) parts[#parts + 1] = text end)
io.stdout:write(table.concat(parts, "\n\n"), "\n")
