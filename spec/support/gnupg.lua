-- For the OpenPGP specs: temporary directories, the gpg command line in homes apart from the engine's, and packets made by hand.
local patience = require "support.patience"

local M = {}

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
M.quote = quote

-- Runs a shell command; its output and whether it succeeded.
function M.run(command, ...)
  local pipe = assert(io.popen(command:format(...) .. " 2>&1", "r"))
  local output = pipe:read("a")
  return output, (pipe:close())
end

function M.must(command, ...)
  local output, ok = M.run(command, ...)
  if not ok then error(("%s\n%s"):format(command:format(...), output), 2) end
  return output
end

function M.directory()
  return (M.must("mktemp -d /tmp/sotto-spec-XXXXXX"):gsub("\n", ""))
end

function M.remove(directory)
  assert(directory:match("^/tmp/sotto%-spec%-%w+$"), "not a directory of a spec")
  M.must("rm -rf %s", quote(directory))
end

function M.read(path)
  local file = assert(io.open(path, "rb"))
  local data = file:read("a")
  file:close()
  return data
end

function M.write(path, data)
  local file = assert(io.open(path, "wb"))
  file:write(data)
  file:close()
end

function M.exists(path)
  return select(2, M.run("test -e %s || test -L %s", quote(path), quote(path))) or false
end

-- Names in a directory.
function M.list(directory)
  local names = {}
  for name in M.run("ls -A %s", quote(directory)):gmatch("[^\n]+") do names[#names + 1] = name end
  return names
end

-- A gpg home of its own, for what the engine would never make.
local home = {}
home.__index = home

function M.home()
  local directory = M.directory()
  M.must("chmod 700 %s", quote(directory))
  return setmetatable({ directory = directory, count = 0 }, home)
end

function home:close()
  M.run("gpgconf --homedir %s --kill gpg-agent", quote(self.directory))
  M.remove(self.directory)
end

-- gpg with `input` on its standard input; its standard output, or an error. `arguments` are given to the shell as they are.
function home:gpg(arguments, input)
  self.count = self.count + 1
  local base = ("%s/io%d"):format(self.directory, self.count)
  M.write(base .. ".in", input or "")
  local command = ("gpg --homedir %s --batch --no-tty --yes --trust-model always --pinentry-mode loopback " ..
    "--passphrase '' %s < %s > %s 2> %s"):format(quote(self.directory), arguments, quote(base .. ".in"),
    quote(base .. ".out"), quote(base .. ".err"))
  local ok = os.execute(command)
  local output = M.read(base .. ".out")
  if not ok then return nil, M.read(base .. ".err") end
  return output
end

function home:must(arguments, input)
  local output, why = self:gpg(arguments, input)
  if not output then error(("gpg %s\n%s"):format(arguments, why), 2) end
  return output
end

-- A key pair for `name`; its fingerprint and certificate.
function home:key(name, algorithm, subkey)
  self:must(("--quick-gen-key %s %s %s never"):format(quote(name), algorithm or "ed25519", "cert,sign"))
  local colons = self:must(("--with-colons --list-keys %s"):format(quote("=" .. name)))
  local fingerprint = colons:match("\nfpr:::::::::(%x+):")
  if subkey ~= false then
    self:must(("--quick-add-key %s %s encrypt never"):format(fingerprint, subkey or "cv25519"))
  end
  return fingerprint, self:certificate(fingerprint)
end

function home:certificate(fingerprint)
  return self:must("--export-options export-minimal --export " .. fingerprint)
end

-- The ids of all subkeys, as gpg sees them.
function home:subkeys(fingerprint)
  local ids = {}
  for id in self:must("--with-colons --list-keys " .. fingerprint):gmatch("\nsub:[^:]*:[^:]*:[^:]*:(%x+):") do
    ids[#ids + 1] = id
  end
  return ids
end

-- --- the engine's operations ------------------------------------------------------------------------------------------------

-- Waits for what a method of a rig has started; its result, or an error.
function M.done(pending, code, text)
  if not pending then error(("%s: %s"):format(code, text), 2) end
  local result, why, said = pending:wait()
  if not result then error(("%s: %s"):format(why, said), 2) end
  return result
end

-- The same for what must fail: its code, text and verdict, whether at the start or later.
function M.failure(pending, code, text)
  if not pending then return code, text end
  local result, why, said, verdict = pending:wait()
  if result then error("it has not failed", 2) end
  return why, said, verdict
end

-- Turns a rig's loop until a condition holds; `what` may name it.
function M.turn_until(rig, condition, what)
  local openpgp = require "support.openpgp" -- others need only the command line of this file
  local deadline = openpgp.now() + 30 * patience
  while not condition() do
    assert(openpgp.now() < deadline, "not in time: " .. (what or "a condition of the spec"))
    rig:turn()
  end
end

-- Runs a Lua script in a process of its own; its output and whether it succeeded.
function M.lua(script) return M.run("lua5.4 %s", quote(script)) end

-- Stops a process. The kernel loses a SIGSTOP that meets the end of one of the process's threads, so it is seen to.
function M.stop_process(pid)
  local openpgp = require "support.openpgp"
  local SIGSTOP, deadline = 19, openpgp.now() + 30 * patience
  repeat
    assert(openpgp.now() < deadline, "it does not stop")
    assert(openpgp.send_signal(pid, SIGSTOP))
    local state = M.read(("/proc/%d/status"):format(pid)):match("State:%s*(%a)")
  until state == "T"
end

-- --- packets --------------------------------------------------------------------------------------------------------------

-- A packet in the new format, with the shortest length or a given width (1, 2, 5).
function M.packet(kind, body, width)
  local n = #body
  local tag = string.char(0xc0 | kind)
  if width == 5 or (not width and n > 8383) then return tag .. "\255" .. string.pack(">I4", n) .. body end
  if width == 2 or (not width and n > 191) then
    return tag .. string.char(((n - 192) >> 8) + 192, (n - 192) & 255) .. body
  end
  return tag .. string.char(n) .. body
end

-- In the old format: kinds up to 15; type 0, 1, 2 (1, 2, 4 bytes of length) or 3 (indeterminate).
function M.old_packet(kind, body, type)
  type = type or 1
  local length = ({ [0] = ">I1", ">I2", ">I4" })[type]
  return string.char(0x80 | kind << 2 | type) .. (length and string.pack(length, #body) or "") .. body
end

-- A packet in parts: each { power } takes 2^power bytes, the rest follows with a definite length.
function M.partial_packet(kind, body, ...)
  local out, at = { string.char(0xc0 | kind) }, 1
  for _, power in ipairs { ... } do
    out[#out + 1] = string.char(224 + power) .. body:sub(at, at + (1 << power) - 1)
    at = at + (1 << power)
  end
  out[#out + 1] = M.packet(0, body:sub(at)):sub(2)
  return table.concat(out)
end

-- Splits bytes into packets: { kind =, body =, raw = }. Only for what the specs trust.
function M.packets(bytes)
  local list, at = {}, 1
  while at <= #bytes do
    local begin, tag = at, bytes:byte(at)
    local kind, body
    at = at + 1
    if tag & 0x40 == 0 then
      local width = ({ [0] = 1, 2, 4 })[tag & 3]
      local n = string.unpack(">I" .. width, bytes, at)
      kind, body, at = (tag >> 2) & 15, bytes:sub(at + width, at + width + n - 1), at + width + n
    else
      kind, body = tag & 63, ""
      repeat
        local first = bytes:byte(at)
        local n
        local more = first >= 224 and first < 255
        if first < 192 then
          n, at = first, at + 1
        elseif first < 224 then
          n, at = ((first - 192) << 8) + bytes:byte(at + 1) + 192, at + 2
        elseif more then
          n, at = 1 << (first & 31), at + 1
        else
          n, at = string.unpack(">I4", bytes, at + 1), at + 5
        end
        body, at = body .. bytes:sub(at, at + n - 1), at + n
      until not more
    end
    list[#list + 1] = { kind = kind, body = body, raw = bytes:sub(begin, at - 1) }
  end
  return list
end

-- Joins packets or strings.
function M.join(list, from, to)
  local out = {}
  for i = from or 1, to or #list do out[#out + 1] = list[i].raw or list[i] end
  return table.concat(out)
end

return M
