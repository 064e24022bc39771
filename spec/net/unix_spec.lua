-- SPDX-License-Identifier: GPL-3.0-or-later
local net = require "support.net"
local socket = require "support.net_socket"
local case = require "support.net_case"

describe("unix", function()
  before_each(case.begin)
  after_each(case.finish)

  local function listen(path) return case.fd(net.unix_listen(path)) end
  local function refusal(...)
    local value, name, why = ...
    assert.is_nil(value)
    return name, why
  end
  local function talk(server, path)
    local c = case.fd(net.unix_connect(path))
    local s = case.accept(server)
    case.write(c, "hello")
    assert.equal("hello", case.read(s, function(all) return #all == 5 end))
    return c, s
  end

  it("makes a private directory and a private socket, and works", function()
    local path = case.directory() .. "/a/run/control.sock"
    local server = listen(path)
    assert.same({ "socket", tonumber("600", 8) }, { socket.mode(path) })
    assert.same({ "directory", tonumber("700", 8) }, { socket.mode((path:match("^(.*)/"))) })
    assert.same({ true, true }, { socket.flags(server) })
    local c = talk(server, path)
    assert.same({ true, true }, { socket.flags(c) })
  end)

  it("makes an existing directory private", function()
    local directory = case.directory() .. "/open"
    assert(socket.mkdir(directory, tonumber("755", 8)))
    listen(directory .. "/s")
    assert.same({ "directory", tonumber("700", 8) }, { socket.mode(directory) })
  end)

  it("leaves a directory alone that is for everybody", function()
    local directory = case.directory() .. "/like-tmp"
    assert(socket.mkdir(directory, tonumber("1777", 8)))
    local name, why = refusal(net.unix_listen(directory .. "/s"))
    assert.equal("bad_params", name)
    assert.truthy(why:find(directory, 1, true))
    assert.same({ "directory", tonumber("1777", 8) }, { socket.mode(directory) })
  end)

  it("serves a path of 200 bytes, and one of 1000", function()
    for _, length in ipairs { 200, 1000 } do
      local path = case.directory()
      while #path + 61 < length do path = path .. "/" .. ("d"):rep(60) end
      path = path .. "/" .. ("s"):rep(length - #path - 1)
      assert.equal(length, #path)
      talk(listen(path), path)
      assert.equal("socket", (socket.mode(path)))
    end
  end)

  it("takes names of up to 80 bytes, and no others", function()
    local directory = case.directory()
    local longest = directory .. "/" .. ("s"):rep(80)
    talk(listen(longest), longest)
    for _, name in ipairs { ("s"):rep(81), "", ".", ".." } do
      assert.equal("bad_params", (refusal(net.unix_listen(directory .. "/" .. name))))
      assert.equal("bad_params", (refusal(net.unix_connect(directory .. "/" .. name))))
    end
  end)

  it("replaces a socket on which nobody answers", function()
    local path = case.directory() .. "/s"
    case.close(listen(path))
    assert.equal("socket", (socket.mode(path)))
    assert.equal("not_found", (refusal(net.unix_connect(path))))
    talk(listen(path), path)
  end)

  it("leaves one alone on which somebody answers", function()
    local path = case.directory() .. "/s"
    local server = listen(path)
    local name, why = refusal(net.unix_listen(path))
    assert.equal("busy", name)
    assert.truthy(why:find(path, 1, true))
    local probe = case.accept(server) -- the look itself
    assert.equal("", (case.read(probe)))
    talk(server, path)
  end)

  it("leaves one alone whose backlog is full", function()
    local path = case.directory() .. "/s"
    listen(path)
    local clients = {}
    while #clients < 1000 do
      local fd, name = net.unix_connect(path)
      if not fd then
        assert.equal("busy", name)
        break
      end
      clients[#clients + 1] = case.fd(fd)
    end
    assert.is_true(#clients < 1000)
    assert.equal("busy", (refusal(net.unix_listen(path))))
    assert.equal("socket", (socket.mode(path)))
  end)

  it("does not touch what is no socket", function()
    local path = case.directory() .. "/s"
    assert(socket.mkdir(path, tonumber("700", 8)))
    assert.equal("io", (refusal(net.unix_listen(path))))
    assert.equal("directory", (socket.mode(path)))
    local file = case.directory() .. "/f"
    assert(io.open(file, "w")):close()
    assert.equal("io", (refusal(net.unix_listen(file))))
    assert.equal("file", (socket.mode(file)))
    local target, link = case.directory() .. "/t", case.directory() .. "/l"
    listen(target)
    assert(os.execute(("ln -s %s %s"):format(target, link)))
    assert.equal("io", (refusal(net.unix_listen(link))))
    assert.equal("other", (socket.mode(link)))
  end)

  it("says not_found where there is nothing", function()
    assert.equal("not_found", (refusal(net.unix_connect(case.directory() .. "/nothing"))))
    assert.equal("not_found", (refusal(net.unix_connect(case.directory() .. "/no/such/directory"))))
  end)

  it("knows who is at the other end", function()
    local path = case.directory() .. "/s"
    local c, s = talk(listen(path), path)
    assert.equal(socket.uid(), net.unix_peer_uid(c))
    assert.equal(socket.uid(), net.unix_peer_uid(s))
    local tcp = case.fd(socket.listen("127.0.0.1:0", 1))
    assert.equal("io", (refusal(net.unix_peer_uid(tcp))))
  end)
end)
