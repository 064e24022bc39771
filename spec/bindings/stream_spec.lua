-- SPDX-License-Identifier: GPL-3.0-or-later
local json = require "sotto.json"
local loop = require "sotto.loop"
local secret = require "sotto.secret"
local sys = require "sotto.sys"
local turns = require "support.turns"

describe("stream", function()
  local directory, server, path

  -- every connection is a process of its own, between whose ends the lines go
  local function serve(command)
    path = directory .. "/socket"
    server = assert(loop.spawn {
      program = "socat", "UNIX-LISTEN:" .. path .. ",fork", "SYSTEM:" .. command, stderr = "null",
    })
  end

  local function connect(options)
    return turns.wait_for("the server", function() return (loop.connect_unix(path, options)) end)
  end

  before_each(function() directory = assert(sys.make_temporary_directory("/tmp/sotto-spec-")) end)
  after_each(function()
    if server then
      server:kill("SIGTERM")
      turns.wait_for("the server's end", function() return not server:running() end)
      server = nil
    end
    sys.remove_tree(directory)
  end)

  it("sends and receives lines, in order", function()
    serve("cat")
    local got = {}
    local stream
    stream = connect { line = function(line)
      got[#got + 1] = line
      if #got == 1000 then
        stream:close()
        loop.stop()
      end
    end }
    for i = 1, 1000 do assert(stream:send("line " .. i)) end
    turns.run("1000 lines")
    for i = 1, 1000 do assert.are.equal("line " .. i, got[i]) end
  end)

  it("P2.4 embeds a secret in a line that Lua never sees", function()
    serve("cat")
    local got
    local stream = connect { line = function(line)
      got = line
      loop.stop()
    end }
    assert(stream:send_json { password = secret.new 'a"b\\é', list = json.array() })
    turns.run("the echo")
    assert.are.equal([[{"list":[],"password":"a\"b\\é"}]], got)
    assert.are.equal("bad_params", select(3, stream:send_json { f = print }))
    stream:close()
  end)

  it("tells the end once, and nothing after close", function()
    serve("read x")
    local ends = 0
    local first = connect { close = function(reason)
      assert.is_nil(reason)
      ends = ends + 1
      loop.stop()
    end }
    first:send("bye")
    turns.run("the end")
    assert.are.equal(1, ends)
    assert.are.equal("wrong_state", select(3, first:send("more")))
    first:close()
    local second = connect { close = function() ends = ends + 1 end }
    second:close()
    second:close()
    turns.settle()
    assert.are.equal(1, ends)
  end)

  it("breaks at a line over its limit, and takes one at the limit", function()
    serve("cat")
    local got, reason
    local stream = connect {
      max_line = 100,
      line = function(line) got = line end,
      close = function(why)
        reason = why
        loop.stop()
      end,
    }
    stream:send(("x"):rep(100))
    turns.wait_for("the line at the limit", function() return got end)
    assert.are.equal(100, #got)
    stream:send(("x"):rep(101))
    turns.run("the end")
    assert.are.equal("a line is too long", reason)
  end)

  it("says busy when its queue is full, and goes on after it was emptied", function()
    serve("cat")
    local size = 0
    local stream = connect { max_queue = 1 << 20, line = function(line) size = size + #line end }
    stream:pause()
    local sent = 0
    -- the kernel takes some, the other side sends it back until nobody takes any more
    while stream:send(("x"):rep(65535)) do sent = sent + 65535 end
    assert.are.equal("busy", select(3, stream:send(("x"):rep(65535))))
    stream:resume()
    turns.wait_for("all of it", function() return size == sent end)
    assert(stream:send("more"))
    stream:close()
  end)

  it("holds back lines while it is paused, those that have arrived too", function()
    serve("cat")
    local got, stream = {}, nil
    stream = connect { line = function(line)
      got[#got + 1] = line
      if line == "pause" then stream:pause() end
    end }
    stream:send("one")
    stream:send("pause")
    stream:send("three")
    turns.wait_for("the pause", function() return got[2] end)
    turns.settle()
    assert.are.same({ "one", "pause" }, got)
    stream:resume()
    turns.wait_for("the rest", function() return got[3] end)
    assert.are.equal("three", got[3])
    stream:close()
  end)

  it("can be closed by its own callback, with lines behind it unread", function()
    serve("cat")
    local count, held = 0, {}
    held.stream = connect { line = function()
      count = count + 1
      held.stream:close()
      held.stream = nil
      collectgarbage()
      loop.stop()
    end }
    held.stream:send("one")
    held.stream:send("two")
    turns.run("the first line")
    turns.settle()
    assert.are.equal(1, count)
  end)

  it("can run the loop inside its own callback", function()
    serve("cat")
    local got = {}
    local stream = connect { line = function(line)
      got[#got + 1] = line
      if line == "a" then turns.wait_for("a line inside a line", function() return got[2] == "b" end) end
      if line == "c" then loop.stop() end
    end }
    for _, line in ipairs { "a", "b", "c" } do stream:send(line) end
    turns.wait_for("all lines", function() return got[3] end)
    assert.are.same({ "a", "b", "c" }, got)
    stream:close()
  end)

  it("connects over a path of 300 bytes", function()
    directory = directory .. "/" .. ("d"):rep(100) .. "/" .. ("e"):rep(100) .. "/" .. ("f"):rep(100)
    assert(sys.make_private_directory(directory))
    local root = directory:match("^/tmp/[^/]+")
    path = directory .. "/socket"
    -- socat knows nothing of long paths: it listens in the directory it is started in
    server = assert(loop.spawn {
      program = "socat", "UNIX-LISTEN:socket,fork", "SYSTEM:cat", directory = directory, stderr = "null",
    })
    local got
    local stream = connect { line = function(line)
      got = line
      loop.stop()
    end }
    stream:send("far")
    turns.run("the echo")
    assert.are.equal("far", got)
    stream:close()
    directory = root
  end)

  it("says not_found where nobody listens", function()
    local stream, message, name = loop.connect_unix(directory .. "/nothing", {})
    assert.is_nil(stream)
    assert.are.equal("not_found", name)
    assert.is_string(message)
  end)

  it("refuses lines that hold a newline", function()
    serve("cat")
    local stream = connect {}
    assert.has_error(function() stream:send("a\nb") end)
    stream:close()
  end)

  it("is collected after its end, and not before", function()
    serve("cat")
    local seen = setmetatable({}, { __mode = "k" })
    local got
    do
      local stream = connect { line = function(line) got = line loop.stop() end }
      stream:send("x")
      seen[stream] = true
    end
    collectgarbage()
    turns.run("the echo")
    assert.are.equal("x", got)
    next(seen):close()
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)
end)
