-- SPDX-License-Identifier: GPL-3.0-or-later
-- Figures of the benchmarks: runs, what a process costs, and the table.
local M = {}

--- The value that `share` of the runs stay within; 0: the least.
---@param runs number[]
---@param share number
function M.at(runs, share)
  local sorted = table.move(runs, 1, #runs, 1, {})
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(#sorted * share))]
end

function M.append(to, from)
  for _, value in ipairs(from) do to[#to + 1] = value end
end

local function read(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

-- the process and all below it
local function family(pid, list)
  list = list or {}
  list[#list + 1] = pid
  local children = read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""
  for child in children:gmatch "%d+" do family(math.tointeger(tonumber(child)), list) end
  return list
end

local TICKS = 100 -- a second, wherever Linux runs a C library

---@class sotto.bench.cost
---@field rss number MB
---@field pss number MB
---@field cpu number seconds so far
---@field processes integer

--- What a process costs now, alone or with everything below it.
---@param pid integer
---@param with_children boolean
---@return sotto.bench.cost
function M.cost(pid, with_children)
  local sum = { rss = 0, pss = 0, cpu = 0, processes = 0 }
  for _, one in ipairs(with_children and family(pid) or { pid }) do
    local memory, stat = read(("/proc/%d/smaps_rollup"):format(one)), read(("/proc/%d/stat"):format(one))
    if memory and stat then
      local fields = {}
      for field in stat:gsub("^.*%) ", ""):gmatch "%S+" do fields[#fields + 1] = field end
      sum.rss = sum.rss + (memory:match "Rss:%s+(%d+)" or 0) / 1024
      sum.pss = sum.pss + (memory:match "Pss:%s+(%d+)" or 0) / 1024
      sum.cpu = sum.cpu + (fields[12] + fields[13]) / TICKS
      sum.processes = sum.processes + 1
    end
  end
  return sum
end

--- One line about the machine and its programs.
function M.machine()
  local function command(line)
    local pipe = io.popen(line .. " 2>/dev/null")
    local text = pipe and pipe:read "l" or nil
    if pipe then pipe:close() end
    return text or "?"
  end
  local cores = select(2, (read "/proc/cpuinfo" or ""):gsub("\nprocessor", "")) + 1
  return ("%s, %d × %s, Linux %s; %s, libgpgme %s, c-toxcore %s; load %s"):format(
    os.date "!%Y-%m-%d", cores, (read "/proc/cpuinfo" or ""):match "model name%s*:%s*([^\n]+)" or "?",
    command "uname -r", command "gpg --version", command "pkg-config --modversion gpgme",
    command "pkg-config --modversion toxcore", (read "/proc/loadavg" or "?"):match "^%S+")
end

-- --- the table: Markdown, so that it can stand in the documents ------------------------------------

local COLUMNS = { "sotto", "raw gpgme", "c-toxcore", "c-toxcore, 1 ms" }

---@class sotto.bench.row
---@field name string
---@field text string how a value is written
---@field more_is_better boolean|nil
---@field [string] number[]|nil the runs, by column

local function cell(row, column)
  local runs, own = row[column], row.sotto
  if not runs or #runs == 0 then return "–" end
  local best, middle = M.at(runs, row.more_is_better and 1 or 0), M.at(runs, 0.5)
  local text = #runs == 1 and row.text:format(middle) or (row.text .. " / " .. row.text):format(best, middle)
  if column ~= "sotto" and own and middle > 0 then
    text = text .. (" (%s×)"):format(("%.2f"):format(M.at(own, 0.5) / middle))
  end
  return text
end

--- Prints rows: of each value the best and the median, and how many times the other's median sotto's is.
---@param rows sotto.bench.row[]
function M.print(rows)
  local lines, widths = { { "", table.unpack(COLUMNS) } }, {}
  for _, row in ipairs(rows) do
    local line = { row.name }
    for _, column in ipairs(COLUMNS) do line[#line + 1] = cell(row, column) end
    lines[#lines + 1] = line
  end
  for _, line in ipairs(lines) do
    for i, text in ipairs(line) do widths[i] = math.max(widths[i] or 0, utf8.len(text)) end
  end
  for n, line in ipairs(lines) do
    local cells = {}
    for i, text in ipairs(line) do cells[i] = text .. (" "):rep(widths[i] - utf8.len(text)) end
    print("| " .. table.concat(cells, " | ") .. " |")
    if n == 1 then
      for i, width in ipairs(widths) do cells[i] = ("-"):rep(width) end
      print("|-" .. table.concat(cells, "-|-") .. "-|")
    end
  end
end

return M
