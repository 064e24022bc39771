-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which proposal, and which member, a person means; over a chat whose core is a table.
local council = require "sotto.client.council"
local names = require "sotto.client.names"

local ME, ADA, CARL, CARLA, DAN = ("E"):rep(40), ("A"):rep(40), ("C1"):rep(20), ("C2"):rep(20), ("D"):rep(40)
local ROOM = ("0"):rep(32)

describe("the council", function()
  local chat, list

  before_each(function()
    local function member(fingerprint, name) return { fingerprint = fingerprint, name = name, you = fingerprint == ME } end
    list = {
      { id = ("1"):rep(32), op = "admit", subjects = { CARL }, waiting_for = { ME } },
      { id = ("2"):rep(32), op = "admit", subjects = { CARLA }, waiting_for = { ADA } },
      { id = ("3"):rep(32), op = "charter", charter = "2", subjects = {}, waiting_for = { ME, ADA } },
      { id = ("4"):rep(32), op = "remove", subjects = { DAN }, waiting_for = {}, state = "void" },
    }
    for _, one in ipairs(list) do
      one.discussion, one.proposer, one.answers, one.state = ROOM, ADA, {}, one.state or "open"
    end
    chat = setmetatable({
      own = ME, said = {}, known = {
        gone = {}, proposals = {},
        peers = { [CARL] = { fingerprint = CARL, name = "Carl" }, [CARLA] = { fingerprint = CARLA, name = "Carl of Ulm" } },
        discussions = { [ROOM] = { id = ROOM, members = { member(ME, "me"), member(ADA, "ada"), member(DAN, "Dan") } } },
      },
    }, { __index = council })
    function chat:person_name(person) return names.person(person, self.known.peers) end
    function chat.call() return list end
  end)

  local function find(text)
    local proposal, rest = chat:find_proposal(text)
    return proposal and proposal.id:sub(1, 1), rest
  end

  it("takes a proposal by its number, a name or digits, and leaves what follows", function()
    assert.are.same({ "1", "" }, { find "1" })
    assert.are.same({ "2", "not today" }, { find "2 not today" })
    assert.are.same({ "1", "is  late" }, { find "carl is  late" })
    assert.are.same({ "3", "" }, { find "charter" })
    assert.are.same({ "3", "why" }, { find "33333333 why" })
    assert.are.same({ "2", "ä ö" }, { find "CARL OF ULM ä ö" })
  end)

  it("never takes what was not meant", function()
    for _, text in ipairs { "carlo", "dan", "4", "9", "44444444", "nobody at all" } do assert.is_nil(find(text), text) end
    assert.has_error(function() find "" end) -- two wait for an answer
    list[3].waiting_for = { ADA }
    assert.are.equal("1", (find ""))
    list[1].waiting_for = { ADA }
    assert.is_nil(find "")
  end)

  it("says of an answer who is waited for, as the charter has it; what a refusal makes of it comes as an event", function()
    local one, said = list[1], nil
    function chat.call() return one end
    function chat.print(_, text) said = text end
    local function after(charter, answer)
      chat.known.discussions[ROOM].charter = charter
      one.waiting_for = { DAN }
      one.answers = { { member = ADA, answer = "consent" }, { member = ME, answer = answer } }
      chat:answer_proposal(one, answer, "")
      return said
    end
    assert.are.equal("You consent to admit Carl. It waits for Dan.", after("all", "consent"))
    assert.are.equal("You consent to admit Carl. It waits for Dan.", after("3", "consent"))
    assert.are.equal("You consent to admit Carl. The members are carrying it out.", after("2", "consent"))
    assert.are.equal("You refuse to admit Carl.", after("2", "refuse"))
  end)

  it("asks where a name is that of several", function()
    list[2].subjects = { CARL }
    assert.has_error(function() find "carl" end)
    assert.are.equal("2", (find "2"))
  end)

  it("offers names of what waits for this person", function()
    chat:open_proposals()
    assert.are.same({ "Carl", "charter" }, chat:proposal_words())
    list[1].state = "committed"
    chat:remember_proposal(list[1])
    assert.are.same({ "charter" }, chat:proposal_words())
  end)

  it("finds the other members by name or digits", function()
    local room = chat.known.discussions[ROOM]
    assert.are.equal(DAN, chat:find_member(room, "dan").fingerprint)
    assert.are.equal(ADA, chat:find_member(room, "aaaa aaaa").fingerprint)
    assert.has_error(function() chat:find_member(room, "me") end, "me is no member of this discussion")
    assert.has_error(function() chat:find_member(room, "\27") end, "<U+001B> is no member of this discussion")
    room.members[2].name = "Dan"
    assert.has_error(function() chat:find_member(room, "dan") end)
  end)
end)
