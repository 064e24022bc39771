-- SPDX-License-Identifier: GPL-3.0-or-later
-- feed: tells in a discussion what is new in RSS and Atom feeds, looked at every half hour.
--   !feed https://example.org/news.xml      (its owner, in the discussion) and !feeds, !unfeed 1
local rss = require "rss"
local sotto = require "sotto"

local FEEDS_MAX, SEEN_MAX, TOLD_MAX = 50, 100, 5
local PERIOD = "30m"

local bot = sotto.bot {
  name = "feed", version = "1.0", api = 1, help = "tells what is new in feeds",
  needs = { "messages", "store", "timers", "http" },
}

local store = bot.store
store.feeds, store.last = store.feeds or {}, store.last or 0

-- --- fetching ----------------------------------------------------------------------------------------------

-- the feed as it is now; nil and why not
local function fetch(url)
  local headers = { Accept = "application/rss+xml, application/atom+xml, */*" }
  local ok, page = pcall(sotto.http.get, url, { headers = headers })
  if not ok then return nil, tostring(page) end
  if page.status ~= 200 then return nil, ("the server says %d"):format(page.status) end
  local found = rss.parse(page.body)
  if not found then return nil, "this is neither RSS nor Atom" end
  return found
end

-- entries that were not there before, oldest first; all that are there now count as seen
local function take_new(feed, found)
  local seen, fresh, now = {}, {}, {}
  for _, id in ipairs(feed.seen) do seen[id] = true end
  for _, entry in ipairs(found.entries) do
    if not seen[entry.id] then table.insert(fresh, 1, entry) end
    if #now < SEEN_MAX then now[#now + 1] = entry.id end
  end
  if #fresh > 0 then feed.seen = now end
  return fresh
end

local function line(entry) return entry.link ~= "" and ("%s %s"):format(entry.title, entry.link) or entry.title end

local function tell(feed, fresh)
  local lines = {}
  for i = math.max(1, #fresh - TOLD_MAX + 1), #fresh do lines[#lines + 1] = line(fresh[i]) end
  if #fresh > TOLD_MAX then table.insert(lines, 1, ("(%d more)"):format(#fresh - TOLD_MAX)) end
  sotto.messages.send { discussion = feed.discussion, text = ("%s:\n%s"):format(feed.title, table.concat(lines, "\n")) }
end

-- One feed that fails is told in the log, when it begins to, and keeps no other back.
local function look(number)
  local feed = store.feeds[number]
  local found, problem = fetch(feed.url)
  -- it may have been taken away meanwhile
  if not store.feeds[number] then return end
  if problem and problem ~= feed.problem then bot.log.warn(("%s: %s"):format(feed.url, problem)) end
  feed.problem = problem
  if not found then return end
  local fresh = take_new(feed, found)
  if #fresh > 0 then tell(feed, fresh) end
end

local looking

local function look_at_all()
  if looking then return end
  looking = true
  local numbers = {}
  for number in pairs(store.feeds) do numbers[#numbers + 1] = number end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    local ok, problem = pcall(look, number)
    if not ok then bot.log.warn(tostring(problem)) end
  end
  looking = nil
end

-- --- commands ----------------------------------------------------------------------------------------------

local function count()
  local n = 0
  for _ in pairs(store.feeds) do n = n + 1 end
  return n
end

bot:command("feed", { args = "<url>", allow = "owner", help = "tells here what is new there" }, function(ctx, url)
  if ctx.owner then return "Write it in the discussion in which it is to be told." end
  if not url:find("^https?://") then return "A feed's address begins with https://" end
  if count() >= FEEDS_MAX then return ("More than %d are too many."):format(FEEDS_MAX) end
  local found, problem = fetch(url)
  if not found then return ("%s: %s"):format(url, problem) end
  store.last = store.last + 1
  local feed = { url = url, title = found.title ~= "" and found.title or url, discussion = ctx.discussion, seen = {} }
  take_new(feed, found)
  store.feeds[store.last] = feed
  local newest = found.entries[1] and "\n" .. line(found.entries[1]) or ""
  return ("Number %d, %s; the newest of it:%s"):format(store.last, feed.title, newest)
end)

bot:command("feeds", { help = "those of this discussion" }, function(ctx)
  local lines = {}
  for number, feed in pairs(store.feeds) do
    if ctx.owner or feed.discussion == ctx.discussion then
      local problem = feed.problem and (" (%s)"):format(feed.problem) or ""
      lines[#lines + 1] = ("%d: %s %s%s"):format(number, feed.title, feed.url, problem)
    end
  end
  table.sort(lines)
  return #lines > 0 and table.concat(lines, "\n") or "None."
end)

bot:command("unfeed", { args = "<number:integer>", allow = "owner", help = "tells of it no more" }, function(_, number)
  if not store.feeds[number] then return "There is none of that number." end
  store.feeds[number] = nil
  return "Done."
end)

bot:command("look", { allow = "owner", help = "looks at all feeds now" }, function()
  look_at_all()
  return "Looked."
end)

bot:every(PERIOD, look_at_all)

bot:health(function(h)
  for _, feed in pairs(store.feeds) do
    if feed.problem then h.warn(("%s: %s"):format(feed.url, feed.problem)) end
  end
  h.ok(("%d feeds"):format(count()))
end)
