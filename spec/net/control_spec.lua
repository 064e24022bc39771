-- SPDX-License-Identifier: GPL-3.0-or-later
local loop = require "support.loop"
local net = require "support.net"
local socket = require "support.net_socket"
local controls = require "support.net_control"
local case = require "support.net_case"

local LINE_MAX, QUEUE_MAX = controls.LINE_MAX, controls.QUEUE_MAX

describe("control", function()
  before_each(case.begin)
  after_each(case.finish)

  local control, path, seen

  local function serve(callbacks, uid)
    path = case.directory() .. "/run/control.sock"
    seen = { accepted = {}, lines = {}, too_long = {}, drained = {}, gone = {} }
    local all = {
      accepted = function(_, id) table.insert(seen.accepted, id) end,
      line = function(_, id, line) table.insert(seen.lines, { id, line }) end,
      line_too_long = function(_, id) table.insert(seen.too_long, id) end,
      drained = function(_, id) table.insert(seen.drained, id) end,
      gone = function(_, id) table.insert(seen.gone, id) end,
    }
    for k, v in pairs(callbacks or {}) do all[k] = v end
    control = case.keep(assert(controls.open(path, all, uid or socket.uid())))
    return control
  end
  local function client()
    local count = #seen.accepted
    local fd = case.fd(net.unix_connect(path))
    case.wait(function() return #seen.accepted > count end, "the client")
    return fd, seen.accepted[#seen.accepted]
  end
  local function lines(count)
    case.wait(function() return #seen.lines >= count end, count .. " lines")
    return seen.lines
  end

  it("splits lines, skips empty ones, and forgives a carriage return", function()
    serve()
    local fd, id = client()
    case.write(fd, "one\n\n\r\ntwo\r\nthr")
    case.write(fd, "ee\n\0bin\255ary\n rest")
    assert.same({ { id, "one" }, { id, "two" }, { id, "three" }, { id, "\0bin\255ary" } }, lines(4))
    case.settle()
    assert.equal(4, #seen.lines)
    case.write(fd, " of it\n")
    assert.same({ id, " rest of it" }, lines(5)[5])
    assert.equal(5, control:counters().lines)
  end)

  it("answers, one copy for many clients", function()
    serve()
    local a, ia = client()
    local b, ib = client()
    assert.not_equal(ia, ib)
    assert.is_true(control:send({ ia, ib }, "event\n"))
    for _, fd in ipairs { a, b } do
      assert.equal("event\n", case.read(fd, function(all) return #all == 6 end))
    end
  end)

  it("takes a line of 1 MiB, with and without a carriage return, and not a byte more", function()
    serve()
    local fd, id = client()
    local line = ("x"):rep(LINE_MAX)
    case.write(fd, line .. "\n")
    assert.is_true(lines(1)[1][2] == line)
    case.write(fd, line .. "\r\n")
    assert.is_true(lines(2)[2][2] == line)
    assert.same({}, seen.too_long)
    case.write(fd, line .. "y\nnext\n")
    assert.same({ id, "next" }, lines(3)[3])
    assert.same({ id }, seen.too_long)
    case.write(fd, line .. "\r\r\nlast\n")
    assert.same({ id, "last" }, lines(4)[4])
    assert.same({ id, id }, seen.too_long)
  end)

  it("discards a line of 10 MB up to its newline, reports it once, and the connection lives on", function()
    local told
    serve({ line_too_long = function(c, id)
      table.insert(seen.too_long, id)
      told = c:send({ id }, "too_large\n")
    end })
    local fd, id = client()
    case.write(fd, "before\n" .. ("x"):rep(10 * 1000 * 1000))
    assert.same({ id }, seen.too_long) -- at once, not at its end
    case.write(fd, "the end of it\nafter\n")
    assert.same({ { id, "before" }, { id, "after" } }, lines(2))
    assert.same({ id }, seen.too_long)
    assert.equal(1, control:counters().too_long)
    assert.is_true(told)
    assert.equal("too_large\n", case.read(fd, function(all) return #all == 10 end))
    case.write(fd, ("y"):rep(3 * LINE_MAX) .. "\n" .. ("z"):rep(2 * LINE_MAX) .. "\nagain\n")
    assert.same({ id, "again" }, lines(3)[3])
    assert.same({ id, id, id }, seen.too_long)
  end)

  it("takes many small lines out of one read", function()
    serve()
    local fd = client()
    local all = {}
    for i = 1, 5000 do all[i] = ("line %d\n"):format(i) end
    case.write(fd, table.concat(all))
    for i, line in ipairs(lines(5000)) do assert.equal("line " .. i, line[2]) end
  end)

  it("gives the others their turn where the lines of one take long, and keeps their order", function()
    local fds, ids = {}, {}
    serve({ line = function(_, id, line)
      table.insert(seen.lines, { id, line })
      local began = loop.now()
      while id == ids[1] and loop.now() - began < 3 do end
      if line == "1" then case.write(fds[2], "soon\n") end
    end })
    for i = 1, 2 do fds[i], ids[i] = client() end
    case.write(fds[1], "1\n2\n3\n4\n5\n6\n7\n8\n")
    local other
    for i, line in ipairs(lines(9)) do
      if line[1] == ids[2] then other = i end
    end
    assert.is_true(other <= 4, other)
    table.remove(seen.lines, other)
    for i, line in ipairs(seen.lines) do assert.same({ ids[1], tostring(i) }, line) end
  end)

  it("takes the lines of a client that has ended, though they take long", function()
    serve({ line = function(_, id, line)
      table.insert(seen.lines, { id, line })
      local began = loop.now()
      while loop.now() - began < 3 do end
    end })
    local fd, id = client()
    case.write(fd, "1\n2\n3\nrest")
    case.close(fd)
    case.wait(function() return #seen.gone > 0 end, "gone")
    assert.same({ { id, "1" }, { id, "2" }, { id, "3" } }, seen.lines)
  end)

  it("rests no client that is paused: it is read again when the owner says so", function()
    serve({ line = function(c, id, line)
      table.insert(seen.lines, line)
      local began = loop.now()
      while loop.now() - began < 3 do end
      if line == "2" then c:pause(id) end
    end })
    local fd, id = client()
    case.write(fd, "1\n2\n3\n4\n")
    lines(2)
    case.settle()
    assert.equal(2, #seen.lines)
    control:resume(id)
    assert.same({ "1", "2", "3", "4" }, lines(4))
  end)

  it("tells once when a client is gone, and only then", function()
    serve()
    local fd, id = client()
    case.write(fd, "last\nhalf a li")
    case.settle()
    assert.same({}, seen.gone)
    case.close(fd)
    case.wait(function() return #seen.gone > 0 end, "gone")
    case.settle()
    assert.same({ id }, seen.gone)
    assert.same({ { id, "last" } }, seen.lines)
    assert.equal(0, control:counters().clients)
  end)

  it("answers a client that has only ended its sending direction, and takes its last line", function()
    serve({ line = function(c, id, line)
      table.insert(seen.lines, { id, line })
      c:send({ id }, line:upper() .. "\n")
    end })
    local fd, id = client()
    case.write(fd, "one\ntwo")
    socket.finish(fd)
    assert.equal("ONE\nTWO\n", case.read(fd, function(all) return #all == 8 end))
    control:send({ id }, "an event much later\n")
    assert.equal("an event much later\n", case.read(fd, function(all) return #all == 20 end))
    assert.same({}, seen.gone)
    case.close(fd)
    case.wait(function() return #seen.gone > 0 end, "gone")
    assert.same({ id }, seen.gone)
  end)

  it("does not hand out the last part of a line that is too long as a line", function()
    serve()
    local fd, id = client()
    case.write(fd, ("x"):rep(LINE_MAX + 10))
    socket.finish(fd)
    case.wait(function() return #seen.too_long == 1 end, "too long")
    case.settle()
    case.close(fd)
    case.wait(function() return #seen.gone == 1 end, "gone")
    assert.same({}, seen.lines)
    assert.same({ id }, seen.too_long)
  end)

  it("refuses clients of another user", function()
    serve(nil, socket.uid() + 1)
    local fd = case.fd(net.unix_connect(path))
    assert.equal("", (case.read(fd)))
    assert.same({}, seen.accepted)
    assert.equal(1, control:counters().strangers)
  end)

  it("serves 64 clients; one more is closed, and is welcome when another has gone", function()
    serve()
    local fds = {}
    for i = 1, controls.CLIENTS_MAX do fds[i] = client() end
    local fd = case.fd(net.unix_connect(path))
    assert.equal("", (case.read(fd)))
    assert.same({ 64, 64, 1 }, { #seen.accepted, control:counters().clients, control:counters().over_cap })
    case.close(fds[1])
    case.wait(function() return #seen.gone == 1 end, "gone")
    client()
  end)

  it("a client that does not read is never waited for: busy at 8 MiB, others are served, then drained", function()
    serve()
    local fd, id = client()
    local other, io = client()
    local event, sent = ("e"):rep(99999) .. "\n", 0
    while control:send({ id }, event) do
      sent = sent + 1
      local queued, room = control:queue(id)
      assert.is_true(queued <= QUEUE_MAX)
      assert.equal(QUEUE_MAX, queued + room)
      if sent % 10 == 0 then loop.turn() end
    end
    assert.is_true(sent >= QUEUE_MAX // #event)
    assert.same({ nil, "busy", "" }, { control:send({ id, io }, event) })
    assert.equal(event, case.read(other, function(all) return #all == #event end))
    assert.is_true(control:counters().refused >= 2)
    assert.same({}, seen.drained)
    local got, ok = 0, true
    case.poll(function()
      local data = socket.read(fd, 1 << 20) or ""
      got = got + #data
      ok = ok and not data:find("[^e\n]")
      return #seen.drained > 0
    end, "drained")
    assert.is_true((control:queue(id)) <= QUEUE_MAX // 2)
    case.poll(function()
      got = got + #(socket.read(fd, 1 << 20) or "")
      return got == sent * #event
    end, "everything")
    assert.is_true(ok)
    assert.same({ id }, seen.drained)
  end)

  it("says too_large for a line that could never fit", function()
    serve()
    local _, id = client()
    assert.same({ nil, "too_large", "" }, { control:send({ id }, ("x"):rep(QUEUE_MAX + 1)) })
  end)

  it("paused clients keep their lines, in order", function()
    serve({ line = function(c, id, line)
      table.insert(seen.lines, line)
      c:pause(id)
    end })
    local fd, id = client()
    case.write(fd, "1\n2\n3\n")
    for i = 1, 3 do
      case.wait(function() return #seen.lines == i end, "line " .. i)
      case.settle()
      assert.equal(i, #seen.lines)
      control:resume(id)
    end
    assert.same({ "1", "2", "3" }, seen.lines)
  end)

  it("close brings out what is queued, hands out no line more, and ends in gone", function()
    serve({ line = function(c, id, line)
      table.insert(seen.lines, line)
      c:send({ id }, ("x"):rep(300000) .. "\n")
      c:close(id)
      c:close(id)
      assert.same({ nil, "wrong_state", "" }, { c:send({ id }, "no\n") })
    end })
    local fd, id = client()
    case.write(fd, "first\nsecond\n")
    local all = case.read(fd)
    assert.equal(300001, #all)
    case.close(fd)
    case.wait(function() return #seen.gone > 0 end, "gone")
    assert.same({ "first" }, seen.lines)
    assert.same({ id }, seen.gone)
  end)

  it("close gives up after 2 s on a client that keeps its end", function()
    serve()
    local fd, id = client()
    control:close(id)
    assert.equal("", (case.read(fd)))
    local begun = loop.now()
    case.wait(function() return #seen.gone > 0 end, "gone")
    assert.is_true(loop.now() - begun >= 1900)
    assert.same({ id }, seen.gone)
  end)

  it("keeps what the owner hangs on a client", function()
    serve()
    local _, id = client()
    local _, other = client()
    assert.equal(0, control:data(id, 7))
    assert.equal(7, control:data(id, 8))
    assert.equal(0, control:data(other, 1))
  end)

  it("takes one end of a socket pair as a client", function()
    serve()
    local a, b = case.pair()
    local id = control:adopt(case.give(a))
    case.write(b, "hello\n")
    assert.same({ { id, "hello" } }, lines(1))
    control:send({ id }, "answer\n")
    assert.equal("answer\n", case.read(b, function(all) return #all == 7 end))
    case.close(b)
    case.wait(function() return #seen.gone == 1 end, "gone")
  end)

  it("may be closed inside every callback", function()
    for _, name in ipairs { "accepted", "line", "line_too_long", "drained", "gone" } do
      local called, c, id = false, nil, nil
      local callbacks = { gone = function() end }
      callbacks[name] = function(self)
        assert(not called, name .. " was called again")
        called = true
        self:free()
      end
      serve(callbacks)
      c = case.fd(net.unix_connect(path))
      if name ~= "accepted" then
        case.wait(function() return called or control:counters().clients == 1 end, "the client")
        id = 1
      end
      if name == "line" then case.write(c, "one\ntwo\n") end
      if name == "line_too_long" then case.write(c, ("x"):rep(LINE_MAX + 2) .. "\nx\n") end
      if name == "gone" then case.close(c) end
      if name == "drained" then
        while control:send({ id }, ("x"):rep(1000000)) do end
      end
      case.poll(function()
        if name == "drained" then socket.read(c, 1 << 20) end
        return called
      end, name)
      case.settle()
      assert.is_nil((socket.mode(path)))
    end
  end)

  it("removes its socket, closes its clients, and can be opened again at once", function()
    serve()
    local fd = client()
    control:free()
    assert.is_nil((socket.mode(path)))
    assert.equal("", (case.read(fd)))
    assert.same({}, seen.gone)
    control = case.keep(assert(controls.open(path, { line = function() end, gone = function() end }, socket.uid())))
  end)

  it("is busy where another core serves", function()
    serve()
    local none, name = controls.open(path, { line = function() end, gone = function() end }, socket.uid())
    assert.is_nil(none)
    assert.equal("busy", name)
  end)

  it("serves below a home whose path is 200 bytes long", function()
    serve()
    control:free()
    path = case.directory() .. "/" .. ("h"):rep(190) .. "/run/control.sock"
    assert.is_true(#path > 200)
    control = case.keep(assert(controls.open(path, {
      accepted = function(_, id) table.insert(seen.accepted, id) end,
      line = function(_, id, line) table.insert(seen.lines, { id, line }) end,
    }, socket.uid())))
    local fd, id = client()
    case.write(fd, "hello\n")
    assert.same({ { id, "hello" } }, lines(1))
    control:free()
    assert.is_nil((socket.mode(path)))
  end)
end)
