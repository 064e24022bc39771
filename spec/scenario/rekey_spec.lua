-- SPDX-License-Identifier: GPL-3.0-or-later
-- Discussion keys that are replaced while two people talk (P4.2), with real cores and gpg.
local cores = require "support.cores"
local group = require "support.group"
local sys = require "sotto.sys"
local system = require "support.system"

describe("rekeying", function()
  local alice, bob, id
  after_each(cores.clean)

  local function open(limits, more)
    local options = { config = ("limits = { %s }"):format(limits or "rekey_payloads = 3") }
    for k, v in pairs(more or {}) do options[k] = v end
    alice, bob = cores.pair(options)
    id = cores.open_between(alice, bob)
  end

  local function count(who, what) return who:metrics()["discussion_keys_replaced:" .. what] or 0 end

  local function reaches(who, what, least)
    cores.ask(("%s: %d keys are %s\n%s"):format(who.name, least, what, who:tail()), function()
      return count(who, what) >= least
    end)
  end

  -- The home of the discussion's key: the one that has another member's certificate in its keyring.
  local function keys_of(who)
    for _, name in ipairs(who:homes()) do
      local home = ("%s/data/homes/%s"):format(who.home, name)
      local listing = system.shell(("gpg --homedir %s --batch --with-colons --list-keys 2>/dev/null"):format(home))
      local _, primaries = listing:gsub("\npub:", "\npub:")
      if listing:find("^pub:") then primaries = primaries + 1 end
      local keys = sys.list(home .. "/private-keys-v1.d") or {}
      table.sort(keys)
      if primaries == 2 and listing:find("uid:[^\n]*:sotto:") then return keys, home end
    end
    error(who.name .. " has no home of the discussion")
  end

  -- So many messages each way, one after the other.
  local function talk(rounds)
    for _ = 1, rounds do cores.talk(id, alice, bob) end
  end

  it("P4.2 goes on with new keys on both sides, and the old ones' secrets are gone from the disk", function()
    open()
    local first, home = keys_of(alice)
    assert.equal(2, #first)
    local secrets = {}
    for _, name in ipairs(first) do secrets[name] = assert(system.read(home .. "/private-keys-v1.d/" .. name)) end
    for round = 1, 3 do
      talk(4)
      for _, who in ipairs { alice, bob } do
        reaches(who, "told", round)
        reaches(who, "learned", round)
      end
    end
    talk(2)
    for _, who in ipairs { alice, bob } do reaches(who, "destroyed", 3) end
    -- five in a row, then one a minute: what was replaced last is covered by what is said after that
    local rounds = 14
    while #(keys_of(alice)) > 2 do
      assert(rounds < 60, "old keys stay")
      talk(1)
      rounds = rounds + 1
    end
    local left, kept = keys_of(alice), 0
    for _, name in ipairs(left) do kept = kept + (secrets[name] and 1 or 0) end
    assert.equal(1, kept) -- the primary, which signs as long as the discussion lives
    for name, secret in pairs(secrets) do
      if not system.read(home .. "/private-keys-v1.d/" .. name) then
        local body = secret:match "%(d #(%x+)#%)" or secret:match "d #(%x+)#"
        assert.truthy(body)
        assert.equal("", system.shell(("grep -rlF %s %s 2>/dev/null"):format(body, alice.home)))
      end
    end
    assert.equal(2 * rounds, #alice:texts(id))
    assert.same(alice:texts(id), bob:texts(id))
  end)

  it("P4.2 goes on after a restart of either side, at once", function()
    open()
    talk(4)
    for _, who in ipairs { alice, bob } do
      reaches(who, "told", 1)
      reaches(who, "learned", 1)
    end
    for _, who in ipairs { alice, bob } do
      who:restart()
      for _, each in ipairs { alice, bob } do cores.state(each, id, "open") end
      talk(4)
    end
    alice:kill()
    alice:start()
    for _, each in ipairs { alice, bob } do cores.state(each, id, "open") end
    talk(4)
    assert.same(alice:texts(id), bob:texts(id))
  end)

  -- What each has of one, in its order.
  local function all_have(people, from, wanted)
    for _, who in ipairs(people) do
      cores.ask(("%s has all of %s"):format(who.name, from.name), function()
        return table.concat(who:texts(id, from.fingerprint), ", ") == table.concat(wanted, ", ")
      end, group.PATIENCE_MS)
    end
  end

  it("P4.2 goes on while messages of both are on their way, each once and in its order", function()
    open()
    local wanted = { [alice] = {}, [bob] = {} }
    -- without waiting for any of them
    for n = 1, 40 do
      for who, texts in pairs(wanted) do
        texts[n] = ("%s %d"):format(who.name, n)
        who:send(id, texts[n])
      end
    end
    for who, texts in pairs(wanted) do all_have({ alice, bob }, who, texts) end
    -- a burst may be few payloads: those on the way were sealed to the keys of before
    for _, who in ipairs { alice, bob } do reaches(who, "told", 1) end
    talk(4)
    for _, who in ipairs { alice, bob } do
      reaches(who, "learned", 1)
      reaches(who, "destroyed", 1)
    end
  end)

  it("P4.2 goes on among three, also for one that was away meanwhile, and in the next epoch", function()
    local ann, ben, cid
    id, ann, ben, cid = group.make({ "ann", "ben", "cid" }, { config = "limits = { rekey_payloads = 3 }" })
    local everyone, wanted = { ann, ben, cid }, {}
    for _, who in ipairs(everyone) do wanted[who] = who:texts(id, who.fingerprint) end
    local function round(speakers, hearers)
      for _, who in ipairs(speakers) do
        local text = ("%s %d"):format(who.name, #wanted[who] + 1)
        wanted[who][#wanted[who] + 1] = text
        who:send(id, text)
      end
      for _, who in ipairs(speakers) do all_have(hearers, who, wanted[who]) end
    end
    for _ = 1, 4 do round(everyone, everyone) end
    for _, who in ipairs(everyone) do
      reaches(who, "told", 1)
      reaches(who, "learned", 2) -- of each of the others
    end
    -- its old keys live on at the others, for it has not said that it knows the new ones
    cid:stop()
    local before = { [ann] = count(ann, "told"), [ben] = count(ben, "told") }
    for _ = 1, 5 do round({ ann, ben }, { ann, ben }) end
    for _, who in ipairs { ann, ben } do reaches(who, "told", before[who] + 1) end
    cid:start()
    for _, who in ipairs { ann, ben } do all_have({ cid }, who, wanted[who]) end
    round(everyone, everyone)
    -- keys are the members', not the epoch's
    ann:call("proposals.create", { discussion = id, op = "charter", charter = "2" })
    group.consent(id, "charter", { ben, cid })
    group.wait("the charter", function() return group.agree(id, everyone).charter == "2" end)
    for _ = 1, 2 do round(everyone, everyone) end
    cid:restart()
    round(everyone, everyone)
  end)
end)
