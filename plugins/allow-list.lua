-- SPDX-License-Identifier: GPL-3.0-or-later
-- allow-list: who stands on your list is taken in; about others somebody else decides. You write the list:
-- sotto scripts command allow-list allow carol
local sotto = require "sotto"

local LIST_MAX = 1000

local policy = sotto.script {
  name = "allow-list", version = "1.0", api = 1, help = "takes in who is on your list",
  needs = { "peers", "proposals", "store" },
}

local store = policy.store
store.allowed = store.allowed or {} -- fingerprint → name

policy:admission(sotto.listed(function() return store.allowed end))

local function shown(fingerprint, name) return ("%s %s"):format(fingerprint, name):gsub(" $", "") end

-- of a peer that is known, or all digits of somebody's who is not
local function find(word)
  local digits = word:gsub("[%s:]", ""):upper()
  if #digits == 40 and not digits:find "%X" then return { fingerprint = digits, name = "" } end
  local ok, peer = pcall(sotto.peers.show, { peer = word })
  if ok then return peer end
  return nil, ("%s. A fingerprint has 40 digits; sotto peers list shows those you know of."):format(tostring(peer))
end

policy:command("allow", { args = "<name or fingerprint>", help = "puts somebody on the list" }, function(_, ...)
  local peer, problem = find(table.concat({ ... }, " "))
  if not peer then return problem end
  local count = 0
  for _ in pairs(store.allowed) do count = count + 1 end
  if count >= LIST_MAX then return "The list is full." end
  store.allowed[peer.fingerprint] = peer.name
  return "On the list: " .. shown(peer.fingerprint, peer.name)
end)

policy:command("forbid", { args = "<name or fingerprint>", help = "takes somebody off the list" }, function(_, ...)
  local word = table.concat({ ... }, " ")
  local digits = word:gsub("[%s:]", ""):upper()
  local found
  for fingerprint, name in pairs(store.allowed) do
    if fingerprint == digits or (name ~= "" and name == word) then
      if found then return "Several are called that: give the fingerprint." end
      found = fingerprint
    end
  end
  if not found then return "Nobody on the list is that." end
  store.allowed[found] = nil
  return "off the list"
end)

policy:command("list", { help = "who is on the list" }, function()
  local lines = {}
  for fingerprint, name in pairs(store.allowed) do lines[#lines + 1] = (shown(fingerprint, name)) end
  table.sort(lines)
  return #lines > 0 and table.concat(lines, "\n") or "Nobody is."
end)

policy:health(function(h)
  if next(store.allowed) then h.ok "there is somebody on the list" else h.warn "nobody is on the list" end
end)
