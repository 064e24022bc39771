-- SPDX-License-Identifier: GPL-3.0-or-later
-- A discussion of three in homes whose path is longer than any socket's may be: all of it works as elsewhere.
local cores = require "support.cores"
local group = require "support.group"

local PATH_BYTES = 224

describe("a discussion of three, in homes with a path of 224 bytes,", function()
  after_each(cores.clean)

  it("begins, changes its charter, loses a member, and goes on after a restart", function()
    local people = {}
    for i, name in ipairs { "ann", "ben", "cid" } do
      local home = cores.root() .. "/" .. name
      home = home .. ("x"):rep(PATH_BYTES - #home)
      people[i] = cores.person(name, { home = home })
    end
    local ann, ben, cid = table.unpack(people)
    local id = group.know(ann, ben)
    group.know(ann, cid)
    group.admit(id, ann, cid, { ben })
    group.say_all(id, people)
    ann:call("proposals.create", { discussion = id, op = "charter", charter = "2" })
    group.consent(id, "charter", { ben, cid })
    group.wait("the charter", function() return group.agree(id, people).charter == "2" end)
    for _, who in ipairs(people) do who:restart() end
    group.agree(id, people)
    group.say_all(id, people)
    cid:call("discussions.leave", { discussion = id })
    group.agree(id, { ann, ben })
    group.say_all(id, { ann, ben })
  end)
end)
