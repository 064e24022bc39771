-- SPDX-License-Identifier: GPL-3.0-or-later
-- luacheck: ignore
-- Made by docs/meta.lua; changes here are lost.
---@meta

---@class sotto
local sotto = {}

--- the core itself
sotto.system = {}
--- Says what this core is and where it listens. Since 1; needs base.
---@param params? {}
---@return sotto.info
function sotto.system.info(params) end
--- Gives this whole table: methods with typed parameters and results, and events. Since 1; needs base.
---@param params? {}
---@return table
function sotto.system.methods(params) end
--- Counts what was done, and what was dropped and why; and how long the turns of the core's loop took. Since 1; needs system.
---@param params? {}
---@return table
function sotto.system.metrics(params) end
--- Looks for what is broken, and says what to do about it. Since 1; needs system.
--- - `command` what a person types for the front end, for the advice; standard: its path
---@param params? {command?: string}
---@return sotto.finding[]
function sotto.system.doctor(params) end
--- Makes a password of random words, to be told on the telephone. Since 1; needs base.
--- - `words` how many words
---@param params? {words?: integer}
---@return table
function sotto.system.password(params) end
--- Ends the core in good order. Discussions stay, and go on at its next start. Since 1; needs system.
---@param params? {}
---@return table
function sotto.system.stop(params) end

--- your own key
sotto.identity = {}
--- Shows the own identity. Since 1; needs base.
---@param params? {}
---@return sotto.identity
function sotto.identity.show(params) end
--- Makes the own key (ed25519 and cv25519). Answers when it is usable. Since 1; needs identity.
--- - `name` what others see; up to 32 bytes
--- - `passphrase` protects the key on disk; asked for at every start
---@param params {name: string, passphrase?: string}
---@return sotto.identity
function sotto.identity.create(params) end
--- Lists the keys of your own GnuPG, and why some of them cannot be adopted. Since 1; needs identity.
---@param params? {}
---@return sotto.candidate[]
function sotto.identity.candidates(params) end
--- Takes a key of your own GnuPG (its secret stays there); others see its user id, mail and all. Since 1; needs identity.
--- - `fingerprint` of the key, 40 upper-case hex digits
--- - `name` what others see; without it, as the key's user id says
--- - `session` where your pinentry finds you, as NAME=value: GPG_TTY, TERM, DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, LANG, ...
---@param params {fingerprint: string, name?: string, session?: string[]}
---@return sotto.identity
function sotto.identity.adopt(params) end
--- Opens the own key with its passphrase; for an adopted key your own pinentry asks. Since 1; needs identity.
--- - `passphrase` of the own key; an adopted one takes none
--- - `session` where your pinentry finds you, as NAME=value: GPG_TTY, TERM, DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, LANG, ...
---@param params? {passphrase?: string, session?: string[]}
---@return sotto.identity
function sotto.identity.unlock(params) end
--- Takes back what your own pinentry is asked by adopt or unlock, which then fails with canceled. Since 1; needs identity.
---@param params? {}
---@return sotto.identity
function sotto.identity.cancel(params) end
--- Forgets the passphrase: what needs the key fails with locked until unlock. Since 1; needs identity.
---@param params? {}
---@return sotto.identity
function sotto.identity.lock(params) end
--- Changes the passphrase of the own key. Since 1; needs identity.
--- - `old` the present one; left out where there is none
--- - `new` the new one
---@param params? {old?: string, new: string}
---@return sotto.identity
function sotto.identity.passphrase(params) end

--- who is there
sotto.peers = {}
--- Lists the peers that this core knows of. Since 1; needs peers.
---@param params? {}
---@return sotto.peer[]
function sotto.peers.list(params) end
--- Shows one peer. Since 1; needs peers.
--- - `peer` fingerprint, 8 digits or more of it, or name
---@param params {peer: string}
---@return sotto.peer
function sotto.peers.show(params) end
--- Tells whose signatures on somebody's key your own GnuPG can check: the web of trust. Since 1; needs peers.
--- - `peer` fingerprint, 8 digits or more of it, or name
---@param params {peer: string}
---@return table
function sotto.peers.certifiers(params) end
--- Asks who is at an address, and answers when they have. Since 1; needs peers.
--- - `address` HOST:PORT, or [V6]:PORT
---@param params {address: string}
---@return sotto.peer
function sotto.peers.probe(params) end
--- Reads a contact file (lines of HOST:PORT [FINGERPRINT] [# note]) and probes each line. Since 1; needs peers.
--- - `path` the file to read
---@param params {path: string}
---@return table
function sotto.peers.import(params) end
--- Writes the known peers into a contact file; what stands there already stays. Since 1; needs peers.
--- - `path` the file to write
---@param params {path: string}
---@return table
function sotto.peers.export(params) end
--- Forgets a peer: its addresses, its name, and that it was verified. Since 1; needs peers.
--- - `peer` fingerprint, 8 digits or more of it, or name
---@param params {peer: string}
---@return table
function sotto.peers.forget(params) end

--- conversations
sotto.discussions = {}
--- Asks a peer for a discussion. Answers at once; the outcome is an event. Since 1; needs discussions.
--- - `peer` fingerprint, 8 digits or more of it, or name
--- - `password` the one both of you have agreed on; left out for a peer that is verified already
---@param params {peer: string, password?: string}
---@return sotto.discussion
function sotto.discussions.open(params) end
--- Accepts a request. Answers when the decision is recorded; the outcome is an event. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `password` the one both of you have agreed on; none for an invitation into a discussion of others
---@param params {discussion: string, password?: string}
---@return sotto.discussion
function sotto.discussions.accept(params) end
--- Refuses a request, or declines an invitation. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `reason` told to who has invited you; of a request nothing is told
---@param params {discussion: string, reason?: string}
---@return sotto.discussion
function sotto.discussions.refuse(params) end
--- Lists the discussions, ended ones too. Since 1; needs discussions.
---@param params? {}
---@return sotto.discussion[]
function sotto.discussions.list(params) end
--- Shows one discussion with its members. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
---@param params {discussion: string}
---@return sotto.discussion
function sotto.discussions.show(params) end
--- Ends a discussion of two for both, and destroys its keys. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
---@param params {discussion: string}
---@return sotto.discussion
function sotto.discussions.close(params) end
--- Leaves a discussion; with two members that closes it. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
---@param params {discussion: string}
---@return sotto.discussion
function sotto.discussions.leave(params) end
--- Erases an ended discussion and all its messages. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
---@param params {discussion: string}
---@return table
function sotto.discussions.forget(params) end
--- Writes sealed messages, session keys and certificates, so that stock gpg can check who said what. Since 1; needs discussions.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `path` a directory to make
---@param params {discussion: string, path: string}
---@return table
function sotto.discussions.export(params) end

--- what was said
sotto.messages = {}
--- Sends one text, or several. Answers when they are on disk. Since 1; needs messages.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `text` 1 to 65,536 bytes of UTF-8
--- - `texts` several texts, sent as several messages
---@param params {discussion: string, text?: string, texts?: string[]}
---@return sotto.message
function sotto.messages.send(params) end
--- Lists messages, oldest first; without bounds the newest. Since 1; needs messages.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `after` only later ones than this
--- - `before` only earlier ones than this
--- - `limit` how many at most
---@param params {discussion: string, after?: string, before?: string, limit?: integer}
---@return sotto.message[]
function sotto.messages.list(params) end
--- Finds messages that contain a text, newest last. Since 1; needs messages.
--- - `query` looked for without regard to case
--- - `discussion` only this discussion's
--- - `limit` how many at most
---@param params {query: string, discussion?: string, limit?: integer}
---@return sotto.message[]
function sotto.messages.search(params) end
--- Marks messages as read, up to and with the one that is named. Since 1; needs messages.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `message` the last one that was read; left out: all
---@param params {discussion: string, message?: string}
---@return sotto.discussion
function sotto.messages.read(params) end
--- Sends what was held because the audience changed. Answers when it is queued, on disk. Since 1; needs messages.
--- - `discussion` id, 8 digits or more of it, or the name of a member
---@param params {discussion: string}
---@return sotto.message[]
function sotto.messages.release(params) end
--- Gives up the messages that were held because the audience changed: they stay in the list, as failed. Since 1; needs messages.
--- - `discussion` id, 8 digits or more of it, or the name of a member
---@param params {discussion: string}
---@return sotto.message[]
function sotto.messages.discard(params) end

--- who is to come and to go
sotto.proposals = {}
--- Proposes a change of a discussion's members, or of its charter. Proposing is consent. Since 1; needs proposals.
--- - `discussion` id, 8 digits or more of it, or the name of a member
--- - `op` what
--- - `peer` who is to be admitted, or removed
--- - `peers` several members, to be removed together
--- - `charter` who must consent to an admission: "all", or so many members, "1" to "64"
---@param params {discussion: string, op: "admit"|"remove"|"charter", peer?: string, peers?: string[], charter?: string}
---@return sotto.proposal
function sotto.proposals.create(params) end
--- Lists proposals, those that have ended too, oldest first. Since 1; needs proposals.
--- - `discussion` only this discussion's
---@param params? {discussion?: string}
---@return sotto.proposal[]
function sotto.proposals.list(params) end
--- Shows one proposal: who has answered what, and who is waited for. Since 1; needs proposals.
--- - `proposal` id, or 8 digits or more of it
---@param params {proposal: string}
---@return sotto.proposal
function sotto.proposals.show(params) end
--- Consents to a proposal or refuses it, for good; every member sees the answer and its reason. Since 1; needs proposals.
--- - `proposal` id, or 8 digits or more of it
--- - `answer` which
--- - `reason` why: every member can read it
---@param params {proposal: string, answer: "consent"|"refuse", reason?: string}
---@return sotto.proposal
function sotto.proposals.answer(params) end
--- Tells what each policy would say of an admission, and says nothing. Since 1; needs proposals.
--- - `proposal` id, or 8 digits or more of it
---@param params {proposal: string}
---@return table
function sotto.proposals.explain(params) end

---@alias sotto.event_type
---| "warning" # Something that a person should know: a weak password, a clock that is off, a disk that is full. Since 1.
---| "passphrase.needed" # The own key is locked, and something waits for it. Since 1.
---| "peer.seen" # A peer showed up, or changed. Since 1.
---| "peer.lost" # A peer's presence ran out. Since 1.
---| "discussion.requested" # A peer asks for a discussion. Since 1.
---| "discussion.opened" # A discussion is open. Since 1.
---| "discussion.suspended" # No member can be reached. Since 1.
---| "discussion.resumed" # A member can be reached again. Since 1.
---| "discussion.frozen" # A member is proven to have signed two things that exclude each other: nothing is sent any more. Since 1.
---| "discussion.closed" # A discussion ended; reason says why. Since 1.
---| "epoch.changed" # The members of a discussion, or its charter, are others from now on. Since 1.
---| "discussion.read" # Messages were marked as read; unread says how many are left. Since 1.
---| "discussion.refused" # A request came to nothing; reason says why. Since 1.
---| "message.received" # A message arrived and is on disk. Since 1.
---| "message.sent" # At least one member's core has it. Since 1.
---| "message.delivered" # All other members' stores have it. Since 1.
---| "message.confirmed" # All other members have signed that they have it. Of two members nobody does: delivered says as much. Since 1.
---| "message.complaint" # A member cannot open a message of another, as others may: discussion, member, sender, epoch, seq, messages (ids, of what is here), same (it is what is here). Since 1.
---| "message.held" # The members changed before it was sent: it waits for messages.release or messages.discard. Since 1.
---| "message.void" # The members changed, and not all of them can have this message: it was never said. Since 1.
---| "message.failed" # A message will not be sent any more. Since 1.
---| "proposal.opened" # A change of members or charter is proposed. Since 1.
---| "proposal.answered" # A member has consented or refused. Since 1.
---| "proposal.committed" # The members have carried out a proposal. Since 1.
---| "proposal.refused" # A proposal was refused; an answer says why. Since 1.
---| "proposal.void" # A proposal has come to nothing, for the members have changed. Since 1.
---| "script.failed" # A script has failed and rests, or is disabled; or it waits for the user. Its reason says why. Since 1.
---| "script.changed" # A script runs, again or with other commands; or it was unloaded, and its state is "stopped". Since 1.
---| "script.log" # A script has said a line: name, level, text. Since 1.
---| "events.lagged" # This connection did not read fast enough: some events were dropped; those after resume_after follow. Since 1.
