-- SPDX-License-Identifier: GPL-3.0-or-later
-- Two handshake machines over a link that loses, doubles, swaps and damages frames; results in any order; deadlines,
-- crashes and people's words at any point. Every run repeats from its seed.
local world = require "support.handshake_world"

local password = "the one that was told"

-- What may never be seen, checked on every action.
local function guard(i, r, right)
  local certificates = { world.base64url(i.key.certificate), world.base64url(r.key.certificate) }
  for _, p in ipairs { i, r } do
    p.watch = function(self, a)
      local text = a.payload or a.plaintext or a.message or ""
      assert(not text:find(password, 1, true), "a password")
      if a.type == "send" then
        for n, certificate in ipairs(certificates) do
          if text:find(certificate, 1, true) then
            assert(n == 2 and self == r and a.encrypted and right and r.disk.opening, "a discussion certificate")
          end
        end
        if a.encrypted and i.mode == "password" then assert(self.disk.spent == 1, "a guess that is not counted") end
      end
      if self == r and not r.accepted then
        local uses = a.type == "seal_general" or a.type == "open_general" or a.type == "sign_binding"
        assert(not uses, "a key used too early")
      end
      -- whatever R does once something came under its keys, the guess is on disk
      if self == r and r.tx and i.mode == "password" and r.after_keys > 0 then
        local shows = a.type == "send" or a.type == "close_link" or a.type == "refused"
        assert(not shows or r.disk.spent == 1 or r.no_guess or r.untested, "R shows a guess before it counts")
      end
    end
  end
  local receive = r.receive
  r.after_keys = 0
  r.receive = function(self)
    local frame = self.link.queues[1][1]
    if self.rx and frame then
      if frame.kind == "end" or self.deaf then
        -- an end without M5 tests nothing
        r.untested = r.after_keys == 0
      else
        r.after_keys = r.after_keys + 1
      end
    end
    return receive(self)
  end
end

local faults = {}

function faults.lose(link) link:lose() end

function faults.drop(link, random)
  local queue = link.queues[random:below(2) + 1]
  if #queue > 0 and queue[1].kind ~= "end" then table.remove(queue, 1) end
end

function faults.double(link, random)
  local queue = link.queues[random:below(2) + 1]
  if #queue > 0 and queue[#queue].kind ~= "end" then table.insert(queue, queue[#queue]) end
end

function faults.swap(link, random)
  local queue = link.queues[random:below(2) + 1]
  if #queue > 1 and queue[2].kind ~= "end" then queue[1], queue[2] = queue[2], queue[1] end
end

function faults.damage(link, random)
  local queue = link.queues[random:below(2) + 1]
  local frame = queue[1]
  if not frame or frame.kind == "end" or #frame.payload == 0 then return end
  local at = random:below(#frame.payload) + 1
  local payload = frame.payload
  queue[1] = {
    kind = frame.kind, encrypted = frame.encrypted, key = frame.key, number = frame.number, damaged = true,
    payload = payload:sub(1, at - 1) .. string.char(payload:byte(at) ~ 1 << random:below(8)) .. payload:sub(at + 1),
  }
end

function faults.deadline(_, random, parties)
  local p = parties[random:below(2) + 1]
  if not p.machine:over() and p.deadline then
    p.untested = true
    p:step { type = "deadline" }
  end
end

function faults.crash(_, random, parties) parties[random:below(2) + 1]:crash() end

-- in the middle of carrying out a list of actions
function faults.crash_within(_, random, parties)
  local p = parties[random:below(2) + 1]
  p.crash_at = (p.actions or 0) + 1 + random:below(3)
end

function faults.word(_, random, parties)
  local p = parties[random:below(2) + 1]
  p.untested = true
  p:step { type = "end", reason = "refused" }
end

local kinds = { "lose", "drop", "double", "swap", "damage", "deadline", "crash", "crash_within", "word" }

local function pair(seed)
  local random = world.random(seed * 7 + 1)
  local right = not random:chance(0.2)
  local mode = random:chance(0.15) and "pinned" or "password"
  local i, r, w, link = world.pair {
    seed = seed, mode = mode, password_i = password, password_r = right and password or "another one",
    initiator = { knows = random:chance(0.5), immediate = random:chance(0.2) },
    responder = { knows = random:chance(0.5), immediate = random:chance(0.2) },
  }
  right = right or mode == "pinned"
  guard(i, r, right)
  return i, r, right, random, w, link
end

local function check(i, r, right, seed)
  local function fail(why)
    error(("seed %d: %s (%s %s, %s %s)"):format(seed, why, i.outcome, i.detail, r.outcome, r.detail))
  end
  local ok, state = pcall(world.settle, i, r)
  if not ok then fail(state) end
  if not right and (i.disk.opening or r.disk.opening) then fail("opening with a wrong password") end
  if i.disk.opening and not r.disk.opening then fail("I holds what R does not") end
  for _, p in ipairs { i, r } do
    if not p.dead and not p.outcome then fail(p.role .. " has no outcome") end
    if p.outcome == "refused" and p.disk.opening then fail(p.role .. " is refused with a discussion on disk") end
    if p.outcome == "left" and not p.disk.opening then fail(p.role .. " is left without a discussion on disk") end
    if p.disk.restored > 0 and not p.disk.opening then fail(p.role .. " restored guesses without success") end
    if i.mode == "password" and p.disk.opening and p.disk.spent ~= 1 then fail(p.role .. " did not count") end
  end
  return state
end

local function simulate(first, last, rate, only)
  local tally = { open = 0, refused = 0 }
  for seed = first, last do
    local i, r, right, random, _, link = pair(seed)
    local ok, why = pcall(world.run, { i, r }, function()
      if random:chance(rate) then
        faults[only or kinds[random:below(#kinds) + 1]](link, random, { i, r })
      end
    end)
    if not ok then error(("seed %d: %s"):format(seed, why)) end
    local state = check(i, r, right, seed)
    tally[state] = tally[state] + 1
    i.machine:free()
    r.machine:free()
  end
  return tally
end

describe("handshake under the simulator", function()
  it("P2.1 always opens where nothing goes wrong, in any order of results", function()
    for seed = 1, 600 do
      local i, r, right = pair(seed)
      world.run { i, r }
      assert.equal(right and "opened" or "refused", i.outcome)
      assert.equal(right and "opened" or "refused", r.outcome)
      if right then assert.is_true(i.heard and r.heard, "the first words are lost") end
      check(i, r, right, seed)
    end
  end)

  for n, kind in ipairs(kinds) do
    it(("P2.11 is never open on one side and refused on the other: %s"):format(kind), function()
      local tally = simulate(10000 * n, 10000 * n + 250, 0.05, kind)
      assert.is_true(tally.refused > 20, "too few faults")
      assert.is_true(tally.open > 20, "too many faults")
    end)
  end

  it("P2.11 is never open on one side and refused on the other, whatever happens", function()
    local tally = simulate(200000, 201000, 0.04)
    assert.is_true(tally.refused > 100 and tally.open > 100)
    simulate(300000, 300300, 0.2)
  end)

  it("P2.11 survives a crash of either side between any two of its actions", function()
    for _, role in ipairs { "initiator", "responder" } do
      for at = 1, 40 do
        for seed = 1, 5 do
          local i, r, right = pair(400000 + seed)
          local p = role == "initiator" and i or r
          p.crash_at = at
          world.run { i, r }
          check(i, r, right, at)
        end
      end
    end
  end)
end)
