-- SPDX-License-Identifier: GPL-3.0-or-later
-- Three people in one discussion, each in front of a chat: what they type, and what they see.
local chatter = require "support.chatter"
local cores = require "support.cores"
local group = require "support.group"
local window = require "support.window"

local ann, ben, cid, id
local at_ann, at_ben, at_cid

describe("the chat of many", function()
  setup(function()
    ann, ben, cid = cores.person "ann", cores.person "ben", cores.person "cid"
    cores.meet(ann, ben)
    cores.meet(ann, cid)
    id = cores.open_between(ann, ben)
    cores.open_between(ann, cid)
    local wide = { columns = 160, rows = 60 }
    at_ann, at_ben, at_cid = chatter.open(ann, wide), chatter.open(ben, wide), chatter.open(cid, wide)
  end)
  teardown(function()
    window.close_all()
    cores.clean()
  end)

  it("lets who is invited decline, with a reason that only the sponsor gets", function()
    at_ann:enter("/go ben"):at "ann@ben>"
    at_ann:enter("/invite cid"):see "Proposed: to admit cid."
    at_cid:see "ann invites you to a discussion with ben, not verified by you: /accept or /refuse"
    at_cid:enter("/refuse ben no time"):see "! of those who ask you nobody, or not one alone, is called that"
    at_cid:enter("/refuse ann no time today"):see "was not opened: it was refused."
    at_ann:see "! It comes to nothing to admit cid: cid has declined: no time today."
    at_ann:enter("/invite cid"):see "Proposed: to admit cid."
    at_cid:forget():see "ann invites you to a discussion with ben"
    at_cid:enter("/refuse"):see "was not opened: it was refused."
    at_ann:see "! It comes to nothing to admit cid: cid has declined."
    at_ann:forget()
    at_cid:forget()
  end)

  it("brings in a third: invited, consented to, with a reason that all can read", function()
    at_ann:enter("/invite nobody"):see "! no peer has the name 'nobody'"
    at_ann:enter("/invite ben"):see "! ben is a member already"
    at_ann:enter("/invite cid"):see "Proposed: to admit cid. It waits for cid, since"
    at_ann:see "who was invited and has not joined yet"
    at_cid:see "ann invites you to a discussion with ben, not verified by you: /accept or /refuse"
    at_cid:see("The words of those who are in it: " .. ann:discussion(id).words:match "^%S+ %S+ %S+")
    at_cid:enter("/accept"):see "(The members are asked now; with their consent the discussion opens.)"
    at_ann:see "(cid has accepted your invitation. It waits for ben, since"
    at_ben:see "ann proposes to admit cid, whom you have not verified: /consent or /refuse"
    at_ben:enter("/proposals"):see "1  admit cid, proposed by ann: waits for you, since"
    at_ben:see "You are waited for: /consent or /refuse."
    at_ben:enter("/consent cyd"):see "! no open proposal is that: a number of /proposals or a name comes first, then the reason"
    at_ben:enter("/consent cid a friend of mine"):see "You consent to admit cid. The members are carrying it out."
    at_ann:see "(To admit cid: ben consents: a friend of mine."
    at_ann:see "cid is in now, on the word of you and ben. The words, the same for all of you:"
    at_ben:see "cid is in now, on the word of ann and you."
    local words = group.agree(id, { ann, ben, cid }).words
    at_cid:see("is open. Its words, the same on all sides: " .. words:match "^%S+ %S+ %S+")
    at_ann:at "ann@ben, cid>"
  end)

  it("says to all what is said, and on whose word somebody is there", function()
    at_cid:enter("hello you two"):see "you: hello you two  ✓✓"
    at_ann:see "cid: hello you two"
    at_ben:see "cid: hello you two"
    at_ben:enter("/members"):see "cid, there, not verified by you, taken in by ann and you"
    at_ben:see "charter: all members must consent to a newcomer"
    at_ann:enter("/words"):see(ann:discussion(id).words:match "^%S+ %S+ %S+")
  end)

  it("changes the charter, or not: a refusal has its reason", function()
    at_ann:enter("/charter nobody"):see "! a charter is 'all', or a number of members"
    at_ann:enter("/charter 2"):see "Proposed: 2 members must consent to a newcomer. It waits for ben and cid, since"
    at_cid:see "ann proposes to change the charter to '2': /consent or /refuse"
    at_cid:enter("/refuse charter all of us, please"):see "You refuse to change the charter to '2'."
    at_ben:see "(To change the charter to '2': cid refuses: all of us, please.)"
    at_ann:see "! It comes to nothing to change the charter to '2': cid has refused: all of us, please."
    at_ann:enter("/charter"):see "The charter is 'all': all members must consent to a newcomer."
  end)

  it("removes one who is away, by the others' consent, and lets one leave without any", function()
    ben:kill()
    cores.ask("ben is away", function()
      for _, member in ipairs(ann:discussion(id).members) do
        if member.fingerprint == ben.fingerprint then return not member.present end
      end
    end)
    at_ann:enter("/remove ben, nobody"):see "! nobody is no member of this discussion"
    at_ann:enter("/remove ben"):see "Proposed: to remove ben. It waits for cid, since"
    at_cid:see "ann proposes to remove ben: /consent or /refuse"
    at_cid:enter("/consent"):see "You consent to remove ben."
    at_ann:see "ben is out now. The words, the same for all of you:"
    at_cid:see "ben is out now."
    group.agree(id, { ann, cid })
    at_ann:enter("only us"):see "you: only us  ✓✓"
    at_cid:see "ann: only us"
    at_ann:enter("/remove cid"):see "! there are two of you: /close ends the discussion for both"
    at_cid:enter("/leave"):see "is closed: you closed it"
    at_ann:see "is closed: the other side closed it"
  end)
end)
