-- A store in a directory of its own, and values to fill it with.
local store = require "support.store"
local tools = require "support.store_tools"

local M = {}

M.key = string.rep("k", 31) .. "1"

-- the n-th fingerprint, id …: the same n gives the same one
function M.fingerprint(n) return ("%040X"):format(n + 0xabc0000) end
function M.id(n) return ("%032x"):format(n + 0xdef0000) end

function M.bytes(n, seed)
  local t, x = {}, seed or 1
  for i = 1, n do
    x = (x * 1103515245 + 12345) % 0x80000000
    t[i] = string.char(x >> 16 & 0xff)
  end
  return table.concat(t)
end

-- { directory, path, s } with an unlocked store, in it the first so many discussions; f:done() closes and removes it
function M.new(discussions)
  local f = { directory = tools.directory() }
  f.path = f.directory .. "/data/store.db"
  function f.open() return store.open(f.path) end
  function f.reopen()
    if f.s then f.s:close() end
    f.s = assert(f.open())
    assert(f.s:unlock(M.key))
    return f.s
  end
  function f.close()
    if f.s then f.s:close() end
    f.s = nil
  end
  -- plain SQLite behind the store's back: it must be closed
  function f.sql(...)
    assert(not f.s, "close the store first")
    return tools.sql(f.path, ...)
  end
  -- every byte of every file beside the store
  function f.files()
    local all = {}
    for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do
      local file = io.open(f.path .. suffix, "rb")
      if file then
        all[#all + 1] = file:read("a")
        file:close()
      end
    end
    return table.concat(all)
  end
  function f.done()
    f.close()
    assert(tools.remove(f.directory))
  end
  f.reopen()
  for n = 1, discussions or 0 do assert(f.s:discussion_create(M.discussion(n))) end
  return f
end

function M.identity(t)
  local i = {
    fingerprint = M.fingerprint(0), name = "alice", home = "0123", has_passphrase = false,
    signer = "", card = false,
    certificate = M.bytes(400, 1), store_key = M.bytes(300, 2), presence_key = M.bytes(32, 3),
    presence_since = 1000, certification = M.bytes(120, 4), presence_sequence = 5,
  }
  for k, v in pairs(t or {}) do i[k] = v end
  return i
end

function M.discussion(n, t)
  local d = {
    id = M.id(n), state = "open", reason = "", mode = "password", role = "initiator", charter = "all",
    home = "aa" .. n, created = 1000 + n, opened = 2000 + n, ended = 0, suspended_at = 0, epoch = 0,
    h0 = M.bytes(32, n), read_marker = "", hints = { "192.0.2.1:4788" }, certificate = M.bytes(391, n),
  }
  for k, v in pairs(t or {}) do d[k] = v end
  return d
end

function M.message(n, t)
  local m = {
    id = M.id(n), discussion = M.id(1), sender = M.fingerprint(0), state = "queued", time = 5000 + n,
    text = "text number " .. n,
  }
  for k, v in pairs(t or {}) do m[k] = v end
  return m
end

function M.payload(sequence, t)
  local p = {
    discussion = M.id(1), epoch = 0, sender = M.fingerprint(0), sequence = sequence, time = 7000 + sequence,
    payload = '{"v":1,"type":"payload","seq":' .. sequence .. "}",
  }
  for k, v in pairs(t or {}) do p[k] = v end
  return p
end

function M.ids(list)
  local ids = {}
  for i, m in ipairs(list) do ids[i] = m.id end
  return ids
end

return M
