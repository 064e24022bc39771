local wire = require "support.wire"
local R = require "wire.records"
local K = R.kinds
local codec = R.codecs.payload

local TEXT, CLOSE, REKEY, UNKNOWN = 0, 1, 2, 4
local MAX, BUILD_MAX, TEXT_MAX = 1024 * 1024, 1024 * 1024 - 16 * 1024, 65536

local function text_item(i, text)
  return { { "t", "text" }, { "nonce", R.b64(R.bytes(16, i)) }, { "time", 1700000000000 + i }, { "text",
    text or "hi \u{1f600}" } }
end
local close_item = { { "t", "close" } }
local function complaint_item(t)
  local fields = { sender = R.fingerprint(2), sequence = 7, hash = R.b64(R.bytes(32, 6)) }
  for k, v in pairs(t or {}) do fields[k] = v end
  return { { "t", "complaint" }, { "sender", fields.sender }, { "sequence", fields.sequence }, { "hash", fields.hash } }
end
local function rekey_item(n) return { { "t", "rekey" }, { "certificate", R.b64(R.bytes(n or 391, 5)) } } end
local function seen_row(i) return { array = { R.fingerprint(i), i, R.b64(R.bytes(32, i)) } } end

local payload = {
  { "v", 1 }, { "type", "payload" }, { "discussion", R.id(1) }, { "epoch", 0 }, { "roster_hash", R.b64(R.bytes(32)) },
  { "sender", R.fingerprint(1) }, { "sequence", 1 }, { "previous", R.b64(R.bytes(32, 2)) },
  { "seen", { array = { seen_row(2), seen_row(3) } } }, { "time", 1700000000000 },
  { "items", { array = { text_item(1), close_item } } },
}

describe("payload", function()
  local text_kind = K.string(1, TEXT_MAX)
  R.check("payload", payload, {
    { path = { "discussion" }, kind = K.id() },
    { path = { "epoch" }, kind = K.epoch() },
    { path = { "roster_hash" }, kind = K.hash() },
    { path = { "sender" }, kind = K.fingerprint() },
    { path = { "sequence" }, kind = K.integer(1, 9007199254740991) },
    { path = { "previous" }, kind = K.hash() },
    { path = { "seen" }, kind = K.array() },
    { path = { "seen", 2 }, kind = K.array(), name = "seen[1]" },
    { path = { "seen", 2, 1 }, kind = K.fingerprint(), name = "seen[1][0]" },
    { path = { "seen", 2, 2 }, kind = K.integer(1, 9007199254740991), name = "seen[1][1]" },
    { path = { "seen", 2, 3 }, kind = K.hash(), name = "seen[1][2]" },
    { path = { "time" }, kind = K.time() },
    { path = { "items" }, kind = K.array() },
    { path = { "items", 1 }, kind = K.object(), name = "items[0]" },
    { path = { "items", 1, "t" }, kind = K.string(1, 32), good = { "close", ("x"):rep(32) }, name = "items[0].t" },
    { path = { "items", 1, "nonce" }, kind = K.binary(16, 16), name = "items[0].nonce" },
    { path = { "items", 1, "time" }, kind = K.time(), name = "items[0].time" },
    { path = { "items", 1, "text" }, kind = text_kind, name = "items[0].text" },
  }, {
    R.with(payload, { "seen" }, { array = {} }), R.with(payload, { "items" }, { array = {} }),
    R.with(payload, { "items" }, { array = { close_item, { { "t", "invite" }, { "x", 1 } }, text_item(2) } }),
    R.with(payload, { "items" }, { array = { rekey_item(), text_item(2) } }),
  })

  it("P4.2 brings at most one new key, of at most 1 KiB", function()
    local function with(...) return R.text(R.with(payload, { "items" }, { array = { ... } })) end
    local got = R.taken(codec, with(text_item(1), rekey_item()))
    assert.same({ TEXT, REKEY }, { got.items[1].type, got.items[2].type })
    assert.equal(R.bytes(391, 5), got.items[2].certificate)
    assert.equal(with(text_item(1), rekey_item()), codec.encode(got))
    for n = 1, 7 do R.taken(codec, codec.encode(R.taken(codec, with(rekey_item(n))))) end
    R.taken(codec, with(rekey_item(1024)))
    R.refused(codec, with(rekey_item(1025)), "certificate")
    R.refused(codec, with(rekey_item(0)), "certificate")
    R.refused(codec, with({ { "t", "rekey" } }), "certificate")
    R.refused(codec, with({ { "t", "rekey" }, { "certificate", 5 } }), "certificate")
    R.refused(codec, with(rekey_item(), rekey_item()), "items")
    got.items[3] = got.items[2]
    assert.equal("bad_params", select(2, codec.encode(got)))
    got.items = { { type = REKEY } }
    assert.equal("bad_params", select(2, codec.encode(got)))
  end)

  it("P5.8 complains of another's message by its sequence and hash", function()
    local function with(...) return R.text(R.with(payload, { "items" }, { array = { ... } })) end
    local got = R.taken(codec, with(text_item(1), complaint_item()))
    assert.same({ R.fingerprint(2), 7, R.bytes(32, 6) }, { got.items[2].about, got.items[2].sequence, got.items[2].hash })
    assert.equal(with(text_item(1), complaint_item()), codec.encode(got))
    R.taken(codec, codec.encode(R.taken(codec, with(complaint_item { sequence = 9007199254740991 }))))
    R.refused(codec, with(complaint_item { sequence = 0 }), "sequence")
    R.refused(codec, with(complaint_item { sender = "bob" }), "sender")
    R.refused(codec, with(complaint_item { hash = R.b64(R.bytes(31)) }), "hash")
    R.refused(codec, with({ { "t", "complaint" } }), "sender")
  end)

  it("P3.3 holds 0 to 1000 items", function()
    local function with(n)
      local list = {}
      for i = 1, n do list[i] = text_item(i, "x") end
      return R.text(R.with(payload, { "items" }, { array = list }))
    end
    for _, n in ipairs { 0, 1, 999, 1000 } do
      local got = R.taken(codec, with(n))
      assert.equal(n, #got.items)
      assert.equal(with(n), codec.encode(got))
    end
    R.refused(codec, with(1001), "items")
    local got = R.taken(codec, with(1000))
    got.items[1001] = got.items[1]
    assert.equal("bad_params", select(2, codec.encode(got)))
  end)

  it("P3.3 has seen up to 63 others, none twice and never its sender", function()
    local function with(from, to)
      local list = {}
      for i = from, to do list[#list + 1] = seen_row(i) end
      return R.with(payload, { "seen" }, { array = list })
    end
    assert.equal(63, #R.taken(codec, R.text(with(2, 64))).seen)
    R.refused(codec, R.text(with(2, 65)), "seen")
    R.refused(codec, R.text(with(1, 2)), "seen")
    R.refused(codec, R.text(R.with(payload, { "seen" }, { array = { seen_row(2), seen_row(3), seen_row(2) } })), "seen")
    for _, bad in ipairs { { R.fingerprint(2), 1 }, { R.fingerprint(2), 1, R.b64(R.bytes(32)), 1 }, {} } do
      R.refused(codec, R.text(R.with(payload, { "seen", 1 }, { array = bad })), "seen")
    end
    local good = R.taken(codec, R.text(payload))
    good.seen[2] = good.seen[1]
    assert.equal("bad_params", select(2, codec.encode(good)))
    good.seen = { { fingerprint = good.sender, sequence = 1, hash = R.bytes(32) } }
    assert.equal("bad_params", select(2, codec.encode(good)))
    good.seen = {}
    for i = 2, 65 do good.seen[#good.seen + 1] = { fingerprint = R.fingerprint(i), sequence = 1,
      hash = R.bytes(32) } end
    assert.equal("bad_params", select(2, codec.encode(good)))
  end)

  it("keeps an item of a later version as it is", function()
    local item = '{"t":"invite","x":[1,{"y":"z"}],"text":5,"nonce":null}'
    local got = R.taken(codec, R.text(R.with(payload, { "items" }, { array = { close_item, R.raw(item),
      text_item(1) } })))
    assert.same({ CLOSE, UNKNOWN, TEXT }, { got.items[1].type, got.items[2].type, got.items[3].type })
    assert.equal(item, got.items[2].unknown)
    assert.equal("bad_params", select(2, codec.encode(got)))
  end)

  it("P3.5 keeps texts in memory that is wiped", function()
    assert.is_true(R.taken(codec, R.text(payload)).items[1].wiped)
  end)

  it("P0.4 is at most 1 MiB", function()
    local text = R.text(payload)
    R.taken(codec, text .. (" "):rep(MAX - #text))
    R.refused(codec, text .. (" "):rep(MAX + 1 - #text))
  end)

  it("P3.3 builds payloads that still fit a frame when they are sealed, and no larger ones", function()
    local good = R.taken(codec, R.text(R.with(payload, { "items" }, { array = {} })))
    local base = #codec.encode(good)
    local item = { type = TEXT, nonce = R.bytes(16), time_ms = 1700000000000 }
    local function with(length) -- of the whole payload
      local items, left = {}, length - base
      while left > 0 do
        local frame = 76 + (#items > 0 and 1 or 0) -- what an item of this time takes beside its text
        local size = math.min(TEXT_MAX, left - frame)
        if left - frame - size > 0 and left - frame - size < 200 then size = size - 200 end
        items[#items + 1] = { type = TEXT, nonce = item.nonce, time_ms = item.time_ms, text = ("x"):rep(size) }
        left = left - frame - size
      end
      good.items = items
      return codec.encode(good)
    end
    local largest, name = with(BUILD_MAX)
    assert.equal(BUILD_MAX, largest and #largest, name)
    R.taken(codec, largest)
    largest, name = with(BUILD_MAX + 1)
    assert.is_nil(largest)
    assert.equal("too_large", name)
  end)

  it("tells the size of items so that a batch can be cut", function()
    -- encode in the support module compares each payload with what was announced; here the announcement is tight
    local everything = {}
    for c = 1, 0x2ff do everything[#everything + 1] = utf8.char(c) end
    for _, text in ipairs { "x", ("\1"):rep(TEXT_MAX), ("\""):rep(100), ("\u{20ac}"):rep(1000),
      table.concat(everything) } do
      local good = R.taken(codec, R.text(payload))
      good.items = {}
      for i = 1, 2 do good.items[i] = { type = TEXT, nonce = R.bytes(16), time_ms = 9007199254740991, text = text } end
      good.items[3] = { type = CLOSE }
      good.epoch, good.sequence, good.time_ms = 4294967295, 9007199254740991, 9007199254740991
      assert.equal(text, R.taken(codec, assert(codec.encode(good))).items[1].text)
    end
    local closes = R.taken(codec, R.text(payload))
    for i = 1, 1000 do closes.items[i] = { type = CLOSE } end
    assert.truthy((codec.encode(closes)))
    local full = R.taken(codec, R.text(payload))
    full.epoch, full.sequence, full.time_ms, full.seen = 4294967295, 9007199254740991, 9007199254740991, {}
    for i = 2, 64 do full.seen[i - 1] = { fingerprint = R.fingerprint(i), sequence = 9007199254740991,
      hash = R.bytes(32) } end
    assert.truthy((codec.encode(full)))
  end)

  it("P0.1 a full payload stays under 20,000 values", function()
    local good = R.taken(codec, R.text(payload))
    good.items, good.seen = {}, {}
    for i = 1, 1000 do good.items[i] = { type = TEXT, nonce = R.bytes(16, i), time_ms = i, text = "x" } end
    for i = 2, 64 do good.seen[i - 1] = { fingerprint = R.fingerprint(i), sequence = i, hash = R.bytes(32) } end
    assert.equal(1000, #R.taken(codec, codec.encode(good)).items)
  end)

  it("refuses to encode texts out of their limits", function()
    local good = R.taken(codec, R.text(payload))
    for _, text in ipairs { "", ("x"):rep(TEXT_MAX + 1), "\0", "\xff", "a\xed\xa0\x80" } do
      good.items[1].text = text
      assert.equal("bad_params", select(2, codec.encode(good)))
    end
    good.items[1].text = nil
    assert.equal("bad_params", select(2, codec.encode(good)))
  end)
end)

describe("message text", function()
  it("is 1 to 65,536 bytes of UTF-8", function()
    assert.is_true(wire.text_check "x")
    assert.is_true(wire.text_check(("x"):rep(TEXT_MAX)))
    assert.is_true(wire.text_check(("\u{20ac}"):rep(TEXT_MAX // 3)))
    assert.equal("bad_params", select(2, wire.text_check ""))
    assert.equal("too_large", select(2, wire.text_check(("x"):rep(TEXT_MAX + 1))))
    assert.equal("bad_params", select(2, wire.text_check "a\0b"))
    assert.equal("bad_params", select(2, wire.text_check "\xff"))
    assert.equal("bad_params", select(2, wire.text_check "\xc3"))
  end)
end)

describe("message id", function()
  local discussion, sender, nonce = R.id(1), R.fingerprint(1), R.bytes(16)
  it("is the first half of H(lv_cat(…)), in hex", function()
    local input = "\15sotto/1 message" .. "\32" .. discussion .. "\40" .. sender .. "\16" .. nonce
    local expected = wire.hash(input):sub(1, 16):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    assert.equal(expected, wire.message_id(discussion, sender, nonce))
  end)
  it("is another one for another discussion, sender or nonce", function()
    local id = wire.message_id(discussion, sender, nonce)
    assert.not_equal(id, wire.message_id(R.id(2), sender, nonce))
    assert.not_equal(id, wire.message_id(discussion, R.fingerprint(2), nonce))
    assert.not_equal(id, wire.message_id(discussion, sender, R.bytes(16, 2)))
  end)
end)
