-- SPDX-License-Identifier: GPL-3.0-or-later
-- RSS 2.0 and Atom, as far as a line of a chat needs them: a feed's title, and title, link and id of its entries. It
-- looks for what it knows and skips the rest; whatever comes, it ends and raises nothing. Pure.
local M = {}

M.ENTRIES_MAX, M.TEXT_MAX = 100, 300

local NAMED = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'", nbsp = " " }

local function character(number)
  if not number or number < 32 or number > 0x10FFFF or (number >= 0xD800 and number < 0xE000) then return "" end
  return utf8.char(number)
end

local function decode(text)
  text = text:gsub("&#[xX](%x+);", function(digits) return character(tonumber(digits:sub(1, 8), 16)) end)
  text = text:gsub("&#(%d+);", function(digits) return character(math.tointeger(tonumber(digits:sub(1, 8)))) end)
  return (text:gsub("&(%a+);", NAMED))
end

-- one line without marks, of a length that can be read
local function plain(text)
  text = text:gsub("<!%[CDATA%[(.-)%]%]>", "%1")
  text = decode(decode(text):gsub("<[^<>]*>", ""))
  text = text:gsub("%s+", " "):match("^ ?(.-) ?$")
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  if utf8.len(text) > M.TEXT_MAX then text = text:sub(1, utf8.offset(text, M.TEXT_MAX) - 1) .. "…" end
  return text
end

-- what is between <name …> and </name>, the first of it
local function element(text, name)
  local _, last = text:find("<" .. name .. "%f[%s>][^>]*>")
  local first = last and text:find("</" .. name .. "%s*>", last + 1)
  return first and text:sub(last + 1, first - 1)
end

-- RSS has the link as text, Atom as an attribute: the one that is no "self"
local function link_of(text)
  for attributes in text:gmatch("<link%f[%s/>]([^>]*)>") do
    local href = attributes:match('href%s*=%s*"([^"]*)"') or attributes:match("href%s*=%s*'([^']*)'")
    if href and not attributes:find("rel%s*=%s*[\"']self") then return plain(href) end
  end
  local inner = element(text, "link")
  return inner and plain(inner) or ""
end

local function entry_of(text)
  local title = plain(element(text, "title") or element(text, "description") or element(text, "summary") or "")
  local link = link_of(text)
  local id = plain(element(text, "guid") or element(text, "id") or "")
  if id == "" then id = link ~= "" and link or title end
  return id ~= "" and { id = id, title = title, link = link } or nil
end

---@param text string
---@return {title: string, entries: {id: string, title: string, link: string}[]}|nil newest first as the feed has them
function M.parse(text)
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "?") end
  text = text:gsub("<!%-%-.-%-%->", "")
  local name = text:find("<item%f[%s>]") and "item" or "entry"
  local first = text:find("<" .. name .. "%f[%s>]")
  local head = text:sub(1, (first or #text + 1) - 1)
  if not head:find("<rss%f[%s>]") and not head:find("<feed%f[%s>]") and not head:find("<rdf:RDF%f[%s>]") then
    return nil
  end
  local entries, at = {}, first
  while at and #entries < M.ENTRIES_MAX do
    local _, open = text:find("^<" .. name .. "%f[%s>][^>]*>", at)
    local close = open and text:find("</" .. name .. "%s*>", open + 1)
    if not close then break end
    entries[#entries + 1] = entry_of(text:sub(open + 1, close - 1))
    at = text:find("<" .. name .. "%f[%s>]", close)
  end
  return { title = plain(element(head, "title") or ""), entries = entries }
end

return M
