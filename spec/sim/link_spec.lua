-- SPDX-License-Identifier: GPL-3.0-or-later
-- Member links over a link that loses, doubles, swaps and damages frames, with results in any order, deadlines and
-- crashes; dialled again until they are there. Every run repeats from its seed.
local world = require "support.handshake_world"
local links = require "support.link_world"

local faults = {}

local function queue_of(link, random) return link.queues[random:below(2) + 1] end

function faults.lose(link) link:lose() end

function faults.drop(link, random)
  local queue = queue_of(link, random)
  if #queue > 0 and queue[1].kind ~= "end" then table.remove(queue, 1) end
end

function faults.double(link, random)
  local queue = queue_of(link, random)
  if #queue > 0 and queue[#queue].kind ~= "end" then table.insert(queue, queue[#queue]) end
end

function faults.swap(link, random)
  local queue = queue_of(link, random)
  if #queue > 1 and queue[2].kind ~= "end" then queue[1], queue[2] = queue[2], queue[1] end
end

function faults.damage(link, random)
  local queue = queue_of(link, random)
  local frame = queue[1]
  if not frame or frame.kind == "end" then return end
  local copy = {}
  for k, v in pairs(frame) do copy[k] = v end
  local at = random:below(#frame.payload) + 1
  copy.payload = frame.payload:sub(1, at - 1) .. string.char(frame.payload:byte(at) ~ 1) .. frame.payload:sub(at + 1)
  copy.damaged = true
  queue[1] = copy
end

function faults.deadline(_, random, parties)
  local p = parties[random:below(2) + 1]
  if p.deadline and not p.machine:over() then p:step { type = "deadline" } end
end

function faults.crash(_, random, parties) parties[random:below(2) + 1]:crash() end

local kinds = { "lose", "drop", "double", "swap", "damage", "deadline", "crash" }

-- Under keys A says nothing, and B nothing but its proof or farewell, before the other has proved itself.
local function guard(a, b)
  a.watch = function(p, action)
    if action.type == "send" and action.encrypted then
      assert(p.verified or p.both_closed, "A spoke before B was proved")
    end
  end
  b.watch = function(p, action)
    if action.type == "send" and action.encrypted and not p.verified and not p.closed and not p.ended then
      assert(action.payload:find('"type":"link-proof"', 1, true) or action.payload:find('"type":"ack"', 1, true),
        "B said more than its proof")
    end
  end
  for _, p in ipairs { a, b } do
    local step = p.step
    p.step = function(self, event)
      if event.type == "verified" and event.code == "ok" then self.verified = true end
      -- 'closed' and acknowledgements answer a farewell, which came under the keys
      if event.type == "frame" and event.kind == links.SEALED then self.both_closed = true end
      return step(self, event)
    end
  end
end

local function attempt(d, options, random, rate)
  local a, b, link = links.pair(d, options)
  guard(a, b)
  links.run({ a, b }, function()
    if random:chance(rate) then faults[kinds[random:below(#kinds) + 1]](link, random, { a, b }) end
  end)
  return a, b
end

local function rows_equal(x, y)
  for n, row in ipairs(x) do
    if row.sequence ~= y[n].sequence or row.fingerprint ~= y[n].fingerprint then return false end
  end
  return #x == #y
end

describe("member links under the simulator", function()
  it("P2.12 link in the end, and each tells what it has", function()
    local tries = 0
    for seed = 1, 500 do
      local random = world.random(seed)
      local d = links.discussion(random:below(3) + 2, { seed = seed })
      local at_a, at_b = {}, {}
      for n = 1, #d.members do
        at_a[n], at_b[n] = random:below(5), random:below(5)
      end
      -- nobody has more of a member than that member itself
      at_b[1], at_a[2] = random:below(at_a[1] + 1), random:below(at_b[2] + 1)
      local rows_a, rows_b = links.rows(d, at_a), links.rows(d, at_b)
      local options = { dials = { rows = rows_a }, answers = { rows = rows_b } }
      local done
      for n = 1, 50 do
        tries = tries + 1
        local a, b = attempt(d, options, random, n < 10 and 0.1 or 0)
        for _, p in ipairs { a, b } do
          assert(p.dead or p.outcome, "no outcome")
          assert(p.outcome ~= "rolled_back", p.outcome)
        end
        if a.outcome == "linked" then assert.is_true(rows_equal(rows_b, a.seen.rows)) end
        if b.outcome == "linked" then
          assert.is_true(rows_equal(rows_a, b.seen.rows))
          assert.is_true(b.verified)
        end
        if a.outcome == "linked" and b.outcome == "linked" then
          done = true
          break
        end
      end
      assert.is_true(done)
    end
    assert.is_true(tries > 700, "too few faults")
  end)

  it("P3.8 deliver a farewell in the end, in order, and are told so only then", function()
    local tries = 0
    for seed = 1, 400 do
      local random = world.random(5000 + seed)
      local d = links.discussion(2, { seed = seed })
      local closed = random:chance(0.5) and "dials" or "answers"
      local all, from, told = {}, 1, false
      for n = 1, random:below(5) + 1 do all[n] = ("payload %d of %d"):format(n, seed) end
      local store = {}
      for n = 1, 50 do
        tries = tries + 1
        -- what is acknowledged is not sent again; what is there already is dropped
        local rest = table.move(all, from, #all, 1, {})
        local a, b = attempt(d, { [closed] = { closed = true, farewell = rest } }, random, n < 10 and 0.1 or 0)
        local teller, hearer = a, b
        if closed == "answers" then teller, hearer = b, a end
        for k, payload in ipairs(hearer.delivered) do
          assert.equal(rest[k], payload)
          store[from + k - 1] = payload
        end
        local acknowledged = 0
        for _, record in ipairs(teller.acked) do
          acknowledged = math.max(acknowledged, tonumber(record:match('"sequence":(%d+)')))
        end
        assert.is_true(acknowledged <= #hearer.delivered)
        from = from + acknowledged
        if teller.outcome == "told" then
          told = true
          break
        end
      end
      assert.is_true(told)
      assert.same(all, store)
    end
    assert.is_true(tries > 500, "too few faults")
  end)

  it("P3.8 end a farewell also where whoever heard it has wound down before its acknowledgement was heard", function()
    local lost = 0
    for seed = 1, 400 do
      local random = world.random(7000 + seed)
      local d = links.discussion(2, { seed = seed })
      local all = {}
      for n = 1, random:below(5) + 1 do all[n] = ("payload %d of %d"):format(n, seed) end
      local store, acknowledged, told = {}, 0, false
      for n = 1, 50 do
        local dials = { closed = true, farewell = table.move(all, acknowledged + 1, #all, 1, {}) }
        -- CLOSE is the last: with that on its disk the hearer destroys its key and winds down
        local ended = #store == #all
        local answers = ended and { ended = true, held = #all } or {}
        local a, b = attempt(d, { dials = dials, answers = answers }, random, n < 10 and 0.15 or 0)
        local before = acknowledged
        for k, payload in ipairs(b.delivered) do store[before + k] = payload end
        for _, record in ipairs(a.acked) do
          local sequence = tonumber(record:match '"sequence":(%d+)')
          acknowledged = math.max(acknowledged, ended and sequence or before + sequence)
        end
        assert.is_true(acknowledged <= #store)
        if ended then
          lost = lost + 1
          assert.equal(0, b:times("sign"))
        end
        if a.outcome == "told" or a.outcome == "both_closed" then
          told = true
          break
        end
      end
      assert.is_true(told)
      assert.same(all, store)
    end
    assert.is_true(lost > 100, lost)
  end)

  it("P5.9 find out a disk that was rolled back, whenever SEEN gets through", function()
    for seed = 1, 200 do
      local random = world.random(9000 + seed)
      local d = links.discussion(3, { seed = seed })
      local mine = random:below(5)
      local rows_a, rows_b = links.rows(d, { mine, 0, 0 }), links.rows(d, { mine + 1 + random:below(3), 0, 0 })
      local options = { dials = { rows = rows_a }, answers = { rows = rows_b } }
      local a = attempt(d, options, random, seed % 2 == 0 and 0.05 or 0)
      assert.not_equal("linked", a.outcome)
      if seed % 2 == 1 then assert.equal("rolled_back", a.outcome) end
    end
  end)

  it("P2.12 survive a crash of either side between any two actions", function()
    for side = 1, 2 do
      for at = 1, 16 do
        for seed = 1, 4 do
          local d = links.discussion(2, { seed = seed })
          local a, b = links.pair(d)
          guard(a, b);
          ({ a, b })[side].crash_at = at
          links.run { a, b }
          local other = side == 1 and b or a
          assert(other.outcome == "lost" or other.outcome == "linked", other.outcome)
        end
      end
    end
  end)
end)
