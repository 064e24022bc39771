-- SPDX-License-Identifier: GPL-3.0-or-later
-- The end of a discussion: its keys are gone on both sides, whoever is away or crashes meanwhile (P3.8, P4.1).
-- SOTTO_SPEC_ROUNDS: at how many of its moments a core is killed; more than there are: at each.
local cores = require "support.cores"
local sys = require "sotto.sys"
local system = require "support.system"

local alice, bob, id, before

-- The discussion's own home is the one whose keyring holds both discussion keys and no general key.
local function home_of_discussion(who)
  for _, name in ipairs(who:homes()) do
    local path = who.home .. "/data/homes/" .. name
    local listing = system.shell("gpg --no-autostart --homedir " .. path .. " --with-colons --list-keys")
    local _, keys = listing:gsub("\npub:", "")
    if keys == 2 and not listing:find("fpr:::::::::" .. who.fingerprint, 1, true) then return name end
  end
  error(who.name .. " has no home for the discussion")
end

local function remember()
  before = {}
  for _, who in ipairs { alice, bob } do
    local home = home_of_discussion(who)
    local keys = system.files(("%s/data/homes/%s/private-keys-v1.d"):format(who.home, home))
    assert.are.equal(2, #keys)
    before[who] = { home = home, keys = keys }
  end
end

local function agent_of(who, home)
  for _, agent in ipairs(who:agents()) do
    if table.concat(agent.arguments, " "):find(home, 1, true) then return agent end
  end
end

-- secret keys, agent and home
local function key_is_gone(who)
  local home = who.home .. "/data/homes/" .. before[who].home
  cores.wait(who.name .. ": the key's home is gone", function() return not sys.exists(home) end)
  for _, path in ipairs(before[who].keys) do assert.is_false(sys.exists(path)) end
  cores.wait(who.name .. ": its agent is gone", function() return not agent_of(who, before[who].home) end)
  -- what stays is the general key's, and the spare one for the next discussion
  cores.ask(who.name .. " has two homes", function() return #who:homes() == 2 end)
end

describe("closing", function()
  before_each(function()
    alice, bob = cores.pair()
    id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    remember()
  end)
  after_each(cores.clean)

  it("P4.1 destroys both secret keys, their agents and homes", function()
    for _, who in ipairs { alice, bob } do assert.is_not_nil(agent_of(who, before[who].home)) end
    assert.are.equal("closed", alice:call("discussions.close", { discussion = id }).state)
    local a, b = cores.all_events("discussion.closed", id, alice, bob)
    assert.are.equal("closed", a.reason)
    assert.are.equal("closed_by_member", b.reason)
    key_is_gone(alice)
    key_is_gone(bob)
    for _, who in ipairs { alice, bob } do
      assert.are.equal("closed", who:discussion(id).state)
      assert.are.equal("wrong_state", who:fails("messages.send", { discussion = id, text = "x" }))
      assert.are.equal("wrong_state", who:fails("discussions.close", { discussion = id }))
      assert.are.equal(2, #who:messages(id))
    end
  end)

  it("with two members leaving is closing", function()
    bob:call("discussions.leave", { discussion = id })
    cores.all_events("discussion.closed", id, alice, bob)
    key_is_gone(alice)
    key_is_gone(bob)
  end)

  it("P3.8 reaches one who is away, after what was said before", function()
    bob:kill()
    local sent = {}
    for i = 1, 5 do
      sent[i] = "before the end " .. i
      alice:send(id, sent[i])
    end
    alice:call("discussions.close", { discussion = id })
    key_is_gone(alice)
    bob:start()
    assert.are.equal("closed_by_member", bob:event("discussion.closed", { id = id }).reason)
    key_is_gone(bob)
    local got = bob:texts(id, alice.fingerprint)
    table.remove(got, 1)
    assert.are.same(sent, got)
    cores.ask("all of it to be delivered", function()
      for _, message in ipairs(alice:messages(id)) do
        if message.sender == alice.fingerprint and message.state ~= "delivered" then return false end
      end
      return true
    end)
  end)

  it("P3.8 reaches one who is away, also when the one who closed has gone and come back", function()
    bob:kill()
    alice:send(id, "last words")
    alice:call("discussions.close", { discussion = id })
    key_is_gone(alice)
    alice:restart()
    assert.are.equal("closed", alice:discussion(id).state)
    bob:start()
    bob:event("discussion.closed", { id = id })
    key_is_gone(bob)
    assert.are.equal("last words", bob:texts(id, alice.fingerprint)[2])
  end)

  it("P3.8 both close while they are apart", function()
    bob:stop()
    alice:call("discussions.close", { discussion = id })
    key_is_gone(alice)
    alice:stop()
    bob:start()
    bob:call("discussions.close", { discussion = id })
    key_is_gone(bob)
    alice:start()
    for _, who in ipairs { alice, bob } do
      assert.are.equal("closed", who:discussion(id).state)
      assert.are.equal("closed", who:discussion(id).reason)
    end
    cores.wait("both to have been told", function()
      return alice:has_logged "both have closed" and bob:has_logged "both have closed"
    end)
    cores.open_between(alice, bob)
  end)

  it("P3.8 holds where the core is killed right after the answer", function()
    alice:call("discussions.close", { discussion = id })
    alice:kill()
    alice:start()
    assert.are.equal("closed", alice:discussion(id).state)
    key_is_gone(alice)
    bob:event("discussion.closed", { id = id })
    key_is_gone(bob)
  end)

  it("P3.8 holds or has not begun where the core is killed before the answer", function()
    alice.control:request("discussions.close", { discussion = id })
    alice:kill()
    alice:start()
    local state = alice:discussion(id).state
    if state == "closed" then
      key_is_gone(alice)
      bob:event("discussion.closed", { id = id })
      key_is_gone(bob)
    else
      cores.state(alice, id, "open")
      cores.talk(id, alice, bob)
    end
  end)

  it("P4.1 what a killed core has left is swept at its next start, planted homes and their agents too", function()
    local homes = alice.home .. "/data/homes"
    local old = {}
    for _, agent in ipairs(alice:agents()) do old[agent.pid] = true end
    assert.is_not_nil(next(old))
    alice:kill()
    local planted = { ("ab"):rep(16), "something-else" }
    for _, name in ipairs(planted) do
      local home = homes .. "/" .. name
      assert(sys.make_private_directory(home .. "/private-keys-v1.d"))
      system.write(home .. "/private-keys-v1.d/" .. ("0"):rep(40) .. ".key", "a secret key")
      system.shell("gpg-agent --homedir " .. home .. " --daemon")
    end
    local agents = alice:agents()
    assert.is_true(#agents >= 3)
    for _, agent in ipairs(agents) do old[agent.pid] = true end
    alice:start()
    for _, name in ipairs(planted) do assert.is_false(sys.exists(homes .. "/" .. name), name) end
    for pid in pairs(old) do assert.is_false(sys.alive(pid)) end
    cores.state(alice, id, "open")
    cores.talk(id, alice, bob)
    cores.ask("no more homes than are needed", function() return #alice:homes() == 3 end)
  end)

  it("P4.4 forgetting leaves nothing of a discussion", function()
    local text = alice:messages(id)[1].id
    assert.are.equal("wrong_state", alice:fails("discussions.forget", { discussion = id }))
    alice:call("discussions.close", { discussion = id })
    bob:event("discussion.closed", { id = id })
    key_is_gone(alice)
    -- what is still to be told cannot be forgotten
    cores.ask("the discussion to be forgotten", function() return alice:try("discussions.forget", { discussion = id }) end)
    assert.are.equal("not_found", alice:fails("discussions.show", { discussion = id }))
    assert.are.equal("not_found", alice:fails("messages.list", { discussion = id }))
    assert.are.same({}, alice:call "discussions.list")
    for _, path in ipairs(system.files(alice.home)) do
      local content = system.read(path) or ""
      assert.is_nil(content:find(id, 1, true), path)
      assert.is_nil(content:find(text, 1, true), path)
    end
    alice:restart()
    assert.are.same({}, alice:call "discussions.list")
    assert.are.equal("closed", bob:discussion(id).state)
    cores.open_between(alice, bob)
  end)
end)

describe("closing, killed before it changes something on disk,", function()
  local MOMENTS = tonumber(os.getenv "SOTTO_SPEC_ROUNDS") or 10
  local file

  -- From now on the core's writes are counted; it does not live to see the one of that number.
  local function kill_before(number)
    os.remove(file .. ".count")
    system.write(file .. ".new", tostring(number))
    assert(os.rename(file .. ".new", file))
  end

  local function counted() return tonumber(system.read(file .. ".count") or "") or 0 end

  local function open_again()
    id = cores.request(alice, bob)
    bob:call("discussions.accept", { discussion = id })
    cores.all_events("discussion.opened", id, alice, bob)
    cores.talk(id, alice, bob)
    remember()
  end

  setup(function()
    file = cores.root() .. "/crash"
    -- a core with sanitizers wants to have its own first, and can do without
    alice = cores.person("alice", { environment = {
      LD_PRELOAD = cores.BUILD .. "/crash_points.so", SOTTO_CRASH_FILE = file,
      ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":verify_asan_link_order=0",
    } })
    bob = cores.person "bob"
    cores.meet(alice, bob)
    id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
    remember()
  end)
  teardown(cores.clean)

  -- Closes with the core killed at that moment; whether it came to that.
  local function close_until(number)
    kill_before(number)
    -- a write of something else may be the one
    pcall(alice.control.request, alice.control, "discussions.close", { discussion = id })
    cores.ask("the end of alice, or of all that closing takes", function()
      return not alice:running() or
        not sys.exists(alice.home .. "/data/homes/" .. before[alice].home) and bob:discussion(id).state == "closed"
    end)
    os.remove(file)
    -- what it was doing when the file went may be that write: only who still answers lives on
    local asked, lives = pcall(alice.control.greet, alice.control)
    if asked and lives then return false end
    alice:kill()
    alice:start()
    return true
  end

  -- It has happened, or it has not begun: then it is done now.
  local function ends_well()
    if alice:discussion(id).state ~= "closed" then
      cores.state(alice, id, "open")
      cores.talk(id, alice, bob)
      alice:call("discussions.close", { discussion = id })
    end
    cores.state(bob, id, "closed")
    assert.are.equal("closed_by_member", bob:discussion(id).reason)
    for _, who in ipairs { alice, bob } do key_is_gone(who) end
    assert.are.same(alice:texts(id), bob:texts(id))
  end

  it("P4.1 P3.8 has happened or has not begun, and leaves nothing", function()
    close_until(1 << 30)
    local last = counted()
    assert.is_true(last > 10, last)
    ends_well()
    local killed = 0
    for n = 1, math.min(MOMENTS, last) do
      open_again()
      -- spread over all of them
      local number = MOMENTS >= last and n or (n * 2 - 1) * last // (2 * MOMENTS) + 1
      local ok, problem = pcall(function()
        if close_until(number) then killed = killed + 1 end
        ends_well()
      end)
      if not ok then error(("killed before write %d of %d: %s\n%s"):format(number, last, problem, alice:tail()), 0) end
    end
    assert.is_true(killed >= math.min(MOMENTS, last) * 2 // 3, killed)
  end)
end)
