-- SPDX-License-Identifier: GPL-3.0-or-later
-- The program is a few lines of shell: what it reads it says back, or what it is told to.
describe("bridge", function()
  local ada, program

  local function write(text)
    local file = assert(io.open(program, "w"))
    file:write("#!/bin/sh\n", text)
    file:close()
    os.execute("chmod 700 " .. program)
  end

  before_each(function()
    ada, program = person "ada", os.tmpname()
  end)
  after_each(function() os.remove(program) end)

  local REPLY = [[
id=$(printf '%s' "$line" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
name=$(printf '%s' "$line" | sed 's/.*"name":"\([a-z]*\)".*/\1/')
]]

  it("gives messages to the program, and what that says to the discussion", function()
    write('while read -r line; do ' .. REPLY .. [[printf '{"reply":"%s","text":"hello %s"}\n' "$id" "$name"; done]])
    world:load { arguments = { program } }
    assert.equal("hello ada", ada:asks "anybody there?")
  end)

  it("logs what it cannot use, and goes on", function()
    write([[echo nonsense; echo '{"a":1}'; echo '{"log":"I am here"}'; echo oops >&2
echo '{"discussion":"00000000","text":"x"}'; cat >/dev/null]])
    world:load { arguments = { program } }
    local text
    for _ = 1, 1000 do
      world:settle()
      text = world:log()
      if text:find "not sent" and text:find "oops" then break end
    end
    for _, pattern in ipairs { "no JSON: nonsense", "neither discussion", "I am here", "oops", "not sent: " } do
      assert.matches(pattern, text)
    end
  end)

  it("starts a program again that has ended, later each time", function()
    write "read -r line; exit 3"
    world:load { arguments = { program } }
    ada:says "end"
    for _ = 1, 1000 do
      world:settle()
      if world:log():find "has ended" then break end
    end
    assert.matches("has ended %(3%); again in 1 s", world:log())
    write('while read -r line; do ' .. REPLY .. [[printf '{"reply":"%s","text":"back"}\n' "$id"; done]])
    advance "1s"
    assert.equal("back", ada:asks "there?")
  end)

  it("needs a program", function() assert.fails(function() world:load {} end, "bridge takes a program") end)
end)
