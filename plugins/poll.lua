-- SPDX-License-Identifier: GPL-3.0-or-later
-- poll: a vote in a discussion. !poll Where to? | the sea | the hills; then !vote 2, !tally, !endpoll. Votes are open:
-- everybody in the discussion reads them anyway.
local sotto = require "sotto"

local CHOICES_MAX, TEXT_MAX = 20, 1000

local bot = sotto.bot {
  name = "poll", version = "1.0", api = 1, help = "votes", needs = { "messages", "store" },
}

local store = bot.store
store.polls = store.polls or {}

local function tally(poll)
  local counts, names, all = {}, {}, 0
  for _, vote in pairs(poll.votes) do
    counts[vote.choice] = (counts[vote.choice] or 0) + 1
    names[vote.choice] = names[vote.choice] or {}
    table.insert(names[vote.choice], vote.name)
    all = all + 1
  end
  local lines = { ("%s (%d vote%s)"):format(poll.question, all, all == 1 and "" or "s") }
  for i = 1, #poll.choices do
    local who = names[i] or {}
    table.sort(who)
    local by = #who > 0 and (": " .. table.concat(who, ", ")) or ""
    lines[#lines + 1] = ("%d. %s - %d%s"):format(i, poll.choices[i], counts[i] or 0, by)
  end
  return table.concat(lines, "\n")
end

-- commands of a discussion with a poll
local function with_poll(f)
  return function(ctx, ...)
    if ctx.owner then return "A poll belongs to a discussion: write it there." end
    local poll = store.polls[ctx.discussion]
    if not poll then return "There is no poll here: !poll Where to? | the sea | the hills" end
    return f(ctx, poll, ...)
  end
end

local function split(text)
  local parts = {}
  for part in (text .. "|"):gmatch("%s*(.-)%s*|") do
    if part ~= "" then parts[#parts + 1] = part end
  end
  return parts
end

bot:command("poll", { args = "<what:text>", help = "asks all: Where to? | the sea | the hills" }, function(ctx, text)
  if ctx.owner then return "A poll belongs to a discussion: write it there." end
  if store.polls[ctx.discussion] then return "There is one already: !tally shows it, !endpoll ends it." end
  local parts = split(text)
  local question = table.remove(parts, 1)
  if #parts == 0 then parts = { "yes", "no" } end
  if not question or #parts < 2 or #parts > CHOICES_MAX or #text > TEXT_MAX then
    return ("A question, and 2 to %d answers between |"):format(CHOICES_MAX)
  end
  store.polls[ctx.discussion] = { question = question, choices = parts, by = ctx.sender, votes = {} }
  local lines = { ("%s asks: %s"):format(ctx.name, question) }
  for i, choice in ipairs(parts) do lines[#lines + 1] = ("%d. %s"):format(i, choice) end
  lines[#lines + 1] = "!vote NUMBER"
  return table.concat(lines, "\n")
end)

bot:command("vote", { args = "<number:integer>", help = "your vote; another takes its place" },
  with_poll(function(ctx, poll, number)
    if not poll.choices[number] then return ("There are answers 1 to %d."):format(#poll.choices) end
    poll.votes[ctx.sender] = { choice = number, name = ctx.name }
    return ("%s: %s"):format(ctx.name, poll.choices[number])
  end))

bot:command("tally", { help = "how it stands" }, with_poll(function(_, poll) return tally(poll) end))

bot:command("endpoll", { help = "ends it: who has asked, or the owner" }, with_poll(function(ctx, poll)
  if not ctx.mine and ctx.sender ~= poll.by then return "Whoever has asked ends it." end
  local text = "It is over. " .. tally(poll)
  store.polls[ctx.discussion] = nil
  return text
end))
