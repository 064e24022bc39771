-- SPDX-License-Identifier: GPL-3.0-or-later
-- The encryption keys of simulated cores (P4.2): told and learned, said on links, destroyed; on the core's disk, as in the
-- shell. Ids rise with each key of a member.
local M = {}

local function first(member) return member * 1000000 end

--- What a core's disk has of it, from the start.
function M.disk(me)
  return { rows = {}, secrets = { [first(me)] = true }, made = first(me), told = first(me) }
end

--- For transcript.new: what the disk has.
function M.known(core)
  local list = {}
  for i = 1, core.world.n do list[i] = { i, 0, first(i) } end
  for _, row in ipairs(core.disk.keys.rows) do list[#list + 1] = row end
  return list
end

-- After the start: what a killed core made and told nobody of goes, and of what was replaced only that was on disk counts.
function M.restore(core)
  local keys = core.disk.keys
  core.newest, core.old, core.said = {}, {}, 0
  for i = 1, core.world.n do core.newest[i] = first(i) end
  local before
  for _, row in ipairs(keys.rows) do
    local member, sequence, id = row[1], row[2], row[3]
    core.newest[member] = math.max(core.newest[member], id)
    if member == core.me then
      before = before or first(core.me)
      if keys.secrets[before] then core.old[#core.old + 1] = { id = before, replaced = sequence } end
      before = id
    end
  end
  for id in pairs(keys.secrets) do
    if id > keys.told then keys.secrets[id] = nil end
  end
end

--- A new own key, which the outbox is to tell.
function M.make(core)
  local keys = core.disk.keys
  if core.outbox:is_rekeying() or core.disk.keyless then return end
  keys.made = keys.made + 1
  keys.secrets[keys.made] = true
  core:tell { type = "rekey", certificate = tostring(keys.made) }
end

--- In a commit of the own outbox.
function M.told(core, sequence, certificate)
  local keys, id = core.disk.keys, math.tointeger(tonumber(certificate))
  assert(keys.secrets[id], "told of a key that is not there")
  core.old[#core.old + 1] = { id = keys.told, replaced = sequence }
  keys.rows[#keys.rows + 1] = { core.me, sequence, id }
  keys.told = id
  core.newest[core.me] = id
  assert(core.transcript:add_key(core.me, sequence, id))
end

--- In a commit of another member's payload.
function M.learned(core, member, sequence, id)
  core.disk.keys.rows[#core.disk.keys.rows + 1] = { member, sequence, id }
  core.newest[member] = math.max(core.newest[member], id)
  assert(core.transcript:add_key(member, sequence, id))
  core:tell { type = "key_learned", member = member }
end

--- What is said on a new link: imported after a while, and nothing is sealed before that.
function M.heard(core, member, id)
  if not id or id <= core.newest[member] then return end
  core.said = core.said + 1
  core:later(function()
    core.said = core.said - 1
    core.newest[member] = math.max(core.newest[member], id)
    assert(core.transcript:add_key(member, -1, id))
    local life = core.life
    core:tell { type = "key_learned", member = member }
    if core.life ~= life then return end
    if core.said == 0 and core.delayed then
      local seal = core.delayed
      core.delayed = nil
      seal()
    end
  end)
end

--- Old secrets that everybody has said not to seal to any more; with `all`, every old one: its time is over.
function M.bury(core, all)
  for i = #core.old, 1, -1 do
    local key, covered = core.old[i], true
    for member = 1, core.world.n do
      if member ~= core.me and core.transcript:covered(member) < key.replaced then covered = false end
    end
    if covered or all then
      core.disk.keys.secrets[key.id] = nil
      table.remove(core.old, i)
      local count = core.world.count
      local what = covered and "key_covered" or "key_expired"
      count[what] = (count[what] or 0) + 1
    end
  end
end

--- The ids that a seal is for, in roster order.
function M.recipients(core)
  local list = {}
  for i = 1, core.world.n do
    if i ~= core.me then list[#list + 1] = core.newest[i] end
  end
  return list
end

--- As the shell and gpg open it: the ids where this core has the secret of its own; else nil and the error's name.
function M.open(core, sender, message)
  local ids = {}
  for id in message:match(" ([%d,]+)\n"):gmatch "%d+" do ids[#ids + 1] = math.tointeger(tonumber(id)) end
  assert(#ids == core.world.n - 1)
  local own = ids[core.me < sender and core.me or core.me - 1]
  for i, id in ipairs(ids) do
    assert(id // 1000000 == (i < sender and i or i + 1), "sealed to another member's key")
  end
  if not core.disk.keys.secrets[own] then return nil, "not_found" end
  return ids
end

return M
