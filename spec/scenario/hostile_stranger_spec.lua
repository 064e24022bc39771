-- SPDX-License-Identifier: GPL-3.0-or-later
-- A stranger at the port and at the control socket of a real core: certificates that gpg would take, forged records,
-- requests that are none, junk. Each is refused and counted, and the core serves on (P0.3, P0.4, P1.2, P1.7, P2.6).
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local json = require "sotto.json"
local octets = require "support.octets"
local peer = require "support.peer"
local socket = require "support.net_socket"
local system = require "support.system"
local wire = require "support.wire"

local PASSWORD = "correct horse battery"

describe("a stranger", function()
  local alice, mallory
  local fds

  before_each(function()
    alice, mallory = cores.person "alice", peer.new "mallory"
    fds = {}
  end)
  after_each(function()
    for _, fd in ipairs(fds) do socket.close(fd) end
    mallory:close()
    cores.clean()
  end)

  local function count(name) return alice:metrics()[name] or 0 end

  local function waits_for(name, least)
    cores.ask(name .. "\n" .. alice:tail(), function() return count(name) >= (least or 1) end)
  end

  local function knows(who)
    for _, known in ipairs(alice:call "peers.list") do
      if known.fingerprint == who.fingerprint then return known end
    end
  end

  -- The core answers, opens a discussion with somebody and talks.
  local function serves_on()
    local friend = peer.new "friend"
    friend:meet(alice)
    local s = friend:open_discussion(alice, { password = PASSWORD })
    s:say "all is well"
    s:close()
    friend:close()
  end

  -- no home of the core's has a secret key of that name
  local function has_no_key_of(who)
    for _, path in ipairs(system.files(alice.home)) do
      assert.is_nil((system.read(path) or ""):find(octets.from_hex(who.fingerprint), 1, true), path)
    end
  end

  local function secret_of(who, fingerprint)
    return who.gpg:must("--export-secret-keys --export-options export-minimal " .. fingerprint)
  end

  describe("with a certificate that gpg would import,", function()
    local kinds = {
      ["a secret key"] = function(fingerprint) return secret_of(mallory, fingerprint) end,
      ["a compressed one"] = function(_, certificate) return gnupg.packet(8, "\0" .. certificate) end,
    }

    for name, make in pairs(kinds) do
      it(("P1.7 %s: nothing is proven by a datagram"):format(name), function()
        mallory:query(alice, { certificate = make(mallory.fingerprint, mallory.certificate) })
        waits_for "certifications_refused"
        assert.is_false(knows(mallory).proven)
        has_no_key_of(mallory)
        serves_on()
      end)

      it(("P1.7 %s: it opens nothing in an opening"):format(name), function()
        -- the core has to ask for the certificate, for it has heard of nobody
        local opening = assert(mallory:hello(alice, {
          password = PASSWORD, certificate = make(mallory.fingerprint, mallory.certificate),
        }))
        assert.is_nil(opening:frame(4))
        waits_for "openings_refused:failed"
        assert.are.same({}, alice:call "discussions.list")
        has_no_key_of(mallory)
        serves_on()
      end)

      it(("P1.7 %s: it opens nothing as a discussion's"):format(name), function()
        mallory:meet(alice)
        local key = mallory:key()
        key.certificate = make(key.fingerprint, key.certificate)
        local opening = assert(mallory:hello(alice, { password = PASSWORD, discussion = key }))
        opening:request()
        alice:event("discussion.requested", { id = opening.id })
        alice:call("discussions.accept", { discussion = opening.id, password = PASSWORD })
        -- it shows where a wrong password would (P2.3), and counts like one
        assert(opening:confirm())
        assert.is_nil(opening:finish())
        assert.are.equal("failed", alice:event("discussion.refused", { id = opening.id }).reason)
        -- the general key's and the spare one
        cores.ask("two homes", function() return #alice:homes() == 2 end)
        has_no_key_of(key)
        assert.are.equal(2, alice:call("peers.show", { peer = mallory.fingerprint }).guesses)
        mallory:open_discussion(alice, { password = PASSWORD }):say "a good one is taken"
      end)
    end
  end)

  describe("with a record that is not true,", function()
    it("P1.1 one that its presence key has not signed is dropped", function()
      mallory:query(alice, { signature = octets.random(64) })
      mallory.udp:send(alice.address, "SOT1 and nothing that follows")
      mallory.udp:send(alice.address, ("x"):rep(1200))
      waits_for "datagrams_dropped:signature"
      waits_for("datagrams_dropped:malformed", 2)
      assert.is_nil(knows(mallory))
      serves_on()
    end)

    it("P1.1 a presence key that the general key has not certified proves nothing", function()
      local good = mallory.certification
      mallory.certification = mallory:sign(mallory.fingerprint, "something else")
      mallory:query(alice)
      waits_for "certifications_refused"
      cores.ask("nobody proven", function()
        local known = knows(mallory)
        return not known or not known.proven
      end)
      mallory.certification = good
      mallory:meet(alice)
    end)

    it("P1.7 another person's fingerprint proves nothing, and takes nothing from that person", function()
      local victim = peer.new "victim"
      victim:meet(alice)
      local own = mallory.fingerprint
      mallory.fingerprint, mallory.since = victim.fingerprint, victim.since + 1
      mallory.certification = mallory:sign(own,
        wire.certification_input(victim.fingerprint, mallory.presence_public, mallory.since))
      mallory:query(alice)
      waits_for "certifications_refused"
      mallory:query(alice, { certificate = victim.certificate })
      waits_for("certifications_refused", 2)
      local known = knows(victim)
      assert.is_true(known.proven)
      assert.are.equal("victim", known.name)
      assert.are.same({ victim.address }, known.addresses)
      victim:open_discussion(alice, { password = PASSWORD }):say "still me"
      victim:close()
    end)
  end)

  describe("with a request,", function()
    it("P2.6 one that was heard before is nobody's", function()
      mallory:meet(alice)
      local opening = assert(mallory:hello(alice, { password = PASSWORD }))
      opening:request()
      alice:event("discussion.requested", { id = opening.id })
      alice:call("discussions.refuse", { discussion = opening.id })
      local replay = peer.new "replay"
      local options = { password = PASSWORD, change = { M1 = function() return opening.m1 end } }
      -- its id is taken
      assert.is_nil((replay:hello(alice, options)))
      waits_for("openings_refused:failed", 1)
      -- and where that is forgotten, the other half of the nonces is new
      alice:call("discussions.forget", { discussion = opening.id })
      local again = assert(replay:hello(alice, options))
      assert(again.link:send(3, opening.m3))
      assert.is_nil(again:frame(4))
      waits_for("openings_refused:failed", 2)
      assert.are.same({}, alice:call "discussions.list")
      replay:close()
    end)

    it("P2.6 a second one while the first waits", function()
      mallory:meet(alice)
      local first = assert(mallory:hello(alice, { password = PASSWORD }))
      first:request()
      alice:event("discussion.requested", { id = first.id })
      local second = assert(mallory:hello(alice, { password = PASSWORD }))
      second:request()
      waits_for "openings_refused:busy"
      assert.are.equal(1, #alice:call "discussions.list")
      alice:call("discussions.accept", { discussion = first.id, password = PASSWORD })
      assert(first:confirm())
      assert(first:finish()):say "the first one opens"
    end)

    it("P2.2 the wrong password: three guesses, and the fourth is not heard", function()
      mallory:meet(alice)
      for left = 2, 0, -1 do
        local opening = assert(mallory:hello(alice, { password = "a guess" }))
        opening:request()
        alice:event("discussion.requested", { id = opening.id })
        alice:call("discussions.accept", { discussion = opening.id, password = PASSWORD })
        assert(opening:confirm())
        assert.is_nil(opening:finish())
        assert.are.equal("failed", alice:event("discussion.refused", { id = opening.id }).reason)
        assert.are.equal(left, alice:call("peers.show", { peer = mallory.fingerprint }).guesses)
        if left == 1 then
          alice:kill()
          alice:start()
        end
      end
      local opening = assert(mallory:hello(alice, { password = PASSWORD }))
      opening:request()
      waits_for "openings_refused:busy"
      assert.is_nil(alice:take_event "discussion.requested")
    end)
  end)

  describe("with junk", function()
    -- a plain TCP connection, and what is written to it
    local function write(bytes)
      local fd = assert(socket.connect(alice.address))
      fds[#fds + 1] = fd
      local at = 1
      cores.ask("the bytes to be taken", function()
        while at <= #bytes do
          local n, why = socket.write(fd, bytes:sub(at, at + 65535))
          if not n then return why ~= "Resource temporarily unavailable" end
          at = at + n
        end
        return true
      end)
      return fd
    end

    local function is_ended(fd)
      cores.ask("the core to end the link", function()
        local data, why = socket.read(fd)
        return data == "" or (not data and why ~= "Resource temporarily unavailable")
      end)
    end

    it("P0.4 100 kB of it, a frame of 4 GB, frames that are none: each costs its link", function()
      local bad = {
        ("\1\2\3\4\5junk"):rep(11112), "\255\255\255\255\1", "\0\0\64\2\1" .. ("x"):rep(0x4001), "\0\0\0\0", "\0\0\0\2\99x",
        "\0\0\0\2\6x", "GET / HTTP/1.1\r\n\r\n", "\0\0\0\10\1{\"v\":1}xx", "\0\0\0\37\1" .. '{"v":1,"type":"no such record at all"}',
      }
      for i, bytes in ipairs(bad) do
        is_ended(write(bytes))
        waits_for("links_accepted", i)
      end
      local counted = count "links_dropped:malformed" + count "links_dropped:unknown_type"
      assert.are.equal(#bad, counted)
      serves_on()
    end)

    it("P2.6 more links than a stranger has slots for: those that are over it are dropped", function()
      for _ = 1, 12 do write "" end
      waits_for("links_dropped:limit", 9)
      serves_on()
    end)
  end)

  it("at the control socket: each mistake has its name, and the core serves on", function()
    local connection = alice.control
    local function stray(line)
      connection:send(line)
      local answer = cores.wait("an answer to nobody", function() return table.remove(connection.strays, 1) end)
      return answer.error.data.name
    end
    assert.are.equal("too_large", stray(('{"jsonrpc":"2.0","id":1,"method":"%s"}'):format(("x"):rep(10 << 20))))
    for _, line in ipairs { "junk", "{", '{"a":1}{', '"\255\254"', '{"jsonrpc":"2.0","id":7,"method":"\xc3\x28"}',
      ("["):rep(9), '{"jsonrpc":"2.0","id":1,"id":2,"method":"system.info"}' } do
      assert.are.equal("bad_input", stray(line), line:sub(1, 40))
    end
    assert.are.equal("too_large", stray(("["):rep(100000)))
    local function name(method, params) return (alice:fails(method, params)) end
    assert.are.equal("bad_params", name("system.info", { no_such = 1 }))
    assert.are.equal("bad_params", name("messages.send", { discussion = 7, text = "x" }))
    assert.are.equal("bad_params", name("messages.send", { discussion = ("0"):rep(32) }))
    assert.are.equal("too_large", name("messages.send", { discussion = ("0"):rep(32), text = ("x"):rep(65537) }))
    assert.are.equal("bad_params", name("messages.send", { discussion = ("0"):rep(32), text = "" }))
    assert.are.equal("not_found", name("messages.send", { discussion = ("0"):rep(32), text = ("x"):rep(65536) }))
    assert.are.equal("bad_params", name("messages.list", { discussion = ("0"):rep(32), limit = 0 }))
    assert.are.equal("bad_params", name("messages.list", { discussion = ("0"):rep(32), limit = "many" }))
    assert.are.equal("bad_params", name("discussions.open", { peer = true, password = PASSWORD }))
    assert.are.equal("not_found", name "no.such")
    local s = mallory
    s:meet(alice)
    s:open_discussion(alice, { password = PASSWORD }):say(json.decode '"\\u00fcml\\u00e4ut"')
  end)
end)
