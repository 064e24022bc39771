-- SPDX-License-Identifier: GPL-3.0-or-later
-- docs/tutorial.md, done as it stands there: its commands are typed into windows of one directory, its files are saved,
-- and what it shows is seen.
local cores = require "support.cores"
local loop = require "sotto.loop"
local page = require "support.page"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"
local window = require "support.window"

local AGAIN_MS = 500

-- what the page says, in order: { window =, line = } and { file =, text = }
local function read_page(text)
  local parts, block, number = {}, nil, 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if block and line == "```" then
      if block.file then block.text = table.concat(block.lines, "\n") .. "\n" end
      parts[#parts + 1] = block
      block = nil
    elseif block then
      block.lines[#block.lines + 1] = line
    else
      local kind, name = line:match "^```(%l+) (%S+)$"
      if kind then block = { number = number, lines = {}, [kind == "lua" and "file" or "window"] = name } end
    end
  end
  return parts
end

describe("the tutorial", function()
  local windows, directory, address

  setup(function() windows = {} end)
  teardown(function()
    for _, one in pairs(windows) do one:close() end
    for _, home in ipairs { "", "--home " .. directory .. "/bob " } do
      system.shell(("env -u XDG_RUNTIME_DIR HOME=%s/ada %s/sotto %sstop"):format(cores.root(), cores.BUILD, home))
    end
    pcall(cores.wait, "the end of all", function() return #system.processes(cores.root()) == 0 end)
    cores.clean()
  end)

  local function environment()
    return {
      HOME = cores.root() .. "/ada", XDG_RUNTIME_DIR = false, PS1 = "$ ", GNUPGHOME = false,
      XDG_DATA_HOME = false, XDG_CONFIG_HOME = false, XDG_STATE_HOME = false,
      PATH = cores.BUILD .. ":" .. os.getenv "PATH",
    }
  end

  local function open_window()
    return window.open {
      program = "bash", columns = 160, rows = 40, directory = directory, environment = environment(), "--norc", "--noprofile",
    }:at "$"
  end

  -- Whoever only looks, and does not see it yet, looks again.
  local function see(one, part, line, look)
    local pattern = page.pattern(page.collapse(line):match "^ ?(.-) ?$")
    if line:find "%w$" then pattern = pattern .. "%f[%W]" end
    local typed = loop.now()
    waiting.wait(function()
      return ("below line %d of the page: %s; the screen of %s:\n%s"):format(part.number, line, part.window, one.screen:text())
    end, function()
      if page.collapse(one.screen:text()):find(pattern) then return true end
      if look and loop.now() - typed > AGAIN_MS and one.screen:text():find "\n%$ *$" then
        typed = loop.now()
        one:forget():enter(look)
      end
    end, 60000)
  end

  local function show(part)
    local one = windows[part.window]
    if not one then
      one = open_window()
      windows[part.window] = one
    end
    local look
    for _, line in ipairs(part.lines) do
      local command, asked, answer = line:match "^%$ (.+)$", line:match "^(.*%[y/N%]) (%a)$"
      if command then
        look = command:find " list" and command
        one:at("$"):forget():enter((command:gsub("127%.0%.0%.1:4788", address)))
      elseif line == "^C" then
        one:forget():type "\3"
      elseif asked then
        see(one, part, asked)
        one:forget():enter(answer)
      else
        see(one, part, line, look)
      end
    end
  end

  it("is as docs/tutorial.md tells it", function()
    directory = cores.root() .. "/desk"
    assert(sys.make_private_directory(directory .. "/bob"))
    assert(sys.make_private_directory(cores.root() .. "/ada/.config/sotto"))
    -- the standard would be seen by the neighbours
    for _, path in ipairs { "/ada/.config/sotto", "/desk/bob" } do
      system.write(cores.root() .. path .. "/config.lua", 'listen = "127.0.0.1:0"\ndiscover = "off"\n')
    end
    local first = open_window()
    first:enter "sotto start && sotto identity create Ada </dev/null"
    first:see "name         Ada"
    address = first.screen:text():match "listening on (%S+)"
    first:close()
    for _, part in ipairs(read_page(assert(system.read "docs/tutorial.md"))) do
      if part.file then system.write(directory .. "/" .. part.file, part.text) else show(part) end
    end
  end)
end)
