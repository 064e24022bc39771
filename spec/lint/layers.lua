-- Checks the engine's layers (ARCHITECTURE.md): a folder includes itself and lower ones, and the engine never sees Lua.
-- Usage: lua5.4 spec/lint/layers.lua
local layer = {
  base = 0, loop = 1, wire = 1, net = 2, openpgp = 2, pake = 2, store = 2, peers = 3, discussion = 3, shell = 4,
}
-- pure folders: no event loop, no gpgme, no sockets, no SQLite
local pure = { wire = true, pake = true, discussion = true, peers = true }
local impure_headers = {
  ["ev.h"] = true, ["gpgme.h"] = true, ["sqlite3.h"] = true, ["sys/socket.h"] = true, ["unistd.h"] = true,
  ["time.h"] = true, ["loop/loop.h"] = true, ["base/file.h"] = true,
}

local bad, files = 0, 0
local function complain(...)
  bad = bad + 1
  print(string.format(...))
end

local list = assert(io.popen("find engine -name '*.[ch]' | sort"))
for path in list:lines() do
  files = files + 1
  local folder = path:match("^engine/([^/]+)/") or "shell"
  if not layer[folder] then complain("%s: the folder %s has no layer", path, folder) end
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local name = line:match('^%s*#%s*include%s*[<"]([^>"]+)[>"]')
    if name then
      local other = name:match("^([^/]+)/")
      if name:match("^lua") or name == "lauxlib.h" then
        complain("%s:%d: the engine must not include %s", path, number, name)
      elseif layer[other] and other ~= folder and layer[other] >= layer[folder] then
        complain("%s:%d: %s (%d) must not include %s (%d)", path, number, folder, layer[folder], name, layer[other])
      elseif name == "engine.h" and folder ~= "shell" then
        complain("%s:%d: %s must not include the facade", path, number, folder)
      end
      if pure[folder] and impure_headers[name] then
        complain("%s:%d: %s is pure and must not include %s", path, number, folder, name)
      end
    end
  end
end
list:close()
print(("layers: %d files, %d breaches"):format(files, bad))
os.exit(bad == 0 and files > 0)
