-- SPDX-License-Identifier: GPL-3.0-or-later
-- What goes wrong for a while, under a conversation: a person is told once when it begins and once when it is over, nothing
-- is lost, and it goes on by itself.
local cores = require "support.cores"
local gnupg = require "support.gnupg"
local loop = require "sotto.loop"
local small_disk = require "support.small_disk"
local sys = require "sotto.sys"
local system = require "support.system"

describe("trouble", function()
  local alice, bob, disk, id

  local function meet(options)
    alice, bob = cores.person("alice", options), cores.person "bob"
    cores.meet(alice, bob)
    id = cores.open_between(alice, bob)
    cores.talk(id, alice, bob)
  end

  after_each(function()
    pcall(alice.stop, alice)
    cores.clean()
    if disk then disk:free() end
    disk = nil
  end)

  local function begins(who, about, ...)
    local warning = who:event("warning", function(one) return one.about == about and not one.over end)
    for _, part in ipairs { ... } do assert.truthy(warning.text:find(part, 1, true), warning.text) end
  end

  local function ends(who, about)
    return who:event("warning", function(one) return one.about == about and one.over end)
  end

  -- Everything that one of them has is with the other, once and in order.
  local function nothing_is_lost()
    cores.ask("all to be delivered", function()
      for _, who in ipairs { alice, bob } do
        for _, message in ipairs(who:messages(id)) do
          if message.state ~= "delivered" and message.state ~= "received" then return false end
        end
      end
      return #alice:messages(id) == #bob:messages(id)
    end)
    for _, way in ipairs { { alice, bob }, { bob, alice } } do
      assert.are.same(way[1]:texts(id, way[1].fingerprint), way[2]:texts(id, way[1].fingerprint))
    end
    cores.talk(id, alice, bob)
  end

  -- how often the log says that what had come could not be stored
  local function failures(who)
    local count = 0
    for _, line in ipairs(who.log) do
      if line:find("received messages could not be stored", 1, true) then count = count + 1 end
    end
    return count
  end

  local function send_many(who, text, count)
    for i = 1, count do who:send(id, ("%s %d"):format(text, i)) end
  end

  describe("with the disk", function()
    before_each(function()
      disk = small_disk.new(cores.root(), "alice", 12)
      meet { disk = disk }
    end)

    -- SQLite's log may have room for small writes that the disk has not
    local function fill_for_good()
      disk:fill()
      cores.ask("a message that finds no room", function()
        bob:send(id, ("long "):rep(10000))
        return alice:take_event("warning", { about = "store", over = false })
      end)
    end

    it("that is read-only keeps a core from starting, which says so, and nothing is lost", function()
      alice:stop()
      disk:remount "ro"
      bob:send(id, "while it is read-only")
      local status, output = alice:attempt()
      assert.are.equal(1, status)
      assert.truthy(output:find("Read-only file system", 1, true), output)
      assert.truthy(output:find(disk.path, 1, true), output)
      disk:remount "rw"
      alice:start()
      alice:event("message.received", { text = "while it is read-only" })
      nothing_is_lost()
    end)

    it("is told of once, however often it fails, and once when that is over", function()
      disk:fill()
      for _ = 1, 5 do assert.are.equal("io", (alice:fails("messages.send", { discussion = id, text = "not kept" }))) end
      send_many(bob, "while it is full", 3)
      begins(alice, "store", "the disk is full", "nothing is lost")
      disk:make_room()
      ends(alice, "store")
      alice:event("message.received", { text = "while it is full 3" })
      assert.is_nil(alice:take_event("warning", { about = "store" }))
      nothing_is_lost()
    end)

    it("goes on within seconds when there is room, however long it took", function()
      disk:fill()
      send_many(bob, "while it is full", 5)
      begins(alice, "store", "the disk is full")
      -- until the tries that it makes by itself are far apart: after these the next is due in more than twelve seconds
      cores.ask("eight failures", function()
        for _, one in ipairs(alice:call "system.doctor") do
          if one.check == "disk" then assert.are.equal("fail", one.status) end
        end
        return failures(alice) >= 8
      end)
      disk:make_room()
      local before = loop.now()
      alice:event("message.received", { text = "while it is full 5" })
      assert.is_true(loop.now() - before < 12000, "it has waited for its next try")
      ends(alice, "store")
      nothing_is_lost()
    end)

    local function is_linked(who)
      for _, member in ipairs(who:discussion(id).members) do
        if not member.you then return member.present end
      end
    end

    it("forgets no link that came or went meanwhile", function()
      fill_for_good()
      bob:kill()
      cores.ask("the end of the link", function() return not is_linked(alice) end)
      disk:make_room()
      ends(alice, "store")
      cores.state(alice, id, "suspended")
      bob:start()
      cores.state(alice, id, "open")
      fill_for_good()
      for _ = 1, 2 do
        bob:restart()
        cores.ask("a new link", function() return is_linked(alice) end)
      end
      disk:make_room()
      ends(alice, "store")
      cores.state(alice, id, "open")
      nothing_is_lost()
      -- the count of links is right: the end of the last one is seen
      bob:kill()
      cores.state(alice, id, "suspended")
      bob:start()
      cores.state(alice, id, "open")
    end)

    it("closes what the other side has closed, once that can be kept", function()
      fill_for_good()
      bob:call("discussions.close", { discussion = id })
      assert.is_true(alice:discussion(id).state ~= "closed")
      disk:make_room()
      cores.state(alice, id, "closed")
      cores.wait("the key to be gone", function() return #alice:homes() <= 2 end)
      alice:restart()
      assert.are.equal("closed", alice:discussion(id).state)
      assert.are.equal("closed_by_member", alice:discussion(id).reason)
    end)

    it("is warned of before it is full", function()
      begins(alice, "room", "nearly full")
      assert.is_nil(alice.control:take_event("warning", { about = "room" }))
    end)
  end)

  describe("with a home that its kernel makes read-only under a core that works", function()
    local switch

    before_each(function()
      local place = cores.root() .. "/alice"
      switch = place .. ".read-only"
      meet { environment = {
        LD_PRELOAD = cores.BUILD .. "/read_only.so", SOTTO_READ_ONLY = place,
        ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":verify_asan_link_order=0",
      } }
    end)
    after_each(function() os.remove(switch) end)

    local function is_said(name, message)
      assert.are.same({ "io", true }, { name, message:find("Read-only file system", 1, true) ~= nil }, message)
    end

    it("says so once, keeps and shows what it has, and goes on when it can be written again", function()
      local homes = #alice:homes()
      system.write(switch, "")
      for _ = 1, 3 do is_said(alice:fails("messages.send", { discussion = id, text = "not kept" })) end
      send_many(bob, "while it is read-only", 3)
      begins(alice, "store", "Read-only file system", "nothing is lost")
      -- the key for it may have been half made by then
      assert.are.equal("io", (alice:fails("discussions.open", { peer = bob.fingerprint })))
      is_said(alice:fails("discussions.close", { discussion = id }))
      assert.are.equal(2, #alice:messages(id))
      for _, message in ipairs(bob:messages(id)) do
        assert.is_true(message.text:find("read-only", 1, true) == nil or message.state ~= "delivered", message.state)
      end
      local findings = {}
      for _, one in ipairs(alice:call "system.doctor") do findings[one.check] = one end
      assert.are.equal("fail", findings.disk.status)
      assert.truthy(findings.disk.text:find("Read-only file system", 1, true), findings.disk.text)
      assert.are.equal("fail", findings.home.status)
      assert.is_nil(alice:take_event("warning", { about = "store" }))
      os.remove(switch)
      ends(alice, "store")
      alice:event("message.received", { text = "while it is read-only 3" })
      nothing_is_lost()
      cores.talk(cores.open_between(alice, bob, "another one"), bob, alice)
      cores.ask("no home that nobody needs", function() return #alice:homes() <= homes + 2 end)
    end)

    it("that is killed then starts when it can be written again, with all that it had", function()
      system.write(switch, "")
      send_many(bob, "while it is read-only", 3)
      begins(alice, "store", "Read-only file system")
      alice:kill()
      local status, output = alice:attempt()
      assert.are.equal(1, status)
      assert.truthy(output:find("Read-only file system", 1, true), output)
      os.remove(switch)
      alice:start()
      alice:event("message.received", { text = "while it is read-only 3" })
      nothing_is_lost()
    end)
  end)

  it("with a store that is damaged while a core works says so, and ends nothing", function()
    meet()
    send_many(alice, "something to read", 50)
    alice:event("message.delivered", { text = "something to read 50" })
    alice:restart() -- its file holds all of it now, and its cache nothing
    local store = alice.home .. "/data/sotto.db"
    local whole = system.read(store)
    local file = assert(io.open(store, "r+b"))
    file:seek("set", 4096)
    file:write(("\xa5"):rep(#whole - 4096))
    file:close()
    local name, message = alice:fails("messages.list", { discussion = id })
    assert.are.equal("io", name)
    assert.truthy(message:find("is damaged", 1, true), message)
    assert.truthy(message:find(store, 1, true), message)
    assert.is_true(alice:running())
    alice:stop()
    local status, output = alice:attempt()
    assert.are.equal(1, status)
    assert.truthy(output:find("is damaged", 1, true), output)
    system.write(store, whole)
    alice:start()
    assert.are.equal(52, #alice:messages(id))
  end)

  describe("with descriptors", function()
    local function limit(who, count)
      local output, status = system.shell(("prlimit --pid %d --nofile=%s"):format(who:pid(), count))
      assert(status == 0, output)
    end

    -- as many again as it may have
    local function free(who)
      limit(who, system.read_proc(who:pid(), "limits"):match "Max open files%s+%d+%s+(%d+)" .. ":")
    end

    local function used(who) return #assert(sys.list(("/proc/%d/fd"):format(who:pid()))) end

    local function seconds_of_work(who)
      local stat = system.read_proc(who:pid(), "stat"):match "%) (.*)"
      local fields = {}
      for field in stat:gmatch "%S+" do fields[#fields + 1] = field end
      return (tonumber(fields[12]) + tonumber(fields[13])) / 100
    end

    it("that gpg does not get says so, keeps what waits, and goes on", function()
      meet { arguments = { "-v" } }
      limit(alice, ("%d:"):format(used(alice)))
      -- gpg that was started ahead still serves for the first ones
      cores.ask("one that cannot be sealed", function()
        alice:send(id, "kept, and not sealed")
        return alice:take_event("warning", { about = "gpg", over = false })
      end)
      bob:send(id, "not opened yet")
      local messages = alice:messages(id)
      assert.are.equal("queued", messages[#messages].state)
      free(alice)
      ends(alice, "gpg")
      nothing_is_lost()
    end)

    it("that callers do not get makes them wait, without work, and is told", function()
      meet()
      limit(alice, ("%d:"):format(used(alice)))
      local strangers = {}
      local socket = require "support.net_socket"
      finally(function()
        for _, fd in ipairs(strangers) do socket.close(fd) end
      end)
      for i = 1, 5 do strangers[i] = socket.connect(alice.address) end
      local before = seconds_of_work(alice)
      begins(alice, "descriptors", "no descriptor is left")
      assert.is_true(seconds_of_work(alice) - before < 1.5, "it works hard at doing nothing")
      free(alice)
      ends(alice, "descriptors")
      nothing_is_lost()
    end)
  end)

  if sys.getuid() == 0 then
    it("with a gpg that is taken away and comes back", function()
      meet { through = { "unshare", "-m" } }
      local gpg = sys.realpath(sys.gnupg().gpg)
      local function there(words)
        local output, ok = gnupg.run("nsenter -t %d -m %s", alice:pid(), words)
        assert(ok, output)
      end
      there("mount --bind /dev/null " .. gpg)
      cores.ask("one that cannot be sealed", function()
        alice:send(id, "waits for gpg")
        return alice:take_event("warning", { about = "gpg", over = false })
      end)
      cores.ask("one that cannot be opened", function()
        bob:send(id, "not opened yet")
        return table.concat(alice.log, "\n"):find("messages could not be opened", 1, true)
      end)
      local findings = {}
      for _, one in ipairs(alice:call "system.doctor") do findings[one.check] = one end
      assert.are.equal("fail", findings.gpg.status)
      there("umount " .. gpg)
      ends(alice, "gpg")
      nothing_is_lost()
    end)
  end
end)
