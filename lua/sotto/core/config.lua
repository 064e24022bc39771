-- SPDX-License-Identifier: GPL-3.0-or-later
-- config.lua: data written as assignments. It runs with nothing in reach, for so many instructions and so much memory;
-- what it assigned is checked against a schema. An error names line and key.
local sys = require "sotto.sys"

local M = {}

M.FILE_MAX = 256 << 10
M.INSTRUCTIONS_MAX = 200000
M.MEMORY_MAX_KB = 16 << 10

---@class sotto.config.key
---@field type "address"|"boolean"|"enum"|"integer"|"list"|"string"|"strings"|"table"
---@field text string for the documents
---@field standard any
---@field values? string[] of an enum
---@field least? integer
---@field most? integer
---@field word? string of an address: a word that stands for none
---@field fields? table<string, sotto.config.key> of a table
---@field items? table<string, sotto.config.key> of a list: the keys of each of its tables
---@field short? string of a list: the key that an item means that is a text alone
---@field required? boolean

--- What each script may use; see sotto.core.scripts.
---@type table<string, sotto.config.key>
M.script_limits = {
  memory = {
    type = "integer", least = 4 << 20, most = 1 << 30, standard = 64 << 20, text = "bytes of memory",
  },
  descriptors = { type = "integer", least = 8, most = 1024, standard = 32, text = "open descriptors" },
  file_size = {
    type = "integer", least = 0, most = 1 << 40, standard = 16 << 20, text = "bytes that a file it writes may have",
  },
  processor = {
    type = "integer", least = 20, most = 100, standard = 33,
    text = "percent of one processor that it gets while it computes on and on",
  },
  admission_ms = {
    type = "integer", least = 10, most = 10000, standard = 200, text = "milliseconds that an admission may compute",
  },
  handler_ms = {
    type = "integer", least = 50, most = 60000, standard = 5000,
    text = "milliseconds that any other handler may compute",
  },
  http_bytes = {
    type = "integer", least = 1024, most = 2 << 20, standard = 1 << 20, text = "bytes of a page that it fetches",
  },
  calls_per_second = {
    type = "integer", least = 1, most = 10000, standard = 50, text = "calls of the API a second, in the long run",
  },
  sends_per_second = {
    type = "integer", least = 1, most = 10000, standard = 10, text = "messages sent a second, in the long run",
  },
  lines_per_second = {
    type = "integer", least = 100, most = 100000, standard = 2000,
    text = "lines of any kind that its process may send a second, in the long run",
  },
}

--- Scripts of the configuration, beside those that are loaded by hand; see sotto.core.scripts.configured.
---@type table<string, sotto.config.key>
M.plugin = {
  path = {
    type = "string", most = 4095, required = true,
    text = "a file or a folder: \"/…\", \"~/…\", or a name in the folder plugins beside config.lua",
  },
  grant = {
    type = "strings", most = 64, all = true,
    text = "capabilities that it is granted, such as \"messages\"; true: all that it names",
  },
  arguments = { type = "strings", most = 64, text = "what the script gets as its arguments" },
  discussions = { type = "strings", most = 64, text = "ids of the only discussions that it may see" },
  watch = { type = "boolean", standard = false, text = "reloads it whenever its files change" },
}

--- The schema. limits holds what the engine lets a user change.
---@param engine_options { name: string, standard: integer, least: integer, most: integer, text: string }[]
---@return table<string, sotto.config.key>
function M.schema(engine_options)
  local limits = {}
  for _, option in ipairs(engine_options) do
    limits[option.name] = {
      type = "integer", least = option.least, most = option.most, standard = option.standard, text = option.text,
    }
  end
  return {
    listen = {
      type = "address",
      text = "ADDR:PORT for TCP and UDP; port 0: a free one, remembered. Left out: port 4788 on all addresses, " ..
        "or another where that is taken",
    },
    discover = {
      type = "address", word = "off",
      text = "where to announce on the LAN, and to listen for others; \"off\": nowhere. \"[::]:PORT\": every " ..
        "network, \"0.0.0.0:PORT\" the IPv4 ones, a broadcast or own address that network. Left out: every " ..
        "network, port 4788",
    },
    log_level = {
      type = "enum", values = { "error", "warn", "info", "debug" }, standard = "info",
      text = "how much the log tells",
    },
    scripts = { type = "table", fields = M.script_limits, text = "what every script may use" },
    plugins = {
      type = "list", items = M.plugin, short = "path", most = 200,
      text = "scripts that are loaded at the core's start: each a path, or a table of the keys below",
    },
    limits = { type = "table", fields = limits, text = "numbers, each with its unit below" },
  }
end

--- ADDR:PORT or [V6]:PORT; port 0 is allowed.
---@param text any
---@return boolean
function M.is_listen_address(text)
  if type(text) ~= "string" or #text > 300 then return false end
  local port = text:match("^%[[%x:.%%%w]+%]:(%d+)$") or text:match("^[^%s:%[%]]+:(%d+)$")
  return port ~= nil and tonumber(port) <= 65535
end

-- --- running the file -----------------------------------------------------------------------------

-- Where the file runs: keeps what is assigned, and in which line.
local function make_environment()
  local values, lines = {}, {}
  local environment = setmetatable({}, {
    __index = values,
    __newindex = function(_, key, value)
      values[key] = value
      lines[key] = debug.getinfo(2, "l").currentline
    end,
    __metatable = false,
  })
  return environment, values, lines
end

-- The methods of strings would be in reach of ("x"):rep(1 << 40), which no hook can stop.
local function without_string_methods(f)
  local meta = getmetatable("")
  local methods = meta.__index
  meta.__index = nil
  local result = table.pack(f())
  meta.__index = methods
  return table.unpack(result, 1, result.n)
end

local function run_bounded(chunk)
  local steps, before = 0, collectgarbage("count")
  local thread = coroutine.create(chunk)
  debug.sethook(thread, function()
    steps = steps + 1
    if steps > M.INSTRUCTIONS_MAX then error("it runs for too long: it is data, not a program", 2) end
    if collectgarbage("count") - before > M.MEMORY_MAX_KB then error("it uses too much memory", 2) end
  end, "", 1)
  return without_string_methods(function() return coroutine.resume(thread) end)
end

-- --- the schema -----------------------------------------------------------------------------------

local checks = {}

function checks.address(value, key)
  if value == key.word and value ~= nil then return end
  if M.is_listen_address(value) then return end
  return key.word and ("must be \"%s\" or \"ADDR:PORT\""):format(key.word) or "must be \"ADDR:PORT\""
end

function checks.enum(value, key)
  for _, allowed in ipairs(key.values) do
    if value == allowed then return end
  end
  return "must be one of " .. table.concat(key.values, ", ")
end

function checks.integer(value, key)
  if math.type(value) == "integer" and value >= key.least and value <= key.most then return end
  return ("must be an integer from %d to %d"):format(key.least, key.most)
end

function checks.boolean(value)
  if type(value) ~= "boolean" then return "must be true or false" end
end

function checks.string(value, key)
  if type(value) == "string" and #value > 0 and #value <= key.most and not value:find("%c") then return end
  return ("must be a text of 1 to %d bytes"):format(key.most)
end

-- a table that is a list of so many
local function is_list(value, most)
  if type(value) ~= "table" or #value > most then return false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count == #value
end

function checks.strings(value, key)
  local good = is_list(value, key.most) or (key.all and value == true)
  for _, text in ipairs(type(value) == "table" and value or {}) do good = good and type(text) == "string" end
  if not good then return ("must be a list of at most %d texts"):format(key.most) .. (key.all and ", or true" or "") end
end

function checks.list(value, key)
  if not is_list(value, key.most) then return ("must be a list of at most %d entries"):format(key.most) end
end

function checks.table(value)
  if type(value) ~= "table" then return "must be a table" end
end

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local apply

-- the items of a list, each checked as a table of its own
local function apply_items(key, list, path)
  local out = {}
  for i, item in ipairs(list) do
    local where = ("%s[%d]"):format(path, i)
    if type(item) == "string" then item = { [key.short] = item } end
    if type(item) ~= "table" then return nil, ("'%s' must be a text or a table"):format(where) end
    local inner, message = apply(key.items, item, where .. ".")
    if not inner then return nil, message end
    out[i] = inner
  end
  return out
end

-- values, checked and with standards filled in; or nil, a message, and the top-level key it is about
function apply(schema, values, path)
  for _, name in ipairs(sorted(values)) do
    local key = schema[name]
    if not key then return nil, ("there is no key '%s%s'"):format(path, tostring(name)), name end
    local problem = checks[key.type](values[name], key)
    if problem then return nil, ("'%s%s' %s"):format(path, name, problem), name end
  end
  local out = {}
  for name, key in pairs(schema) do
    if key.required and values[name] == nil then return nil, ("'%s%s' is missing"):format(path, name), name end
    if key.items then
      local list, message = apply_items(key, values[name] or {}, path .. name)
      if not list then return nil, message, name end
      out[name] = list
    elseif key.fields then
      local inner, message = apply(key.fields, values[name] or {}, path .. name .. ".")
      if not inner then return nil, message, name end
      out[name] = inner
    else
      out[name] = values[name]
      if out[name] == nil then out[name] = key.standard end
    end
  end
  return out
end

--- Reads a configuration's text.
---@param text string
---@param name string what errors call it
---@param schema table<string, sotto.config.key>
---@return table|nil config, string? message "config.lua:3: 'listen' must be …"
function M.parse(text, name, schema)
  local environment, values, lines = make_environment()
  local chunk, problem = load(text, "=" .. name, "t", environment)
  if not chunk then return nil, problem end
  local ok, message = run_bounded(chunk)
  if not ok then return nil, tostring(message) end
  local config, wrong, key = apply(schema, values, "")
  if config then return config end
  return nil, ("%s:%d: %s"):format(name, lines[key] or 0, wrong)
end

--- Reads a configuration file; the standards where there is none.
---@param path string
---@param schema table<string, sotto.config.key>
---@param required boolean whether the file must exist
---@return table|nil config, string? message
function M.load(path, schema, required)
  local text, message, name = sys.read_file(path, M.FILE_MAX)
  if not text then
    if name ~= "not_found" or required then return nil, message end
    text = ""
  end
  return M.parse(text, path:match("[^/]*$"), schema)
end

return M
