-- SPDX-License-Identifier: GPL-3.0-or-later
-- docs/tour.md, typed into windows as it stands there: each person sits before a shell in the checkout, with a home and a
-- network of their own, and sees what the page says.
local cores = require "support.cores"
local lans = require "support.lans"
local page = require "support.page"
local sys = require "sotto.sys"
local system = require "support.system"
local waiting = require "support.waiting"
local window = require "support.window"

local FILE = "spec/scenario/tour_spec.lua"
local FOLDER = os.getenv "SOTTO_SPEC_BUILD" or "build"
local BUILD = FOLDER:gsub("%p", "%%%0") .. "/"

lans.describe(FILE, "the tour", function()
  local lan, windows, heard

  before_each(function() lan, windows, heard = lans.new { v4 = true }, {}, nil end)
  after_each(function()
    for _, one in pairs(windows) do
      if os.getenv "SOTTO_SPEC_SHOW" then print(one.screen:text()) end
      one:close()
      system.shell(("cd %s && %s %s/sotto stop"):format(sys.cwd(), one.setting, FOLDER))
    end
    -- a demo that a failure has cut off
    pcall(cores.wait, "the end of all", function() return #system.processes(cores.root()) == 0 end)
    cores.clean()
    lans.clean()
  end)

  -- a shell in the checkout, for somebody who has never been here
  local function sit_down(name)
    local home = cores.root() .. "/" .. name
    assert(sys.make_private_directory(home))
    local one = window.open {
      program = "ip", columns = 80, rows = 24, directory = sys.cwd(),
      environment = {
        HOME = home, PS1 = "$ ", XDG_RUNTIME_DIR = false, XDG_DATA_HOME = false, XDG_CONFIG_HOME = false,
        XDG_STATE_HOME = false, GNUPGHOME = false, MAKEFLAGS = false, MAKELEVEL = false, MFLAGS = false,
      },
      "netns", "exec", lan:place().netns, "bash", "--norc", "--noprofile",
    }
    one.setting = ("env -u XDG_RUNTIME_DIR -u XDG_DATA_HOME -u XDG_CONFIG_HOME HOME=%s"):format(home)
    windows[name] = one
    return one:at "$"
  end

  -- the page is of a checkout as it is, whatever build this is a spec of
  local function seen(one) return (page.collapse(one.screen:text()):gsub(BUILD, "build/")) end

  local function see(one, step, pattern)
    waiting.wait(function()
      return ("line %d of the page and below: %s; the screen of %s:\n%s"):format(step.line, pattern, step.who,
        one.screen:text())
    end, function() return seen(one):find(pattern) end)
  end

  -- Passwords that were told, on this screen or by telephone, are remembered for whoever is asked.
  local function listen(one)
    local text = page.collapse(one.screen:text())
    heard = text:match "let us say: (%l+ %l+)" or text:match "in writing: (%l+ %l+ %l+ %l+)" or heard
  end

  local function answer(question)
    return question:find "empty: make one" and "" or question:find "^Password agreed" and heard or ""
  end

  it("is as docs/tour.md tells it", function()
    for _, step in ipairs(page.read(system.read "docs/tour.md")) do
      local one = windows[step.who] or sit_down(step.who)
      for _, pattern in ipairs(step.items) do see(one, step, pattern) end
      if step.question or step.ask then see(one, step, page.pattern(step.question or step.ask)) end
      listen(one)
      if step.prompt then one:at(step.prompt) end
      local typed = step.type and step.type:gsub("%f[%w]build/sotto", FOLDER .. "/sotto")
      if step.type or step.ask then one:forget():enter(typed or answer(step.ask)) end
    end
  end)
end)
