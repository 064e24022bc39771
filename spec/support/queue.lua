-- SPDX-License-Identifier: GPL-3.0-or-later
-- Commands of the shell, several at a time. Needs nothing of the project's own: what is under test cannot spoil it.
local M = {}

--- Quoted for the shell.
function M.quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- The lines of a command's standard output.
function M.lines(command)
  local pipe = assert(io.popen(command, "r"))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read "a"
  file:close()
  return text
end

--- Begins them in order, `jobs` at a time, and returns when all have ended. `ended` is called as each of them ends, with its
--- number, its exit status, how long it took in seconds, and all that it said. One that was lost (nobody knows how it ended)
--- comes last, with the status nil.
---@param commands string[]
---@param jobs integer
---@param ended fun(number: integer, status: integer|nil, seconds: number, output: string)
function M.run(commands, jobs, ended)
  local directory = assert(M.lines("mktemp -d /tmp/sotto-queue-XXXXXX")[1], "no temporary directory")
  local numbers = {}
  for i, command in ipairs(commands) do
    write(("%s/%d.sh"):format(directory, i), command .. "\n")
    numbers[i] = i
  end
  write(directory .. "/numbers", table.concat(numbers, "\n") .. "\n")
  -- one line for each that has ended; nothing of its own output is in the way
  local job = ([[begin=$(date +%%s%%N)
sh %s/$0.sh >%s/$0.out 2>&1 </dev/null
echo $0 $? $(( ($(date +%%s%%N) - begin) / 10000000 ))]]):format(directory, directory)
  local pipe = assert(io.popen(("xargs -r -n 1 -P %d sh -c %s <%s/numbers"):format(jobs, M.quote(job), directory), "r"))
  local done = {}
  for line in pipe:lines() do
    local number, status, hundredths = line:match "^(%d+) (%d+) (%d+)$"
    local i = math.tointeger(tonumber(number))
    if i and commands[i] then
      done[i] = true
      ended(i, math.tointeger(tonumber(status)), hundredths / 100, read(("%s/%d.out"):format(directory, i)))
    else
      print(line)
    end
  end
  pipe:close()
  for i in ipairs(commands) do
    if not done[i] then ended(i, nil, 0, read(("%s/%d.out"):format(directory, i))) end
  end
  os.execute("rm -rf " .. M.quote(directory))
end

return M
