local pake = require "support.pake"
local json = require "sotto.json"

local function unhex(text)
  return (text:gsub("%x%x", function(d) return string.char(tonumber(d, 16)) end))
end
local function hex(data)
  return (data:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function read_vectors()
  local file = assert(io.open("spec/vectors/cpace_vectors.json", "rb"))
  local text = file:read "a"
  file:close()
  return assert(json.decode(text))
end
local vectors = read_vectors()

local INITIATOR, RESPONDER = 0, 1
local run = {}
for name, value in pairs(vectors.run) do run[name] = unhex(value) end

describe("cpace vectors", function()
  it("prepend_len and lv_cat, as the generator string uses them", function()
    -- gen_str = lv_cat(DSI, PRS, zeros, CI, sid): with the parts before taken off, its end is lv_cat(CI, sid)
    local function tail(ci, sid)
      local all, before = pake.generator_string("", ci, sid), pake.generator_string("", "", "")
      return all:sub(#before - 1)
    end
    for _, v in ipairs(vectors.string_functions.prepend_len) do
      assert.equal(v.out .. "00", hex(tail(unhex(v["in"]), "")))
      assert.equal("00" .. v.out, hex(tail("", unhex(v["in"]))))
    end
    local parts = vectors.string_functions.lv_cat[1]
    local a, b = tail(unhex(parts["in"][1]), unhex(parts["in"][2])), tail(unhex(parts["in"][3]), unhex(parts["in"][4]))
    assert.equal(parts.out, hex(a .. b))
  end)

  it("transcripts in initiator-responder order", function()
    -- the tags' inputs are lv_cat(Y, AD): with the vector's values they are the halves of transcript_ir
    local sodium_free_key = ("\7"):rep(64)
    for _, v in ipairs(vectors.string_functions.transcript_ir) do
      local ya, ada, yb, adb = unhex(v.Ya), unhex(v.ADa), unhex(v.Yb), unhex(v.ADb)
      local function lv(x) return string.char(#x) .. x end
      assert.equal(v.out, hex(lv(ya) .. lv(ada) .. lv(yb) .. lv(adb)))
      -- the same bytes split elsewhere give another tag
      assert.not_equal(pake.tag(sodium_free_key, ya, ada), pake.tag(sodium_free_key, ya .. ada:sub(1, 1), ada:sub(2)))
    end
  end)

  it("generator string and generator", function()
    local g = vectors.generator
    local prs, ci, sid = unhex(g.PRS), unhex(g.CI), unhex(g.sid)
    local text = pake.generator_string(prs, ci, sid)
    assert.equal(g["generator_string(G.DSI,PRS,CI,sid,H.s_in_bytes)"], hex(text))
    assert.equal(g["encoded generator g"], hex(pake.generator(prs, ci, sid)))
  end)

  it("a run: shares, K, ISK", function()
    assert.equal(run.g, pake.generator(run.PRS, run.CI, run.sid))
    assert.equal(run.Ya, pake.multiply(run.ya, run.g))
    assert.equal(run.Yb, pake.multiply(run.yb, run.g))
    assert.equal(run.K, pake.multiply(run.ya, run.Yb))
    assert.equal(run.K, pake.multiply(run.yb, run.Ya))
    assert.equal(run.ISK_IR, pake.isk(run.sid, run.K, run.Ya, run.ADa, run.Yb, run.ADb))
    assert.not_equal(run.ISK_SY, pake.isk(run.sid, run.K, run.Ya, run.ADa, run.Yb, run.ADb))
  end)

  it("confirmation: mac_key, Ta, Tb", function()
    local ir = vectors._derived_not_official.confirmation.ir
    local key = pake.mac_key(run.sid, run.ISK_IR)
    assert.equal(ir.mac_key, hex(key))
    assert.equal(ir.Ta, hex(pake.tag(key, run.Ya, run.ADa)))
    assert.equal(ir.Tb, hex(pake.tag(key, run.Yb, run.ADb)))
    local oc = vectors._derived_not_official.confirmation.oc
    local symmetric = pake.mac_key(run.sid, run.ISK_SY)
    assert.equal(oc.mac_key, hex(symmetric))
    assert.equal(oc.Ta, hex(pake.tag(symmetric, run.Ya, run.ADa)))
    assert.equal(oc.Tb, hex(pake.tag(symmetric, run.Yb, run.ADb)))
  end)

  it("a run of two sides with the vector's scalars", function()
    local a, b = pake.side(INITIATOR, run.ya), pake.side(RESPONDER, run.yb)
    assert.equal(run.Ya, a:start(run.PRS, run.CI, run.sid))
    assert.equal(run.Yb, b:start(run.PRS, run.CI, run.sid))
    local ir = vectors._derived_not_official.confirmation.ir
    assert.equal(ir.Ta, hex(a:finish(run.Yb, run.ADa, run.ADb)))
    assert.equal(ir.Tb, hex(b:finish(run.Ya, run.ADb, run.ADa)))
    assert.equal(run.ISK_IR, a:isk())
    assert.equal(run.ISK_IR, b:isk())
    assert.is_true(a:check(unhex(ir.Tb)))
    assert.is_true(b:check(unhex(ir.Ta)))
  end)

  it("y[31] &= 0x0f", function()
    local function scalar(last) return run.ya:sub(1, 31) .. string.char(last) end
    local expected = pake.multiply(scalar(0x08), run.g)
    for _, high in ipairs { 0x00, 0x10, 0x80, 0xf0 } do
      assert.equal(expected, pake.side(INITIATOR, scalar(0x08 | high)):start(run.PRS, run.CI, run.sid))
    end
  end)

  it("scalar_mult_vfy, and its invalid cases", function()
    local v = vectors.scalar_mult_vfy
    local s = unhex(v.Valid.s)
    assert.equal(v.Valid["G.scalar_mult_vfy(s,X)"], hex(pake.multiply(s, unhex(v.Valid.X))))
    assert.equal(v.Valid["G.scalar_mult(s,decode(X))"], hex(pake.multiply(s, unhex(v.Valid.X))))
    for _, name in ipairs { "Invalid Y1", "Invalid Y2" } do
      assert.same({ nil, "crypto" }, { pake.multiply(s, unhex(v[name])) })
    end
  end)

  it("padding at its edges", function()
    local count = 0
    for _, v in ipairs(vectors._derived_not_official.zpad_edges) do
      local text = pake.generator_string(unhex(v.PRS), unhex(v.CI), unhex(v.sid))
      assert.equal(v.generator_string, hex(text))
      -- DSI with its length, PRS with its length (two digits from 128 on), then the padding's length
      local at = 1 + 17 + (v.PRS_len >= 128 and 2 or 1) + v.PRS_len + 1
      assert.equal(v.len_zpad, text:byte(at))
      assert.equal(("\0"):rep(v.len_zpad), text:sub(at + 1, at + v.len_zpad))
      count = count + 1
    end
    assert.equal(11, count)
  end)
end)

describe("cpace", function()
  local base = { prs = "correct horse", ci = "context", sid = ("s"):rep(64), ada = "disc a", adb = "disc b" }

  -- Both sides, each with inputs of its own; returns them and their tags.
  local function meet(ia, ib, seed)
    local a, b = pake.side(INITIATOR, seed or 1), pake.side(RESPONDER, (seed or 1) + 1)
    local ya, yb = assert(a:start(ia.prs, ia.ci, ia.sid)), assert(b:start(ib.prs, ib.ci, ib.sid))
    local ta, tb = assert(a:finish(yb, ia.ada, ia.adb)), assert(b:finish(ya, ib.adb, ib.ada))
    return a, b, ta, tb
  end
  local function changed(key, value)
    local out = {}
    for k, v in pairs(base) do out[k] = v end
    out[key] = value
    return out
  end

  it("both sides agree, and their tags differ", function()
    for seed = 1, 50 do
      local a, b, ta, tb = meet(base, base, seed)
      assert.equal(a:isk(), b:isk())
      assert.is_true(a:check(tb))
      assert.is_true(b:check(ta))
      assert.not_equal(ta, tb)
      assert.is_false(a:check(ta)) -- reflection
      assert.is_false(b:check(tb))
    end
  end)

  it("the password may be empty (mode pinned)", function()
    local empty = changed("prs", "")
    local a, b, ta, tb = meet(empty, empty)
    assert.is_true(a:check(tb) and b:check(ta))
    a, b, ta, tb = meet(empty, base)
    assert.is_false(a:check(tb) or b:check(ta))
  end)

  it("P2.1 a mutation of any input at one side fails at both", function()
    local mutations = {
      prs = { "Correct horse", "correct hors", "correct horse ", "", "correct horse\0" },
      ci = { "Context", "contex", "", "context\0" },
      sid = { ("s"):rep(63), ("s"):rep(65), ("s"):rep(63) .. "t", "" },
      ada = { "disc A", "disc ", "", "disc b" },
      adb = { "disc B", "disc ", "", "disc a" },
    }
    for key, values in pairs(mutations) do
      for _, value in ipairs(values) do
        local other = changed(key, value)
        for _, pair in ipairs { { base, other }, { other, base } } do
          local a, b, ta, tb = meet(pair[1], pair[2])
          assert.not_equal(a:isk(), b:isk())
          assert.is_false(a:check(tb), key)
          assert.is_false(b:check(ta), key)
        end
      end
    end
    -- what stands where cannot be moved over a border either
    local a, b, ta, tb = meet(base, (function()
      local moved = changed("ci", "contex")
      moved.sid = "t" .. base.sid
      return moved
    end)())
    assert.is_false(a:check(tb) or b:check(ta))
  end)

  it("P2.1 two initiators do not agree", function()
    local a, b = pake.side(INITIATOR, 1), pake.side(INITIATOR, 2)
    local ya, yb = a:start(base.prs, base.ci, base.sid), b:start(base.prs, base.ci, base.sid)
    local ta, tb = a:finish(yb, base.ada, base.adb), b:finish(ya, base.adb, base.ada)
    assert.is_false(a:check(tb) or b:check(ta))
  end)

  it("P2.1 a share changed on the way fails at both", function()
    local other = pake.side(INITIATOR, 99):start(base.prs, base.ci, base.sid)
    local a, b = pake.side(INITIATOR, 1), pake.side(RESPONDER, 2)
    a:start(base.prs, base.ci, base.sid)
    local yb = b:start(base.prs, base.ci, base.sid)
    local ta, tb = a:finish(yb, base.ada, base.adb), b:finish(other, base.adb, base.ada)
    assert.is_false(a:check(tb) or b:check(ta))
  end)

  it("every bit of a tag counts", function()
    local a, _, _, tb = meet(base, base)
    for i = 1, 64 do
      for bit = 0, 7 do
        assert.is_false(a:check(tb:sub(1, i - 1) .. string.char(tb:byte(i) ~ 1 << bit) .. tb:sub(i + 1)))
      end
    end
  end)

  it("P2.3 a bad share is an error, and going on fails where a wrong password does", function()
    local bad = { ("\0"):rep(32), ("\xff"):rep(32), "\1" .. ("\0"):rep(31),
      unhex(vectors.scalar_mult_vfy["Invalid Y1"]) }
    for _, role in ipairs { INITIATOR, RESPONDER } do
      for i, share in ipairs(bad) do
        local a = pake.side(role, i)
        local own = a:start(base.prs, base.ci, base.sid)
        assert.same({ nil, "crypto" }, { a:finish(share, base.ada, base.adb) })
        -- whoever sent it could compute everything but K, so K must be nothing that can be guessed
        local ya, yb = own, share
        if role == RESPONDER then ya, yb = share, own end
        local ada, adb = base.ada, base.adb
        if role == RESPONDER then ada, adb = base.adb, base.ada end
        for _, k in ipairs { ("\0"):rep(32), share, own } do
          assert.not_equal(pake.isk(base.sid, k, ya, ada, yb, adb), a:isk())
        end
        assert.equal(64, #a:tag())
        assert.is_false(a:check(a:tag()))
        local tx, rx = a:keys(("\5"):rep(32))
        assert.not_equal(tx, rx)
        -- nothing of it can be computed from the share: another run gives other keys
        local b = pake.side(role, i + 50)
        b:start(base.prs, base.ci, base.sid)
        b:finish(share, base.ada, base.adb)
        assert.not_equal(a:isk(), b:isk())
      end
    end
  end)

  it("P2.3 refuses its own share", function()
    local a = pake.side(RESPONDER, 3)
    local own = a:start(base.prs, base.ci, base.sid)
    assert.same({ nil, "crypto" }, { a:finish(own, base.adb, base.ada) })
    -- and what it goes on with is not made from it
    a = pake.side(INITIATOR, run.ya)
    own = a:start(run.PRS, run.CI, run.sid)
    assert.is_nil((a:finish(own, run.ADa, run.ADb)))
    assert.not_equal(pake.isk(run.sid, pake.multiply(run.ya, own), own, run.ADa, own, run.ADb), a:isk())
  end)

  it("fails where the random source gives nothing but zeros", function()
    assert.same({ nil, "internal" }, { pake.side(INITIATOR, ("\0"):rep(32)):start(base.prs, base.ci, base.sid) })
    -- zeros but for the bits that are cleared
    assert.same({ nil, "internal" },
      { pake.side(INITIATOR, ("\0"):rep(31) .. "\xf0"):start(base.prs, base.ci, base.sid) })
  end)

  it("takes inputs up to their limit", function()
    local long, over = ("x"):rep(8192), ("x"):rep(8193)
    local a = pake.side(INITIATOR, 1)
    assert.truthy((a:start(long, long, long)))
    local share = pake.side(RESPONDER, 2):start(base.prs, base.ci, base.sid)
    assert.truthy((a:finish(share, long, long)))
    for _, key in ipairs { 1, 2, 3 } do
      local inputs = { "", "", "" }
      inputs[key] = over
      assert.same({ nil, "too_large" }, { pake.side(INITIATOR, 1):start(table.unpack(inputs)) })
    end
    for _, ads in ipairs { { over, "" }, { "", over } } do
      local b = pake.side(INITIATOR, 1)
      b:start("", "", "")
      assert.same({ nil, "too_large" }, { b:finish(share, table.unpack(ads)) })
    end
  end)

  it("P2.5 link keys: one for each direction, of the transcript and the ISK", function()
    local wire = require "support.wire"
    local a, b = meet(base, base)
    local transcript = wire.hash "M1 … M4"
    local atx, arx = a:keys(transcript)
    local btx, brx = b:keys(transcript)
    assert.equal(atx, brx)
    assert.equal(arx, btx)
    assert.not_equal(atx, arx)
    assert.equal(hex(wire.hash_keyed(a:isk(), "sotto/1 I>R" .. transcript)), hex(atx))
    assert.equal(hex(wire.hash_keyed(a:isk(), "sotto/1 R>I" .. transcript)), hex(arx))
    assert.not_equal(atx, (a:keys(wire.hash "M1 … M4 changed")))
    local c = meet(base, base, 7)
    assert.not_equal(atx, (c:keys(transcript)))
  end)
end)
