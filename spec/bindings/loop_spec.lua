-- SPDX-License-Identifier: GPL-3.0-or-later
local log = require "sotto.log"
local loop = require "sotto.loop"
local sys = require "sotto.sys"
local turns = require "support.turns"

-- collects the errors of callbacks meanwhile
local function with_errors(f)
  local errors = {}
  loop.on_error(function(text) errors[#errors + 1] = text end)
  f(errors)
  loop.on_error(nil)
  return errors
end

describe("loop timers", function()
  it("come in order, once each, and not from inside the call", function()
    local order, inside = {}, true
    loop.after(300, function() order[#order + 1] = "late" end)
    loop.after(0, function()
      assert.is_false(inside)
      order[#order + 1] = "now"
    end)
    loop.after(5, function() order[#order + 1] = "soon" end)
    inside = false
    turns.run()
    assert.are.same({ "now", "soon", "late" }, order)
  end)

  it("repeat until they are stopped, also from their own callback", function()
    local count, timer = 0, nil
    timer = loop.every(1, function()
      count = count + 1
      if count == 3 then timer:stop() end
    end)
    assert.is_true(timer:active())
    turns.run()
    assert.are.equal(3, count)
    assert.is_false(timer:active())
    timer:stop()
  end)

  it("are put off and begun anew by restart", function()
    local fired, began = 0, loop.now()
    local timer = loop.after(1, function() fired = fired + 1 end)
    timer:restart(30)
    turns.run()
    assert.are.equal(1, fired)
    assert.is_true(loop.now() - began >= 29)
    timer:restart(1)
    turns.run()
    assert.are.equal(2, fired)
  end)

  it("live without anybody holding them, and are collected afterwards", function()
    local seen = setmetatable({}, { __mode = "k" })
    local fired = false
    do
      local timer = loop.after(5, function() fired = true end)
      seen[timer] = true
    end
    collectgarbage()
    turns.run()
    assert.is_true(fired)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("a stopped one is collected with a callback that holds it", function()
    local seen = setmetatable({}, { __mode = "k" })
    do
      local timer
      timer = loop.after(60000, function() timer:stop() end)
      seen[timer] = true
      timer:stop()
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("refuse what is no duration", function()
    for _, bad in ipairs { -1, 0 / 0, math.huge, "x" } do
      assert.has_error(function() loop.after(bad, print) end)
    end
    assert.has_error(function() loop.every(0, print) end)
    assert.has_error(function() loop.after(1) end)
  end)

  it("go on after a callback raised, with its traceback told", function()
    local went_on = false
    local errors = with_errors(function()
      loop.after(0, function() error("oops") end)
      loop.after(0, function() error({}) end)
      loop.after(1, function() went_on = true end)
      turns.run()
    end)
    assert.is_true(went_on)
    assert.are.equal(2, #errors)
    assert.truthy(errors[1]:find("oops", 1, true))
    assert.truthy(errors[1]:find("loop_spec.lua", 1, true))
  end)

  it("hold when the error handler itself raises", function()
    local directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    finally(function() sys.remove_tree(directory) end)
    assert(log.open(directory .. "/log"))
    loop.on_error(function() error("again") end)
    local went_on = false
    loop.after(0, function() error("oops") end)
    loop.after(1, function() went_on = true end)
    turns.run()
    loop.on_error(nil)
    assert(log.open(nil))
    local text = sys.read_file(directory .. "/log")
    assert.is_true(went_on)
    assert.truthy(text:find("oops", 1, true))
    assert.truthy(text:find("loop_spec.lua", 1, true))
  end)

  it("can be made in a coroutine that is gone when they fire", function()
    local fired = false
    coroutine.wrap(function() loop.after(1, function() fired = true end) end)()
    collectgarbage()
    turns.run()
    assert.is_true(fired)
  end)
end)

describe("loop.defer", function()
  it("comes at the end of the turn, after the other callbacks of it", function()
    local order = {}
    loop.after(0, function()
      loop.defer(function() order[#order + 1] = "deferred" end)
      order[#order + 1] = "first"
    end)
    loop.after(0, function() order[#order + 1] = "second" end)
    turns.run()
    assert.are.same({ "first", "second", "deferred" }, order)
  end)

  it("does not starve timers when it defers itself for ever", function()
    local going, count = true, 0
    local function again()
      count = count + 1
      if going then loop.defer(again) end
    end
    loop.defer(again)
    loop.after(5, function() going = false end)
    turns.run()
    assert.is_true(count > 10)
  end)
end)

describe("loop.signal", function()
  it("calls with the name, and alone does not keep the loop going", function()
    local got
    local handle = loop.signal("SIGUSR1", function(name)
      got = name
      loop.stop()
    end)
    loop.run()
    assert.is_nil(got)
    sys.kill(sys.getpid(), "SIGUSR1")
    local guard = loop.after(5000, loop.stop)
    loop.run()
    guard:stop()
    handle:stop()
    handle:stop()
    assert.are.equal("SIGUSR1", got)
  end)

  it("refuses a name that is none", function()
    assert.has_error(function() loop.signal("SIGNOPE", print) end)
  end)
end)

describe("loop.spawn", function()
  it("gives lines of both outputs and the exit status", function()
    local out, err, ended = {}, {}, nil
    local process = assert(loop.spawn {
      program = "sh", "-c", "echo one; echo two >&2; printf three; exit 7",
      stdout = "pipe", stderr = "pipe",
      on_stdout = function(line) out[#out + 1] = line end,
      on_stderr = function(line) err[#err + 1] = line end,
      on_exit = function(...) ended = table.pack(...) end,
    })
    assert.is_true(process:running())
    assert.is_number(process.pid)
    turns.run()
    assert.are.same({ "one", "three" }, out)
    assert.are.same({ "two" }, err)
    assert.are.equal(7, ended[1])
    assert.is_nil(ended[2])
    assert.is_false(process:running())
  end)

  it("names the signal that ended it", function()
    local ended
    local process = assert(loop.spawn {
      program = "sleep", "600", on_exit = function(...) ended = table.pack(...) end,
    })
    process:kill("SIGTERM")
    turns.run()
    assert.are.same({ n = 2, [2] = "SIGTERM" }, ended)
    process:kill("SIGTERM")
  end)

  it("writes to the child, megabytes too, and lets it see the end", function()
    local size, text = 0, ("x"):rep(99999)
    local process
    process = assert(loop.spawn {
      program = "cat", stdin = "pipe", stdout = "pipe", on_stdout = function(line) size = size + #line end,
    })
    for _ = 1, 50 do assert(process.stdin:send(text)) end
    process.stdin:close()
    turns.run()
    assert.are.equal(50 * #text, size)
    assert.is_nil(process.stdin:send("more"))
  end)

  it("says what cannot be started, and leaves nothing behind", function()
    local before = #sys.list("/proc/self/fd")
    local process, message, name = loop.spawn { program = "/nowhere/at/all", stdin = "pipe", stdout = "pipe" }
    assert.is_nil(process)
    assert.are.equal("not_found", name)
    assert.truthy(message:find("/nowhere/at/all", 1, true))
    assert.is_nil(loop.spawn { program = "true", directory = "/nowhere/at/all" })
    collectgarbage()
    assert.are.equal(before, #sys.list("/proc/self/fd"))
  end)

  it("changes environment and directory, and closes every other descriptor", function()
    local out = {}
    assert(loop.spawn {
      program = "sh", "-c", "pwd; echo \"$NEW-${PATH:+path}-${HOME-none}\"; set -- /proc/$$/fd/*; echo $#",
      environment = { NEW = "1", HOME = false }, directory = "/", stdout = "pipe",
      on_stdout = function(line) out[#out + 1] = line end,
    })
    turns.run()
    assert.are.equal("/", out[1])
    assert.are.equal("1-path-none", out[2])
    assert.is_true(tonumber(out[3]) <= 4)
  end)

  it("survives a child that closes its input early", function()
    local closed = false
    local process
    process = assert(loop.spawn { program = "true", stdin = "pipe", on_exit = function()
      -- the pipe has no reader any more: an error of the stream, and not of the process
      for _ = 1, 3 do process.stdin:send(("x"):rep(100000)) end
      closed = true
    end })
    turns.run()
    assert.is_true(closed)
    assert.is_nil(process.stdin:send("x"))
  end)

  it("lets a child follow that is to end with this process, also when kill -9 ends it", function()
    local process, follower
    process = assert(loop.spawn {
      program = "lua5.4", environment = { LUA_CPATH = package.cpath }, stdout = "pipe",
      on_stdout = function(line)
        follower = tonumber(line)
        process:kill("SIGKILL")
      end,
      "-e", [[
        local loop = require "sotto.loop"
        loop.spawn { program = "sh", follows = true, "-c", "echo $$; exec sleep 600" }
        loop.run()
      ]],
    })
    finally(function() if follower and sys.alive(follower) then sys.kill(follower, "SIGKILL") end end)
    -- the pipe has an end when both have ended
    turns.run()
    assert.is_number(follower)
    assert.is_false(process:running())
  end)

  it("refuses arguments that are none", function()
    assert.has_error(function() loop.spawn {} end)
    assert.has_error(function() loop.spawn { program = "true", {} } end)
    assert.has_error(function() loop.spawn { program = "true", stdin = "nope" } end)
    assert.has_error(function() loop.spawn { program = "true", on_exit = 1 } end)
  end)
end)

describe("loop.watch", function()
  it("calls for what can be read, until it is stopped", function()
    local directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-"))
    finally(function() sys.remove_tree(directory) end)
    os.execute("mkfifo " .. directory .. "/fifo")
    local writer = assert(loop.spawn { program = "sh", "-c", "echo x >" .. directory .. "/fifo" })
    local fifo = assert(io.open(directory .. "/fifo", "r"))
    -- the number of the descriptor that the file has
    local fd
    for _, name in ipairs(sys.list("/proc/self/fd")) do
      if sys.realpath("/proc/self/fd/" .. name) == directory .. "/fifo" then fd = tonumber(name) end
    end
    local calls, watch = 0, nil
    watch = loop.watch(fd, function()
      calls = calls + 1
      assert.are.equal("x", fifo:read("l"))
      watch:stop()
    end)
    turns.run()
    assert.are.equal(1, calls)
    assert.is_false(writer:running())
    fifo:close()
  end)
end)
