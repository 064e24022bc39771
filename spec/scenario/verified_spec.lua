-- SPDX-License-Identifier: GPL-3.0-or-later
-- Verified is whose password was proved (P2.7), whatever happens to the opening's last step: there each side says under
-- the new keys that it is ready, and the discussion is on both disks already.
local cores = require "support.cores"

describe("P2.7 an opening that loses its last step", function()
  after_each(cores.clean)

  local function crash_before_the_last_step(choose)
    local alice, bob = cores.pair()
    local id = cores.request(alice, bob, "right")
    local victim = choose(alice, bob)
    bob:call("discussions.accept", { discussion = id, password = "right" })
    cores.ask("an opening that is on the disk", function()
      local discussion = victim:discussion(id)
      assert.are_not.equal("open", discussion.state)
      return discussion.state == "opening" and discussion.roster_hash
    end)
    victim:kill()
    victim:start()
    cores.all_events("discussion.opened", id, alice, bob)
    for _, way in ipairs { { alice, bob }, { bob, alice } } do
      local peer = way[1]:call("peers.show", { peer = way[2].fingerprint })
      assert.is_true(peer.verified, ("%s to %s"):format(way[2].name, way[1].name))
    end
    cores.talk(id, alice, bob)
  end

  it("with the core of the one who asked verifies both", function()
    crash_before_the_last_step(function(alice) return alice end)
  end)

  it("with the core of the one who was asked verifies both", function()
    crash_before_the_last_step(function(_, bob) return bob end)
  end)
end)
