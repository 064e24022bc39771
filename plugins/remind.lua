-- SPDX-License-Identifier: GPL-3.0-or-later
-- remind: !remind 10m the tea. Kept in the core's store: what came due while the core was off is said late, and so.
local sotto = require "sotto"

local EACH_MAX = 50
local LATE, AGAIN = 60, 10 -- seconds

local bot = sotto.bot {
  name = "remind", version = "1.0", api = 1, help = "says things later", needs = { "messages", "store", "timers" },
}

local store = bot.store
store.list, store.last = store.list or {}, store.last or 0

local timer -- of what is due first

-- where there is nobody any more to whom it could be said
local GONE = { not_found = true, wrong_state = true, refused = true }

-- Said first and then forgotten: whatever happens in between, it is said twice rather than never.
local function remind(number, one)
  local late = os.time() - one.due > LATE and (" (late: it was for %s)"):format(os.date("%H:%M", one.due)) or ""
  local text = ("%s: %s%s"):format(one.name, one.text, late)
  local ok, problem = pcall(sotto.messages.send, { discussion = one.discussion, text = text })
  if ok or GONE[problem.name] then store.list[number] = nil end
  if not ok then bot.log.warn("not said: " .. tostring(problem)) end
  return ok or GONE[problem.name]
end

local plan

local function say_due()
  timer = nil
  local due, failed = {}, false
  for number, one in pairs(store.list) do
    if one.due <= os.time() then due[#due + 1] = number end
  end
  table.sort(due)
  for _, number in ipairs(due) do
    if not remind(number, store.list[number]) then failed = true end
  end
  plan(failed and AGAIN or 0)
end

-- least: seconds
function plan(least)
  if timer then timer:stop() end
  timer = nil
  local first
  for _, one in pairs(store.list) do first = math.min(first or one.due, one.due) end
  if first then timer = bot:after(math.max(least or 0, first - os.time()), say_due) end
end

-- the numbers of what somebody has asked for, in order
local function own(ctx)
  local numbers = {}
  for number, one in pairs(store.list) do
    if one.sender == ctx.sender and one.discussion == ctx.discussion then numbers[#numbers + 1] = number end
  end
  table.sort(numbers)
  return numbers
end

local function in_discussion(f)
  return function(ctx, ...)
    if ctx.owner then return "I remind in discussions: write it there." end
    return f(ctx, ...)
  end
end

bot:command("remind", { args = "<when:time> <what:text>", help = "says it again later" },
  in_discussion(function(ctx, seconds, text)
    if #own(ctx) >= EACH_MAX then return ("More than %d are too many."):format(EACH_MAX) end
    store.last = store.last + 1
    local due = os.time() + math.ceil(seconds)
    store.list[store.last] = {
      due = due, text = text, name = ctx.name, sender = ctx.sender, discussion = ctx.discussion,
    }
    plan()
    return ("Number %d, at %s."):format(store.last, os.date(seconds < 86400 and "%H:%M" or "%Y-%m-%d %H:%M", due))
  end))

bot:command("reminders", { help = "yours" }, in_discussion(function(ctx)
  local lines = {}
  for i, number in ipairs(own(ctx)) do
    local one = store.list[number]
    lines[i] = ("%d: %s %s"):format(number, os.date("%Y-%m-%d %H:%M", one.due), one.text)
  end
  return #lines > 0 and table.concat(lines, "\n") or "None."
end))

bot:command("unremind", { args = "<number:integer>", help = "forgets one of yours" },
  in_discussion(function(ctx, number)
    local one = store.list[number]
    if not one or one.sender ~= ctx.sender or one.discussion ~= ctx.discussion then
      return "You have none of that number."
    end
    store.list[number] = nil
    plan()
    return "Forgotten."
  end))

plan()
