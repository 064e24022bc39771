-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes what the fuzzers begin with: valid records, those of the specs among them, datagrams, certificates and messages that
-- gpg made, contact files, control lines, and lists of steps. Usage, from the root: lua5.4 spec/fuzz/seeds.lua DIRECTORY
local build = os.getenv "SOTTO_SPEC_BUILD" or "build"
package.path = "./lua/?.lua;./spec/?.lua;" .. package.path
package.cpath = ("./%s/?.so;"):format(build) .. package.cpath

local directory = assert(arg[1], "usage: seeds.lua DIRECTORY")
local gnupg = require "support.gnupg"
local json = require "sotto.json"
local wire = require "support.wire"

local count = {}
local function seed(target, bytes)
  if not count[target] then gnupg.must("mkdir -p %s/%s", directory, target) end
  count[target] = (count[target] or 0) + 1
  gnupg.write(("%s/%s/%03d"):format(directory, target, count[target]), bytes)
end

-- --- records: every sample that the specs of engine/wire describe -------------------------------------------------------------

local records = {} -- kind → texts

local function collect_records()
  package.loaded.busted = { it = function() end }
  local R = require "wire.records"
  function R.check(kind, sample, _, more)
    records[kind] = records[kind] or {}
    for _, one in ipairs { sample, table.unpack(more or {}) } do table.insert(records[kind], R.text(one)) end
  end
  local environment = setmetatable({
    describe = function(_, body) body() end, it = function() end, before_each = function() end,
    after_each = function() end, setup = function() end, teardown = function() end,
  }, { __index = _G })
  for _, path in ipairs(gnupg.list "spec/wire") do
    if path:match "_spec%.lua$" then assert(loadfile("spec/wire/" .. path, "t", environment))() end
  end
end

collect_records()
local words = {}
for _, texts in pairs(records) do
  for _, text in ipairs(texts) do
    seed("records", text)
    for word in text:gmatch '"[%a_-]+"' do words[word] = true end
  end
end
seed("records", ("\1"):rep(32) .. "sealed") -- a frame SEALED
seed("records", ("\1"):rep(64) .. "sealed") -- a frame OPEN

-- a dictionary of every field and word
local lines = {}
for word in pairs(words) do lines[#lines + 1] = '"\\"' .. word:sub(2, -2) .. '\\""' end
table.sort(lines)
gnupg.write(directory .. "/records.dict", table.concat(lines, "\n") .. "\n")

-- --- frames ---------------------------------------------------------------------------------------------------------------

local function frame(kind, payload) return string.pack(">I4B", #payload + 1, kind) .. payload end

local some = frame(1, records.hello[1]) .. frame(2, "certificate") .. frame(6, ("x"):rep(60)) .. frame(7, "")
seed("frames", "\0\0" .. some)
seed("frames", "\1\7" .. some .. some)
seed("frames", "\2\1" .. frame(5, ("y"):rep(300)) .. frame(3, ("z"):rep(20000)))
seed("frames", "\0\3" .. some .. "\255\255\255\255" .. some)
seed("frames", "\1\3" .. frame(1, ""):rep(20))

-- --- OpenPGP --------------------------------------------------------------------------------------------------------------

local home = gnupg.home()
local alice, certificate = home:key "alice"
local rsa = select(2, home:key("rsa", "rsa1024", "rsa1024"))
local bob = home:key "bob"
local inner_key = "9:" .. ("07"):rep(32)

local function quoted_recipients(...)
  local out = {}
  for _, who in ipairs { ... } do out[#out + 1] = "-r " .. who end
  return table.concat(out, " ")
end

local function message(text, options, ...)
  return home:must(("--cipher-algo AES256 --set-filename '' %s -u %s %s -es"):format(options, alice, quoted_recipients(...)),
    text)
end

for _, c in ipairs { certificate, rsa } do seed("packets", "\0" .. c) end
seed("packets", "\0" .. home:must("--export " .. alice))
for _, options in ipairs { "-z 0", "-z 6", "-z 0 --throw-keyids", "-z 0 --armor" } do
  seed("packets", "\1" .. message("text", options, bob))
  seed("packets", "\1" .. message(("text "):rep(3000), options, bob, alice))
end
local signature = home:must(("-u %s --detach-sign"):format(alice), "text")
seed("packets", "\2" .. signature)
-- what is inside a message: with a signature, its body and its MDC's length right
local inside = home:must(("-z 0 --set-filename '' -u %s -s"):format(alice), "text")
local mdc = "\xd3\x14" .. ("m"):rep(20)
seed("packets", "\3\4text" .. inside .. mdc)
seed("packets", "\3\4text" .. home:must(("-z 6 -u %s -s"):format(alice), "text") .. mdc)
seed("packets", "\3\4text" .. inside .. inside .. mdc)
assert(#inner_key == 66)

-- --- datagrams ------------------------------------------------------------------------------------------------------------

local record = records.presence[1]
local certification = home:must(("-u %s --detach-sign"):format(alice), "certification")
for _, kind in ipairs { 1, 2 } do
  for _, parts in ipairs {
    { record = record, certification = certification, certificate = certificate },
    { record = record, certification = certification, certificate = "" },
    { record = records.presence[2] or record, certification = "", certificate = "" },
  } do
    parts.kind, parts.signature = kind, ("s"):rep(64)
    seed("datagrams", assert(wire.datagram_encode(parts)))
  end
end
home:close()

-- --- contact files --------------------------------------------------------------------------------------------------------

local fingerprint = ("0123456789ABCDEF"):rep(3):sub(1, 40)
for i, text in ipairs {
  "192.0.2.1:4788\n[2001:db8::1]:4788 " .. fingerprint .. "\nbob.example:1 # Bob\n",
  "\xef\xbb\xbf# a comment\r\n\r\n  host.example:65535\t" .. fingerprint:lower() .. " #  \u{e9}t\u{e9} \r\nbad line\n",
  "host:0\nhost:99999\n:1\n[::1\n[fe80::1%lo]:4788\nhost:1 " .. fingerprint .. " trailing\n",
  ("h"):rep(253) .. ":1\n" .. ("n"):rep(1100) .. "\nhost:1 # " .. ("x"):rep(900) .. "\nhost:1 # again",
} do
  for how = 0, 7, 3 do seed("contacts", string.char(how + 8 * i) .. text) end
end

-- --- control lines: a call of every method --------------------------------------------------------------------------------

local api = require "sotto.core.api"
local samples = {
  string = "text", secret = "pass word", integer = 7, boolean = true, path = "/tmp/x", discussion = ("d15c"):rep(8),
  peer = fingerprint, message = ("ab"):rep(16), address = "192.0.2.1:4788",
}

local function value_for(param)
  local name = type(param.type) == "string" and param.type or "string"
  if param.values then return param.values[1] end
  return samples[name] or "text"
end

local control_words = { "jsonrpc", "2.0", "id", "method", "params" }
for _, name in ipairs((function()
  local names = {}
  for method in pairs(api.methods) do names[#names + 1] = method end
  table.sort(names)
  return names
end)()) do
  control_words[#control_words + 1] = name
  local params = {}
  for _, param in ipairs(api.methods[name].params) do
    params[param.name] = value_for(param)
    control_words[#control_words + 1] = param.name
  end
  seed("control", assert(json.encode { jsonrpc = "2.0", id = 1, method = name, params = params }))
end
for _, line in ipairs {
  "", "{}", "[]", "null", '{"jsonrpc":"2.0","id":null,"method":"x"}', '[{"jsonrpc":"2.0"}]',
  '{"jsonrpc":"2.0","id":1.5e3,"method":"peers.list","params":[]}', '{"jsonrpc":"2.0","method":"peers.list"}',
  '{"jsonrpc":"2.0","id":"\\u0000","method":"system.info","params":{"a":{"b":[[[[[1]]]]]}}}',
  ('{"jsonrpc":"2.0","id":{},"method":"%s"}'):format(("m"):rep(200)),
  '{"jsonrpc":"2.0","id":1,"method":"identity.unlock","params":{"passphrase":{"password":"x"}}}',
} do seed("control", line) end
for i, word in ipairs(control_words) do control_words[i] = '"\\"' .. word .. '\\""' end
gnupg.write(directory .. "/control.dict", table.concat(control_words, "\n") .. "\n")

-- --- steps ----------------------------------------------------------------------------------------------------------------

for choice = 0, 15 do seed("handshake", string.char(choice)) end
for n = 0, 15 do
  local run_on = string.char(0, n * 2)
  seed("handshake", "\0" .. run_on .. "\4\0\0\12\1")              -- change a frame to the first
  seed("handshake", "\0" .. run_on .. "\4\1\0\40\32")             -- to the second
  seed("handshake", "\12" .. run_on .. "\7\0\0\24" .. records["certificate-wanted"][1])
  seed("handshake", "\1" .. run_on .. "\9\0\3")                   -- a piece of work fails
  seed("handshake", "\0" .. run_on .. "\10\1\2\0" .. records.open[1])
  seed("handshake", "\0" .. run_on .. "\7\0\2\0" .. records["confirm-answer"][1])
  seed("handshake", "\0" .. run_on .. "\11\0")
end
for choice = 0, 3 do
  for _, sequences in ipairs { "\0\0", "\21\21", "\21\22" } do seed("member_link", string.char(choice) .. sequences) end
end
for n = 0, 7 do
  local run_on = string.char(0, n * 2)
  seed("member_link", "\0\21\21" .. run_on .. "\3\0\0\60\1")
  seed("member_link", "\0\21\21" .. run_on .. "\6\0\4\0" .. records.seen[1])
  seed("member_link", "\0\21\21" .. run_on .. "\6\1\4\0" .. records["link-proof"][1])
  seed("member_link", "\1\21\21" .. run_on .. "\6\0\2\0" .. (records.delivery or records.ack or { "" })[1])
  seed("member_link", "\2\21\21" .. run_on .. "\8\0\3")
end

local function link_step(what, harm, at, bytes) return string.pack(">BBI2s2", what, harm, at, bytes) end
local inner = "\1" .. records.ready[1]
seed("link", link_step(1, 1, 0, records.hello[1]) .. link_step(1, 2, 0, "certificate"))
seed("link", link_step(6, 0, 0, "") .. link_step(2, 0, 0, inner):rep(3) .. link_step(5, 0, 0, ""))
for harm = 1, 7 do
  seed("link", link_step(1, 1, 0, "{}") .. link_step(6, 0, 0, "") .. link_step(2, 0, 0, inner) ..
    link_step(4, harm, harm, inner) .. link_step(2, 0, 0, inner))
end
seed("link", link_step(6, 0, 0, "") .. link_step(7, 1, 0, "") .. link_step(2, 0, 0, "\7" .. ("x"):rep(40000)))
seed("link", link_step(7, 2, 0, "") .. link_step(1, 1, 0, "{}") .. link_step(7, 0, 0, "") .. link_step(9, 0, 0, ""))
seed("link", link_step(0, 0, 0, frame(1, "{}") .. frame(6, "x")) .. link_step(9, 1, 0, ""))
seed("link", link_step(8, 0, 0, "{}") .. link_step(6, 0, 0, "") .. link_step(8, 0, 0, ("x"):rep(17000)))
