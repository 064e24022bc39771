-- SPDX-License-Identifier: GPL-3.0-or-later
local files = require "sotto.doctor.files"
local finding = require "sotto.doctor.finding"
local sys = require "sotto.sys"

local OTHERS, OTHERS_WRITE = tonumber("077", 8), tonumber("022", 8)

local function look_private(path, found)
  local stat = sys.stat(path)
  if not stat then return end
  if stat.uid ~= sys.getuid() then
    found[#found + 1] = finding.fail(("%s belongs to another user (%d)."):format(path, stat.uid),
      "'chown -R' gives it back to you, or --home names another place.")
  elseif stat.mode & OTHERS ~= 0 then
    found[#found + 1] = finding.fail(("%s is open to others (mode %04o)."):format(path, stat.mode),
      ("'chmod %s %s' closes it."):format(stat.kind == "directory" and "700" or "600", path))
  end
end

-- what is run or obeyed at the next start
local function look_unwritten(path, found)
  local stat = sys.stat(path)
  if stat and (stat.mode & OTHERS_WRITE ~= 0 or (stat.uid ~= sys.getuid() and stat.uid ~= 0)) then
    found[#found + 1] = finding.fail(("%s can be changed by others (mode %04o)."):format(path, stat.mode),
      ("Read it, then 'chmod go-w %s'."):format(path))
  end
end

local function look_writable(path, found)
  local ok, message = sys.may_write(path)
  if ok then return end
  found[#found + 1] = finding.fail(finding.sentence(message),
    "Until it can be written nothing is sent, received or kept; a core that runs goes on by itself then.")
end

local function look_directory(path, found, seen)
  local there = files.nearest(path)
  if seen[there] then return end
  seen[there] = true
  local stat = sys.stat(there)
  if stat and stat.kind ~= "directory" then
    found[#found + 1] = finding.fail(("%s is in the way: it is no directory."):format(there),
      "Move it, or use another --home.")
    return
  end
  look_writable(there, found)
end

return {
  name = "home", where = "anywhere",
  text = "the home is yours alone, and can be written",
  look = function(context)
    local paths, found, seen = context.paths, {}, {}
    for _, path in ipairs { paths.data, paths.run } do look_directory(path, found, seen) end
    local store = files.store(paths)
    if #found == 0 and sys.exists(store) then look_writable(store, found) end
    for _, path in ipairs { paths.data, paths.data .. "/homes", store, paths.run, paths.socket } do
      look_private(path, found)
    end
    for _, path in ipairs { context.config, paths.chat } do look_unwritten(path, found) end
    if #found > 0 then return found end
    if not sys.exists(store) then return finding.ok(("%s is not used yet, and can be."):format(paths.data)) end
    return finding.ok(("%s is yours alone, and can be written."):format(paths.data))
  end,
}
