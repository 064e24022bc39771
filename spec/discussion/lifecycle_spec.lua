local lifecycle = require "support.lifecycle"

local WINDOW, OPENING = 86400000, 600000

-- a discussion as the disk or a test has it
local function life(state, t)
  local l = { state = state, reason = "", founded = false, members = 2, links = 0, window = WINDOW, since = 0 }
  l.opening = OPENING
  if state == "open" or state == "suspended" or state == "frozen" then l.founded = true end
  if state == "open" or state == "frozen" then l.links = 1 end
  for k, v in pairs(t or {}) do l[k] = v end
  return l
end

local function step(l, type, t)
  local event = { type = type, now = 1000 }
  for k, v in pairs(t or {}) do event[k] = v end
  local new, actions = lifecycle.step(l, event)
  local deadline = actions.deadline
  actions.deadline = nil
  return new, table.concat(actions, " "), deadline
end

local NEVER_BEGAN = "save end_handshake destroy_key "
local GONE = "save end_handshake end_transcript %s clear_deadline %s"
local CLOSE, LEAVE = GONE:format("close_outbox", "tell_closed"), GONE:format("abandon_outbox", "tell_closed")

describe("lifecycle", function()
  it("follows a request from its beginning to an open discussion", function()
    local asked = lifecycle.begin("requesting", WINDOW)
    assert.same(life "requesting", asked)
    local l, actions, deadline = step(asked, "founded")
    assert.same({ "opening", true, "save set_deadline", OPENING }, { l.state, l.founded, actions, deadline })
    l, actions = step(l, "link_up")
    assert.same({ "open", 1, "save clear_deadline tell_opened" }, { l.state, l.links, actions })
  end)

  it("follows an accepted request likewise", function()
    local l, actions = step(lifecycle.begin("requested", WINDOW), "accept")
    assert.same({ "opening", false, "save" }, { l.state, l.founded, actions })
    l, actions = step(l, "founded")
    assert.same({ "opening", true, "save set_deadline" }, { l.state, l.founded, actions })
    assert.equal("open", step(l, "link_up").state)
  end)

  it("P2.11 waits for a first link as long as it is told", function()
    local _, _, deadline = step(lifecycle.begin("requesting", WINDOW, 3000), "founded")
    assert.equal(3000, deadline)
    _, _, deadline = step(life("opening", { founded = true, opening = 3000, since = 100 }), "restore", { now = 1100 })
    assert.equal(2000, deadline)
  end)

  it("ends a handshake that fails before it is founded, with its reason", function()
    for _, state in ipairs { "requesting", "requested", "opening" } do
      for _, reason in ipairs { "refused", "busy", "expired", "superseded", "failed", "lost" } do
        local l, actions = step(life(state), "end", { reason = reason })
        assert.same({ "refused", reason, NEVER_BEGAN .. "tell_refused" }, { l.state, l.reason, actions })
      end
    end
  end)

  it("P2.1 an unfinished handshake is refused after a restart", function()
    for _, state in ipairs { "requesting", "requested", "opening" } do
      local l, actions = step(life(state), "restore")
      assert.same({ "refused", "lost", NEVER_BEGAN .. "tell_refused" }, { l.state, l.reason, actions })
    end
  end)

  it("P2.11 what is founded and not open is dialled, and swept after 10 minutes", function()
    local l, actions = step(life("opening", { founded = true, since = 400 }), "left")
    assert.same({ "opening", "dial" }, { l.state, actions })
    assert.equal("opening", step(l, "end", { reason = "failed" }).state)
    local _, restored, deadline = step(l, "restore", { now = 400 + OPENING - 5 })
    assert.same({ "dial set_deadline", 5 }, { restored, deadline })
    l, actions = step(l, "deadline")
    assert.same({ "refused", "expired" }, { l.state, l.reason })
    assert.equal(GONE:format("abandon_outbox", "tell_refused"), actions)
  end)

  it("an invitation that was accepted is asked about again, as long as nothing is founded", function()
    local l, actions = step(life "opening", "ask_again")
    assert.same({ "requested", "save" }, { l.state, actions })
    assert.equal("opening", step(life("opening", { founded = true }), "ask_again").state)
  end)

  it("P3.8 what others have founded waits for no link: of three or more, nobody has to be there", function()
    local joined = life("opening", { founded = true, members = 3 })
    local l, actions = step(joined, "alone", { now = 70 })
    assert.same({ "suspended", 70, "save dial clear_deadline tell_opened" }, { l.state, l.since, actions })
    l, actions = step(l, "link_up")
    assert.same({ "open", "save clear_deadline tell_resumed" }, { l.state, actions })
    l, actions = step(joined, "restore")
    assert.same({ "suspended", "save dial tell_opened" }, { l.state, actions })
    l, actions = step(joined, "deadline")
    assert.same({ "opening", "" }, { l.state, actions })
    assert.same({ "open", "save clear_deadline tell_opened" }, (function()
      local linked, told = step(joined, "link_up")
      return { linked.state, told }
    end)())
    assert.equal("opening", step(life("opening", { founded = true }), "alone").state)
  end)

  it("P3.8 a lost link suspends, and the window begins", function()
    local l, actions, deadline = step(life "open", "link_down", { now = 5000 })
    assert.same({ "suspended", 5000, 0 }, { l.state, l.since, l.links })
    assert.same({ "save dial set_deadline tell_suspended", WINDOW }, { actions, deadline })
    local back, again = step(l, "link_up")
    assert.same({ "open", 1, "save clear_deadline tell_resumed" }, { back.state, back.links, again })
    l, actions = step(l, "deadline")
    assert.same({ "closed", "resume_window", CLOSE }, { l.state, l.reason, actions })
  end)

  it("P3.8 the window goes on over a restart, whatever the clock does", function()
    local suspended = life("suspended", { since = 5000 })
    local function left(now)
      local l, actions, deadline = step(suspended, "restore", { now = now })
      assert.same({ "suspended", "dial set_deadline" }, { l.state, actions })
      return deadline
    end
    assert.equal(WINDOW, left(5000))
    assert.equal(1, left(5000 + WINDOW - 1))
    assert.equal(0, left(5000 + WINDOW))
    assert.equal(0, left(5000 + 10 * WINDOW))
    assert.equal(WINDOW, left(10)) -- set back: not longer than the window from now
  end)

  it("P3.8 a core that was killed while open comes back suspended", function()
    local l, actions, deadline = step(life("open", { links = 1 }), "restore", { now = 7000 })
    assert.same({ "suspended", 7000, 0 }, { l.state, l.since, l.links })
    assert.same({ "save dial set_deadline tell_suspended", WINDOW }, { actions, deadline })
  end)

  it("P3.8 a window of 0 is the strict rule: a lost link closes", function()
    for _, event in ipairs { "link_down", "restore" } do
      local l, actions = step(life("open", { window = 0 }), event)
      assert.same({ "closed", "resume_window", CLOSE }, { l.state, l.reason, actions })
    end
  end)

  it("P3.8 of three or more, absence never closes, and suspended means no link to anyone", function()
    local l, actions = step(life("open", { members = 3, links = 2, window = 0 }), "link_down")
    assert.same({ "open", 1, "dial" }, { l.state, l.links, actions })
    l, actions = step(l, "link_down")
    assert.same({ "suspended", 0, "save dial tell_suspended" }, { l.state, l.links, actions })
    assert.same({ l, "" }, { step(l, "deadline") })
    assert.same({ l, "dial" }, { step(l, "restore") })
    assert.equal("open", step(l, "link_up").state)
    assert.equal("suspended", step(life("open", { members = 64, window = 0 }), "restore").state)
  end)

  it("counts members with a link, and no end of a link that was not there", function()
    local l = step(life("open", { members = 3 }), "link_up")
    assert.same({ "open", 2 }, { l.state, l.links })
    l = life("suspended", { links = 0 })
    assert.same({ l, "" }, { step(l, "link_down") })
  end)

  it("P3.8 close tells the others of all that was founded, and ends the rest", function()
    for _, state in ipairs { "open", "suspended", "frozen" } do
      local l, actions = step(life(state), "close")
      assert.same({ "closed", "closed", CLOSE }, { l.state, l.reason, actions })
    end
    local l, actions = step(life("opening", { founded = true }), "close")
    assert.same({ "closed", "closed", CLOSE }, { l.state, l.reason, actions })
    for _, state in ipairs { "requesting", "opening" } do
      l, actions = step(life(state), "close")
      assert.same({ "closed", "closed", NEVER_BEGAN .. "tell_closed" }, { l.state, l.reason, actions })
    end
    l, actions = step(life "requested", "close")
    assert.same({ "refused", "refused", NEVER_BEGAN .. "tell_refused" }, { l.state, l.reason, actions })
  end)

  it("P3.8 another's CLOSE ends it without a word", function()
    for _, state in ipairs { "open", "suspended", "frozen", "opening" } do
      local l, actions = step(life(state, { founded = true }), "closed_by")
      assert.same({ "closed", "closed_by_member", LEAVE }, { l.state, l.reason, actions })
    end
  end)

  it("P5.7 equivocation freezes, and only the person ends that", function()
    local l, actions = step(life "open", "freeze")
    assert.same({ "frozen", "equivocation", "save tell_frozen" }, { l.state, l.reason, actions })
    assert.equal("dial", select(2, step(l, "restore")))
    assert.same({ "frozen", "dial" }, { step(l, "link_down").state, select(2, step(l, "link_down")) })
    l, actions = step(life "suspended", "freeze")
    assert.same({ "frozen", "save clear_deadline tell_frozen" }, { l.state, actions })
    for _, event in ipairs { "deadline", "link_up", "freeze" } do
      assert.equal("frozen", step(l, event).state)
      assert.equal("equivocation", step(l, event).reason)
    end
  end)

  it("P5.9 a disk that was rolled back signs nothing more, not even CLOSE", function()
    for _, state in ipairs { "open", "suspended", "frozen" } do
      local l, actions = step(life(state), "rolled_back")
      assert.same({ "closed", "rolled_back", LEAVE }, { l.state, l.reason, actions })
    end
  end)

  it("P5.7 goes on once the members have removed somebody", function()
    local l, actions = step(life("frozen", { links = 1, members = 3 }), "thaw")
    assert.same({ "open", "", "save tell_resumed" }, { l.state, l.reason, actions })
    l, actions = step(life("frozen", { members = 3, links = 0 }), "thaw")
    assert.same({ "suspended", "save dial tell_suspended" }, { l.state, actions })
    l = step(life("frozen", { links = 0 }), "thaw")
    assert.equal("suspended", l.state)
  end)

  it("P5.11 whoever has left, or was removed, is out at once", function()
    for _, state in ipairs { "open", "suspended", "frozen" } do
      local l, actions = step(life(state), "leave")
      assert.same({ "closed", "left" }, { l.state, l.reason })
      assert.equal("save end_handshake end_transcript destroy_key clear_deadline tell_closed", actions)
      l, actions = step(life(state), "removed")
      assert.same({ "closed", "removed", LEAVE }, { l.state, l.reason, actions })
    end
  end)

  it("changes nothing at an event that means nothing there", function()
    local means = {
      requesting = { founded = 1, ["end"] = 1, close = 1, restore = 1 },
      requested = { accept = 1, ["end"] = 1, close = 1, restore = 1 },
      opening = { ask_again = 1, founded = 1, ["end"] = 1, close = 1, restore = 1 },
      ["opening, founded"] = { left = 1, link_up = 1, close = 1, closed_by = 1, deadline = 1, restore = 1 },
      open = { link_down = 1, close = 1, closed_by = 1, freeze = 1, rolled_back = 1, restore = 1,
        leave = 1, removed = 1 },
      suspended = { link_up = 1, deadline = 1, close = 1, closed_by = 1, freeze = 1, rolled_back = 1, restore = 1,
        leave = 1, removed = 1 },
      frozen = { link_down = 1, close = 1, closed_by = 1, rolled_back = 1, restore = 1, leave = 1, removed = 1,
        thaw = 1 },
      closed = {}, refused = {},
    }
    local count = 0
    for name, events in pairs(means) do
      local l = life(name:match "^%a+", name:find "founded" and { founded = true })
      for _, event in ipairs(lifecycle.events) do
        local new, actions = step(l, event)
        new.links = l.links
        count = count + 1
        if events[event] then
          assert.is_false(new.state == l.state and actions == "" and new.since == l.since, name .. " " .. event)
        else
          assert.same({ l, "" }, { new, actions }, name .. " " .. event)
        end
      end
    end
    assert.equal(9 * 17, count)
  end)

  it("allows each call in its states only", function()
    local allowed = {
      accept = { requested = 1 }, refuse = { requested = 1 }, send = { open = 1, suspended = 1 },
      close = { requesting = 1, requested = 1, opening = 1, open = 1, suspended = 1, frozen = 1 },
      forget = { closed = 1, refused = 1 }, propose = { open = 1, suspended = 1, frozen = 1 },
      leave = { open = 1, suspended = 1, frozen = 1 },
    }
    for _, call in ipairs(lifecycle.calls) do
      for _, state in ipairs { "requesting", "requested", "opening", "open", "suspended", "frozen", "closed",
        "refused" } do
        local ok, code, text = lifecycle.allows(life(state), call)
        if allowed[call][state] then
          assert.is_true(ok)
        else
          assert.equal("wrong_state", code, call .. " in " .. state)
          assert.truthy(text:find(state, 1, true))
        end
      end
    end
  end)

  it("leaves a discussion of three, and does not close it", function()
    local ok, code, text = lifecycle.allows(life("open", { members = 3 }), "close")
    assert.same({ nil, "wrong_state", "a discussion of 3 members is left, not closed" }, { ok, code, text })
    assert.is_true((lifecycle.allows(life("open", { members = 3 }), "send")))
  end)
end)
