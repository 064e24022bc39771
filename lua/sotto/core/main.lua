-- SPDX-License-Identifier: GPL-3.0-or-later
-- sottod: the core's process. Arguments, configuration, lock, background, engine, control socket, signals.
local config = require "sotto.core.config"
local configured = require "sotto.core.scripts.configured"
local doctor = require "sotto.core.doctor"
local log = require "sotto.log"
local loop = require "sotto.loop"
local paths = require "sotto.core.paths"
local server = require "sotto.core.server"
local sys = require "sotto.sys"

local M = {}

local USAGE = "usage: sottod [--home DIR] [--config FILE] [--listen ADDR:PORT] [--discover ADDR:PORT|off] " ..
  "[--foreground] [-v] [--version] [--help]"

local HELP = USAGE .. [[


The core of sotto: it holds the keys, the sockets and the messages, and serves front ends over its control socket.

  --home DIR           everything of one identity below DIR; without it the XDG directories serve
  --config FILE        another file than config.lua
  --listen ADDR:PORT   TCP and UDP; port 0: a free one, remembered
  --discover ADDR:PORT where to announce this core on the LAN, and to listen for others; "off": nowhere.
                       [::] every network (the standard, with port 4788), 0.0.0.0 the IPv4 ones alone,
                       a broadcast or own IPv4 address that network, an IPv6 group [ff12::1%eth0] that group
  --foreground         stay in the foreground, and log to standard error
  -v                   log more
  --check-store FILE   only read a store through, and say what is wrong with it; nothing is changed
  --version, --help
]]

local VALUED = {
  ["--home"] = "home", ["--config"] = "config", ["--listen"] = "listen", ["--discover"] = "discover",
  ["--check-store"] = "check_store",
}
local PLAIN = {
  ["--foreground"] = "foreground", ["-v"] = "verbose", ["--version"] = "version", ["--help"] = "help", ["-h"] = "help",
}

--- @param arguments string[]
--- @return table|nil options, string? message
function M.parse_arguments(arguments)
  local options, i = {}, 1
  while arguments[i] do
    local word, value = arguments[i], nil
    if not PLAIN[word] then
      local name, attached = word:match("^(%-%-[%l-]+)=(.*)$")
      if name then word, value = name, attached end
      if not VALUED[word] then return nil, ("unknown argument '%s'"):format(word) end
      if not value then
        i = i + 1
        value = arguments[i]
      end
      if not value or value == "" then return nil, word .. " needs a value" end
      options[VALUED[word]] = value
    else
      options[PLAIN[word]] = true
    end
    i = i + 1
  end
  if options.listen and not config.is_listen_address(options.listen) then
    return nil, "--listen needs ADDR:PORT"
  end
  if options.discover and options.discover ~= "off" and not config.is_listen_address(options.discover) then
    return nil, "--discover needs ADDR:PORT or off"
  end
  return options
end

-- --- before the loop ------------------------------------------------------------------------------

-- everything that can fail before a process is started in the background: paths, configuration
local function prepare(options, engine_options)
  local places, settings, message, ok
  places, message = paths.find(options.home)
  if not places then return nil, message end
  local file = places.config
  if options.config then
    file, message = paths.absolute(options.config)
    if not file then return nil, message end
  end
  settings, message = config.load(file, config.schema(engine_options), options.config ~= nil)
  if not settings then return nil, message end
  ok, message = paths.prepare(places)
  if not ok then return nil, message end
  settings.file = file
  settings.listen = options.listen or settings.listen
  settings.discover = options.discover or settings.discover
  return places, settings
end

local function open_log(options, places, settings)
  return log.open(not options.foreground and places.log or nil, options.verbose and "debug" or settings.log_level)
end

-- --- the core's life ------------------------------------------------------------------------------

---@class sotto.core
local Core = {}
Core.__index = Core

-- the first failure counts; the foreground's log is where it is printed anyway
function Core:fail(message)
  self.failure = self.failure or message
  if self.daemon then log.error("%s", message) end
end

function Core:stop(why)
  if self.stopping then return end
  self.stopping = true
  log.info("stopping: %s", why)
  self.engine:stop()
end

function Core:ready(ok, message)
  if not ok then
    self:fail(message)
    return loop.stop()
  end
  local opened, problem = server.open(self.places.socket, self.engine, {
    ["system.doctor"] = doctor.handler {
      places = self.places, config = self.settings.file, listen = self.settings.listen, engine = self.engine,
      scripts = function(done) self.server.scripts:examine(done) end,
    },
  }, {
    limits = self.settings.scripts,
    config = configured.list(self.settings.plugins, self.settings.file:match("^(.*)/") .. "/plugins"),
  })
  if not opened then
    self:fail(problem)
    return self:stop("nobody could reach it")
  end
  self.server = opened
  opened:start_scripts()
  log.info("ready: %s", self.places.socket)
  if self.daemon then self.daemon:ready() end
end

function Core:stopped()
  if not self.server then return loop.stop() end
  self.server:close(function() loop.stop() end)
end

function Core:handle_signals()
  for _, name in ipairs { "SIGINT", "SIGTERM", "SIGHUP" } do
    loop.signal(name, function()
      -- the second time somebody is in a hurry
      if self.stopping then return loop.stop() end
      self:stop(name)
    end)
  end
end

function Core:open()
  local places, settings = self.places, self.settings
  -- before the lock names this process: whoever reads it there may stop it
  self:handle_signals()
  local lock, message = sys.lock(places.lock)
  if not lock then return nil, message end
  self.lock = lock
  local engine, problem = require("sotto.engine").open {
    home = places.home, data = places.data, run = places.run,
    listen = settings.listen, discover = settings.discover, options = settings.limits,
    ready = function(ok, reason) self:ready(ok, reason) end,
    event = function(type, noun, text)
      if self.server then self.server:publish(type, noun, text) end
    end,
    stopped = function() self:stopped() end,
  }
  if not engine then return nil, problem end
  self.engine = engine
  return true
end

local function complain(message, status)
  io.stderr:write("sottod: ", message, "\n")
  return status
end

-- A process of its own: the doctor starts it, at the lowest priority there is.
local function check_store(path)
  local ok, message = require("sotto.engine").inspect(path)
  if not ok then return complain(message, 1) end
  io.stdout:write("whole\n")
  return 0
end

local function run_core(options, places, settings)
  local core = setmetatable({ places = places, settings = settings }, Core)
  if not options.foreground then
    local daemon, message = sys.daemonise()
    if not daemon then return complain(message, 1) end
    core.daemon = daemon
  end
  local ok, message = open_log(options, places, settings)
  if ok then ok, message = core:open() end
  if ok then
    loop.run()
  else
    core:fail(message)
  end
  if not core.failure then return 0 end
  if core.daemon then
    core.daemon:fail("sottod: " .. core.failure)
    return 1
  end
  return complain(core.failure, 1)
end

--- The program.
---@param arguments string[]
---@return integer status 0 done, 1 failed, 2 usage
function M.run(arguments)
  local options, message = M.parse_arguments(arguments)
  if not options then return complain(("%s; %s"):format(message, USAGE), 2) end
  if options.help then
    io.stdout:write(HELP)
    return 0
  end
  if options.version then
    io.stdout:write("sottod ", sys.version, "\n")
    return 0
  end
  if options.check_store then return check_store(options.check_store) end
  local places, settings = prepare(options, require("sotto.engine").options)
  if not places then return complain(settings, 1) end
  return run_core(options, places, settings)
end

return M
