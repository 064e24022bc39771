local fixture = require "store.fixture"

describe("payloads", function()
  local f, s
  local d, me, you = fixture.id(1), fixture.fingerprint(0), fixture.fingerprint(1)
  before_each(function()
    f = fixture.new(2)
    s = f.s
  end)
  after_each(function() f.done() end)

  local function key(sequence, t)
    local k = { discussion = d, epoch = 0, sender = me, sequence = sequence }
    for name, v in pairs(t or {}) do k[name] = v end
    return k
  end

  it("P3.10 gives back the exact bytes that were committed before the first seal", function()
    local odd = '{ "seq" : 1 }\0\255\n'
    assert(s:payload_append(fixture.payload(1, { payload = odd })))
    s = f.reopen()
    local p = s:payload_get(key(1))
    assert.equal(odd, p.payload)
    assert.equal(7001, p.time)
    assert.is_nil(p.message)
    assert.is_nil(p.session_key)
    assert.equal(s:head_get(d, 0, me).hash, p.hash)
  end)

  it("P3.10 keeps the bytes over each new seal", function()
    assert(s:payload_append(fixture.payload(1)))
    assert(s:payload_set_message(key(1), "sealed once", "9:AA"))
    assert(s:payload_set_message(key(1), "sealed twice"))
    local p = f.reopen():payload_get(key(1))
    assert.same({ fixture.payload(1).payload, "sealed twice" }, { p.payload, p.message })
    assert.is_nil(p.session_key)
  end)

  it("P3.11 keeps what came as it travelled, with its session key", function()
    local sealed = fixture.bytes(483)
    assert(s:payload_append(fixture.payload(1, { sender = you, message = sealed, session_key = "9:0011" })))
    local p = f.reopen():payload_get(key(1, { sender = you }))
    assert.same({ sealed, "9:0011" }, { p.message, p.session_key })
  end)

  it("P3.10 never skips, doubles or rebuilds a sequence", function()
    for _, n in ipairs { 2, 3 } do assert.equal("wrong_state", select(2, s:payload_append(fixture.payload(n)))) end
    assert(s:payload_append(fixture.payload(1)))
    local _, code, text = s:payload_append(fixture.payload(1, { payload = "another" }))
    assert.equal("wrong_state", code)
    assert.truthy(text:find(me, 1, true))
    assert.equal("wrong_state", select(2, s:payload_append(fixture.payload(3))))
    assert(s:payload_append(fixture.payload(2)))
    assert.equal(fixture.payload(1).payload, s:payload_get(key(1)).payload)
    assert.equal(2, s:head_get(d, 0, me).sequence)
  end)

  it("P3.3 counts each sender, epoch and discussion for itself", function()
    assert(s:payload_append(fixture.payload(1)))
    assert(s:payload_append(fixture.payload(1, { sender = you })))
    assert(s:payload_append(fixture.payload(1, { epoch = 1 })))
    assert(s:payload_append(fixture.payload(1, { discussion = fixture.id(2) })))
    assert(s:payload_append(fixture.payload(2)))
    assert.equal("wrong_state", select(2, s:payload_append(fixture.payload(3, { sender = you }))))
    assert.is_nil(s:payload_get(key(2, { sender = you })))
    assert.is_nil(s:payload_get(key(2, { epoch = 1 })))
  end)

  it("P3.7 lists what follows a sequence, rising and bounded, of that sender and epoch only", function()
    assert(s:begin())
    for n = 1, 20 do
      assert(s:payload_append(fixture.payload(n)))
      assert(s:payload_append(fixture.payload(n, { sender = you })))
      assert(s:payload_append(fixture.payload(n, { epoch = 1 })))
    end
    assert(s:commit())
    assert(s:payload_set_message(key(19), "sealed"))
    local function after(n, limit)
      local list = {}
      for i, p in ipairs(assert(s:payload_each_after(key(n), limit))) do
        assert.same({ d, 0, me, fixture.payload(p.sequence).payload },
          { p.discussion, p.epoch, p.sender, p.payload })
        list[i] = p.sequence
      end
      return list
    end
    assert.same({ 1, 2, 3 }, after(0, 3))
    assert.same({ 18, 19, 20 }, after(17, 1000))
    assert.same({}, after(20, 10))
    assert.equal("sealed", s:payload_each_after(key(18), 1)[1].message)
    local seen = 0
    s:payload_each_after(key(0), 10, function()
      seen = seen + 1
      return seen < 4
    end)
    assert.equal(4, seen)
  end)

  it("has limits", function()
    local mega = 1 << 20
    assert(s:payload_append(fixture.payload(1, { payload = ("p"):rep(mega), message = ("m"):rep(2 * mega),
      session_key = ("k"):rep(1024) })))
    local p = s:payload_get(key(1))
    assert.same({ mega, 2 * mega, 1024 }, { #p.payload, #p.message, #p.session_key })
    for _, t in ipairs { { payload = ("p"):rep(mega + 1) }, { message = ("m"):rep(2 * mega + 1) },
      { message = "m", session_key = ("k"):rep(1025) } } do
      assert.equal("too_large", select(2, s:payload_append(fixture.payload(2, t))))
    end
    assert.equal("too_large", select(2, s:payload_set_message(key(1), ("m"):rep(2 * mega + 1))))
    for _, limit in ipairs { 0, 1001 } do
      assert.equal("bad_params", select(2, s:payload_each_after(key(0), limit)))
    end
    for _, n in ipairs { 0, -1, (1 << 53) + 1 } do
      assert.equal("bad_params", select(2, s:payload_append(fixture.payload(n))))
    end
    for _, t in ipairs { { sender = "A" }, { discussion = "a" } } do
      assert.equal("bad_params", select(2, s:payload_append(fixture.payload(2, t))))
    end
    assert.equal("not_found", select(2, s:payload_append(fixture.payload(1, { discussion = fixture.id(3) }))))
    assert.equal("not_found", select(2, s:payload_set_message(key(2), "m")))
  end)
end)
