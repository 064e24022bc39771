-- SPDX-License-Identifier: GPL-3.0-or-later
-- Somebody on the wire between two real cores: whatever is changed of an opening opens nowhere (P2.1), and whatever is
-- changed of an open discussion's link ends that link and nothing else (P2.5, P2.12).
local cores = require "support.cores"
local octets = require "support.octets"
local proxy = require "support.proxy"

local RECORD, CIPHER = 1, 6

describe("somebody on the wire", function()
  local alice, bob, between

  -- alice, who has known bob at an address where the proxy listens now
  local function meet_through_proxy(options)
    alice, bob = cores.pair(options)
    between = proxy.before(bob)
  end

  local function clean()
    if between then between:close() end
    between = nil
    cores.clean()
  end

  local function set(field, value)
    return function(text)
      local made, n = text:gsub('("' .. field .. '":)"[^"]*"', function(key) return key .. '"' .. value .. '"' end)
      assert(n == 1 and made ~= text, "nothing changed in " .. field)
      return made
    end
  end

  local function flip(at)
    return function(bytes) return octets.changed(bytes, at) end
  end

  -- The nth frame of a way that fits is another.
  local function change(way, kind, nth, how)
    local seen = 0
    between.tamper = function(frame)
      if frame.way ~= way or frame.kind ~= kind then return end
      seen = seen + 1
      if seen == nth then return proxy.encode(kind, how(frame.payload)) end
    end
    return function() return seen >= nth end
  end

  -- alice asks; bob accepts if it comes to that. Waits until it has ended at alice.
  local function try_to_open(password)
    local id = alice:call("discussions.open", { peer = bob.fingerprint, password = password }).id
    local outcome
    cores.wait("the outcome", function()
      local request = bob:take_event "discussion.requested"
      if request then
        bob.control:request("discussions.accept", { discussion = request.id, password = password })
      end
      outcome = alice:take_event("discussion.refused", { id = id }) or alice:take_event("discussion.opened", { id = id })
      return outcome
    end)
    return outcome, id
  end

  -- what bob has of a discussion in the end: nothing, or an ended one
  local function ends_at_bob(id)
    cores.ask("an end at bob", function()
      local found = bob:try("discussions.show", { discussion = id })
      return not found or found.state == "refused"
    end)
  end

  describe("at an opening", function()
    setup(function() meet_through_proxy() end)
    teardown(clean)
    before_each(function() between:rest() end)

    local other_hash = ("A"):rep(42) .. "A"
    local before_the_tags = {
      { "M1", "out", RECORD, 1, "role", set("role", "responder") },
      { "M1", "out", RECORD, 1, "mode", set("mode", "pinned") },
      { "M1", "out", RECORD, 1, "asker", set("fingerprint", ("A"):rep(40)) },
      { "M1", "out", RECORD, 1, "one who is asked", set("to", ("A"):rep(40)) },
      { "M1", "out", RECORD, 1, "nonce", set("nonce", other_hash) },
      { "M1", "out", RECORD, 1, "certificate", set("general", other_hash) },
      { "M1", "out", RECORD, 1, "discussion certificate", set("discussion", other_hash) },
      { "M1", "out", RECORD, 1, "charter", set("charter", "2") },
      { "M2", "back", RECORD, 1, "nonce", set("nonce", other_hash) },
      { "M2", "back", RECORD, 1, "certificate", set("general", other_hash) },
      { "M3", "out", 3, 1, "presence signature", flip(1) },
      { "M3", "out", 3, 1, "message", flip(-30) },
      { "M4", "back", 4, 1, "message", flip(-30) },
    }
    for _, case in ipairs(before_the_tags) do
      it(("P2.1 opens nowhere with another %s in %s, and no guess is spent"):format(case[5], case[1]), function()
        local done = change(case[2], case[3], case[4], case[6])
        local outcome, id = try_to_open "right"
        assert.is_true(done())
        assert.are.equal("refused", outcome.state)
        assert.is_nil(alice:discussion(id).roster_hash)
        ends_at_bob(id)
        assert.are.equal(3, alice:guesses(bob))
        local known = bob:try("peers.show", { peer = alice.fingerprint })
        assert.truthy(not known or known.guesses == 3)
      end)
    end

    it("P2.1 opens nowhere with messages of another opening", function()
      try_to_open "right"
      local old = {}
      for _, frame in ipairs(between.frames) do old[frame.way .. frame.kind] = old[frame.way .. frame.kind] or frame end
      for _, name in ipairs { "out1", "back1", "out3", "back4" } do
        between:rest()
        local frame = assert(old[name], name)
        local done = change(frame.way, frame.kind, 1, function() return frame.payload end)
        local outcome, id = try_to_open "right"
        assert.is_true(done())
        assert.are.equal("refused", outcome.state, name)
        ends_at_bob(id)
      end
    end)

    it("P2.3 opens nowhere with what alice has said herself", function()
      between.tamper = function(frame)
        if frame.way == "out" then between:inject("back", proxy.encode(frame.kind, frame.payload)) end
        return false
      end
      assert.are.equal("refused", try_to_open("right").state)
    end)

    it("P1.7 asks for no certificate but the one that was named", function()
      local carol = cores.person "carol"
      between:close()
      between = proxy.new(between.at, carol.address)
      local calls = between.calls
      assert.are.equal("refused", try_to_open("right").state)
      assert.is_true(between.calls > calls)
      assert.are.same({}, carol:call "discussions.list")
      between:close()
      between = proxy.new(between.at, bob.address)
    end)

    it("P2.1 opens where nothing is changed", function()
      assert.are.equal("open", try_to_open("right").state)
      assert.is_true(#between.frames > 6)
    end)
  end)

  describe("after the tags", function()
    after_each(clean)

    it("P2.2 another Ta opens nowhere, and a guess is spent on both sides", function()
      meet_through_proxy()
      local done = change("out", CIPHER, 1, flip(-1))
      local outcome, id = try_to_open "right"
      assert.is_true(done())
      assert.are.equal("refused", outcome.state)
      ends_at_bob(id)
      assert.are.equal(2, alice:guesses(bob))
      assert.are.equal(2, bob:guesses(alice))
    end)

    it("P2.1 another Tb opens nowhere: alice never takes it up again, and bob gives up", function()
      meet_through_proxy { config = "limits = { opening_timeout = 3 }" }
      local done = change("back", CIPHER, 1, flip(-1))
      local outcome, id = try_to_open "right"
      assert.is_true(done())
      assert.are.equal("refused", outcome.state)
      assert.are.equal(2, alice:guesses(bob))
      ends_at_bob(id)
      assert.are.equal("wrong_state", alice:fails("messages.send", { discussion = id, text = "x" }))
    end)

    it("P2.11 another READY is a lost link: both have committed, and meet again", function()
      meet_through_proxy()
      for _, way in ipairs { "out", "back" } do
        local done = change(way, CIPHER, 2, flip(-1))
        local id = alice:call("discussions.open", { peer = bob.fingerprint, password = "right" }).id
        bob:event("discussion.requested", { id = id })
        bob:call("discussions.accept", { discussion = id, password = "right" })
        cores.all_events("discussion.opened", id, alice, bob)
        assert.is_true(done(), way)
        between:rest()
        cores.state(alice, id, "open")
        cores.state(bob, id, "open")
        assert.are.equal(alice:discussion(id).roster_hash, bob:discussion(id).roster_hash)
        cores.talk(id, alice, bob)
        alice:call("discussions.close", { discussion = id })
        bob:event("discussion.closed", { id = id })
      end
    end)
  end)

  describe("on an open link", function()
    local id

    before_each(function()
      meet_through_proxy()
      id = cores.open_between(alice, bob)
      cores.talk(id, alice, bob)
      between:rest()
    end)
    after_each(clean)

    -- Both have the same in the end, each message once, in its author's order.
    local function all_arrives(count)
      for _, way in ipairs { { alice, bob }, { bob, alice } } do
        local from, to = way[1], way[2]
        cores.ask("all of " .. from.name .. "'s to arrive", function()
          return #to:texts(id, from.fingerprint) >= count
        end)
        assert.are.same(from:texts(id, from.fingerprint), to:texts(id, from.fingerprint))
        assert.are.equal(count, #to:texts(id, from.fingerprint))
      end
      cores.state(alice, id, "open")
      cores.state(bob, id, "open")
      cores.talk(id, alice, bob)
    end

    -- Both talk while frames of alice's, from the second on, are treated so; the link through the proxy ends.
    local function meddle(how)
      local seen, link = 0, between:link()
      between.tamper = function(frame)
        if frame.way ~= "out" then return end
        seen = seen + 1
        if seen > 1 then return how(frame, seen - 1) end
      end
      for i = 1, 5 do
        alice:send(id, "a" .. i)
        bob:send(id, "b" .. i)
      end
      proxy.wait_end(link)
      between:rest()
      all_arrives(6)
    end

    it("P2.5 a changed frame", function()
      meddle(function(frame, n)
        if n == 1 then return proxy.encode(frame.kind, octets.changed(frame.payload, -3)) end
      end)
    end)

    it("P2.5 a frame that comes twice", function()
      meddle(function(frame, n)
        if n == 1 then return proxy.encode(frame.kind, frame.payload):rep(2) end
      end)
    end)

    it("P2.5 a frame that is lost", function()
      meddle(function(_, n)
        if n == 1 then return false end
      end)
    end)

    it("P2.5 two frames in another order", function()
      local held
      meddle(function(frame, n)
        if n == 1 then held = proxy.encode(frame.kind, frame.payload) end
        if n == 1 then return false end
        if n == 2 then return proxy.encode(frame.kind, frame.payload) .. held end
      end)
    end)

    it("P2.5 a frame that comes back to its sender", function()
      meddle(function(frame, n)
        if n == 1 then between:inject("back", proxy.encode(frame.kind, frame.payload)) end
      end)
    end)

    it("P2.5 a frame in clear", function()
      meddle(function(frame, n)
        if n == 1 then return proxy.encode(7, frame.payload) end
      end)
    end)

    it("P0.4 a frame that says it is longer than any", function()
      meddle(function(_, n)
        if n == 1 then return "\255\255\255\255\6" end
      end)
    end)
  end)
end)
