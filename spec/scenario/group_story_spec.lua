-- SPDX-License-Identifier: GPL-3.0-or-later
-- The story of a discussion of many, on five real cores (§5): who comes in by whose word, who does not and why, who goes; the same
-- words for all at each epoch; and that who went can open nothing that was sent later, with stock gpg and the keys that they had.
local chatter = require "support.chatter"
local cores = require "support.cores"
local group = require "support.group"
local sys = require "sotto.sys"
local system = require "support.system"
local window = require "support.window"

local ann, ben, cid, dan, eve, id
local words, kept, exports = {}, {}, 0

-- All of them see the same words, which no epoch before had.
local function new_words(people)
  local now = group.agree(id, people).words
  assert.is_nil(words[now], "the words of an earlier epoch")
  words[now] = true
end

local function policy(who, name, command, ...)
  who:call("scripts.load", { path = ("%s/plugins/%s.lua"):format(sys.cwd(), name), grant = true })
  if command then who:call("scripts.command", { name = name, command = command, arguments = { ... } }) end
end

-- who answered what, the proposer apart: "ben consent policy"
local function answers(proposal)
  local names, said = {}, {}
  for _, who in ipairs { ann, ben, cid, dan } do names[who.fingerprint] = who.name end
  for _, one in ipairs(proposal.answers) do
    if one.member ~= proposal.proposer and names[one.member] then
      said[#said + 1] = ("%s %s %s"):format(names[one.member], one.answer, one.by)
    end
  end
  table.sort(said)
  return said
end

-- --- what is left to who goes ----------------------------------------------------------------------------------------------------

-- A copy of the homes with all of somebody's keys.
local function keep_keys(who)
  local folder = ("%s/kept-%s"):format(cores.root(), who.name)
  assert(sys.make_private_directory(folder))
  kept[who] = {}
  for i, name in ipairs(who:homes()) do
    local copy = ("%s/%d"):format(folder, i)
    local output, status = system.shell(("cp -r %s/data/homes/%s %s && rm -f %s/S.*"):format(who.home, name, copy, copy))
    assert.are.equal(0, status, output)
    kept[who][i] = copy
  end
  assert.is_true(#kept[who] >= 2, "a general key's home, and the discussion's")
end

-- The sealed message, as one of those who have it can give it away.
local function sealed(who, message)
  exports = exports + 1
  local path = ("%s/export-%d"):format(cores.root(), exports)
  who:call("discussions.export", { discussion = id, path = path })
  for _, one in ipairs(who:messages(id)) do
    if one.id == message.id then
      local file = ("%s/sealed/%s-%d-%d.pgp"):format(path, one.sender, one.epoch, one.seq)
      assert.is_true(sys.exists(file), file)
      return file
    end
  end
end

-- Whether one of the keys that were kept opens it, for stock gpg.
local function opens(who, file, text)
  local plain = cores.root() .. "/plain"
  for _, home in ipairs(kept[who]) do
    os.remove(plain)
    local output = system.shell(("gpg --homedir %s --batch --status-fd 1 --trust-model always --output %s --decrypt %s")
      :format(home, plain, file))
    if output:find("[GNUPG:] DECRYPTION_OKAY", 1, true) then
      assert.truthy(system.read(plain):find(text, 1, true), "another text")
      return true
    end
    assert.truthy(output:find("[GNUPG:] NO_SECKEY", 1, true), output)
  end
  return false
end

local function says(from, to)
  local message = group.say(id, from, to)
  return sealed(to[1], message), message.text
end

describe("the story of five", function()
  setup(function()
    ann, ben, cid = cores.person "ann", cores.person "ben", cores.person "cid"
    dan, eve = cores.person "dan", cores.person "eve"
    id = group.know(ann, ben)
    for _, who in ipairs { cid, dan, eve } do group.know(ann, who) end
  end)
  teardown(function()
    window.close_all()
    for _, homes in pairs(kept) do
      for _, home in ipairs(homes) do system.shell(("gpgconf --homedir %s --kill all"):format(home)) end
    end
    cores.clean()
  end)

  it("ann and ben talk; ann invites cid, ben consents, and cid's first message reaches both", function()
    cores.talk(id, ann, ben)
    new_words { ann, ben }
    local made = group.join(id, ann, cid)
    group.consent(id, "admit", { ben })
    assert.are.same({ "ben consent person" }, answers(group.ends(ann, made.id, "committed")))
    new_words { ann, ben, cid }
    group.say(id, cid, { ann, ben })
  end)

  it("dan comes in by policies alone", function()
    policy(ben, "allow-list", "allow", dan.fingerprint)
    policy(cid, "allow-list", "allow", dan.fingerprint)
    local made = group.join(id, ann, dan)
    assert.are.same({ "ben consent policy", "cid consent policy" }, answers(group.ends(ann, made.id, "committed")))
    new_words { ann, ben, cid, dan }
    group.say(id, dan, { ann, ben, cid })
  end)

  it("eve does not: one member's policy refuses, and ann reads why", function()
    policy(dan, "closed", "because", "We are", "complete.")
    local at_ann = chatter.open(ann, { columns = 160, rows = 60 })
    group.join(id, ann, eve)
    at_ann:see "It comes to nothing to admit eve: dan has refused (a policy): We are complete."
    assert.are.equal("refused", cores.state(eve, id, "refused").reason)
    group.agree(id, { ann, ben, cid, dan })
  end)

  it("cid leaves, and opens nothing that is sent then", function()
    local before, text = says(ann, { ben, dan, cid })
    keep_keys(cid)
    assert.is_true(opens(cid, before, text)) -- the keys are the right ones
    cid:call("discussions.leave", { discussion = id })
    new_words { ann, ben, dan }
    for _, way in ipairs { { ann, ben, dan }, { ben, ann, dan }, { dan, ann, ben } } do
      assert.is_false(opens(cid, says(way[1], { way[2], way[3] })))
    end
  end)

  it("the rest remove dan by vote, and neither of those who went opens anything more", function()
    local before, text = says(ann, { ben, dan })
    keep_keys(dan)
    assert.is_true(opens(dan, before, text))
    local made = ann:call("proposals.create", { discussion = id, op = "remove", peer = dan.fingerprint })
    group.consent(id, "remove", { ben })
    assert.are.same({ "ben consent person" }, answers(group.ends(ann, made.id, "committed")))
    group.ended(dan, id, "removed")
    new_words { ann, ben }
    for _, way in ipairs { { ann, ben }, { ben, ann } } do
      local file, said = says(way[1], { way[2] })
      for _, who in ipairs { cid, dan } do assert.is_false(opens(who, file, said), who.name) end
    end
  end)
end)
