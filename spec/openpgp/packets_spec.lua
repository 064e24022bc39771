local openpgp = require "support.openpgp"
local gnupg = require "support.gnupg"

local packet, old_packet, partial_packet = gnupg.packet, gnupg.old_packet, gnupg.partial_packet

describe("packets", function()
  local A, B, C = "00112233445566AA", "00112233445566BB", "00112233445566CC"
  local mpi = "\0\8\255"

  local function id_bytes(id) return (id:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end

  -- the bodies of an ECDH PKESK and of a SEIPD packet
  local function pkesk_body(id, version) return string.char(version or 3) .. id_bytes(id) .. "\18" .. mpi .. "\4wrap" end
  local function pkesk(id) return packet(1, pkesk_body(id)) end
  local function data(n) return "\1" .. ("x"):rep((n or 200) - 1) end
  local function seipd(n) return packet(18, data(n)) end

  local function refuses(message, ids, pattern, code)
    local ok, name, text = openpgp.sealed(message, ids)
    assert.is_nil(ok)
    assert.are.equal(code or "bad_input", name)
    if pattern then assert.truthy(text:find(pattern), text) end
  end

  describe("sealed", function()
    it("P3.1 takes exactly the given recipients in order, then SEIPD", function()
      assert.is_true(openpgp.sealed(pkesk(A) .. seipd(), { A }))
      assert.is_true(openpgp.sealed(pkesk(A) .. pkesk(B) .. pkesk(C) .. seipd(), { A, B, C }))
      assert.is_true(openpgp.sealed(pkesk(C) .. pkesk(A) .. seipd(), { C, A }))
    end)

    it("P3.1 takes old and new format, every definite length, and a SEIPD packet in parts", function()
      for _, type in ipairs { 0, 1, 2 } do
        assert.is_true(openpgp.sealed(old_packet(1, pkesk_body(A), type) .. seipd(), { A }))
      end
      assert.is_true(openpgp.sealed(packet(1, pkesk_body(A), 5) .. packet(18, data(300), 5), { A }))
      assert.is_true(openpgp.sealed(pkesk(A) .. partial_packet(18, data(2000), 9, 10), { A }))
      assert.is_true(openpgp.sealed(pkesk(A) .. partial_packet(18, data(512), 9), { A })) -- an empty last part
    end)

    it("P3.2 refuses reordered, missing, extra, repeated and foreign recipients", function()
      refuses(pkesk(B) .. pkesk(A) .. seipd(), { A, B }, "recipient 1 is " .. B)
      refuses(pkesk(A) .. seipd(), { A, B }, "1 recipients and not 2")
      refuses(pkesk(A) .. pkesk(B) .. seipd(), { A }, "more than 1")
      refuses(pkesk(A) .. pkesk(A) .. seipd(), { A }, "more than 1")
      refuses(pkesk(A) .. pkesk(A) .. seipd(), { A, B }, "recipient 2")
      refuses(pkesk(C) .. seipd(), { A }, "recipient 1 is " .. C)
      refuses(seipd(), { A }, "0 recipients")
    end)

    it("P4.2 names its recipients before anything else is looked at", function()
      assert.are.same({ B, A }, openpgp.recipients(pkesk(B) .. pkesk(A) .. seipd()))
      assert.are.same({}, openpgp.recipients(seipd()))
      assert.are.same({ A, A }, openpgp.recipients(pkesk(A) .. pkesk(A)))
      assert.are.same({ "0000000000000000" }, openpgp.recipients(pkesk("0000000000000000") .. seipd()))
      local none, code = openpgp.recipients(pkesk(A) .. pkesk(B) .. pkesk(C) .. seipd(), 2)
      assert.is_nil(none)
      assert.are.equal("too_large", code)
      for _, broken in ipairs { packet(1, "\3short"), pkesk(A):sub(1, -2), "\0", pkesk(A) .. "\193" } do
        none, code = openpgp.recipients(broken)
        assert.is_nil(none)
        assert.are.equal("bad_input", code)
      end
    end)

    it("P3.2 refuses hidden recipients", function()
      refuses(pkesk("0000000000000000") .. seipd(), { A }, "hidden")
    end)

    it("P3.2 refuses rosters with two equal key ids, no id, none, and too many", function()
      refuses(pkesk(A) .. pkesk(A) .. seipd(), { A, A }, "same key id", "bad_params")
      refuses(pkesk(A) .. seipd(), { "0000000000000000" }, nil, "bad_params")
      refuses(seipd(), {}, nil, "bad_params")
      local ids, message = {}, {}
      for i = 1, 65 do
        ids[i] = ("%016X"):format(i)
        message[i] = pkesk(ids[i])
      end
      refuses(table.concat(message) .. seipd(), ids, nil, "bad_params")
      table.remove(ids)
      assert.is_true(openpgp.sealed(table.concat(message, "", 1, 64) .. seipd(), ids))
    end)

    it("P3.2 refuses every other packet, wherever it stands", function()
      for kind = 0, 63 do
        local extra = packet(kind, "\1" .. ("x"):rep(60))
        refuses(extra .. pkesk(A) .. pkesk(B) .. seipd(), { A, B })
        refuses(pkesk(A) .. extra .. pkesk(B) .. seipd(), { A, B })
        refuses(pkesk(A) .. pkesk(B) .. extra .. seipd(), { A, B })
        refuses(pkesk(A) .. pkesk(B) .. seipd() .. extra, { A, B })
        if kind ~= 18 then refuses(pkesk(A) .. pkesk(B) .. extra, { A, B }) end
      end
    end)

    it("P3.2 refuses other versions of both packets", function()
      for version = 0, 255 do
        if version ~= 3 then refuses(packet(1, pkesk_body(A, version)) .. seipd(), { A }, "version 3") end
        if version ~= 1 then
          refuses(pkesk(A) .. packet(18, string.char(version) .. ("x"):rep(100)), { A }, "version 1")
        end
      end
    end)

    it("P3.2 refuses lengths that are indefinite, partial where they must not be, or lie", function()
      refuses(old_packet(1, pkesk_body(A), 3) .. seipd(), { A })
      refuses(partial_packet(1, pkesk_body(A) .. ("x"):rep(600), 9) .. seipd(), { A })
      refuses(pkesk(A) .. partial_packet(18, data(300), 8), { A }) -- a first part of less than 512 bytes
      refuses(pkesk(A) .. "\210\255\255\255\255\255\1", { A })
      refuses(pkesk(A) .. "\210\254\1", { A }) -- a part of 2^30 bytes
      refuses(pkesk(A) .. packet(18, "\1"), { A })
      refuses(pkesk(A) .. packet(18, ""), { A })
      refuses(packet(1, "") .. seipd(), { A })
      refuses(packet(1, pkesk_body(A) .. "x") .. seipd(), { A }, "inner lengths")
      refuses(packet(1, pkesk_body(A):sub(1, -2)) .. seipd(), { A }, "inner lengths")
      refuses(packet(1, (pkesk_body(A):gsub("\18", "\99", 1))) .. seipd(), { A }, "unknown algorithm 99")
    end)

    it("P3.2 refuses armor, nothing, and whatever follows the end", function()
      refuses("-----BEGIN PGP MESSAGE-----\n\n", { A }, "not a binary")
      refuses("", { A })
      refuses(pkesk(A) .. seipd() .. "\0", { A })
      refuses(pkesk(A) .. seipd() .. pkesk(A) .. seipd(), { A })
    end)

    it("P0.4 refuses more than 1 MiB without looking at it", function()
      local head = pkesk(A)
      local most = 1048576 - #head - 6
      assert.is_true(openpgp.sealed(head .. packet(18, data(most)), { A }))
      refuses(head .. packet(18, data(most + 1)), { A }, nil, "too_large")
    end)

    it("P3.2 refuses a message cut short at any byte", function()
      for _, message in ipairs {
        pkesk(A) .. pkesk(B) .. seipd(), pkesk(A) .. pkesk(B) .. partial_packet(18, data(1700), 9, 10),
      } do
        for n = 0, #message - 1 do refuses(message:sub(1, n), { A, B }) end
      end
    end)

    it("P0.5 stands any junk", function()
      local seed = 12345
      local function random(n)
        seed = (seed * 1103515245 + 12345) & 0x7fffffff
        return (seed >> 8) % n
      end
      local valid = pkesk(A) .. partial_packet(18, data(700), 9)
      for _ = 1, 20000 do
        local bytes = { valid:byte(1, -1) }
        for _ = 1, 1 + random(4) do bytes[1 + random(#bytes)] = random(256) end
        openpgp.sealed(string.char(table.unpack(bytes, 1, 1 + random(#bytes))), { A })
        local junk = {}
        for i = 1, random(64) do junk[i] = string.char(random(256)) end
        openpgp.sealed(table.concat(junk), { A })
        openpgp.signature(table.concat(junk))
        openpgp.certificate(table.concat(junk))
        openpgp.certificate(table.concat(junk), true)
      end
    end)
  end)

  describe("signature", function()
    local function body(options)
      options = options or {}
      local hashed, unhashed = options.hashed or "\5\2\1\2\3\4", options.unhashed or ""
      return string.char(options.version or 4, options.type or 0, options.algorithm or 22, 10) ..
        string.pack(">s2", hashed) .. string.pack(">s2", unhashed) .. "ab" .. (options.mpis or mpi .. mpi)
    end

    local function bad(bytes, pattern, code)
      local ok, name, text = openpgp.signature(bytes)
      assert.is_nil(ok)
      assert.are.equal(code or "bad_input", name)
      if pattern then assert.truthy(text:find(pattern), text) end
    end

    it("P1.1 takes one binary v4 signature", function()
      assert.is_true(openpgp.signature(packet(2, body())))
      assert.is_true(openpgp.signature(old_packet(2, body(), 0)))
      assert.is_true(openpgp.signature(packet(2, body { algorithm = 1, mpis = mpi })))
      -- subpackets with lengths of two and five octets
      assert.is_true(openpgp.signature(packet(2, body { hashed = "\192\8" .. ("x"):rep(200) })))
      assert.is_true(openpgp.signature(packet(2, body { hashed = "\255\0\0\0\2xy" })))
      assert.is_true(openpgp.signature(packet(2, body { unhashed = "\1\16" })))
    end)

    it("P1.1 refuses everything else", function()
      bad(packet(2, body { version = 3 }), "version 4")
      bad(packet(2, body { version = 5 }), "version 4")
      bad(packet(2, body { type = 1 }), "0x01")
      bad(packet(2, body { type = 0x13 }), "0x13")
      bad(packet(2, body { algorithm = 3 }), "algorithm 3")
      bad(packet(2, body { mpis = mpi }), "inner lengths")
      bad(packet(2, body { mpis = mpi .. mpi .. "x" }), "inner lengths")
      bad(packet(2, body { hashed = "\0" }), "inner lengths") -- a subpacket without a kind
      bad(packet(2, body { hashed = "\9\2x" }), "inner lengths")
      bad(packet(2, body { unhashed = "\255\255\255\255\255x" }), "inner lengths")
      bad(packet(2, body()) .. packet(2, body()), "something follows")
      bad(packet(2, body()) .. "\0", "something follows")
      bad(partial_packet(2, body { hashed = "\192\8" .. ("x"):rep(200) .. "\192\8" .. ("x"):rep(200) ..
        "\192\8" .. ("x"):rep(200) }, 9))
      bad("-----BEGIN PGP SIGNATURE-----\n", "not a binary")
      bad("")
      for kind = 0, 63 do
        if kind ~= 2 then bad(packet(kind, body()), "kind " .. kind) end
      end
    end)

    it("P1.1 refuses more than 4 KiB, and a signature cut short at any byte", function()
      local long = packet(2, body { unhashed = "\255" .. string.pack(">I4", 5000) .. ("x"):rep(5000) })
      bad(long, nil, "too_large")
      local whole = packet(2, body())
      for n = 0, #whole - 1 do bad(whole:sub(1, n)) end
    end)
  end)

  it("P0.6 reads and writes key ids and fingerprints in upper case only", function()
    assert.are.equal("0123456789ABCDEF", openpgp.key_id("0123456789ABCDEF"))
    local bad = {
      "", "0123456789abcdef", "0123456789ABCDE", "0123456789ABCDEF0", "0x23456789ABCDEF", " 123456789ABCDEF",
    }
    for _, text in ipairs(bad) do assert.is_nil(openpgp.key_id(text)) end
    assert.is_true(openpgp.fingerprint(("0A"):rep(20)))
    for _, text in ipairs { "", ("0a"):rep(20), ("0A"):rep(19), ("0A"):rep(21), ("G"):rep(40) } do
      assert.is_false(openpgp.fingerprint(text))
    end
  end)
end)
