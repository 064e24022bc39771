-- SPDX-License-Identifier: GPL-3.0-or-later
-- LANs for spec/scenario: network namespaces on a bridge, made here and cleared away. A spec file calls M.clean where it
-- calls cores.clean, after it.
--
-- That takes root, or a user namespace: see M.describe.
local sys = require "sotto.sys"
local system = require "support.system"
local describe, it, assert = require "busted".describe, require "busted".it, require "luassert" -- a module has none of a spec's globals

local M = {}

local PREFIX = "sotto-spec-"

local made, count = {}, 0

local function run(command)
  local output, status = system.shell(command)
  if status ~= 0 then error(("%s: %s"):format(command, output), 0) end
  return output
end

-- --- what is left of runs that were killed -------------------------------------------------------

local function namespaces()
  local found = {}
  for name in system.shell "ip netns list":gmatch "%f[%w]sotto%-spec%-[%d%-]+" do found[#found + 1] = name end
  return found
end

local function delete(name)
  -- the ends of wires go at once, and not when the namespace gets around to it
  for link in (system.shell("ip -n " .. name .. " -o link show")):gmatch "%d+: ([^:@]+)" do
    if link ~= "lo" then system.shell(("ip -n %s link del %s"):format(name, link)) end
  end
  return system.shell("ip netns del " .. name)
end

local function sweep()
  for _, name in ipairs(namespaces()) do
    local pid = tonumber(name:match "^sotto%-spec%-(%d+)")
    if pid and not sys.exists("/proc/" .. pid) then delete(name) end
  end
end

-- --- making them ---------------------------------------------------------------------------------

local function set(name, key, value)
  run(("ip netns exec %s sh -c 'echo %d > /proc/sys/%s'"):format(name, value, key))
end

local function make_namespace()
  count = count + 1
  local name = ("%s%d-%d"):format(PREFIX, sys.getpid(), count)
  made[#made + 1] = name -- before it is there: it is cleared away whatever happens
  run("ip netns add " .. name)
  -- addresses serve at once, without the seconds in which IPv6 looks for duplicates
  set(name, "net/ipv6/conf/default/accept_dad", 0)
  run(("ip -n %s link set lo up"):format(name))
  return name
end

---@class support.lan
---@field hub string the namespace of the bridge
---@field v4 boolean
---@field v6 boolean
---@field size integer places so far
local Lan = {}
Lan.__index = Lan

--- A LAN without anybody. Families: which addresses its places get.
---@param families { v4: boolean?, v6: boolean? }
---@return support.lan
function M.new(families)
  if #made == 0 then sweep() end
  local self = setmetatable({ v4 = families.v4, v6 = families.v6, size = 0 }, Lan)
  self.hub = make_namespace()
  run(("ip -n %s link add br0 type bridge forward_delay 0"):format(self.hub))
  run(("ip -n %s link set br0 up"):format(self.hub))
  return self
end

---@class support.lan.place
---@field netns string
---@field address string|nil its IPv4 address
---@field lan support.lan
local Place = {}
Place.__index = Place

--- One more place on the LAN: a namespace with an interface eth0 that is up, or one as told.
---@param options? { down: boolean? }
---@return support.lan.place
function Lan:place(options)
  self.size = self.size + 1
  local netns = make_namespace()
  local place = setmetatable({ netns = netns, number = self.size, lan = self }, Place)
  if not self.v6 then set(netns, "net/ipv6/conf/default/disable_ipv6", 1) end
  place:plug("eth0", self)
  if self.v4 then
    place.address = ("10.77.%d.%d"):format(self.size // 250, self.size % 250 + 1)
    -- as most people set it: nobody says what the broadcast address is
    run(("ip -n %s addr add %s/16 dev eth0"):format(netns, place.address))
  end
  if not (options and options.down) then place:up() end
  return place
end

--- A further interface, on that LAN. It is down.
---@param name string
---@param lan support.lan
function Place:plug(name, lan)
  local port = ("p%d-%s"):format(self.number, name)
  run(("ip -n %s link add %s type veth peer name %s netns %s"):format(lan.hub, port, name, self.netns))
  run(("ip -n %s link set %s master br0 up"):format(lan.hub, port))
end

---@param name? string
function Place:up(name) run(("ip -n %s link set %s up"):format(self.netns, name or "eth0")) end

---@param name? string
function Place:down(name) run(("ip -n %s link set %s down"):format(self.netns, name or "eth0")) end

--- Runs a command of iproute2 in there.
---@param words string
function Place:ip(words) run(("ip -n %s %s"):format(self.netns, words)) end

--- Removes everything that was made. Also after a failure.
function M.clean()
  local problems = {}
  for i = #made, 1, -1 do
    local output, status = delete(made[i])
    if status ~= 0 and not output:find "No such file" then problems[#problems + 1] = output end
  end
  made = {}
  if #problems > 0 then error(table.concat(problems, "\n"), 0) end
end

-- --- where it may not ----------------------------------------------------------------------------

local NESTED = "SOTTO_SPEC_NESTED"

local function can_make()
  local name = ("%s%d-0"):format(PREFIX, sys.getpid())
  local output, status = system.shell("ip netns add " .. name)
  if status == 0 then delete(name) end
  return status == 0, output
end

-- "here"; "nested": in a user namespace; nil: not at all, which is printed.
local function where(file)
  local possible, why = can_make()
  if possible then return "here" end
  local _, status = system.shell "unshare -rnm mount -t tmpfs none /run"
  if status == 0 and not os.getenv(NESTED) then return "nested" end
  print(("%s: skipped: neither root nor a user namespace is to be had (%s)"):format(file, why:gsub("%s+$", "")))
end

-- The whole file once more, as the root of a user namespace. Fails where it fails.
local function run_nested(file)
  local inner = ("mount -t tmpfs none /run && %s=1 exec lua5.4 spec/support/run.lua busted %s"):format(NESTED, file)
  local output, status = system.shell("unshare -rnm sh -c " .. system.quote(inner))
  print(output)
  if status ~= 0 then error(output, 0) end
end

--- As busted's describe, of what needs networks of its own: all there is in that file.
---@param file string its path
---@param name string
---@param specs fun()
function M.describe(file, name, specs)
  local place = where(file)
  if place == "here" then return describe(name, specs) end
  describe(name, function()
    if place == "nested" then
      it("in a user namespace", function() run_nested(file) end)
    else
      it("is left out where no network may be made", function() assert.is_nil(where(file)) end)
    end
  end)
end

return M
