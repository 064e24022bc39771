-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the compiler and the linker were told shows in what they made.
local person = require "support.person"
local sys = require "sotto.sys"
local system = require "support.system"

local ELF = "\127ELF"

-- the programs and modules in the build's folder
local function built()
  local programs, modules = {}, {}
  for _, name in ipairs(assert(sys.list(person.BUILD))) do
    local path = person.BUILD .. "/" .. name
    local file = sys.stat(path).kind == "file" and io.open(path, "rb")
    if file then
      if file:read(4) == ELF then table.insert(name:find "%.so$" and modules or programs, path) end
      file:close()
    end
  end
  return programs, modules
end

local function readelf(options, path)
  local output, status = system.shell(("LC_ALL=C readelf -W %s %s"):format(options, system.quote(path)))
  assert.equal(0, status, output)
  return output
end

describe("hardening", function()
  local programs, modules = built()
  local all = table.move(modules, 1, #modules, #programs + 1, { table.unpack(programs) })

  local function each(list, check)
    for _, path in ipairs(list) do check(path) end
  end

  it("finds the programs and modules", function()
    local names = {}
    for _, path in ipairs(all) do names[path:match "[^/]*$"] = true end
    for _, name in ipairs { "sotto", "sottod", "sotto.so", "support.so" } do assert.is_true(names[name], name) end
  end)

  it("makes programs that load anywhere", function()
    each(programs, function(path)
      assert.truthy(readelf("-h", path):find "Type: *DYN", path)
      assert.truthy(readelf("-d", path):find "FLAGS_1.*PIE", path)
    end)
  end)

  it("has no segment that is both written and executed, and no executable stack", function()
    each(all, function(path)
      local stack
      for kind, flags in readelf("-l", path):gmatch "\n  ([%u_]+) +0x%x+ 0x%x+ 0x%x+ 0x%x+ 0x%x+ ([R ][W ][E ])" do
        assert.falsy(flags:find "W" and flags:find "E", path .. ": " .. kind)
        if kind == "GNU_STACK" then stack = flags end
      end
      assert.equal("RW ", stack, path)
    end)
  end)

  it("resolves every symbol at the start, and writes to no table of them afterwards", function()
    each(all, function(path)
      assert.truthy(readelf("-l", path):find "\n  GNU_RELRO ", path)
      assert.truthy(readelf("-d", path):find "%(FLAGS%) +BIND_NOW", path)
      assert.falsy(readelf("-S", path):find "%.got%.plt", path) -- all of it is in .got, which is read-only then
    end)
  end)

  it("keeps code on pages of its own", function()
    each(all, function(path)
      for flags in readelf("-l", path):gmatch "\n  LOAD +0x%x+ 0x%x+ 0x%x+ 0x%x+ 0x%x+ ([R ][W ][E ])" do
        if flags:find "E" then assert.equal("R E", flags, path) end
      end
      local first = readelf("-l", path):match "\n  LOAD +0x%x+ 0x%x+ 0x%x+ 0x%x+ 0x%x+ ([R ][W ][E ])"
      assert.equal("R  ", first, path) -- the headers are not among the code
    end)
  end)

  it("guards stacks and buffers in a build for use", function()
    -- the others (make asan, valgrind, coverage) look for what this would hide
    if (os.getenv "SOTTO_SPEC_BUILD" or "build") ~= "build" then return end
    each({ person.BUILD .. "/sottod", person.BUILD .. "/sotto", person.BUILD .. "/sotto.so" }, function(path)
      local symbols = readelf("--dyn-syms", path)
      assert.truthy(symbols:find "__stack_chk_fail", path)
      assert.truthy(symbols:find "__snprintf_chk", path)
    end)
  end)
end)
