-- SPDX-License-Identifier: GPL-3.0-or-later
-- web-of-trust: takes in whose key one of your introducers has signed with OpenPGP. Whether they have, your own GnuPG
-- says: give it the introducers' keys and the candidate's with the signatures on it (gpg --import). You name them by:
-- sotto scripts command web-of-trust trust FINGERPRINT
local sotto = require "sotto"

local LIST_MAX = 200

local policy = sotto.script {
  name = "web-of-trust", version = "1.0", api = 1, help = "takes in whose key an introducer of yours has signed",
  needs = { "proposals", "store" },
}

local store = policy.store
store.introducers = store.introducers or {} -- fingerprint → note

local function list()
  local found = {}
  for fingerprint in pairs(store.introducers) do found[#found + 1] = fingerprint end
  table.sort(found)
  return found
end

policy:admission(function(request)
  local introducers = list()
  if #introducers == 0 then return nil end
  return sotto.signed_by(introducers)(request)
end)

-- all digits, in one word or several; and what follows them
local function parse(...)
  local digits, note = "", {}
  for _, word in ipairs { ... } do
    local plain = word:gsub(":", ""):upper()
    if #digits < 40 and not plain:find "%X" then digits = digits .. plain else note[#note + 1] = word end
  end
  return #digits == 40 and digits or nil, table.concat(note, " ")
end

policy:command("trust", { args = "<fingerprint> [note]", help = "makes somebody an introducer" }, function(_, ...)
  local fingerprint, note = parse(...)
  if not fingerprint then return "A fingerprint has 40 digits." end
  if #list() >= LIST_MAX then return "There are too many." end
  store.introducers[fingerprint] = note:sub(1, 100)
  return "An introducer: " .. fingerprint
end)

policy:command("distrust", { args = "<fingerprint>", help = "makes one none any more" }, function(_, ...)
  local fingerprint = parse(...)
  if not fingerprint or not store.introducers[fingerprint] then return "None of yours is that." end
  store.introducers[fingerprint] = nil
  return "no introducer any more"
end)

policy:command("introducers", { help = "who they are" }, function()
  local lines = list()
  for i, fingerprint in ipairs(lines) do
    lines[i] = ("%s %s"):format(fingerprint, store.introducers[fingerprint]):gsub(" $", "")
  end
  return #lines > 0 and table.concat(lines, "\n") or "There are none."
end)

policy:health(function(h)
  if next(store.introducers) then h.ok "there are introducers" else h.warn "there are no introducers" end
end)
