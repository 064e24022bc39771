-- SPDX-License-Identifier: GPL-3.0-or-later
-- Messages of three and more on real cores: where the members change (P5.3), for who was away (P5.6), confirmed by all (P5.8), and
-- where one of them lies (P5.7, P5.8).
local cores = require "support.cores"
local group = require "support.group"
local sys = require "sotto.sys"
local system = require "support.system"

local ann, ben, cid, id

-- A charter of one: an admission needs nobody but the member that proposes it.
local function loosen()
  ann:call("proposals.create", { discussion = id, op = "charter", charter = "1" })
  ben:call("proposals.answer", { proposal = group.asked(ben, id).id, answer = "consent" })
  cores.ask("a charter of one", function()
    return ann:discussion(id).charter == "1" and ben:discussion(id).charter == "1"
  end)
end

-- By ann alone; then these are the members who are there.
local function admit(who, ...)
  group.join(id, ann, who)
  local present = { ... }
  cores.ask(who.name .. " is a member", function()
    for _, one in ipairs(present) do
      local found, is = one:discussion(id), false
      for _, m in ipairs(found.members) do is = is or m.fingerprint == who.fingerprint end
      if not is or found.state ~= "open" or found.words ~= present[1]:discussion(id).words then return false end
    end
    return true
  end)
end

local function complaint_at(who) return select(2, who:event("message.complaint")).complaint end

local function know(who)
  cores.meet(ann, who)
  cores.open_between(ann, who, "a password for " .. who.name)
end

local function three(options)
  ann, ben, cid = cores.person("ann", options), cores.person "ben", cores.person "cid"
  cores.meet(ann, ben)
  id = cores.open_between(ann, ben)
  know(cid)
end

local function message(who, wanted)
  for _, m in ipairs(who:messages(id)) do
    if m.id == wanted.id then return m end
  end
end

local function becomes(who, wanted, state, ms)
  return cores.ask(("%s: '%s' is %s"):format(who.name, wanted.text, state), function()
    local m = message(who, wanted)
    return m and m.state == state and m
  end, ms)
end

local function has(who, text)
  cores.ask(("%s has '%s'"):format(who.name, text), function()
    for _, m in ipairs(who:messages(id)) do
      if m.text == text then return true end
    end
  end)
end

-- what one has of another, in its order
local function heard(who, from) return table.concat(who:texts(id, from.fingerprint), ", ") end

describe("messages, where the members change", function()
  before_each(three)
  after_each(cores.clean)

  it("P5.3 what is written meanwhile is held, and goes to who is there then when its author says so", function()
    -- ben is away when ann consents: nothing can be decided, and nothing of this epoch is said any more
    cores.meet(ben, cid)
    cores.open_between(ben, cid, "ben's own password")
    group.join(id, ben, cid)
    local proposal = group.asked(ann, id)
    ben:kill()
    ann:call("proposals.answer", { proposal = proposal.id, answer = "consent" })
    cores.ask("ann's consent is signed", function()
      return #ann:call("proposals.show", { proposal = proposal.id }).waiting_for == 0
    end)
    local first, second = ann:send(id, "written meanwhile"), ann:send(id, "and this")
    assert.are.same({ "queued", "queued" }, { first.state, second.state })
    ben:start()
    group.agree(id, { ann, ben, cid })
    assert.are.equal("held", ann:event("message.held", { id = first.id }).state)
    ann:event("message.held", { id = second.id })
    local now = ann:send(id, "to all three of you")
    has(ben, now.text)
    has(cid, now.text)
    assert.are.equal("held", message(ann, first).state)
    ann:restart()
    assert.are.equal("held", message(ann, first).state)
    local released = ann:call("messages.release", { discussion = id })
    assert.are.same({ first.id, second.id }, { released[1].id, released[2].id })
    for _, who in ipairs { ben, cid } do
      has(who, "and this")
      assert.are.equal("to all three of you, written meanwhile, and this", heard(who, ann))
    end
    assert.are.equal(1, becomes(ann, second, "delivered").epoch)
  end)

  it("P5.3 what the others decide without having is held again at its author, under its id", function()
    loosen()
    admit(cid, ann, ben, cid)
    local dan = cores.person "dan"
    know(dan)
    for _, who in ipairs { ann, ben } do who:stop() end
    local lost = cid:send(id, "nobody heard it")
    cid:stop()
    ann:start()
    ben:start()
    admit(dan, ann, ben, dan)
    cid:start()
    group.agree(id, { ann, ben, cid, dan })
    local held = becomes(cid, lost, "held")
    assert.is_nil(held.seq)
    assert.are.equal("", heard(ann, cid))
    cid:call("messages.release", { discussion = id })
    for _, who in ipairs { ann, ben, dan } do has(who, "nobody heard it") end
    assert.are.equal(cid:discussion(id).epoch, becomes(cid, lost, "delivered").epoch)
  end)

  it("P5.6 who was away gets what it missed, once and in order, also of an author who is away by then", function()
    loosen()
    admit(cid, ann, ben, cid)
    local dan, eve = cores.person "dan", cores.person "eve"
    know(dan)
    know(eve)
    cores.talk(id, cid, ann)
    local before = heard(cid, ann)
    cid:stop()
    for i = 1, 10 do
      ann:send(id, "ann, first " .. i)
      ben:send(id, "ben, first " .. i)
    end
    has(ben, "ann, first 10")
    has(ann, "ben, first 10")
    admit(dan, ann, ben, dan)
    ann:send(id, "ann, second")
    ben:send(id, "ben, second")
    for _, who in ipairs { ben, dan } do has(who, "ann, second") end
    has(dan, "ben, second")
    admit(eve, ann, ben, dan, eve)
    ann:send(id, "ann, third")
    for _, who in ipairs { ben, dan, eve } do has(who, "ann, third") end
    ann:stop()
    cid:start()
    cores.ask("cid is where the others are", function() return cid:discussion(id).words == ben:discussion(id).words end)
    local all = { ann = {}, ben = {} }
    for i = 1, 10 do all.ann[i], all.ben[i] = "ann, first " .. i, "ben, first " .. i end
    all.ann[11], all.ann[12], all.ben[11] = "ann, second", "ann, third", "ben, second"
    cores.ask("cid has all that ben said", function() return heard(cid, ben) == table.concat(all.ben, ", ") end)
    cores.ask("cid has all that ann said", function()
      return heard(cid, ann) == before .. ", " .. table.concat(all.ann, ", ")
    end)
    cores.ask("nothing is missing", function() return cid:discussion(id).missing == nil end)
    -- dan and eve have nothing of what was said before they came
    assert.is_nil(heard(dan, ann):find "first")
    assert.is_nil(heard(eve, ann):find "second")
    -- and ann learns that it arrived
    ann:start()
    for _, m in ipairs(ann:messages(id)) do
      if m.text:find "^ann" then cores.ask(m.text .. " is delivered", function()
        local state = message(ann, m).state
        return state == "delivered" or state == "confirmed"
      end) end
    end
    group.say(id, ann, { ben, cid, dan, eve })
  end)
end)

describe("a message of three", function()
  before_each(function()
    three()
    group.admit(id, ann, cid, { ben })
  end)
  after_each(cores.clean)

  it("P5.8 is confirmed once all others have signed to have it", function()
    local said = ann:send(id, "who has it")
    becomes(ann, said, "delivered")
    ben:send(id, "I have")
    has(ann, "I have")
    assert.are.equal("delivered", message(ann, said).state)
    cid:send(id, "so do I")
    assert.are.equal("confirmed", ann:event("message.confirmed", { id = said.id }).state)
    ann:restart()
    assert.are.equal("confirmed", message(ann, said).state)
  end)

  it("P5.8 also by members who say nothing, after half a minute", function()
    local said = ann:send(id, "listen")
    becomes(ann, said, "confirmed", 120000)
    -- what only acknowledges is no message
    assert.are.same({ 1, 1 }, { #ben:messages(id), #cid:messages(id) })
  end)
end)

describe("one of three who lies", function()
  after_each(cores.clean)

  local mode
  local function lies(text)
    mode = cores.root() .. "/splice"
    system.write(mode, "")
    three { environment = {
      LD_PRELOAD = cores.BUILD .. "/splice.so", SOTTO_SPLICE_FILE = mode,
      ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":verify_asan_link_order=0",
    } }
    group.admit(id, ann, cid, { ben })
    group.say(id, ann, { ben, cid })
    system.write(mode, text)
  end

  it("P5.8 seals what one of the others cannot open: that one complains to all, and it is never confirmed", function()
    lies "spoil"
    local said = ann:send(id, "not for cid")
    has(ben, "not for cid")
    local complaint = complaint_at(cid)
    assert.are.same({ id, cid.fingerprint, ann.fingerprint, {} },
      { complaint.discussion, complaint.member, complaint.sender, complaint.messages })
    complaint = complaint_at(ben)
    assert.are.same({ cid.fingerprint, ann.fingerprint, said.id, true },
      { complaint.member, complaint.sender, complaint.messages[1], complaint.same })
    assert.are.equal(cid.fingerprint, complaint_at(ann).member)
    ben:send(id, "I have it")
    cid:send(id, "and I have not")
    has(ann, "and I have not")
    assert.are.equal("sent", message(ann, said).state)
    -- who stops lying is heard again
    system.write(mode, "")
    ann:restart()
    has(cid, "not for cid")
  end)

  it("P3.2 P5.8 leaves one out: nobody takes it, whoever else could open it", function()
    lies "leave out"
    local said = ann:send(id, "between us two")
    for _, who in ipairs { ben, cid } do
      local complaint = complaint_at(who)
      assert.are.equal(ann.fingerprint, complaint.sender)
      assert.is_nil(message(who, said))
    end
    assert.are.equal("queued", message(ann, said).state)
  end)

  it("P5.7 says one thing to one and another to the other: both find out, and the discussion is frozen", function()
    three()
    group.admit(id, ann, cid, { ben })
    group.say(id, ann, { ben, cid })
    ann:stop()
    cid:stop()
    system.shell(("cp -a %s %s"):format(ann.home, ann.home .. ".before"))
    ann:start()
    ann:send(id, "for ben")
    has(ben, "for ben")
    ann:stop()
    ben:stop()
    assert(sys.remove_tree(ann.home))
    system.shell(("mv %s %s"):format(ann.home .. ".before", ann.home))
    cid:start()
    ann:start()
    ann:send(id, "for cid")
    has(cid, "for cid")
    ann:stop()
    ben:start()
    -- the two of them talk, and what they sign to have seen does not fit
    ben:send(id, "what did ann say")
    has(cid, "what did ann say")
    cores.state(cid, id, "frozen")
    cid:fails("messages.send", { discussion = id, text = "x" })
    -- ben has one of the two, and the other's word that there are two: it asks for that one
    cores.state(ben, id, "frozen")
    -- the proof is on disk; without ann the discussion goes on
    cid:restart()
    cores.state(cid, id, "frozen")
    ben:call("proposals.create", { discussion = id, op = "remove", peer = ann.fingerprint })
    cid:call("proposals.answer", { proposal = group.asked(cid, id, "remove").id, answer = "consent" })
    group.agree(id, { ben, cid })
    group.say_all(id, { ben, cid })
  end)
end)
