-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a person sees of sotto.terminal: in a window of its own, with a program that is nothing but the terminal.
local sys = require "sotto.sys"
local terminal = require "sotto.terminal"
local window = require "support.window"

local HERE = sys.cwd()
local BUILD = HERE .. "/" .. (os.getenv "SOTTO_SPEC_BUILD" or "build")

describe("the terminal", function()
  local w

  -- the chunk sets up what is special (spec/support/typist.lua)
  local function open(chunk, options)
    options = options or {}
    w = window.open {
      program = "lua5.4", columns = options.columns, rows = options.rows,
      environment = {
        LUA_PATH = HERE .. "/lua/?.lua", LUA_CPATH = BUILD .. "/?.so", TERM = options.term or "xterm",
        INPUTRC = options.inputrc or "/dev/null",
      },
      HERE .. "/spec/support/typist.lua", chunk or "",
    }
    return w:at "you>"
  end

  local function poke() w.process:kill "SIGUSR1" end

  after_each(window.close_all)

  it("takes an entered line off the screen, for whoever takes it to show", function()
    open():enter("hello"):see("took hello"):at "you>"
    assert.are.equal("took hello\nyou>", w.screen:text())
    w:enter(("long "):rep(60) .. "."):see("took long"):at "you>"
    assert.falsy(w:shows "you> long")
    w:type "\r\r\r"
    w:enter("end"):see("took end"):at "you>"
    local long = ("long "):rep(60) .. "."
    assert.are.equal("took hello\ntook " .. long .. "\ntook\ntook\ntook\ntook end\nyou>", w.screen:text())
  end)

  it("prints above what is being typed", function()
    open "local n = 0; function poke() n = n + 1; say('line', n) end"
    w:type("half a line"):at "you> half a line"
    poke()
    w:see("line 1"):at "you> half a line"
    w:type("\27[D\27[D\27[DX"):at "you> half a lXine"
    poke()
    w:see("line 2"):at "you> half a lXine"
    w:type("Y"):at "you> half a lXYine"
  end)

  it("keeps the line whole while lines come, whatever is typed", function()
    open [[
      local n = 0
      local function burst()
        n = n + 1
        say(("%03d 日本語 %s"):format(n, ("word "):rep(n % 30)))
        if n < 200 then loop.after(1, burst) end
      end
      poke = burst
    ]]
    poke()
    local typed = ""
    for i, piece in ipairs { "the quick 茶色 fox ", "żółw ", ("jumps "):rep(12), "日本語日本語", " over", " 😀 it" } do
      w:see(("%03d "):format(i * 20))
      w:type(piece)
      typed = typed .. piece
      w:at("you> " .. typed)
    end
    w:see "200 日本語"
    w:at("you> " .. typed)
    for n = 1, 200 do
      local line = ("%03d 日本語 %s"):format(n, ("word "):rep(n % 30)):gsub(" +$", "")
      assert.truthy(w:shows(line .. "\n"), line)
    end
    w:enter(""):see("took " .. typed)
  end)

  it("keeps a search whole while lines come, and a new prompt waits for its end", function()
    open "local n = 0; function poke() n = n + 1; say('line', n); terminal.prompt(('you %d> '):format(n)) end"
    w:enter("first thing"):see("took first"):enter("second"):see "took second"
    w:type("\18fir"):at "(reverse-i-search)`fir': first thing"
    poke()
    w:see("line 1"):at "(reverse-i-search)`fir': first thing"
    poke()
    w:see("line 2"):at "(reverse-i-search)`fir': first thing"
    w:type("s"):at "(reverse-i-search)`firs': first thing"
    w:type("\5"):at "you 2> first thing"
    poke()
    w:see("line 3"):at "you 3> first thing"
    w:enter(" again"):see("took first thing again"):at "you 3>"
  end)

  it("keeps the line whole when the window changes its size", function()
    open("local n = 0; function poke() n = n + 1; say('line', n) end", { columns = 60 })
    local text = ("日本 words "):rep(12)
    w:type(text):at("you> " .. text)
    w:resize(40)
    poke()
    w:see("line 1"):type("x"):see("x"):enter(""):see("took " .. text .. "x")
  end)

  it("rewrites the last rows in place", function()
    open [[
      local step = 0
      function poke()
        step = step + 1
        if step == 1 then say "a …"; say "b"
        else
          local most = select(2, terminal.rows("b\na …", (terminal.size())))
          rewritten = terminal.rewrite(most, "a ✓✓\nb")
        end
      end
    ]]
    w:type "typing"
    poke()
    w:see("b"):at "you> typing"
    poke()
    w:see("a ✓✓\nb\n"):at "you> typing"
    assert.are.equal("a ✓✓\nb\nyou> typing", w.screen:text())
    w:type("!"):at "you> typing!"
  end)

  it("does not rewrite what may have left the screen, and nothing on a dumb terminal", function()
    local chunk = "function poke() say(tostring(terminal.rewrite(up, 'x'))) end; up = %d"
    open(chunk:format(9), { rows = 10 })
    poke()
    w:see "false"
    open(chunk:format(8), { rows = 10 })
    local long = ("long "):rep(40)
    w:type(long):at("you> " .. long)
    poke()
    w:see "false"
    open(chunk:format(1), { term = "dumb" })
    poke()
    w:see "false"
  end)

  it("sends a dumb terminal nothing but text", function()
    open("function poke() say 'line' end", { term = "dumb" })
    w:type "half"
    poke()
    w:see("line"):at "you> half"
    w:enter(""):see "took half"
    assert.is_nil(w.raw:find "\27")
  end)

  it("tells when something else has written", function()
    open [[
      function poke() say("at", terminal.disturbed()) end
      resized = poke
      started = function() say("from", terminal.disturbed()) end
    ]]
    local before = tonumber(w:see("from").screen:text():match "from (%d+)")
    w:enter("x"):see "took x"
    poke()
    w:see(("at %d"):format(before))
    w:type "something\3"
    w:see("^C"):at "you>"
    poke()
    w:see(("at %d"):format(before + 1))
    w:resize(70)
    w:see(("at %d"):format(before + 2))
  end)

  it("lets Lua answer keys, and gives them back", function()
    open [[
      started = function()
        for key, sequence in pairs { one = "\0271", enter = "\27\r", five = "\27[15~" } do
          terminal.bind(sequence, function() say("key " .. key); terminal.insert(key == "enter" and "\n" or "<" .. key .. ">") end)
        end
      end
      function poke() terminal.bind("\0271", nil); say "unbound" end
    ]]
    w:type("a\0271b"):at "you> a<one>b"
    w:type("\27[15~"):see("key five"):at "you> a<one>b<five>"
    w:type("\27\rc"):see "key enter"
    w:enter(""):see "took a<one>b<five>\nc"
    poke()
    w:see("unbound"):type("\0271"):at "(arg: 1)"
    w:type("x"):at "you> x"
    assert.are.equal("key one", w.screen:text():match "key one")
    assert.are.equal(1, select(2, w.screen:text():gsub("key one", "")))
  end)

  it("hands the line over, and takes another", function()
    open [[
      function poke()
        local text, at = terminal.line()
        say(("had %q at %d"):format(text, at))
        terminal.set_line("żółw", 3)
      end
      local take = options.line
      options.line = function(text, off)
        take(text, off)
        if text == "fail" then terminal.set_line "fail" end
      end
    ]]
    w:type "abc\27[D"
    w:at("you> abc"):column(8)
    poke()
    w:see('had "abc" at 3'):at "you> żółw"
    w:type("!"):at "you> ż!ółw"
    w:type "\21\11"
    w:at "you>"
    w:enter("fail"):see("took fail"):at "you> fail"
    w:enter("!"):see("took fail!"):at "you>"
  end)

  it("takes pasted lines as one, and shows them as they are", function()
    open()
    w:type "\27[200~one\ntwo\27[201~"
    w:see "you> one\ntwo"
    w:enter(""):see("took one\ntwo"):at "you>"
  end)

  it("keeps a text of several lines whole while lines come", function()
    open "local n = 0; function poke() n = n + 1; say('line', n) end"
    w:type "\27[200~one\ntwo 日本\nthree\27[201~"
    w:see "you> one\ntwo 日本\nthree"
    for n = 1, 5 do
      poke()
      w:see(("line %d\nyou> one\ntwo 日本\nthree"):format(n))
    end
    w:type("\27[D\27[D\27[D\27[D\27[D\27[D\27[DX"):see "you> one\ntwo 日X本\nthree"
    poke()
    w:see "line 6\nyou> one\ntwo 日X本\nthree"
    w:enter(""):see("took one\ntwo 日X本\nthree"):at "you>"
    assert.are.equal(1, select(2, w.screen:text():gsub("two", "")))
  end)

  it("works in vi's mode, too", function()
    local inputrc = os.tmpname()
    local file = assert(io.open(inputrc, "w"))
    file:write "set editing-mode vi\n"
    file:close()
    open("local n = 0; function poke() n = n + 1; say('line', n) end", { inputrc = inputrc })
    w:type("some words"):at "you> some words"
    poke()
    w:see("line 1"):at "you> some words"
    w:type("\27bx"):at "you> some ords"
    w:type("\r"):see("took some ords"):at "you>"
    w:enter("insert again"):see("took insert again"):at "you>"
    os.remove(inputrc)
  end)

  it("completes inside a line, and shows choices above it", function()
    open [[
      options.complete = function(word, line, from, to)
        seen = ("%s|%s|%d|%d"):format(word, line, from, to)
        local found = {}
        for _, name in ipairs { "alpha", "alpine", "beta" } do
          if name:sub(1, #word) == word then found[#found + 1] = name end
        end
        return found, word:sub(1, 1) == "b"
      end
      options.choices = function(words) say("choose: " .. table.concat(words, " ")) end
      function poke() say(seen) end
    ]]
    w:type("x al y\27[D\27[D\t"):at "you> x alp y"
    w:see("choose: alpha alpine"):at "you> x alp y"
    poke()
    w:see("al|x al y|3|4"):at "you> x alp y"
    w:type("h\t"):at "you> x alpha y"
    w:type("\5 be\t!"):at "you> x alpha y beta!"
    assert.are.equal(1, select(2, w.screen:text():gsub("you>", "")))
  end)

  it("asks for a password between lines, and never shows it", function()
    open [[
      options.line = function(text)
        terminal.read_secret("Password: ", function(secret) say(secret and "got it" or "given up") end)
      end
      function poke() say "a line meanwhile" end
    ]]
    w:enter("x"):at "Password:"
    w:type "hun"
    poke()
    w:see("a line meanwhile"):at "Password:"
    w:type "ter2\r"
    w:see("got it"):at "you>"
    assert.is_nil(w.raw:find "hun")
    assert.is_nil(w.raw:find "ter2")
  end)

  it("measures as the screen does", function()
    assert.are.equal(10, terminal.width "you> 日本x")
  end)
end)
