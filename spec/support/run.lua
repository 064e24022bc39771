-- Runs busted and holds it to its closing line "N passed, N failed". busted itself exits 0 when no spec matched, and a
-- crash of the interpreter leaves no line at all: both are failures here.
-- Usage: lua5.4 spec/support/run.lua BUSTED [spec file or folder …]
local command = {}
for i = 1, #arg do command[#command + 1] = "'" .. arg[i]:gsub("'", "'\\''") .. "'" end

local pipe = assert(io.popen(table.concat(command, " ") .. " 2>&1; echo \"exit status $?\"", "r"))
local passed, failed, status
for line in pipe:lines() do
  local p, f = line:match("^(%d+) passed, (%d+) failed$")
  local s = line:match("^exit status (%d+)$")
  if p then
    passed, failed = tonumber(p), tonumber(f)
  elseif s then
    status = tonumber(s)
  else
    print(line)
    io.stdout:flush()
  end
end
pipe:close()

if not passed then
  print(("busted ended with status %s and without its closing line: a crash"):format(status))
  print("0 passed, 1 failed")
  os.exit(1)
end
if passed == 0 and failed == 0 then
  print("no spec was run")
  failed = 1
elseif failed == 0 and status ~= 0 then
  print(("every spec passed, and yet busted ended with status %s"):format(status))
  failed = 1
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
