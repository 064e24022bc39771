-- What every record decoder has to stand (P0.1, P0.3), written once: a record is described by its fields, and
-- records.check makes the specs. Loaded by the specs of the record families.
local wire = require "support.wire"
local it, assert = require "busted".it, require "luassert" -- a module has none of a spec's globals
local M = {}

M.codecs = {}
for _, module in ipairs { "support.wire_handshake", "support.wire_links", "support.wire_changes",
  "support.wire_join" } do
  for kind, codec in pairs(require(module)) do M.codecs[kind] = codec end
end

-- base64url without padding
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
function M.b64(data)
  local out = {}
  for i = 1, #data, 3 do
    local a, b, c = data:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    for k = 0, (c and 3) or (b and 2) or 1 do
      local v = n >> (18 - 6 * k) & 63
      out[#out + 1] = alphabet:sub(v + 1, v + 1)
    end
  end
  return table.concat(out)
end

-- JSON text of: a string, an integer, a boolean, {raw = text}, {array = {…}}, or an ordered object {{key, value},
-- …}
local function quote(s)
  return '"' .. s:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end
function M.text(v)
  if type(v) == "string" then return quote(v) end
  if type(v) ~= "table" then return tostring(v) end
  if v.raw then return v.raw end
  local out = {}
  if v.array then
    for i, x in ipairs(v.array) do out[i] = M.text(x) end
    return "[" .. table.concat(out, ",") .. "]"
  end
  for i, pair in ipairs(v) do out[i] = quote(pair[1]) .. ":" .. M.text(pair[2]) end
  return "{" .. table.concat(out, ",") .. "}"
end

-- A copy of an ordered object in which `key` (of the object at `path`, a list of keys and indices) has another
-- value, or is
-- gone (value nil).
local function get(object, key)
  if type(key) == "number" then return (object.array or object)[key] end
  for _, pair in ipairs(object) do if pair[1] == key then return pair[2] end end
end
function M.with(object, path, value)
  local key, rest = path[1], { table.unpack(path, 2) }
  local new = #rest > 0 and M.with(get(object, key), rest, value) or value
  if type(key) == "number" then
    local array = { table.unpack(object.array) }
    array[key] = new
    return { array = array }
  end
  local out, found = {}, false
  for _, pair in ipairs(object) do
    if pair[1] ~= key then
      out[#out + 1] = pair
    else
      found = true
      if new ~= nil then out[#out + 1] = { key, new } end
    end
  end
  if not found and new ~= nil then out[#out + 1] = { key, new } end
  return out
end

-- Samples
-- -------------------------------------------------------------------------------------------------------------------

function M.bytes(n, seed)
  local out, x = {}, (seed or 1) * 2654435761 % 4294967296
  for i = 1, n do
    x = (x * 1664525 + 1013904223) % 4294967296
    out[i] = string.char(x >> 24)
  end
  return table.concat(out)
end
function M.hex(n, seed, upper)
  local text = M.bytes(n, seed):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  return upper and text:upper() or text
end
function M.fingerprint(seed) return M.hex(20, seed, true) end
function M.id(seed) return M.hex(16, seed) end
function M.key_id(seed) return M.hex(8, seed, true) end

-- Kinds of fields: good values, bad values
-- -----------------------------------------------------------------------------------

local MAX = 9007199254740991
local raw = function(text) return { raw = text } end
local wrong_types = { raw "null", raw "{}", raw "[]", raw "[1]", true, 7, "no" }

local function of_type(kind)
  return function(v)
    if kind == "boolean" then return type(v) == "boolean" end
    if kind == "integer" then return type(v) == "number" end
    if kind == "object" then return type(v) == "table" and v.raw == "{}" end
    if kind == "array" then return type(v) == "table" and (v.raw == "[]" or v.raw == "[1]") end
    return type(v) == "string"
  end
end

local function mistyped(json_type)
  local out, same = {}, of_type(json_type)
  for _, v in ipairs(wrong_types) do if not same(v) then out[#out + 1] = v end end
  return out
end

local function forms(json_type, good, bad)
  return { json_type = json_type, good = good, bad = bad }
end

M.kinds = {}
local function hex_kind(sample, digits_wrong_case)
  return forms("string", { sample }, {
    "", sample:sub(1, -2), sample .. sample:sub(1, 1), sample:sub(1, -2) .. "g", sample:sub(1, -2) .. " ",
    digits_wrong_case, sample:sub(1, -2) .. "\u{e9}", sample:sub(1, -3) .. "\u{e9}",
  })
end
function M.kinds.fingerprint()
  return hex_kind(("ABCDEF0123"):rep(4), ("ABCDEF0123"):rep(3) .. "abcdef0123")
end
function M.kinds.id() return hex_kind(("abcdef01"):rep(4), ("ABCDEF01"):rep(4)) end
function M.kinds.key_id() return hex_kind("ABCDEF0123456789", "abcdef0123456789") end
function M.kinds.binary(min, max)
  local good, bad = { M.b64(M.bytes(max)) }, { M.b64(M.bytes(max + 1)) }
  local text = good[1]
  if min > 0 then bad[#bad + 1] = M.b64(M.bytes(min - 1)) end
  if min < max then good[#good + 1] = M.b64(M.bytes(min)) end
  if max > min then text = M.b64(M.bytes(max - max % 3 + (max % 3 == 0 and -2 or 1))) end -- two digits at the end
  for _, b in ipairs {
    text .. "=", text .. "==", text .. ("A"):rep((5 - #text % 4) % 4), text:sub(1, -2) .. "+", text:sub(1, -2) .. "/",
      text:sub(1, -2) .. " ",
    text .. "\n", " " .. text, text:sub(1, -2) .. "\u{e9}", "A",
  } do bad[#bad + 1] = b end
  if #text % 4 ~= 0 then -- the unused bits of the last digit must be zero
    local last = alphabet:find(text:sub(-1), 1, true) - 1
    bad[#bad + 1] = text:sub(1, -2) .. alphabet:sub(last + 2, last + 2)
  end
  return forms("string", good, bad)
end
function M.kinds.hash() return M.kinds.binary(32, 32) end
function M.kinds.integer(min, max)
  local bad = { raw(tostring(max) .. ".0"), raw "1e1", raw "0.5", raw "9007199254740992", raw "-9007199254740992",
    raw "9223372036854775807", raw "9223372036854775808", raw "-9223372036854775809", raw "1e400",
    raw(("9"):rep(400)), raw "01", raw "+1", raw "0x1", raw "NaN", tostring(max) }
  if max < MAX then bad[#bad + 1] = max + 1 end
  bad[#bad + 1] = min - 1
  return forms("integer", { min, max }, bad)
end
function M.kinds.time() return M.kinds.integer(0, MAX) end
function M.kinds.epoch() return M.kinds.integer(0, 4294967295) end
function M.kinds.boolean() return forms("boolean", { true, false }, { raw "True", "true" }) end
function M.kinds.choice(values)
  local bad = { "", values[1] .. " ", values[1]:upper(), values[1]:sub(1, -2) }
  return forms("string", values, bad)
end
function M.kinds.charter()
  return forms("string", { "all", "1", "2", "9", "10", "64" },
    { "", "All", "all ", "alll", "0", "01", "65", "99", "100", "-1", "+1", " 1", "1 ", "x" })
end
function M.kinds.string(min, max)
  local good, bad = { ("x"):rep(max), ("\u{e9}"):rep(max // 2) }, { ("x"):rep(max + 1), ("x"):rep(max - 1) .. "\u{e9}" }
  if min > 0 then bad[#bad + 1] = ("x"):rep(min - 1) end
  if min == 0 then good[#good + 1] = "" end
  for _, b in ipairs { '"\\u0000"', '"a\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\xff"', '"\xc0\x80"',
    '"\xed\xa0\x80"',
    '"\xf4\x90\x80\x80"', '"\xc3"', '"a\0b"', '"a\nb"' } do bad[#bad + 1] = raw(b) end
  return forms("string", good, bad)
end
function M.kinds.object() return forms("object", {}, {}) end
function M.kinds.array() return forms("array", {}, {}) end

-- The specs of one record
-- -----------------------------------------------------------------------------------------------------

local function brief(v)
  local text = M.text(v)
  return #text > 40 and text:sub(1, 30) .. "… (" .. #text .. " bytes)" or text
end

local function refused(codec, text, field)
  local got, name, why = codec.decode(text)
  assert(got == nil, "was taken: " .. text:sub(1, 200))
  assert(name == "bad_input" or name == "too_large", tostring(name))
  if field then assert(why:find(field, 1, true), ("%q does not name %s"):format(why, field)) end
  assert(not why:find("[%c\x80-\xff]"), "an error text quotes the input: " .. why)
end

local function taken(codec, text)
  local got, name, why = codec.decode(text)
  if not got then error(("refused as %s (%s): %s"):format(name, why, text:sub(1, 200)), 2) end
  return got
end

-- fields: list of { path = {…}, kind = M.kinds.…, optional =, name = as the error text says it, only_form = values
-- that clash
-- with another field's are not tried as good }
local function field_specs(codec, sample, fields)
  for _, f in ipairs(fields) do
    local name = f.name or f.path[#f.path]
    if type(f.path[#f.path]) == "string" then
      it(("P0.3 %s missing"):format(name), function()
        local text = M.text(M.with(sample, f.path, nil))
        if f.optional then taken(codec, text) else refused(codec, text, name) end
      end)
    end
    it(("P0.3 %s of another type"):format(name), function()
      for _, v in ipairs(mistyped(f.kind.json_type)) do
        refused(codec, M.text(M.with(sample, f.path, v)), name)
      end
    end)
    it(("P0.3 %s at its limits and one over"):format(name), function()
      for _, v in ipairs(f.good or f.kind.good) do
        local ok, why = pcall(taken, codec, M.text(M.with(sample, f.path, v)))
        assert(ok, ("%s: %s"):format(brief(v), why))
      end
      for _, v in ipairs(f.kind.bad) do
        local ok, why = pcall(refused, codec, M.text(M.with(sample, f.path, v)))
        assert(ok, ("%s: %s"):format(brief(v), why))
      end
    end)
  end
end

local function strict_specs(codec, sample)
  local text = M.text(sample)
  local extended = function(value) return M.text(M.with(sample, { "zz" }, raw(value))) end

  it("P0.3 ignores unknown keys", function()
    assert.same(taken(codec, text), taken(codec, extended '{"a":[1,"x",null,true]}'))
  end)
  it("P0.3 wants its version and its type", function()
    for _, v in ipairs { 0, 2, -1, "1", true, raw "1.0", raw "null", raw "[]" } do
      refused(codec, M.text(M.with(sample, { "v" }, v)))
    end
    for _, t in ipairs { "", "Hello", "other", ("x"):rep(32), ("x"):rep(33), 1, raw "null", raw "{}" } do
      if t ~= get(sample, "type") then refused(codec, M.text(M.with(sample, { "type" }, t))) end
    end
    refused(codec, M.text(M.with(sample, { "v" }, nil)), "v")
    refused(codec, M.text(M.with(sample, { "type" }, nil)), "type")
  end)
  it("P0.1 refuses a duplicate of every key", function()
    for _, pair in ipairs(sample) do
      refused(codec, text:sub(1, -2) .. "," .. quote(pair[1]) .. ":" .. M.text(pair[2]) .. "}")
    end
    refused(codec, extended '{"a":1,"a":1}')
  end)
  it("P0.1 refuses what is not the strict form, in keys that it ignores as well", function()
    taken(codec, extended(("["):rep(7) .. ("]"):rep(7)))
    refused(codec, extended(("["):rep(8) .. ("]"):rep(8)))
    for _, bad in ipairs { "1.5", "1e3", "9007199254740992", "-9007199254740992", '"\\u0000"', '"\xff"',
      '{"\\u0000":1}',
      "nul", "'x'", "[1,]", "" } do
      refused(codec, extended(bad))
    end
    taken(codec, extended "9007199254740991")
  end)
  it("P0.1 refuses what stands around it", function()
    for _, bad in ipairs { text .. "x", text .. "\0", text .. text, text .. "}", "\0" .. text, "\u{feff}" .. text,
      "[" .. text .. "]",
      "", " ", "{", "null", "[]", "{}", text:sub(1, -2), text:sub(2) } do
      refused(codec, bad)
    end
  end)
  it("P0.5 survives every truncation", function()
    local step = #text > 3000 and #text // 1500 or 1
    for n = 0, #text - 1, step do refused(codec, text:sub(1, n)) end
  end)
end

-- Mutations
-- -------------------------------------------------------------------------------------------------------------------

local tokens = { "{", "}", "[", "]", ",", ":", '"', "\\", "\\u0000", "\0", "null", "true", "false", "-1", "0", "1.5",
  "1e9",
  "9007199254740991", "9007199254740992", '"v":1', '"type":""', "\xff", "\u{e9}", "=", "-", "_", "A", '{"a":1}',
    "[[[[[[[[", '""' }

local function mutate(random, s, other)
  local at = random(#s + 1)
  local what = random(8)
  if what == 1 and #s > 0 then -- a bit
    at = random(#s)
    return s:sub(1, at - 1) .. string.char(s:byte(at) ~ 1 << random(8) - 1) .. s:sub(at + 1)
  elseif what == 2 then -- a byte
    return s:sub(1, at - 1) .. string.char(random(256) - 1) .. s:sub(at + 1)
  elseif what == 3 then -- a token
    return s:sub(1, at - 1) .. tokens[random(#tokens)] .. s:sub(at)
  elseif what == 4 then -- a cut
    return s:sub(1, at - 1) .. s:sub(at + random(12))
  elseif what == 5 then -- a repetition
    local to = math.min(#s, at + random(40))
    return s:sub(1, to) .. s:sub(at)
  elseif what == 6 then -- a token in place of as many bytes
    local t = tokens[random(#tokens)]
    return s:sub(1, at - 1) .. t .. s:sub(at + #t)
  elseif what == 7 and #other > 0 then -- a piece of something else
    local from = random(#other)
    return s:sub(1, at - 1) .. other:sub(from, from + random(60)) .. s:sub(at)
  end
  return s:sub(1, at - 1) .. s:sub(at, at + random(20)):reverse() .. s:sub(at + 21)
end

-- Calls try(mutant) `count` times; seeded, so that a failure can be repeated.
function M.mutations(samples, count, seed, try)
  math.randomseed(seed)
  for _ = 1, count do
    local s = samples[math.random(#samples)]
    for _ = 1, math.random(3) do s = mutate(math.random, s, samples[math.random(#samples)]) end
    try(s)
  end
end

local function mutation_spec(kind, codec, samples)
  it("P0.5 stands 10,000 mutations", function()
    local passed = 0
    M.mutations(samples, 10000, 7, function(s)
      local got, name, why = codec.decode(s)
      if not got then
        assert(name == "bad_input" or name == "too_large", name)
        assert(#why > 0 and not why:find("[%c\x80-\xff]"), why)
        return
      end
      passed = passed + 1
      for _, item in ipairs(got.items or {}) do if item.unknown then return end end
      -- what the decoder takes, the encoder makes, and it means the same
      local again = assert(codec.encode(got))
      assert.same(got, assert(codec.decode(again)))
    end)
    -- a few do no harm: without them the line above was never reached
    assert(passed > 20, kind .. ": only " .. passed .. " mutants were taken")
  end)
end

-- Describes everything that any record decoder has to stand. sample: the ordered object; more: further samples for
-- the mutations.
function M.check(kind, sample, fields, more)
  local codec = assert(M.codecs[kind], kind)
  local text = M.text(sample)
  it("encodes what it decoded, byte for byte", function()
    assert.equal(text, codec.encode(taken(codec, text)))
  end)
  it("encodes nothing where the buffer is too small", function()
    local decoded = taken(codec, text)
    for cap = 0, #text - 1, math.max(1, #text // 200) do
      local got, name = codec.encode(decoded, cap)
      assert.is_nil(got)
      assert.equal("too_large", name)
    end
    assert.equal(text, codec.encode(decoded, #text + 1))
  end)
  it("tells its type", function()
    assert.equal(get(sample, "type"), wire.peek_type(text))
  end)
  field_specs(codec, sample, fields)
  strict_specs(codec, sample)
  local samples = { text }
  for _, s in ipairs(more or {}) do
    taken(codec, M.text(s))
    samples[#samples + 1] = M.text(s)
  end
  mutation_spec(kind, codec, samples)
end

M.taken, M.refused, M.get, M.raw = taken, refused, get, raw
return M
