-- SPDX-License-Identifier: GPL-3.0-or-later
-- For spec/scenario: people with a GnuPG of their own, whose cores adopt a key of it. A spec file calls M.clean in after_each.
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local own_gnupg = require "support.own_gnupg"
local system = require "support.system"

local M = {}

local owns = {}

--- A GnuPG, with an agent and a pinentry, for somebody.
---@param name string
---@return support.own_gnupg
function M.gnupg(name)
  owns[#owns + 1] = own_gnupg.new(cores.root(), name)
  return owns[#owns]
end

--- A core of somebody with that GnuPG, which does not run yet.
---@param name string
---@param own support.own_gnupg
---@param options? support.person.options
---@return support.person
function M.absent(name, own, options)
  options = options or {}
  options.environment = options.environment or {}
  options.environment.GNUPGHOME = own.directory
  options.identity = false
  return cores.absent(name, options)
end

--- Adopts.
---@param who support.person
---@param fingerprint string
---@param params? table further ones
---@return table identity
function M.adopt(who, fingerprint, params)
  params = params or {}
  params.fingerprint = fingerprint
  local identity = who:call("identity.adopt", params)
  who.fingerprint = identity.fingerprint
  return identity
end

--- A core that runs, with that key for its own.
---@param name string
---@param own support.own_gnupg
---@param fingerprint string
---@param options? support.person.options
---@return support.person
function M.person(name, own, fingerprint, options)
  local who = M.absent(name, own, options):start()
  M.adopt(who, fingerprint)
  return who
end

---@param who support.person
function M.unlocked(who)
  cores.ask(who.name .. " is unlocked", function() return not who:call("identity.show").locked end)
end

--- Ends everybody's agent, and then as cores.clean.
function M.clean()
  for _, own in ipairs(owns) do own:close() end
  owns = {}
  cores.clean()
end

-- --- secrets -------------------------------------------------------------------------------------

local function from_hex(hex)
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function to_hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- The secret numbers of one key without a passphrase, as bytes. A curve's q is public, RSA's is d's companion.
local function numbers(text, found)
  for name, hex in text:gsub("%s+", ""):gmatch("%((%l)#(%x+)#%)") do
    if name:find("[dpu]") and #hex >= 64 then found[#found + 1] = from_hex((hex:gsub("^00", ""))) end
  end
  -- the same in canonical form: (1:d32:…)
  local at = text:find("(1:d", 1, true)
  local length = at and tonumber(text:match("^%d+", at + 4))
  if length then
    local from = at + 4 + #tostring(length) + 1
    found[#found + 1] = text:sub(from, from + length - 1):gsub("^\0", "")
  end
end

--- The secret numbers of a key that has no passphrase.
---@param own support.own_gnupg
---@param fingerprint string
---@return string[]
function M.secrets(own, fingerprint)
  local found = {}
  for _, part in ipairs(own:parts(fingerprint)) do
    local before = #found
    numbers(gnupg.read(own:key_file(part.keygrip)), found)
    assert(#found > before, "the secrets of a key are not known")
  end
  return found
end

--- Looks through every file of a core's home for secrets of that key, as bytes, as hex or as a key's file.
---@param who support.person
---@param own support.own_gnupg
---@param fingerprint string
---@return string|nil path where there is one
---@return integer files looked through
function M.find_secret(who, own, fingerprint)
  local secrets, parts, files = M.secrets(own, fingerprint), own:parts(fingerprint), system.files(who.home)
  for _, path in ipairs(files) do
    local content = system.read(path) or "" -- gpg's own files come and go
    local lower = content:lower():gsub("%s+", "") -- gpg breaks its lines
    for _, secret in ipairs(secrets) do
      if content:find(secret, 1, true) or lower:find(to_hex(secret), 1, true) then return path, #files end
    end
    for _, part in ipairs(parts) do
      if path:find(part.keygrip, 1, true) or content:find(part.keygrip, 1, true) then return path, #files end
    end
  end
  return nil, #files
end

return M
