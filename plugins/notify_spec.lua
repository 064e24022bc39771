-- SPDX-License-Identifier: GPL-3.0-or-later
-- A program of the spec's own in the desktop's place: it writes down what it is given.
describe("notify", function()
  local ada, program, seen

  local function read()
    local file = io.open(seen)
    local text = file and file:read "a" or ""
    if file then file:close() end
    return text
  end

  before_each(function()
    ada = person "ada"
    program, seen = os.tmpname(), os.tmpname()
    local file = assert(io.open(program, "w"))
    file:write("#!/bin/sh\nprintf '[%s] ' \"$@\" >>" .. seen .. "\n")
    file:close()
    os.execute("chmod 700 " .. program)
    world:load { arguments = { program } }
  end)
  after_each(function()
    os.remove(program)
    os.remove(seen)
  end)

  it("tells who writes what, a crowd at once", function()
    ada:says "hello <b>&\nyou"
    world:settle()
    advance "2s"
    assert.equal("[sotto: ada] [hello &lt;b>&amp; you] ", read())
    for i = 1, 3 do ada:says("number " .. i) end
    world:settle()
    advance "2s"
    assert.matches("%[sotto: ada%] %[3 messages: number 3%] $", read())
  end)

  it("keeps quiet where it is told to, and texts to itself", function()
    assert.equal("Quiet now.", command "off")
    ada:says "hello"
    world:settle()
    advance "10s"
    assert.equal("", read())
    command "on"
    command "private"
    ada:says "a secret"
    world:settle()
    advance "2s"
    assert.equal("[sotto: ada] [a message] ", read())
  end)

  it("says once that the program fails", function()
    os.remove(program)
    for _ = 1, 2 do
      ada:says "hello"
      world:settle()
      advance "2s"
    end
    local _, count = world:log():gsub("\n", "\n")
    assert.equal(0, count, world:log())
    assert.matches("No such file", world:log())
  end)
end)
