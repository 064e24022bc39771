-- SPDX-License-Identifier: GPL-3.0-or-later
-- A GnuPG as a user has one of their own, with an agent and a pinentry that answers as it is told: apart from every core's
-- home, and ended by `close`.
local gnupg = require "support.gnupg"
local json = require "sotto.json"
local sys = require "sotto.sys"
local waiting = require "support.waiting"

local M = {}

local quote = gnupg.quote

-- Speaks the protocol of a pinentry. It looks up what to say when it is asked; "wait": it keeps its question on the screen
-- until its agent hangs up; "terminal": it asks in the terminal that it is told of. Whatever it is told goes into its log.
local PINENTRY = [[#!/bin/sh
cd %s || exit 1
echo "START $*" >> pinentry.log
echo "OK"
while read -r line; do
  echo "$line" >> pinentry.log
  case "$line" in
  GETPIN*|CONFIRM*)
    case "$(cat answer)" in
    cancel) echo "ERR 83886179 Operation cancelled <Pinentry>" ;;
    "no screen") echo "ERR 83918950 Inappropriate ioctl for device <Pinentry>" ;;
    wait) while read -r line; do :; done; exit 0 ;;
    terminal)
      tty=$(sed -n 's/^OPTION ttyname=//p' pinentry.log | tail -n 1)
      printf 'The PIN, please: ' > "$tty"
      read -r pin < "$tty"
      echo > "$tty"
      echo "D $pin"; echo "OK" ;;
    *) case "$line" in GETPIN*) echo "D $(cat answer)" ;; esac; echo "OK" ;;
    esac ;;
  "GETINFO pid") echo "D $$"; echo "OK" ;;
  BYE*) echo "OK"; exit 0 ;;
  *) echo "OK" ;;
  esac
done
]]

---@class support.own_gnupg
---@field directory string
local Own = {}
Own.__index = Own

---@param root string a short path: the sockets are in the directory
---@param name string
---@return support.own_gnupg
function M.new(root, name)
  local self = setmetatable({ directory = ("%s/gnupg-%s"):format(root, name), count = 0 }, Own)
  assert(sys.make_private_directory(self.directory))
  gnupg.write(self.directory .. "/pinentry", PINENTRY:format(quote(self.directory)))
  gnupg.must("chmod 700 %s", quote(self.directory .. "/pinentry"))
  self:configure ""
  self:answer ""
  return self
end

--- Further lines of gpg-agent.conf.
---@param lines string
---@param pinentry? string another program than the scripted one
function Own:configure(lines, pinentry)
  -- a passphrase is derived fast: it guards nothing
  local text = ("pinentry-program %s\ns2k-count 65536\n%s\n"):format(pinentry or self.directory .. "/pinentry", lines)
  gnupg.write(self.directory .. "/gpg-agent.conf", text)
  self:forget()
end

--- gpg in it; its output, or an error. The arguments are given to the shell as they are.
---@param arguments string
---@param input? string
---@return string
function Own:gpg(arguments, input)
  self.count = self.count + 1
  local base = ("%s/io%d"):format(self.directory, self.count)
  gnupg.write(base .. ".in", input or "")
  local ok = os.execute(("gpg --homedir %s --batch --no-tty --yes -q --trust-model always --pinentry-mode loopback " ..
    "--passphrase %s %s < %s.in > %s.out 2> %s.err"):format(quote(self.directory), quote(self.passphrase or ""),
    arguments, base, base, base))
  local output, complaint = gnupg.read(base .. ".out"), gnupg.read(base .. ".err")
  for _, kind in ipairs { "in", "out", "err" } do os.remove(base .. "." .. kind) end
  if not ok then error(("gpg %s\n%s"):format(arguments, complaint), 2) end
  return output
end

---@class support.own_gnupg.key
---@field user_id? string
---@field algorithm? string of the primary key, standard ed25519; it certifies and signs
---@field subkey? string|false algorithm of a subkey that encrypts, standard cv25519
---@field sign? string algorithm of a subkey that signs
---@field passphrase? string standard: none
---@field expires? string standard "never"

--- Makes a key; its agent has forgotten the passphrase afterwards.
---@param options? support.own_gnupg.key
---@return string fingerprint
function Own:key(options)
  options = options or {}
  self.passphrase = options.passphrase
  local user_id = options.user_id or "Alice Example <alice@example.org>"
  local expires = options.expires or "never"
  self:gpg(("--quick-gen-key %s %s cert,sign %s"):format(quote(user_id), options.algorithm or "ed25519", expires))
  local fingerprint = self:find(user_id)
  if options.subkey ~= false then
    self:gpg(("--quick-add-key %s %s encrypt %s"):format(fingerprint, options.subkey or "cv25519", expires))
  end
  if options.sign then self:gpg(("--quick-add-key %s %s sign %s"):format(fingerprint, options.sign, expires)) end
  self:forget()
  return fingerprint
end

--- Takes a secret key that was made before.
---@param path string
---@return string fingerprint
function Own:import(path)
  local _, count = self:gpg("--import-options show-only --with-colons --import " .. quote(path)):gsub("\nsec:", "")
  assert(count <= 1)
  self:gpg("--import " .. quote(path))
  self:forget()
  return (self:gpg("--import-options show-only --with-colons --import " .. quote(path)):match("fpr:::::::::(%x+):"))
end

---@param user_id string
---@return string fingerprint
function Own:find(user_id)
  return (self:gpg("--with-colons --list-keys " .. quote("=" .. user_id)):match("\nfpr:::::::::(%x+):"))
end

--- Its keys and subkeys, primary key first: fingerprint, keygrip, capabilities.
---@param fingerprint string
---@return { fingerprint: string, keygrip: string, capabilities: string }[]
function Own:parts(fingerprint)
  local found = {}
  for line in self:gpg("--with-colons --with-keygrip --list-keys " .. fingerprint):gmatch("[^\n]+") do
    local kind, field = line:match("^(%l%l%l):"), line:match("^%l%l%l:::::::::(%x+):")
    if kind == "pub" or kind == "sub" then
      found[#found + 1] = { capabilities = line:match("^%l%l%l:" .. ("[^:]*:"):rep(10) .. "(%l*)") }
    elseif kind == "fpr" then
      found[#found].fingerprint = field
    elseif kind == "grp" then
      found[#found].keygrip = field
    end
  end
  return found
end

---@param keygrip string
---@return string path
function Own:key_file(keygrip) return ("%s/private-keys-v1.d/%s.key"):format(self.directory, keygrip) end

-- --- agent and pinentry --------------------------------------------------------------------------

--- What the pinentry says from now on: a passphrase, "cancel", "no screen", "wait" or "terminal".
---@param text string
function Own:answer(text) assert(sys.write_file(self.directory .. "/answer", text)) end

local function log_of(self)
  local path = self.directory .. "/pinentry.log"
  return sys.exists(path) and gnupg.read(path) or ""
end

--- How often the pinentry was asked something.
---@return integer
function Own:asked()
  local _, count = log_of(self):gsub("\nGETPIN", "")
  return count
end

--- Waits until it is on nobody's screen any more.
function Own:await_end()
  waiting.ask("the pinentry's end", function()
    return not gnupg.run("pgrep -f %s", quote(self.directory .. "/[p]inentry")):find("%d")
  end)
end

--- Waits until it was asked at least so often.
---@param count integer
function Own:await_question(count)
  waiting.ask(("question %d of the pinentry"):format(count), function() return self:asked() >= count end)
end

--- Everything that it was told, since the last call.
---@return string
function Own:told()
  local text = log_of(self)
  os.remove(self.directory .. "/pinentry.log")
  return text
end

--- The agent forgets every passphrase.
function Own:forget()
  if sys.exists(self.directory .. "/S.gpg-agent") then
    gnupg.run("gpg-connect-agent --homedir %s --no-autostart reloadagent /bye", quote(self.directory))
  end
end

--- Ends the agent, as a machine's restart would.
function Own:end_agent() gnupg.run("gpgconf --homedir %s --kill all", quote(self.directory)) end

--- The agent's process; nil where none runs.
---@return integer|nil
function Own:agent()
  local output = gnupg.run("gpg-connect-agent --homedir %s --no-autostart 'GETINFO pid' /bye", quote(self.directory))
  return tonumber(output:match("^D (%d+)"))
end

-- --- smart card ----------------------------------------------------------------------------------

local SERIAL = "D276000124010304FFFE123456780000"

-- The numbers of an RSA key without a passphrase: n, e, d, in hex.
local function rsa_numbers(text)
  local found = {}
  -- gpg breaks the lines of what it writes itself
  for name, hex in text:gsub("%s+", ""):gmatch("%((%l)#(%x+)#%)") do found[name] = hex end
  for _, name in ipairs { "n", "e", "d" } do
    local at, length = text:match("%(1:" .. name .. "()(%d+):")
    if at then
      local from = at + #length + 1
      found[name] = text:sub(from, from + tonumber(length) - 1):gsub(".", function(c) return ("%02X"):format(c:byte()) end)
    end
  end
  assert(found.n and found.e and found.d, "no RSA key without a passphrase")
  return found
end

local function from_hex(hex)
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- What an agent keeps of a key that is on a card.
local function stub(numbers, name)
  local function atom(bytes) return #bytes .. ":" .. bytes end
  return ("(20:shadowed-private-key(3:rsa(1:n%s)(1:e%s)(8:shadowed5:t1-v1(%s%s))))"):format(
    atom(from_hex(numbers.n)), atom(from_hex(numbers.e)), atom(from_hex(SERIAL)), atom(name))
end

local function write_card(self)
  -- at once, for it may be read meanwhile
  assert(sys.write_file(self.directory .. "/card.json", json.encode(self.card)))
end

--- Moves an RSA key and its subkey onto a card that this GnuPG has from now on (spec/support/card.py). The pinentry's answer
--- is its PIN.
---@param fingerprint string
---@param options { pin: string, forced?: boolean }
function Own:move_to_card(fingerprint, options)
  self.card = { present = true, serial = SERIAL, pin = options.pin, forced = options.forced or false, keys = {} }
  for i, part in ipairs(self:parts(fingerprint)) do
    local name = part.capabilities:find("e", 1, true) and "OPENPGP.2" or i == 1 and "OPENPGP.1" or "OPENPGP.3"
    local numbers = rsa_numbers(gnupg.read(self:key_file(part.keygrip)))
    self.card.keys[part.keygrip] = { n = numbers.n, d = numbers.d } -- which is how the agent asks for it
    gnupg.write(self:key_file(part.keygrip), stub(numbers, name))
  end
  write_card(self)
  self:configure(("scdaemon-program %s/spec/support/card.py"):format(sys.cwd()))
  self:end_agent()
end

--- Takes the card out of its reader, or puts it back.
---@param present boolean
function Own:insert_card(present)
  self.card.present = present
  write_card(self)
end

--- What the card did since the last call: "signed", "decrypted", "pin signature" …
---@return string[]
function Own:card_log()
  local path, lines = self.directory .. "/card.log", {}
  if sys.exists(path) then
    for line in gnupg.read(path):gmatch("[^\n]+") do lines[#lines + 1] = line end
    os.remove(path)
  end
  return lines
end

--- Ends its agent; the directory goes with the spec's.
function Own:close() self:end_agent() end

return M
